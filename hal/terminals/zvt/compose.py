"""ZVT application data, the writing half: bitmaps (BMP), TLV and status completions; apdu.py reads them.

Apart, because an agent on a board writes two bitmaps and reads them all. Source: ZVT command paper PA00P015 rev. 13.
"""

from .apdu import BITMAPS, ApduError, bcd


def _row(name):
    """(number, length, kind) of a bitmap, as in the table of apdu.py."""
    at = BITMAPS.find(name + "\n")
    if at < 5 or BITMAPS[at - 5] != "\n":
        raise ApduError("no bitmap is called " + name)
    return int(BITMAPS[at - 4 : at - 2], 16), ord(BITMAPS[at - 2]) - 48, BITMAPS[at - 1]


def pack_bitmaps(fields):
    """Bytes for a list of (name, value): int for n and one-byte b, bytes for b, str or bytes for t, str for p (digits, E
    masked)."""
    out = b""
    for name, value in fields:
        number, length, kind = _row(name)
        if kind == "n":
            value = bcd(value, length)
        elif kind == "b" and isinstance(value, int):
            value = bytes((value,))
        elif kind == "t" and isinstance(value, str):
            value = value.encode()
        elif kind in "px":
            value = value + "F" * (len(value) & 1)
            value = bytes(int(value[i : i + 2], 16) for i in range(0, len(value), 2))
        if length > 0 and kind == "t":
            value = value + b" " * (length - len(value))
        out += pack_bitmap(number, length, value)
    return out


def pack_bitmap(number, length, value):
    """One bitmap; `length` as in the table of apdu.py, `value` bytes."""
    if length == 0:
        head = _tlv_length(len(value))
    elif length < 0:
        head = f_nibbles(len(value), -length)
    elif len(value) == length:
        head = b""
    else:
        raise ApduError("bitmap %02X takes %d bytes, not %d" % (number, length, len(value)))
    return bytes((number,)) + head + value


def f_nibbles(size, digits):
    """A length as ZVT writes it: one F-nibble byte a digit, 19 in two digits is F1 F9."""
    text = "%d" % size
    if len(text) > digits:
        raise ApduError("%d bytes do not fit into a length of %d digits" % (size, digits))
    return bytes(0xF0 | int(d) for d in "0" * (digits - len(text)) + text)


def _tlv_length(size):
    if size < 0x80:
        return bytes((size,))
    if size < 0x100:
        return bytes((0x81, size))
    if size > 0xFFFF:
        raise ApduError("%d bytes do not fit into a TLV length" % size)
    return bytes((0x82, size >> 8, size & 0xFF))


def pack_tlv(items):
    """Bytes for a list of (tag, value); a constructed value is a list of the same kind."""
    out = b""
    for tag, value in items:
        if isinstance(value, list):
            value = pack_tlv(value)
        head = bytes((tag & 0xFF,))
        while tag > 0xFF:
            tag >>= 8
            head = bytes((tag & 0xFF,)) + head
        out += head + _tlv_length(len(value)) + value
    return out


def pack_status(version, code, tlv=None):
    """Data of the completion (06 0F) of a status enquiry: version LLLVAR (ASCII) or None, status byte, [TLV]."""
    out = b"" if version is None else f_nibbles(len(version), 3) + version.encode()
    out += bytes((code,))
    return out if tlv is None else out + pack_bitmaps([("tlv", pack_tlv(tlv))])
