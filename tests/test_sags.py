"""What a board's supply sampler finds and what it takes for a sag by mistake, over random traces with noise, ripple and
spikes, through a converter with its own noise (tests/device/fake_machine.py). A sag lasts two milliseconds; ripple
stays above the limit."""

import math
import os
import random

import pytest

from .device import fake_machine
from .device.fake_machine import bench

fake_machine.install()

from hal.micropython.adc import Power  # noqa: E402

from .device.test_board_power import LIMITS, WIRED  # noqa: E402

TRACES = 20000 if os.environ.get("DEEP") else 1000
LONG_MS = 400
SAG_US = 2000
CLEAR_MV = 60  # by which a sag goes below the limit, and ripple stays above it: within, the converter's noise decides


class Trace:
    """A supply of some 5 V with a load's ripple, switching noise and spikes of some microseconds. `sag`: microseconds
    where it falls below the limit for SAG_US, or None."""

    def __init__(self, chance, sag):
        self.sag = sag
        self.depth = chance.uniform(LIMITS["low_mv"] - 1500, LIMITS["low_mv"] - CLEAR_MV)
        self.mean = chance.uniform(4850, 5300)
        lowest = LIMITS["low_mv"] + CLEAR_MV  # what ripple reaches
        self.ripple = chance.uniform(0, 1) * (self.mean - lowest) * 0.8
        self.noise = (self.mean - lowest - self.ripple) * chance.uniform(0, 1)
        self.hertz = chance.choice([50, 100, 120, 1000, 20000]) * chance.uniform(0.98, 1.02)
        self.phase = chance.uniform(0, 7)
        self.square = chance.random() < 0.5
        self.spikes = sorted(chance.uniform(0, LONG_MS * 1000) for _ in range(chance.randrange(40)))
        self.chance = chance

    def __call__(self, us):
        if self.sag is not None and self.sag <= us < self.sag + SAG_US:
            return self.depth
        if any(at <= us < at + 1 for at in self.spikes):
            return self.mean - 1500  # for a microsecond, as a relay's contact makes it
        wave = math.sin(us * self.hertz * math.tau / 1e6 + self.phase)
        if self.square:
            wave = 1 if wave > 0 else -1
        return self.mean + self.ripple * wave + self.noise * self.chance.uniform(-1, 1)


def looked_at(port, chance, sag, pause_us=0):
    """(sags counted, longest) while the loop asks every 50 ms. `pause_us`: how long nothing is sampled in each half
    second, as on a port that has no hard timers while its heap is collected."""
    bench.begin(port, chance.randrange(1, 1 << 32))
    bench.divider = WIRED[port]["divider"]
    bench.supply = Trace(chance, sag)
    power = Power(WIRED[port], LIMITS)
    sags = longest = 0
    paused = chance.randrange(10)
    for number in range(LONG_MS // 50):
        if pause_us and number == paused:
            bench.interrupts = False
            bench.advance(pause_us)
            bench.interrupts = True
        bench.advance((number + 1) * 50000 - bench.us)
        seen = power.window()
        sags += seen[3]
        longest = max(longest, seen[4])
    return sags, longest


@pytest.mark.parametrize("port", WIRED)
def test_a_sag_of_two_milliseconds_is_found_and_ripple_is_none(port, record_count, capsys):
    chance = random.Random(port)
    missed = false = wrong_length = 0
    half = TRACES // 2
    for _ in range(half):
        sags, longest = looked_at(port, chance, chance.uniform(1000, LONG_MS * 1000 - SAG_US - 1000))
        missed += sags == 0
        false += sags > 1
        wrong_length += sags == 1 and not 1 <= longest <= 4
    for _ in range(half):
        sags, _ = looked_at(port, chance, None)
        false += sags > 0
    record_count(
        f"sags of 2 ms on {port}",
        f"{missed} of {half} missed, {false} of {TRACES} traces with a false alarm, {wrong_length} with a length off by "
        "more than 2 ms",
    )
    assert missed == 0
    assert false <= TRACES // 200
    assert wrong_length <= TRACES // 200


def test_where_the_port_has_no_hard_timers_a_sag_within_a_pause_of_the_collector_is_missed(record_count):
    chance = random.Random(5)
    half = TRACES // 2
    missed = sum(
        looked_at("esp32", chance, chance.uniform(1000, LONG_MS * 1000 - SAG_US - 1000), 10000)[0] == 0
        for _ in range(half)
    )
    record_count(
        "sags of 2 ms on esp32 while the heap is collected for 10 ms each half second", f"{missed} of {half} missed"
    )
    assert missed <= half * 4 // 100  # the share of the time
