"""Frames in the manner of RFC 1662: flag 7E, body and FCS-32 escaped, flag 7E. Bytes <-> bodies, for the agent and the laptop.

FCS-32 is CRC-32 as binascii has it, 4 bytes little endian. An escaped byte stands as 7D and the byte xor 20. Besides 7E and 7D
themselves 03 04 06 0A 0D 11 13 are escaped, so that no byte of a frame is Ctrl-C, flow control, a line end, or the beginning of
an SMP line. Frames may share a flag. No work is done byte by byte: a board packs and a laptop reads at the speed of C.
"""

from binascii import crc32

FLAG = b"\x7e"
LONGEST = 1024  # bytes of a body: with its escapes a frame stays below the 4 kB a board can allocate at once

_ESCAPED = tuple([(bytes((byte,)), bytes((0x7D, byte ^ 0x20))) for byte in (0x7D, 0x7E, 3, 4, 6, 10, 13, 0x11, 0x13)])
_MOST = 2 * (LONGEST + 4)  # bytes between two flags


def pack(body):
    """The frame of a body (bytes)."""
    data = bytes(body) + crc32(body).to_bytes(4, "little")
    for byte, escape in _ESCAPED:
        if byte in data:
            data = data.replace(byte, escape)
    return FLAG + data + FLAG


def unpack(data):
    """The body of what stands between two flags (bytes); None: damaged."""
    if b"}" in data:
        for byte, escape in _ESCAPED[1:]:
            data = data.replace(escape, byte)
        data = data.replace(b"}]", b"}")
    body = data[:-4]
    if len(data) < 5 or len(data) > LONGEST + 4 or crc32(body) != int.from_bytes(data[-4:], "little"):
        return None
    return body


class Deframer:
    """Takes bytes as they come and gives bodies. damaged: frames that were no body; resyncs: how often a flag was found behind
    bytes of no frame, which are counted in dropped."""

    def __init__(self):
        self.damaged = self.resyncs = self.dropped = 0
        self._rest = b""  # behind the last flag, or before the first

    def feed(self, data):
        """A list of bodies (bytes)."""
        parts = (self._rest + data).split(FLAG)
        self._rest = parts.pop()
        if len(self._rest) > _MOST:
            self.dropped += len(self._rest)
            self._rest = b""
        bodies = []
        for part in parts:
            if part:
                body = unpack(part)
                if body is None:
                    self.damaged += 1
                else:
                    bodies.append(body)
        return bodies
