"""The watchers: when a reading becomes a state, and when the state changes back."""

from firmware_agent.dates import day_of
from firmware_agent.journal import Full
from firmware_agent.snapshot import Snapshot
from firmware_agent.starts import told
from firmware_agent.watch.climate import ClimateWatch
from firmware_agent.watch.clock import ClockWatch
from firmware_agent.watch.device import DeviceWatch
from firmware_agent.watch.line import LineWatch
from firmware_agent.watch.network import NetworkWatch
from firmware_agent.watch.power import PowerWatch
from firmware_agent.watch.terminal import TerminalWatch
from firmware_agent.wire.bodies import REASONS
from hal.said import TerminalStatus

from .bench import SETTINGS, Clock, Network, Power, Thermometer, Watchdog
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


def test_the_ripple_is_the_highest_less_the_lowest_of_the_window():
    supply = Supply()
    supply.see(5000)
    assert supply.snapshot.get("supply_ripple_mv") == 0
    supply.see(5100, 4900, 5000)
    assert supply.snapshot.get("supply_ripple_mv") == 200
    supply.see(*[5000] * 8)
    assert supply.snapshot.get("supply_ripple_mv") == 0


def test_a_meter_that_breaks_is_unknown_until_it_works_again():
    supply = Supply()
    supply.see(5000, 5000, 5000, 5000)
    supply.power.broken = True
    assert supply.see(5000) is None and supply.snapshot.get("supply_mv") is None
    supply.power.broken = False
    assert supply.see(5000) == 1


def test_the_battery_is_looked_at_once_a_window_and_leaves_the_terminals_alone():
    supply = Supply()
    value = lambda: supply.snapshot.get("battery_percent")  # noqa: E731
    supply.see(5000)
    assert value() is None and "battery_percent" in supply.snapshot.values
    supply.snapshot.put("battery_percent", 70)  # the terminal told of one of its own
    supply.see(*[5000] * 20)
    assert value() == 70
    supply.power.percent = 55
    supply.see(*[5000] * 8)
    assert value() == 55
    supply.power.percent = None
    supply.see(*[5000] * 8)
    assert value() is None
    supply.power.percent = 50
    supply.see(*[5000] * 8)
    supply.power.broken = True
    supply.see(*[5000] * 8)
    assert value() is None


class Counts:
    """A history that keeps counters. `full`, `broken`: its journal takes no record."""

    class journal:
        newest = 0
        sectors = 4

    full = broken = False
    boots = ()

    def __init__(self):
        self.counters = {}
        self.written = []

    def count(self, counter, value):
        if self.full:
            raise Full()
        if self.broken:
            raise OSError(5)
        assert value >= self.counters.get(counter, 0)
        self.counters[counter] = value
        self.written.append((counter, value))


class Aged(Supply):
    """A supply that is looked at for minutes, its window filled anew in each."""

    def __init__(self, counts):
        super().__init__()
        self.counts = counts
        self.watch = PowerWatch(self.power, SETTINGS["power"], self.snapshot, self.said, counts)

    def minutes(self, many, mv):
        for _ in range(many):
            self.see(*[mv] * 8)
            self.snapshot.clock.now += 60000
        return self.snapshot.get("supply_drift_mv")


def test_the_first_hour_of_a_new_device_is_journaled_once():
    supply = Aged(Counts())
    supply.minutes(59, 5010)
    assert supply.counts.written == []
    supply.minutes(2, 5010)
    assert supply.counts.written == [(5, 5010)]
    assert supply.minutes(300, 4950) > 0
    assert supply.counts.written == [(5, 5010)]


def test_an_hour_with_a_sag_in_it_is_not_that_of_a_new_device():
    supply = Aged(Counts())
    supply.minutes(50, 5010)
    supply.minutes(1, 4100)
    supply.minutes(59, 5020)
    assert supply.counts.written == []
    supply.minutes(3, 5020)
    assert supply.counts.written == [(5, 5020)]


