"""The ZVT driver against the simulated terminal, over a real pseudo-terminal: what it tells of itself and of its line."""

import pytest

from boards.simulated import SimulatedTerminal
from hal.linux.tty import Serial
from hal.terminals.zvt.line import SerialLine
from hal.terminals.zvt.terminal import Terminal


@pytest.fixture
def beside(tmp_path):
    one = SimulatedTerminal(tmp_path / "line", tmp_path / "store.db", ["--quiet", "--model", "H5", "--serial", "7"])
    yield one
    one.stop()


@pytest.fixture
def driver(beside):
    serial = Serial(beside.link, baud=9600, stop_bits=2)
    yield Terminal(SerialLine(serial, t1_ms=200, t2_ms=300), {"currencies": {"EUR": 978}})
    serial.close()


async def test_it_tells_model_version_and_number(driver):
    told = await driver.enquire()
    assert (told.code, told.version, told.locks, told.state, told.more) == (
        0,
        "2.14.15",
        0,
        0,
        {"terminal_model": "H5"},
    )
    assert await driver.register() is True and driver.alone
    assert (await driver.enquire()).more == {"terminal_model": "H5", "terminal_id": "52001233"}


async def test_its_receipts_tell_card_and_terminal(driver):
    receipt = await driver.last_receipt()
    assert (receipt.receipt, receipt.trace, receipt.amount, receipt.last_four) == (231, 4711, 5000, "1111")
    assert (receipt.original, receipt.reversal, receipt.card_name, receipt.terminal_id) == (
        None,
        False,
        "VISA",
        "52001233",
    )
    assert receipt.date and receipt.time == 120000


async def test_a_registration_that_is_refused_is_told(driver, beside):
    beside.tell("negative 83")
    assert await driver.register() is False and not driver.alone
    assert await driver.register() is True


async def test_frames_that_go_wrong_on_its_line_are_counted(driver, beside):
    await driver.register()
    frames, errors = driver.counters()
    assert frames >= 4 and errors == 0
    beside.tell("nak 2")
    await driver.last_receipt()  # repeated twice
    assert driver.counters()[1] == 2
    beside.tell("silent 1")
    await driver.last_receipt()  # repeated after T2
    assert driver.counters()[1] == 3
    before = driver.counters()[0]
    await driver.last_receipt()
    assert driver.counters() == (before + 6, 3)
