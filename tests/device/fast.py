"""A loop in virtual time, on both runtimes: when everybody waits, the time of the next who wakes is now."""

import asyncio
import sys

from hal import ticks


def play(coroutine):
    """The result of a coroutine, played in no time. What it leaves behind is let go."""
    if sys.implementation.name == "micropython":
        return _play(coroutine)
    from .. import virtual_time

    return virtual_time.run(coroutine)


class _Jumps:
    """Stands where MicroPython's loop waits for files and for time."""

    map = {}

    def __init__(self, now):
        self.now = now

    def wait_io_event(self, ms):
        if ms > 0:
            self.now = ticks.ticks_add(self.now, ms)

    def ticks_ms(self):
        return self.now


def _play(coroutine):
    core = sys.modules["asyncio"].core
    real = core.ticks, ticks.ticks_ms
    asyncio.new_event_loop()
    core._io_queue = jumps = _Jumps(core.ticks())
    core.ticks = ticks.ticks_ms = jumps.ticks_ms
    try:
        return asyncio.run(coroutine)
    finally:
        core.ticks, ticks.ticks_ms = real
        asyncio.new_event_loop()