def test_a_journal_that_fails_is_asked_again_a_minute_later():
    for fault in ("full", "broken"):
        supply = Aged(Counts())
        setattr(supply.counts, fault, True)
        supply.minutes(70, 5000)
        assert supply.counts.written == [] and supply.snapshot.get("supply_drift_mv") is None
        setattr(supply.counts, fault, False)
        supply.minutes(2, 5000)
        assert supply.counts.written == [(5, 5000)]


def test_a_worn_supply_shows_how_far_it_fell_after_ten_minutes_and_follows_over_hours():
    supply = Aged(Counts())
    supply.counts.counters[5] = 5000
    assert supply.minutes(10, 4800) is None
    assert supply.minutes(1, 4800) == 200
    assert supply.minutes(1, 4700) > 200  # the mean of few minutes moves fast,
    supply.minutes(300, 4800)
    before = supply.snapshot.get("supply_drift_mv")
    assert supply.minutes(1, 4700) - before <= 1  # that of hours hardly
    assert 290 <= supply.minutes(2000, 4700) <= 301
    assert -60 <= supply.minutes(2000, 5050) <= -49  # it may be better than new
    assert supply.counts.written == []


def test_minutes_with_sags_say_nothing_of_ageing():
    supply = Aged(Counts())
    supply.counts.counters[5] = 5000
    supply.minutes(20, 5000)
    assert supply.minutes(100, 4100) == 0


def test_without_a_history_nothing_is_said_of_ageing():
    supply = Supply()
    for _ in range(100):
        supply.see(*[5000] * 8)
        supply.snapshot.clock.now += 60000
    assert "supply_drift_mv" not in supply.snapshot.values


# ---- climate ----
class Room:
    def __init__(self, **settings):
        self.thermometer, self.snapshot, self.said = Thermometer(), snapshot(), Said()
        self.watch = ClimateWatch(self.thermometer, settings, self.snapshot, self.said)

    def see(self, *degrees):
        for self.thermometer.warm in degrees:
            self.watch.sample()
        return self.snapshot.get("temperature_c")


def test_the_temperature_is_bad_beyond_its_limits_and_good_two_degrees_within():
    room = Room()
    assert room.see(24, 0, 50) == 50 and room.said.names == []
    room.see(51)
    assert room.said.names == ["temperature_bad"]
    room.see(50, 49)
    assert len(room.said.names) == 1
    room.see(48)
    assert room.said.names == ["temperature_bad", "temperature_good"]
    room.see(-1, 0, 1)
    assert room.said.names[2:] == ["temperature_bad"]
    room.see(2)
    assert room.said.names[3:] == ["temperature_good"]


def test_a_board_may_have_other_limits():
    room = Room(low_c=-20, high_c=70)
    room.see(-20, 70)
    assert room.said.names == []
    room.see(71)
    assert room.said.names == ["temperature_bad"]


def test_a_thermometer_that_is_absent_or_broken_is_unknown():
    room = Room()
    room.see(24)
    assert room.see(None) is None
    room.see(24)
    room.thermometer.broken = True
    assert room.see(24) is None
    room.thermometer.broken = False
    assert room.see(25) == 25 and room.said.names == []
    none = Room()
    assert none.see(None) is None and "temperature_c" in none.snapshot.values
    none.snapshot.put("temperature_c", 31)  # the terminal has one of its own
    assert none.see(None, None) == 31


# ---- serial line ----
class Line:
    """A terminal whose line was counted."""

    told = (0, 0)

    def __init__(self):
        self.snapshot, self.said = snapshot(), Said()
        self.watch = LineWatch(self, {}, self.snapshot, self.said)

    def counters(self):
        return self.told

    def see(self, frames, errors, seconds=10):
        """(line_frames, line_errors) after so many more of each."""
        self.snapshot.clock.now += seconds * 1000
        self.told = (self.told[0] + frames, self.told[1] + errors)
        self.watch.sample()
        return self.snapshot.get("line_frames"), self.snapshot.get("line_errors")


def test_frames_and_errors_count_for_ten_minutes_and_no_longer():
    line = Line()
    assert line.see(100, 4) == (100, 4)
    for _ in range(53):
        assert line.see(0, 0) == (100, 4)
    for _ in range(7):
        seen = line.see(0, 0)
    assert seen == (0, 0)
    assert line.see(10, 1) == (10, 1)
    assert line.see(10, 0, 300) == (20, 1)
    assert line.see(5, 0, 7200) == (0, 0)  # what came since the last look may be old
    assert line.see(7, 0) == (7, 0)


