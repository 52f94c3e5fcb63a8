"""The till's or agent's power goes at any moment of a refund: after a boot and the same request there is exactly one.

`terminal.executed` is the truth of every test. HEAP: here two agents and two flashes stand side by side.
"""

import asyncio
import sys

from firmware_agent.wire.messages import APPROVED, STATES
from hal.said import PowerCut

from .bench import Paged
from .card_terminal import CardTerminal
from .till import bench, boot, state, wants

HEAP = "256k"
EVERY = 3 if sys.implementation.name == "micropython" else 1  # bytes: a life takes it a tenth of a second


async def until_stopped(terminal, agent, **request):
    """Ask for a refund and lose the till's power where the terminal was told to stop."""
    task = asyncio.create_task(agent.refund(wants(**request)))
    while not terminal.stopped:
        await asyncio.sleep(0)
    task.cancel()
    agent.conductor.task.cancel()
    terminal.stopped = False
    terminal.stops_at = None


async def settles(flash, terminal, executed, asked):
    """Boot three ways: the agent resolves it first, the till asks first, the terminal is silent at first."""
    for way in ("resolve", "ask", "silent"):
        twin = Paged(flash.size, flash.sector, flash.unit)
        for address in range(0, flash.size, twin.PAGE):
            twin.program(address, flash.read(address, twin.PAGE))
        other = CardTerminal()
        other.last, other.executed, other.asked = terminal.last, list(terminal.executed), terminal.asked
        agent = await boot(other, twin)
        if way == "resolve":
            assert await agent.conductor.resolve()
        elif way == "silent":
            other.misses = 4
            assert await state(agent) in ("NEW", "IN_DOUBT", "NOT_EXECUTED")
            other.misses = 0
        for _ in range(2):  # the first may say that it was not executed
            answer = await agent.refund(wants())
        assert answer["state"] == APPROVED and answer["final"], (way, answer)
        assert (await agent.refund(wants()))["earlier"]
        assert other.executed == executed and other.asked == asked, (way, other.executed, other.asked)
        assert not agent.history.open


async def test_a_cut_before_the_baseline_was_known_ends_in_one_refund():
    agent, terminal = await bench()
    terminal.stops_at = "receipt"
    await until_stopped(terminal, agent)
    assert STATES[agent.history.find("k1").state] == "REQUESTED"
    await settles(agent.journal.flash, terminal, [(1234, "EUR")], 1)


async def test_a_cut_after_it_was_sent_and_not_done_ends_in_one_refund():
    agent, terminal = await bench("cut")
    await until_stopped(terminal, agent)
    assert STATES[agent.history.find("k1").state] == "SENT"
    await settles(agent.journal.flash, terminal, [(1234, "EUR")], 2)


async def test_a_cut_after_it_was_done_and_before_the_answer_ends_in_one_refund():
    agent, terminal = await bench("done, then cut")
    await until_stopped(terminal, agent)
    assert STATES[agent.history.find("k1").state] == "SENT" and terminal.executed == [(1234, "EUR")]
    await settles(agent.journal.flash, terminal, [(1234, "EUR")], 1)


async def test_a_cut_while_it_is_asked_after_ends_in_one_refund():
    for fate, asked in (("done, then silent", 1), ("lost", 2), (0x6C, 1)):
        agent, terminal = await bench(fate)
        task = asyncio.create_task(agent.refund(wants()))
        while not terminal.asked:
            await asyncio.sleep(0)
        terminal.stops_at = "enquire"
        while not terminal.stopped:
            await asyncio.sleep(0)
        task.cancel()
        agent.conductor.task.cancel()
        found = STATES[agent.history.find("k1").state]
        assert found == ("SENT" if fate == 0x6C else "IN_DOUBT")
        if fate == 0x6C:  # the refusal was not journaled: it is asked after, found not executed, and asked for anew
            asked = 2
        await settles(agent.journal.flash, terminal, [(1234, "EUR")], asked)


# ---- the power goes in the midst of a flash operation ----
def cut_life(after, fate):
    """One refund with the flash cut after so many bytes, a boot, and the same request; None if nothing was cut."""
    terminal = CardTerminal()
    terminal.does(5000)
    terminal.plan = [fate]
    flash = Paged(2048 + 1024, 1024, 4)

    async def first():
        agent = await boot(terminal, flash)
        flash.cut_after = after
        await agent.refund(wants())
        if hasattr(agent.conductor.task, "exception"):  # CPython keeps it there, MicroPython lets it through
            agent.conductor.task.exception()

    async def second():
        flash.cut_after = None
        agent = await boot(terminal, flash)
        await agent.conductor.resolve()
        for _ in range(2):
            answer = await agent.refund(wants())
        assert answer["state"] == APPROVED, (after, answer)
        assert not agent.history.open

    try:
        asyncio.run(first())
        cut = flash.cut_after == 0
    except PowerCut:
        cut = True
    asyncio.new_event_loop()
    gone = flash.cut_after
    asyncio.run(second())
    asyncio.new_event_loop()
    assert terminal.executed == [(1234, "EUR")], (after, terminal.executed)
    return cut and gone == 0


def test_a_cut_after_any_byte_of_any_journal_write_ends_in_one_refund():
    for fate in ("accept", "lost", "done, then silent"):
        after = 0
        while cut_life(after, fate):
            after += EVERY
        assert after > 100, after  # as many bytes as a refund writes
