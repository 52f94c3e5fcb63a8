"""Power port of a Linux host: what its power supplies tell in /sys/class/power_supply."""

import glob


class Power:
    """`supply`: name of the one whose voltage is meant; None: of none, for that of a battery says nothing of the mains.
    `root`: for tests."""

    def __init__(self, supply=None, root="/sys/class/power_supply"):
        self._supply = supply
        self._root = root

    def millivolts(self):
        """OSError: the supply that is meant cannot be read."""
        if self._supply is None:
            return None
        with open("%s/%s/voltage_now" % (self._root, self._supply)) as file:
            text = file.read().strip()
        if not text.isdigit():
            raise OSError(5, "the supply %s tells no voltage" % self._supply)
        return min(60000, int(text) // 1000)

    def battery_percent(self):
        """Of the emptiest battery of the device itself."""
        seen = []
        for path in glob.glob(self._root + "/*/capacity"):
            folder = path[: -len("/capacity")]
            # scope Device is the battery of a mouse or scanner
            if _read(folder + "/type") == "Battery" and _read(folder + "/scope") != "Device":
                text = _read(path)
                if text.isdigit() and int(text) <= 100:
                    seen.append(int(text))
        return min(seen) if seen else None


def _read(path):
    try:
        with open(path) as file:
            return file.read().strip()
    except (OSError, UnicodeError):
        return ""
