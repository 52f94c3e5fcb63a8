"""Why the agent booted, what it leaves of a crash, and what it does when it crashes over and over.

HEAP: the agent, its flash, the terminal and these tests stand side by side.
"""

import os

from firmware_agent import crash
from firmware_agent.agent import Agent
from firmware_agent.safe import Safe
from firmware_agent.service import Service
from firmware_agent.starts import MOST, Starts, stand, told
from firmware_agent.wire import cbor, smp
from firmware_agent.wire.bodies import BITES, BOOT, CRASH, CRASHES, REASONS
from firmware_agent.wire.errors import error_name
from firmware_agent.wire.messages import (
    ATTEST,
    EVENTS_SINCE,
    GROUP,
    HOLD,
    JOURNAL,
    POLICY_PUT,
    PREFLIGHT,
    READ,
    REFUND,
    SETTLE,
    STATUS,
    WRITE,
)
from firmware_agent.wire.tool_messages import CRASH as ASK_CRASH
from firmware_agent.wire.tool_messages import LINK, MANIFEST
from hal import none
from hal.said import PowerCut

from .bench import ABOUT, SETTINGS, Paged, Ports, Watchdog
from .card_terminal import CardTerminal
from .chance import Chance

HEAP = "256k"

WORDS = REASONS.split()


class Disk:
    """Small files in memory, in the place of os and open. `full`: nothing can be written; `writes`: so many were."""

    def __init__(self):
        self.files = {}
        self.full = False
        self.writes = 0

    def open(self, path, mode):
        if "w" in mode and self.full:
            raise OSError(28)
        if "r" in mode and path not in self.files:
            raise OSError(2)
        return _File(self, path)

    def remove(self, path):
        if self.files.pop(path, None) is None:
            raise OSError(2)


class _File:
    def __init__(self, disk, path):
        self.disk = disk
        self.path = path

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def read(self, size):
        return self.disk.files[self.path][:size]

    def write(self, data):
        self.disk.writes += 1
        self.disk.files[self.path] = data


class Board:
    """What keeps its memory while agents come and go: flash and files."""

    def __init__(self):
        self.disk = Disk()
        self.flash = Paged(16384, 4096)
        self.terminal = CardTerminal()
        self.made = []  # whether each boot built all its drivers

    def starts(self, release="7"):
        return Starts("/state", release, self.disk, self.disk.open)

    def ports(self, safe):
        self.made.append(not safe)
        ports = Ports(none.Terminal() if safe else self.terminal, self.flash)
        if safe:
            for name in ("Power", "Network", "Light", "Thermometer"):
                setattr(ports, name.lower(), getattr(none, name)())
        return ports

    def boot(self, reason, release="7"):
        """The agent that stands after a boot for this reason, as the hardware tells it."""
        watchdog = Watchdog()
        watchdog.reason = reason
        return stand(self.starts(release), told(watchdog), self.ports, SETTINGS, ABOUT)

    def kept(self):
        return self.disk.files.get("/state/starts", b"").decode()

    def records(self, kind, flash=None):
        from firmware_agent.history import History

        journal = History(flash or self.flash, Ports(None).clock).journal
        found = []
        for generation in range(journal.oldest, journal.newest + 1):
            for body in journal.bodies(generation):
                if body[1] == kind:
                    found.append(cbor.decode(body))
        return found


def runs(agent, seconds):
    for _ in range(seconds):
        agent.health.turned()


def fault(deep=0):
    if deep:
        return fault(deep - 1)
    raise ValueError("no such thing")


def error_of(call, *args):
    try:
        call(*args)
    except Exception as error:
        return error
    raise AssertionError


# ---- reasons ----
def test_every_reason_that_hardware_tells_is_journaled_by_its_word():
    board = Board()
    expected = []
    for said, word in (
        ("power_on", "power_on"),
        ("reset", "reset"),
        ("brown_out", "brown_out"),
        ("watchdog", "watchdog"),
        ("crash", "fault"),
        (None, "unknown"),
        ("something newer", "unknown"),
    ):
        agent = board.boot(said)
        expected.append(word)
        assert WORDS[agent.snapshot.get("reset_reason")] == word, said
        runs(agent, 60)
    assert [WORDS[record[4]] for record in board.records(BOOT)][: len(expected)] == expected


