"""An agent's own link over a line of 115200 baud, without a line: waiting takes no time, computing takes what it takes, and
both count."""

import asyncio
import contextlib
import selectors
import time

import cbor2

from boards import scene
from firmware_agent.agent import Agent
from firmware_agent.wire import messages, smp, tool_messages
from hal.sim.flash import Flash
from host_tools.link_reader import Reader

BAUD = 115200
BYTE_S = 10 / BAUD
SALE = {"receipt": 231, "amount": 1234, "currency": "EUR"}


class _Jumps(selectors.SelectSelector):
    jumped = 0.0

    def select(self, timeout=None):
        self.jumped += max(0.0, timeout or 0.0)
        return []


class Loop(asyncio.SelectorEventLoop):
    """Its time is what was computed and what was waited for."""

    def __init__(self):
        self._jumps = _Jumps()
        super().__init__(self._jumps)

    def time(self):
        return time.perf_counter() + self._jumps.jumped


class Clock:
    def __init__(self, loop):
        self._loop = loop
        self._begun = loop.time()

    def uptime_ms(self):
        return int((self._loop.time() - self._begun) * 1000)

    def wall_s(self):
        return 1795348800


class Line:
    """Serial port of the agent. What it writes takes its time on the line; it may write while one frame is on its way, as a
    port with a buffer lets it. carried: bytes to the laptop."""

    def __init__(self, loop):
        self._loop = loop
        self._free = 0.0
        self._in = b""
        self._come = asyncio.Event()
        self.reader = Reader()
        self.answered = asyncio.Event()
        self.carried = 0

    def say(self, data):
        """The laptop's bytes, through the line."""
        self._loop.call_later(len(data) * BYTE_S, self._take, data)

    def _take(self, data):
        self._in += data
        self._come.set()

    async def read(self, timeout_ms):
        if not self._in and timeout_ms:
            self._come.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._come.wait(), timeout_ms / 1000)
        data, self._in = self._in, b""
        return data

    async def write(self, data):
        ahead = self._free - self._loop.time()
        if ahead > 0:
            await asyncio.sleep(ahead)
        self._free = max(self._free, self._loop.time()) + len(data) * BYTE_S
        self._loop.call_at(self._free, self._through, data)

    def _through(self, data):
        self.carried += len(data)
        self.reader.feed(data)
        if self.reader.messages:
            self.answered.set()


class Bench:
    """An agent that has looked at its hardware, and a laptop at the other end of its line."""

    def __init__(self, loop):
        self.loop = loop
        self.line = Line(loop)
        state = {
            "power": 5000,
            "temperature": 24,
            "network": {"link": 1, "address": 1, "host_ms": 38, "dns": 1, "tls": 1},
        }
        terminal = {"version": "2.14", "currencies": {"EUR": 978}}
        ports = scene.Ports(
            {"hardware": state, "terminal": terminal}, scene.Clock(1795348800), Flash(None, 65536, 4096, 4)
        )
        ports.link = self.line
        self.agent = Agent(ports, scene.SETTINGS, scene.ABOUT)
        self.agent.clock = self.agent.events.clock = self.agent.snapshot.clock = Clock(loop)
        self._sequence = 0

    async def begin(self):
        self.agent.power.sample()
        await self.agent.network.sample()
        self.task = asyncio.create_task(self.agent.link.run())
        self.looks = asyncio.create_task(self._look())
        await asyncio.sleep(0.01)

    async def _look(self):
        while True:
            await self.agent.watch.sample()
            await asyncio.sleep(1)

    async def ask(self, command, values=None):
        """(answer's body, seconds from the first byte written to the last one read)."""
        row = messages.declared(command)
        self._sequence = self._sequence + 1 & 0xFF
        header = smp.Header(row[1], messages.GROUP, command, self._sequence)
        body = cbor2.dumps(messages.pack(row[2], values or {}))
        self.line.answered.clear()
        begun = self.loop.time()
        self.line.say(smp.frame(smp.pack(header, body)))
        await self.line.answered.wait()
        message, _ = self.line.reader.messages.popleft()
        return messages.unpack(row[3], cbor2.loads(message[8:])), self.loop.time() - begun

    async def happen(self, a_second):
        """So many events a second, for ever."""
        begun, happened = self.loop.time(), 0
        while True:
            for _ in range(int((self.loop.time() - begun) * a_second) - happened):
                self.agent.events.add("refund", {"amount": 123456, "state": 3})
                happened += 1
            await asyncio.sleep(0.005)


def run(work):
    """What a coroutine function returns of a Bench that has begun."""

    async def begun():
        bench = Bench(loop)
        await bench.begin()
        try:
            return await work(bench)
        finally:
            bench.task.cancel()
            bench.looks.cancel()

    loop = Loop()
    try:
        return loop.run_until_complete(begun())
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


async def saturated(bench, seconds=20):
    """(bytes of the stream's frames, and of the events in them, as share of what the line carries in that time; events that
    happened, were read, were told as dropped)."""
    await bench.ask(tool_messages.SUBSCRIBE, {"lease_s": 600, "credit": 65535})
    flood = asyncio.create_task(bench.happen(10 * 300))
    await asyncio.sleep(1)
    line, before = bench.line, bench.line.carried
    line.reader.bodies.clear()
    begun, last = bench.loop.time(), bench.agent.events.last
    await asyncio.sleep(seconds)
    took = bench.loop.time() - begun
    flood.cancel()
    read = dropped = payload = 0
    for body in line.reader.bodies:
        kind, _, *told = cbor2.loads(body)
        if kind == tool_messages.EVENTS:
            dropped += told[0]
            read += len(told[1])
            payload += len(cbor2.dumps(told[1]))
    capacity = took / BYTE_S
    return (line.carried - before) / capacity, payload / capacity, bench.agent.events.last - last, read, dropped


async def preflights(bench, flooded, times=30):
    """Seconds of each of some pre-flights, without a stream or in a flood of ten times the line."""
    if flooded:
        await bench.ask(tool_messages.SUBSCRIBE, {"lease_s": 600, "credit": 65535})
        flood = asyncio.create_task(bench.happen(10 * 300))
        await asyncio.sleep(1)
    spans = []
    for _ in range(times):
        spans.append((await bench.ask(messages.PREFLIGHT, SALE))[1])
        await asyncio.sleep(0.05)
    if flooded:
        flood.cancel()
    return spans


async def pull(bench, seconds=20):
    """(bytes on the line to the laptop while events are pulled by cursor, as share of what it carries; of events alone)."""
    for number in range(24):
        bench.agent.events.add(
            "verdict", {"verdict": 3, "receipt": 231, "amount": 1234, "cause": 4, "supply_sags": number}
        )
    before, begun, events = bench.line.carried, bench.loop.time(), 0
    while bench.loop.time() < begun + seconds:
        answer, _ = await bench.ask(messages.EVENTS_SINCE, {"cursor": 0, "max_bytes": 2048})
        events += len(cbor2.dumps([messages.pack(messages.EVENT, event) for event in answer["events"]]))
    capacity = (bench.loop.time() - begun) / BYTE_S
    return (bench.line.carried - before) / capacity, events / capacity
