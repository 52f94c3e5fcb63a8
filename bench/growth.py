"""What a record costs when the journal holds a thousand, ten thousand and a hundred thousand of them."""

import itertools
import os
import time
import tracemalloc
from statistics import median

from firmware_agent.history import History
from hal.linux.flash import Flash

from .refunds import Clock, bodies, refund

COUNTS = (1_000, 10_000, 100_000)
SIZE = 16 << 20  # takes them all


class Lazy(Flash):
    """Syncs when told: filling it is not what is measured."""

    syncs = False

    def sync(self):
        if self.syncs:
            super().sync()


class Costs:
    """What the journal costs now: `computing` and `whole`, µs of an append without and with its sync; `search`, ms to find
    that a key is new; `opening`, ms at a start; `ram`, bytes that an opened one takes."""

    def __init__(self, flash, journal, records):
        flash.syncs = False
        self.computing = _append(journal, records)
        flash.syncs = True
        self.whole = _append(journal, records)
        flash.syncs = False
        self.opening = _best(lambda: History(flash, Clock()), 2)
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        history = History(flash, Clock())
        self.ram = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.stop()
        self.search = _best(lambda: history.find("a key that nobody used"), 5)


def _append(journal, records):
    """µs. Whatever else the machine does only adds to it: the best of ten rounds' medians."""
    rounds = []
    for _ in range(10):
        spans = []
        for _, body in itertools.islice(records, 40):
            begin = time.perf_counter_ns()
            journal.append(body)
            spans.append((time.perf_counter_ns() - begin) / 1000)
        rounds.append(median(spans))
    return min(rounds)


def _best(work, tries):
    """ms."""
    spans = []
    for _ in range(tries):
        begin = time.perf_counter()
        work()
        spans.append((time.perf_counter() - begin) * 1000)
    return min(spans)


def growing(folder):
    """Yields (records in the journal, Costs) at each of COUNTS."""
    flash = Lazy(folder / "large", SIZE)
    records = itertools.cycle(bodies(9000))
    for count in COUNTS:
        journal = History(flash, Clock()).journal  # anew: `Costs` started some, and a start writes a record
        while journal.sequence < count:
            journal.append(next(records)[1])
        os.fdatasync(flash._fd)
        yield count, Costs(flash, journal, records)
    flash.close()


def turning(folder):
    """(records written, Costs) of a ring of 64 KB that has turned 50 times."""
    flash = Lazy(folder / "small", 65536)
    history = History(flash, Clock())
    number = 0
    while history.journal.newest < 50 * history.journal.sectors:
        refund(history, number)
        number += 1
    written = history.journal.sequence
    costs = Costs(flash, history.journal, itertools.cycle(bodies(9000)))
    flash.close()
    return written, costs
