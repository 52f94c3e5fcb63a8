"""Clock port without a time of day: uptime from the runtime's own ticks."""

from .ticks import ticks_diff, ticks_ms


class Clock:
    def __init__(self):
        self.last = ticks_ms()
        self._uptime = 0

    def uptime_ms(self):
        now = ticks_ms()
        self._uptime += ticks_diff(now, self.last)
        self.last = now
        return self._uptime

    def wall_s(self) -> int | None:
        return None
