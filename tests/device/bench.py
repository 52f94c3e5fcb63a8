"""An agent's hardware on the bench: a clock that stands until it is moved, readings that are set, memory that survives."""

from firmware_agent.wire.messages import HOLD, PASS
from hal import none
from hal.none import Light, Serial
from hal.sim.flash import Flash


class Clock:
    """`now`: ms of uptime. `wall`: Unix seconds or None."""

    def __init__(self):
        self.now = 1000
        self.wall = None

    def uptime_ms(self):
        return self.now

    def wall_s(self):
        return self.wall


class Power:
    """`mv`: what the next samples read, None for no hardware; `percent`: of the battery. `broken`: they raise OSError."""

    mv = 5000
    percent = None
    broken = False

    def _now(self, value):
        if self.broken:
            raise OSError(5)
        return value

    def millivolts(self):
        return self._now(self.mv)

    def battery_percent(self):
        return self._now(self.percent)


class Thermometer(Power):
    """`warm`: whole degrees, None for no hardware."""

    warm = 24

    def degrees(self):
        return self._now(self.warm)


class Watchdog(Power):
    """`reason`: of the reset before this boot. `fed`: how often it was fed."""

    reason = "power_on"
    fed = 0

    def feed(self):
        self.fed += 1

    def reset_reason(self):
        return self._now(self.reason)


class Network:
    """`reading`: (link, address, host_ms, dns, tls, signal), None for no hardware. `broken`: the next probes raise
    OSError."""

    reading = (1, 1, 38, 1, 1, None)
    broken = False

    async def probe(self):
        if self.broken:
            raise OSError(5)
        return self.reading


class Paged(Flash):
    """Flash that takes heap only where something is programmed, and that in small pieces: on a board it takes none at all."""

    PAGE = 128

    def __init__(self, size=4096, sector=2048, unit=4):
        super().__init__(None, size, sector, unit, memory=bytearray(1))
        self._pages = {}

    def read(self, address, size):
        self._check(address, size)
        data = bytearray(b"\xff" * size)
        at = address
        while at < address + size:
            number, begin = divmod(at, self.PAGE)
            end = min(self.PAGE, begin + address + size - at)
            if number in self._pages:
                data[at - address : at - address + end - begin] = self._pages[number][begin:end]
            at += end - begin
        return bytes(data)

    def _store(self, address, data):
        at = 0
        while at < len(data):
            number, begin = divmod(address + at, self.PAGE)
            piece = data[at : at + self.PAGE - begin]
            if number in self._pages:
                self._pages[number][begin : begin + len(piece)] = piece
            elif piece.strip(b"\xff"):
                self._pages[number] = bytearray(b"\xff" * self.PAGE)
                continue
            at += len(piece)

    def erase(self, address):
        super().erase(address)
        for number in range(address // self.PAGE, (address + self.sector) // self.PAGE):
            self._pages.pop(number, None)


class Ports:
    """All ports of one board. The flash outlives a reboot: hand it to the next one."""

    def __init__(self, terminal, flash=None, link=None):
        self.clock = Clock()
        self.clock.wall = WALL_S
        self.power = Power()
        self.network = Network()
        self.thermometer = Thermometer()
        self.watchdog = Watchdog()
        self.flash = flash or Paged()
        self.policy_flash = none.Flash()
        self.link = link or Serial()
        self.light = Light()
        self.terminal = terminal


SETTINGS = {
    "power": {"low_mv": 4600, "high_mv": 5500, "margin_mv": 50, "window": 8, "every_ms": 50},
    # a board's own rules; what nobody here can know is accepted
    "policy": {
        "id": "bench",
        "currency": "EUR",
        "minimum_version": "2.10",
        "procedure": "on the shelf",
        "procedure_days": 14,
        "unknown": {0: PASS, 1: HOLD},
    },
}
WALL_S = 1795348800  # 2026-11-22 12:00 UTC, as the receipts of card_terminal.py say
ABOUT = {"version": "0.1.0", "runtime": "test", "runtime_version": "1.2.3", "board": "bench"}


def keeps(flash, data):
    """True if `data` stand anywhere in the flash."""
    for address in range(0, flash.size, 256):
        if data in flash.read(address, min(256 + len(data), flash.size - address)):
            return True
    return False
