"""MicroPython's `machine`, `esp32` and `pyb` as three ports have them, over simulated parts that misbehave as the real
ones do. `bench` is the board that all of them are parts of; `install()` puts the modules where drivers import them.

Sources: MicroPython's library reference, and of its sources
ports/rp2/{modmachine,machine_adc,machine_uart,machine_timer,rp2_flash}.c,
ports/esp32/{modmachine,machine_adc,machine_timer,esp32_partition}.c, ports/stm32/{modmachine,storage,machine_uart}.c.
"""

import io
import sys

from .chance import Chance

PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET = 1, 2, 3, 4
SOFT_RESET = 5  # 0 on an STM32: see reset_cause
RAN_OUT = 0x6AB73121  # pico-sdk: in scratch register 4 while a watchdog that was enabled runs


class Bitten(BaseException):
    """The watchdog reset the board."""


class Registers(dict):
    """machine.mem32: {address: 32 bits}; what nobody set is 0. Any write to an RP2040's UARTECR clears it (datasheet
    4.2.8)."""

    def __getitem__(self, address):
        return self.get(address, 0)


class Bench:
    """`port`: "rp2", "esp32" or "stm32". `supply`: function of microseconds that gives the millivolts of the supply,
    which the pin gets through `divider`; `us`: now."""

    def __init__(self):
        self.begin("rp2")

    def begin(self, port, seed=1):
        self.port = port
        self.us = 0
        self.supply = lambda us: 5000
        self.divider = (10000, 10000)
        self.top_mv = 2450  # what an ESP32 tells; its successor S3 3100
        self.chance = Chance(seed)
        self.cause = PWRON_RESET
        mem32.clear()
        self.timers = []
        self.pins = {}
        self.chips = {}  # part by its I2C address
        self.fed = None  # when, once the watchdog runs
        self.timeout = 0
        self.interrupts = True
        self.core_mv = 706  # of an RP2040's temperature sensor
        self.celsius = 30
        self.rtc = None  # what was set
        self.reading = None  # of the converter, always the same

    def advance(self, us):
        """Time passes; timers fire where interrupts are on, and late where they were off; the watchdog bites."""
        end = self.us + us
        while self.interrupts:
            due = None
            for timer in self.timers:
                if timer.due <= end and (due is None or timer.due < due.due):
                    due = timer
            if due is None:
                break
            self.us = max(self.us, due.due)
            due.due += due.period
            due.callback(due)
        self.us = max(self.us, end)
        if self.fed is not None and self.us - self.fed > self.timeout * 1000:
            raise Bitten()

    def noise(self, steps):
        """A whole number around 0, nearly normal: the sum of four dice."""
        below = self.chance.below
        width = 2 * steps + 1
        return below(width) + below(width) + below(width) + below(width) - 4 * steps


mem32 = Registers()
bench = Bench()


def reset_cause():
    """An RP2040 knows two: machine.reset() is a watchdog's too, and a soft reset or a brown-out changes nothing. An
    ESP32 calls a brown-out a power-on and a panic a hard reset. An STM32 counts a soft reset as 0."""
    if bench.port == "rp2" and bench.cause not in (PWRON_RESET, WDT_RESET):
        raise AssertionError("this port has no such cause")
    return 0 if bench.port == "stm32" and bench.cause == SOFT_RESET else bench.cause


def disable_irq():
    before, bench.interrupts = bench.interrupts, False
    return before


def enable_irq(state):
    bench.interrupts = state


class Pin:
    IN, OUT = 0, 1

    def __init__(self, name, mode=IN, value=None):
        if isinstance(name, str) and bench.port == "esp32":
            raise ValueError("invalid pin")
        self.name = name
        self.mode = mode
        self.state = value or 0
        bench.pins[name] = self

    def value(self, value=None):
        if value is None:
            return self.state
        assert self.mode == self.OUT and value in (0, 1)
        self.state = value


