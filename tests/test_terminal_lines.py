"""The simulated ZVT terminal does the same over a serial line and over TCP, loses its power where it is told to, and has the
faults of real terminals. The till is written from the papers alone (paper_till.py)."""

import fnmatch
import re
import time
from pathlib import Path

import pytest

from .paper_till import ACCEPTED, COMPLETED, LINES, TcpTill, TerminalProcess

STORIES = Path(__file__).parent / "golden" / "zvt_terminal.txt"
REGISTER = "06 00 06 00 00 00 10 09 78"
REGISTER_FOR_MORE = "06 00 06 00 00 00 18 09 78"  # intermediate status, too
REFUND = "06 31 0D 00 00 00 04 00 00 00 00 12 34 49 09 78"
SALE = "06 01 0A 04 00 00 00 00 25 00 49 09 78"
REPEAT = "06 20 05 00 00 00 03 03"
STATUS = "05 01 05 00 00 00 03 00"
VERSION = "06 0F 0B F0 F0 F7 32 2E 31 34 2E 31 35 00"
CARD = "4111110000001111"


def stories():
    """{name: [(sign, rest), …]} of the golden file."""
    told = {}
    for line in STORIES.read_text().splitlines():
        if line.startswith("["):
            name = line.strip("[]")
            told[name] = []
        elif line and not line.startswith("#"):
            told[name].append((line[0], line[2:]))
    return told


@pytest.fixture
def start(tmp_path):
    started = []

    def start(*options, line="tcp"):
        started.append(TerminalProcess(tmp_path, *options, line=line))
        return started[-1]

    yield start
    for process in started:
        if not process.process.stdin.closed:
            process.end()


@pytest.fixture
def registered(start):
    def registered(*options, line="tcp", register=REGISTER):
        terminal = start(*options, line=line)
        assert terminal.till.ask(register)[0] == ACCEPTED
        terminal.until(
            "<- 80 00"
        )  # over TCP nothing else tells that it has arrived, and what is told next counts from then
        return terminal

    return registered


def refunds(terminal):
    return [turnover["amount"] for turnover in terminal.turnovers() if turnover["kind"] == "refund"]


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("name", stories())
def test_every_story_of_the_paper_is_told_the_same_over_each_line(start, name, line):
    terminal = start(line=line)
    for sign, told in stories()[name]:
        if sign == "!":
            assert terminal.tell(told).startswith("ok"), told
        elif sign == ">":
            terminal.till.send(told)
        else:
            said = terminal.till.receive()
            assert fnmatch.fnmatchcase(said, told), said


def test_what_the_golden_file_tells_is_what_apdus_are_like():
    for name, told in stories().items():
        for sign, text in told:
            parts = text.split()
            if sign != "!" and "*" not in parts and parts[2] != "FF":
                assert int(parts[2], 16) == len(parts) - 3, (name, text)


# -- registration, as other people's clients do it -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("register", "with_currency"),
    [
        ("06 00 04 00 00 00 10", False),
        ("06 00 06 00 00 00 DE 09 78", True),
        ("06 00 0A 00 00 00 BA 09 78 03 00 06 00", True),
        ("06 00 10 00 00 00 BE 09 78 03 00 06 06 26 04 0A 02 06 D3", True),
        ("06 00 0C 00 00 00 DE 09 78 06 04 1A 02 80 00", True),
        ("06 00 06 00 00 00 10 03 02", False),
        ("06 00 0C 00 00 00 10 06 06 26 04 0A 02 06 D3", False),
    ],
)
def test_every_form_of_a_registration_is_understood(start, register, with_currency):
    till = start().till
    answer = "06 0F 0A 19 00 29 52 00 12 33 49 09 78" if with_currency else "06 0F 07 19 00 29 52 00 12 33"
    assert till.ask(register) == [ACCEPTED, answer]
    assert till.ask(SALE)[-1] == COMPLETED


