"""An agent's hardware on the bench: a clock that stands until it is moved, readings that are set, memory that survives."""

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
    """`mv`: what the next samples read, None for no hardware."""

    mv = 5000

    def millivolts(self):
        return self.mv


class Network:
    """`reading`: (link, address, host_ms), None for no hardware. `broken`: the next probes raise OSError."""

    reading = (1, 1, 38)
    broken = False

    async def probe(self):
        if self.broken:
            raise OSError(5)
        return self.reading


class Ports:
    """All ports of one board. The flash outlives a reboot: hand it to the next one."""

    def __init__(self, terminal, flash=None, link=None):
        self.clock = Clock()
        self.power = Power()
        self.network = Network()
        self.flash = flash or Flash(None, 4096, 2048, 4)
        self.link = link or Serial()
        self.light = Light()
        self.terminal = terminal


SETTINGS = {
    "power": {"low_mv": 4600, "high_mv": 5500, "margin_mv": 50, "window": 8, "every_ms": 50},
    "policy": {"minimum_version": "2.10"},
}
ABOUT = {"version": "0.1.0", "runtime": "test", "runtime_version": "1.2.3", "board": "bench"}


def keeps(flash, data):
    """True if `data` stand anywhere in the flash."""
    for address in range(0, flash.size, 256):
        if data in flash.read(address, min(256 + len(data), flash.size - address)):
            return True
    return False
