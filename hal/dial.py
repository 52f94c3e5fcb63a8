"""Calling somebody by TCP, on both runtimes: all that a board without a till or terminal on TCP needs of it."""

import asyncio
import errno
import socket

try:
    from .micropython.sockets import Waiter, addresses, port_of
except ImportError:
    from .linux.sockets import Waiter, addresses, port_of  # noqa: F401

_UNDER_WAY = (errno.EAGAIN, errno.EINPROGRESS)
_CONNECTED = (getattr(errno, "EISCONN", 106), 106, 127)  # MicroPython does not name it; an ESP32 counts it 127


async def dial(host, port, timeout_ms):
    """A connected socket that does not block. As tcp.connect."""
    failed = OSError(errno.EHOSTUNREACH, "it has no address")
    for kind, address in await addresses(host, port):
        one = socket.socket(kind, socket.SOCK_STREAM)
        try:
            await _connect(one, address, timeout_ms)
            return one
        except OSError as error:
            one.close()
            failed = error
        except asyncio.CancelledError:
            one.close()
            raise
    raise failed


async def _connect(one, address, timeout_ms):
    one.setblocking(False)
    try:
        one.connect(address)
        return
    except OSError as error:
        if error.errno not in _UNDER_WAY:
            raise
    if not await Waiter(one).writable(timeout_ms):
        raise OSError(errno.ETIMEDOUT, "nobody answers")
    try:
        one.connect(address)  # asked again, it says how it ended: MicroPython has no other way to learn it
    except OSError as error:
        if error.errno not in _CONNECTED:
            raise
