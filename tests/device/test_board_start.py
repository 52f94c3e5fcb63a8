"""Every board's drivers are built as its data names them, over fakes of its port; under MicroPython alone, whose loop
they wait in."""

import asyncio
import os

from boards import esp32_devkit, esp32_s3, pico_w, rp2040_pico, stm32_pybd

from . import fake_machine, fake_network
from .fake_machine import bench

fake_machine.install()
fake_network.install()

try:
    from hal.micropython.build import build, watchdog
    from hal.micropython.stdio import Serial
except ImportError:  # CPython; tests/test_board_data.py starts them there
    build = None

HEAP = "384k"  # all boards and the fakes lie in it
BOARDS = (rp2040_pico, pico_w, esp32_devkit, esp32_s3, stm32_pybd)


class Ports:
    pass


def key(path):
    return bytes(32)


async def test_every_board_gets_its_drivers():
    if build is None:
        return
    for board in BOARDS:
        port = "stm32" if board.PLATFORM == "pyboard" else board.PLATFORM
        bench.begin(port)
        bench.divider, bench.top_mv = board.POWER["divider"], board.POWER["adc_mv"]
        fake_network.network.port(port)
        fake_network.air.begin()
        for till in ("none", "uart"):
            board.DRIVERS["till"] = till
            flash = board.DRIVERS["flash"]
            board.DRIVERS["flash"] = "files"  # test_board_flash.py has the regions
            ports = Ports()
            ports.watchdog = watchdog(board.DRIVERS)
            build(board, ports, board.SETTINGS, "board_start", key)
            board.DRIVERS["flash"] = flash
            board.DRIVERS["till"] = "none"
            assert all(bench.pins[name].state == 1 for name in getattr(board, "ON", ())), board.NAME
            bench.advance(50000)
            assert abs(ports.power.window()[0] - 5000) < 60, board.NAME
            assert (ports.gate is not None) == (till == "uart")
            assert isinstance(ports.link, Serial)
            assert ports.watchdog.reset_reason() == "power_on"
            assert ports.flash.read(0, 4) == b"\xff" * 4
            ports.watchdog.feed()
            ports.light.show("red")
            await asyncio.sleep(0)
            ports.light.show("off")
            probe = await ports.network.probe()
            assert probe is None  # no network, or a WLAN that nobody set up
            ports.power.close()
    assert "board_start" not in os.listdir(".")
