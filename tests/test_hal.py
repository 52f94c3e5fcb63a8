"""The hardware layer under CPython: the simulated is honest, the absent says so, every driver keeps its contract."""

import ast
import asyncio
import errno
import inspect
import json
import os
import select
import time
import tty

import pytest
import serial as serial_library
from hypothesis import given
from hypothesis import strategies as st

import hal.linux.clock
import hal.linux.flash
import hal.linux.network
import hal.linux.power
import hal.linux.thermometer
import hal.linux.tty
import hal.linux.watchdog
import hal.none
import hal.reopen
import hal.sim.clock
import hal.sim.readings
import hal.sim.terminal
import hal.terminals.zvt.gate
import hal.terminals.zvt.terminal
import hal.uptime
from boards.compiled import ROOT
from hal import none, ports
from hal.linux.tty import Serial
from hal.reopen import Reopening
from hal.said import PowerCut, TerminalSilent
from hal.sim.flash import Flash
from hal.sim.hardware import HEALTHY, Hardware

from .device import fake_machine, fake_network

fake_machine.install()
fake_network.install()

from hal.micropython import (  # noqa: E402
    adc,
    chip_esp32,
    chip_rp2,
    chip_stm32,
    clock,
    files,
    ina,
    interface,
    lan,
    light,
    region,
    uart,
    watchdog,
    wlan,
)

# ---- the contracts ----

PORTS = {name: port for name, port in vars(ports).items() if inspect.isclass(port)}
DRIVERS = [
    ("Power", hal.none.Power),
    ("Power", hal.sim.readings.Power),
    ("Power", hal.linux.power.Power),
    ("Network", hal.none.Network),
    ("Network", hal.sim.readings.Network),
    ("Network", hal.linux.network.Network),
    ("Clock", hal.uptime.Clock),
    ("Clock", hal.sim.clock.Clock),
    ("Clock", hal.linux.clock.Clock),
    ("Flash", hal.none.Flash),
    ("Flash", hal.sim.flash.Flash),
    ("Flash", hal.linux.flash.Flash),
    ("Serial", hal.none.Serial),
    ("Serial", hal.linux.tty.Serial),
    ("Serial", hal.reopen.Reopening),
    ("Light", hal.none.Light),
    ("Light", hal.sim.readings.Light),
    ("Thermometer", hal.none.Thermometer),
    ("Thermometer", hal.sim.readings.Thermometer),
    ("Thermometer", hal.linux.thermometer.Thermometer),
    ("Watchdog", hal.none.Watchdog),
    ("Watchdog", hal.sim.readings.Watchdog),
    ("Watchdog", hal.linux.watchdog.Watchdog),
    ("Terminal", hal.none.Terminal),
    ("Terminal", hal.sim.terminal.Terminal),
    ("Terminal", hal.terminals.zvt.terminal.Terminal),
    ("Gate", hal.terminals.zvt.gate.Gate),
    ("Power", adc.Power),
    ("SamplingPower", adc.Power),
    ("Power", ina.Ina226),
    ("SamplingPower", ina.Ina226),
    ("Power", ina.Ina219),
    ("Network", interface.Network),
    ("Network", wlan.Wlan),
    ("Network", lan.Lan),
    ("Clock", clock.Clock),
    ("Flash", files.Flash),
    ("Flash", region.Flash),
    ("Serial", uart.Serial),
    ("Light", light.Light),
    ("Thermometer", chip_rp2.Thermometer),
    ("Thermometer", chip_esp32.Thermometer),
    ("Thermometer", chip_stm32.Thermometer),
    ("Watchdog", watchdog.Watchdog),
]
# cannot be imported here: read from their sources
ON_MICROPYTHON = {("Serial", "hal/micropython/posix_serial.py"), ("Serial", "hal/micropython/stdio.py")}


def shape(method):
    return list(inspect.signature(method).parameters), inspect.iscoroutinefunction(method)


def shape_in_source(node):
    return [argument.arg for argument in node.args.args], isinstance(node, ast.AsyncFunctionDef)