def test_boots_that_noted_no_reason_are_read_as_ever():
    from firmware_agent.history import History

    flash = Paged(16384, 4096)
    clock = Ports(None).clock
    old = History(flash, clock)
    old.journal.append(cbor.encode([BOOT, 9, 1700000000, "0a1b2c3d"]))
    history = History(flash, clock)
    assert (history.boot, history.agent_id) == (10, "0a1b2c3d")
    history.journal.append(cbor.encode([BOOT, 11, None, "0a1b2c3d", 2, "of a newer agent"]))
    assert History(flash, clock).boot == 12


def test_crashes_are_no_ends_of_day():
    board = Board()
    board.boot("power_on").history.count(2, 1795348800)
    agent = board.boot("watchdog")
    agent.device.sample()
    assert agent.history.counters == {2: 1795348800, BITES: 1} and agent.snapshot.get("crashes") == 1
    agent = board.boot("crash")
    agent.device.sample()
    assert agent.history.counters[CRASHES] == 1 and agent.snapshot.get("crashes") == 2


# ---- starts in a row ----
def test_an_ordinary_boot_writes_no_file():
    board = Board()
    for reason in ("power_on", "reset", "brown_out", "power_on"):
        runs(board.boot(reason), 70)
    assert board.disk.writes == 0 and board.disk.files == {}


def test_power_that_fails_over_and_over_never_leads_to_safe_mode_and_writes_no_file():
    board = Board()
    for reason in ("power_on", "brown_out") * 20:
        assert isinstance(board.boot(reason), Agent)
    assert board.disk.writes == 0


def test_five_starts_that_end_early_by_the_watchdog_lead_to_safe_mode():
    board = Board()
    for number in range(MOST):
        assert isinstance(board.boot("watchdog" if number else "power_on"), Agent), number
    agent = board.boot("watchdog")
    assert isinstance(agent, Safe) and board.kept() == "7 5 begun\n"
    assert board.made[-1] is False
    writes = board.disk.writes
    for reason in ("watchdog", "power_on", None):
        assert isinstance(board.boot(reason), Safe)
    assert board.disk.writes == writes  # it stays as it is, and writes nothing any more


def test_a_minute_of_good_running_begins_the_count_anew():
    board = Board()
    for _ in range(6):
        for _ in range(3):
            assert isinstance(board.boot("watchdog"), Agent)
        agent = board.boot("watchdog")
        assert isinstance(agent, Agent)
        runs(agent, 59)
        assert board.kept() != "7 0 good\n"
        runs(agent, 1)
        assert board.kept() == "7 0 good\n"


def test_a_part_that_falls_is_no_good_running():
    board = Board()
    agent = board.boot("watchdog")
    runs(agent, 59)
    agent.health.fell(agent, ValueError("a part"))
    runs(agent, 59)
    assert "good" not in board.kept()
    runs(agent, 1)
    assert "good" in board.kept()


def test_power_cuts_between_crashes_neither_count_nor_clear():
    board = Board()
    for _ in range(MOST - 1):
        assert isinstance(board.boot("watchdog"), Agent)
        assert isinstance(board.boot("power_on"), Agent)
        assert isinstance(board.boot("brown_out"), Agent)
    assert isinstance(board.boot("watchdog"), Safe)


def test_a_release_counts_for_itself():
    board = Board()
    for _ in range(MOST + 2):
        agent = board.boot("watchdog")
    assert isinstance(agent, Safe)
    assert isinstance(board.boot("reset", "8"), Agent)
    assert isinstance(board.boot("watchdog", "8"), Agent)
    board.starts("8").ended()  # by whoever deploys another one
    agent = board.boot("watchdog", "9")
    assert WORDS[agent.snapshot.get("reset_reason")] == "reset" and board.kept() == "9 0 begun\n"


def test_safe_mode_is_left_after_a_minute_with_the_next_start_and_comes_back_if_that_fails():
    board = Board()
    for _ in range(MOST + 2):
        agent = board.boot("watchdog")
    runs(agent, 60)
    assert board.kept() == "7 4 safe\n"
    assert isinstance(board.boot("power_on"), Agent)
    assert isinstance(board.boot("watchdog"), Safe)
    runs(board.boot("power_on"), 60)
    agent = board.boot(None)
    assert isinstance(agent, Agent)
    runs(agent, 60)
    assert board.kept() == "7 0 good\n"


def test_whoever_ends_it_on_purpose_is_told_as_reset_and_leaves_safe_mode():
    board = Board()
    for _ in range(MOST + 2):
        agent = board.boot("watchdog")
    assert isinstance(agent, Safe)
    board.starts().ended()
    agent = board.boot("watchdog")  # the hardware still tells of the reset before the last one
    assert isinstance(agent, Agent) and WORDS[agent.snapshot.get("reset_reason")] == "reset"


