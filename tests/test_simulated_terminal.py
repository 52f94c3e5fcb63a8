"""The simulated ZVT card terminal, driven over its pseudo-terminal by a till written from the papers alone (paper_till.py).

What it does over every line: test_terminal_lines.py. Its scripts: test_terminal_scripts.py.
"""

import fnmatch
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from hal.sim.zvt_terminal.turnover import TurnoverStore, first_sale

from .paper_till import ACCEPTED, COMPLETED, PATIENCE, ROOT, SerialTill, TerminalProcess, crc, framed

CARD = "4111110000001111"
REGISTER = "06 00 06 00 00 00 10 09 78"
REGISTER_WITH_INTERMEDIATE = "06 00 06 00 00 00 18 09 78"
REFUND_1234 = "06 31 0D 00 00 00 04 00 00 00 00 12 34 49 09 78"
SALE_2500 = "06 01 0A 04 00 00 00 00 25 00 49 09 78"
REVERSE_231 = "06 30 06 00 00 00 87 02 31"
REPEAT = "06 20 05 00 00 00 03 03"
STATUS = "05 01 05 00 00 00 03 00"


@pytest.fixture
def start(tmp_path):
    started = []

    def start(*options):
        started.append(TerminalProcess(tmp_path, *options))
        return started[-1]

    yield start
    for process in started:
        if not process.process.stdin.closed:
            process.end()


@pytest.fixture
def registered(start):
    def registered(*options, register=REGISTER):
        terminal = start(*options)
        assert terminal.till.ask(register)[0] == ACCEPTED
        return terminal

    return registered


def matches(apdu, pattern):
    assert fnmatch.fnmatchcase(apdu, pattern), apdu


def status_information(result, amount, receipt, trace, more, turnover, card="22 F0 F8 41 11 11 EE EE EE 11 11"):
    """04 0F as the golden bytes have it; date and time are whatever the clock says."""
    body = (
        "27 %s 04 %s 49 09 78 0C ?? ?? ?? 0D ?? ?? %s 87 %s 0B %s %s29 52 00 12 33 19 60 8A 0A 8B F0 F5 56 49 53 41 00 "
        "2A 34 35 35 36 30 30 30 35 39 39 20 20 20 20 20 88 %s"
    ) % (result, amount, card, receipt, trace, more, turnover)
    return "04 0F %02X %s" % (len(body.split()), body)


# -- golden dialogues ----------------------------------------------------------------------------------------------


def test_registration_is_answered_byte_for_byte(start):
    till = start().till
    till.write(bytes.fromhex("10 02 06 00 06 00 00 00 10 10 09 78 10 03") + crc(bytes.fromhex(REGISTER + "03")))
    assert till.byte() == b"\x06"
    assert till.frame()[0] == bytes.fromhex("10 02 80 00 00 10 03 F5 1F")
    till.write(b"\x06")
    data, apdu = till.frame()
    assert apdu == "06 0F 0A 19 00 29 52 00 12 33 49 09 78"
    assert data.startswith(bytes.fromhex("10 02 06 0F 0A 19"))


def test_registration_without_currency_gets_none_back(start):
    assert start().till.ask("06 00 04 00 00 00 10")[1] == "06 0F 07 19 00 29 52 00 12 33"


def test_the_known_status_enquiry_frame_of_the_paper_is_sent(start):
    till = start().till
    till.send(STATUS)
    assert till.receive() == ACCEPTED
    assert till.frame()[0] == bytes.fromhex("10 02 06 0F 0B F0 F0 F7 32 2E 31 34 2E 31 35 00 10 03 B1 11")


def test_status_enquiry_tells_device_and_locks(start):
    terminal = start()
    assert terminal.tell("lock printer log_defective start_up") == "ok lock printer log_defective start_up"
    assert terminal.tell("device_state 1").startswith("ok")
    assert terminal.tell("status CC").startswith("ok")
    assert terminal.till.ask("05 01 05 00 00 00 03 06")[1] == (
        "06 0F 2B CC 06 28 E4 21 1F 40 09 53 49 4D 55 4C 41 54 45 44 1F 41 07 32 2E 31 34 2E 31 35 "
        "1F 42 04 52 00 12 33 1F 43 01 01 1F 55 02 06 80"
    )


