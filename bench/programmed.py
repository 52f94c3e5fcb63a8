"""Bytes programmed into flash for a refund: our journal, and the same records in a file of littlefs on MicroPython."""

import json
import subprocess
import sys
from pathlib import Path

from firmware_agent.history import History
from hal.sim.flash import Flash

from .refunds import Clock, bodies, refund

REFUNDS = 400
# Two ports: (name, bytes the flash takes at once, progsize of littlefs there). The Pico's takes pages of 256 bytes, and
# ports/rp2/modules/_boot.py says progsize=256; the ESP32's takes multiples of 4, and its inisetup.py leaves littlefs its
# default, 32.
PORTS = (("ESP32", 4, 32), ("Pico", 256, 256))

_START = "import sys; from micropython_unix import main; sys.exit(main())"


class Paged(Flash):
    """Flash of pages, behind a driver that holds one page until it is full or synced, and programs all of it (where nothing
    is to be programmed it is FF, which changes nothing). `paged`: bytes programmed in this way."""

    def __init__(self, size, page):
        super().__init__(None, size, 4096, 4)
        self.page = page
        self.paged = 0
        self._held = None

    def program(self, address, data):
        super().program(address, data)
        for page in range(address // self.page, (address + len(data) - 1) // self.page + 1):
            self.paged += self.page * (page != self._held)
            self._held = page

    def sync(self):
        self._held = None


def ours(page, size=65536):
    """{"new", "full": (bytes programmed, sectors erased) a refund}, of a ring of `size` bytes that is not yet full, and of
    one that carries as much as it ever will."""
    flash = Paged(size, page)
    history = History(flash, Clock())
    sectors = history.journal.sectors
    number = 0

    def until(generation):
        nonlocal number
        begun, programmed, erased = number, flash.paged, sum(flash.erased)
        while history.journal.newest < generation:
            refund(history, number)
            number += 1
        return (flash.paged - programmed) / (number - begun), (sum(flash.erased) - erased) / (number - begun)

    found = {"new": until(sectors - 2)}
    until(3 * sectors)
    found["full"] = until(12 * sectors)
    return found


def littlefs(progsize, folder):
    """(bytes programmed, blocks erased) a refund."""
    sizes = folder / "sizes.json"
    # what stands in the body and two bytes of length: littlefs needs no more to find the records again
    sizes.write_text(json.dumps([len(body) + 2 for _, body in bodies(3 * REFUNDS)]))
    command = [sys.executable, "-c", _START, "-X", "heapsize=8M", Path(__file__).with_name("littlefs_device.py")]
    done = subprocess.run([*command, str(progsize), sizes], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError("littlefs on MicroPython: " + done.stdout + done.stderr)
    programmed, erased = map(int, done.stdout.split())
    return programmed / REFUNDS, erased / REFUNDS


def measure(folder):
    """{port: {"new", "full", "littlefs": (bytes programmed, erases) a refund}}; without littlefs where there is no
    MicroPython."""
    found = {}
    for name, page, progsize in PORTS:
        found[name] = ours(page)
        try:
            import micropython_unix  # noqa: F401
        except ImportError:
            continue
        found[name]["littlefs"] = littlefs(progsize, folder)
    return found