def test_a_registration_is_forgotten_by_log_off_and_by_reset(registered):
    till = registered().till
    for command in ("06 02 00", "06 18 00"):
        till.send(command)
        assert till.receive() == ACCEPTED
        if command == "06 18 00":
            assert till.receive() == COMPLETED
            till.send(ACCEPTED)
        assert till.ask(REFUND) == [ACCEPTED, "06 1E 01 6B"]
        assert till.ask(REGISTER)[0] == ACCEPTED


def test_a_password_is_asked_for_where_one_is_set(start):
    till = start("--password", "123456").till
    assert till.ask(REGISTER) == [ACCEPTED, "06 1E 01 83"]
    assert till.ask("06 00 06 12 34 56 10 09 78")[-1].startswith("06 0F")
    assert till.ask("05 01 03 12 34 56") == [ACCEPTED, VERSION]
    assert till.ask("05 01 02 03 00") == [ACCEPTED, VERSION]


def test_blocks_are_no_longer_than_the_till_can_take(registered):
    terminal = registered(register="06 00 12 00 00 00 92 09 78 06 0A 1A 02 01 00 26 04 0A 02 06 D3")
    terminal.tell("receipt_lines 40")
    blocks = [apdu for apdu in terminal.till.ask("06 20 03 00 00 00") if apdu.startswith("06 D3")]
    assert len(blocks) > 2 and all(len(block.split()) <= 256 for block in blocks)
    text = b"".join(map(bytes.fromhex, blocks))
    assert b"Receipt 0231  Trace 004711" in text and b"line 40" in text
    assert [block.endswith("09 01 81") for block in blocks] == [False] * (len(blocks) - 1) + [True]


def test_the_system_information_is_printed_where_the_till_prints_it(registered):
    lines = registered(register="06 00 06 00 00 00 94 09 78").till.ask("06 1A 00")
    assert any(b"Model SIMULATED" in bytes.fromhex(line) for line in lines if line.startswith("06 D1"))
    assert lines[-2:] == ["06 D1 01 81", COMPLETED]


# -- TCP -----------------------------------------------------------------------------------------------------------


def test_a_second_till_is_refused_and_the_first_goes_on(registered):
    terminal = registered()
    second = TcpTill(terminal.link)
    assert second.byte() == b""
    assert terminal.until("-- a second till")
    assert terminal.till.ask(REFUND)[-1] == COMPLETED
    second.close()


def test_a_till_that_has_hung_up_makes_room_for_the_next(registered):
    terminal = registered()
    for _ in range(20):  # at once: the terminal may see the new one first
        terminal.till.close()
        terminal.till = terminal.another_till()
        assert terminal.till.ask(STATUS) == [ACCEPTED, VERSION]
    assert terminal.till.ask(REFUND)[-1] == COMPLETED  # the registration stays


@pytest.mark.parametrize("said", [0, 1, 2])
def test_a_till_that_hangs_up_in_the_midst_leaves_a_refund_executed_and_stored(registered, said):
    terminal = registered()
    terminal.tell("slow 700")
    terminal.till.send(REFUND)
    for number in range(said):
        terminal.till.receive()
        if number:
            terminal.till.send(ACCEPTED)
    terminal.till.close()
    assert terminal.until("-- the till hung up")
    terminal.till = terminal.another_till()
    repeated = terminal.till.ask(REPEAT)
    assert " 04 00 00 00 00 12 34 " in repeated[1] and repeated[-1] == COMPLETED
    assert refunds(terminal) == [1234]


def test_the_next_till_hears_nothing_of_a_refund_of_the_one_before(registered):
    terminal = registered(register=REGISTER_FOR_MORE)
    terminal.tell("slow 2500")
    terminal.till.send(REFUND)
    assert terminal.till.receive() == ACCEPTED
    terminal.till.close()
    terminal.till = terminal.another_till()
    assert terminal.till.ask(STATUS) == [ACCEPTED, VERSION]  # and neither 04 FF nor 04 0F before it
    assert refunds(terminal) == [1234]


