"""An hour of a busy shop, in no time: sales and refunds at a till behind the gate, refunds asked for over the link, the
stream, and every second all sixty checks. The agent's heap is then what it was when it had warmed up.

HEAP: the till, the terminal and their lines stand beside the agent.
"""

import asyncio
import gc
import os
import sys

from firmware_agent.agent import Agent
from firmware_agent.wire import cbor, smp
from firmware_agent.wire.messages import GROUP, PREFLIGHT, READ, REFUND, STATUS, WRITE
from firmware_agent.wire.tool_messages import SUBSCRIBE
from hal.sim.flash import Flash
from hal.terminals.zvt import apdu
from hal.terminals.zvt.gate import Gate
from hal.terminals.zvt.terminal import Terminal

from .bench import ABOUT, SETTINGS, Ports
from .fast import play
from .gate_world import REAL, Clock, Shop, line

HEAP = "320k"

MICROPYTHON = sys.implementation.name == "micropython"
WARM_S = 600
HOUR_S = 3600 if MICROPYTHON else 960  # without a heap to look at, only what falls shows
FLASH = "hour.flash"


class Rows:
    """The terminal's store: it counts all and keeps the last ones, for the world must not grow here."""

    def __init__(self):
        self._last = []
        self._count = 0

    def append(self, row):
        self._count += 1
        self._last = (self._last + [row])[-8:]

    def __len__(self):
        return self._count

    def __iter__(self):
        return iter(self._last)

    def __getitem__(self, at):
        return self._last[at]


class Till(Terminal):
    async def sale(self, amount):
        return self.outcome_of(await self._talk(apdu.pack(0x0601, b"\x04" + apdu.bcd(amount, 6)), 0), amount)


def used():
    gc.collect()
    return gc.mem_alloc() if MICROPYTHON else 0


class Hour:
    """frames: of the stream; answers: over the link; sales, refunds: approved at the till."""

    def __init__(self):
        self.frames = self.answers = self.sales = self.refunds = self.held = self.peak = 0
        self.link, self.agents_link = line("laptop", "agent", False)
        self.shop = Shop(False, REAL)
        self.shop.terminal.rows = Rows()
        self.until = None

    async def begin(self):
        shop = self.shop
        shop.terminal.start()
        gate = Gate(shop.till_side, shop.terminal_side, True, REAL, b"key of the tests")
        ports = Ports(gate.driver, Flash(FLASH if MICROPYTHON else None, 65536, 4096, 4))
        ports.clock, ports.gate, ports.link = Clock(shop.begun), gate, self.agents_link
        settings = {}
        settings.update(SETTINGS)
        settings["power"] = {}
        settings["power"].update(SETTINGS["power"])
        settings["power"]["every_ms"] = 1000
        self.agent = Agent(ports, settings, ABOUT)
        self.running = asyncio.create_task(self.agent.run())
        self.till = Till(shop.line(), REAL)
        self.tasks = [asyncio.create_task(task()) for task in (self._reads, self._laptop, self._sells)]

    async def _reads(self):
        """What the agent's link says, counted and forgotten."""
        while True:
            data = await self.link.read(1000)
            self.frames += data.count(b"~") // 2
            self.answers += data.count(b"\x06\x09")

    async def _ask(self, op, command, body):
        message = smp.pack(smp.Header(op, GROUP, command, 1, 1), cbor.encode(body))
        await self.link.write(smp.frame(message))
        await asyncio.sleep(2)

    async def _laptop(self):
        number = 0
        stream = None
        while True:
            number += 1
            body = {0: 60, 1: 2000}
            if stream:
                body[6] = stream
            await self._ask(WRITE, SUBSCRIBE, body)
            stream = self.agent.link.stream.id
            await self._ask(READ, STATUS, {})
            await self._ask(READ, PREFLIGHT, {1: 1, 2: 100, 3: "EUR", 8: True})
            # of a sale that a till made: once it goes, afterwards it is held
            receipt = max(1, len(self.shop.terminal.rows) - 2)
            await self._ask(WRITE, REFUND, {0: "hour-%d" % number, 1: receipt, 2: 10, 3: "EUR"})
            await asyncio.sleep(20)

    async def _sells(self):
        number = 0
        await asyncio.sleep(2)
        while not await self.till.register():
            await asyncio.sleep(1)
        while True:
            number += 1
            amount = 1000 + number
            try:
                if (await self.till.sale(amount)).accepted:
                    self.sales += 1
                await asyncio.sleep(5)
                if number % 2:
                    outcome = await self.till.refund(amount, "EUR")
                    self.refunds += outcome.accepted
                    self.held += not outcome.accepted
            except OSError:
                pass  # busy for the agent; a till tries again
            await asyncio.sleep(15)
            for end in self.shop.ends() + (self.link, self.agents_link):
                end.said = b""
            del self.shop.terminal.heard[:]

    async def play(self):
        idle = used()
        await self.begin()
        built = used()
        await asyncio.sleep(WARM_S)
        print("the world without an agent", idle, "bytes, with it", built)
        first = self.counts()
        warm = used()
        seen = []  # the least of each ten minutes: now and then something is under way
        for _ in range(6):
            least = 1 << 30
            for _ in range(20):
                await asyncio.sleep(HOUR_S // 120)
                least = min(least, used())
            seen.append(least)
        print("in use after ten minutes", warm, "and in the hour behind them", seen)
        print("agent's highest use after a collection", self.agent.health.heap_peak)
        print("in the hour:", [b - a for a, b in zip(first, self.counts())])
        assert self.agent.health.faults == 0
        running = self.tasks + [self.running]
        for task in running:
            task.cancel()
        return warm, seen, [b - a for a, b in zip(first, self.counts())]

    def counts(self):
        return self.frames, self.answers, self.sales, self.refunds, self.held, self.agent.clock.uptime_ms() // 1000


def test_an_hour_of_a_busy_shop_leaves_the_heap_as_it_was():
    if MICROPYTHON:
        gc.threshold(32768)  # the agent's 4096 would play it in a minute and a half
    try:
        warm, seen, counts = play(Hour().play())
    finally:
        if MICROPYTHON:
            os.remove(FLASH)
    frames, answers, sales, refunds, _held, seconds = counts
    assert seconds >= HOUR_S and min(frames // 300, answers // 100, sales // 30, refunds // 15) > 0, counts
    assert max(seen[1:]) - seen[0] < 1024, (warm, seen)