def test_model_and_serial_number_are_as_they_are_set(start):
    terminal = start("--model", "H5", "--serial", "10203")
    enquiry = "05 01 05 00 00 00 03 04"
    assert "E4 1A 1F 40 02 48 35 1F 41" in terminal.till.ask(enquiry)[1]
    assert "1F 42 04 00 01 02 03" in terminal.till.ask(enquiry)[1]
    assert terminal.tell("model X") == "ok model X"
    assert "1F 40 01 58 1F 41" in terminal.till.ask(enquiry)[1]
    assert terminal.tell("model " + "X" * 41).startswith("error ")


def test_a_sale_a_refund_and_a_reversal(registered):
    terminal = registered()
    till = terminal.till
    accepted, status, completed = till.ask(SALE_2500)
    more = "3B ?? ?? ?? ?? ?? ?? 00 00 "  # the host's authorisation attribute
    matches(status, status_information("00", "00 00 00 00 25 00", "02 32", "00 47 12", more, "00 00 02"))
    assert (accepted, completed) == (ACCEPTED, COMPLETED)
    accepted, status, completed = till.ask(REFUND_1234)
    matches(status, status_information("00", "00 00 00 00 12 34", "02 33", "00 47 13", "", "00 00 03"))
    assert (accepted, completed) == (ACCEPTED, COMPLETED)
    accepted, status, completed = till.ask(REVERSE_231)
    more = "37 00 47 11 "
    matches(status, status_information("00", "00 00 00 00 50 00", "02 34", "00 47 14", more, "00 00 04"))
    assert (accepted, completed) == (ACCEPTED, COMPLETED)
    seeded, sale, refund, reversal = terminal.turnovers()
    assert [t["kind"] for t in (seeded, sale, refund, reversal)] == ["sale", "sale", "refund", "reversal"]
    assert (seeded["receipt"], seeded["trace"], seeded["amount"], seeded["reversed_by"]) == (231, 4711, 5000, 234)
    assert (refund["amount"], refund["currency"], refund["result"], refund["card"]) == (
        1234,
        978,
        0,
        "411111******1111",
    )
    assert reversal["original_trace"] == 4711


# -- what is refused -----------------------------------------------------------------------------------------------


def test_without_registration_no_payment(start):
    terminal = start()
    for command in (SALE_2500, REFUND_1234, REVERSE_231):
        assert terminal.till.ask(command) == [ACCEPTED, "06 1E 01 6B"]
    assert len(terminal.turnovers()) == 1


def test_a_wrong_command_is_aborted_and_executes_nothing(registered):
    terminal = registered()
    for command, answer in (
        ("06 31 0D 00 00 01 04 00 00 00 00 12 34 49 09 78", "06 1E 01 83"),  # wrong password
        ("06 31 0D 00 00 00 04 00 00 00 00 12 34 49 08 40", "06 1E 03 6F 09 78"),  # US dollars
        ("06 31 0D 00 00 00 04 00 00 00 00 00 00 49 09 78", "06 1E 01 C8"),  # nothing
        ("06 31 06 00 00 00 49 09 78", "06 1E 01 6C"),  # no amount and nobody to key it in
        ("06 31 05 00 00 00 04 00", "06 1E 01 9A"),  # the amount is cut
        ("06 31 0A 00 00 00 04 00 00 00 00 12 3A", "06 1E 01 9A"),  # not BCD
        ("06 30 03 00 00 00", "06 1E 01 9A"),  # no receipt number
        ("06 30 06 00 00 00 87 02 30", "06 1E 01 B5"),  # unknown receipt
        ("06 30 0D 00 00 00 87 02 31 04 00 00 00 00 49 99", "06 1E 01 B5"),  # other amount
        ("06 20 05 00 00 07 03 03", "06 1E 01 83"),
        ("06 00 06 00 00 00 10 08 40", "06 1E 03 6F 09 78"),
    ):
        assert terminal.till.ask(command) == [ACCEPTED, answer], command
    assert len(terminal.turnovers()) == 1


