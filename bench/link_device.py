"""Microseconds that an event, a change and a frame cost, by the number of their fields. Runs under both runtimes."""

import gc
import json
import time

from firmware_agent.events import Ring
from firmware_agent.wire import cbor, hdlc
from firmware_agent.wire.messages import FACTS, fact

FIELDS = (0, 1, 2, 4, 8, 12, 16)
TIMES, ROUNDS = 100, 9


class Clock:
    def uptime_ms(self):
        return 1234567


def _ns():
    if hasattr(time, "time_ns"):
        return time.time_ns() if not hasattr(time, "perf_counter_ns") else time.perf_counter_ns()
    return time.ticks_us() * 1000


def best(work, values):
    """Microseconds of one work(values): the quickest of some rounds, collections included in none."""
    spans = []
    for _ in range(ROUNDS):
        gc.collect()
        begun = _ns()
        for _ in range(TIMES):
            work(values)
        spans.append((_ns() - begun) / 1000 / TIMES)
    return min(spans)


def found():
    """{"event": [[fields, µs of a whole event]], "frame": the same of a whole frame of changes}."""
    names = FACTS.split()
    ring = Ring(Clock(), 1)

    def add(numbers):
        ring.add("refund", numbers)

    def frame(values):
        hdlc.pack(cbor.encode([1, 1000, 1234567, values]))

    spans = {"event": [], "frame": []}
    for count in FIELDS:
        numbers = {name: 4000 + at for at, name in enumerate(names[:count])}
        values = {fact(name): value for name, value in numbers.items()}
        spans["event"].append([count, best(add, numbers)])
        spans["frame"].append([count, best(frame, values)])
    return spans


def tell():
    """Prints it."""
    print(json.dumps(found()))
