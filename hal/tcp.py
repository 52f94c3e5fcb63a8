"""TCP on both runtimes: a connection keeps the contract of the Serial port; whoever carries bytes need not know which.

    connection = await connect("192.0.2.7", 20007)
    server = await listen("0.0.0.0", 20007, taken)      # taken(connection), a plain function, for each that comes in

Nothing is collected before it is sent (TCP_NODELAY), and a read that finds data returns at once.
"""

import asyncio
import errno
import socket

from .dial import Waiter, addresses, dial, port_of

_AT_ONCE = 256  # bytes a read takes, as of a serial line: for each read MicroPython takes as many from the heap
_IN_A_ROW = 32  # reads that found data at once before the others get a turn: a flood must not stop the agent
_PATIENCE_MS = 1000  # of a write that nobody takes, as the port says
_WAITING = 4  # connections the system keeps until they are taken
_AGAIN_MS = 100  # pause when none can be taken, for want of memory or of open files

_TCP, _NODELAY = 6, 1  # MicroPython has no names for them


def _prepared(one):
    one.setblocking(False)
    try:
        one.setsockopt(_TCP, _NODELAY, 1)
    except OSError:
        pass  # not every board's network can; messages then wait for one another a little


class Connection:
    """One reader and one writer at a time. `close()` ends a read that waits, with OSError."""

    def __init__(self, one):
        _prepared(one)
        self._socket = one
        self._waiter = Waiter(one)
        self._row = 0

    def _read_now(self):
        if self._socket is None:
            raise OSError(errno.EBADF, "the line is closed")
        try:
            data = self._socket.recv(_AT_ONCE)
        except OSError as error:
            if error.errno == errno.EAGAIN:
                return b""
            raise
        if not data:
            raise OSError(errno.ECONNRESET, "the other end hung up")
        return data

    async def read(self, timeout_ms):
        data = self._read_now()
        if data:
            self._row += 1
            if self._row >= _IN_A_ROW:
                self._row = 0
                await asyncio.sleep(0)
        elif timeout_ms > 0:
            self._row = 0
            if await self._waiter.readable(timeout_ms):
                data = self._read_now()
        return data

    async def write(self, data):
        while data:
            if self._socket is None:
                raise OSError(errno.EBADF, "the line is closed")
            try:
                data = data[self._socket.send(data) :]
            except OSError as error:
                if error.errno != errno.EAGAIN:
                    raise
                if not await self._waiter.writable(_PATIENCE_MS):
                    raise OSError(errno.ETIMEDOUT, "nobody takes what is written")

    def close(self):
        one, self._socket = self._socket, None
        if one is not None:
            self._waiter.close()
            one.close()


async def connect(host, port, timeout_ms=5000):
    """Connection to `host`, a name or an address. OSError: refused, not reachable, no such name, or nobody answered within
    `timeout_ms` (for each of its addresses). While MicroPython looks a name up nobody else works: give it addresses."""
    return Connection(await dial(host, port, timeout_ms))


class Server:
    """Takes connections until `close()`; those it took stay. `port`: where it listens."""

    def __init__(self, one, port, taken):
        self.port = port
        self._socket = one
        self._taken = taken
        self._waiter = Waiter(one)
        self._task = asyncio.create_task(self._run())

    async def _run(self):
        while self._socket is not None:
            if not await self._waiter.readable(None) or self._socket is None:
                continue
            try:
                one = self._socket.accept()[0]
            except OSError as error:
                if error.errno != errno.EAGAIN:  # it hung up before it was taken, or there is no room
                    await asyncio.sleep(_AGAIN_MS / 1000)
                continue
            self._taken(Connection(one))

    def close(self):
        one, self._socket = self._socket, None
        if one is not None:
            self._waiter.close()
            one.close()


async def listen(host, port, taken):
    """Server at `host` (an address, "0.0.0.0" for all of this machine). Port 0 lets the system choose; MicroPython cannot ask
    which it chose and refuses it. OSError: the port is in use, or not ours."""
    kind, address = (await addresses(host, port))[0]
    one = socket.socket(kind, socket.SOCK_STREAM)
    try:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.setblocking(False)
        one.bind(address)
        one.listen(_WAITING)
        return Server(one, port or port_of(one), taken)
    except OSError:
        one.close()
        raise