def test_a_line_is_bad_from_three_errors_and_five_percent_and_good_at_half_of_that():
    line = Line()
    line.see(10, 2)
    assert line.said.names == []  # two errors say nothing of a cable
    line.see(50, 1)
    assert line.said.names == []  # three of 60 are 5 percent
    line.see(0, 1)
    assert line.said.names == ["line_bad"]
    line.see(99, 0)  # four of 159
    assert line.said.names == ["line_bad"]
    line.see(1, 0)
    assert line.said.names == ["line_bad", "line_good"]


def test_three_errors_of_few_frames_are_bad_and_two_of_them_are_not_yet_good():
    line = Line()
    line.see(1, 1)
    line.see(0, 0, 240)
    line.see(5, 1)
    assert line.said.names == []
    line.see(4, 1)
    assert line.said.names == ["line_bad"]
    for _ in range(6):
        seen = line.see(0, 0, 60)
    assert seen == (9, 2) and line.said.names == ["line_bad"]
    line.see(0, 0, 600)
    assert line.said.names == ["line_bad", "line_good"]


def test_without_a_line_there_is_nothing_to_count():
    line = Line()
    line.see(10, 5)
    line.told = None
    line.watch.sample()
    assert line.snapshot.get("line_frames") is None and line.snapshot.get("line_errors") is None
    assert "line_frames" in line.snapshot.values


# ---- the device itself ----
class Board:
    def __init__(self, reason="power_on", counts=None):
        self.watchdog, self.snapshot, self.counts = Watchdog(), snapshot(), counts or Counts()
        self.watchdog.reason = reason
        self.clock = self.snapshot.clock
        self.boot()

    def boot(self):
        reason = REASONS.split().index(told(self.watchdog))
        self.watch = DeviceWatch(self.counts, reason, self.snapshot, Said(), self.clock)
        self.watch.boot()

    def see(self, name):
        self.watch.sample()
        return self.snapshot.get(name)


def test_crashes_and_bites_of_the_watchdog_are_counted_over_boots_and_nothing_else():
    counts = Counts()
    for reason, crashes in (
        ("power_on", 0),
        ("crash", 1),
        ("reset", 1),
        ("watchdog", 2),
        ("watchdog", 3),
        ("brown_out", 3),
        ("crash", 4),
        ("watchdog", 5),
        (None, 5),
        ("power_on", 5),
    ):
        board = Board(reason, counts)
        assert board.see("crashes") == crashes, reason
        assert board.see("crashes") == crashes
    assert counts.counters == {3: 3, 4: 2}


def test_without_a_watchdog_nobody_knows_of_crashes():
    board = Board(None)
    assert board.see("crashes") is None and "crashes" in board.snapshot.values
    assert board.counts.counters == {}


def test_a_watchdog_or_a_journal_that_breaks_does_not_keep_the_agent_from_starting():
    for fault in ("full", "broken"):
        counts = Counts()
        setattr(counts, fault, True)
        assert Board("crash", counts).see("crashes") == 0
    board = Board()
    board.watchdog.broken = True
    board.boot()
    assert board.see("crashes") is None


def test_boots_of_the_last_seven_days_are_counted():
    now = 1790000000
    week = 7 * 86400
    board = Board()
    board.counts.boots = [now - week - 1, now - week, now - 5, None, now, now + week, now + week + 1]
    assert board.see("reboots") is None  # the clock was never set
    board.clock.wall = now
    assert board.see("reboots") == 4
    board.counts.boots = []
    assert board.see("reboots") == 0


def test_the_wear_is_that_of_the_journals_sectors():
    board = Board()
    for newest, percent in ((-1, 0), (0, 0), (3999, 0), (4000, 1), (200000, 50), (400000, 100), (800000, 200)):
        board.counts.journal.newest = newest
        assert board.see("wear_percent") == percent, newest
    board.counts.journal.newest = 0
    board.watch.endurance = None
    assert board.see("wear_percent") is None


