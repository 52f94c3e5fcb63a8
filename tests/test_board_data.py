"""The data of MicroPython boards: the five there are can be, and what cannot be is one clear error. And each board
starts as its data says, over fakes of its port."""

import asyncio
import copy
import re
import runpy
import sys

import pytest

from boards import boot, checked, used
from boards.used import ROOT, board, modules
from host_tools import deploy_check, documents
from host_tools.texts import LANGUAGES, Texts

from .device import fake_flash, fake_machine, fake_network
from .device.fake_machine import bench

fake_machine.install()
fake_network.install()

BOARDS = ("rp2040_pico", "pico_w", "esp32_devkit", "esp32_s3", "stm32_pybd")


def changed(name, **changes):
    """A board's data with other values: DRIVERS__power="ina226" changes one key of a table, TABLE=None takes it away."""
    data = copy.deepcopy({key: value for key, value in board(name).items() if key.isupper()})
    for path, value in changes.items():
        table, *keys = path.split("__")
        place = data
        for key in [table, *keys][:-1]:
            place = place[key]
        place[[table, *keys][-1]] = value
    return data


@pytest.mark.parametrize("name", BOARDS)
@pytest.mark.parametrize("till", ["none", "uart"])
def test_every_board_can_be(name, till):
    assert checked.faults(changed(name, DRIVERS__till=till)) == []