def methods(port):
    return {name: shape(method) for name, method in vars(PORTS[port]).items() if inspect.isfunction(method)}


@pytest.mark.parametrize("port, driver", DRIVERS, ids=[f"{driver.__module__}.{port}" for port, driver in DRIVERS])
def test_a_driver_has_the_methods_of_its_port(port, driver):
    for name, wanted in methods(port).items():
        assert shape(getattr(driver, name)) == wanted, name


@pytest.mark.parametrize("port, path", sorted(ON_MICROPYTHON))
def test_a_driver_for_micropython_has_the_methods_of_its_port(port, path):
    classes = [node for node in ast.parse((ROOT / path).read_text()).body if getattr(node, "name", "") == port]
    defined = {node.name: node for node in classes[0].body if hasattr(node, "args")}
    for name, wanted in methods(port).items():
        assert shape_in_source(defined[name]) == wanted, name


def test_every_driver_is_held_to_its_contract():
    held = {(port, driver.__module__.replace(".", "/") + ".py") for port, driver in DRIVERS} | ON_MICROPYTHON
    for path in (ROOT / "hal").rglob("*.py"):
        name = path.relative_to(ROOT).as_posix()
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and node.name in PORTS and name != "hal/ports.py":
                assert (node.name, name) in held


def test_a_terminal_says_whether_it_is_busy_alone_and_which_currencies_it_does():
    zvt = hal.terminals.zvt.terminal.Terminal(None, {"currencies": {"EUR": 978}, "config": 0x18})
    for terminal in (none.Terminal(), zvt):
        assert (terminal.busy, terminal.alone) == (False, False)  # alone only when the terminal has agreed to it
    assert none.Terminal.currencies == {} and zvt.currencies == {"EUR": 978}


# ---- simulated flash ----

SIZE, SECTOR, UNIT = 1024, 256, 4


@pytest.fixture(params=["memory", "file"])
def flash(request, tmp_path):
    return Flash(tmp_path / "flash" if request.param == "file" else None, SIZE, SECTOR, UNIT)


def test_new_flash_is_erased(flash):
    assert flash.read(0, SIZE) == b"\xff" * SIZE


def test_programming_only_clears_bits(flash):
    flash.program(8, b"\xf0\x0f\xff\x00")
    flash.program(8, b"\x80\x0f\xaa\x00")
    assert flash.read(4, 12) == b"\xff" * 4 + b"\x80\x0f\xaa\x00" + b"\xff" * 4


@pytest.mark.parametrize("bit", range(8))
def test_a_bit_does_not_rise_from_0_to_1_and_nothing_else_is_programmed(flash, bit):
    flash.program(0, bytes((0xFF ^ 1 << bit,)) * 4)
    before = flash.read(0, 8)
    with pytest.raises(OSError):
        flash.program(0, b"\x00\x00\x00" + bytes((1 << bit,)) + b"\x00" * 4)
    assert flash.read(0, 8) == before


@pytest.mark.parametrize(
    "address, size",
    [(1, 4), (2, 4), (0, 3), (4, 5), (SECTOR - 4, 8), (0, SECTOR + 4), (SIZE, 4), (SIZE - 4, 8), (-4, 4)],
)
def test_programming_off_its_units_its_sector_or_the_end_is_refused(flash, address, size):
    with pytest.raises(OSError):
        flash.program(address, bytes(size))
    assert flash.read(0, SIZE) == b"\xff" * SIZE


def test_reading_beyond_the_end_is_refused(flash):
    for address, size in ((SIZE, 1), (SIZE - 1, 2), (-1, 1), (0, SIZE + 1)):
        with pytest.raises(OSError):
            flash.read(address, size)


