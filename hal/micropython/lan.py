"""Network port over a board's Ethernet.

An ESP32 counts its states 0 to 5, 3 with carrier and 5 with an address (network.ETH_CONNECTED, ETH_GOT_IP); an STM32 0
to 3, 0 without carrier (ports/stm32/eth.c). Both connect again by themselves."""

import network

from .interface import Network


class Lan(Network):
    """`settings`: {"host", "time", "lan": what network.LAN is to be given}. OSError: the host is none, or there is no
    such interface."""

    def __init__(self, settings, clock=None):
        try:
            nic = network.LAN(**(settings.get("lan") or {}))
            nic.active(True)
        except (ValueError, RuntimeError, TypeError) as error:
            raise OSError(19, "the network interface cannot be opened: %s" % error)
        super().__init__(nic, settings, clock)

    def _link(self):
        state = self._nic.status()
        least = getattr(network, "ETH_CONNECTED", 1)
        if state == getattr(network, "ETH_DISCONNECTED", -1):
            return 0
        return 1 if self._nic.isconnected() or state >= least else 0
