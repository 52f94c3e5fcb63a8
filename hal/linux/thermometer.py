"""Thermometer port of a Linux host: the sensors of its thermal zones and of hwmon.

No sensor measures the air. All sit on parts that heat themselves, so the coolest of them is the nearest to how warm it is,
and the only one that cannot call a busy processor a hot shop.
"""

import errno
import glob

from .kernel import number, read

_PLAUSIBLE = (-55, 150)  # degrees that such sensors can measure; one that fails reads -273, or far more, or exactly 0


class Thermometer:
    """`sensor`: type of a thermal zone or name of an hwmon device that is meant; None: the coolest. `root`: for tests."""

    def __init__(self, sensor=None, root="/sys/class"):
        self._sensor = sensor
        self._root = root

    def degrees(self):
        """OSError: the sensor that is meant is not there, or cannot be read."""
        seen = []
        for pattern, name in (
            ("/thermal/thermal_zone*/temp", "type"),
            ("/hwmon/hwmon*/temp*_input", "name"),
            ("/hwmon/hwmon*/device/temp*_input", "name"),
        ):
            for path in glob.glob(self._root + pattern):
                if self._sensor is None or read(path.rpartition("/")[0] + "/" + name) == self._sensor:
                    seen.append((number(path) or 0) / 1000)
        seen = [round(degrees) for degrees in seen if degrees and _PLAUSIBLE[0] <= degrees <= _PLAUSIBLE[1]]
        if not seen and self._sensor is not None:
            raise OSError(errno.ENODEV, "no thermometer %s can be read" % self._sensor)
        return min(seen) if seen else None
