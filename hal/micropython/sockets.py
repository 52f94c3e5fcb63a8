"""What sockets do otherwise under MicroPython: waiting for one, and names."""

import socket
from asyncio import TimeoutError, core, sleep_ms, wait_for_ms  # pyright: ignore[reportAttributeAccessIssue]  the stubs lack core
from select import POLLOUT, poll

from ..ticks import deadline, left

_LOOK_MS = 5  # between two looks whether a socket takes more


class Waiter:
    """Waits for one non-blocking socket."""

    def __init__(self, one):
        self._socket = one
        self._writing = None

    def _readable(self):
        # what asyncio.StreamReader does; its module alone would cost a board 2 kB
        yield core._io_queue.queue_read(self._socket)

    async def readable(self, timeout_ms):
        """True once there is something to read, or the end of it; False after `timeout_ms`, None for no limit."""
        if timeout_ms is None:
            await self._readable()  # pyright: ignore[reportGeneralTypeIssues]  MicroPython awaits generators
            return True
        try:
            await wait_for_ms(self._readable(), timeout_ms)
        except TimeoutError:
            return False
        return True

    async def writable(self, timeout_ms):
        """The same for writing. Looked at now and then: asyncio forgets whoever waits to write to a socket when a read of it
        runs out of time."""
        until = deadline(timeout_ms)
        if self._writing is None:
            self._writing = poll()
            self._writing.register(self._socket, POLLOUT)
        while not self._writing.poll(0):
            rest = left(until)
            if not rest:
                return False
            await sleep_ms(min(rest, _LOOK_MS))
            if self._socket is None:
                break
        return True

    def close(self):
        """Ends what waits. To be called before the socket is closed: its number may be another's at once."""
        waits = core._io_queue.map.get(id(self._socket))
        task = waits and waits[0]
        self._socket = self._writing = None
        if task:
            core._io_queue.remove(task)
            core._task_queue.push(task)


async def addresses(host, port):
    """[(family, address)] of a name or address."""
    return [(found[0], found[-1]) for found in socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)]


def port_of(one):
    raise OSError(22, "MicroPython cannot tell which port the system chose")