def test_files_that_are_damaged_or_cannot_be_written_keep_nobody_from_starting():
    for text in (b"", b"7", b"7 x begun\n", b"7 3\n", b"\xff\xfe\x00", b"8 5 begun\n", b"7 5 begun more\n", b"x" * 600):
        board = Board()
        board.disk.files["/state/starts"] = text
        board.disk.files["/state/crash"] = text
        assert isinstance(board.boot("power_on"), Agent), text
        assert "/state/crash" not in board.disk.files or not text
    board.disk.files["/state/starts"] = b"7 99 begun\n"
    assert isinstance(board.boot("power_on"), Safe)
    board = Board()
    board.disk.full = True
    for _ in range(8):
        assert isinstance(board.boot("watchdog"), Agent)


# ---- crashes ----
def test_a_crash_is_kept_at_once_and_is_in_the_journal_with_the_next_start():
    board = Board()
    agent = board.boot("power_on")
    agent.clock.now = 12345
    assert crash.keep(board.starts(), error_of(fault, 2), agent.health.at(agent)) == "fault"
    assert board.records(CRASH) == [] and board.kept() == "7 1 fault\n"
    agent = board.boot("power_on")  # an interpreter that starts anew resets nothing
    assert WORDS[agent.snapshot.get("reset_reason")] == "fault"
    assert "/state/crash" not in board.disk.files and board.kept() == "7 1 begun\n"
    found = board.records(CRASH)
    assert len(found) == 1
    assert found[0][1:6] == [1, agent.clock.wall, 12345, WORDS.index("fault"), repr(ValueError("no such thing"))]
    places = found[0][6]
    assert [place[2] for place in places[-3:]] == ["fault"] * 3 and places[-1][0] in (
        "test_health",
        "device_test_health",
    )
    agent.device.sample()
    assert agent.snapshot.get("crashes") == 1


def test_too_small_a_heap_is_told_from_other_faults():
    board = Board()
    assert crash.keep(board.starts(), MemoryError("x")) == "out_of_memory"
    agent = board.boot("watchdog")
    assert WORDS[agent.snapshot.get("reset_reason")] == "out_of_memory"
    found = board.records(CRASH)[0]
    assert found[1:4] == [0, None, None] and WORDS[found[4]] == "out_of_memory"


def test_five_crashes_at_the_start_lead_to_safe_mode_and_late_ones_do_not():
    board = Board()
    for number in range(MOST):
        assert isinstance(board.boot("power_on"), Agent), number
        crash.keep(board.starts(), error_of(fault))
    assert isinstance(board.boot("power_on"), Safe)
    crash.keep(board.starts(), error_of(fault), (1, None, 999999))
    assert isinstance(board.boot("power_on"), Safe)  # it crashed in safe mode: that stays
    board = Board()
    for _ in range(9):
        assert isinstance(board.boot("power_on"), Agent)
        crash.keep(board.starts(), error_of(fault), (1, None, 60000))


def test_a_record_of_a_crash_has_bounds_and_no_card_number():
    for error in (
        ValueError("x" * 500),
        ValueError("文" * 200),
        OSError(5, "4111 1111 1111 1111"),
        ValueError("card 4111111111111111" + "y" * 200),
        ValueError("z" * 110 + "4111111111111111"),
    ):
        made = crash.record(error, 1, 1795348800, 5)
        assert len(made[5].encode()) <= 120 and "4111" not in made[5], made
        assert len(made[6]) <= 6
    deep = error_of(fault, 20)
    made = crash.record(deep, 4294967295, 4294967295, 1 << 47)
    assert len(made[6]) == 6
    made[5] = "x" * 120
    made[6] = [["m" * 24, 65535, "f" * 24]] * 6
    assert len(cbor.encode(made)) <= 512
    assert "m" * 24 == crash.cut("m" * 99, 24)


def test_a_journal_that_takes_nothing_gets_the_crash_with_a_later_start():
    board = Board()
    board.boot("power_on")
    crash.keep(board.starts(), error_of(fault))

    class Failing(Paged):
        def program(self, address, data):
            raise OSError(5)

    good = board.flash
    board.flash = Failing(16384, 4096)
    board.boot("power_on")
    assert "/state/crash" in board.disk.files
    board.flash = good
    board.boot("power_on")
    assert "/state/crash" not in board.disk.files and len(board.records(CRASH)) == 1


