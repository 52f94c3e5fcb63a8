"""Watches the board itself: why it booted, how often it crashed, how worn its flash is."""

from ..journal import Full

_COUNTED = ("crash", 2, "watchdog", 3)  # reset reasons, and the journal's counters of them
_WEEK_S = 604800


class DeviceWatch:
    """`history`: counts what must outlive a boot. `endurance`: erases that a sector of the journal's flash stands; None where
    that cannot be told, as on a disk that spreads its wear."""

    every_ms = 60000

    def __init__(self, history, watchdog, snapshot, events, clock, endurance=100000):
        self.history = history
        self.watchdog = watchdog
        self.snapshot = snapshot
        self.clock = clock
        self.endurance = endurance
        self.reason = None

    def boot(self):
        """Once, at the start: count this boot if it followed a crash."""
        try:
            self.reason = self.watchdog.reset_reason()
            if self.reason in _COUNTED:
                counter = _COUNTED[_COUNTED.index(self.reason) + 1]
                self.history.count(counter, self.history.counters.get(counter, 0) + 1)
        except (Full, OSError):
            pass  # a journal that cannot be written holds refunds by itself

    def sample(self):
        history = self.history
        now = self.clock.wall_s()
        reboots = None
        if now is not None:
            reboots = 0
            for at in getattr(history, "boots", ()):
                if at is not None and -_WEEK_S <= at - now <= _WEEK_S:  # the clock may have been put back since
                    reboots += 1
        get = history.counters.get
        crashes = get(2, 0) + get(3, 0)
        if not crashes and self.reason is None:
            crashes = None  # nobody would have told
        worn = None
        if self.endurance:
            worn = max(0, history.journal.newest) // history.journal.sectors * 100 // self.endurance
        for name, value in (("reboots", reboots), ("crashes", crashes), ("wear_percent", worn)):
            self.snapshot.put(name, value)
