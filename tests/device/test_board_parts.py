"""A board's lines, watchdog, light, clock and thermometer, and why it says that it booted."""

import asyncio
import time

from . import fake_machine
from .fake_machine import RAN_OUT, UART, Bitten, bench, mem32

fake_machine.install()

from hal.micropython import chip_esp32, chip_rp2, chip_stm32  # noqa: E402
from hal.micropython.clock import Clock  # noqa: E402
from hal.micropython.light import Light  # noqa: E402
from hal.micropython.uart import Serial  # noqa: E402
from hal.micropython.watchdog import Watchdog  # noqa: E402

try:
    from hal.micropython.waiting import Waiting
except ImportError:  # CPython's loop asks no streams of Python

    class Waiting:
        def __init__(self, stream):
            self.stream = stream

        async def readable(self, timeout_ms):
            until = time.time() + timeout_ms / 1000
            while not self.stream.any():
                if time.time() >= until:
                    return False
                await asyncio.sleep(0.001)
            return True


WIRED = {
    "rp2": {"id": 0, "tx": 0, "rx": 1, "baud": 9600, "stop_bits": 2, "rxbuf": 256, "txbuf": 64},
    "esp32": {"id": 2, "tx": 17, "rx": 16, "baud": 9600, "stop_bits": 2, "rxbuf": 256, "txbuf": 64},
    "stm32": {"id": 4, "baud": 9600, "stop_bits": 2, "rxbuf": 256},
}


def line(port, **more):
    bench.begin(port)
    wiring = {}
    wiring.update(WIRED[port])
    wiring.update(more)
    return Serial(wiring, Waiting, mem32 if port == "rp2" else None)


async def test_a_line_brings_what_came_and_waits_for_it():
    for port in WIRED:
        one = line(port)
        assert one._uart.settings["stop"] == 2 and one._uart.settings["bits"] == 8
        assert await one.read(0) == b"" == await one.read(5)
        one._uart.feed(b"\x06\x00")
        assert await one.read(0) == b"\x06\x00"

        async def come(one=one):
            await asyncio.sleep(0.01)
            one._uart.feed(b"\x80")

        task = asyncio.create_task(come())
        assert await one.read(500) == b"\x80"
        await task
        one._uart.feed(bytes(range(250)))
        got = b""
        while len(got) < 250:
            got += await one.read(100)
        assert got == bytes(range(250))
        assert one.overruns == 0
        one.close()


async def test_bytes_that_nobody_took_in_time_are_counted():
    for port in WIRED:
        one = line(port)
        one._uart.feed(bytes(255 + UART.QUEUE + 1))
        assert one.overruns == 0
        got = len(await one.read(0))
        assert one.overruns == 1, port
        while True:
            piece = await one.read(0)
            if not piece:
                break
            got += len(piece)
        assert got == 255 + UART.QUEUE
        assert one.overruns == 1, port
        one._uart.feed(bytes(400))
        await one.read(0)
        assert one.overruns == 2, port


async def test_what_is_written_goes_out_whole_and_the_loop_lives_on():
    for port in WIRED:
        one = line(port)
        uart = one._uart

        async def drained(uart=uart):
            while True:
                await asyncio.sleep(0.001)
                uart.drain()

        task = asyncio.create_task(drained())
        await one.write(bytes(range(200)))
        assert uart.sent == bytes(range(200)) and uart.blocked <= 8, (port, uart.blocked)
        task.cancel()


async def test_a_line_that_nobody_takes_is_an_error_after_a_second():
    one = line("rp2")
    began = time.time()
    try:
        await one.write(bytes(100))
    except OSError:
        assert 0.5 < time.time() - began < 5 and len(one._uart.sent) == 64
        return
    raise AssertionError("it hangs")


def test_a_uart_that_cannot_be_is_an_os_error():
    for wrong in ({"tx": 2, "rx": 3}, {"rxbuf": 99999}):
        try:
            line("rp2", **wrong)
        except OSError:
            continue
        raise AssertionError(wrong)


def test_the_watchdog_waits_until_it_is_fed_and_then_bites_whoever_stops():
    for port in WIRED:
        bench.begin(port)
        one = Watchdog("power_on")
        assert one.reset_reason() == "power_on"
        bench.advance(60000000)  # the journal takes its time
        for _ in range(30):
            one.feed()
            bench.advance(1000000)
        del one  # the agent ended
        bench.advance(6000000)
        try:
            bench.advance(2000000)
        except Bitten:
            continue
        raise AssertionError(port)


def test_a_watchdog_that_runs_on_waits_half_a_minute_for_the_agent_that_loads_and_no_longer():
    """A soft reset does not stop it, and a Pico verifies its policy's signature for four seconds."""
    bench.begin("rp2")
    for loads_s, late in ((60, False), (25, False), (40, True)):  # at first it does not run
        one = Watchdog("power_on")
        chip_rp2.bridge(one)
        try:
            bench.advance(loads_s * 1000000)
            one.feed()
            assert not late and not bench.timers
            bench.advance(7000000)
        except Bitten:
            assert late


