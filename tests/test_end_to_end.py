"""The whole thing, as a person runs it: agent, terminal and tools as processes, on both runtimes."""

import os
import random
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from firmware_agent.wire import messages
from host_tools.failures import Failure

from . import running

BIN = Path(sys.executable).parent
SALE = {"receipt": 231, "amount": 1234, "currency": "EUR"}


@pytest.fixture(params=running.RUNTIMES)
def agent(request, tmp_path):
    terminal = running.terminal(tmp_path)
    with running.Agent(tmp_path, request.param, terminal.link) as agent:
        agent.runtime = request.param
        agent.terminal = terminal
        yield agent.ready()
    terminal.stop()


def run(*command, **options):
    return subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=60, **options)


def refundctl(agent, *words):
    return run(BIN / "refundctl", "--port", agent.link, *words)


def test_stock_smpmgr_gets_its_echo(agent):
    done = run(BIN / "smpmgr", "--port", agent.link, "os", "echo", "hello")
    assert done.returncode == 0 and "hello" in done.stdout, done.stdout + done.stderr


def test_refundctl_finds_the_agent_by_itself_wherever_its_link_is(agent, tmp_path):
    done = run(BIN / "refundctl", "--json", "status", env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)})
    assert done.returncode == 0 and f"link-{agent.process.pid}" in done.stdout, done.stderr


def test_status_says_what_it_is_talking_to(agent):
    status = agent.ask(messages.STATUS)
    assert status["runtime"] == agent.runtime
    assert re.match(r"\d+\.\d+\.\d+", status["runtime_version"])
    assert (agent.runtime == "micropython") == (status.get("heap_free", 0) > 0)


def test_a_refund_with_a_key_is_executed_once_and_answered_the_same_again(agent, tmp_path):
    first = agent.refund({**SALE, "key": "k1"})
    again = agent.refund({**SALE, "key": "k1"})
    assert (first["state"], again["state"], again["earlier"]) == (messages.APPROVED, messages.APPROVED, True)
    assert (first["receipt"], first["trace"]) == (again["receipt"], again["trace"])
    assert [row["kind"] for row in running.turnovers(tmp_path)] == ["sale", "refund"]


def test_the_same_refund_by_another_key_is_held_and_the_earlier_one_shown(agent, tmp_path):
    agent.refund({**SALE, "key": "k1"})
    second = agent.refund({**SALE, "key": "k2"})
    causes = {finding["cause"]: finding["evidence"] for finding in second["findings"]}
    assert second["verdict"] == messages.BLOCK and causes[53]["earlier_key"] == "k1"
    assert len(running.turnovers(tmp_path)) == 2


def test_more_than_is_left_of_the_sale_is_blocked_with_the_sums(agent):
    agent.refund({**SALE, "key": "k1"})
    verdict = agent.ask(messages.PREFLIGHT, {**SALE, "amount": 4000})
    found = {finding["cause"]: finding for finding in verdict["findings"]}[31]
    assert found["status"] == messages.BLOCK
    assert (found["evidence"]["sale_amount"], found["evidence"]["approved_amount"]) == (5000, 1234)
    assert found["evidence"]["remaining_amount"] == 3766


def test_a_declined_refund_keeps_its_code_and_names_the_cause(agent, tmp_path):
    agent.terminal.tell("decline 71")
    answer = agent.refund({**SALE, "key": "k1"})
    assert (answer["state"], answer["result_code"], answer["cause"]) == (messages.DECLINED, 0x71, 42)
    assert agent.refund({**SALE, "key": "k1"})["state"] == messages.DECLINED
    assert agent.refund({**SALE, "key": "k2"})["state"] == messages.APPROVED


def test_a_refund_aborted_at_the_terminal_is_declined_and_not_executed(agent, tmp_path):
    agent.terminal.tell("abort 6C")
    answer = agent.refund({**SALE, "key": "k1"})
    assert (answer["state"], answer["result_code"]) == (messages.DECLINED, 0x6C)
    assert [row["kind"] for row in running.turnovers(tmp_path)] == ["sale"]


def test_a_locked_terminal_blocks_with_the_lock_as_evidence(agent):
    agent.terminal.tell("lock contactless")
    end = time.monotonic() + running.START_S
    while True:
        verdict = agent.ask(messages.PREFLIGHT, SALE)
        if verdict["verdict"] == messages.BLOCK or time.monotonic() > end:
            break
        time.sleep(0.2)
    assert verdict["findings"][0]["cause"] == 10 and verdict["findings"][0]["evidence"]["terminal_locks"]


def test_a_terminal_that_is_off_holds_every_refund_and_the_agent_stays_well(agent):
    agent.terminal.stop()
    answer = agent.refund({**SALE, "key": "k1"})
    assert answer["state"] == messages.NEW and answer["verdict"] == messages.HOLD
    found = {finding["cause"]: finding for finding in answer["findings"]}[1]
    assert found["status"] == messages.UNKNOWN and found["evidence"]["missing"] == "terminal"
    assert agent.ask(messages.STATUS)["refunds"] == 0


