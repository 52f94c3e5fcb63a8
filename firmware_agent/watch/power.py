"""Watches the supply: a window of samples, sags, whether it is steady, and how far it fell over the years.

Hysteresis: one sample out of range makes the supply unstable; it is steady again only when every sample of a whole window
was in range by a margin.

Ageing: once a minute the mean of a steady window goes into a mean over hours. The first whole hour of a new device is
journaled, and every later mean is held against it.
"""

from array import array

from ..journal import Full
from ..wire.bodies import SUPPLY_NEW

_UNSEEN = 0xFFFF
_MINUTE_MS = 60000
_HOUR = 60  # minutes of steady supply until the mean counts as that of a new device
_SOON = 10  # minutes until the mean of this boot is held against it
_LONG = 256  # minutes that the mean reaches back: four hours


class PowerWatch:
    """`settings`: {"low_mv", "high_mv", "margin_mv", "window", "every_ms"}: `window` samples, one each `every_ms`.
    `history`: keeps what the supply was when it was new; None: nobody does, and nothing is said of ageing."""

    def __init__(self, power, settings, snapshot, events, history=None):
        self.power = power
        self.settings = settings
        self.every_ms = settings.get("every_ms", 50)
        self.window = array("H", [_UNSEEN] * settings.get("window", 60))
        self._fine = getattr(power, "window", None)  # of a driver that samples faster than we ask
        self._lows = self._highs = self._fallen = self.window
        if self._fine:
            self._lows, self._highs = array("H", self.window), array("H", [0] * len(self.window))
            self._fallen = bytearray(len(self.window))  # sags
        self._count = 0
        self._steady = None
        self._battery = None
        self._turn = 0
        self._mean = self._minutes = self._minute = 0  # mean in 256th of a millivolt; minutes in it; uptime of the last
        self.snapshot = snapshot
        self.events = events
        self.history = history
        snapshot.put("supply_low_mv", settings["low_mv"])
        snapshot.put("supply_high_mv", settings["high_mv"])
        snapshot.put("window_ms", self.every_ms * len(self.window))

    def _read(self, what):
        try:
            return what()
        except OSError:
            return None

    def sample(self):
        snapshot = self.snapshot
        window = self.window
        if not self._turn % len(window):
            self._sample_battery()
        self._turn += 1
        seen = self._read(self._fine) if self._fine else None
        millivolts = seen[0] if seen else self._read(self.power.millivolts)
        snapshot.put("supply_mv", millivolts)
        if millivolts is None:
            self._steady = None
            snapshot.put("supply_ok", None)
            return
        low = self.settings["low_mv"]
        high = self.settings["high_mv"]
        margin = self.settings["margin_mv"]
        at = self._count % len(window)
        window[at] = min(millivolts, _UNSEEN - 1)
        if self._fine:
            self._lows[at], self._highs[at] = seen[1:3] if seen else (window[at], window[at])
            self._fallen[at] = min(255, seen[3]) if seen else 0
        self._count += 1
        lowest = min(self._lows)
        highest = max(value for value in self._highs if value != _UNSEEN)
        snapshot.put("supply_min_mv", lowest)
        snapshot.put("supply_max_mv", highest)
        snapshot.put("supply_ripple_mv", highest - lowest)
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
        now = snapshot.clock.uptime_ms()
        history = self.history
        if history and self._count >= len(window) and now - self._minute >= _MINUTE_MS:
            self._minute = now
            self._age(history, steady)

    def _sample_battery(self):
        percent = self._read(self.power.battery_percent)
        # where the board has none of its own, the terminal may tell of one
        if percent is not None or self._battery is not None or "battery_percent" not in self.snapshot.values:
            self.snapshot.put("battery_percent", percent)
        self._battery = percent

    def _age(self, history, steady):
        """One more minute of the supply."""
        new = history.counters.get(SUPPLY_NEW)
        if not steady:
            if new is None:
                self._minutes = 0  # the hour begins anew
            return
        self._minutes += 1
        mean = sum(self.window) * 256 // len(self.window)
        self._mean += (mean - self._mean) // min(self._minutes, _LONG)
        mean = self._mean // 256
        if new is None and self._minutes >= _HOUR:
            try:
                history.count(SUPPLY_NEW, mean)
            except (Full, OSError):
                pass  # the next minute tries again
        if new is not None and self._minutes >= _SOON:
            self.snapshot.put("supply_drift_mv", new - mean)

    def _sags(self):
        """How often the supply fell below the limit within the window."""
        if self._fine:
            return sum(self._fallen)
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