# ---- clock ----
NOON = day_of(20261124) * 86400 + 12 * 3600


class Watched:
    def __init__(self, wall=NOON):
        self.snapshot, self.said = snapshot(), Said()
        self.clock = self.snapshot.clock
        self.clock.wall = wall
        self.watch = ClockWatch(self.clock, self.snapshot, self.said)

    def drift(self, ahead):
        self.watch.told(NOON - ahead)
        return self.snapshot.get("clock_drift_s")


def test_the_drift_is_our_clock_less_the_references_and_said_once_when_it_is_wrong():
    watched = Watched()
    assert watched.drift(0) == 0 and watched.drift(120) == 120 and watched.drift(-120) == -120
    assert watched.said.names == []
    assert watched.drift(121) == 121 and watched.drift(-5000) == -5000
    assert watched.said.names == ["clock_wrong"]
    watched.drift(3)
    watched.drift(-121)
    assert watched.said.names == ["clock_wrong", "clock_wrong"]


def test_a_clock_that_was_never_set_has_no_drift():
    watched = Watched(None)
    assert watched.drift(0) is None and watched.said.names == []


class OfABoard(Watched):
    """A clock that can be set."""

    def __init__(self, wall):
        super().__init__(wall)
        self.clock.set = self._set

    def _set(self, wall_s):
        self.clock.wall = wall_s

    def drift(self, ahead, computer=True):
        self.watch.told(NOON - ahead, computer)
        return self.snapshot.get("clock_drift_s")


def test_a_boards_clock_that_was_never_set_is_set_by_the_first_computer_and_then_held_against_others():
    watched = OfABoard(None)
    for wall_s in (0, 1704067199, 4102444800, 1 << 40):  # years that its clock does not know
        watched.watch.told(wall_s, True)
        assert watched.clock.wall_s() is None and watched.snapshot.get("clock_drift_s") is None
    assert watched.drift(0, computer=False) is None
    assert watched.drift(0) == 0 and watched.clock.wall_s() == NOON
    assert watched.drift(5000) == 5000 and watched.clock.wall_s() == NOON
    assert watched.said.names == ["clock_wrong"]


def test_a_boards_clock_that_goes_a_little_wrong_is_put_right_by_a_computer_and_by_nobody_else():
    for ahead in (3, -3, 120, -120):
        watched = OfABoard(NOON)
        assert watched.drift(ahead, computer=False) == ahead and watched.clock.wall_s() == NOON
        assert watched.drift(ahead) == 0 and watched.clock.wall_s() == NOON - ahead
    for ahead in (0, 2, -2, 121, -121):
        watched = OfABoard(NOON)
        assert watched.drift(ahead) == ahead and watched.clock.wall_s() == NOON


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


UP, DOWN = (1, 1, 38, 1, 1, 80), (1, 1, -1, 1, None, 80)


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
    for reading in ((0, 1, 38, 1, 1, 80), (1, 0, 38, 1, 1, 80), DOWN, "broken"):
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
    for name in ("dns", "tls", "signal", "loss", "failures", "link", "address"):
        assert "network_" + name in host.snapshot.values and host.snapshot.get("network_" + name) is None


async def test_name_certificate_and_signal_are_shown_as_they_were_seen():
    host = Host()
    value = host.snapshot.get
    await host.see((1, 1, 38, 1, 0, 42))
    assert (value("network_dns"), value("network_tls"), value("network_signal")) == (1, 0, 42)
    assert value("network_ok") == 1  # a certificate that is not valid is another cause
    await host.see("broken")
    assert (value("network_dns"), value("network_tls"), value("network_signal")) == (0, None, None)


async def test_the_loss_is_counted_over_the_last_twenty_probes():
    host = Host()
    loss = lambda: host.snapshot.get("network_loss")  # noqa: E731
    await host.see(UP)
    assert loss() == 0
    await host.see(DOWN)
    assert loss() == 50
    await host.see(DOWN)
    assert loss() == 66
    await host.see(*[UP] * 17)
    assert loss() == 10  # 2 of 20
    await host.see(UP)
    assert loss() == 10  # the first one, which was up, left
    await host.see(UP)
    assert loss() == 5
    await host.see(UP)
    assert loss() == 0
    await host.see(*[DOWN] * 50)
    assert loss() == 100
    await host.see(None, UP)
    assert loss() == 0  # what was before the network was absent does not count


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


