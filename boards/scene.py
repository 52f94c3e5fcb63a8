"""A scene: hardware, terminal, policy, history and request as a scenario file sets them, played by a real agent on a clock
that runs as fast as it can. boards/scenario.py reads such files. Runs on both runtimes.

A scene is {"wall_s", "for_ms", "hardware", "terminal", "policy" (payload, hexadecimal), "policy_state", "history": [step, …],
"request"}; every key but the first two may be missing. The agent runs for `for_ms`; then it is `wall_s`, and the request is
made. What hardware and terminal say may be a trace [[from_ms, value], …]. Steps, each at its "wall_s": {"do": "sale" |
"refund" | "attest" | "try" | "crashes" | "boot" | "filled" | "damage", …} as `prepare` reads them; those with "at_ms" happen
just before the request: "requests" | "reference" | "fact".
"""

import asyncio
import gc
import sys
from binascii import unhexlify

from firmware_agent import starts
from firmware_agent.agent import Agent
from firmware_agent.history import History, Refund
from firmware_agent.wire.bodies import CRASHES, REASONS
from firmware_agent.wire.messages import NOT_EXECUTED, PREFLIGHT_ANSWER, REQUESTED, SENT, STATES, pack
from hal import none
from hal.said import Receipt
from hal.sim.flash import Flash
from hal.sim.terminal import Terminal

_BOOTS_MS = 1000
ABOUT = {"version": "0.1.0", "runtime": "scene", "runtime_version": "0", "board": "scene"}
SETTINGS = {"power": {"low_mv": 4600, "high_mv": 5500, "margin_mv": 50, "window": 60, "every_ms": 50}}


def at(value, elapsed_ms):
    """A value, or what its trace [[from_ms, value], …] says at a time."""
    if isinstance(value, list):
        value = [step[1] for step in value if step[0] <= elapsed_ms][-1]
    return value


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
        return at(self.state.get(name), self.clock.now - _BOOTS_MS)

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
        self._told = scene.get("terminal") or {"silent": True}
        self.terminal = Terminal({})
        self.turn(0)

    def turn(self, elapsed_ms):
        """The terminal says what it says at this time."""
        for name, value in self._told.items():
            self.terminal.state[name] = at(value, elapsed_ms)
        self.terminal.currencies = self._told.get("currencies", self.terminal.currencies)


def prepare(flash, steps, wall_s):
    """Journal the steps of a history in `flash`, each at its own time."""
    clock = Clock(steps[0]["wall_s"] if steps else wall_s)
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
        elif do == "crashes":
            history.count(CRASHES, step["count"])
        elif do == "filled":  # refunds of a sale that nobody asks for
            for number in range(step["count"]):
                refund = Refund("filled-%d" % number)
                history.record(refund, REQUESTED, {"receipt": 9998, "amount": 100, "currency": "EUR"})
                history.record(refund, NOT_EXECUTED, {})
        elif do == "boot":
            history = History(flash, clock)
        elif do == "damage":  # a bit of a record that nothing hangs on
            history.record_verdict("damage", 1, [])
            address = history.journal.end - 20
            history.record_verdict("damage", 3, [])
            _spoil(flash, address)


def _spoil(flash, address):
    """Clear a bit of the unit at an address, as flash may lose one."""
    address = address // flash.unit * flash.unit
    cells = bytearray(flash.read(address, flash.unit))
    for at in range(len(cells)):
        if cells[at]:
            cells[at] &= cells[at] - 1
            break
    flash.program(address, bytes(cells))


_CELLS = bytearray(16384)  # of the journal, one scene at a time: a small heap has one piece of this size, and not twice


def _erased():
    for address in range(0, len(_CELLS), 64):
        _CELLS[address : address + 64] = b"\xff" * 64
    return Flash(None, len(_CELLS), 4096, 4, memory=_CELLS)


async def play(scene):
    """The Agent after the scene was played, and the Verdict on its request."""
    flash = _erased()
    steps = scene.get("history") or ()
    prepare(flash, [step for step in steps if "at_ms" not in step], scene["wall_s"])
    wall_s = scene["wall_s"]
    clock = Clock(None if wall_s is None else wall_s - scene["for_ms"] // 1000)
    ports = Ports(scene, clock, flash)
    reason = REASONS.split().index(starts.told(ports.watchdog))
    agent = Agent(ports, SETTINGS, ABOUT, reason)
    if scene.get("policy"):
        from firmware_agent import policy_store  # as the agent does: loaded for this, and let go

        payload = unhexlify(scene["policy"])
        agent.policy = policy_store.parsed(lambda at, size: payload[at : at + size], 0, len(payload))
        policy_store.let_go()
    elif "policy_state" in scene:
        agent.policy.state = scene["policy_state"]
    until = clock.now + scene["for_ms"]
    while clock.now <= until:
        turn = clock.now - _BOOTS_MS
        agent.power.sample()
        if not turn % 1000:
            agent.climate.sample()
            agent.line.sample()
            await agent.network.sample()
        if not turn % 5000:
            ports.turn(turn)
            if await agent.watch.sample():
                try:
                    await agent.watch.look_at_receipt()
                except OSError:
                    pass
        clock.now += agent.power.every_ms
    clock.now = until
    agent.device.sample()
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
        agent.reference.told((agent.clock.wall_s() or 0) + step["ahead_s"])
    elif do == "fact":
        agent.snapshot.put(step["name"], step["value"])


def verdict(scene):
    """{key: value} of PREFLIGHT_ANSWER of a scene, with the causes that PASS."""
    if sys.implementation.name == "micropython":
        gc.threshold(16384)  # a small heap must not fall to pieces
    answer = _answer(scene)
    if sys.implementation.name == "micropython":
        gc.collect()  # all that was played, in one go
    return answer


def _answer(scene):
    _, found = asyncio.run(play(scene))
    return pack(PREFLIGHT_ANSWER, found.as_message(True))
