"""Absent hardware: drivers like any other. Readings are None, outputs do nothing, lines stay silent."""

import asyncio

from .said import TerminalSilent
from .uptime import Clock  # noqa: F401  a board always has uptime, the time of day may be absent


class Power:
    def millivolts(self):
        return None

    def battery_percent(self):
        return None


class Thermometer:
    def degrees(self):
        return None


class Watchdog:
    def feed(self):
        pass

    def reset_reason(self):
        return None


class Network:
    async def probe(self):
        return None


class Serial:
    async def read(self, timeout_ms):
        await asyncio.sleep(timeout_ms / 1000)
        return b""

    async def write(self, data):
        pass


class Light:
    colour = "off"

    def show(self, colour):
        self.colour = colour


class Flash:
    """No memory that keeps: size 0. A journal on it refuses to open, so no refund is ever sent."""

    size = 0
    sector = 4096
    unit = 1

    def read(self, address, size):
        raise OSError(19)  # ENODEV

    def program(self, address, data):
        raise OSError(19)

    def erase(self, address):
        raise OSError(19)

    def sync(self):
        pass


class Terminal:
    absent = True  # nobody to be called silent
    busy = False
    alone = False
    currencies = {}

    async def register(self):
        raise TerminalSilent("no terminal is configured")

    enquire = last_receipt = register

    async def refund(self, amount, currency, wish=None):
        raise TerminalSilent("no terminal is configured")

    async def abort(self):
        pass

    def counters(self):
        return None

    def cause(self, code):
        return 0
