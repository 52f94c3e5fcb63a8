"""Virtual time: an event loop whose clock jumps to the next timer as soon as nothing is ready, and hal.ticks counting by it.

Timers of minutes keep their real values, and a test of them takes milliseconds. Nothing outside the loop may be waited for:
no sockets, no threads.
"""

import asyncio
import contextlib
import selectors

import hal.ticks

LONGEST_S = 20_000  # of virtual time in one run: what goes on for longer will never end


class Stuck(Exception):
    """Every task waits for something that never comes, or it takes longer than LONGEST_S."""


class _Jumps(selectors.SelectSelector):
    def __init__(self):
        super().__init__()
        self.now = 0.0

    def select(self, timeout=None):
        if timeout is None or self.now > LONGEST_S:
            raise Stuck("after %.1f s" % self.now)
        self.now += max(0.0, timeout)
        return []


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self):
        self._jumps = _Jumps()
        super().__init__(self._jumps)

    def time(self):
        return self._jumps.now

    def spend(self, seconds):
        """What runs now takes so long, and lets nothing else run."""
        self._jumps.now += seconds


async def end(tasks):
    """Cancel these until they have ended: a wait that has just come true swallows a cancel."""
    while tasks:
        for task in tasks:
            task.cancel()
        _, tasks = await asyncio.wait(tasks, timeout=0.001)


@contextlib.contextmanager
def loop():
    """An event loop at 0 s, to be run piece by piece; in the end whatever it left behind is cancelled."""
    loop = _Loop()
    real = hal.ticks.ticks_ms
    hal.ticks.ticks_ms = lambda: int(loop.time() * 1000 + 0.001)  # timers add up seconds in floats
    try:
        yield loop
    finally:
        try:
            loop.run_until_complete(end(asyncio.all_tasks(loop)))
        finally:
            hal.ticks.ticks_ms = real
            loop.close()


def run(coroutine):
    """The result of a coroutine that begins at 0 s; whatever it left behind is cancelled."""
    with loop() as its:
        return its.run_until_complete(coroutine)