def test_erasing_takes_one_whole_sector_and_is_counted(flash):
    for sector in range(SIZE // SECTOR):
        flash.program(sector * SECTOR, bytes(SECTOR))
    flash.erase(SECTOR)
    assert flash.read(0, SIZE) == bytes(SECTOR) + b"\xff" * SECTOR + bytes(2 * SECTOR)
    assert flash.erased == [0, 1, 0, 0]
    for address in (4, SECTOR + 1, SIZE, -SECTOR):
        with pytest.raises(OSError):
            flash.erase(address)


def test_a_cut_after_any_byte_leaves_exactly_what_was_programmed_until_then(flash):
    data = bytes(range(1, 65))
    for cut in range(len(data)):
        flash.cut_after = None
        flash.erase(0)
        flash.cut_after = cut
        with pytest.raises(PowerCut):
            flash.program(0, data)
        assert flash.read(0, 64) == data[:cut] + b"\xff" * (64 - cut)
        with pytest.raises(PowerCut):  # the power stays away until somebody brings it back
            flash.program(64, b"\0" * 4)
        assert flash.read(64, 4) == b"\xff" * 4
    flash.cut_after = len(data)
    flash.program(128, data)
    assert flash.read(128, 64) == data


def test_a_cut_counts_over_several_operations_and_an_erase_as_one(flash):
    flash.program(SECTOR, bytes(8))
    flash.cut_after = 9
    flash.program(0, bytes(8))
    flash.erase(SECTOR)
    with pytest.raises(PowerCut):
        flash.erase(0)
    assert flash.read(0, 8) == bytes(8) and flash.read(SECTOR, 8) == b"\xff" * 8


def test_a_power_cut_is_caught_by_nobody_who_expects_an_error():
    assert not issubclass(PowerCut, Exception)


def test_what_is_in_the_file_survives_without_a_goodbye(tmp_path):
    path = tmp_path / "flash"
    flash = Flash(path, SIZE, SECTOR, UNIT)
    flash.program(4, b"kept")
    again = Flash(path, SIZE, SECTOR, UNIT)  # the first one was neither synced nor closed
    assert again.read(0, 12) == b"\xff" * 4 + b"kept" + b"\xff" * 4
    larger = Flash(path, 2 * SIZE, SECTOR, UNIT)
    assert larger.read(4, 4) == b"kept" and larger.read(SIZE, SIZE) == b"\xff" * SIZE
    with pytest.raises(OSError):
        Flash(path, SIZE, SECTOR, UNIT)


@pytest.mark.parametrize("size, sector, unit", [(1000, 256, 4), (1024, 255, 4), (1024, 256, 3)])
def test_a_part_that_does_not_exist_is_refused(size, sector, unit):
    with pytest.raises(ValueError):
        Flash(None, size, sector, unit)


OPERATION = st.tuples(st.just("erase"), st.integers(0, 3)) | st.tuples(
    st.integers(0, SIZE // UNIT - 1), st.binary(min_size=1, max_size=8).map(lambda data: data * 4)
)


@given(st.lists(OPERATION, max_size=30))
def test_any_history_ends_as_a_model_of_ten_lines_says(history):
    flash = Flash(None, SIZE, SECTOR, UNIT)
    model = bytearray(b"\xff" * SIZE)
    for at, what in history:
        if at == "erase":
            flash.erase(what * SECTOR)
            model[what * SECTOR : (what + 1) * SECTOR] = b"\xff" * SECTOR
            continue
        begin, end = at * UNIT, at * UNIT + len(what)
        good = begin // SECTOR == (end - 1) // SECTOR and all(
            new & old == new for new, old in zip(what, model[begin:end], strict=False)
        )
        try:
            flash.program(begin, what)
            assert good
            model[begin:end] = what
        except OSError:
            assert not good
    assert flash.read(0, SIZE) == model


# ---- other simulated hardware ----


@pytest.fixture
def now(mocker):
    """Milliseconds that only the test lets pass: now[0]."""
    now = [1000]
    for module in ("hal.sim.hardware", "hal.uptime"):
        mocker.patch(module + ".ticks_ms", lambda: now[0])
    return now


def test_a_power_trace_follows_its_times_and_its_last_value_stays(now):
    power = hal.sim.readings.Power(Hardware(state={"power": [[0, 5000], [800, 4100], [2000, 5010]]}))
    seen = []
    for now[0] in (1000, 1799, 1800, 2999, 3000, 1_000_000):
        seen.append(power.millivolts())
    assert seen == [5000, 5000, 4100, 4100, 5010, 5010]


def test_a_trace_that_begins_later_is_absent_until_then(now):
    power = hal.sim.readings.Power(Hardware(state={"power": [[500, 4100]]}))
    assert power.millivolts() is None
    now[0] += 500
    assert power.millivolts() == 4100


async def test_a_key_that_is_missing_or_null_is_absent_hardware(now):
    for state in ({"power": None, "network": None, "wall_s": None, "battery": None, "temperature": None}, {"light": 1}):
        hardware = Hardware(state=state)
        assert hal.sim.readings.Power(hardware).millivolts() is None
        assert hal.sim.readings.Power(hardware).battery_percent() is None
        assert hal.sim.readings.Thermometer(hardware).degrees() is None
        assert hal.sim.readings.Watchdog(hardware).reset_reason() is None
        assert await hal.sim.readings.Network(hardware).probe() is None
        assert hal.sim.clock.Clock(hardware).wall_s() is None


async def test_the_network_is_as_its_state_says():
    network = hal.sim.readings.Network(Hardware(state={"network": {"link": 1, "address": 0, "host_ms": 38}}))
    assert await network.probe() == (1, 0, 38, 1, None, None)  # a state from before there were names in it
    network.hardware.set({"network": {"link": 1, "address": 1, "host_ms": -1, "dns": 1, "tls": 0, "signal": 42}})
    assert await network.probe() == (1, 1, -1, 1, 0, 42)
    network.hardware.set({"network": {}})
    assert await network.probe() == (0, 0, -1, 0, None, None)
    network.hardware.set(HEALTHY)
    assert await network.probe() == (1, 1, 38, 1, 1, 80)


def test_temperature_battery_and_reset_reason_are_as_the_state_says(now):
    hardware = Hardware(state={"temperature": [[0, 24], [800, 61]], "battery": 40, "reset_reason": "watchdog"})
    thermometer, watchdog = hal.sim.readings.Thermometer(hardware), hal.sim.readings.Watchdog(hardware)
    assert thermometer.degrees() == 24
    now[0] += 800
    assert thermometer.degrees() == 61
    assert hal.sim.readings.Power(hardware).battery_percent() == 40
    watchdog.feed()
    assert (watchdog.reset_reason(), watchdog.fed) == ("watchdog", 1)
    hardware.set(HEALTHY)
    assert (thermometer.degrees(), watchdog.reset_reason()) == (24, "power_on")


def test_the_wall_clock_is_the_hosts_or_runs_on_from_a_given_time(now):
    clock = hal.sim.clock.Clock(Hardware(state={"wall_s": 1_790_000_000}))
    now[0] += 5999
    assert clock.wall_s() == 1_790_000_005
    clock.hardware.set({"wall_s": "host"})
    assert abs(clock.wall_s() - time.time()) < 2


def test_uptime_never_falls_and_begins_at_none(now):
    clock = hal.uptime.Clock()
    assert clock.uptime_ms() == 0
    now[0] += 70
    assert clock.uptime_ms() == 70 == clock.uptime_ms()


def test_a_changed_file_is_new_hardware_and_a_broken_one_is_not(now, tmp_path):
    path = tmp_path / "hardware.json"
    hardware = Hardware(path)
    assert json.loads(path.read_text()) == HEALTHY
    power = hal.sim.readings.Power(hardware)
    assert power.millivolts() == 5000

    path.write_text('{"power": [[0, 4100], [100, 4900]]}')
    assert power.millivolts() == 5000  # looked at ten times a second at most
    now[0] += 5000
    assert power.millivolts() == 4100  # the trace begins when it is loaded
    now[0] += 100
    assert power.millivolts() == 4900

    path.write_text('{"power": [[0, 4')
    now[0] += 100
    assert power.millivolts() == 4900
    path.unlink()
    now[0] += 100
    assert power.millivolts() == 4900


# ---- absent hardware ----


async def test_absent_hardware_reads_none_and_takes_what_is_shown():
    assert none.Power().millivolts() is None and none.Power().battery_percent() is None
    assert none.Thermometer().degrees() is None and none.Watchdog().reset_reason() is None
    none.Watchdog().feed()
    assert await none.Network().probe() is None
    assert none.Clock().wall_s() is None and none.Clock().uptime_ms() == 0
    light = none.Light()
    light.show("red")
    assert light.colour == "red" and none.Light.colour == "off"


async def test_an_absent_line_stays_silent_for_as_long_as_asked():
    serial = none.Serial()
    await serial.write(b"hello")
    begin = time.monotonic()
    assert await serial.read(50) == b""
    assert time.monotonic() - begin >= 0.045


def test_absent_flash_has_no_room_and_fails_like_a_medium():
    flash = none.Flash()
    assert flash.size == 0
    for operation in (lambda: flash.read(0, 1), lambda: flash.program(0, b"\0"), lambda: flash.erase(0)):
        with pytest.raises(OSError):
            operation()
    flash.sync()


async def test_an_absent_terminal_is_silent():
    terminal = none.Terminal()
    for asked in (terminal.register(), terminal.enquire(), terminal.last_receipt(), terminal.refund(1, "EUR")):
        with pytest.raises(TerminalSilent):
            await asked
    await terminal.abort()
    assert terminal.cause(0x6F) == 0 and terminal.cause("91") == 0
    assert terminal.counters() is None


# ---- a serial line of Linux, over a real pseudo-terminal ----

EVERY_BYTE = bytes(range(256))


class Pair:
    """A pseudo-terminal: its path, and the number of the file at its other end."""

    def __init__(self):
        self.far, self.near = os.openpty()
        tty.setraw(self.near)
        self.path = os.ttyname(self.near)

    def read(self, size=4096):
        """What came to the other end; nothing within two seconds is a failure."""
        assert select.select([self.far], [], [], 2)[0], "nothing came"
        return os.read(self.far, size)

    def hang_up(self):
        for file in (self.far, self.near):
            if file is not None:
                os.close(file)
        self.far = self.near = None


@pytest.fixture
def pair():
    pair = Pair()
    yield pair
    pair.hang_up()


@pytest.fixture
def serial(pair):
    serial = Serial(pair.path, baud=9600, stop_bits=2)
    yield serial
    serial.close()


async def test_a_read_gives_what_came_or_nothing_when_its_time_is_over(pair, serial):
    begin = time.monotonic()
    assert await serial.read(60) == b""
    assert 0.05 <= time.monotonic() - begin < 1
    assert await serial.read(0) == b""
    os.write(pair.far, b"x")
    assert await serial.read(1000) == b"x"
    asyncio.get_running_loop().call_later(0.03, os.write, pair.far, b"late")
    begin = time.monotonic()
    assert await serial.read(5000) == b"late"
    assert time.monotonic() - begin < 2


async def test_what_comes_while_a_read_is_broken_off_is_for_the_next(pair, serial):
    for pause in (0, 0, 0.01):
        reader = asyncio.create_task(serial.read(2000))
        await asyncio.sleep(0.02)
        os.write(pair.far, b"kept")
        await asyncio.sleep(pause)
        reader.cancel()
        try:
            got = await reader
        except asyncio.CancelledError:
            got = b""
        assert got + (b"" if got else await serial.read(1000)) == b"kept"


async def test_what_comes_while_nobody_reads_waits(pair, serial):
    assert await serial.read(1) == b""
    os.write(pair.far, b"early")
    await asyncio.sleep(0.05)
    os.write(pair.far, b", late")
    await asyncio.sleep(0.05)
    assert await serial.read(0) == b"early, late"


async def test_a_port_closed_here_ends_its_read(pair):
    serial = Serial(pair.path)
    asyncio.get_running_loop().call_later(0.02, serial.close)
    with pytest.raises(OSError):
        await serial.read(2000)


async def test_every_byte_passes_unchanged_both_ways(pair, serial):
    await serial.write(EVERY_BYTE)
    assert pair.read() == EVERY_BYTE
    os.write(pair.far, EVERY_BYTE)
    assert await serial.read(1000) == EVERY_BYTE


async def test_a_long_write_waits_for_a_slow_reader_and_loses_nothing(pair, serial):
    data = os.urandom(100_000)
    got = bytearray()

    async def read_slowly():
        while len(got) < len(data):
            await asyncio.sleep(0.001)
            got.extend(pair.read())

    await asyncio.gather(serial.write(data), read_slowly())
    assert got == data


async def test_a_write_that_nobody_takes_ends_with_an_error(serial):
    begin = time.monotonic()
    with pytest.raises(OSError):
        await serial.write(bytes(100_000))
    assert 0.9 < time.monotonic() - begin < 3


async def test_a_hang_up_is_an_error_for_reader_and_writer(pair, serial):
    asyncio.get_running_loop().call_later(0.03, pair.hang_up)
    with pytest.raises(OSError):
        await serial.read(2000)
    with pytest.raises(OSError):
        await serial.read(0)
    with pytest.raises(OSError):
        await serial.write(b"x")


async def test_an_inherited_end_is_a_serial_line_too(pair):
    far, near = Serial(pair.far), Serial(pair.path)
    await far.write(b"down")
    await near.write(b"up")
    assert (await near.read(1000), await far.read(1000)) == (b"down", b"up")
    near.close()


def test_a_line_is_for_one_program_alone(pair):
    ours = Serial(pair.path)
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(OSError) as refused:
        Serial(pair.path)
    assert refused.value.errno == errno.EBUSY
    with pytest.raises(serial_library.SerialException):
        serial_library.Serial(pair.path, exclusive=True)
    assert len(os.listdir("/proc/self/fd")) == before
    ours.close()
    with serial_library.Serial(pair.path, exclusive=True), pytest.raises(OSError):
        Serial(pair.path)
    Serial(pair.path).close()


@pytest.mark.parametrize("path", ["/dev/null", "no/such/path", "."])
def test_what_is_no_serial_line_is_an_os_error_and_leaves_no_file_open(path):
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(OSError):
        Serial(path)
    assert len(os.listdir("/proc/self/fd")) == before


# ---- a line that comes back ----


async def test_a_line_is_opened_on_first_use_and_again_after_an_error(tmp_path):
    link = tmp_path / "line"
    line = Reopening(lambda: Serial(str(link)))
    with pytest.raises(OSError):
        await line.read(10)

    first = Pair()
    link.symlink_to(first.path)
    with pytest.raises(OSError):  # it is not tried again at once
        await line.read(10)
    await asyncio.sleep(0.55)
    os.write(first.far, b"one")
    assert await line.read(1000) == b"one"
    first.hang_up()
    with pytest.raises(OSError):
        await line.read(100)

    second = Pair()
    link.unlink()
    link.symlink_to(second.path)
    await asyncio.sleep(0.55)
    await line.write(b"two")
    assert second.read() == b"two"
    second.hang_up()
    with pytest.raises(OSError):
        await line.write(b"x")
    assert line.line is None


async def test_a_reader_of_a_line_that_is_away_starves_nobody():
    def away():
        raise OSError(19)

    line = Reopening(away)
    begin = time.monotonic()
    for _ in range(4):
        with pytest.raises(OSError):
            await line.read(1000)
    assert time.monotonic() - begin >= 0.15


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "3",
        '{"power": 5000}',
        '{"power": [5000]}',
        '{"power": [[0, "5000"]]}',
        '{"power": [[0, 5000, 1]]}',
        '{"power": {"0": 5000}}',
        '{"network": 1}',
        '{"network": [1]}',
        '{"network": {"tls": "no"}}',
        '{"battery": "full"}',
        '{"battery": [[0, 80]]}',
        '{"temperature": 24.5}',
        '{"temperature": [24]}',
        '{"temperature": "warm"}',
        '{"reset_reason": "unknown"}',
        '{"reset_reason": 3}',
        '{"wall_s": "now"}',
    ],
)
def test_a_file_that_is_no_state_of_hardware_is_refused_and_left_as_it_is(tmp_path, text):
    path = tmp_path / "hardware.json"
    path.write_text(text)
    with pytest.raises(OSError, match="not a state"):
        Hardware(str(path))
    assert path.read_text() == text
