"""The watchers: when a reading becomes a state, and when the state changes back."""

from firmware_agent.snapshot import Snapshot
from firmware_agent.watch.network import NetworkWatch
from firmware_agent.watch.power import PowerWatch
from firmware_agent.watch.terminal import TerminalWatch

from .bench import SETTINGS, Clock, Network, Power
from .card_terminal import CardTerminal


class Said:
    """A ring that keeps names alone."""

    def __init__(self):
        self.names = []

    def add(self, name, numbers=None):
        self.names.append(name)


def snapshot():
    return Snapshot(Clock())


# ---- power: window of 8 samples, 4600..5500 mV, margin 50 ----
class Supply:
    def __init__(self):
        self.power, self.snapshot, self.said = Power(), snapshot(), Said()
        self.watch = PowerWatch(self.power, SETTINGS["power"], self.snapshot, self.said)

    def see(self, *samples):
        """supply_ok after these samples."""
        for mv in samples:
            self.power.mv = mv
            self.watch.sample()
        return self.snapshot.get("supply_ok")


def test_a_supply_is_called_stable_only_after_four_good_samples():
    supply = Supply()
    assert supply.see(5000, 5000, 5000) is None
    assert supply.see(5000) == 1
    assert supply.said.names == []  # nothing happened


def test_one_sample_out_of_range_is_unstable_at_once():
    for bad in (4599, 5501, 0):
        supply = Supply()
        assert supply.see(5000, 5000, 5000, 5000) == 1
        assert supply.see(bad) == 0
        assert supply.said.names == ["supply_unstable"]
        first = Supply()
        assert first.see(bad) == 0


def test_the_limits_themselves_are_in_range():
    supply = Supply()
    assert supply.see(4600, 5500, 4600, 5500) == 1


def test_it_is_stable_again_only_after_a_whole_window_in_range_by_the_margin():
    supply = Supply()
    supply.see(5000, 5000, 5000, 5000, 4100)
    for _ in range(7):
        assert supply.see(5000) == 0
    assert supply.see(5000) == 1
    assert supply.said.names == ["supply_unstable", "supply_stable"]
    supply.see(4100)
    for _ in range(8):
        assert supply.see(4649) == 0  # in range, within the margin
    for _ in range(7):
        assert supply.see(4650) == 0
    assert supply.see(4650) == 1
    supply.see(5600)
    for _ in range(20):
        assert supply.see(5451) == 0
    assert supply.said.names[-1] == "supply_unstable"


def test_the_window_shows_its_extremes_and_counts_sags_not_samples():
    supply = Supply()
    supply.see(5000, 4500, 4400, 5000, 4550, 5100, 5000)
    value = supply.snapshot.get
    assert (value("supply_mv"), value("supply_min_mv"), value("supply_max_mv")) == (5000, 4400, 5100)
    assert value("supply_sags") == 2
    supply.see(*[5000] * 4)
    assert value("supply_sags") == 1 and value("supply_min_mv") == 4550  # the first one left the window
    supply.see(*[5000] * 8)
    assert value("supply_sags") == 0


def test_an_absent_meter_is_unknown_and_not_the_last_value():
    supply = Supply()
    assert supply.see(5000, 5000, 5000, 5000) == 1
    assert supply.see(None) is None
    assert supply.snapshot.get("supply_mv") is None


def test_a_reading_beyond_the_windows_range_is_kept_as_too_high():
    supply = Supply()
    assert supply.see(70000) == 0
    assert supply.snapshot.get("supply_max_mv") > 60000


# ---- network ----
class Host:
    def __init__(self):
        self.network, self.snapshot, self.said = Network(), snapshot(), Said()
        self.watch = NetworkWatch(self.network, {}, self.snapshot, self.said)

    async def see(self, *readings):
        """network_ok after these; an OSError for "broken"."""
        soon = None
        for reading in readings:
            self.network.broken = reading == "broken"
            self.network.reading = reading
            soon = await self.watch.sample()
        self.soon = soon
        return self.snapshot.get("network_ok")


UP, DOWN = (1, 1, 38), (1, 1, -1)


async def test_the_first_reading_of_the_network_counts():
    assert await Host().see(UP) == 1
    assert await Host().see(DOWN) == 0


