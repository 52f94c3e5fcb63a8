"""Watches the serial line to the terminal: how many frames went over it in the last ten minutes, and how many went wrong.

Hysteresis: bad from three errors on, when they are more than so many percent; good again at half of it.
"""

from array import array

_SLOTS = 10
_SLOT_MS = 60000
_FEW = 3  # errors: fewer say nothing of a cable


class LineWatch:
    """`settings`: {"line_every_ms": 10000, "max_errors": 5 (percent)}."""

    def __init__(self, terminal, settings, snapshot, events):
        self.terminal = terminal
        self.every_ms = settings.get("line_every_ms", 10000)
        self.limit = settings.get("max_errors", 5)
        self.snapshot = snapshot
        self.events = events
        self._before = array("I", [0] * (2 * _SLOTS))  # what was counted when each slot began, frames and errors
        self._slot = 0
        self._since = snapshot.clock.uptime_ms()
        self._bad = False

    def sample(self):
        snapshot = self.snapshot
        counters = self.terminal.counters()
        now = snapshot.clock.uptime_ms()
        before = self._before
        frames = errors = None
        if counters is not None:
            # each slot that began since the last sample begins with what is counted now
            for _ in range(min(_SLOTS, (now - self._since) // _SLOT_MS)):
                before[self._slot], before[self._slot + 1] = counters
                self._slot = (self._slot + 2) % (2 * _SLOTS)
            self._since += (now - self._since) // _SLOT_MS * _SLOT_MS
            # the slot that is overwritten next is the oldest
            frames = counters[0] - before[self._slot]
            errors = counters[1] - before[self._slot + 1]
            limit = self.limit * frames // (2 if self._bad else 1)
            bad = errors * 100 > limit and (self._bad or errors >= _FEW)
            if bad != self._bad:
                self._bad = bad
                self.events.add("line_bad" if bad else "line_good", {"line_frames": frames, "line_errors": errors})
        snapshot.put("line_frames", frames)
        snapshot.put("line_errors", errors)