async def test_a_code_that_says_nobody_logged_on_is_answered_by_logging_on():
    counter = Counter()
    asked = []

    async def register():
        asked.append(1)
        return True

    counter.terminal.register = register
    counter.terminal.unregistered = 0x6B
    await counter.watch.sample()
    counter.watch.heard(0x6B)
    assert counter.snapshot.get("host_code") == 0x6B
    for _ in range(2):
        await counter.watch.sample()
        assert len(asked) == 2 and counter.snapshot.get("host_code") is None
    counter.watch.heard(0x6C)
    await counter.watch.sample()
    assert len(asked) == 2 and counter.snapshot.get("host_code") == 0x6C


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


# ---- what the terminal tells besides ----
async def test_what_a_terminal_tells_is_shown_and_gone_when_it_tells_it_no_more():
    counter = Counter()
    told = {"terminal_model": "X1", "terminal_offline": 2, "temperature_c": 31}

    async def enquire():
        return TerminalStatus(0, False, "2.14", 0, 0, told)

    counter.terminal.enquire = enquire
    await counter.watch.sample()
    value = counter.snapshot.get
    assert (value("terminal_model"), value("terminal_offline"), value("temperature_c")) == ("X1", 2, 31)
    told = {"terminal_model": "X1"}
    await counter.watch.sample()
    assert (value("terminal_model"), value("terminal_offline"), value("temperature_c")) == ("X1", None, None)


async def test_whether_it_let_us_log_on_is_shown_and_a_refusal_is_asked_again():
    counter = Counter()
    asked = []
    answers = [None, False, True]

    async def register():
        asked.append(1)
        return answers[min(len(asked), len(answers)) - 1]

    counter.terminal.register = register
    for registered in (None, 0, 1, 1, 1):
        await counter.watch.sample()
        assert counter.snapshot.get("terminal_registered") == registered
    assert len(asked) == 3
    counter.terminal.misses = 1
    await counter.watch.sample()
    await counter.watch.sample()
    assert len(asked) == 4  # whoever was away may have forgotten


class Ill(Counter):
    """A terminal whose causes are those of ZVT, looked at each ten seconds."""

    def __init__(self):
        super().__init__()
        self.terminal.cause = lambda code: {0xFF: 1, 0x89: 10, 0xC1: 13, 0xFE: 0}.get(code, 43)

    async def see(self, code, misses=0):
        self.terminal.code = code
        self.terminal.misses = misses
        self.snapshot.clock.now += 10000
        await self.watch.sample()
        return self.snapshot.get("terminal_fault_s")


async def test_how_long_a_fault_stands_is_counted_from_when_it_was_first_seen():
    for code in (0xFF, 0x89, 0xC1, 0xFE):
        ill = Ill()
        assert await ill.see(0) is None
        assert await ill.see(code) == 0
        assert await ill.see(code) == 10
        ill.terminal.busy_for = 1
        assert await ill.see(code) == 10  # at work: what was said of it still stands
        assert await ill.see(0xFF) == 30
        assert await ill.see(0) is None
        assert await ill.see(code) == 0
    ill = Ill()
    assert await ill.see(0x6C) is None  # no fault that a restart would mend


async def test_locks_of_parts_are_faults_and_others_are_not():
    for bit in range(16):
        ill = Ill()

        async def enquire(bit=bit):
            return TerminalStatus(0, False, "2.14", 1 << bit, 0)

        ill.terminal.enquire = enquire
        assert await ill.see(0) == (0 if bit in (3, 4, 8, 9, 13, 14) else None), bit


