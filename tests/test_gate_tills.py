"""Tills of other makers at the gate of a real agent, in front of the simulated terminal as a process.

What they send was read from public clients; the till itself is written from the papers alone (paper_till.py), and strict:
on a serial line whatever is not the byte whose turn it is ends it.
"""

import os
import pty
import signal
import socket
import subprocess
import sys
import tty

import pytest

from . import running
from .paper_till import ACCEPTED, PATIENCE, SerialTill, TcpTill, TerminalProcess

REFUND = "06 31 0D 00 00 00 04 00 00 00 00 12 34 49 09 78"
# (what, APDU, how it ends): currency and service byte behind the configuration byte, an empty TLV, no currency, BMP 02
DAY = (
    ("log on", "06 00 0A 00 00 00 BA 09 78 03 00 06 00", "06 0F"),
    ("status", "05 01 03 00 00 00", "06 0F"),
    ("sale", "06 01 07 04 00 00 00 00 12 34", "06 0F"),
    ("sale, number of results wanted", "06 01 09 04 00 00 00 00 33 00 02 0A", "06 0F"),
    ("refund", REFUND, "06 0F"),
    ("refund again", REFUND, "06 1E"),
    ("refund of an amount that is keyed in", "06 31 03 00 00 00", "06 1E"),
    ("reversal", "06 30 06 00 00 00 87 02 33", "06 0F"),
    ("receipt again", "06 20 03 00 00 00", "06 0F"),
    ("totals", "06 10 03 00 00 00", "06 0F"),
    ("diagnosis", "06 70 00", "06 0F"),
    ("end of day", "06 50 03 00 00 00", "06 0F"),
    ("nothing to break off", "06 B0 00", ACCEPTED),
    ("log off", "06 02 00", ACCEPTED),
)


class Shop:
    """A terminal, an agent and the place where a till comes."""

    def __init__(self, folder, line, *options):
        self.line = line
        (folder / "terminal").mkdir()
        self.terminal = TerminalProcess(folder / "terminal", *options, line=line)
        till = folder / "state" / "till"
        ends = ["--terminal", self.terminal.link]
        if line != "serial":
            self.terminal.till.close()  # one till at a time
            with socket.create_server(("127.0.0.1", 0)) as free:
                till = "127.0.0.1:%d" % free.getsockname()[1]
            ends += ["--till", till]
        self.agent = running.Agent(folder, "cpython", options=("--gate", *ends))
        self.till_at = str(till)

    def __enter__(self):
        self.agent.__enter__()
        self.agent.ready()
        return self

    def __exit__(self, *error):
        self.agent.__exit__(*error)
        self.terminal.end()

    def till(self):
        if self.line == "serial":
            return SerialTill(self.till_at)
        return TcpTill(self.till_at, 0.0005 if self.line == "tcp in single bytes" else None)


@pytest.mark.parametrize("line", ["serial", "tcp", "tcp in single bytes"])
def test_a_day_of_another_makers_till_goes_through_the_gate_as_without_it(tmp_path, line):
    with Shop(tmp_path, line) as shop:
        till = shop.till()
        for what, asked, ends in DAY:
            if ends == ACCEPTED:
                till.send(asked)
                assert till.receive() == ACCEPTED, what
                continue
            said = till.ask(asked)
            assert said[0] == ACCEPTED and said[-1].startswith(ends), (what, said)
            if what == "refund":
                assert said[1].startswith("04 0F")
        refunds = [row for row in shop.terminal.turnovers() if row["kind"] == "refund"]
        assert len(refunds) == 1
        till.close()


def test_a_link_to_a_line_is_that_line_and_one_that_an_agent_left_is_made_anew(tmp_path):
    """As udev and socat make them; what an agent that was killed left behind may lead to somebody else's terminal."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    line, made = tmp_path / "by-id", tmp_path / "made"
    line.symlink_to(os.ttyname(slave))
    with running.Agent(tmp_path, options=("--gate", "--till", str(line))) as agent:
        agent.ready()
        assert os.readlink(line) == os.ttyname(slave)
        os.write(master, b"\x10\x02\x06\x00\x06\x00\x00\x00\x18\x09\x78\x10\x03\xe7\x36")
        assert os.read(master, 1) in (b"\x06", b"\x15")  # the terminal behind the gate has heard it
    assert os.readlink(line) == os.ttyname(slave)
    with running.Agent(tmp_path, options=("--gate", "--till", str(made))) as agent:
        first = os.readlink(made)
        os.kill(agent.process.pid, signal.SIGKILL)
        agent.process.wait()
    assert os.readlink(made) == first
    made.unlink()
    (tmp_path / "state" / "till.made").write_text(f"{made} {os.ttyname(slave)}")
    made.symlink_to(os.ttyname(slave))  # its number is somebody else's now
    with running.Agent(tmp_path, options=("--gate", "--till", str(made))) as agent:
        assert os.readlink(made) != os.ttyname(slave)
    os.close(slave)
    os.close(master)


def test_where_no_till_can_come_is_told_before_anything_starts(tmp_path):
    def said(*options):
        command = [
            sys.executable,
            "-m",
            "boards.command",
            "run",
            "--state",
            str(tmp_path / "state"),
            "--gate",
            *options,
        ]
        environment = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}
        ended = subprocess.run(
            command, cwd=running.ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE
        )
        assert ended.returncode and ended.stderr.count("\n") == 1 and "Traceback" not in ended.stderr
        return ended.stderr

    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = "127.0.0.1:%d" % taken.getsockname()[1]
        assert place in said("--till", place)
    assert "65535" in said("--till", ":99999") and "999.1.1.1" in said("--till", "999.1.1.1:20007")
    assert str(tmp_path) in said("--till", str(tmp_path))
    absent = "/dev/ttyUSB-of-no-machine"  # a cable that is not plugged in yet: no pseudo-terminal takes its place
    with running.Agent(tmp_path, options=("--gate", "--till", absent)) as agent:
        assert agent.process.stdout.readline() == f"gate for the till at {absent}, which is not there yet\n"
        assert not os.path.lexists(absent)
