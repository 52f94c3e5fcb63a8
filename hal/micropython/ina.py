"""Power port over an INA226 or INA219 on I²C, which measures the supply itself: no divider, and no reference of the board.

An INA226 converts each 140 µs and remembers in its alert that the supply was below the limit, however briefly (Texas
Instruments SBOS547A, 7.6). An INA219 has no such memory: it tells what it saw last (SBOS448G, 8.6)."""

from struct import pack, unpack

from machine import I2C, Pin

_CONFIG, _BUS, _MASK, _LIMIT = 0, 2, 6, 7
_DIE = 0xFF
_INA226 = 0x2260
_UV = 1250  # of one step of an INA226; one of an INA219 is 4 mV
_FASTEST = 0x4007  # no average, 140 µs a value, shunt and bus in turn, again and again: the bus every 280 µs
_LATCHED = 0x1000 | 0x0001  # alert when the bus is under the limit, until it is read
_FELL = 0x0010
_OVERFLOW = 0x0001  # of an INA219


class _Chip:
    def __init__(self, wiring):
        pins = {}
        if "sda" in wiring:  # an STM32 has them by the number
            pins["sda"] = Pin(wiring["sda"])
            pins["scl"] = Pin(wiring["scl"])
        self._i2c = I2C(wiring["i2c"], freq=400000, **pins)
        self._address = wiring.get("address", 0x40)

    def _get(self, register):
        return unpack(">H", self._i2c.readfrom_mem(self._address, register, 2))[0]

    def _put(self, register, value):
        self._i2c.writeto_mem(self._address, register, pack(">H", value))

    def battery_percent(self):
        return None


class Ina226(_Chip):
    """`wiring`: {"i2c": id, "sda", "scl", "address"}; `limits`: {"low_mv"}. OSError: it does not answer, or is another
    part."""

    def __init__(self, wiring, limits):
        super().__init__(wiring)
        self._low = limits["low_mv"]
        self._set()

    def _set(self):
        if self._get(_DIE) & 0xFFF0 != _INA226:
            raise OSError(19, "what answers on I2C is no INA226")
        self._put(_CONFIG, _FASTEST)
        self._put(_LIMIT, self._low * 1000 // _UV)
        self._put(_MASK, _LATCHED)

    def millivolts(self):
        if self._get(_CONFIG) != _FASTEST:
            self._set()  # it lost its supply meanwhile, and its settings with it
        return self._get(_BUS) * _UV // 1000

    def window(self):
        now = self.millivolts()
        if self._get(_MASK) & _FELL:  # reading it forgets it
            return now, min(now, self._low - 1), now, 1, None
        return now, now, now, 0, 0


class Ina219(_Chip):
    """As Ina226, but for the limits: it does not watch them."""

    def __init__(self, wiring, limits):
        super().__init__(wiring)
        self._get(_CONFIG)

    def millivolts(self):
        value = self._get(_BUS)
        if value & _OVERFLOW:
            raise OSError(5, "the INA219 is out of its range")
        return (value >> 3) * 4