class ADC:
    """Twelve bits, stretched to 16 by read_u16, off by some steps each time; a conversion takes time. An RP2040 is off
    by eight more at four of its values (RP2040-E11), and has one converter: whoever changes its input within a
    conversion gets another pin's value. An ESP32 needs attenuation, bends above 2.45 V, and read_uv knows by how
    much."""

    CORE_TEMP = 4
    ATTN_11DB = 3

    def __init__(self, pin, atten=None):
        if (atten is not None) != (bench.port == "esp32"):
            raise TypeError("extra keyword arguments given")
        self.core = pin == self.CORE_TEMP
        self.full = bench.top_mv + 150 if bench.port == "esp32" else 3300
        self.steps = {"rp2": 2, "esp32": 3, "stm32": 1}[bench.port]
        if bench.port == "esp32":
            self.read_uv = self._read_uv

    def _raw(self):
        if self.core:
            assert not bench.interrupts or not bench.timers, "an interrupt may turn the converter to another input"
            return bench.core_mv * 4096 // self.full
        bench.us += 2
        upper, lower = bench.divider
        raw = int(bench.supply(bench.us) * lower * 4096 / ((upper + lower) * self.full)) + bench.noise(self.steps)
        if bench.port == "rp2" and raw in (512, 1536, 2560, 3584):
            raw += 8
        return max(0, min(4095, raw))

    def read_u16(self):
        if bench.reading is not None:
            return bench.reading
        raw = self._raw()
        return raw << 4 | raw >> 8

    def _read_uv(self):
        return min(bench.top_mv * 1000, self._raw() * self.full // 4096 * 1000)


class Timer:
    """Hard where the port can. Without a hard callback the port's scheduler drops what does not fit."""

    PERIODIC = 1

    def __init__(self, number):
        if (number == -1) != (bench.port != "esp32"):
            raise ValueError("Timer doesn't exist")

    def init(self, freq=0, mode=PERIODIC, callback=None, hard=False):
        if hard and bench.port == "esp32":
            raise ValueError("hard Timers are not implemented")
        self.period = 1000000 // freq
        self.due = bench.us + self.period
        self.callback = callback
        bench.timers.append(self)

    def deinit(self):
        bench.timers.remove(self)


class WDT:
    """Once started nothing stops it. An RP2040's counts 8,388 ms at most."""

    def __init__(self, timeout):
        if timeout > (8388 if bench.port == "rp2" else 32768):
            raise ValueError("timeout exceeds 8388")
        bench.timeout = timeout
        bench.fed = bench.us
        if bench.port == "rp2":
            mem32[0x40058000] |= 1 << 30  # datasheet 4.7.6: ENABLE

    def feed(self):
        bench.fed = bench.us


class RTC:
    def datetime(self, parts):
        bench.rtc = parts


_IOBase = getattr(io, "IOBase", object) if sys.implementation.name == "micropython" else object


class UART(_IOBase):
    """What comes goes through a queue of 32 bytes in the part into a ring of `rxbuf`, which keeps one place free; while
    the ring is full the queue is not emptied, and what then does not fit is lost: an RP2040 sets OE in its error
    register. Where nothing is there readinto gives None. An RP2040 takes pairs of pins of the UART's own, an STM32 no
    pins at all, nor a buffer for sending: what it is given it sends at once, and nobody else works meanwhile."""

    QUEUE = 32

    def __init__(self, number, **settings):
        if bench.port == "stm32":
            for name in ("tx", "rx", "txbuf"):
                if name in settings:
                    raise TypeError("extra keyword arguments given")
        elif bench.port == "rp2":
            if (settings["tx"].name - 4 * number) % 8 not in (0, 4) or settings["tx"].name & 3:
                raise ValueError("bad TX pin")
        if settings["rxbuf"] > 32766:
            raise ValueError("invalid rxbuf")
        self.number = number
        self.settings = settings
        self.ring = b""
        self.queue = b""
        self.sent = b""
        self.unsent = 0  # bytes that wait
        self.open = True
        self.blocked = 0  # bytes that were sent while nobody else could work, at most

    def feed(self, data):
        """`data` came on the line."""
        for at in range(len(data)):
            byte = data[at : at + 1]
            if len(self.ring) < self.settings["rxbuf"] - 1:
                self.ring += byte
            elif len(self.queue) < self.QUEUE:
                self.queue += byte
            elif bench.port == "rp2":
                mem32[(0x40034004, 0x40038004)[self.number]] = 8

    def any(self):
        assert self.open
        return len(self.ring)

    def readinto(self, buffer, size):
        if not self.ring:
            return None
        count = min(size, len(self.ring))
        buffer[:count] = self.ring[:count]
        self.ring = self.ring[count:]
        late, self.queue = self.queue, b""
        self.feed(late)
        return count

    def write(self, data):
        room = self.settings.get("txbuf", 0)
        if not room:
            self.blocked = max(self.blocked, len(data))
            room = len(data)
        data = data[: max(0, room - self.unsent)]
        if not data:
            return None
        self.unsent += len(data) if self.settings.get("txbuf") else 0
        self.sent += bytes(data)
        return len(data)

    def drain(self):
        self.unsent = 0

    def ioctl(self, request, flags):
        if request == 3:  # MP_STREAM_POLL
            return flags & ((1 if self.ring else 0) | 4)
        return -1  # it has no number of an open file

    def deinit(self):
        self.open = False


class I2C:
    """A bus without the part at that address is an OSError, ENODEV on an RP2040 and EIO elsewhere."""

    def __init__(self, number, freq=400000, sda=None, scl=None):
        if bench.port == "stm32" and sda is not None:
            raise ValueError("explicit choice of scl/sda is not implemented")

    def _part(self, address):
        if address not in bench.chips:
            raise OSError(5 if bench.port == "rp2" else 19)
        return bench.chips[address]

    def readfrom_mem(self, address, register, size):
        return self._part(address).get(register).to_bytes(size, "big")

    def writeto_mem(self, address, register, data):
        self._part(address).put(register, int.from_bytes(data, "big"))


class Ina226:
    """Texas Instruments SBOS547A: 1.25 mV a step; its alert stays until the mask register is read, where it is told to.
    Without its supply it forgets its settings."""

    def __init__(self):
        self.millivolts = 5000
        self.reset()

    def reset(self):
        self.registers = {0: 0x4127, 6: 0, 7: 0, 0xFF: 0x2260}
        self.fell = False

    def supply(self, millivolts):
        self.millivolts = millivolts
        if self.registers[6] & 0x1000 and millivolts * 1000 // 1250 < self.registers[7]:
            self.fell = True

    def get(self, register):
        if register == 2:
            return self.millivolts * 1000 // 1250
        value = self.registers[register]
        if register == 6:
            value |= 0x10 if self.fell else 0
            self.fell = False
        return value

    def put(self, register, value):
        self.registers[register] = value


class Ina219:
    """SBOS448G: 4 mV a step, in the upper 13 bits; bit 0 says that it overflowed."""

    overflow = False
    millivolts = 5000

    def get(self, register):
        if register == 2:
            return self.millivolts // 4 << 3 | 2 | self.overflow
        return 0x399F

    def put(self, register, value):
        raise AssertionError("nothing is set")


class Partition:
    """A part of an ESP32's flash by its label; find gives a list."""

    TYPE_DATA = 1
    there = {}

    @staticmethod
    def find(kind, label=None):
        return [Partition.there[label]] if label in Partition.there else []


class ADCAll:
    def __init__(self, bits, mask):
        assert mask == 0x70000, "without it every pin of the converter becomes an input"

    def read_core_temp(self):
        return float(bench.celsius)


class _Esp32:
    Partition = Partition


class _Pyb:
    """`device`: what Flash(start=, len=) is a part of."""

    device = None
    ADCAll = ADCAll

    def Flash(self, start=-1, len=-1):
        return self.device.part(start, len)


_esp32 = _Esp32()
_pyb = _Pyb()


def install(sensor=True):
    """The same modules each time: a driver that was loaded before keeps what it found. `sensor`: whether the ESP32 has a
    thermometer: the first has none."""
    sys.modules["machine"] = sys.modules[__name__]
    sys.modules["esp32"] = _esp32
    sys.modules["pyb"] = _pyb
    if sensor:
        _esp32.mcu_temperature = lambda: bench.celsius
    elif hasattr(_esp32, "mcu_temperature"):
        del _esp32.mcu_temperature
    return _esp32, _pyb