def test_an_apdu_that_stays_cut_is_dropped_after_t3(registered):
    terminal = registered("--t3-ms", "300")
    terminal.till.write(bytes.fromhex(REFUND)[:7])
    assert terminal.until("-- an APDU was cut: 7 bytes dropped")
    assert terminal.till.ask(STATUS) == [ACCEPTED, VERSION]
    terminal.till.write(bytes.fromhex(REFUND)[:7])
    terminal.till.close()
    assert terminal.until("-- the till hung up") == "-- the till hung up, 7 bytes of an APDU lost"
    assert refunds(terminal) == []


def test_many_commands_in_one_piece_are_answered_one_after_the_other(registered):
    till = registered().till
    till.write(bytes.fromhex(STATUS + REFUND + STATUS))
    assert till.rest() == [ACCEPTED, VERSION]
    assert till.rest()[-1] == COMPLETED
    assert till.rest() == [ACCEPTED, VERSION]


def test_a_message_that_is_not_answered_does_not_stop_the_terminal(registered):
    terminal = registered("--t3-ms", "400")
    terminal.till.send(REFUND)
    assert terminal.till.receive() == ACCEPTED
    assert terminal.till.receive().startswith("04 0F")
    assert terminal.till.receive() == COMPLETED
    assert terminal.until("-- no answer within T3")


@pytest.mark.parametrize("line", LINES)
def test_a_till_that_sends_a_refund_twice_gets_it_twice(registered, line):
    terminal = registered(line=line)
    terminal.tell("slow 500")
    terminal.till.send(REFUND)
    assert terminal.till.receive() == ACCEPTED
    terminal.till.send(REFUND)
    assert terminal.till.rest()[-1] == COMPLETED
    assert terminal.till.rest()[-1] == COMPLETED
    assert refunds(terminal) == [1234, 1234]


# -- power ---------------------------------------------------------------------------------------------------------


def played(terminal):
    """What comes after a refund, each message acknowledged and answered: (messages, True where the power was cut)."""
    came = []
    try:
        terminal.till.send(REFUND)
        while COMPLETED not in came:
            came.append(terminal.till.receive())
            if came[-1] != ACCEPTED:
                terminal.till.send(ACCEPTED)
    except (AssertionError, OSError):
        return came, terminal.died()
    return came, False


@pytest.mark.parametrize("line", ["serial", "tcp"])
@pytest.mark.parametrize(
    ("point", "said", "executed"),
    [
        ("before-execute", 1, 0),
        ("after-execute", 1, 1),
        ("after-status", 2, 1),
        ("after-ack", 2, 1),
        ("message 1", 0, 0),
        ("message 2", 1, 1),
        ("message 3", 2, 1),
        ("received 1", 0, 0),
        ("received 2", 2, 1),
        ("received 3", 3, 1),
    ],
)
def test_a_power_cut_comes_where_it_was_ordered(registered, line, point, said, executed):
    terminal = registered(line=line)
    assert terminal.tell("die " + point) == "ok die " + point
    came, died = played(terminal)
    # the last 80 00 00 has nothing behind it that could fail to come
    assert died or (point == "received 3" and terminal.died())
    assert len(came) == said
    assert refunds(terminal) == [1234] * executed
    terminal.end()
    again = TerminalProcess(terminal.folder, line=line)
    try:
        last = again.till.ask(REPEAT)[1]
        assert (" 04 00 00 00 00 12 34 " in last) == bool(executed)
        assert again.till.ask(REFUND) == [ACCEPTED, "06 1E 01 6B"]  # the registration went with the power
    finally:
        again.end()


def test_a_power_cut_that_was_not_reached_can_be_called_off(registered):
    terminal = registered()
    terminal.tell("die message 4")
    came, died = played(terminal)
    assert len(came) == 3 and not died
    terminal.tell("die never")
    assert terminal.till.ask(STATUS) == [ACCEPTED, VERSION]


