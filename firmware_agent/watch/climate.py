"""Watches how warm it is. Hysteresis: bad beyond a limit, good again two degrees within both."""

_MARGIN = 2


class ClimateWatch:
    """`settings`: {"low_c": 0, "high_c": 50, "every_ms": 10000}."""

    def __init__(self, thermometer, settings, snapshot, events):
        self.thermometer = thermometer
        self.every_ms = settings.get("every_ms", 10000)
        self.low = settings.get("low_c", 0)
        self.high = settings.get("high_c", 50)
        self.snapshot = snapshot
        self.events = events
        self._bad = False
        self._last = None

    def sample(self):
        try:
            degrees = self.thermometer.degrees()
        except OSError:
            degrees = None
        # where the board has none of its own, the terminal may tell of one
        if degrees is not None or self._last is not None or "temperature_c" not in self.snapshot.values:
            self.snapshot.put("temperature_c", degrees)
        self._last = degrees
        if degrees is None:
            return
        margin = _MARGIN if self._bad else 0
        bad = not self.low + margin <= degrees <= self.high - margin
        if bad != self._bad:
            self._bad = bad
            self.events.add("temperature_bad" if bad else "temperature_good", {"temperature_c": degrees})