def test_an_unknown_command_is_not_supported(start):
    till = start().till
    for command in ("06 22 00", "06 99 00", "08 50 01 01", "06 D1 01 00"):
        assert till.ask(command) == ["84 83 00"]
    assert till.ask(STATUS)[0] == ACCEPTED


def test_a_wrong_length_byte_keeps_the_line_alive(start):
    till = start().till
    assert till.ask("06 31 20 00 00 00") == ["84 9A 00"]
    assert till.ask("06") == ["84 9A 00"]
    assert till.ask(STATUS)[0] == ACCEPTED


def test_a_sale_is_reversed_once(registered):
    till = registered().till
    assert till.ask(REVERSE_231)[-1] == COMPLETED
    assert till.ask(REVERSE_231) == [ACCEPTED, "06 1E 01 B4"]
    assert till.ask("06 30 06 00 00 00 87 02 32") == [ACCEPTED, "06 1E 01 B5"]  # a reversal is no sale


def test_end_of_day_totals_and_closes_the_batch(registered):
    terminal = registered()
    terminal.till.ask(REFUND_1234)
    accepted, totals, completed = terminal.till.ask("06 50 03 00 00 00")
    matches(
        totals,
        "04 0F 51 27 00 04 00 00 00 00 37 66 49 09 78 0C ?? ?? ?? 0D ?? ?? 29 52 00 12 33 60 F0 F5 F3 02 31 02 32 "
        + "00 00 00 00 00 00 00 " * 4
        + "02 00 00 00 00 37 66"
        + " 00 00 00 00 00 00 00" * 2,
    )
    assert (accepted, completed) == (ACCEPTED, COMPLETED)
    assert terminal.till.ask(REVERSE_231) == [ACCEPTED, "06 1E 01 B5"]
    assert len(terminal.turnovers()) == 2


def test_a_declined_refund_says_so_twice_and_only_once_in_a_row(registered):
    terminal = registered()
    terminal.tell("decline 05")
    _, status, aborted = terminal.till.ask(REFUND_1234)
    assert status.startswith("04 0F") and " 27 05 04 00 00 00 00 12 34 " in status
    assert aborted == "06 1E 01 05"
    assert terminal.till.ask(REFUND_1234)[-1] == COMPLETED
    assert [t["approved"] for t in terminal.turnovers()] == [True, False, True]
    terminal.tell("decline 77 always")
    assert terminal.till.ask(REFUND_1234)[-1] == terminal.till.ask(REFUND_1234)[-1] == "06 1E 01 77"


def test_a_declined_reversal_leaves_the_sale_reversible(registered):
    terminal = registered()
    terminal.tell("decline 05")
    assert terminal.till.ask(REVERSE_231)[-1] == "06 1E 01 05"
    assert terminal.till.ask(REVERSE_231)[-1] == COMPLETED


def test_abort_negative_and_a_sagging_supply(registered):
    terminal = registered()
    terminal.tell("abort 6C")
    assert terminal.till.ask(REFUND_1234) == [ACCEPTED, "06 1E 01 6C"]
    terminal.tell("negative 9C")
    assert terminal.till.ask(REFUND_1234) == ["84 9C 00"]
    terminal.tell("sag 3100")
    assert terminal.till.ask(REFUND_1234) == [ACCEPTED, "06 1E 01 BF"]
    report = terminal.till.ask("05 01 05 00 00 00 03 06")[1]
    assert report.startswith("06 0F 2B BF ") and report.endswith("1F 55 02 00 04")
    assert terminal.tell("sale 1.00").startswith("error")
    assert len(terminal.turnovers()) == 1
    terminal.tell("sag off")
    assert terminal.till.ask(REFUND_1234)[-1] == COMPLETED


