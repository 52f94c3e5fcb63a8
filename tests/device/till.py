"""A till that asks for refunds, and an agent that has just looked at its hardware.

The sale on the bench has receipt 1 and 50.00 EUR.
"""

from firmware_agent.agent import Agent
from firmware_agent.wire.errors import WireError
from firmware_agent.wire.messages import STATES, UNKNOWN

from .bench import ABOUT, SETTINGS, Ports
from .card_terminal import CardTerminal


def wants(key="k1", receipt=1, amount=1234, **more):
    request = {"key": key, "receipt": receipt, "amount": amount, "currency": "EUR", "sale_amount": 100000}
    request.update(more)
    return request


async def boot(terminal, flash=None):
    """An agent that has looked at its hardware once, like after its first second."""
    agent = Agent(Ports(terminal, flash), SETTINGS, ABOUT)
    for _ in range(4):
        agent.power.sample()
    await agent.network.sample()
    await agent.watch.sample()
    return agent


async def bench(*plan):
    terminal = CardTerminal()
    terminal.does(5000)
    terminal.plan = list(plan)
    agent = await boot(terminal)
    await agent.watch.look_at_receipt()
    return agent, terminal


async def state(agent, **request):
    return STATES[(await agent.refund(wants(**request)))["state"]]


def found(answer):
    """The findings of an answer without what the bench's policy accepts as unknown."""
    return [one for one in answer["findings"] if one["status"] != UNKNOWN]


async def refused(agent, **request):
    """The WireError's name and field."""
    try:
        await agent.refund(wants(**request))
    except WireError as error:
        return error.name, error.field
    return None
