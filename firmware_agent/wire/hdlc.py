"""Frames in the manner of RFC 1662: flag 7E, body and FCS-32 escaped, flag 7E.

FCS-32 is CRC-32 as binascii has it, 4 bytes little endian. An escaped byte stands as 7D and the byte xor 20. Besides 7E and
7D themselves 03 04 06 0A 0D 11 13 are escaped, so that no byte of a frame is Ctrl-C, flow control, a line end, or the
beginning of an SMP line. Frames may share a flag. Laptops read many at once with host_tools/deframer.py.
"""

from binascii import crc32

FLAG = b"\x7e"
LONGEST = 1024  # bytes of a body: with all its escapes a frame stays below the 4 kB that a board can allocate at once

# 7D first when packed, last when unpacked: the others' escapes begin with it
_ESCAPED = tuple([(bytes((byte,)), bytes((0x7D, byte ^ 0x20))) for byte in (0x7D, 0x7E, 3, 4, 6, 10, 13, 0x11, 0x13)])


def pack(body):
    """The frame of a body (bytes)."""
    data = body + crc32(body).to_bytes(4, "little")
    for byte, escape in _ESCAPED:
        if byte in data:
            data = data.replace(byte, escape)
    return FLAG + data + FLAG


def unpack(data):
    """The body of what stands between two flags (bytes); None: damaged, or longer than a body may be."""
    if b"}" in data:
        for byte, escape in _ESCAPED[1:] + _ESCAPED[:1]:
            data = data.replace(escape, byte)
    body = data[:-4]
    if not 4 < len(data) <= LONGEST + 4 or crc32(body) != int.from_bytes(data[-4:], "little"):
        return None
    return body
