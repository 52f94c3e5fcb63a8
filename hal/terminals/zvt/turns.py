"""Whose turn it is at a gate: what a side says while we talk to it ourselves, and the agent's turn with the terminal."""

import asyncio

from ...said import TerminalSilent
from ...ticks import deadline, left

_BACKLOG = 2048  # bytes of one side that wait for us; a till sends one command and then waits
_TURN_MS = 2000  # the agent gives up asking while a till talks


def close(port):
    """Hang up, where a port can."""
    if hasattr(port, "close"):
        port.close()


class Own:
    """Serial port over what the gate read from one side, while we talk there ourselves. A side that hung up raises OSError
    once, behind what it had said and before what the next connection says."""

    def __init__(self, write):
        self.write = write
        self._gone = False
        self._data = b""
        self._next = b""  # of the connection after the one that is gone
        self._come = asyncio.Event()

    def put(self, data):
        """False: too much waits already."""
        if len(self._data) + len(self._next) + len(data) > _BACKLOG:
            return False
        if self._gone:
            self._next += data
        else:
            self._data += data
        self._come.set()
        return True

    def hang_up(self):
        self._gone = True
        self._next = b""
        self._come.set()

    def take(self):
        """What nobody has read; of a side that has gone only what came since."""
        data = self._next if self._gone else self._data
        self._gone = False
        self._data = self._next = b""
        self._come.clear()
        return data

    @property
    def come(self):
        return bool(self._data or self._gone)

    async def read(self, timeout_ms):
        if not self.come and timeout_ms > 0:
            try:
                await asyncio.wait_for(self._come.wait(), timeout_ms / 1000)
            except asyncio.TimeoutError:
                pass
        if self._gone and not self._data:
            self._gone = False
            self._data, self._next = self._next, b""
            raise OSError(104)  # ECONNRESET
        data, self._data = self._data, b""
        if not self._gone:
            self._come.clear()
        return data


class Turn:
    """The lock of the terminal's driver: the agent's turn begins when the till has nothing under way."""

    def __init__(self, gate):
        self._gate = gate
        self._lock = asyncio.Lock()
        self.taken = False  # while the agent talks to the terminal

    def locked(self):
        return self._lock.locked() or (self._gate.talking() and not self._gate.serving)

    async def __aenter__(self):
        gate = self._gate
        await self._lock.acquire()
        try:
            until = deadline(_TURN_MS)
            while gate.talking() and not gate.serving:
                if not left(until):
                    raise TerminalSilent("the till has the line")
                await asyncio.sleep(0.02)
        except BaseException:
            self._lock.release()
            raise
        if not gate.own:
            gate.terminal_port.take()  # a hang-up from before our turn is none of our conversation
        gate.own = self.taken = True

    async def __aexit__(self, *error):
        self._lock.release()
        self.taken = False
        if error[0] is None:
            self._gate.give_back()
        # else what the terminal says too late is not for the till, either: ours until that speaks, or we ask again
