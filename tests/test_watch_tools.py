"""refundctl watch on a real agent's stream, through what happens to a cable: what came against what happened."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time

import cbor2
import pytest

from firmware_agent.wire import messages, smp, tool_messages
from host_tools import link

from . import running
from .usb_cable import Cable

SALE = {"receipt": 231, "amount": 100, "currency": "EUR"}
PATIENCE_S = 20  # for what comes at once on a machine that has nothing else to do
RING = 24  # events that an agent keeps


class Watch:
    """A refundctl that watches, its lines as documents as they come."""

    def __init__(self, port, *words):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "host_tools.refundctl", "--port", str(port), "--json", "watch", *words],
            cwd=running.ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
        self._lines = queue.Queue()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        for line in self.process.stdout:
            self._lines.put(json.loads(line))

    def next(self, seconds=PATIENCE_S):
        return self._lines.get(timeout=seconds)

    def until(self, wanted):
        """All documents until one of which `wanted`(document) is true."""
        seen = [self.next()]
        while not wanted(seen[-1]):
            seen.append(self.next())
        return seen

    def end(self):
        """(exit status, stderr) after Ctrl-C."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(PATIENCE_S)
        self._thread.join(PATIENCE_S)
        with self.process.stdout, self.process.stderr as errors:
            return self.process.returncode, errors.read()


@pytest.fixture(params=running.RUNTIMES)
def agent(request, tmp_path):
    with running.Agent(tmp_path, request.param) as agent:
        agent.runtime = request.param
        yield agent.ready()


@pytest.fixture
def cable(agent, tmp_path):
    with Cable(tmp_path, str(agent.link)) as cable:
        yield cable


@pytest.fixture
def watch():
    begun = []

    def begin(port, *words):
        begun.append(Watch(port, *words))
        return begun[-1]

    yield begin
    for one in begun:
        one.process.kill()
        one.process.wait()


def asked(command, values, sequence=0):
    """A request as its lines."""
    _, op, request, _ = link.COMMANDS[command]
    body = cbor2.dumps(messages.pack(request, values), canonical=True)
    return smp.frame(smp.pack(smp.Header(op, messages.GROUP, command, sequence), body))


def happen(cable, number):
    """So many events at the agent: each check before a refund is one."""
    for _ in range(number):
        cable.say(asked(messages.PREFLIGHT, SALE))
        time.sleep(0.03)


def numbers(documents):
    return [one["number"] for one in documents if one["kind"] == "event"]


def kinds(documents):
    return [one["kind"] for one in documents if one["kind"] != "event"]


def the_last(watch):
    """The number of the last event, after what there was to begin with."""
    seen = watch.until(lambda one: one["kind"] == "event")
    while True:
        try:
            seen.append(watch.next(1))
        except queue.Empty:
            assert numbers(seen) == list(range(1, len(seen) + 1))
            return seen[-1]["number"]


def test_a_pulled_cable_costs_no_event_and_shows_none_twice(cable, watch):
    run = watch(cable.port)
    last = the_last(run)
    for _ in range(3):
        happen(cable, 2)
        seen = run.until(lambda one, last=last: one.get("number") == last + 2)
        cable.pull()
        seen += run.until(lambda one: one["kind"] == "link_lost")
        happen(cable, 5)
        cable.plug()
        plugged = time.monotonic()
        seen += run.until(lambda one: one["kind"] == "link_back")
        back_s = time.monotonic() - plugged
        happen(cable, 1)
        seen += run.until(lambda one, last=last: one.get("number") == last + 8)
        assert numbers(seen) == list(range(last + 1, last + 9))
        assert kinds(seen) == ["link_lost", "link_back"]
        assert back_s < 2
        last += 8
    assert run.end() == (0, "")


