"""A board's supply: sampled a thousand times a second beside the loop, or measured by an INA; and the watch that reads it."""

from firmware_agent.watch.power import PowerWatch

from . import fake_machine
from .fake_machine import bench

fake_machine.install()

from hal.micropython.adc import Power  # noqa: E402
from hal.micropython.ina import Ina219, Ina226  # noqa: E402

try:
    from micropython import heap_lock, heap_unlock
except ImportError:

    def heap_lock():
        pass

    heap_unlock = heap_lock

LIMITS = {"low_mv": 4600, "high_mv": 5500, "margin_mv": 50, "window": 8, "every_ms": 50}
WIRED = {
    "rp2": {"pin": 26, "divider": (10000, 10000), "adc_mv": 3300, "timer": -1, "hard": True},
    "esp32": {"pin": 34, "divider": (15000, 10000), "adc_mv": 2450, "timer": 0, "hard": False},
    "stm32": {"pin": "X5", "divider": (10000, 10000), "adc_mv": 3300, "timer": -1, "hard": True},
}


def power(port, supply=None, seed=1, **more):
    bench.begin(port, seed)
    bench.divider = WIRED[port]["divider"]
    if supply:
        bench.supply = supply
    wiring = {}
    wiring.update(WIRED[port])
    wiring.update(more)
    return Power(wiring, LIMITS)


def falls(at_ms, long_us, to=4000):
    """A supply of 5 V that falls once."""
    return lambda us: to if at_ms * 1000 + 300 <= us < at_ms * 1000 + 300 + long_us else 5000


def test_every_port_reads_the_supply_through_its_divider():
    for port in WIRED:
        for millivolts in (3000, 4600, 5000, 5500):
            one = power(port, lambda us, millivolts=millivolts: millivolts)
            bench.advance(50000)
            mean, lowest, highest, sags, longest = one.window()
            assert abs(mean - millivolts) < 60, (port, mean)
            assert lowest <= mean <= highest and highest - lowest < 150, (port, lowest, highest)
            assert abs(one.millivolts() - millivolts) < 120
            assert (sags > 0) == (longest > 0)


def test_a_thousand_samples_a_second_are_taken_while_the_loop_is_away():
    one = power("rp2", lambda us: 5000 if us < 500000 else 5200)
    bench.advance(1000000)
    mean, lowest, highest, _, _ = one.window()
    assert abs(mean - 5100) < 20 and lowest < 5010 and highest > 5190
    assert one.window() is None  # nothing since


def test_a_sag_is_counted_with_its_depth_and_its_length():
    for port in WIRED:
        one = power(port, falls(20, 7000))
        bench.advance(50000)
        _, lowest, _, sags, longest = one.window()
        assert sags == 1 and 6 <= longest <= 8, (port, sags, longest)
        assert abs(lowest - 4000) < 90
        bench.advance(50000)
        assert one.window()[3:] == (0, 0)


def test_a_sag_that_lasts_over_two_windows_is_counted_once_and_measured_whole():
    one = power("stm32", falls(30, 60000))
    bench.advance(50000)
    assert one.window()[3:] == (1, 20)
    bench.advance(50000)
    _, lowest, _, sags, longest = one.window()
    assert sags == 0 and 59 <= longest <= 61 and lowest < 4100


def test_a_supply_at_the_limit_is_one_sag_until_it_is_well_above():
    # 20 mV below and above the limit in turn, for 200 ms: within the margin nothing begins anew
    one = power("stm32", lambda us: 5000 if us < 20000 else 4580 + us // 5000 % 2 * 40)
    bench.advance(220000)
    assert one.window()[3] == 1


def test_a_loop_that_never_asks_loses_samples_and_nothing_else():
    one = power("rp2")
    bench.reading = 65535
    bench.advance(20000000)
    mean, lowest, highest, sags, _ = one.window()
    assert mean == lowest == highest == 6600 and not sags


def test_the_interrupt_takes_nothing_from_the_heap():
    one = power("rp2")
    bench.reading = 20000  # a sag, the longest way through it
    sample = one._sample
    heap_lock()
    try:
        for _ in range(40):
            sample(None)
    finally:
        heap_unlock()
    assert one.window()[3:] == (1, 40)


def test_what_a_meter_says_can_be_put_in():
    one = power("stm32", trim=1020)
    bench.advance(50000)
    assert abs(one.window()[0] - 5100) < 10


class Snapshot:
    def __init__(self):
        self.values = {}
        self.clock = self
        self.events = []

    def put(self, name, value):
        self.values[name] = value

    def add(self, name, numbers):
        self.events.append(name)

    def uptime_ms(self):
        return bench.us // 1000


def test_the_watch_sees_a_sag_between_two_of_its_looks():
    one = power("rp2", falls(1020, 2000))
    seen = Snapshot()
    watch = PowerWatch(one, LIMITS, seen, seen)
    for _ in range(10):
        bench.advance(50000)
        watch.sample()
    assert seen.values["supply_ok"] == 1 and seen.values["supply_sags"] == 0
    for _ in range(11):
        bench.advance(50000)
        watch.sample()
    assert seen.values["supply_ok"] == 0 and seen.values["supply_sags"] == 1
    assert seen.values["supply_min_mv"] < 4100 and seen.values["supply_mv"] > 4900
    assert seen.events == ["supply_unstable"]
    for _ in range(9):
        bench.advance(50000)
        watch.sample()
    assert seen.values["supply_ok"] == 1 and seen.values["supply_sags"] == 0


def test_the_watch_asks_once_where_no_samples_came():
    one = power("rp2")
    seen = Snapshot()
    watch = PowerWatch(one, LIMITS, seen, seen)
    bench.interrupts = False  # a sector is being erased
    watch.sample()
    assert abs(seen.values["supply_mv"] - 5000) < 50


def ina(part, kind, port="rp2"):
    bench.begin(port)
    bench.chips[0x40] = part
    wiring = {"i2c": 0, "sda": 4, "scl": 5} if port != "stm32" else {"i2c": 1}
    return kind(wiring, LIMITS)


def test_an_ina226_remembers_a_sag_that_nobody_saw():
    for port in WIRED:
        part = fake_machine.Ina226()
        one = ina(part, Ina226, port)
        assert one.window() == (5000, 5000, 5000, 0, 0)
        part.supply(4000)
        part.supply(5000)
        assert one.window() == (5000, 4599, 5000, 1, None)
        assert one.window() == (5000, 5000, 5000, 0, 0)


def test_an_ina226_that_lost_its_supply_is_set_again():
    part = fake_machine.Ina226()
    one = ina(part, Ina226)
    part.reset()
    assert one.millivolts() == 5000
    part.supply(4000)
    assert one.window()[1] == 4000


def test_another_part_or_none_on_i2c_is_an_error():
    part = fake_machine.Ina226()
    part.registers[0xFF] = 0x1234
    for there in (part, None):
        bench.begin("rp2")
        if there:
            bench.chips[0x40] = there
        try:
            Ina226({"i2c": 0, "sda": 4, "scl": 5}, LIMITS)
        except OSError:
            continue
        raise AssertionError(there)


def test_an_ina219_tells_what_it_sees_and_when_it_cannot():
    part = fake_machine.Ina219()
    one = ina(part, Ina219)
    assert one.millivolts() == 5000
    part.overflow = True
    try:
        one.millivolts()
    except OSError:
        return
    raise AssertionError("it overflowed")
