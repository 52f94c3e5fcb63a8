"""Power port of a Linux host: what /sys/class/power_supply tells, and the sensors of /sys/class/hwmon."""

import errno
import glob
import os.path

from .kernel import number, read


def power(settings):
    """The Power port that is meant: {"supply", "ina": "ina226", "ina219" or None, "i2c", "address", "low_mv"}."""
    supplies = Power(settings.get("supply"))
    if not settings.get("ina"):
        return supplies
    from . import ina

    return {"ina226": ina.Ina226, "ina219": ina.Ina219}[settings["ina"]](settings, supplies)


class Power:
    """`supply`: name of the power supply whose voltage is meant, or "DEVICE/inN" of hwmon, by its number or its label; None:
    of none, for the voltage of a battery says nothing of the mains, nor that of a processor's core. `root`: for tests."""

    def __init__(self, supply=None, root="/sys/class/power_supply", hwmon="/sys/class/hwmon"):
        self._supply = supply
        self._root = root
        self._hwmon = hwmon

    def millivolts(self):
        """OSError: the supply that is meant cannot be read."""
        if self._supply is None:
            return None
        if "/" in self._supply:
            return min(60000, self._sensor())
        folder = "%s/%s" % (self._root, self._supply)
        microvolts = number(folder + "/voltage_now")
        if microvolts is None or microvolts < 0:
            why = errno.EIO if os.path.isdir(folder) else errno.ENODEV
            raise OSError(why, "the supply %s tells no voltage" % self._supply)
        return min(60000, microvolts // 1000)

    def _sensor(self):
        for name, millivolts in voltages(self._hwmon):
            if name == self._supply:
                return millivolts
        raise OSError(errno.ENODEV, "the sensor %s tells no voltage" % self._supply)

    def battery_percent(self):
        """Of the emptiest battery of the device itself."""
        seen = []
        for path in glob.glob(self._root + "/*/capacity"):
            folder = path[: -len("/capacity")]
            # scope Device is the battery of a mouse or scanner
            if read(folder + "/type") == "Battery" and read(folder + "/scope") != "Device":
                percent = number(path)
                if percent is not None and 0 <= percent <= 100:
                    seen.append(percent)
        return min(seen) if seen else None


def voltages(root="/sys/class/hwmon"):
    """[(name, millivolts)] of the sensors that hwmon has: "DEVICE/inN", and "DEVICE/LABEL" of one with a label."""
    found = []
    for path in sorted(glob.glob(root + "/hwmon*/in*_input")):
        folder, _, name = path.rpartition("/")
        millivolts = number(path)
        if millivolts is not None and millivolts >= 0:
            device = read(folder + "/name") or folder.rpartition("/")[2]
            label = read(path[: -len("input")] + "label")
            found.append(("%s/%s" % (device, name[: -len("_input")]), millivolts))
            if label:
                found.append(("%s/%s" % (device, label), millivolts))
    return found