def test_what_the_agent_no_longer_had_is_counted_and_its_numbers_are_told(cable, watch):
    run = watch(cable.port)
    last = the_last(run)
    cable.pull()
    run.until(lambda one: one["kind"] == "link_lost")
    happen(cable, RING + 7)
    cable.plug()
    seen = run.until(lambda one: one.get("number") == last + RING + 7)
    dropped = next(one for one in seen if one["kind"] == "dropped")
    assert (dropped["dropped"], dropped["after"]) == (7, last)
    assert numbers(seen) == list(range(last + 8, last + RING + 8))


def test_an_agent_that_was_restarted_is_watched_anew(agent, tmp_path, watch):
    run = watch(agent.link)
    the_last(run)
    agent.kill()
    run.until(lambda one: one["kind"] == "link_lost")
    with running.Agent(tmp_path, agent.runtime):
        seen = run.until(lambda one: one["kind"] == "event")
        assert kinds(seen) == ["link_back", "restarted"] and numbers(seen) == [1]
        assert run.end() == (0, "")


def test_on_a_line_that_loses_and_alters_bytes_no_event_is_missing_or_altered(cable, watch):
    run = watch(cable.port)
    last = the_last(run)
    passed = [0]

    def harm(data):
        passed[0] += 1
        if passed[0] % 5 == 0:
            return b""
        if passed[0] % 5 == 3:
            at = len(data) // 2
            return data[:at] + bytes((data[at] ^ 0x10,)) + data[at + 1 :]
        return data

    cable.to_laptop = harm
    for _ in range(20):
        happen(cable, 2)
        time.sleep(0.05)
    cable.to_laptop = lambda data: data
    happen(cable, 1)
    seen = run.until(lambda one: one.get("number") == last + 41)
    lost = [(one["after"] + 1, one["dropped"]) for one in seen if one["kind"] == "dropped"]
    missing = [number for first, count in lost for number in range(first, first + count)]
    assert sorted(numbers(seen) + missing) == list(range(last + 1, last + 42))
    assert numbers(seen) == sorted(numbers(seen))
    assert {one["event"] for one in seen if one["kind"] == "event"} == {"verdict"}


def test_values_are_shown_when_they_change(agent, cable, watch, tmp_path):
    run = watch(cable.port, "--values")
    first = run.until(lambda one: one["kind"] == "values")[-1]
    assert first["values"]["supply_mv"] == 5000 and "network_ok" in first["values"]
    hardware = tmp_path / "state" / "hardware.json"
    known = json.loads(hardware.read_text())
    known["power"] = [[0, 4710]]
    (tmp_path / "fresh").write_text(json.dumps(known))
    os.replace(tmp_path / "fresh", hardware)
    seen = run.until(lambda one: one["kind"] == "values" and one["values"].get("supply_mv") == 4710)
    for one in seen:
        assert one["kind"] != "values" or "agent_version" not in one["values"]  # which does not change


def test_who_else_subscribes_has_the_stream_and_events_still_come(cable, watch):
    run = watch(cable.port)
    last = the_last(run)
    cable.say(asked(tool_messages.SUBSCRIBE, {"lease_s": 60, "credit": 1}))
    assert run.until(lambda one: one["kind"] == "taken_over")
    happen(cable, 3)
    assert numbers(run.until(lambda one: one.get("number") == last + 3)) == [last + 1, last + 2, last + 3]


def test_an_agent_that_falls_silent_is_told_within_two_seconds_and_found_again(agent, cable, watch):
    run = watch(cable.port)
    the_last(run)
    os.kill(agent.pid, signal.SIGSTOP)
    begun = time.monotonic()
    try:
        assert run.next()["kind"] == "link_lost"
        assert time.monotonic() - begun < 2.2
    finally:
        os.kill(agent.pid, signal.SIGCONT)
    assert run.until(lambda one: one["kind"] == "link_back")


def test_ctrl_c_unsubscribes(agent, watch):
    run = watch(agent.link)
    the_last(run)
    assert run.end() == (0, "")
    assert agent.ask(tool_messages.LINK).get("stream") is None
