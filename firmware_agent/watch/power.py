"""Watches the supply: a window of samples, sags, and whether it is steady.

Hysteresis: one sample out of range makes the supply unstable; it is steady again only when every sample of a whole window
was in range by a margin.
"""

from array import array

_UNSEEN = 0xFFFF


class PowerWatch:
    """`settings`: {"low_mv", "high_mv", "margin_mv", "window", "every_ms"}: `window` samples, one each `every_ms`."""

    def __init__(self, power, settings, snapshot, events):
        self.power = power
        self.settings = settings
        self.every_ms = settings.get("every_ms", 50)
        self.window = array("H", [_UNSEEN] * settings.get("window", 60))
        self._count = 0
        self._steady = None
        self.snapshot = snapshot
        self.events = events
        snapshot.put("supply_low_mv", settings["low_mv"])
        snapshot.put("supply_high_mv", settings["high_mv"])
        snapshot.put("window_ms", self.every_ms * len(self.window))

    def sample(self):
        millivolts = self.power.millivolts()
        snapshot = self.snapshot
        snapshot.put("supply_mv", millivolts)
        if millivolts is None:
            self._steady = None
            snapshot.put("supply_ok", None)
            return
        low = self.settings["low_mv"]
        high = self.settings["high_mv"]
        margin = self.settings["margin_mv"]
        window = self.window
        window[self._count % len(window)] = min(millivolts, _UNSEEN - 1)
        self._count += 1
        lowest = min(window)
        highest = max(value for value in window if value != _UNSEEN)
        snapshot.put("supply_min_mv", lowest)
        snapshot.put("supply_max_mv", highest)
        snapshot.put("supply_sags", self._sags())
        if lowest < low or highest > high or (self._steady == 0 and (lowest < low + margin or highest > high - margin)):
            steady = 0
        elif self._count < 4:
            return  # too few samples to call it steady
        else:
            steady = 1
        snapshot.put("supply_ok", steady)
        if steady != self._steady:
            if steady == 0 or self._steady is not None:
                self.events.add(
                    "supply_stable" if steady else "supply_unstable",
                    {"supply_mv": millivolts, "supply_min_mv": lowest, "supply_max_mv": highest},
                )
            self._steady = steady

    def _sags(self):
        """How often the supply fell below the limit within the window."""
        window = self.window
        size = len(window)
        sags = 0
        below = False
        for index in range(self._count, self._count + size):
            value = window[index % size]
            if value < self.settings["low_mv"]:
                sags += not below
                below = True
            else:
                below = False
        return sags