def test_a_sale_keyed_at_the_terminal_is_what_repeat_receipt_then_tells(start):
    terminal = start()
    assert terminal.tell("sale 7.50") == "ok receipt 232"
    assert " 04 00 00 00 00 07 50 " in terminal.till.ask(REPEAT)[1]
    terminal.till.ask(REGISTER)
    assert terminal.tell("sale 7.50") == "error the till controls payments (config byte of its registration)"


# -- time and turns ------------------------------------------------------------------------------------------------


def test_a_slow_host_is_bridged_by_intermediate_status(registered):
    terminal = registered(register=REGISTER_WITH_INTERMEDIATE)
    terminal.tell("slow 900")
    apdus = terminal.till.ask(REFUND_1234)
    assert apdus[:3] == [ACCEPTED, "04 FF 01 04", "04 FF 01 04"] and apdus[-1] == COMPLETED


def test_a_till_that_did_not_ask_gets_no_intermediate_status(registered):
    terminal = registered()
    terminal.tell("slow 300")
    assert len(terminal.till.ask(REFUND_1234)) == 3


def test_a_busy_terminal_acknowledges_a_status_enquiry_and_answers_it_afterwards(registered):
    terminal = registered()
    terminal.tell("slow 1500")
    terminal.till.send(REFUND_1234)
    assert terminal.till.receive() == ACCEPTED
    terminal.till.send(STATUS)
    apdus = terminal.till.rest()
    assert apdus[0].startswith("04 0F") and apdus[-1] == COMPLETED
    assert terminal.till.rest()[1].startswith("06 0F 0B F0 F0 F7")


def test_a_frame_that_comes_instead_of_an_ack_waits_for_its_turn(registered):
    till = registered("--t2-ms", "500").till
    till.send(REFUND_1234)
    assert till.receive() == ACCEPTED
    status = till.frame()[1]
    till.send(STATUS)
    assert till.receive() == status  # the repeat
    till.send(ACCEPTED)
    assert till.rest() == [COMPLETED]
    assert till.rest()[1].startswith("06 0F 0B")


def test_abort_ends_a_transaction_that_has_not_reached_the_host(registered):
    terminal = registered(register=REGISTER_WITH_INTERMEDIATE)
    terminal.tell("card 5000")
    terminal.till.send(REFUND_1234)
    assert terminal.till.receive() == ACCEPTED
    assert terminal.till.receive() == "04 FF 01 0A"
    terminal.till.send(ACCEPTED)
    terminal.till.send("06 B0 00")
    assert terminal.till.rest() == [ACCEPTED, "06 1E 01 6C"]
    assert len(terminal.turnovers()) == 1


def test_abort_is_too_late_once_the_host_has_it(registered):
    terminal = registered()
    terminal.tell("slow 1500")
    terminal.till.send(REFUND_1234)
    assert terminal.till.receive() == ACCEPTED
    terminal.till.send("06 B0 00")
    apdus = terminal.till.rest()
    assert apdus[0] == ACCEPTED and apdus[-1] == COMPLETED
    assert len(terminal.turnovers()) == 2


def test_an_idle_terminal_accepts_an_abort_and_a_log_off_without_more(registered):
    till = registered().till
    for command in ("06 B0 00", "06 02 00"):
        till.send(command)
        assert till.receive() == ACCEPTED
        assert till.silence(0.1)
    assert till.ask(REFUND_1234)[-1] == "06 1E 01 6B"  # logged off


