"""Serial ports over TCP, for lines that come and go: Dialling calls a terminal, Answering waits for a till."""

import asyncio

from .tcp import connect, listen
from .ticks import deadline, left

_PAUSE_MS = 500  # between tries to connect
_NONE = 19  # ENODEV


class Dialling:
    """Connects when something is to be written, and again after the connection was lost."""

    def __init__(self, host, port):
        self._where = host, port
        self._line = None
        self._again = deadline(0)
        self._come = asyncio.Event()

    async def read(self, timeout_ms):
        line = self._line
        if line is None:
            self._come.clear()
            try:
                await asyncio.wait_for(self._come.wait(), timeout_ms / 1000)
            except asyncio.TimeoutError:
                pass
            return b""
        try:
            return await line.read(timeout_ms)
        except OSError:
            self.close(line)
            raise

    async def write(self, data):
        if self._line is None:
            if left(self._again):
                raise OSError(_NONE)
            self._again = deadline(_PAUSE_MS)
            self._line = await connect(self._where[0], self._where[1])
            self._come.set()
        line = self._line
        try:
            await line.write(data)
        except OSError:
            self.close(line)
            raise

    def close(self, line=None):
        """Hang up; `line`: only if it is still this one."""
        had = self._line
        if had and line in (None, had):
            self._line = None
            had.close()


class Answering:
    """Listens, and is the connection that came last: a till that was switched off comes again without having hung up."""

    def __init__(self, host, port):
        self._where = host, port
        self._server = None
        self._line = None
        self._come = asyncio.Event()

    def _taken(self, line):
        self.close()
        self._line = line
        self._come.set()

    async def read(self, timeout_ms):
        if self._server is None:
            self._server = await listen(self._where[0], self._where[1], self._taken)
        line = self._line
        if line is None:
            self._come.clear()
            try:
                await asyncio.wait_for(self._come.wait(), timeout_ms / 1000)
            except asyncio.TimeoutError:
                pass
            return b""
        try:
            return await line.read(timeout_ms)
        except OSError:
            if self._line is line:
                self.close()
            raise  # where another one came in its place, too: nothing of this one is gone on with

    async def write(self, data):
        if self._line is None:
            raise OSError(_NONE)
        await self._line.write(data)

    def close(self):
        line, self._line = self._line, None
        if line:
            line.close()
