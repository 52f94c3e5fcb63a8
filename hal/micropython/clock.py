"""Clock port of a board: uptime from its ticks, the time of day from its RTC once somebody has set that."""

import time

from machine import RTC

from ..uptime import Clock as Uptime

_NEVER = 2024  # an RTC that nobody set begins in 2000, 2015 or 2021, as its port likes
_EPOCH = 946684800 if time.gmtime(0)[0] == 2000 else 0  # boards count from 2000, some from 1970


class Clock(Uptime):
    """`now`: instead of time.time."""

    def __init__(self, now=time.time):
        super().__init__()
        self._now = now

    def wall_s(self):
        seconds = int(self._now())
        return None if time.gmtime(seconds)[0] < _NEVER else seconds + _EPOCH

    def set(self, wall_s):
        """It is `wall_s`, Unix seconds, as a time server says. A clock without a battery forgets it with the supply."""
        year, month, day, hour, minute, second, weekday = time.gmtime(wall_s - _EPOCH)[:7]
        RTC().datetime((year, month, day, weekday, hour, minute, second, 0))