def test_diagnosis_and_initialisation_mend_what_asks_for_them(start):
    terminal = start()
    terminal.tell("lock diagnosis initialisation printer")
    terminal.tell("device_state 1")
    assert terminal.till.ask(REGISTER)[1].startswith("06 0F 0A 19 03")
    accepted, clock, completed = terminal.till.ask("06 70 00")
    matches(clock, "04 01 08 AA ?? ?? ?? 0C ?? ?? ??")  # the host's date and time
    assert (accepted, completed) == (ACCEPTED, COMPLETED)
    assert terminal.till.ask("06 93 03 00 00 00") == [ACCEPTED, COMPLETED]
    assert terminal.till.ask("05 01 05 00 00 00 03 04")[1].endswith("1F 43 01 00 1F 55 02 04 00")


# -- the line ------------------------------------------------------------------------------------------------------


def test_the_ten_inside_an_apdu_is_doubled_both_ways(registered):
    terminal = registered()
    terminal.tell("receipt 1010")
    terminal.till.send("06 31 0D 00 00 00 04 00 00 00 10 10 10 49 09 78")
    assert terminal.till.receive() == ACCEPTED
    data, status = terminal.till.frame()
    assert " 04 00 00 00 10 10 10 " in status and bytes.fromhex("87 10 10 10 10 0B") in data
    assert terminal.turnovers()[-1]["amount"] == 101010


def test_a_nak_gets_the_same_frame_again(registered):
    till = registered().till
    till.send(REFUND_1234)
    assert till.receive() == ACCEPTED
    first = till.frame()
    till.write(b"\x15")
    assert till.frame() == first


def test_silence_gets_two_repeats_and_the_refund_stays_executed(registered):
    terminal = registered("--t2-ms", "500")
    till = terminal.till
    till.send(REFUND_1234)
    assert till.receive() == ACCEPTED
    assert till.frame() == till.frame() == till.frame()
    assert till.silence(0.2)
    terminal.until("-- given up")
    assert [t["kind"] for t in terminal.turnovers()] == ["sale", "refund"]
    assert till.ask(REPEAT)[1].startswith("04 0F")


def test_a_refund_whose_acceptance_is_never_acknowledged_is_executed(registered):
    terminal = registered("--t2-ms", "500")
    terminal.till.send(REFUND_1234)
    assert [terminal.till.frame()[1] for _ in range(3)] == [ACCEPTED] * 3
    assert terminal.till.frame()[1].startswith("04 0F")
    assert terminal.turnovers()[-1]["amount"] == 1234


def test_a_message_acknowledged_and_not_answered_does_not_stop_the_terminal(registered):
    till = registered("--t3-ms", "600").till
    till.send(REFUND_1234)
    assert till.receive() == ACCEPTED
    assert till.receive().startswith("04 0F")
    assert till.receive() == COMPLETED


def test_what_a_dead_till_did_not_read_is_not_kept_for_the_next_one(registered):
    terminal = registered("--t2-ms", "300")
    terminal.till.send(REFUND_1234)
    terminal.till.close()
    terminal.until("-- given up")  # 80 00 00
    terminal.until("-- given up")  # 04 0F
    terminal.till = SerialTill(terminal.link)
    assert terminal.till.silence(0.1)
    assert terminal.till.ask(REPEAT)[1].startswith("04 0F")


def test_an_answer_too_many_does_not_answer_the_next_message(registered):
    terminal = registered("--t3-ms", "600")
    terminal.till.send(REFUND_1234)
    terminal.till.receive()
    terminal.till.receive()
    terminal.till.write(framed(ACCEPTED) * 2)
    assert terminal.till.byte() + terminal.till.byte() == b"\x06\x06"
    assert terminal.till.receive() == COMPLETED
    assert terminal.until("-- ") == "-- no answer within T3"


def test_a_flood_during_a_transaction_is_bounded_and_the_transaction_ends(registered):
    terminal = registered()
    terminal.tell("slow 2000")
    terminal.till.send(REFUND_1234)
    assert terminal.till.receive() == ACCEPTED
    for _ in range(8):
        terminal.till.send(STATUS)
    terminal.till.write(framed(STATUS))
    assert terminal.till.frame()[1].startswith("04 0F")  # and no ACK before it