def test_an_rp2040_tells_a_watchdog_from_a_reset_that_was_wanted():
    for cause, reason, mark, said in (
        (1, 0, 0, "power_on"),
        (3, 1, RAN_OUT, "watchdog"),
        (3, 2, 0, "reset"),  # machine.reset()
        (3, 1, 0, "reset"),  # the bootloader's
    ):
        bench.begin("rp2")
        bench.cause = cause
        mem32[0x40058008], mem32[0x4005801C] = reason, mark
        assert chip_rp2.reset_reason() == said, (cause, mark)


def test_an_esp32_tells_a_brown_out_from_a_power_on():
    for machine, address in (
        ("ESP32 module with ESP32", 0x3FF48034),
        ("Generic ESP32S3 module with ESP32S3", 0x60008038),
    ):
        for cause, state, said in (
            (1, 1, "power_on"),
            (1, 3, "brown_out"),  # the IDF resets by software
            (1, 12, "brown_out"),
            (1, 15, "brown_out"),  # the part itself did
            (2, 3, "reset"),
            (3, 8, "watchdog"),
            (4, 5, "reset"),
            (5, 1, "reset"),
            (0, 0, None),
        ):
            bench.begin("esp32")
            bench.cause = cause
            mem32[address] = state | 0x3000  # other bits of that register
            assert chip_esp32.reset_reason(machine) == said, (machine, cause, state)
    bench.cause = 1
    assert chip_esp32.reset_reason("Generic ESP32C3 module with ESP32C3") == "power_on"


def test_an_stm32_tells_what_it_can():
    for cause, said in ((1, "power_on"), (2, "reset"), (3, "watchdog"), (4, "reset"), (5, "reset")):
        bench.begin("stm32")
        bench.cause = cause
        if cause != 5:
            assert chip_stm32.reset_reason() == said


def test_the_chip_tells_how_warm_it_is():
    bench.begin("rp2")
    one = chip_rp2.Thermometer()
    for millivolts, degrees in ((706, 27), (706 - 34, 47), (706 + 47, 0), (706 + 64, -10)):
        bench.core_mv = millivolts
        assert abs(one.degrees() - degrees) <= 1, (millivolts, one.degrees())
        assert bench.interrupts
    bench.core_mv = 0
    try:
        one.degrees()
        raise AssertionError("its sensor does not answer")
    except OSError:
        pass
    bench.begin("stm32")
    assert chip_stm32.Thermometer().degrees() == 30
    bench.begin("esp32")
    assert chip_esp32.Thermometer().degrees() == 30


def test_a_clock_that_nobody_set_tells_no_time():
    bench.begin("rp2")
    begins = 946684800 if time.gmtime(0)[0] == 2000 else 0
    for year_s, said in ((1609459200, None), (1420070400, None), (1798761600, 1798761600)):
        clock = Clock(lambda year_s=year_s: year_s - begins)
        assert clock.wall_s() == said
    clock.set(1795348800)
    assert bench.rtc == (2026, 11, 22, 6, 12, 0, 0, 0)


async def light_seen(colour, wiring, seconds):
    """Times that each pin changed while the light showed a colour."""
    bench.begin("rp2")
    one = Light(wiring)
    one.show(colour)
    pins = [bench.pins[name] for name in wiring["pins"]]
    before = [pin.state for pin in pins]
    changed = 0
    first = list(before)
    until = time.time() + seconds
    while time.time() < until:
        await asyncio.sleep(0.01)
        now = [pin.state for pin in pins]
        changed += now != before
        before = now
    one.show("off")
    await asyncio.sleep(0)
    return first, changed, [pin.state for pin in pins]


async def test_one_led_is_steady_slow_or_fast():
    for wiring, lit in (({"pins": ("LED",)}, 1), ({"pins": (5,), "low": True}, 0)):
        assert await light_seen("green", wiring, 0.3) == ([lit], 0, [1 - lit])
        first, changed, _ = await light_seen("red", wiring, 0.55)
        assert first == [lit] and 3 <= changed <= 6
    _, changed, off = await light_seen("amber", {"pins": ("LED",)}, 1.2)
    assert 1 <= changed <= 2 and off == [0]


async def test_three_leds_show_the_colour():
    for wiring, on in (({"pins": (1, 2, 3)}, 1), ({"pins": ("R", "G", "B"), "low": True}, 0)):
        for colour, parts in (("green", (0, 1, 0)), ("amber", (1, 1, 0)), ("red", (1, 0, 0))):
            first, _, off = await light_seen(colour, wiring, 0.01)
            assert first == [on if part else 1 - on for part in parts], colour
            assert off == [1 - on] * 3
