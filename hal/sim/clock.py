"""Clock port: uptime from the host's ticks, wall clock from the host or as the simulated hardware says."""

import time

from ..uptime import Clock as Uptime

# MicroPython on boards counts from 2000, the unix build and CPython from 1970.
_EPOCH = 946684800 if time.gmtime(0)[0] == 2000 else 0


class Clock(Uptime):
    def __init__(self, hardware):
        super().__init__()
        self.hardware = hardware

    @property
    def own_time(self):
        """True in a scene, which has a time of its own: other clocks say nothing about it."""
        return bool(self.hardware.get("own_time")[0])

    def wall_s(self):
        wall, elapsed = self.hardware.get("wall_s")
        if wall == "host":
            return int(time.time()) + _EPOCH
        return None if wall is None else wall + elapsed // 1000
