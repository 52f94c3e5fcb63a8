"""Addresses of names, and the time, over UDP: MicroPython's own getaddrinfo lets nobody else work until the name server
answers.

DNS: RFC 1035, one question for an A record. Time: RFC 4330, SNTP.
"""

import socket
from binascii import crc32

from ..dial import Waiter, addresses
from ..ticks import ticks_ms

_DNS, _SNTP = 53, 123
_TIME_1970 = 2208988800  # in seconds since 1900, as SNTP counts
_KEEP = 512  # bytes of an answer; DNS over UDP has no more


async def _ask(server, port, question, timeout_ms):
    """Answer of `server` to a datagram, b"" if none came in time."""
    kind, address = (await addresses(server, port))[0]
    one = socket.socket(kind, socket.SOCK_DGRAM)
    waiter = Waiter(one)
    try:
        one.setblocking(False)
        one.sendto(question, address)
        if not await waiter.readable(timeout_ms):
            return b""
        answer, sender = one.recvfrom(_KEEP)
        return answer if sender == address or not isinstance(sender, tuple) or sender[:2] == address[:2] else b""
    except OSError:
        return b""
    finally:
        waiter.close()
        one.close()


def is_address(host):
    parts = host.split(".")
    return len(parts) == 4 and all(part.isdigit() and int(part) < 256 for part in parts)


def question(host, number):
    """The DNS message that asks for the address of `host`."""
    asked = bytes((number >> 8, number & 255, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0))
    for part in host.encode().split(b"."):
        if not 0 < len(part) < 64:
            raise OSError(22, "%s is no name" % host)
        asked += bytes((len(part),)) + part
    return asked + b"\0\0\1\0\1"


def answered(data, asked):
    """The first address in a DNS message that answers `asked`; None if it has none or is none."""
    at = len(asked)  # it repeats the question
    if len(data) < at or data[:2] != asked[:2] or data[2] < 0x80 or data[3] & 15 or data[4:6] != b"\0\1":
        return None
    if data[12:at].lower() != asked[12:].lower():
        return None
    for _ in range(data[6] << 8 | data[7]):
        while at < len(data) and 0 < data[at] < 0xC0:
            at += 1 + data[at]
        if at + 12 > len(data):
            return None
        at += 2 if data[at] else 1
        fixed = data[at : at + 10]  # type, class, time to live, length
        at += 10
        if fixed[:4] == b"\0\1\0\1" and fixed[8:] == b"\0\4":
            return "%d.%d.%d.%d" % tuple(data[at : at + 4]) if at + 4 <= len(data) else None
        at += fixed[8] << 8 | fixed[9]
    return None


async def resolve(host, server, timeout_ms, port=_DNS):
    """Address of `host` as the name server tells, None if it does not."""
    if is_address(host):
        return host
    asked = question(host, (crc32(host.encode()) ^ ticks_ms()) & 0xFFFF)
    return answered(await _ask(server, port, asked, timeout_ms), asked)


async def time_of(server, timeout_ms, port=_SNTP):
    """Unix seconds as a time server tells them, None if it does not. `server`: an address."""
    answer = await _ask(server, port, b"\x1b" + bytes(47), timeout_ms)
    if len(answer) < 48 or answer[0] & 7 != 4 or not answer[1]:
        return None  # no answer of a server, or one that does not know
    seconds = int.from_bytes(answer[40:44], "big")
    return seconds - _TIME_1970 if seconds > _TIME_1970 else None
