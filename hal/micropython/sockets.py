"""What sockets do otherwise under MicroPython: waiting for one, and names."""

import socket
from asyncio import sleep_ms
from select import POLLOUT, poll

from ..ticks import deadline, left
from .waiting import Waiting

_LOOK_MS = 5  # between two looks whether a socket takes more


class Waiter(Waiting):
    """Waits for one non-blocking socket."""

    def __init__(self, one):
        super().__init__(one)
        self._writing = None

    async def writable(self, timeout_ms):
        """As `readable`, for writing. Looked at now and then: asyncio forgets whoever waits to write to a socket when a read
        of it runs out of time."""
        until = deadline(timeout_ms)
        if self._writing is None:
            self._writing = poll()
            self._writing.register(self._stream, POLLOUT)
        while not self._writing.poll(0):
            rest = left(until)
            if not rest:
                return False
            await sleep_ms(min(rest, _LOOK_MS))
            if self._stream is None:
                break
        return True

    def close(self):
        """Ends what waits. To be called before the socket is closed: its number may be another's at once."""
        self.end()
        self._stream = self._writing = None


async def addresses(host, port):
    """[(family, address)] of a name or address."""
    return [(found[0], found[-1]) for found in socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)]


def port_of(one):
    raise OSError(22, "MicroPython cannot tell which port the system chose")
