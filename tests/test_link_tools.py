"""The laptop's end of the line: three voices taken apart, silence told in time, ports and speeds found, the link measured."""

import itertools
import json
import os
import random
import signal
import subprocess
import sys
import termios
import threading
import time

import cbor2
import pytest

from firmware_agent.wire import hdlc, messages, smp, tool_messages
from host_tools import find, link, link_port, link_probe, link_usb, refundctl
from host_tools.link_reader import Reader

from . import running
from .fake_agent import STATUS, FakeAgent
from .usb_cable import Cable

TOLD_S = 2.0  # what the issue promises
START_S = 1.0  # of a Python with its modules, on a busy machine


@pytest.fixture
def agent(tmp_path):
    with FakeAgent(tmp_path) as fake:
        yield fake


@pytest.fixture
def ctl(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("COLUMNS", "80")

    def run(*words):
        status = refundctl.run([str(word) for word in words], {"XDG_RUNTIME_DIR": str(tmp_path)})
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return status, out, err

    return run


def one_line(text):
    return text.startswith("refundctl: ") and text.count("\n") == 1


# ---- three voices on one line ----
def message(number):
    return smp.pack(smp.Header(1, messages.GROUP, 0, number & 0xFF), cbor2.dumps({0: "x" * (number * 37 % 700)}))


def mixed(chance, count=300):
    """(bytes of a line, messages, bodies, lines of text): voices in any order, none inside another."""
    line, sent, bodies, text = [], [], [], 0
    for number in range(count):
        voice = chance.randrange(4)
        if voice == 0:
            sent.append(message(number))
            line.append(smp.frame(sent[-1]))
        elif voice == 1:
            line.append(b"supply low, see help\r\n")
            text += 1
        else:
            bodies.append(chance.randbytes(chance.randrange(1, 400)))
            line.append(hdlc.pack(bodies[-1]))
    return b"".join(line), sent, bodies, text


@pytest.mark.parametrize("longest", [1, 3, 64, 1000, 100000])
def test_however_the_bytes_come_each_voice_is_heard_whole(longest):
    chance = random.Random(longest)
    line, sent, bodies, text = mixed(chance)
    reader = Reader()
    at = 0
    while at < len(line):
        size = chance.randrange(1, longest + 1)
        reader.feed(line[at : at + size])
        at += size
    assert [whole for whole, _ in reader.messages] == sent
    assert list(reader.bodies) == bodies
    assert (reader.text, reader.damaged, reader.dropped) == (text, 0, 0)
    assert (reader.bytes, reader.messages_read, reader.frames_read) == (len(line), len(sent), len(bodies))


def test_of_a_message_it_is_known_which_frames_came_before_it():
    for longest in (7, 100000):
        reader = Reader()
        line = b"".join(hdlc.pack(b"before") + smp.frame(message(number)) + hdlc.pack(b"behind") for number in range(9))
        for at in range(0, len(line), longest):
            reader.feed(line[at : at + longest])
        assert [frames for _, frames in reader.messages] == [2 * number + 1 for number in range(9)]


@pytest.mark.parametrize("rate", [1e-5, 1e-4, 1e-3, 1e-2])
def test_bit_errors_alter_nothing_that_is_taken_and_are_counted(rate):
    chance = random.Random(str(rate))
    taken = 0
    for _ in range(10):
        line, sent, bodies, _ = mixed(chance)
        harmed = bytearray(line)
        errors = 0
        for at in range(len(harmed)):
            if chance.random() < rate * 8:
                harmed[at] ^= 1 << chance.randrange(8)
                errors += 1
        reader = Reader()
        for at in range(0, len(harmed), 512):
            reader.feed(bytes(harmed[at : at + 512]))
        # altered ones are not among those that were sent; the order stays
        rest = iter(sent)
        assert all(whole in rest for whole, _ in reader.messages)
        rest = iter(bodies)
        assert all(body in rest for body in reader.bodies)
        assert errors == 0 or reader.damaged + reader.dropped + reader.text > 0
        taken += len(reader.messages) + len(reader.bodies)
    assert taken > 0


def test_after_any_cut_the_next_frame_is_read():
    good = hdlc.pack(b"good") + smp.frame(message(5))
    for whole in (hdlc.pack(bytes(range(256))), smp.frame(message(18))):
        for size in range(1, len(whole)):
            reader = Reader()
            reader.feed(whole[:size])
            reader.feed(good)
            reader.feed(good)
            assert len(reader.bodies) >= 1 and len(reader.messages) == 2, size


def test_noise_without_an_end_takes_no_memory():
    reader = Reader()
    chance = random.Random(3)
    noise = bytes(set(range(256)) - {0x7E, 0x0A}) * 20
    for _ in range(2000):
        reader.feed(noise)
    assert reader.dropped > 9_000_000
    reader.feed(b"\n" + hdlc.pack(b"good") + chance.randbytes(4) + b"\n" + smp.frame(message(3)))
    assert list(reader.bodies) == [b"good"] and len(reader.messages) == 1


# ---- who is not there is told of in time ----
def told_in(run):
    begun = time.monotonic()
    status, out, err = run()
    assert (status, out, one_line(err)) == (5, "", True), err
    return time.monotonic() - begun, err


READING = [
    ["status"],
    ["watch"],
    ["link"],
    ["journal", "list"],
    ["journal", "verify"],
    ["policy", "show"],
    ["gate"],
    ["terminal"],
    ["preflight", "--receipt", "1", "--amount", "1", "--currency", "EUR"],
]


@pytest.mark.parametrize("words", READING)
def test_silence_is_one_clear_line_within_two_seconds(agent, ctl, words):
    agent.line = lambda frame: b""
    took, err = told_in(lambda: ctl("--port", agent.port, "--json", *words))
    assert took < TOLD_S + 0.2 and "nobody answers" in err


def test_an_agent_that_falls_silent_between_two_answers_is_told_within_two_seconds(agent, ctl):
    answered = itertools.count()
    agent.line = lambda frame: frame if next(answered) < 2 else b""
    took, err = told_in(lambda: ctl("--port", agent.port, "--json", "link"))
    assert took < TOLD_S + 0.2 and "nobody answers" in err


def test_an_agent_that_dies_while_it_is_asked_is_told_at_once(tmp_path):
    with running.Agent(tmp_path) as real:
        real.ready()
        command = [sys.executable, "-m", "host_tools.refundctl", "--port", str(real.link), "link", "--seconds", "60"]
        with subprocess.Popen(
            command, cwd=running.ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as asking:
            time.sleep(START_S)
            os.kill(real.pid, signal.SIGKILL)
            begun = time.monotonic()
            err = asking.stderr.read()
    assert asking.returncode == 5 and one_line(err) and time.monotonic() - begun < TOLD_S + START_S


def test_a_port_that_another_program_holds_is_told_at_once(agent, ctl):
    holder = link.Link(agent.port).open()
    took, err = told_in(lambda: ctl("--port", agent.port, "--json", "watch"))
    holder.close()
    assert took < 1 and "in use" in err


def test_an_answer_that_takes_a_second_is_waited_for(agent, ctl):
    slow = itertools.count()

    def status(request):
        if next(slow) == 0:
            time.sleep(1)
        return agent.status()

    agent.answers[messages.STATUS] = status
    assert ctl("--port", agent.port, "--json", "status")[0] == 0


# ---- finding ports and speeds ----
class SlowLine(FakeAgent):
    """An agent behind an adapter: at any other speed than its own its bytes, and those to it, are noise."""

    baud = termios.B57600

    def _answer(self, header, body):
        speed = termios.tcgetattr(self._master)[4]
        return super()._answer(header, body) if speed == self.baud else None


@pytest.fixture
def adapter(mocker):
    """Makes the machine list ports, with their USB numbers; none of them passes for a pseudo-terminal."""
    listed = []
    mocker.patch("host_tools.find.list_ports.comports", lambda: listed)
    mocker.patch("host_tools.link_port.is_pseudo", lambda port: False)

    def plug(port, vendor, product, description="n/a"):
        listed.append(mocker.Mock(device=port, vid=vendor, pid=product, description=description))

    return plug


def test_an_agent_at_another_speed_is_found_and_its_speed_told(tmp_path, ctl, adapter):
    with SlowLine(tmp_path) as slow:
        adapter(slow.port, 0x0403, 0x6001)
        status, _, err = ctl("status")
        assert status == 0 and f"{slow.port} at 57600 baud" in err
        document = json.loads(ctl("--json", "ports")[1])["ports"][0]
        assert (document["agent"], document["baud"], document["usb"]) == (True, 57600, "0403:6001")
        assert document["description"] == "FTDI" and "57600" in document["text"]
        assert ctl("--port", slow.port, "--json", "status")[0] == 0


def test_no_speed_is_tried_on_a_port_that_has_none(tmp_path, ctl, adapter):
    with SlowLine(tmp_path) as slow:
        adapter(slow.port, 0x2E8A, 0x0005)
        status, _, err = ctl("--json", "status")
        assert status == 5 and "nobody answers" in err


def test_a_silent_port_is_told_within_two_seconds_with_every_speed_tried(agent, ctl, adapter):
    agent.line = lambda frame: b""
    adapter(agent.port, 0x10C4, 0xEA60)
    took, _ = told_in(lambda: ctl("--json", "status"))
    assert took < TOLD_S + 0.5


class Listener:
    """What is plugged in where no agent is: keeps what it hears, and answers as told."""

    def __init__(self, folder, answers):
        self.master, self.slave = os.openpty()
        import tty

        tty.setraw(self.slave)
        self.port = str(folder / "listener")
        os.symlink(os.ttyname(self.slave), self.port)
        self.heard = b""
        self._answers = answers
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        try:
            while True:
                data = os.read(self.master, 1000)
                self.heard += data
                os.write(self.master, self._answers(data))
        except OSError:
            pass

    def close(self):
        os.close(self.slave)
        os.close(self.master)


@pytest.mark.parametrize("answer", [b"ERROR\r\n", b"login: \r\n", b""])
def test_what_is_no_agent_hears_nothing_but_an_echo_and_is_left_alone(tmp_path, ctl, adapter, answer):
    other = Listener(tmp_path, lambda data: answer)
    try:
        adapter(other.port, 0x1A86, 0x7523)
        status, _, err = ctl("--json", "status")
    finally:
        other.close()
    assert status == 5 and one_line(err)
    asked = [line for line in other.heard.split(b"\n") if line]
    assert len(asked) == (1 if answer else 1 + len(find.SPEEDS))
    for line in asked:
        header, body = smp.unpack(smp.Assembler().add(line))
        assert (header.group, header.command, cbor2.loads(body)) == (0, 0, {"d": "refundctl"})
    assert not set(other.heard) & {1, 3, 17, 19}


def test_a_modem_is_never_opened_unless_somebody_names_it(tmp_path, ctl, adapter):
    modem = Listener(tmp_path, lambda data: b"")
    try:
        adapter(modem.port, 0x2C7C, 0x0125)
        status, _, err = ctl("--json", "status")
        assert status == 5 and "Quectel modem" in err and modem.heard == b""
        row = json.loads(ctl("--json", "ports")[1])["ports"][0]
        assert (row["why"], row["usb"]) == ("not_asked", "2c7c:0125") and modem.heard == b""
    finally:
        modem.close()


def test_the_ports_of_known_boards_come_before_others(mocker):
    ports = [("/dev/ttyS0", None, None), ("/dev/ttyUSB0", 0x0403, 0x6001), ("/dev/ttyACM0", 0x303A, 0x1001)]
    listed = [mocker.Mock(device=port, vid=vid, pid=pid, description=None) for port, vid, pid in ports]
    mocker.patch("host_tools.find.list_ports.comports", lambda: listed)
    found = find.candidates({})
    assert [one.port for one in found if one.port.startswith("/dev/tty")] == [
        "/dev/ttyACM0",
        "/dev/ttyUSB0",
        "/dev/ttyS0",
    ]
    assert [one.speed for one in found][-3:] == [False, True, True]


def test_no_device_is_both_a_board_and_another_thing():
    assert not {vendor for vendor, _ in link_usb.BOARDS} & set(link_usb.OTHERS)
    assert link_usb.known(0xFFFF, 1) == (None, True, True)


def test_a_board_that_gets_another_name_when_it_is_plugged_in_again_is_found(tmp_path, mocker):
    listed = []
    mocker.patch("serial.tools.list_ports.comports", lambda: listed)
    mocker.patch("host_tools.link_port.is_pseudo", lambda port: False)
    with FakeAgent(tmp_path, "ttyACM0") as board:
        listed.append(mocker.Mock(device=board.port, vid=0x2E8A, pid=5, serial_number="E66118"))
        port = link.Link(board.port).open()
        port.ask(messages.STATUS)
    listed[0] = mocker.Mock(device="elsewhere", vid=0x2E8A, pid=5, serial_number="another")
    assert not port.reopen(time.monotonic() + 0.2)
    with FakeAgent(tmp_path, "ttyACM1") as board:
        listed.append(mocker.Mock(device=board.port, vid=0x2E8A, pid=5, serial_number="E66118"))
        assert port.reopen(time.monotonic() + 1)
        assert port.ask(messages.STATUS)["agent_id"] == STATUS["agent_id"]
        port.close()


# ---- a line that dies in the midst of a command ----
SALE = ("--receipt", "231", "--amount", "12.34", "--currency", "EUR")
WHO = ("--by", "ann", "--role", "owner")
DIES = {
    "status": ("status",),
    "preflight": ("preflight", *SALE),
    "settle": ("settle", "r-1", "--done", *WHO, "--reason", "receipt"),
    "attest": ("attest", "evidence", "--receipt", "231", "--yes", *WHO),
    "guide": ("guide", "4", "--done", "3", *WHO),
    "explain": ("explain", "r-1"),
    "list": ("journal", "list"),
    "show": ("journal", "show", "r-1"),
    "verify": ("journal", "verify"),
    "verify known": ("journal", "verify", "--known", "1:0123456789abcdef"),
    "pull": ("journal", "pull", "copy"),
    "export": ("journal", "export", "copy.csv"),
    "accept": ("journal", "accept", *WHO, "--reason", "seen"),
    "gate": ("gate",),
    "policy": ("policy", "show"),
    "push": ("policy", "push", "policy.cose"),
    "link": ("link", "--seconds", "0.3"),
    "capture": ("capture", "line.cap", "--seconds", "0.1"),
}
took_longest = []  # s
GOES_ON = ("pull", "push")  # they wait for a cable that is plugged in again, and say so meanwhile


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A real agent with a refund, in a folder with what the commands need."""
    folder = tmp_path_factory.mktemp("shop")
    with running.Agent(folder) as real:
        real.ready()
        real.refund({"receipt": 231, "amount": 1234, "currency": "EUR", "key": "r-1"})
        (folder / "policy.cose").write_bytes(running.signed())
        yield real


@pytest.mark.parametrize("how", ["pulled", "silent"])
@pytest.mark.parametrize("name", DIES)
def test_a_line_that_dies_in_the_midst_of_any_command_is_one_clear_line_in_time(
    shop, ctl, tmp_path, monkeypatch, record_count, name, how
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "policy.cose").write_bytes((shop.folder / "policy.cose").read_bytes())

    def clean():
        for file in ("copy", "copy.part", "copy.csv", "line.cap"):
            (tmp_path / file).unlink(missing_ok=True)

    with Cable(tmp_path, str(shop.link)) as cable:
        begun = cable.carried
        ctl("--port", cable.port, "--json", *DIES[name])
        whole = cable.carried - begun
        for share in (0.6,) if how == "silent" else (0, 0.6, 0.9):
            clean()
            died = []
            left = [int(whole * share)]

            def lost(data, left=left, died=died):
                passed, left[0] = data[: left[0]], max(0, left[0] - len(data))
                if not left[0] and not died:
                    died.append(time.monotonic())
                    if how == "pulled":
                        threading.Thread(target=cable.pull).start()  # not by the thread that carries its bytes
                return passed

            cable.to_laptop = lost
            if how == "pulled" and name in GOES_ON:
                # behind its first question, which names the agent
                again = threading.Timer(1, lambda: (setattr(cable, "to_laptop", lambda data: data), cable.plug()))
                again.start()
            status, _, err = ctl("--port", cable.port, "--json", *DIES[name])
            cable.to_laptop = lambda data: data
            if not died:  # this time the agent had to say less
                assert share == 0.9, (name, share)
                continue
            took = time.monotonic() - died[0]
            if how == "pulled" and name in GOES_ON:
                again.join()
                assert took < 1 + TOLD_S + START_S and status in (0, 4, 5)
                continue
            took_longest.append(took)
            record_count("s until a command tells that its line died, at most", round(max(took_longest), 2))
            assert took < TOLD_S, (name, share)
            assert (status, one_line(err)) == (5, True), err
            if how == "pulled":
                cable.plug()


# ---- measuring ----
@pytest.mark.parametrize("runtime", running.RUNTIMES)
def test_a_link_is_measured_and_both_ends_count_the_same(tmp_path, ctl, runtime):
    with running.Agent(tmp_path, runtime) as real:
        real.ready()
        with Cable(tmp_path, str(real.link)) as cable:
            port = link.Link(cable.port).open()
            before = port.ask(tool_messages.LINK)
            sent, came = port.sent_bytes, port.reader.bytes
            probe = link_probe.measure(port, 0.2)
            after = port.ask(tool_messages.LINK)
            port.close()
        status, out, err = ctl("--port", real.link, "--json", "link", "--seconds", "0.2")
    # what was asked before the count came before it, what is answered comes behind it
    assert after["bytes_in"] - before["bytes_in"] == port.sent_bytes - sent
    assert abs(after["bytes_out"] - before["bytes_out"] - (port.reader.bytes - came)) < 2 * smp.LINE
    assert (after["damaged"], after["dropped"], port.reader.damaged, port.reader.dropped) == (0, 0, 0, 0)
    assert probe.bytes > 0 and probe.line_bytes > probe.bytes and len(probe.round_trips) == 20
    document = json.loads(out)
    assert (status, err) == (0, "")
    assert {"port", "description", "usb", "baud", "round_trip", "pull", "clock", "ours", "agent"} <= document.keys()
    assert document["round_trip"]["min_ms"] <= document["round_trip"]["median_ms"] <= document["round_trip"]["p99_ms"]
    assert document["agent"]["bytes_in"] > 0 and abs(document["clock"]["drift_s"]) < 1.1


@pytest.mark.parametrize("delay_s", [0.0, 0.05, 0.2])
def test_the_agents_uptime_maps_to_this_clock_within_its_bound(agent, delay_s):
    started = time.time()
    agent.uptime_ms, agent._begun = 0, time.monotonic()

    def line(frame):
        time.sleep(delay_s)  # all of it on the way back, which is the worst case
        return frame

    agent.line = line
    port = link.Link(agent.port).open()
    probe = link_probe.measure(port, 0)
    port.close()
    assert abs(probe.clock.booted_s - started) <= probe.clock.error_s + 0.001
    assert probe.clock.error_s >= delay_s / 2 and probe.agent is None


def test_a_line_that_loses_and_alters_is_told_with_its_counts(agent, ctl):
    count = itertools.count()

    def harm(frame):
        number = next(count)
        if number % 7 == 3:
            return b""
        return frame[:9] + b"!" + frame[10:] if number % 7 == 5 else frame

    agent.line = harm
    agent.answers[messages.STATUS] = lambda request: STATUS
    status, out, _ = ctl("--port", agent.port, "--json", "link")
    document = json.loads(out)
    assert status == 0
    assert document["round_trip"]["lost"] > 0 and document["ours"]["damaged"] > 0 and document["ours"]["silences"] > 0
    assert document["agent"] is None and document["pull"]["bytes"] == 0
    for words in ([], ["--lang", "zh"]):
        agent.line = lambda frame: frame
        status, out, _ = ctl("--port", agent.port, *words, "link")
        assert status == 0 and max(map(len, out.splitlines())) <= 80


def test_the_paths_of_pseudo_terminals_are_known(agent):
    assert link_port.is_pseudo(agent.port) and not link_port.is_pseudo("/dev/ttyUSB0")
