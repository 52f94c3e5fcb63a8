"""MicroPython's `network` as its ports have it (library reference, network.WLAN; ports/esp32/network_wlan.c,
extmod/network_cyw43.c, ports/stm32/eth.c): states count differently, and so do their mistakes."""

import sys

from .fake_machine import bench


class Air:
    """What is around: `networks` {name: key}; `rssi`; `serves`: whether somebody gives addresses."""

    def __init__(self):
        self.begin()

    def begin(self):
        self.networks = {}
        self.rssi = -60
        self.serves = True
        self.cable = True
        self.own = "127.0.0.1"
        self.server = "127.0.0.1"


air = Air()


class WLAN:
    """A chip CYW43 (Pico W, PYBD): 0 idle, 1 joining, 2 joined, 3 with an address; -1 failed, -2 no such network, -3
    wrong key, and it tries no more by itself. Its signal is 0 where it does not know. An ESP32: 1000 idle, 1001
    joining, 1010 with an address, 201 no such network, 202 wrong key; it tries for ever; its signal is an error where
    it is not joined, and so is connecting twice."""

    IF_STA = 0

    def __init__(self, interface):
        self.up = False
        self.wanted = None
        self.tries = 0

    def active(self, up=None):
        if up is None:
            return self.up
        self.up = up
        if not up:
            self.wanted = None

    def connect(self, name, key=None):
        if not self.up:
            raise OSError("Wifi Not Started")
        if bench.port == "esp32" and self.wanted is not None:
            raise OSError("Wifi Internal State Error")
        if bench.port != "esp32" and not isinstance(key, (str, type(None))):
            raise TypeError()
        self.wanted = name, key
        self.tries += 1

    def disconnect(self):
        if not self.up and bench.port == "esp32":
            raise OSError("Wifi Not Started")
        self.wanted = None

    def _state(self):
        """-3 to 3, as a CYW43 has them."""
        if not self.up or self.wanted is None:
            return 0
        name, key = self.wanted
        if name not in air.networks:
            return -2
        if air.networks[name] != key:
            return -3
        return 3 if air.serves else 2

    def isconnected(self):
        return self._state() == 3

    def status(self, what=None):
        state = self._state()
        if what == "rssi":
            if bench.port == "esp32" and state < 2:
                raise OSError("STA must be active")
            return air.rssi if state >= 2 else 0
        assert what is None
        if bench.port != "esp32":
            return state
        return {0: 1000, 1: 1001, 2: 1001, 3: 1010, -2: 201, -3: 202}[state]

    def ifconfig(self):
        if self._state() == 3:
            return air.own, "255.0.0.0", "127.0.0.1", air.server
        return ("0.0.0.0",) * 4


class LAN:
    """An ESP32's must be told what it is wired to, and counts 0 to 5: 3 with carrier, 4 without, 5 with an address. An
    STM32's takes nothing, and counts 0 without carrier, 2 without and 3 with an address."""

    def __init__(self, **settings):
        if (bench.port == "esp32") != ("phy_type" in settings):
            raise ValueError("invalid phy type")
        self.up = False

    def active(self, up):
        self.up = up

    def isconnected(self):
        return self.up and air.cable and air.serves

    def status(self):
        if bench.port == "esp32":
            return 1 if not self.up else 4 if not air.cable else 5 if air.serves else 3
        return 0 if not self.up or not air.cable else 3 if air.serves else 2

    def ifconfig(self):
        if self.isconnected():
            return air.own, "255.0.0.0", "127.0.0.1", air.server
        return ("0.0.0.0",) * 4


class _Network:
    WLAN = WLAN
    LAN = LAN

    def port(self, name):
        """The constants that this port has."""
        if name == "esp32":
            self.ETH_CONNECTED, self.ETH_DISCONNECTED = 3, 4
        elif hasattr(self, "ETH_CONNECTED"):
            del self.ETH_CONNECTED
            del self.ETH_DISCONNECTED


network = _Network()


def install():
    sys.modules["network"] = network
