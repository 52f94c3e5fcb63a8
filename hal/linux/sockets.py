"""What sockets do otherwise under CPython: waiting for one, names, and the port that the system chose."""

import asyncio
import socket


class Waiter:
    """Waits for one non-blocking socket."""

    def __init__(self, one):
        self._fd = one.fileno()
        self._waiting = []  # futures
        self._loop = asyncio.get_running_loop()

    async def _ready(self, add, remove, timeout_ms):
        ready = self._loop.create_future()

        def settle(value):
            if not ready.done():
                ready.set_result(value)

        add(self._fd, settle, True)
        timer = None if timeout_ms is None else self._loop.call_later(timeout_ms / 1000, settle, False)
        self._waiting.append(ready)
        try:
            return await ready
        finally:
            self._waiting.remove(ready)
            if timer:
                timer.cancel()
            if self._fd is not None:
                remove(self._fd)

    async def readable(self, timeout_ms):
        """True once there is something to read, or the end of it; False after `timeout_ms`, None for no limit."""
        return await self._ready(self._loop.add_reader, self._loop.remove_reader, timeout_ms)

    async def writable(self, timeout_ms):
        """The same for writing."""
        return await self._ready(self._loop.add_writer, self._loop.remove_writer, timeout_ms)

    def close(self):
        """Ends what waits. To be called before the socket is closed: its number may be another's at once."""
        fd, self._fd = self._fd, None
        if fd is None or self._loop.is_closed():
            return
        self._loop.remove_reader(fd)
        self._loop.remove_writer(fd)
        for ready in self._waiting:
            if not ready.done():
                ready.set_result(True)


async def addresses(host, port):
    """[(family, address)] of a name or address."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(family, address) for family, _, _, _, address in found]


def port_of(one):
    return one.getsockname()[1]
