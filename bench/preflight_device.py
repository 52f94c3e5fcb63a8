"""One pre-flight after the other, under both runtimes; what it takes of MicroPython's time and heap."""

import asyncio
import gc
import json
import time

from boards import scene
from firmware_agent.case import Case
from firmware_agent.history import History, Refund
from firmware_agent.preflight import check
from firmware_agent.wire.messages import APPROVED, REQUESTED, SENT
from hal.said import Receipt
from hal.sim.flash import Flash

A_DAY = 10  # refunds: so what a journal of 1 MiB can hold is what a shop has to keep
AMOUNT = 5  # minor units: with ten thousand of these no limit of the shop is reached
_LAST = 10000


class InFile(Flash):
    """Erases piece by piece, as a board's flash takes no heap for it."""

    def erase(self, address):
        for at in range(address, address + self.sector, 64):
            self._store(at, b"\xff" * 64)


class Shop:
    """The agent of a scene, and a journal of its own in `flash`, to be asked for a pre-flight as often as one likes."""

    def __init__(self, told, flash):
        scene.prepare(flash, [step for step in told["history"] if "at_ms" not in step], told["wall_s"])
        self.agent, _ = asyncio.run(scene.play(told))
        self.request = told["request"]
        self.wall_s = told["wall_s"]
        self.refunds = 0
        self.start(flash)

    def start(self, flash):
        """As after a restart, with the journal that is in `flash`."""
        self.clock = scene.Clock(self.wall_s)
        self.agent.history = self.history = History(flash, self.clock)

    def case(self):
        agent = self.agent
        self.history._asked = None  # a new request: its sale was not asked for yet
        return Case(self.request, agent.snapshot, agent.policy, self.history, self.wall_s, agent.terminal)

    def decide(self, _=None):
        return check(self.case())

    def fill(self, refunds):
        """Journal refunds, each with its sale, until there are so many. None is of the sale that is asked for."""
        history = self.history
        while self.refunds < refunds:
            self.refunds = number = self.refunds + 1
            self.clock.wall = self.wall_s - (_LAST - number) * (86400 // A_DAY)
            receipt = 1000 + number % 8000
            history.record_sale(Receipt(receipt, number, 25000, 978, 1101, 120000, 0, False, "1111"))
            made = Refund("till 1, 2026-11-22, %06d" % number)
            history.record(
                made, REQUESTED, {"receipt": receipt, "amount": AMOUNT, "currency": "EUR", "operator": "anna"}
            )
            history.record(made, SENT, {"before": [receipt, number, 4711, 978, 1122, 120000, 0, False]})
            history.record(made, APPROVED, {"its_receipt": receipt + 1, "its_trace": number + 1, "code": 0})
        self.clock.wall = self.wall_s


def uncollected(path, journal):
    """Prints the bytes of heap that a pre-flight takes if nothing is collected; that needs a larger heap than a board's."""
    shop = _shop(path, journal)
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    shop.decide()
    print(gc.mem_alloc() - before)


def measure(path, journal, counts):
    """Prints one JSON document: {"us": [µs of a pre-flight, collections as they come], "kept": bytes of heap that are taken
    still after a hundred of them and a collection, "growth": [[refunds, [µs]], …]}."""
    shop = _shop(path, journal)
    found = {"kept": 0, "us": _rounds(shop), "growth": []}
    before = _taken_after(shop, 1)
    found["kept"] = _taken_after(shop, 100) - before
    for count in counts:
        shop.fill(count)
        if not shop.decide().goes:
            raise ValueError("the refund does not go")
        found["growth"].append((count, _rounds(shop)))
    print(json.dumps(found))


def _shop(path, journal):
    """The Shop of a scene (JSON), with a journal in a file to be made for a ring of 64 KB; warm."""
    with open(path) as file:
        told = json.load(file)
    shop = Shop(told, InFile(journal, 65536, 4096, 4))
    for _ in range(3):
        shop.decide()
    return shop


def _taken_after(shop, count):
    """Bytes of heap that are taken after so many pre-flights and a collection."""
    for _ in range(count):
        shop.decide()
    gc.collect()
    return gc.mem_alloc()


def _rounds(shop):
    spans = []
    for _ in range(15):
        begin = time.ticks_us()
        for _ in range(10):
            shop.decide()
        spans.append(time.ticks_diff(time.ticks_us(), begin) / 10)
    return spans
