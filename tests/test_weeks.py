"""Weeks without a reset on a board, whose milliseconds are counted in 30 bits: after six days a moment seems to lie ahead."""

import asyncio

import pytest

from firmware_agent.safe import Safe
from hal import uptime
from hal.terminals.zvt import frame
from hal.terminals.zvt.gate import REFUND, Gate

from .device import test_board_network as shop
from .device.bench import ABOUT, SETTINGS, Paged, Ports
from .device.card_terminal import CardTerminal
from .device.fake_machine import bench
from .device.fake_network import air

_MASK, _HALF = (1 << 30) - 1, 1 << 29  # MicroPython's time module where small ints have 31 bits
DAY_MS = 86_400_000


class Counter:
    """A board's ticks; `pass_(ms)`: so long has passed."""

    now = _MASK - 5000

    def ticks_ms(self):
        return self.now & _MASK

    def ticks_add(self, ticks, delta):
        if not -_HALF < delta < _HALF:
            raise OverflowError
        return ticks + delta & _MASK

    def ticks_diff(self, later, earlier):
        return (later - earlier + _HALF & _MASK) - _HALF

    def pass_(self, ms):
        self.now += ms


@pytest.fixture
def counter(mocker):
    counter = Counter()
    for name in ("ticks_ms", "ticks_add", "ticks_diff"):
        for module in ("hal.ticks", "hal.uptime", "hal.micropython.wlan", "hal.micropython.interface"):
            mocker.patch(f"{module}.{name}", getattr(counter, name), create=True)
    return counter


@pytest.mark.parametrize("days", [1, 7, 13])
async def test_a_wlan_that_falls_after_days_is_joined_again_at_once(counter, days):
    one = shop.wlan("rp2")
    await one.probe()
    for _ in range(days):
        counter.pass_(DAY_MS)
        await one.probe()
    assert one._nic.tries == 1
    del air.networks["shop"]
    await one.probe()
    assert one._nic.tries == 2
    await one.probe()
    assert one._nic.tries == 2  # not twice in a quarter of a minute
    air.networks["shop"] = "secret key"
    assert (await one.probe()) is None and one._nic.isconnected()


async def test_the_time_is_asked_when_the_network_is_back_after_a_week(counter):
    port, server = await shop.serving(lambda question: b"\x1c\1" + bytes(38) + b"\xec\xae\x1d\x80" + bytes(4))
    one = shop.wlan("rp2", clock=shop.Clock(lambda: 0), time=shop.HOST, time_port=port)
    await one.probe()
    air.serves = False
    for _ in range(9):
        counter.pass_(DAY_MS)
        await one.probe()
    assert server.asked == 1
    air.serves = True
    bench.rtc = None
    await one.probe()
    assert server.asked == 2 and bench.rtc
    server.close()


class Line:
    """Serial port that hears nothing, and says so at once. `said`: what went out."""

    def __init__(self):
        self.said = b""

    async def read(self, timeout_ms):
        await asyncio.sleep(0)
        return b""

    async def write(self, data):
        self.said += data


class Keeper:
    def stops(self, kind):
        return kind == REFUND


async def weeks(counter, gate):
    """Two of them, in which the till says nothing; whether it ever seemed to be talking."""
    seen = []
    for _ in range(14):
        counter.pass_(DAY_MS)
        for _ in range(20):
            await asyncio.sleep(0)
        seen.append(gate.talking())
    return any(seen)


def open_gate():
    """(a Gate, the task that runs it)."""
    gate = Gate(Line(), Line(), True, {"password": 0, "currencies": {}, "config": 0, "t3_ms": 5000, "t4_ms": 180000})
    return gate, asyncio.create_task(gate.run(Keeper()))


async def test_a_till_that_is_silent_for_weeks_leaves_the_terminal_to_the_agent(counter):
    gate, task = open_gate()
    await asyncio.sleep(0)
    await gate._pass(frame.pack(bytes.fromhex("060000")))  # never answered
    assert gate.talking()
    assert not await weeks(counter, gate)
    task.cancel()


async def test_a_frame_that_lost_its_end_weeks_ago_lets_no_refund_pass(counter):
    """The refund that follows begins in what its scan would take for that end."""
    gate, task = open_gate()
    await asyncio.sleep(0)
    before = frame.pack(bytes.fromhex("060000"))[:-2]
    await gate._pass(before)
    for _ in range(7):
        counter.pass_(DAY_MS)
        for _ in range(20):
            await asyncio.sleep(0)
    await gate._pass(frame.pack(bytes.fromhex("063100")))
    gate._task.cancel()
    task.cancel()
    assert gate.serving and gate.terminal.said == before


async def test_an_agent_in_safe_mode_counts_its_weeks(counter):
    ports = Ports(CardTerminal(), Paged(16384, 4096))
    ports.clock = uptime.Clock()
    agent = Safe(ports, SETTINGS, ABOUT)
    for _ in range(14):
        counter.pass_(DAY_MS)
        task = asyncio.create_task(agent._pulse())  # whose next turn it begins with
        await asyncio.sleep(0)
        task.cancel()
    assert agent.clock.uptime_ms() == 14 * DAY_MS