# 1 byte ACK, 9 of the accepted frame; without frames 3 of the acceptance, 77 of 04 0F, 3 of the completion
@pytest.mark.parametrize(
    ("line", "size", "executed"),
    [
        *[("serial", size, 0) for size in (1, 2, 10)],
        *[("serial", size, 1) for size in (11, 50)],
        *[("tcp", size, 0) for size in (1, 2, 3)],
        *[("tcp", size, 1) for size in (4, 50, 80, 81, 83)],
    ],
)
def test_a_power_cut_after_any_byte_lets_just_these_bytes_out(registered, line, size, executed):
    terminal = registered(line=line)
    terminal.tell("die in %d" % size)
    terminal.till.came = b""
    assert played(terminal)[1] or terminal.died()
    while terminal.till.byte(0.2):
        pass
    assert len(terminal.till.came) == size
    assert refunds(terminal) == [1234] * executed


# -- faults --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize(("how", "at_once"), [("late", []), ("late rest", [ACCEPTED])])
def test_an_answer_that_is_late_comes_with_the_next_command(registered, line, how, at_once):
    terminal = registered(line=line)
    terminal.tell(how)
    terminal.till.send(REFUND)
    for expected in at_once:
        assert terminal.till.receive() == expected
    assert terminal.till.silence(0.3)
    assert refunds(terminal) == [1234]
    terminal.till.send(STATUS)
    late = [] if at_once else [terminal.till.receive()]
    late += terminal.till.rest()
    assert late[-2].startswith("04 0F") and late[-1] == COMPLETED
    assert terminal.till.rest() == [ACCEPTED, VERSION]
    assert terminal.till.ask(STATUS) == [ACCEPTED, VERSION]


def test_damaged_frames_are_repeated_and_given_up(registered):
    terminal = registered("--t2-ms", "500", line="serial")
    terminal.tell("crc 2")
    till = terminal.till
    till.send(STATUS)
    for _ in range(2):
        with pytest.raises(AssertionError):
            till.frame()
        till.write(b"\x15")
    assert till.rest() == [ACCEPTED, VERSION]
    terminal.tell("crc 3")
    till.send(REFUND)
    for _ in range(3):
        with pytest.raises(AssertionError):
            till.frame()
        till.write(b"\x15")
    assert terminal.until("-- given up")
    assert till.receive().startswith("04 0F")  # the terminal goes on


def test_nak_for_ever_ends_when_it_is_told(registered):
    terminal = registered(line="serial")
    terminal.tell("nak on")
    for _ in range(5):
        with pytest.raises(AssertionError):
            terminal.till.send(REFUND)
    terminal.tell("nak off")
    assert terminal.till.ask(REFUND)[-1] == COMPLETED
    assert refunds(terminal) == [1234]


@pytest.mark.parametrize("line", ["serial", "tcp"])
def test_silence_swallows_whole_messages(registered, line):
    terminal = registered(line=line)
    terminal.tell("silent 1")
    if line == "tcp":
        terminal.till.send(REFUND)
    else:
        with pytest.raises(AssertionError):
            terminal.till.byte = lambda timeout=0.3, byte=terminal.till.byte: byte(0.3)
            terminal.till.send(REFUND)
        del terminal.till.byte
    assert terminal.till.silence(0.2)
    assert terminal.till.ask(STATUS) == [ACCEPTED, VERSION]
    assert refunds(terminal) == []


def test_a_wrong_length_byte_is_in_the_next_message_that_carries_data(registered):
    terminal = registered(line="serial")
    terminal.tell("length 1")
    terminal.till.send(STATUS)
    assert terminal.till.receive() == ACCEPTED
    assert terminal.till.receive() == VERSION.replace("06 0F 0B", "06 0F 0C")
    terminal.till.send(ACCEPTED)
    assert terminal.till.ask(STATUS) == [ACCEPTED, VERSION]


