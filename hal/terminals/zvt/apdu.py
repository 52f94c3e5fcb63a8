"""ZVT application data: APDU, bitmaps (BMP) and TLV, bytes <-> Python values, both directions.

Source: ZVT command paper PA00P015 rev. 13. An APDU is class, instruction, length, data. The length is one byte up to
254; from 255 on it is FF and two bytes, little endian. Amounts are in minor units (cents), numbers are packed BCD.

A card number never leaves this module: BMP 22 is read as its last four digits, masked or not, and track data (BMP 23,
24, 2D) is dropped as it is read.
"""


class ApduError(ValueError):
    """The bytes do not follow the paper; the text names the offset."""


def pack(command, data=b""):
    """APDU bytes. `command` is class and instruction as one number, 0x0631 for a refund."""
    size = len(data)
    if size < 255:
        return bytes((command >> 8, command & 0xFF, size)) + data
    if size > 0xFFFF:
        raise ApduError("APDU data of %d bytes: at most 65535" % size)
    return bytes((command >> 8, command & 0xFF, 0xFF, size & 0xFF, size >> 8)) + data


def unpack(apdu):
    """(command, data) of one whole APDU; ApduError where its length byte does not match."""
    if len(apdu) < 3:
        raise ApduError("APDU of %d bytes: at least 3" % len(apdu))
    start, size = 3, apdu[2]
    if size == 0xFF:
        if len(apdu) < 5:
            raise ApduError("APDU cut in its length")
        start, size = 5, apdu[3] | apdu[4] << 8
    if len(apdu) - start != size:
        raise ApduError("APDU says %d data bytes and has %d" % (size, len(apdu) - start))
    return apdu[0] << 8 | apdu[1], apdu[start:]


def bcd(number, size):
    """`number` as packed BCD of `size` bytes; ApduError if it does not fit."""
    digits = "%d" % number
    if number < 0 or len(digits) > 2 * size:
        raise ApduError("%d does not fit into %d BCD bytes" % (number, size))
    digits = "0" * (2 * size - len(digits)) + digits
    return bytes(int(digits[i : i + 2], 16) for i in range(0, 2 * size, 2))


def from_bcd(data, offset=0):
    """The number in packed BCD; ApduError on a nibble above 9."""
    number = 0
    for index, byte in enumerate(data):
        if byte >> 4 > 9 or byte & 15 > 9:
            raise ApduError("offset %d: %02X is not BCD" % (offset + index, byte))
        number = number * 100 + (byte >> 4) * 10 + (byte & 15)
    return number


# BMP -> (name, length, kind). Length: bytes, or -2 / -3 for LLVAR / LLLVAR (length as F-nibbles), or 0 for TLV.
# Kind: n packed BCD, b bytes, t text, p card number, x read and dropped.
BITMAPS = {
    0x01: ("timeout", 1, "b"),
    0x02: ("max_status_infos", 1, "b"),
    0x03: ("service_byte", 1, "b"),
    0x04: ("amount", 6, "n"),
    0x05: ("pump", 1, "b"),
    0x06: ("tlv", 0, "b"),
    0x0B: ("trace", 3, "n"),
    0x0C: ("time", 3, "n"),
    0x0D: ("date", 2, "n"),
    0x0E: ("expiry", 2, "n"),
    0x17: ("card_sequence", 2, "n"),
    0x19: ("payment_type", 1, "b"),
    0x22: ("card", -2, "p"),
    0x23: ("track_2", -2, "x"),
    0x24: ("track_3", -3, "x"),
    0x27: ("result_code", 1, "b"),
    0x29: ("terminal_id", 4, "n"),
    0x2A: ("contract_number", 15, "t"),
    0x2D: ("track_1", -2, "x"),
    0x37: ("original_trace", 3, "n"),
    0x3B: ("authorisation", 8, "b"),
    0x3C: ("text", -3, "t"),
    0x3D: ("password", 3, "n"),
    0x49: ("currency", 2, "n"),
    0x60: ("totals", -3, "b"),
    0x87: ("receipt", 2, "n"),
    0x88: ("turnover", 3, "n"),
    0x8A: ("card_type", 1, "b"),
    0x8B: ("card_name", -2, "t"),
    0x8C: ("card_type_id", 1, "b"),
    0xA0: ("result_code_as", 1, "b"),
    0xAA: ("date_yymmdd", 3, "n"),
    0xBA: ("aid_parameter", 5, "b"),
}


def _number_of(name):
    for number, field in BITMAPS.items():
        if field[0] == name:
            return number
    raise ApduError("no bitmap is called " + name)


def pack_bitmaps(fields):
    """Bytes for a list of (name, value): int for n and one-byte b, bytes for b, str for t and p (digits, E masked)."""
    out = b""
    for name, value in fields:
        number = _number_of(name)
        _, length, kind = BITMAPS[number]
        if kind == "n":
            value = bcd(value, length)
        elif kind == "b" and isinstance(value, int):
            value = bytes((value,))
        elif kind == "t":
            value = value.encode()
        elif kind in "px":
            value = value + "F" * (len(value) & 1)
            value = bytes(int(value[i : i + 2], 16) for i in range(0, len(value), 2))
        if length > 0:
            if kind == "t":
                value = value + b" " * (length - len(value))
            if len(value) != length:
                raise ApduError("%s takes %d bytes, not %d" % (name, length, len(value)))
            out += bytes((number,)) + value
        elif length == 0:
            out += bytes((number,)) + _tlv_length(len(value)) + value
        else:
            out += bytes((number,)) + f_nibbles(len(value), -length) + value
    return out