def test_a_crash_whose_file_outlives_a_power_cut_is_journaled_once():
    board = Board()
    board.boot("power_on")
    crash.keep(board.starts(), error_of(fault), (1, None, 70000))
    data = board.disk.files["/state/crash"]
    board.boot("power_on")
    board.disk.files["/state/crash"] = data
    board.boot("power_on")
    assert "/state/crash" not in board.disk.files and len(board.records(CRASH)) == 1


async def test_a_part_that_falls_is_an_event_each_time_and_journaled_the_first():
    board = Board()
    agent = board.boot("power_on")
    for _ in range(3):
        agent.health.fell(agent, error_of(fault))
    assert agent.health.faults == 3 and agent.snapshot.get("crashes") == 1
    names = [cbor.decode(event.data)[2] for event in agent.events.since(0, 9999)[0]]
    assert names.count(17) == 3
    found = board.records(CRASH)
    assert len(found) == 1 and found[0][1] == 1 and found[0][6][-1][2] == "fault"
    answer = await asked(agent, READ, ASK_CRASH)
    assert answer[0] == 3 and answer[1] == 1 and answer[2] == 1 and answer[7][-1][2] == "fault"


def test_a_part_that_falls_while_the_heap_is_short_does_not_take_the_agent_with_it():
    board = Board()
    agent = board.boot("power_on")

    def nothing_left(*args):
        raise MemoryError()

    agent.journal.flash.program = nothing_left
    agent.health.fell(agent, error_of(fault))
    assert agent.health.faults == 1
    assert cbor.decode(agent.events.since(0, 9999)[0][-1].data)[2] == 17


async def test_what_falls_while_a_fault_is_told_ends_the_agent():
    board = Board()
    agent = board.boot("power_on")

    def nothing_left(*args):
        raise MemoryError()

    agent.power.sample = fault  # a part falls,
    agent.events.add = nothing_left  # and there is no heap left to say so
    try:
        await agent.run()
        raise AssertionError
    except MemoryError:
        pass
    for task in agent.tasks:
        task.cancel()


# ---- safe mode ----
async def asked(agent, op, command, body=None):
    service = agent.link.service if isinstance(agent, Safe) else Service(agent)
    message = await service.answer(smp.pack(smp.Header(op, GROUP, command, 9, 1), cbor.encode(body or {})))
    return cbor.decode(smp.unpack(message)[1])


def in_safe_mode(board=None):
    board = board or Board()
    board.disk.files["/state/starts"] = b"7 5 begun\n"
    agent = board.boot("watchdog")
    assert isinstance(agent, Safe)
    return agent


async def test_in_safe_mode_status_and_journal_answer_and_every_check_says_hold():
    board = Board()
    whole = board.boot("power_on")
    whole.history.record_sale(board.terminal.does(5000))
    crash.keep(board.starts(), error_of(fault))
    agent = in_safe_mode(board)
    answer = await asked(agent, READ, STATUS)
    assert answer[9] == HOLD and [one[0] for one in answer[10]] == [7] and answer[4] == 2
    assert answer[11][95][0] == 1 and answer[11][94][0] == WORDS.index("watchdog")
    answer = await asked(agent, READ, PREFLIGHT, {1: 1, 2: 100, 3: "EUR", 8: True})
    assert answer[0] == HOLD and answer[1] == [{0: 7, 1: HOLD, 2: {95: 1, 62: 1}}] and answer[2] == b""
    answer = await asked(agent, WRITE, REFUND, {0: "k1", 1: 1, 2: 100, 3: "EUR"})
    assert (answer[0], answer[1], answer[2], answer[4]) == ("k1", 0, True, HOLD)
    assert (await asked(agent, READ, JOURNAL))[6] == agent.journal.sequence
    assert len((await asked(agent, READ, EVENTS_SINCE, {0: 0}))[0]) >= 1
    assert (await asked(agent, READ, MANIFEST))[3] == "bench" and 3 in await asked(agent, READ, LINK)
    assert (await asked(agent, READ, ASK_CRASH))[7][-1][2] == "fault"
    assert board.terminal.asked == 0 and board.terminal.executed == []