def test_an_answer_counts_as_the_ack_that_was_lost(registered):
    till = registered("--t2-ms", "10000").till
    till.send(REFUND_1234)
    assert till.receive() == ACCEPTED
    till.frame()
    till.send(ACCEPTED)
    assert till.receive(8.0) == COMPLETED


def test_a_refund_frame_that_arrives_twice_is_executed_twice(registered):
    terminal = registered()
    assert terminal.till.ask(REFUND_1234)[-1] == terminal.till.ask(REFUND_1234)[-1] == COMPLETED
    assert [t["amount"] for t in terminal.turnovers()] == [5000, 1234, 1234]


def test_a_frame_that_is_cut_is_refused_after_t1(registered):
    terminal = registered("--t1-ms", "25")
    for cut in range(2, len(framed(REFUND_1234))):
        terminal.till.write(framed(REFUND_1234)[:cut])
        assert terminal.till.byte() == b"\x15"
    assert terminal.till.ask(REFUND_1234)[-1] == COMPLETED
    assert len(terminal.turnovers()) == 2


def test_a_damaged_frame_is_refused_at_once(registered):
    terminal = registered("--t1-ms", "5000")
    frame = bytearray(framed(REFUND_1234))
    frame[12] ^= 0x01
    terminal.till.write(bytes(frame))
    assert terminal.till.byte(4.0) == b"\x15"
    assert len(terminal.turnovers()) == 1


def test_frames_are_swallowed_and_refused_as_asked(registered):
    terminal = registered()
    till = terminal.till
    terminal.tell("silent 1")
    till.write(framed(STATUS))
    assert till.silence(0.15)
    terminal.tell("nak 2")
    for expected in (b"\x15", b"\x15", b"\x06"):
        till.write(framed(STATUS))
        assert till.byte() == expected
    till.rest()
    terminal.tell("silent on")
    till.write(framed(REFUND_1234) * 3)
    assert till.silence(0.15)
    terminal.tell("silent off")
    assert till.ask(STATUS)[0] == ACCEPTED
    assert len(terminal.turnovers()) == 1


def test_noise_is_nothing_to_a_terminal(registered):
    terminal = registered("--t1-ms", "30")
    dice = Random(1)
    for _ in range(50):
        terminal.till.write(bytes(dice.choice((0x10, 0x02, 0x03, 0x06, 0x15, dice.randrange(256))) for _ in range(40)))
    while not terminal.till.silence(0.1):
        pass
    assert terminal.till.ask(REFUND_1234)[-1] == COMPLETED
    assert len(terminal.turnovers()) == 2


def test_the_line_survives_a_till_that_closes_it(registered):
    terminal = registered()
    terminal.till.close()
    terminal.till = SerialTill(terminal.link)
    assert terminal.till.ask(REFUND_1234)[-1] == COMPLETED


# -- receipts ------------------------------------------------------------------------------------------------------


def test_repeat_receipt_tells_the_last_turnover_byte_for_byte(registered):
    till = registered().till
    status = till.ask(REFUND_1234)[1]
    assert till.ask(REPEAT) == [ACCEPTED, status, COMPLETED]
    assert till.ask("06 20 03 00 00 00") == [ACCEPTED, COMPLETED]


def test_repeat_receipt_of_an_empty_store(start):
    assert start("--empty").till.ask(REPEAT) == [ACCEPTED, "06 1E 01 83"]


def test_a_till_that_prints_gets_lines(registered):
    till = registered(register="06 00 06 00 00 00 92 09 78").till
    apdus = till.ask(REFUND_1234)
    lines = [bytes.fromhex(apdu)[4:].decode() for apdu in apdus if apdu.startswith("06 D1")]
    assert "Receipt 0232  Trace 004712" in lines and "978  12.34" in lines and "411111******1111" in lines
    assert apdus[-2:] == ["06 D1 01 81", COMPLETED]


