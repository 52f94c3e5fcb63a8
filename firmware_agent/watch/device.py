"""Watches the board itself: why it booted, how often it crashed, how worn its flash is."""

from ..journal import Full
from ..wire.bodies import BITES, CRASHES

_WEEK_S = 604800
_WATCHDOG = 4  # its place in REASONS; behind it are what ends an agent by its own fault


class DeviceWatch:
    """`history`: counts what must outlive a boot. `reason`: of this boot, its place in REASONS. `endurance`: erases that a
    sector of the journal's flash stands; None where that cannot be told, as on a disk that spreads its wear."""

    every_ms = 60000

    def __init__(self, history, reason, snapshot, events, clock, endurance=100000):
        self.history = history
        self.snapshot = snapshot
        self.clock = clock
        self.endurance = endurance
        self.reason = reason
        snapshot.put("reset_reason", reason)

    def boot(self):
        """Once, at the start: count this boot if it followed a crash."""
        try:
            if self.reason >= _WATCHDOG:
                counter = BITES if self.reason == _WATCHDOG else CRASHES
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
        crashes = get(BITES, 0) + get(CRASHES, 0)
        if not crashes and not self.reason:
            crashes = None  # nobody would have told
        worn = None
        if self.endurance:
            worn = max(0, history.journal.newest) // history.journal.sectors * 100 // self.endurance
        for name, value in (("reboots", reboots), ("crashes", crashes), ("wear_percent", worn)):
            self.snapshot.put(name, value)
