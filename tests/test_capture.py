"""A capture is what went over the link, whole or cut; played back it answers as the agent did."""

import json
import os
import signal
import subprocess
import sys
import time

import cbor2
import pytest

from firmware_agent.wire import messages
from host_tools import capture_file, capture_replay, link, refundctl

from . import running
from .fake_agent import STATUS, FakeAgent
from .test_watch_tools import happen
from .usb_cable import Cable


@pytest.fixture
def ctl(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("COLUMNS", "80")

    def run(*words):
        status = refundctl.run([str(word) for word in words], {"XDG_RUNTIME_DIR": str(tmp_path)})
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return status, out, err

    return run


@pytest.fixture(params=running.RUNTIMES)
def captured(request, tmp_path):
    """(file, the lines that watching printed while it was made, the agent's status): with a pulled cable in it."""
    file = tmp_path / "link.capture"
    with running.Agent(tmp_path, request.param) as agent:
        agent.ready()
        told = agent.ask(messages.STATUS)
        with Cable(tmp_path, str(agent.link)) as cable:
            command = [sys.executable, "-m", "host_tools.refundctl", "--port", cable.port, "--json"]
            with subprocess.Popen(
                [*command, "capture", str(file), "--values"],
                cwd=running.ROOT,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
            ) as capture:
                lines = [capture.stdout.readline() for _ in range(3)]
                happen(cable, 3)
                cable.pull()
                lines += until(capture, "link_lost")
                happen(cable, 3)
                cable.plug()
                lines += until(capture, "link_back")
                happen(cable, 3)
                time.sleep(1.5)
                capture.send_signal(signal.SIGINT)
                rest, err = capture.stdout.read(), capture.stderr.read()
            assert (capture.returncode, err) == (0, "")
    return file, "".join(lines) + rest, told


def until(process, kind):
    lines = [process.stdout.readline()]
    while json.loads(lines[-1])["kind"] != kind:
        lines.append(process.stdout.readline())
    return lines


def test_watching_a_capture_prints_the_same_lines_as_watching_the_agent_did(captured, ctl):
    file, lines, _ = captured
    status, out, err = ctl("--port", f"replay:{file}", "--json", "watch", "--values")
    assert (status, err) == (0, "")
    assert out.splitlines() == lines.splitlines()
    kinds = [json.loads(line)["kind"] for line in out.splitlines()]
    assert {"event", "values", "link_lost", "link_back"} <= set(kinds)


def test_commands_that_read_an_agent_read_a_capture(captured, ctl):
    file, _, told = captured
    port = f"replay:{file}"
    status, out, _ = ctl("--port", port, "--json", "status")
    assert json.loads(out)["agent_id"] == told["agent_id"]
    for words in (["journal", "list"], ["journal", "verify"], ["policy", "show"], ["terminal"], ["watch"]):
        assert ctl("--port", port, *words)[0] == 0, words
    status, _, err = ctl("--port", port, "explain", "last")
    assert status == 4 and "no refund" in err  # in the journal that was captured, that is
    status, out, _ = ctl("--port", port, "--json", "link")
    document = json.loads(out)
    assert status == 0 and document["round_trip"]["echoes"] == 20 and document["agent"]["bytes_in"] > 0
    assert document["round_trip"]["median_ms"] > 0


def test_what_was_not_asked_then_is_said_to_be_missing(captured, ctl):
    file, _, _ = captured
    sale = ("--receipt", "1", "--amount", "1", "--currency", "EUR")
    for command in ("preflight", "refund"):  # nobody can have done the refund
        status, out, err = ctl("--port", f"replay:{file}", "--json", command, *sale)
        assert (status, out) == (1, "") and err.count("\n") == 1 and "was not asked then" in err


def test_a_capture_that_ends_while_the_cable_is_out_says_so(captured, ctl):
    file, lines, _ = captured
    capture = capture_file.read(str(file))
    lost = next(t for t, kind, what in capture.records if (kind, what) == (capture_file.NOTE, capture_file.LOST))
    with open(file, "wb") as cut:
        cut.write(cbor2.dumps([capture_file.MAGIC, capture_file.VERSION, capture.about]))
        for record in capture.records:
            if record[0] <= lost:
                cut.write(cbor2.dumps(list(record)))
    status, out, err = ctl("--port", f"replay:{file}", "--json", "watch", "--values")
    kinds = [json.loads(line)["kind"] for line in lines.splitlines()]
    assert (status, err) == (0, "")
    assert out.splitlines() == lines.splitlines()[: kinds.index("link_lost") + 1]


def test_a_capture_cut_after_any_byte_is_readable_to_its_cut(tmp_path):
    file = tmp_path / "capture"
    recorder = capture_file.Recorder(str(file), "somewhere", 115200)
    recorder.note(capture_file.OPENED)
    for number in range(5):
        recorder.sent(bytes(number))
        recorder.came(b"\x7e" * number * 10)
    recorder.close()
    whole = file.read_bytes()
    records = capture_file.read(str(file)).records
    assert len(records) == 11 and recorder.bytes == len(whole)
    ends = [len(whole) - sum(len(cbor2.dumps(list(record))) for record in records[count:]) for count in range(12)]
    for size in range(ends[0], len(whole) + 1):
        file.write_bytes(whole[:size])
        capture = capture_file.read(str(file))
        complete = sum(end <= size for end in ends) - 1
        assert (len(capture.records), capture.unread) == (complete, size - ends[complete])
        assert capture.records == records[:complete]


def test_a_damaged_capture_is_read_to_its_damage_and_no_further(tmp_path):
    file = tmp_path / "capture"
    recorder = capture_file.Recorder(str(file), "somewhere", 115200)
    for _ in range(20):
        recorder.came(b"bytes")
    recorder.close()
    whole = file.read_bytes()
    records = capture_file.read(str(file)).records
    for at in range(0, len(whole), 3):
        for flip in (0x01, 0x20, 0x80):
            file.write_bytes(whole[:at] + bytes((whole[at] ^ flip,)) + whole[at + 1 :])
            try:
                found = capture_file.read(str(file)).records
            except capture_file.NoCapture:
                continue
            assert len(found) <= len(records) and all(record[1] in (0, 1, 2) for record in found)


@pytest.mark.parametrize(
    "content", [b"", b"text", cbor2.dumps([1, 2, 3]), cbor2.dumps(["refund-agent capture", 9, {}])]
)
def test_what_is_no_capture_is_one_clear_line(ctl, tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    for words in (["--port", f"replay:{tmp_path}/file", "watch"], ["replay", tmp_path / "file"]):
        status, out, err = ctl(*words)
        assert (status, out, err.count("\n")) == (1, "", 1) and "capture" in err
    status, _, err = ctl("--port", f"replay:{tmp_path}/nothing", "status")
    assert status == 1 and err.count("\n") == 1


def test_a_file_that_is_there_is_never_replaced(ctl, tmp_path):
    (tmp_path / "precious").write_text("mine")
    with FakeAgent(tmp_path) as agent:
        status, out, err = ctl("--port", agent.port, "capture", tmp_path / "precious")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert (tmp_path / "precious").read_text() == "mine"


def test_a_pin_is_struck_out_of_a_capture(tmp_path):
    file = tmp_path / "capture"
    asked = {"key": "k1", "receipt": 1, "amount": 100, "by": "Ann", "pin": "4711"}
    with FakeAgent(tmp_path) as agent:
        agent.answers[messages.APPROVE] = lambda request: {"number": 7}
        port = link.Link(agent.port).open()
        port.recorder = capture_file.Recorder(str(file), port.port, port.baud)
        port.ask(messages.APPROVE, asked)
        port.close()
        assert agent.requests(messages.APPROVE) == [asked]
    replay = capture_replay.Story(capture_file.read(str(file)))
    (request,) = [request for request in replay.answers if request[2] == messages.APPROVE]
    assert b"Ann" in request[3] and b"****" in request[3] and b"4711" not in request[3]


def test_an_agent_without_a_stream_is_captured_and_played_back(ctl, tmp_path):
    file = tmp_path / "capture"
    events = [{"number": number, "uptime_ms": number, "code": 1, "numbers": {}} for number in (1, 2, 3)]

    def since(asked):
        new = [event for event in events if event["number"] > asked["cursor"]]
        return {"events": new, "next": 3, "dropped": 0, "boot": STATUS["boot"], "uptime_ms": 0}

    with FakeAgent(tmp_path) as agent:
        agent.answers[messages.EVENTS_SINCE] = since
        status, live, _ = ctl("--port", agent.port, "--json", "capture", file, "--seconds", "0.2")
    assert status == 0 and live.count("\n") == 3
    assert ctl("--port", f"replay:{file}", "--json", "watch")[:2] == (0, live)


def test_a_capture_served_as_a_port_answers_and_streams_as_fast_as_told(captured, tmp_path):
    file, lines, told = captured
    command = [sys.executable, "-m", "host_tools.refundctl", "--json"]
    with subprocess.Popen(
        [*command, "replay", str(file), "--speed", "5"],
        cwd=running.ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as served:
        port = json.loads(served.stdout.readline())["port"]
        done = subprocess.run([*command, "--port", port, "status"], cwd=running.ROOT, capture_output=True, text=True)
        assert json.loads(done.stdout)["agent_id"] == told["agent_id"], done.stderr
        watched = subprocess.run(
            [*command, "--port", port, "watch", "--for", "4"], cwd=running.ROOT, capture_output=True, text=True
        )
        served.send_signal(signal.SIGINT)
        err = served.stderr.read()
    assert (served.returncode, err) == (0, "") and not os.path.exists(port)
    events = [json.loads(line)["number"] for line in lines.splitlines() if '"event"' in line]
    seen = [json.loads(line) for line in watched.stdout.splitlines()]
    assert [one["number"] for one in seen if one["kind"] == "event"] == events