def test_a_slow_terminal_is_waited_for(agent, tmp_path):
    agent.terminal.tell("slow 2500")
    done = refundctl(agent, "--json", "refund", "--receipt", "231", "--amount", "12.34", "--currency", "EUR")
    assert done.returncode == 0, done.stderr
    assert len(running.turnovers(tmp_path)) == 2


def test_a_terminal_that_dies_after_executing_leaves_a_doubt_that_asking_settles(agent, tmp_path):
    agent.terminal.tell("die after-execute")
    answer = agent.refund({**SALE, "key": "k1"})
    assert answer["state"] == messages.IN_DOUBT
    other = agent.ask(messages.PREFLIGHT, {**SALE, "amount": 100})
    assert other["verdict"] == messages.BLOCK and 54 in [finding["cause"] for finding in other["findings"]]
    back = running.terminal(tmp_path)
    try:
        end = time.monotonic() + running.START_S
        while answer["state"] != messages.APPROVED and time.monotonic() < end:
            try:
                answer = agent.refund({**SALE, "key": "k1"})
            except Failure:
                time.sleep(0.2)
        assert answer["state"] == messages.APPROVED and answer["receipt"] == 232
        assert len(running.turnovers(tmp_path)) == 2
    finally:
        back.stop()


def test_noise_cut_frames_and_a_flood_on_the_line_leave_the_agent_and_its_journal_well(agent):
    seed = int(os.environ.get("SEED") or random.randrange(1 << 32))
    print(f"SEED={seed}")
    chance = random.Random(seed)
    agent.refund({**SALE, "key": "k1"})
    line = os.open(agent.link, os.O_RDWR | os.O_NOCTTY)
    try:
        for _ in range(60):
            kind = chance.randrange(4)
            if kind == 0:
                noise = chance.randbytes(chance.randrange(1, 300))
            elif kind == 1:
                noise = b"\x06\x09" + chance.randbytes(chance.randrange(200)).replace(b"\n", b"") + b"\n"
            elif kind == 2:
                noise = b"\x06\x09AAsAAAAA"[: chance.randrange(1, 11)]
            else:
                noise = b"x" * 600
            os.write(line, noise)
            os.set_blocking(line, False)
            try:
                os.read(line, 65536)
            except BlockingIOError:
                pass
            os.set_blocking(line, True)
        os.write(line, b"\n")
    finally:
        os.close(line)
    assert agent.refund({**SALE, "key": "k1"})["earlier"] is True, f"SEED={seed}"
    events = agent.ask(messages.EVENTS_SINCE, {"cursor": 0})["events"]
    assert not [event for event in events if event["code"] == messages.event("fault")], f"SEED={seed}"


def test_a_second_agent_on_the_same_state_says_who_has_it(agent, tmp_path):
    second = run(sys.executable, "-m", "boards.command", "run", "--link", tmp_path / "x", "--state", tmp_path / "state")
    assert second.returncode == 1 and "another agent" in second.stderr and second.stderr.count("\n") == 1


@pytest.fixture(scope="module")
def demonstration():
    return run(sys.executable, "-m", "host_tools.demo", cwd=running.ROOT)


def test_the_demo_ends_by_itself_with_status_0(demonstration):
    done = demonstration
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Paid once, and only once." in done.stdout and "供电不稳定" in done.stdout
    assert done.stderr == ""


@pytest.mark.skipif("micropython" not in running.RUNTIMES, reason="PyPI has no MicroPython for this machine")
def test_the_agent_lives_through_the_demo_with_a_tenth_of_its_heap_free(demonstration, record_count):
    peak = int(re.search(r"Peak heap of the agent: (\d+) bytes", demonstration.stdout)[1])
    record_count("peak heap of the agent under MicroPython through the demo, bytes", peak)
    assert peak < 256 * 1024 * 9 // 10


def test_wrong_words_on_the_command_line_get_one_line_and_status_2(tmp_path):
    for words in (
        ["run", "--board", "toaster"],
        ["run", "--change", "t2_ms"],
        ["run", "--link", "/dev/null", "--state", tmp_path / "s"],
        ["run", "--scenario", tmp_path / "none.json", "--state", tmp_path / "s"],
        ["hardware", "power=lots", "--state", tmp_path],
        ["fly"],
    ):
        done = run(sys.executable, "-m", "boards.command", *words)
        assert done.returncode == 2, (words, done.stdout, done.stderr)
        assert done.stderr.count("\n") == 1 and "Traceback" not in done.stderr, done.stderr


def test_an_agent_in_the_background_of_a_script_ends_when_it_is_told_to(tmp_path):
    # a shell's background jobs ignore SIGINT
    words = [sys.executable, "-m", "boards.command", "run", "--link", tmp_path / "agent", "--state", tmp_path / "state"]
    # its first line says that it runs
    script = " ".join(map(str, words)) + " > said & until grep -q agent said; do sleep 0.1; done; kill $!; wait $!; "
    script = f"cd {tmp_path}; : > said; PYTHONPATH={running.ROOT}; export PYTHONPATH; {script} echo ended with $?"
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}
    done = run("sh", "-c", script, env=environment)
    assert done.stdout.endswith("ended with 0\n"), done.stdout + done.stderr
    assert not os.path.lexists(tmp_path / "agent") and not os.listdir(tmp_path / "refund-agent")
