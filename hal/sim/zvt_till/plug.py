"""The till's end of the line: a tty, a pseudo-terminal or TCP; and what a bad cable or a bad till does to it."""

import asyncio
import re
import time

from hal import tcp
from hal.linux.tty import Serial
from hal.terminals.zvt.frame import Receiver
from hal.terminals.zvt.line import SerialLine
from hal.terminals.zvt.tcp_line import TcpLine

_REFUNDS = (b"\x06\x31", b"\x10\x02\x06\x31")  # how a 06 31 begins on TCP and on a serial line


class Refusing(Receiver):
    """Finds the first `naks` frames damaged, whatever they are."""

    def __init__(self, naks):
        super().__init__()
        self._naks = naks

    def feed(self, data):
        tokens = super().feed(data)
        for at, token in enumerate(tokens):
            if self._naks and isinstance(token, bytes):
                self._naks -= 1
                tokens[at] = None
        return tokens


class Faulty:
    """Serial port over `port`. `twice`: a 06 31 goes out two times. `dribble_ms`: bytes go out one by one, with this
    pause, None for together. `hang_up_ms`: the line is closed so long after a command that was armed, None for never."""

    def __init__(self, port, twice=False, dribble_ms=None, hang_up_ms=None):
        self._port = port
        self._twice = twice
        self._dribble_ms = dribble_ms
        self._hang_up_ms = hang_up_ms
        self._armed = False
        self._end = None
        self.written = 0  # bytes

    def arm(self):
        """The next thing that is written is the command to hang up after."""
        self._armed = self._hang_up_ms is not None

    async def read(self, timeout_ms):
        until = time.monotonic() + timeout_ms / 1000
        while True:
            self._hang_up()
            ends = [until] if self._end is None else [until, self._end]
            data = await self._port.read(max(0, round((min(ends) - time.monotonic()) * 1000)))
            if data or time.monotonic() >= until:
                return data

    def _hang_up(self):
        if self._end is not None and time.monotonic() >= self._end:
            self.close()
        if self._port is None:
            raise OSError(5, "the till hung up")

    async def write(self, data):
        self._hang_up()
        if self._armed:
            self._armed = False
            self._end = time.monotonic() + self._hang_up_ms / 1000
        self.written += len(data)
        for _ in range(2 if self._twice and data.startswith(_REFUNDS) else 1):
            if self._dribble_ms is None:
                await self._port.write(data)
                continue
            for at in range(len(data)):
                self._hang_up()
                await self._port.write(data[at : at + 1])
                await asyncio.sleep(self._dribble_ms / 1000)

    def close(self):
        port, self._port = self._port, None
        if port:
            port.close()


def address(where):
    """(host, port) of HOST:PORT, None for a path."""
    found = re.fullmatch(r"\[?([^/]+?)\]?:(\d{1,5})", where)
    return (found[1], int(found[2])) if found and int(found[2]) < 65536 else None


async def plugged(where, baud, t1_ms, t2_ms, naks, **faults):
    """(line, port) to PATH or HOST:PORT. OSError: it cannot be opened."""
    network = address(where)
    if network:
        port = Faulty(await tcp.connect(*network), **faults)
        return TcpLine(port), port
    port = Faulty(Serial(where, baud=baud, stop_bits=2), **faults)
    line = SerialLine(port, t1_ms, t2_ms)
    if naks:
        line._receiver = Refusing(naks)
    return line, port