async def test_two_failures_in_a_row_make_it_down_and_two_successes_up():
    host = Host()
    assert await host.see(UP, DOWN) == 1
    assert host.soon == 1000  # looked at again soon
    assert await host.see(UP, DOWN, UP, DOWN) == 1
    assert await host.see(DOWN) == 0
    assert await host.see(UP, DOWN, UP) == 0
    assert await host.see(UP) == 1
    assert host.soon is None
    assert host.said.names == ["network_down", "network_up"]


async def test_no_carrier_no_address_no_host_and_a_broken_driver_are_all_down():
    for reading in ((0, 1, 38), (1, 0, 38), (1, 1, -1), "broken"):
        host = Host()
        await host.see(UP)
        assert await host.see(reading, reading) == 0
        assert host.snapshot.get("network_failures") == 2
        await host.see(UP)
        assert host.snapshot.get("network_failures") == 0


async def test_an_absent_network_is_unknown():
    host = Host()
    await host.see(UP)
    assert await host.see(None) is None
    assert host.snapshot.get("network_host_ms") is None


# ---- terminal ----
class Nothing:
    """A history that knows no refund and remembers the sales it is given."""

    def __init__(self):
        self.open = {}
        self.sales = []
        self.ours = ()

    def is_no_sale(self, receipt):
        return receipt.receipt in self.ours

    def record_sale(self, receipt):
        self.sales.append(receipt.amount)


class Counter:
    def __init__(self):
        self.terminal, self.snapshot, self.said, self.history = CardTerminal(), snapshot(), Said(), Nothing()
        self.watch = TerminalWatch(self.terminal, {}, self.snapshot, self.said, self.history)

    def ok(self):
        return self.snapshot.get("terminal_ok")


async def test_silence_counts_after_two_enquiries_and_one_answer_ends_it():
    counter = Counter()
    assert await counter.watch.sample() and counter.ok() == 1
    counter.terminal.misses = 2
    assert not await counter.watch.sample()
    assert counter.ok() == 1 and counter.snapshot.get("terminal_silent") == 1
    assert not await counter.watch.sample()
    assert counter.ok() == 0 and counter.snapshot.get("terminal_silent") == 2
    assert await counter.watch.sample()
    assert counter.ok() == 1 and counter.snapshot.get("terminal_silent") == 0
    assert counter.said.names == ["terminal_version", "terminal_ready", "terminal_silent", "terminal_ready"]


async def test_a_fault_counts_at_once_and_is_said_once():
    counter = Counter()
    await counter.watch.sample()
    counter.terminal.code = 0xDF
    for _ in range(3):
        assert await counter.watch.sample()  # it is idle, if ill
    assert counter.ok() == 0 and counter.snapshot.get("terminal_code") == 0xDF
    counter.terminal.code = 0
    await counter.watch.sample()
    assert counter.ok() == 1
    assert counter.said.names[1:] == ["terminal_ready", "terminal_fault", "terminal_ready"]


async def test_a_terminal_at_work_is_not_idle():
    counter = Counter()
    counter.terminal.busy_for = 1
    assert not await counter.watch.sample()
    assert await counter.watch.sample()


async def test_a_sale_seen_as_last_receipt_is_remembered_once():
    counter = Counter()
    counter.terminal.does(1999)
    for _ in range(3):
        await counter.watch.look_at_receipt()
    assert counter.history.sales == [1999]
    assert counter.snapshot.get("terminal_receipt") == 1
    assert counter.said.names == ["terminal_receipt"]


async def test_our_refunds_reversals_failures_and_receipts_in_doubt_are_no_sales():
    for change in ("ours", "reversal", "code", "open", "no amount"):
        counter = Counter()
        receipt = counter.terminal.does(1999)
        if change == "ours":
            counter.history.ours = (1,)
        elif change == "reversal":
            receipt.reversal = True
        elif change == "code":
            receipt.code = 0x6C
        elif change == "open":
            counter.history.open["k"] = None
        else:
            receipt.amount = None
        await counter.watch.look_at_receipt()
        assert counter.history.sales == [], change
        assert counter.snapshot.get("terminal_receipt") == 1


async def test_a_sale_first_seen_while_a_refund_was_open_is_remembered_when_it_is_settled():
    counter = Counter()
    counter.terminal.does(1999)
    counter.history.open["k"] = None
    await counter.watch.look_at_receipt()
    counter.history.open.clear()
    await counter.watch.look_at_receipt()
    assert counter.history.sales == [1999]


async def test_an_empty_terminal_shows_no_receipt():
    counter = Counter()
    assert await counter.watch.look_at_receipt() is None
    assert counter.snapshot.get("terminal_receipt") is None
