"""Network port over a board's WLAN.

What its status says differs by port (MicroPython, network.WLAN.status and ports/esp32/network_wlan.c): a Pico W and a
PYBD count 0 idle, 1 joining, 2 joined, 3 with an address, and -1 to -3 why it was given up, and try no more by
themselves; an ESP32 counts from 1000, 200 to 212 say why not, and it tries again for ever."""

from network import WLAN

from ..ticks import ticks_diff, ticks_ms
from .interface import Network

_JOINED = 2
_AGAIN_MS = 15000  # between two tries to join: joining takes up to ten seconds


class Wlan(Network):
    """`settings`: {"host", "time"}; `path`: of a file with the network's name and its key, a line each, which no agent
    ever writes or shows. OSError: the host is none. Without the file the radio stays off, and the interface has no
    link; without a host as well nobody set it up, and the network is absent."""

    def __init__(self, settings, path, clock=None):
        self._name, self._key = _secret(path)
        nic = WLAN(WLAN.IF_STA)  # pyright: ignore  the stubs of an STM32 are of a board whose WLAN takes nothing
        super().__init__(nic, settings, clock)
        self._tried = None
        if self._name is None:
            nic.active(False)

    async def probe(self):
        return await super().probe() if self._name or self._host else None

    def _keep_up(self):
        nic = self._nic
        if nic.isconnected():
            self._tried = None  # days ago: a board's counter would have it ahead
        if self._name is None or nic.isconnected() or 0 < nic.status() <= _JOINED:
            return
        now = ticks_ms()
        if self._tried is not None and ticks_diff(now, self._tried) < _AGAIN_MS:
            return
        self._tried = now
        try:
            nic.active(True)
            nic.disconnect()  # a try that is under way refuses another
            nic.connect(self._name, self._key)
        except (OSError, RuntimeError, ValueError):
            pass  # the next probe tries again

    def _link(self):
        nic = self._nic
        return 1 if self._name is not None and (nic.isconnected() or nic.status() == _JOINED) else 0

    def _signal(self):
        try:
            decibels = self._nic.status("rssi")
        except (OSError, ValueError, RuntimeError):
            return None
        if not -120 < decibels < 0:  # a Pico W says 0 where it does not know
            return None
        return max(0, min(100, (decibels + 100) * 2))


def _secret(path):
    """(name, key) of a network, (None, None) if there is no file of it."""
    try:
        with open(path) as file:
            lines = file.read().split("\n")
    except (OSError, UnicodeError):
        return None, None
    name = lines[0].rstrip("\r")
    key = lines[1].rstrip("\r") if len(lines) > 1 else ""
    return (name or None), (key or None)
