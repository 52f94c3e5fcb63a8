"""The simulated till against the simulated terminal, over a pseudo-terminal and over TCP; its bytes against the papers."""

import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from boards.simulated import SimulatedTerminal
from hal.sim.zvt_till.commands import Wrong, parse
from hal.sim.zvt_till.plug import address
from hal.sim.zvt_till.screen import WIDTH, box, width

from .paper_till import framed

ROOT = Path(__file__).parent.parent
SLOW = ["--quiet", "--t2-ms", "2000", "--t3-ms", "2000"]
PATIENCE_S = 60

SERIAL, TCP = "serial", "tcp"


@pytest.fixture(params=[SERIAL, TCP])
def terminal(request, tmp_path):
    one = SimulatedTerminal(
        tmp_path / "line" if request.param == SERIAL else "127.0.0.1:0", tmp_path / "store.db", SLOW
    )
    one.kind = request.param
    yield one
    one.stop()


@pytest.fixture
def serial(tmp_path):
    one = SimulatedTerminal(tmp_path / "line", tmp_path / "store.db", SLOW)
    yield one
    one.stop()


def command_line(line, *arguments):
    return [sys.executable, "-m", "hal.sim.zvt_till", "--line", str(line), *arguments]


def till(line, *arguments, text=None):
    """(documents, exit status, what it says on standard error)."""
    done = subprocess.run(
        command_line(line, "--json", *arguments),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        input=text,
    )
    return [json.loads(row) for row in done.stdout.splitlines()], done.returncode, done.stderr


def told(document):
    return [document[name] for name in ("outcome", "code", "receipt", "trace", "amount")]


def executed(terminal):
    """(kind, amount, approved) of what it has done since it began."""
    turnovers = json.loads(terminal.tell("list")[3:])["turnovers"]
    return [(turnover["kind"], turnover["amount"], turnover["approved"]) for turnover in turnovers[1:]]


# ---- a day of a till ----
def test_a_day_of_a_till(terminal):
    documents, status, said = till(
        terminal.link, "sale 12.34, void 232, refund 5, status, last, diagnosis, initialise, end-of-day, log-off"
    )
    sale, void, refund, state, last, diagnosis, initialised, day, off = documents
    assert (status, said) == (0, "")
    assert told(sale) == ["approved", 0, 232, 4712, 1234] and sale["display"] == ["APPROVED 12.34 EUR\nreceipt 232"]
    assert told(void) == ["approved", 0, 233, 4713, 1234]
    assert void["display"] == ["VOIDED 12.34 EUR\nreceipt 233, trace of the sale 4712"]
    assert told(refund) == ["approved", 0, 234, 4714, 500] and refund["display"] == ["REFUNDED 5.00 EUR\nreceipt 234"]
    assert state["outcome"] == "done" and state["display"] == ["TERMINAL READY\nversion 2.14.15"]
    assert (state["status"]["locks"], state["status"]["terminal_model"]) == (0, "SIMULATED")
    assert told(last) == ["done", 0, 234, 4714, 500]
    assert diagnosis["display"][-1].startswith("DIAGNOSIS DONE\nthe host's clock: 20") and diagnosis["clock"]
    assert initialised["display"][-1] == "INITIALISED"
    assert (day["outcome"], day["amount"], day["day"]["first"], day["day"]["last"]) == ("done", 4500, 231, 234)
    assert day["day"]["groups"]["VISA"] == [4, 4500]
    assert off["display"] == ["LOGGED OFF"]
    assert executed(terminal) == [("sale", 1234, True), ("reversal", 1234, True), ("refund", 500, True)]


