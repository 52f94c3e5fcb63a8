"""Power port of a Linux host over an INA226 or INA219 on I²C, by /dev/i2c-N and plain ioctl.

An INA226 converts each 140 µs and remembers in its alert that the supply was below the limit, however briefly (Texas
Instruments SBOS547A, 7.6). An INA219 has no such memory (SBOS448G, 8.6). The bus: Linux, Documentation/i2c/dev-interface.rst.
"""

import errno
import fcntl
import os
import time

_I2C_SLAVE = 0x0703
_CONFIG, _BUS, _MASK, _LIMIT = 0, 2, 6, 7
_DIE = 0xFF
_INA226 = 0x2260
_UV = 1250  # of one step of an INA226; one of an INA219 is 4 mV
_FASTEST = 0x4007  # no average, 140 µs a value, shunt and bus in turn: the bus every 280 µs
_LATCHED = 0x1000 | 0x0001  # alert when the bus is under the limit, until it is read
_FELL = 0x0010
_OVERFLOW = 0x0001  # of an INA219
_AGAIN_S = 1.0  # between tries to open: the supply is sampled twenty times a second


class System:
    """What is asked of Linux; a test has one of its own."""

    open, close, read, write = os.open, os.close, os.read, os.write
    ioctl = fcntl.ioctl


class _Chip:
    """`settings`: {"i2c": path of the bus, "address", "low_mv"}; `battery`: Power port whose battery is told. A part that is
    not there is an OSError of each reading, and is looked for again: it may be switched on later than we."""

    def __init__(self, settings, battery=None, system=System):
        self._path = settings["i2c"]
        self._address = settings["address"]
        self._low = settings["low_mv"]
        self._system = system
        self._battery = battery
        self._fd = None
        self._again = 0

    def _open(self):
        if self._fd is not None:
            return
        if time.monotonic() < self._again:
            raise OSError(errno.ENODEV, "nothing answered on %s" % self._path)
        self._again = time.monotonic() + _AGAIN_S
        fd = self._system.open(self._path, os.O_RDWR | os.O_CLOEXEC)
        try:
            self._system.ioctl(fd, _I2C_SLAVE, self._address)  # EBUSY: a driver of the kernel has it
            self._fd = fd
            self._set()
        except OSError:
            self._fd = None
            self._system.close(fd)
            raise

    def _set(self):
        self._get(_CONFIG)

    def _get(self, register):
        self._system.write(self._fd, bytes([register]))
        data = self._system.read(self._fd, 2)
        if len(data) != 2:
            raise OSError(errno.EIO, "half a register came over I2C")
        return int.from_bytes(data, "big")

    def _put(self, register, value):
        self._system.write(self._fd, bytes([register, value >> 8, value & 0xFF]))

    def _read(self, what):
        self._open()
        try:
            return what()
        except OSError:
            self.close()
            raise

    def close(self):
        fd, self._fd = self._fd, None
        if fd is not None:
            self._system.close(fd)

    def battery_percent(self):
        return self._battery.battery_percent() if self._battery else None


class Ina226(_Chip):
    def _set(self):
        if self._get(_DIE) & 0xFFF0 != _INA226:
            raise OSError(errno.ENODEV, "what answers on %s is no INA226" % self._path)
        self._put(_CONFIG, _FASTEST)
        self._put(_LIMIT, self._low * 1000 // _UV)
        self._put(_MASK, _LATCHED)

    def _now(self):
        if self._get(_CONFIG) != _FASTEST:
            self._set()  # it lost its supply meanwhile, and its settings with it
        return self._get(_BUS) * _UV // 1000

    def _window(self):
        now = self._now()
        if self._get(_MASK) & _FELL:  # reading it forgets it
            return now, min(now, self._low - 1), now, 1, None
        return now, now, now, 0, 0

    def millivolts(self):
        return self._read(self._now)

    def window(self):
        return self._read(self._window)


class Ina219(_Chip):
    def _now(self):
        value = self._get(_BUS)
        if value & _OVERFLOW:
            raise OSError(errno.ERANGE, "the INA219 is out of its range")
        return (value >> 3) * 4

    def millivolts(self):
        return self._read(self._now)