def test_a_till_that_permits_blocks_gets_one(registered):
    till = registered(register="06 00 0E 00 00 00 92 09 78 06 06 26 04 0A 02 06 D3").till
    apdus = till.ask("06 20 03 00 00 00")
    assert [apdu[:5] for apdu in apdus] == ["80 00", "06 D3", "06 0F"]
    assert b"Receipt 0231  Trace 004711" in bytes.fromhex(apdus[1])


def test_receipt_numbers_wrap_to_one(registered):
    terminal = registered()
    terminal.tell("receipt 9999")
    terminal.till.ask(REFUND_1234)
    terminal.till.ask(REFUND_1234)
    assert [t["receipt"] for t in terminal.turnovers()] == [231, 9999, 1]


# -- power ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("point", "seen", "executed"),
    [("before-execute", 1, 0), ("after-execute", 1, 1), ("after-status", 2, 1), ("after-ack", 2, 1)],
)
def test_a_power_cut_leaves_exactly_what_was_executed(registered, point, seen, executed):
    terminal = registered("--set", "die " + point)
    till = terminal.till
    till.send(REFUND_1234)
    assert till.receive() == ACCEPTED
    if seen == 2:
        status = till.frame()[1]
        assert status.startswith("04 0F")
    if point == "after-ack":
        till.write(b"\x06")
        till.send(ACCEPTED)
    assert terminal.process.wait(PATIENCE) == 9
    assert len(terminal.turnovers()) == 1 + executed
    terminal.end()
    again = TerminalProcess(Path(terminal.store).parent)
    try:
        last = again.till.ask(REPEAT)[1]
        assert (" 04 00 00 00 00 12 34 " in last) == bool(executed)
        assert len(again.turnovers()) == 1 + executed
        assert again.till.ask(REFUND_1234)[-1] == "06 1E 01 6B"  # the registration went with the power
    finally:
        again.end()


def test_what_was_told_survives_kill_9(registered):
    terminal = registered()
    terminal.till.send(REFUND_1234)
    terminal.till.receive()
    terminal.till.frame()
    terminal.process.send_signal(signal.SIGKILL)
    terminal.process.wait(PATIENCE)
    assert [t["amount"] for t in terminal.turnovers()] == [5000, 1234]
    assert os.path.islink(terminal.link)  # a power cut tidies nothing up, and the next start replaces it
    terminal.end()
    again = TerminalProcess(Path(terminal.store).parent)
    assert again.end() == 0
    assert not os.path.lexists(terminal.link)


# -- the process ---------------------------------------------------------------------------------------------------


def test_the_card_number_is_never_in_the_clear(registered):
    terminal = registered()
    till = terminal.till
    on_the_line = " ".join(till.ask(SALE_2500) + till.ask(REPEAT)).replace(" ", "")
    assert CARD not in on_the_line and "411111EEEEEE1111" in on_the_line
    terminal.tell("pan clear")
    assert CARD in " ".join(till.ask(REFUND_1234)).replace(" ", "")
    till.ask("06 31 15 00 00 00 04 00 00 00 00 12 34 22 F0 F8 55 00 00 00 00 00 00 04")  # the till knows a card, too
    till.ask("06 31 09 00 00 00 22 F0 F3 55 00 00")
    till.ask("06 99 08 55 00 00 00 00 00 00 04")
    terminal.tell("list")
    terminal.end()
    output = "\n".join(terminal.lines)
    assert CARD not in re.sub(r"\W", "", output) and "55000000" not in re.sub(r"\W", "", output)
    assert "22 .." in output
    stored = Path(terminal.store).read_bytes()
    assert CARD.encode() not in stored and bytes.fromhex(CARD) not in stored


def test_each_apdu_is_logged_in_words(registered):
    terminal = registered()
    terminal.till.ask(REFUND_1234)
    assert terminal.until("<- 06 31") == "<- 06 31 refund 12.34 EUR [%s]" % REFUND_1234
    assert terminal.until("-> 04 0F").startswith("-> 04 0F status information result 00 receipt 232 12.34 EUR [04 0F")


