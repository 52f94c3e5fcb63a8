"""What the papers say a till and a terminal tell each other is told the same through the gate: every golden story of the
terminal, over serial, over TCP, over TCP cut into single bytes, and with a line of each kind."""

import asyncio
import fnmatch
import os
import socket
import threading
import time
import tty

import pytest

from boards import boot, sim

from .paper_till import ACCEPTED, COMPLETED, SerialTill, TcpTill, TerminalProcess
from .test_terminal_lines import CARD, REFUND, REGISTER, SALE, stories

LINES = ("serial", "tcp", "tcp in single bytes", "serial till, tcp terminal", "tcp till, serial terminal")
NEVER_MS = (
    3_600_000  # between the agent's own enquiries: a story is told on the terminal's console, and must meet the till
)


class GateThread:
    """An agent with a gate, in a thread of its own. `where`: the terminal's line. `till`: the till at the gate."""

    def __init__(self, folder, where, tcp_till, pause=None):
        self.link, self.link_end = os.openpty()
        tty.setraw(self.link_end)
        if tcp_till:
            with socket.create_server(("127.0.0.1", 0)) as free:
                till = free.getsockname()
            self.fds = []
        else:
            till, end = os.openpty()
            tty.setraw(end)
            self.fds = [till, end]
        host, _, port = where.rpartition(":")
        options = {
            "state": str(folder),
            "link": self.link,
            "terminal": (host, int(port)) if host else where,
            "till": till,
            "changes": {"every_ms": NEVER_MS},
        }
        self.agent = boot.start(sim, options)
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        until(lambda: self.agent.snapshot.get("terminal_receipt") is not None)
        until(lambda: not self.agent.terminal.busy)
        self.till = TcpTill("%s:%d" % till, pause) if tcp_till else SerialTill(os.ttyname(end))

    def _run(self):
        self.task = self.loop.create_task(self.agent.run())
        try:
            self.loop.run_until_complete(self.task)
        except asyncio.CancelledError:
            rest = asyncio.all_tasks(self.loop)
            for task in rest:
                task.cancel()
            if rest:
                self.loop.run_until_complete(asyncio.wait(rest))

    def end(self):
        self.loop.call_soon_threadsafe(self.task.cancel)
        self.thread.join(10)
        for fd in (self.link, self.link_end, *self.fds):
            os.close(fd)


def until(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def through(tmp_path):
    started = []

    def through(line, *options):
        terminal = TerminalProcess(
            tmp_path, *options, line="serial" if line.endswith(("l", "serial terminal")) else "tcp"
        )
        terminal.till.close()
        if terminal.line != "serial":
            terminal.until("-- the till hung up")
        (tmp_path / "state").mkdir()
        pause = 0.0005 if line == "tcp in single bytes" else None
        gate = GateThread(tmp_path / "state", terminal.link, line.startswith("tcp"), pause)
        terminal.till = gate.till
        started.append((gate, terminal))
        return gate, terminal

    yield through
    for gate, terminal in started:
        gate.end()
        terminal.end()


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("name", stories())
def test_every_story_of_the_paper_is_told_the_same_through_the_gate(through, name, line, record_count):
    gate, terminal = through(line)
    for sign, told in stories()[name]:
        if sign == "!":
            assert terminal.tell(told).startswith("ok"), told
        elif sign == ">":
            gate.till.send(told)
        else:
            said = gate.till.receive()
            assert fnmatch.fnmatchcase(said, told), said
    record_count("golden stories told through the gate", len(stories()) * len(LINES))


@pytest.mark.parametrize("line", LINES)
def test_a_refund_is_tied_to_its_sale_and_the_same_once_more_is_held_with_the_reason_as_text(through, line):
    gate, terminal = through(line)
    gate.till.ask(REGISTER)
    assert gate.till.ask(SALE)[-1] == COMPLETED
    refund = REFUND.replace("12 34", "25 00")
    assert gate.till.ask(refund)[-1] == COMPLETED
    accepted, held = gate.till.ask(refund)
    assert accepted == ACCEPTED and held.startswith("06 1E") and b"The same refund" in bytes.fromhex(held)
    assert [one["amount"] for one in terminal.turnovers() if one["kind"] == "refund"] == [2500]
    [its] = [one for one in gate.agent.keeper.rows if one[5] == 2]
    assert its[4] == 232  # the receipt of the sale


@pytest.mark.parametrize("how", ("clear", "track", "tlv"))
def test_a_card_number_in_clear_passes_and_is_kept_nowhere(through, how):
    gate, terminal = through("serial")
    terminal.tell("pan " + how)
    gate.till.ask(REGISTER)
    told = gate.till.ask(SALE)
    assert told[-1] == COMPLETED
    assert gate.till.ask(REFUND.replace("12 34", "25 00"))[-1] == COMPLETED
    kept = b"".join(path.read_bytes() for path in (terminal.folder / "state").iterdir())
    for digits in (CARD.encode(), bytes.fromhex(CARD)):
        assert digits not in kept
    assert CARD.replace("", " ") not in repr(gate.agent.snapshot.values)
