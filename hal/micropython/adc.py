"""Power port over a pin of the converter: a divider of two resistors, a thousand samples a second, taken by a timer.

The timer's callback runs beside the loop, in an interrupt where the port has it (`hard`), so it takes nothing from the
heap: it counts in whole numbers of the converter, in two rows of an array, one of which the loop reads meanwhile.

A sag is told apart from noise by a second look: a reading below the limit is taken again at once, and only the higher
of the two counts. What lasts two milliseconds is there at two samples, noise of the converter rarely twice in a row.
"""

from array import array

from machine import ADC, Pin, Timer

_PER_S = 1000  # so that a sample is a millisecond
_FULL = 65535  # of read_u16
_SHIFT = 6  # of read_uv: 3.3 V is 51562, and the sum of a window stays a small int
_MOST = 16000  # samples of a window, for its sum: a loop that asks less often than every 16 s loses the rest
_COUNT, _SUM, _LOWEST, _HIGHEST, _SAGS, _LONGEST = range(6)


class Power:
    """`wiring`: {"pin", "divider": (ohms to the supply, ohms to ground), "adc_mv": what the converter reads in full,
    "timer": id, "hard": whether its callback may run in an interrupt, "trim": thousandths that a meter reads for 1000
    of ours}. `limits`: {"low_mv": below it is a sag, "margin_mv": by so much above it the sag has ended}."""

    def __init__(self, wiring, limits):
        upper, lower = wiring["divider"]
        pin = Pin(wiring["pin"])
        try:
            self._adc = ADC(pin, atten=ADC.ATTN_11DB)  # of an ESP32: the range that adc_mv speaks of
            self._value = self._adc.read_uv  # pyright: ignore[reportAttributeAccessIssue]  not on other chips
            self._shift = _SHIFT
            ours, supply = 1000 * lower, (1 << _SHIFT) * (upper + lower)
        except (AttributeError, TypeError, ValueError):
            self._adc = ADC(pin)
            self._value, self._shift = self._adc.read_u16, 0
            ours, supply = _FULL * lower, wiring["adc_mv"] * (upper + lower)
        self._supply = (
            supply * wiring.get("trim", 1000),
            ours * 1000,
        )  # a reading times the first by the second: millivolts
        self._low = self._reading(limits["low_mv"])
        self._well = self._reading(limits["low_mv"] + limits["margin_mv"])
        self._rows = [array("i", [0] * 6), array("i", [0] * 6)]
        for row in self._rows:
            _clear(row)
        self._row = self._rows[0]
        self._sagging = 0  # samples, of the sag that lasts
        self._timer = Timer(wiring["timer"])
        # a bound method is an object: made here, not in the interrupt
        call = self._sample
        try:
            self._timer.init(freq=_PER_S, mode=Timer.PERIODIC, callback=call, hard=wiring["hard"])
        except (TypeError, ValueError):  # this firmware has no timers in interrupts
            self._timer.init(freq=_PER_S, mode=Timer.PERIODIC, callback=call)

    def _reading(self, millivolts):
        return millivolts * self._supply[1] // self._supply[0]

    def _millivolts(self, reading):
        return min(60000, reading * self._supply[0] // self._supply[1])

    def _sample(self, timer):
        value = self._value() >> self._shift
        if value < self._low:
            again = self._value() >> self._shift
            if again > value:
                value = again
        row = self._row
        if row[_COUNT] >= _MOST:
            return
        row[_COUNT] += 1
        row[_SUM] += value
        if value < row[_LOWEST]:
            row[_LOWEST] = value
        if value > row[_HIGHEST]:
            row[_HIGHEST] = value
        long = self._sagging
        if value < self._low:
            if not long:
                row[_SAGS] += 1
        elif value >= self._well:
            self._sagging = 0
            return
        if long or value < self._low:
            if long < _MOST:
                long += 1
            self._sagging = long
            if long > row[_LONGEST]:
                row[_LONGEST] = long

    def window(self):
        row = self._row
        self._row = self._rows[0] if row is self._rows[1] else self._rows[1]
        count = row[_COUNT]
        seen = None
        if count:
            seen = (
                self._millivolts(row[_SUM] // count),
                self._millivolts(row[_LOWEST]),
                self._millivolts(row[_HIGHEST]),
                row[_SAGS],
                row[_LONGEST],
            )
        _clear(row)
        return seen

    def millivolts(self):
        return self._millivolts(self._value() >> self._shift)

    def battery_percent(self):
        return None

    def close(self):
        self._timer.deinit()


def _clear(row):
    row[_COUNT] = row[_SUM] = row[_HIGHEST] = row[_SAGS] = row[_LONGEST] = 0
    row[_LOWEST] = _FULL
