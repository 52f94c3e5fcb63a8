"""SMP, the Simple Management Protocol: header and console framing, bytes <-> messages.

Source: Zephyr's SMP specification and transport page. Header, 8 bytes big endian: (reserved 3 bits | version 2 | op 3),
flags, length of the body, group, sequence, command. Console framing: lines of at most 127 bytes, the first begins with
06 09, those that go on with 04 14, then base64, then 0A. In the base64: length (2 bytes big endian, of what follows),
message, CRC-16/XMODEM of the message. base64 groups do not straddle lines.
"""

import struct
from array import array
from binascii import a2b_base64, b2a_base64

try:
    # the same sum in C, which MicroPython lacks
    from binascii import crc_hqx  # pyright: ignore[reportAttributeAccessIssue]
except ImportError:
    crc_hqx = None

START = b"\x06\x09"
GOES_ON = b"\x04\x14"
LINE = 127  # bytes, with the two that start it and the line end
# Longest message either way, header included: a verdict of 60 findings with their evidence takes about 1.5 kB, and no
# allocation on a board shall exceed 4 kB.
MAX_MESSAGE = 2048

_BYTES_A_LINE = 93  # (LINE - 3) // 4 * 3


class Header:
    """op 0 read, 1 its answer, 2 write, 3 its answer; version 0 or 1 as in the two bits (1 means errors of version 2)."""

    def __init__(self, op, group, command, sequence=0, version=1, flags=0):
        self.op = op
        self.group = group
        self.command = command
        self.sequence = sequence
        self.version = version
        self.flags = flags

    def answer(self):
        return Header(self.op | 1, self.group, self.command, self.sequence, self.version)


def pack(header, body):
    """Message bytes: header and CBOR body."""
    return (
        struct.pack(
            ">BBHHBB",
            (header.version & 3) << 3 | header.op & 7,
            header.flags,
            len(body),
            header.group,
            header.sequence,
            header.command,
        )
        + body
    )


def unpack(message):
    """(Header, body); ValueError if the message is shorter than it says or longer."""
    if len(message) < 8:
        raise ValueError("SMP message of %d bytes: the header alone has 8" % len(message))
    first, flags, size, group, sequence, command = struct.unpack(">BBHHBB", message[:8])
    if size != len(message) - 8:
        raise ValueError("SMP header says %d bytes, there are %d" % (size, len(message) - 8))
    return Header(first & 7, group, command, sequence, first >> 3 & 3, flags), message[8:]


def _table():
    table = array("H")
    for value in range(256):
        value <<= 8
        for _ in range(8):
            value = (value << 1 ^ 0x1021 if value & 0x8000 else value << 1) & 0xFFFF
        table.append(value)
    return table


_CRC = array("H") if crc_hqx else _table()


def crc16(data):
    """CRC-16/XMODEM: polynomial 0x1021, initial 0; "123456789" gives 0x31C3."""
    if crc_hqx:
        return crc_hqx(data, 0)
    table = _CRC
    crc = 0
    for byte in data:
        crc = (crc << 8 & 0xFFFF) ^ table[crc >> 8 ^ byte]
    return crc


def lines(message):
    """Yields the console lines of a message, each with its line end: a board writes them one by one."""
    crc = crc16(message)
    packet = struct.pack(">H", len(message) + 2) + message + bytes((crc >> 8, crc & 0xFF))
    for offset in range(0, len(packet), _BYTES_A_LINE):
        yield (GOES_ON if offset else START) + b2a_base64(packet[offset : offset + _BYTES_A_LINE])


def frame(message):
    """The console lines of a message as one bytes object."""
    return b"".join(lines(message))


class Assembler:
    """Puts console lines together. `add(line)`, the line without its end but with its two starting bytes, returns a whole
    message (bytes), None while more is to come, or raises ValueError for a damaged one; either way it is ready for the
    next."""

    def __init__(self, longest=MAX_MESSAGE):
        self._longest = longest
        self._size = 0
        self.parts = []
        self._have = 0

    def reset(self):
        self._size = self._have = 0
        self.parts = []

    def add(self, line):
        start = line[:2]
        if start == START:
            self.reset()
        elif start != GOES_ON or not self.parts:
            self.reset()
            raise ValueError("frame without its beginning")
        try:
            part = a2b_base64(line[2:])
        except ValueError:
            part = b""
        # what decoders pass over differs between runtimes: nothing may be
        if b2a_base64(part)[:-1] != line[2:]:
            self.reset()
            raise ValueError("not base64")
        if start == START:
            if len(part) < 2:
                raise ValueError("frame without a length")
            self._size = part[0] << 8 | part[1]
            part = part[2:]
            if not 10 <= self._size <= self._longest + 2:
                raise ValueError("frame of %d bytes" % self._size)
        self.parts.append(part)
        self._have += len(part)
        if self._have < self._size:
            return None
        packet = b"".join(self.parts)
        size = self._size
        self.reset()
        if len(packet) != size:
            raise ValueError("frame longer than it says")
        message = packet[:-2]
        if crc16(message) != packet[-2] << 8 | packet[-1]:
            raise ValueError("CRC")
        return message