WRONG = [
    ("rp2040_pico", {"POWER__divider": (10000, 0)}, "bad_divider"),
    ("rp2040_pico", {"POWER__divider": (-1, 10000)}, "bad_divider"),
    ("rp2040_pico", {"POWER__divider": (10000,)}, "bad_divider"),
    ("rp2040_pico", {"POWER__divider": ("10k", "10k")}, "bad_divider"),
    ("rp2040_pico", {"POWER__divider": (1000, 10000)}, "divider_burns"),  # 5 V
    ("rp2040_pico", {"SETTINGS__power__high_mv": 12000}, "divider_burns"),
    ("esp32_devkit", {"POWER__divider": (10000, 10000)}, "divider_burns"),  # 2.75 V
    ("rp2040_pico", {"POWER__divider": (1000000, 10000)}, "divider_blind"),
    ("rp2040_pico", {"POWER__pin": 25}, "no_such_pin"),
    ("rp2040_pico", {"POWER__pin": 22}, "pin_no_adc"),
    ("esp32_s3", {"POWER__pin": 12}, "pin_no_adc"),  # of the second converter
    ("rp2040_pico", {"UARTS__terminal__tx": 3, "UARTS__terminal__rx": 4}, "uart_pins"),
    ("rp2040_pico", {"UARTS__terminal__tx": 1, "UARTS__terminal__rx": 0}, "uart_pins"),
    ("rp2040_pico", {"UARTS__terminal__id": 1}, "uart_pins"),
    ("rp2040_pico", {"UARTS__terminal__id": 2}, "bad_uart"),
    ("rp2040_pico", {"DRIVERS__till": "uart", "UARTS__till": None}, "bad_uart"),
    ("rp2040_pico", {"DRIVERS__link": "uart"}, "bad_uart"),
    ("rp2040_pico", {"LIGHT__pins": (0,)}, "pin_twice"),
    ("rp2040_pico", {"DRIVERS__till": "uart", "POWER__pin": 26, "LIGHT__pins": (26,)}, "pin_twice"),
    ("esp32_devkit", {"LIGHT__pins": (6,)}, "pin_taken"),
    ("esp32_devkit", {"LIGHT__pins": (34, 26, 27)}, "pin_no_output"),
    ("esp32_devkit", {"UARTS__terminal__tx": 35}, "pin_no_output"),
    ("esp32_s3", {"UARTS__terminal__rx": 20}, "pin_taken"),
    ("stm32_pybd", {"UARTS__terminal__id": 6}, "bad_uart"),
    ("stm32_pybd", {"POWER__pin": "X1"}, "pin_twice"),
    ("stm32_pybd", {"DRIVERS__till": "uart", "UARTS__till__id": 4}, "pin_twice"),
    ("stm32_pybd", {"FLASH__size": 100000}, "bad_region"),
    ("stm32_pybd", {"POLICY_FLASH__sector": 0}, "bad_region"),
    ("stm32_pybd", {"REGION": {}}, "region_nowhere"),
    ("stm32_pybd", {"REGION__start": 1835009}, "region_outside"),
    ("stm32_pybd", {"REGION__start": 2000000 // 4096 * 4096}, "region_outside"),
    ("pico_w", {"CHIP": "RP2350"}, "bad_chip"),
]


@pytest.mark.parametrize(("name", "changes", "key"), WRONG)
def test_what_cannot_be_is_told(name, changes, key):
    data = changed(name, **changes)
    assert key in [one for one, _ in checked.faults(data)]
    with pytest.raises(deploy_check.BadBoard) as failed:
        deploy_check.data(name, data)
    for language in LANGUAGES:
        line = documents.error_line(Texts(language), failed.value)
        assert name in line and "{" not in line and "\n" not in line


def test_a_board_with_an_ina_needs_no_divider():
    data = changed("rp2040_pico", DRIVERS__power="ina226", POWER={"i2c": 0, "sda": 4, "scl": 5})
    assert checked.faults(data) == []
    data = changed("rp2040_pico", DRIVERS__power="ina226", POWER={"i2c": 0, "sda": 0, "scl": 1})
    assert [key for key, _ in checked.faults(data)] == ["pin_twice", "pin_twice"]


@pytest.mark.parametrize("name", BOARDS)
def test_a_board_loads_its_own_drivers_alone(name):
    there = {path.rpartition("/")[2][:-3] for path in modules(name) if path.startswith("hal/micropython/")}
    drivers = board(name)["DRIVERS"]
    assert {one for one in there if one.startswith("chip_")} == {"chip_" + drivers["chip"]}
    assert there & {"region", "files"} == {drivers["flash"]}
    assert there & {"ina", "adc"} == {"adc"}
    assert there & {"wlan", "lan"} == ({drivers["network"]} - {"none"})
    assert "posix_serial" not in there
    assert used.TOP not in modules(name)


def start(name, tmp_path, monkeypatch, **changes):
    """The Agent of a board over fakes of its port."""
    data = changed(name, **changes)
    port = {"rp2": "rp2", "esp32": "esp32", "pyboard": "stm32"}[data["PLATFORM"]]
    bench.begin(port)
    bench.divider, bench.top_mv = data["POWER"]["divider"], data["POWER"]["adc_mv"]
    fake_network.network.port(port)
    fake_network.air.begin()
    _, pyb = fake_machine.install()
    pyb.device = fake_flash.Device(512)
    module = type(sys)(data["NAME"])
    for key, value in data.items():
        setattr(module, key, value)
    monkeypatch.setattr("os.statvfs", lambda path: (4096, 4096, 448, 10, 10, 0, 0, 0, 0, 255))
    return boot.start(module, {"state": str(tmp_path), "link": None, "healthy": None})


class Line:
    """A serial line with nobody at its other end."""

    async def read(self, timeout_ms):
        await asyncio.sleep(timeout_ms / 1000)
        return b""

    async def write(self, data):
        pass


@pytest.mark.parametrize("name", BOARDS)
@pytest.mark.parametrize("till", ["none", "uart"])
async def test_a_board_starts_as_its_data_says(name, till, tmp_path, monkeypatch):
    class Waiting:
        def __init__(self, stream):
            pass

        async def readable(self, timeout_ms):
            await asyncio.sleep(timeout_ms / 1000)
            return False

    class Module:
        pass

    # CPython has neither the prompt's line nor MicroPython's loop
    for module, names in (("waiting", {"Waiting": Waiting}), ("stdio", {"Serial": Line})):
        fake = Module()
        for key, value in names.items():
            setattr(fake, key, value)
        monkeypatch.setitem(sys.modules, "hal.micropython." + module, fake)
    agent = start(name, tmp_path, monkeypatch, DRIVERS__till=till, SETTINGS__network__host="127.0.0.1:9")
    assert (agent.keeper is not None) == (till == "uart")
    task = asyncio.create_task(agent.run())
    for _ in range(12):
        bench.advance(50000)
        await asyncio.sleep(0.05)
    snapshot = agent.snapshot
    assert abs(snapshot.get("supply_mv") - 5000) < 50
    assert snapshot.get("supply_ok") == 1
    assert agent.device.reason == 1  # power_on
    assert bench.fed is not None
    assert agent.light.colour != "off"
    assert (snapshot.get("network_link") is None) == (name == "rp2040_pico")
    task.cancel()


@pytest.mark.parametrize("name", BOARDS)
def test_page_and_picture_of_a_board_are_those_of_its_data(name):
    folder = ROOT / "docs" / "boards"
    draw = runpy.run_path(str(folder / "draw.py"))
    picture = (folder / f"{name}.svg").read_text()
    assert draw["draw"](name) == picture, "python docs/boards/draw.py"
    page = (folder / f"{name}.md").read_text()
    for label in re.findall(r">((?:GP|X|Y)\w*\d[^<]*)<", picture):
        assert label in page, label
    for ohms in board(name)["POWER"]["divider"]:
        assert f"{ohms // 1000} kΩ" in page
    assert f"--board {name}" in page and f"[{name}]({name}.md)" in (folder / "README.md").read_text()