def test_it_shows_what_the_terminal_waits_for_and_draws_it(terminal):
    terminal.tell("card 900")
    terminal.tell("slow 900")
    done = subprocess.run(
        command_line(terminal.link, "sale 12.34"), cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0
    rows = done.stdout.splitlines()
    assert rows[0] == "> sale 12.34"
    assert rows[1:5] == [box("INSERT CARD").splitlines()[0], *box("INSERT CARD").splitlines()[1:]]
    shown = [row.strip("| ") for row in rows if row.startswith("|") and row.strip("| ")]
    assert shown == ["INSERT CARD", "WAITING FOR HOST", "APPROVED 12.34 EUR", "receipt 232"]


def test_a_terminal_that_is_not_asked_for_it_says_nothing_meanwhile(terminal):
    terminal.tell("card 900")
    [sale], _, _ = till(terminal.link, "--config", "10", "sale 1")
    assert sale["display"] == ["APPROVED 1.00 EUR\nreceipt 232"]


def test_a_refusal_is_shown_with_its_text_or_what_its_code_means(terminal):
    terminal.tell("decline 05")
    [declined], status, _ = till(terminal.link, "sale 1")
    assert (status, told(declined)[:2]) == (3, ["declined", 5])
    assert declined["display"] == ["DECLINED\n05 host refuses"]
    terminal.tell("abort 6F")
    [refused], status, _ = till(terminal.link, "sale 1")
    assert (status, refused["outcome"], refused["display"]) == (3, "declined", ["DECLINED\n6F wrong currency"])
    terminal.tell("abort 22 Two sales fit: 231 and 232")
    [held], status, _ = till(terminal.link, "refund 1")
    assert (status, told(held)[:2]) == (3, ["held", 0x22])
    assert held["display"] == ["HELD\nTwo sales fit: 231 and 232"]
    terminal.tell("abort 6C")
    [aborted], status, _ = till(terminal.link, "refund 1")
    assert (status, aborted["outcome"], aborted["display"]) == (3, "aborted", ["ABORTED\n6C timeout or stop key"])
    terminal.tell("negative 83")
    [refused], status, _ = till(terminal.link, "--no-register", "sale 1")
    assert (status, refused["outcome"], refused["code"]) == (3, "declined", 0x83)
    assert executed(terminal) == [("sale", 100, False)]


def test_what_it_prints_is_told_and_without_a_card_number(terminal):
    terminal.tell("receipt_lines 10")
    [sale], status, _ = till(terminal.link, "--config", "9A", "sale 12.34")
    assert status == 0 and "978  12.34" in sale["printed"] and len(sale["printed"]) > 20
    assert "4111110000001111" not in json.dumps(sale)


def test_the_same_sale_cannot_be_voided_twice(terminal):
    [first, second], status, _ = till(terminal.link, "void 231 50.00, void 231")
    assert (first["outcome"], second["outcome"], second["code"], status) == ("approved", "declined", 0xB4, 3)


def test_without_a_registration_no_payment(terminal):
    [sale, state], status, _ = till(terminal.link, "--no-register", "sale 1, status")
    assert (sale["outcome"], sale["code"], state["outcome"], status) == ("declined", 0x6B, "done", 3)


def test_another_password_and_another_currency(tmp_path):
    one = SimulatedTerminal(tmp_path / "line", tmp_path / "db", [*SLOW, "--password", "123456", "--currency", "756"])
    try:
        documents, status, said = till(one.link, "--currency", "CHF", "sale 1")
        assert status == 3 and "refuses us" in said and documents[0]["outcome"] == "no-terminal"
        documents, status, _ = till(one.link, "--currency", "CHF", "--password", "123456", "sale 1.50")
        assert status == 0 and documents[0]["display"] == ["APPROVED 1.50 CHF\nreceipt 232"]
    finally:
        one.stop()


# ---- line by line ----
def test_commands_come_line_by_line_and_a_wrong_one_does_not_stop_it(terminal):
    documents, status, said = till(terminal.link, text="sale 1.00\n\nsell 2\nsale 2,00\nlast\n")
    assert [document["command"] for document in documents] == ["sale 1.00", "last"]
    assert status == 2 and said.count("zvt_till: ") == 2


def test_a_line_that_says_abort_breaks_off_what_runs(terminal):
    terminal.tell("card 20000")
    process = subprocess.Popen(
        command_line(terminal.link, "--json"), cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        process.stdin.write("sale 12.34\n")
        process.stdin.flush()
        time.sleep(1.5)
        begun = time.monotonic()
        process.stdin.write("abort\nstatus\n")
        process.stdin.close()
        abort, sale, state = [json.loads(row) for row in process.stdout]
        assert process.wait() == 3
    assert time.monotonic() - begun < 10
    assert (abort["outcome"], sale["outcome"], sale["code"], state["outcome"]) == ("done", "aborted", 0x6C, "done")
    assert executed(terminal) == []


def test_the_stop_key_may_be_pressed_after_a_time(terminal):
    terminal.tell("card 20000")
    [sale, last], status, _ = till(terminal.link, "--abort-after", "300", "sale 1, last")
    assert (sale["outcome"], sale["code"], last["receipt"], status) == ("aborted", 0x6C, 231, 3)


def test_the_stop_key_is_too_late_for_what_the_host_has(terminal):
    terminal.tell("slow 1500")
    [sale], status, _ = till(terminal.link, "--abort-after", "300", "sale 1")
    assert (sale["outcome"], status) == ("approved", 0)


# ---- silence ----
def test_a_terminal_that_is_not_there(tmp_path):
    for where in (str(tmp_path / "nothing"), "127.0.0.1:1"):
        documents, status, said = till(where, "sale 1, last")
        assert status == 5 and [document["outcome"] for document in documents] == ["no-terminal"] * 2
        assert said.startswith("zvt_till: ") and said.count("\n") == 1


def test_a_terminal_that_says_nothing(terminal):
    terminal.tell("silent on")
    quick = ("--t2-ms", "100", "--t3-ms", "300", "--t4-ms", "300")
    documents, status, said = till(terminal.link, *quick, "sale 1")
    assert (documents[0]["outcome"], status) == ("no-terminal", 5) and "no terminal at" in said
    documents, status, _ = till(terminal.link, *quick, "--no-register", "status, sale 1, refund 1, end-of-day, last")
    outcomes = [document["outcome"] for document in documents]
    assert (outcomes, status) == (["no-terminal", "unknown", "unknown", "unknown", "no-terminal"], 6)
    assert documents[1]["display"][-1].startswith("OUTCOME UNKNOWN\n")


@pytest.mark.parametrize("point, receipt", [("before-execute", 231), ("after-execute", 232), ("after-status", 232)])
def test_a_terminal_that_loses_its_power_leaves_the_outcome_unknown(terminal, tmp_path, point, receipt):
    terminal.tell("die " + point)
    [refund], status, _ = till(terminal.link, "--t2-ms", "2000", "--t3-ms", "5000", "--t4-ms", "5000", "refund 1")
    assert (refund["outcome"], status) == ("unknown", 6)
    terminal.process.wait()
    again = SimulatedTerminal(terminal.link, tmp_path / "store.db", SLOW)
    try:
        [last], status, _ = till(again.link, "last")
        assert (last["receipt"], status) == (receipt, 0)
    finally:
        again.stop()


# ---- faults ----
def test_a_refund_that_is_sent_twice_gets_two_answers(terminal):
    [refund, last], status, _ = till(terminal.link, "--send-twice", "refund 1, last")
    assert (refund["outcome"], refund["receipt"], status) == ("approved", 232, 0)
    # bare, an APDU behind another waits for its turn, as a frame does: the paper knows no duplicates
    assert refund["second"] == {"code": 0, "receipt": 233} and last["receipt"] == 233
    assert executed(terminal) == [("refund", 100, True)] * 2


def test_a_sale_is_not_sent_twice(terminal):
    [sale], _, _ = till(terminal.link, "--send-twice", "sale 1")
    assert "second" not in sale and executed(terminal) == [("sale", 100, True)]


def test_a_till_that_hangs_up_does_not_know_and_asks_when_it_is_back(terminal):
    terminal.tell("slow 1000")
    [refund, last], status, _ = till(terminal.link, "--hang-up", "300", "--t3-ms", "15000", "refund 1, last")
    assert (refund["outcome"], status) == ("unknown", 6)
    assert refund["display"][-1].startswith("OUTCOME UNKNOWN\n")
    assert last["outcome"] == "done" and last["receipt"] in (231, 232)  # the terminal may still be at work


def test_frames_it_refuses_come_again(serial):
    [sale], status, _ = till(serial.link, "--nak", "2", "sale 1")
    assert (sale["outcome"], status) == ("approved", 0)
    assert executed(serial) == [("sale", 100, True)]
    _, status, said = till("127.0.0.1:1", "--nak", "1", "sale 1")
    assert status == 2 and "TCP has no NAK" in said


def test_frames_the_terminal_refuses_go_out_again_but_for_those_that_move_money(serial):
    serial.tell("nak 2")
    [sale], status, _ = till(serial.link, "sale 1")  # the registration
    assert (sale["outcome"], status) == ("approved", 0)
    serial.tell("nak 1")
    [sale], status, _ = till(serial.link, "--no-register", "sale 1")
    assert (sale["outcome"], status) == ("unknown", 6)


def test_one_byte_at_a_time(terminal):
    documents, status, _ = till(terminal.link, "--dribble", "1", "sale 12.34, refund 1, end-of-day")
    assert status == 0 and len(executed(terminal)) == 2 and documents[2]["amount"] == 5000 + 1234 - 100


def test_a_pause_longer_than_t1_is_a_cut_frame(tmp_path):
    one = SimulatedTerminal(tmp_path / "line", tmp_path / "db", ["--quiet", "--t1-ms", "20"])
    try:
        documents, status, _ = till(one.link, "--dribble", "100", "--t2-ms", "200", "--t3-ms", "300", "sale 1")
        assert (documents[0]["outcome"], status) == ("no-terminal", 5) and executed(one) == []
    finally:
        one.stop()


# ---- its bytes, by the papers alone ----
class Paper:
    """The other end, byte for byte. `come`: what the till wrote."""

    def __init__(self, read, write):
        self._read = read
        self._write = write
        self.come = b""

    def until(self, hexes):
        """Wait for exactly these bytes, the next that come."""
        wanted = bytes.fromhex(hexes)
        end = time.monotonic() + 20
        while len(self.come) < len(wanted):
            assert time.monotonic() < end, self.come.hex(" ")
            self.come += self._read()
        got, self.come = self.come[: len(wanted)], self.come[len(wanted) :]
        assert got.hex(" ").upper() == wanted.hex(" ").upper()

    def say(self, hexes):
        self._write(bytes.fromhex(hexes))


@contextlib.contextmanager
def started(line, *arguments):
    with subprocess.Popen(
        command_line(line, "--json", *arguments), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        killer = threading.Timer(PATIENCE_S, process.kill)
        killer.start()
        try:
            yield process
        finally:
            killer.cancel()
            process.kill()


REGISTER = "06 00 06 00 00 00 18 09 78"
REFUND = "06 31 0D 00 00 00 04 00 00 00 00 12 34 49 09 78"
RESULT = "04 0F 13 27 00 04 00 00 00 00 12 34 49 09 78 87 02 32 0B 00 47 12"
OK = "80 00 00"
DONE = "06 0F 00"


def test_its_bytes_on_a_serial_line_are_those_of_the_papers():
    master, slave = os.openpty()
    path = os.ttyname(slave)

    def read():
        return os.read(master, 1000) if select.select([master], [], [], 0.1)[0] else b""

    paper = Paper(read, lambda data: os.write(master, data))

    def frame(hexes):
        return framed(hexes).hex(" ")

    with started(path, "refund 12.34") as process:
        paper.until(frame(REGISTER))
        paper.say("06 " + frame(OK))
        paper.until("06")
        paper.say(frame(DONE))
        paper.until("06 " + frame(OK))
        paper.say("06")
        paper.until(frame(REFUND))
        paper.say("06 " + frame(OK))
        paper.until("06")
        damaged = framed("04 FF 01 0A")[:-1] + b"\x00"
        paper.say(damaged.hex(" "))
        paper.until("15")
        paper.say(framed("04 FF 01 0A").hex(" ")[:14])  # cut: T1 runs out
        paper.until("15")
        paper.say(frame("04 FF 01 0A"))
        paper.until("06 " + frame(OK))
        paper.say("15")  # our NAK: the answer comes again
        paper.until(frame(OK))
        paper.say("06 " + frame(RESULT))
        paper.until("06 " + frame(OK))
        paper.say("06 " + frame(DONE))
        paper.until("06 " + frame(OK))
        paper.say("06")
        document = json.loads(process.stdout.read())
        assert process.wait() == 0
    assert told(document) == ["approved", 0, 232, 4712, 1234]
    assert document["display"] == ["INSERT CARD", "REFUNDED 12.34 EUR\nreceipt 232"]
    os.close(master)
    os.close(slave)


@pytest.mark.parametrize("pieces", [1, 1000])
def test_its_bytes_on_tcp_are_bare_apdus_however_they_are_cut(pieces):
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        started("127.0.0.1:%d" % server.getsockname()[1], "--send-twice", "--dribble", "0", "refund 12.34") as process,
    ):
        one, _ = server.accept()
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def write(data):
            for at in range(0, len(data), pieces):
                one.sendall(data[at : at + pieces])

        paper = Paper(lambda: one.recv(1000), write)
        paper.until(REGISTER)
        paper.say(OK + DONE)
        paper.until(OK)
        paper.until(REFUND + REFUND)
        paper.say(OK)
        for message in ("04 FF 01 0A", RESULT, DONE, OK, "06 1E 01 9C"):
            paper.say(message)
            if message != OK:
                paper.until(OK)
        document = json.loads(process.stdout.read())
        assert process.wait() == 0
        assert one.recv(1) == b""
        one.close()
    assert told(document) == ["approved", 0, 232, 4712, 1234] and document["second"] == {"code": 0x9C, "receipt": None}


# ---- words, boxes, addresses ----
def test_what_is_no_command_is_said_in_one_line():
    for text in (
        "",
        "sale",
        "sale 0",
        "sale 1.2",
        "sale 1,20",
        "sale -1",
        "sale 10000000000",
        "void",
        "void 0",
        "void 10000",
    ):
        with pytest.raises(Wrong) as wrong:
            parse(text)
        assert "\n" not in str(wrong.value)
    for text in ("void 1 2 3", "status now", "pay 1"):
        with pytest.raises(Wrong):
            parse(text)
    assert parse(" sale  9999999999.99 ").amount == 999999999999
    assert (parse("void 232 12.34").receipt, parse("void 232 12.34").amount, parse("void 7").amount) == (
        232,
        1234,
        None,
    )
    _, status, said = till("127.0.0.1:1", "sale 1, pay 2")
    assert status == 2 and said.startswith("zvt_till: pay 2 is no command")


def test_a_box_holds_any_text():
    long = "Zwei Verkäufe passen zu dieser Erstattung: Beleg 231 von gestern und Beleg 232"
    for text in ("", "one", "one\ntwo\nthree", long, "x" * 200, "退款被保留：" * 12, "a " * 100):
        rows = box(text).split("\n")
        assert len(rows) >= 4 and {width(row) for row in rows} == {WIDTH + 4}
        assert "".join(row[2:-2] for row in rows[1:-1]).replace(" ", "") == text.replace(" ", "").replace("\n", "")


def test_a_path_is_told_from_a_host():
    assert address("127.0.0.1:20007") == ("127.0.0.1", 20007) and address("[::1]:5") == ("::1", 5)
    assert address("terminal.example:20007") == ("terminal.example", 20007)
    for path in ("/dev/ttyUSB0", "line", "/tmp/a:1", "host:", "host:70000"):
        assert address(path) is None