async def test_a_fault_that_a_restart_did_not_mend_is_no_more_a_reason_to_restart():
    ill = Ill()
    await ill.see(0xFF)
    assert await ill.see(0xFF) == 10
    await ill.see(0xFF, misses=1)
    assert await ill.see(0xFF) == 30  # one enquiry was lost: that is no restart
    for _ in range(2):
        await ill.see(0xFF, misses=1)
    assert await ill.see(0xFF) is None
    assert await ill.see(0xFF) is None
    assert await ill.see(0) is None
    assert await ill.see(0xFF) == 0  # a new one
    # a terminal that was away before its fault was seen has not been restarted for it
    fresh = Ill()
    await fresh.see(0, misses=1)
    await fresh.see(0, misses=1)
    assert await fresh.see(0xFF) == 0
    assert await fresh.see(0xFF) == 10


async def test_the_terminals_number_comes_from_its_receipts():
    counter = Counter()
    counter.terminal.does(1999).terminal_id = "52001233"
    await counter.watch.look_at_receipt()
    assert counter.snapshot.get("terminal_id") == "52001233"
    counter.terminal.does(1999)
    await counter.watch.look_at_receipt()
    assert counter.snapshot.get("terminal_id") == "52001233"  # it does not change by not being told


class Timed(Counter):
    """A terminal beside a clock."""

    def __init__(self, wall=NOON):
        super().__init__()
        self.clock = self.snapshot.clock
        self.clock.wall = wall
        reference = ClockWatch(self.clock, self.snapshot, self.said)
        self.watch = TerminalWatch(self.terminal, {}, self.snapshot, self.said, self.history, reference)

    async def drift(self, date, time, seconds=10):
        """clock_drift_s after a look, and one at a new receipt of this date and time."""
        await self.watch.look_at_receipt()
        receipt = self.terminal.does(1999)
        receipt.date, receipt.time = date, time
        self.clock.now += seconds * 1000
        await self.watch.look_at_receipt()
        return self.snapshot.get("clock_drift_s")


async def test_a_new_receipt_tells_what_time_it_is_in_whatever_zone():
    for date, time, drift in (
        (1124, 120000, 0),
        (1124, 115950, 10),
        (1124, 130000, 0),
        (1124, 125500, 300),
        (1124, 130500, -300),
        (1124, 174500, 0),  # Nepal
        (1125, 20000, 0),  # fourteen hours ahead
        (1123, 220000, 0),  # fourteen behind
        (1125, 21500, -900),  # no zone is that far
        (1123, 214500, 900),
        (1125, 120000, -36000),
        (1024, 120000, 31 * 86400 - 14 * 3600),
    ):
        timed = Timed()
        assert await timed.drift(date, time) == drift, (date, time)
        assert ("clock_wrong" in timed.said.names) == (abs(drift) > 120)


async def test_the_year_of_a_receipt_is_the_one_that_brings_it_closest():
    new_year = day_of(20270101) * 86400
    assert await Timed(new_year + 30).drift(1231, 235950) == 40
    assert await Timed(new_year - 30).drift(101, 10) == -40
    assert await Timed(new_year + 30).drift(101, 10000) == 30


async def test_a_receipt_that_may_be_old_or_tells_no_time_says_nothing():
    for change in (
        "first",
        "late",
        "no date",
        "no time",
        "bad date",
        "bad month",
        "bad time",
        "our clock",
        "no reference",
    ):
        timed = Timed()
        date, time, seconds = 1124, 113000, 10
        if change == "late":
            seconds = 61
        elif change == "no date":
            date = None
        elif change == "no time":
            time = None
        elif change == "bad date":
            date = 0
        elif change == "bad month":
            date = 1301
        elif change == "bad time":
            time = 240000
        elif change == "our clock":
            timed.clock.wall = None
        elif change == "no reference":
            timed.watch.reference = None
        if change == "first":  # it was there before we came
            timed.terminal.does(1999)
            await timed.watch.look_at_receipt()
        else:
            await timed.drift(date, time, seconds)
        assert timed.snapshot.get("clock_drift_s") is None, change
        if change == "late":
            assert await timed.drift(date, time, 60) == 0


async def test_the_same_receipt_tells_the_time_once():
    timed = Timed()
    assert await timed.drift(1124, 120000) == 0
    timed.clock.wall += 600
    timed.clock.now += 10000
    await timed.watch.look_at_receipt()
    assert timed.snapshot.get("clock_drift_s") == 0