def test_card_numbers_are_in_the_clear_where_it_is_asked_and_never_in_log_or_store(registered):
    terminal = registered()
    for how, parts in (
        ("clear", ["22 F0 F8 41 11 11 00 00 00 11 11 "]),
        ("track", ["22 F0 F8 41 11 11 EE EE EE 11 11 ", "23 F1 F4 41 11 11 00 00 00 11 11 D2 91 22 01 00 00"]),
        (
            "tlv clear",
            ["22 F0 F8 41 11 11 00 00 00 11 11 ", "1F 14 08 41 11 11 00 00 00 11 11", CARD.encode().hex(" ")],
        ),
        ("masked", ["22 F0 F8 41 11 11 EE EE EE 11 11 "]),
    ):
        assert terminal.tell("pan " + how).startswith("ok")
        status = terminal.till.ask(SALE)[1]
        assert all(part in status for part in parts), status
    assert CARD not in status.replace(" ", "")
    terminal.tell("list")
    terminal.end()
    output = re.sub(r"\W", "", "\n".join(terminal.lines)).upper()
    assert CARD not in output and CARD.encode().hex() not in output
    assert CARD.encode() not in Path(terminal.store).read_bytes()


@pytest.mark.parametrize(
    ("lock", "code"),
    [("reconciliation", "F0"), ("printer", "CC"), ("diagnosis", "C2"), ("low_battery", "BF"), ("activation", "E4")],
)
def test_locks_refuse_payments_where_they_are_told_to(registered, lock, code):
    terminal = registered()
    terminal.tell("lock " + lock)
    assert terminal.till.ask(REFUND)[-1] == COMPLETED
    terminal.tell("locks refuse")
    assert terminal.till.ask(REFUND) == [ACCEPTED, "06 1E 01 " + code]
    if lock == "reconciliation":
        assert terminal.till.ask("06 50 03 00 00 00")[-1] == COMPLETED
    else:
        terminal.tell("locks report")
    assert terminal.till.ask(REFUND)[-1] == COMPLETED
    assert refunds(terminal) == [1234, 1234]


def test_codes_come_once_or_always_and_end_an_end_of_day_too(registered):
    terminal = registered()
    terminal.tell("abort 77")
    assert terminal.till.ask("06 50 03 00 00 00") == [ACCEPTED, "06 1E 01 77"]
    assert terminal.till.ask("06 50 03 00 00 00")[-1] == COMPLETED
    terminal.tell("negative A0 always")
    assert terminal.till.ask(STATUS) == terminal.till.ask(REFUND) == ["84 A0 00"]
    terminal.tell("negative off")
    terminal.tell("abort 9C always try later")
    for _ in range(2):
        assert terminal.till.ask(REFUND)[-1].endswith("1F 16 01 9C 1F 17 09 " + b"try later".hex(" ").upper())
    terminal.tell("abort off")
    assert terminal.till.ask(REFUND)[-1] == COMPLETED


def test_a_host_that_is_slow_is_bridged_each_second_and_may_ask_for_more_time(registered):
    terminal = registered(register=REGISTER_FOR_MORE)
    terminal.tell("slow 2000")
    began = time.monotonic()
    apdus = terminal.till.ask(REFUND)
    assert apdus[1:-2] == ["04 FF 01 04"] * 3 and apdus[-1] == COMPLETED
    assert time.monotonic() - began >= 2
    terminal.tell("slow 100")
    terminal.tell("t4 12")
    assert terminal.till.ask(REFUND)[1] == "04 FF 02 04 12"


def test_the_console_refuses_what_it_cannot_do(start):
    terminal = start()
    for wrong in (
        *("die in", "die in 0", "die message x", "die received -1", "die soon", "die never 3", "late soon", "t4 100"),
        *("key x", "pan", "pan masked clear", "locks", "length on", "crc -1", "nak many", "receipt_lines 1001"),
        *("abort 6C " + "x" * 41, "decline", "negative 9C sometimes", "abort 6C \x07"),
    ):
        assert terminal.tell(wrong).startswith("error "), wrong
    assert terminal.till.ask(REGISTER)[0] == ACCEPTED
    assert terminal.till.ask(REFUND)[-1] == COMPLETED
    assert "docs/terminal.md" in terminal.tell("help")
