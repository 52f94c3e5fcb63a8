"""A till of its own, written from the papers alone, and the simulated terminal as a process for it.

It shares no code with hal: frames, CRC and byte strings are spelled out (PA00P016, PA00P015). Waits are long where nobody
measures them: on a busy machine a process may get no turn for a second.
"""

import json
import os
import re
import select
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
PATIENCE = 20.0  # seconds for what must come

ACCEPTED = "80 00 00"
COMPLETED = "06 0F 00"
LINES = ("serial", "tcp", "tcp in single bytes")


def crc(data):
    value = 0
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x8408 if value & 1 else 0)
    return bytes((value & 0xFF, value >> 8))


def framed(apdu):
    data = bytes.fromhex(apdu)
    return b"\x10\x02" + data.replace(b"\x10", b"\x10\x10") + b"\x10\x03" + crc(data + b"\x03")


class _Till:
    """`send(apdu)` and `receive()` are the line's; APDUs are hex with spaces. `came`: every byte that came."""

    came = b""

    def byte(self, timeout=PATIENCE):
        """The next byte; None if it does not come; b"" where the line has ended."""
        if not select.select([self.fd], [], [], timeout)[0]:
            return None
        try:
            byte = os.read(self.fd, 1)
        except OSError:  # the terminal's end of a pseudo-terminal is gone, or it tore the connection
            byte = b""
        self.came += byte
        return byte

    def silence(self, seconds):
        """True if nothing comes."""
        return self.byte(seconds) is None

    def rest(self):
        """All APDUs to the end of the command that runs, each answered with 80 00 00."""
        apdus = []
        while True:
            apdus.append(self.receive())
            if apdus[-1].startswith("84") or apdus == [ACCEPTED, ACCEPTED]:
                return apdus
            if not apdus[-1].startswith("80"):
                self.send(ACCEPTED)
            if apdus[-1].startswith(("06 0F", "06 1E")):
                return apdus

    def ask(self, apdu):
        self.send(apdu)
        return self.rest()


class SerialTill(_Till):
    def __init__(self, path):
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY)

    def close(self):
        os.close(self.fd)

    def write(self, data):
        os.write(self.fd, data)

    def send(self, apdu):
        self.write(framed(apdu))
        assert self.byte() == b"\x06"

    def frame(self, timeout=PATIENCE):
        """The next frame as it is on the line; nothing is acknowledged."""
        data = b""
        while not re.search(rb"^\x10\x02(?:[^\x10]|\x10\x10)*\x10\x03..$", data, re.DOTALL):
            byte = self.byte(timeout)
            assert byte, "the line is silent after %s" % data.hex(" ")
            data += byte
        apdu = data[2:-4].replace(b"\x10\x10", b"\x10")
        assert data[-2:] == crc(apdu + b"\x03")
        return data, apdu.hex(" ").upper()

    def receive(self, timeout=PATIENCE):
        """The next APDU, acknowledged on the line."""
        apdu = self.frame(timeout)[1]
        self.write(b"\x06")
        return apdu


class TcpTill(_Till):
    """`pause`: seconds after each single byte, None where APDUs go in one piece."""

    def __init__(self, address, pause=None):
        host, _, port = address.rpartition(":")
        self.socket = socket.create_connection((host, int(port)), PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.fd = self.socket.fileno()
        self.pause = pause

    def close(self):
        self.socket.close()

    def write(self, data):
        self.socket.sendall(data)

    def send(self, apdu):
        data = bytes.fromhex(apdu)
        for at in range(len(data)) if self.pause is not None else ():
            self.write(data[at : at + 1])
            time.sleep(self.pause)
        if self.pause is None:
            self.write(data)

    def receive(self, timeout=PATIENCE):
        data, size = b"", 3
        while len(data) < size:
            byte = self.byte(timeout)
            assert byte, "the line is silent after %s" % data.hex(" ")
            data += byte
            if len(data) == 3:
                size = 5 if data[2] == 0xFF else 3 + data[2]
            if len(data) == 5 and data[2] == 0xFF:
                size = 5 + int.from_bytes(data[3:5], "little")
        return data.hex(" ").upper()


class TerminalProcess:
    """The simulated terminal in a folder of its own. `line`: one of LINES. `till`: the till on it. Its output lines are kept
    in `lines`."""

    def __init__(self, folder, *options, line="serial"):
        self.folder = Path(folder)
        self.line = line
        self.store = str(self.folder / "store.db")
        self.lines = []
        self._begun = b""
        self.command = [sys.executable, "-m", "hal.sim.zvt_terminal"]
        where = str(self.folder / "line") if line == "serial" else "127.0.0.1:0"
        self.process = subprocess.Popen(
            [*self.command, "--listen", where, "--store", self.store, *options],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self.link = self.until("ready ").removeprefix("ready ")
        self.till = self.another_till()

    def another_till(self):
        if self.line == "serial":
            return SerialTill(self.link)
        return TcpTill(self.link, 0.0005 if self.line == "tcp in single bytes" else None)

    def until(self, start, seconds=PATIENCE):
        """The next output line that begins so."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if b"\n" not in self._begun:
                if select.select([self.process.stdout], [], [], 0.1)[0]:
                    data = os.read(self.process.stdout.fileno(), 65536)
                    assert data, "ended: %s %s" % (self.lines, self._begun.decode())
                    self._begun += data
                continue
            line, self._begun = self._begun.split(b"\n", 1)
            self.lines.append(line.decode())
            if self.lines[-1].startswith(start):
                return self.lines[-1]
        raise AssertionError("no line %r in %s" % (start, self.lines))

    def tell(self, command):
        self.process.stdin.write(command.encode() + b"\n")
        self.process.stdin.flush()
        return self.until(("ok", "error"))

    def turnovers(self):
        """The store as the terminal lists it, or, when it has lost its power, as --list does."""
        if self.process.poll() is None:
            return json.loads(self.tell("list")[3:])["turnovers"]
        return self.listed()

    def listed(self):
        options = ["--store", self.store, "--list", "--json"]
        listed = subprocess.run([*self.command, *options], cwd=ROOT, capture_output=True, check=True)
        return json.loads(listed.stdout)["turnovers"]

    def died(self):
        """True once its power was cut."""
        return self.process.wait(PATIENCE) == 9

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
        self._begun += self.process.stdout.read()  # to its end, which is the end of the process
        status = self.process.wait(PATIENCE)
        self.till.close()
        self.process.stdin.close()
        self.process.stdout.close()
        self.lines += self._begun.decode().splitlines()
        print("the terminal ended with", status, *self.lines[-12:], sep="\n")  # shown where a test fails
        return status
