"""A minute of the demonstration's hardware at a real agent: well, then a supply that sags again and again, then mended."""

import asyncio

from boards import scene
from firmware_agent.agent import Agent
from hal.sim.flash import Flash

SAGS = [[0, 5000], [200, 4100], [400, 5000], [900, 4100], [1100, 5000], [1500, 4100], [1700, 5000]]  # act two
SAGS_AT, MENDED_AT = 15_000, 20_000
SALE = {"receipt": 231, "amount": 1234, "currency": "EUR"}
# What a technician looks at while supply, network and terminal are in question.
FIELDS = ["supply_mv", "supply_min_mv", "supply_max_mv", "supply_sags", "supply_ok", "supply_ripple_mv"]
FIELDS += ["network_ok", "network_host_ms", "terminal_code", "terminal_receipt", "temperature_c", "requests"]


def minute():
    """[(uptime_ms, {name: value} of FIELDS)], each second, before it and behind it: 61."""
    return asyncio.run(_minute())


async def _minute():
    trace = [[0, 5000]]
    for begin in range(SAGS_AT, MENDED_AT, 2000):
        trace += [[begin + at, mv] for at, mv in SAGS]
    network = {"link": 1, "address": 1, "host_ms": 38, "dns": 1, "tls": 1, "signal": 80}
    state = {"power": [*trace, [MENDED_AT, 5000]], "temperature": 24, "network": network, "reset_reason": "power_on"}
    terminal = {"version": "2.14", "currencies": {"EUR": 978}}
    clock = scene.Clock(1795348800)
    ports = scene.Ports({"hardware": state, "terminal": terminal}, clock, Flash(None, 65536, 4096, 4))
    agent = Agent(ports, scene.SETTINGS, scene.ABOUT)
    told = []
    begun = clock.now
    while clock.now <= begun + 60_000:
        at = clock.now - begun
        agent.power.sample()
        if at % 2000 == 0:
            await agent.network.sample()
        if at % 10_000 == 0:
            agent.climate.sample()
            await agent.watch.sample()
        if at in (5000, 16_000, 18_000, 30_000):  # the pre-flights of act one and two
            agent._asked.append(clock.now)
            agent.snapshot.put("terminal_receipt", 231 + at // 20_000)
            agent.check(SALE)
        if at % 1000 == 0:
            told.append((clock.now, {name: agent.snapshot.values.get(name) for name in FIELDS}))
        clock.now += agent.power.every_ms
    return told