async def test_in_safe_mode_nothing_else_is_done():
    agent = in_safe_mode()
    written = agent.journal.sequence
    for command, body in (
        (SETTLE, {0: "k", 1: True, 2: "a", 3: "b", 4: "c"}),
        (ATTEST, {0: 1, 1: 1, 2: "a", 3: "b"}),
        (POLICY_PUT, {0: 10, 1: bytes(32), 2: 0}),
    ):
        assert error_name((await asked(agent, WRITE, command, body))["err"]["rc"]) == "safe_mode"
    assert agent.journal.sequence == written


async def test_in_safe_mode_a_refund_that_was_begun_is_not_called_new():
    board = Board()
    whole = board.boot("power_on")
    from firmware_agent.earlier import Refund
    from firmware_agent.wire.messages import REQUESTED, SENT

    begun = Refund("k1")
    whole.history.record(begun, REQUESTED, {"receipt": 1, "amount": 100, "currency": "EUR"})
    whole.history.record(begun, SENT, {})
    agent = in_safe_mode(board)
    assert (
        error_name((await asked(agent, WRITE, REFUND, {0: "k1", 1: 1, 2: 100, 3: "EUR"}))["err"]["rc"]) == "safe_mode"
    )
    assert len(agent.history.open) == 1 and board.terminal.asked == 0


async def test_a_journal_that_cannot_be_opened_is_pulled_all_the_same():
    board = Board()
    board.flash = Paged(16384, 4096)
    board.flash.program(0, b"of somebody else " * 4)
    agent = in_safe_mode(board)
    answer = await asked(agent, READ, STATUS)
    assert answer[9] == HOLD and answer[13] == 16384 and answer[4] == 0
    message = smp.pack(smp.Header(READ, 8, 0, 9, 1), cbor.encode({"name": "/journal", "off": 0}))
    answer = cbor.decode(smp.unpack(await agent.link.service.answer(message))[1])
    assert answer["data"][:16] == b"of somebody else" and answer["len"] == 16384


async def test_the_console_shows_safe_mode_and_the_last_crash_and_starts_anew():
    from firmware_agent import console

    board = Board()
    whole = board.boot("power_on")
    text = "".join(await console.answer(whole, "restart"))
    assert "does not end" in text
    crash.keep(board.starts(), error_of(fault), (1, None, 4000))
    agent = in_safe_mode(board)
    text = "".join(await console.answer(agent, "status"))
    assert "SAFE MODE" in text and "last crash: boot 1 after 4 s, fault: ValueError" in text and " fault\n" in text
    assert "HOLD     7 software_defect" in "".join(await console.answer(agent, "check 1 2.00"))
    assert "".join(await console.answer(agent, "explain")).startswith("no refund is open")
    assert "anew" in "".join(await console.answer(agent, "restart"))
    agent.link.leaving.cancel()


async def test_safe_mode_keeps_the_watchdog_quiet():
    import asyncio

    agent = in_safe_mode()
    task = asyncio.create_task(agent.run())
    await asyncio.sleep(0.05)
    task.cancel()
    assert agent.watchdog.fed == 1


def test_files_are_written_where_the_state_is():
    folder = "health_state"
    os.mkdir(folder)
    starts = Starts(folder, "9")
    try:
        assert starts.begin("watchdog") is False
        assert starts.text("starts") == b"9 1 begun\n"
        starts.good()
        assert starts.text("starts") == b"9 0 good\n" and starts.text("crash") == b""
        crash.keep(starts, error_of(fault))
        assert cbor.decode(starts.text("crash"))[0] == CRASH
    finally:
        for name in ("starts", "crash"):
            starts.drop(name)
        os.rmdir(folder)


# ---- a supply that fails over and over; tests/test_brown_out.py has many more of these ----
def test_wherever_the_power_goes_in_a_boot_the_next_one_reaches_its_link_or_safe_mode():
    chance = Chance(7)
    board = Board()
    cut = stood = safe = 0
    for number in range(60):
        reason = chance.one_of(("power_on", "brown_out", "watchdog", None))
        if number % 4:
            board.flash.cut_after = chance.below(150)
        try:
            agent = board.boot(reason)
            stood += 1
            safe += isinstance(agent, Safe)
            runs(agent, chance.one_of((3, 61)))
            if number % 5 == 0:
                crash.keep(board.starts(), error_of(fault), agent.health.at(agent))
        except PowerCut:
            cut += 1
        agent = None
        board.flash.cut_after = None
        board.made = []
    agent = board.boot("power_on")
    assert agent.history.lost == 0 and cut > 10 and stood > 15, (cut, stood, safe)