def unpack_bitmaps(data, offset=0):
    """{name: value} of bitmaps from `offset` on; ApduError with the offset of a bitmap that is unknown or cut."""
    fields = {}
    while offset < len(data):
        number, start = data[offset], offset + 1
        if number not in BITMAPS:
            raise ApduError("offset %d: bitmap %02X is unknown" % (offset, number))
        name, length, kind = BITMAPS[number]
        if length < 0:
            start, length = read_f_nibbles(data, start, -length)
        elif length == 0:
            start, length = _read_tlv_length(data, start)
        value = data[start : start + length]
        if len(value) != length:
            raise ApduError("offset %d: bitmap %02X is cut" % (offset, number))
        if kind == "n":
            fields[name] = from_bcd(value, start)
        elif kind == "t":
            fields[name] = printable(value)
        elif kind == "p":
            fields["last_four"] = _last_four(value)
        elif kind == "b":
            fields[name] = value[0] if length == 1 and BITMAPS[number][1] == 1 else bytes(value)
        offset = start + length
    return fields


def printable(value):
    """Text of the field as ASCII; anything else becomes a question mark (terminals send several code pages).

    The zero byte that ends a card name (BMP 8B) is no text.
    """
    return "".join(chr(b) if 32 <= b < 127 else "?" for b in value if b).strip()


def _last_four(value):
    digits = "".join("%02X" % byte for byte in value)
    while digits and digits[-1] == "F":
        digits = digits[:-1]
    return digits[-4:].replace("E", "*")


def f_nibbles(size, digits):
    """A length as ZVT writes it: one F-nibble byte a digit, 19 in two digits is F1 F9."""
    text = "%d" % size
    if len(text) > digits:
        raise ApduError("%d bytes do not fit into a length of %d digits" % (size, digits))
    return bytes(0xF0 | int(d) for d in "0" * (digits - len(text)) + text)


def read_f_nibbles(data, offset, digits):
    """(offset behind it, length)."""
    size = 0
    for index in range(offset, offset + digits):
        if index >= len(data) or data[index] & 0xF0 != 0xF0 or data[index] & 15 > 9:
            raise ApduError("offset %d: not an F-nibble length" % index)
        size = size * 10 + (data[index] & 15)
    return offset + digits, size


def _tlv_length(size):
    if size < 0x80:
        return bytes((size,))
    if size < 0x100:
        return bytes((0x81, size))
    return bytes((0x82, size >> 8, size & 0xFF))


def _read_tlv_length(data, offset):
    extra = 0
    if offset < len(data) and data[offset] > 0x80:
        extra = data[offset] - 0x80
    if extra > 2 or offset + extra >= len(data) or data[offset] == 0x80:
        raise ApduError("offset %d: no TLV length" % offset)
    if not extra:
        return offset + 1, data[offset]
    size = data[offset + 1]
    if extra == 2:
        size = size << 8 | data[offset + 2]
    return offset + 1 + extra, size


def pack_tlv(items):
    """Bytes for a list of (tag, value); a constructed value is a list of the same kind."""
    out = b""
    for tag, value in items:
        if isinstance(value, list):
            value = pack_tlv(value)
        head = bytes((tag >> 8, tag & 0xFF)) if tag > 0xFF else bytes((tag,))
        out += head + _tlv_length(len(value)) + value
    return out


def unpack_tlv(data):
    """[(tag, value)], a constructed tag (bit 6 of its first byte) with a list as value; unknown tags are kept."""
    items = []
    offset = 0
    while offset < len(data):
        begin = offset
        tag = data[offset]
        constructed = tag & 0x20
        offset += 1
        if tag & 0x1F == 0x1F:
            if offset >= len(data):
                raise ApduError("offset %d: tag is cut" % begin)
            tag = tag << 8 | data[offset]
            offset += 1
        offset, size = _read_tlv_length(data, offset)
        value = data[offset : offset + size]
        if len(value) != size:
            raise ApduError("offset %d: tag %X is cut" % (begin, tag))
        offset += size
        items.append((tag, unpack_tlv(value) if constructed else bytes(value)))
    return items


def find_tlv(items, tag):
    """The value of the first `tag`, searched depth first; None if it is not there."""
    for found, value in items:
        if found == tag:
            return value
        if isinstance(value, list):
            value = find_tlv(value, tag)
            if value is not None:
                return value
    return None


def pack_status(version, code, tlv=None):
    """Data of the completion (06 0F) of a status enquiry: version LLLVAR (ASCII) or None, status byte, [TLV]."""
    out = b"" if version is None else f_nibbles(len(version), 3) + version.encode()
    out += bytes((code,))
    return out if tlv is None else out + pack_bitmaps([("tlv", pack_tlv(tlv))])


def unpack_status(data):
    """(version or None, status byte, TLV items) of the completion of 05 01, whose data only the context tells."""
    version, offset = None, 0
    if len(data) >= 3 and data[0] & 0xF0 == 0xF0 and data[1] & 0xF0 == 0xF0:
        offset, size = read_f_nibbles(data, 0, 3)
        version = printable(data[offset : offset + size])
        offset += size
    if offset >= len(data):
        raise ApduError("status enquiry answered without a status byte")
    fields = unpack_bitmaps(data, offset + 1)
    return version, data[offset], unpack_tlv(fields.get("tlv", b""))