def test_quiet_says_ready_and_nothing_else(registered):
    terminal = registered("--quiet")
    terminal.till.ask(REFUND_1234)
    terminal.end()
    assert terminal.lines == ["ready " + terminal.link]


def test_the_console_answers_each_line(start):
    terminal = start()
    assert terminal.tell("dance").startswith("error unknown command; known: abort card crc decline")
    for wrong in ("status", "status 5", "status GG", "lock sink", "device_state 4", "die now", "sale 1.2", "silent -1"):
        assert terminal.tell(wrong).startswith("error "), wrong
    assert terminal.tell("version 3.0.1") == "ok version 3.0.1"
    assert json.loads(terminal.tell("list")[3:])["turnovers"][0]["receipt"] == 231
    terminal.process.stdin.write(b"quit\n")
    terminal.process.stdin.flush()
    assert terminal.process.wait(PATIENCE) == 0
    assert not os.path.lexists(terminal.link)


def test_end_of_input_ends_it_only_when_asked(start, tmp_path):
    terminal = start()
    terminal.process.stdin.close()
    assert terminal.till.ask(STATUS)[0] == ACCEPTED
    terminal.process.terminate()
    assert terminal.process.wait(PATIENCE) == 0
    terminal.till.close()
    ending = TerminalProcess(tmp_path, "--stdin-ends")
    ending.process.stdin.close()
    assert ending.process.wait(PATIENCE) == 0
    ending.till.close()


def run(tmp_path, *options):
    command = [sys.executable, "-m", "hal.sim.zvt_terminal", "--store", str(tmp_path / "store.db"), *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL)


def test_a_file_in_the_way_is_left_alone(tmp_path):
    precious = tmp_path / "line"
    precious.write_text("precious")
    refused = run(tmp_path, "--link", str(precious))
    assert refused.returncode == 2 and len(refused.stderr.splitlines()) == 1 and "Traceback" not in refused.stderr
    assert precious.read_text() == "precious"


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--list"],
        ["--link", "x", "--set", "dance"],
        ["--link", "x", "--card", "1"],
        ["--link", "x", "--serial", "123456789"],
        ["--link", "x", "--model", "X" * 41],
    ],
)
def test_wrong_usage_is_one_line_and_2(tmp_path, options):
    refused = run(tmp_path, *options)
    assert refused.returncode == 2 and len(refused.stderr.splitlines()) == 1
    assert not os.path.lexists(ROOT / "x")


def test_a_file_that_is_no_store_is_refused(tmp_path):
    (tmp_path / "store.db").write_bytes(b"not a store" * 100)
    refused = run(tmp_path, "--link", str(tmp_path / "line"))
    assert refused.returncode == 2 and len(refused.stderr.splitlines()) == 1


def test_list_is_one_document_or_one_line_each(registered, tmp_path):
    terminal = registered()
    terminal.till.ask(REFUND_1234)
    assert terminal.listed() == terminal.turnovers()
    keys = ["receipt", "trace", "kind", "amount", "currency", "date", "time", "card", "result", "reversed_by"]
    assert all(set(keys) <= set(turnover) for turnover in terminal.turnovers())
    lines = run(tmp_path, "--list").stdout.splitlines()
    assert len(lines) == 2 and lines[1].startswith("receipt 0232  trace 004712") and "approved" in lines[1]


def test_the_store_is_synced_with_each_change(tmp_path):
    store = TurnoverStore(str(tmp_path / "store.db"), [first_sale(978, "411111EEEEEE1111")])
    level = store._db.execute("PRAGMA synchronous").fetchone()[0]
    assert level >= 2  # FULL
    store.add("refund", 100, 978, "411111EEEEEE1111")
    other = sqlite3.connect(str(tmp_path / "store.db"))
    assert other.execute("SELECT count(*) FROM turnover").fetchone() == (2,)
