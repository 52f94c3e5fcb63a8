"""A scene: hardware, terminal, policy, history and request as a scenario file sets them (boards/scenario.py reads those), played
by a real agent on a clock that runs as fast as it can. Runs on both runtimes.

A scene is {"wall_s", "for_ms", "hardware", "terminal", "policy" (payload, hexadecimal), "history": [step, …], "request"}; every
key but the first two may be missing. Steps, each at its "wall_s": {"do": "sale" | "refund" | "attest" | "try" | "boot" | "fill" | "damage", …}
as `prepare` reads them; those with "at_ms" happen while the agent runs: "requests" | "reference" | "fact".
"""

import asyncio
from binascii import unhexlify

from firmware_agent import policy_store
from firmware_agent.agent import Agent
from firmware_agent.history import History, Refund
from firmware_agent.wire.messages import PREFLIGHT_ANSWER, REQUESTED, SENT, STATES, pack
from hal import none
from hal.said import Receipt
from hal.sim.flash import Flash
from hal.sim.terminal import Terminal

_BOOTS_MS = 1000
ABOUT = {"version": "0.1.0", "runtime": "scene", "runtime_version": "0", "board": "scene"}
SETTINGS = {"power": {"low_mv": 4600, "high_mv": 5500, "margin_mv": 50, "window": 60, "every_ms": 50}}


class Clock:
    def __init__(self, wall_s):
        self.now = _BOOTS_MS
        self.wall = wall_s

    def uptime_ms(self):
        return self.now

    def wall_s(self):
        return None if self.wall is None else self.wall + (self.now - _BOOTS_MS) // 1000


class Hardware:
    """Power, Network, Thermometer and Watchdog ports in one, over the scene's "hardware"."""

    def __init__(self, state, clock):
        self.state = state
        self.clock = clock

    def _now(self, name):
        value = self.state.get(name)
        if isinstance(value, list):  # a trace
            elapsed = self.clock.now - _BOOTS_MS
            value = [step[1] for step in value if step[0] <= elapsed][-1]
        return value

    def millivolts(self):
        return self._now("power")

    def battery_percent(self):
        return self._now("battery")

    def degrees(self):
        return self._now("temperature")

    async def probe(self):
        state = self._now("network")
        if state is None:
            return None
        get = state.get
        return get("link", 0), get("address", 0), get("host_ms", -1), get("dns", 0), get("tls"), get("signal")

    def reset_reason(self):
        return self._now("reset_reason")

    def feed(self):
        pass


class Ports:
    def __init__(self, scene, clock, flash):
        self.clock = clock
        self.power = self.network = self.thermometer = self.watchdog = Hardware(scene.get("hardware") or {}, clock)
        self.flash = flash
        self.policy_flash = none.Flash()
        self.link = none.Serial()
        self.light = none.Light()
        self.terminal = Terminal(scene.get("terminal") or {"silent": True})


def prepare(flash, steps, wall_s):
    """Journal the steps of a history in `flash`, each at its own time."""
    clock = Clock(wall_s)
    history = History(flash, clock)
    for step in steps:
        clock.wall = step["wall_s"]
        do = step["do"]
        if do == "sale":
            history.record_sale(Receipt(*step["receipt"]))
        elif do == "refund":
            refund = Refund(step["key"])
            history.record(refund, REQUESTED, step["facts"])
            state = STATES.index(step["state"])
            if state != REQUESTED:
                history.record(refund, SENT, {})
            if state not in (REQUESTED, SENT):
                history.record(refund, state, step.get("ends") or {})
        elif do == "attest":
            history.attest(*step["words"])
        elif do == "try":
            for _ in range(step["count"]):
                history.count_try(step["who"], False)
        elif do == "fill":
            for number in range(step["count"]):
                history.record_verdict("fill%d" % number, 1, [])
        elif do == "boot":
            history = History(flash, clock)
        elif do == "damage":  # a bit of a record that is no longer the last one
            address = history.journal.end - 20
            history.record_verdict("damage", 1, [])
            history.record_verdict("damage", 3, [])
            flash.damage(address)
    return clock


class Memory(Flash):
    """Flash in memory whose bits may turn over."""

    def __init__(self):
        super().__init__(None, 16384, 4096, 4)

    def damage(self, address):
        self._memory[address] ^= 0x10


async def play(scene):
    """The Agent after the scene was played, and the Verdict on its request."""
    flash = Memory()
    steps = scene.get("history") or ()
    prepare(flash, [step for step in steps if "at_ms" not in step], scene["wall_s"])
    clock = Clock(scene["wall_s"])
    agent = Agent(Ports(scene, clock, flash), SETTINGS, ABOUT)
    if scene.get("policy"):
        payload = unhexlify(scene["policy"])
        agent.policy = policy_store.parsed(lambda at, size: payload[at : at + size], 0, len(payload))
    elif "policy_state" in scene:
        agent.policy.state = scene["policy_state"]
    agent.device.sample()
    until = clock.now + scene["for_ms"]
    while clock.now <= until:
        turn = clock.now - _BOOTS_MS
        agent.power.sample()
        if not turn % 1000:
            agent.climate.sample()
            agent.line.sample()
            await agent.network.sample()
        if not turn % 5000:
            if await agent.watch.sample():
                try:
                    await agent.watch.look_at_receipt()
                except OSError:
                    pass
        clock.now += agent.power.every_ms
    clock.now = until
    for step in steps:
        if "at_ms" in step:
            _tell(agent, step)
    return agent, agent.check(scene.get("request"))


def _tell(agent, step):
    """What happened since the agent runs."""
    do = step["do"]
    if do == "requests":
        agent._asked.extend([agent.clock.uptime_ms() - 1000] * step["count"])
    elif do == "reference":
        agent.reference.told(agent.clock.wall_s() + step["ahead_s"])
    elif do == "fact":
        agent.snapshot.put(step["name"], step["value"])


def verdict(scene):
    """{key: value} of PREFLIGHT_ANSWER of a scene, with the causes that PASS."""
    _, found = asyncio.run(play(scene))
    return pack(PREFLIGHT_ANSWER, found.as_message(True))
