"""ZVT application data, the reading half: APDU, bitmaps (BMP) and TLV, bytes -> Python values; compose.py writes them.

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


# Bitmaps: number, name, length, kind; a text because a board keeps it in a fifth of the heap that tuples take. Length:
# bytes, or -2 / -3 for LLVAR / LLLVAR (length as F-nibbles), or 0 for TLV. Kind: n packed BCD, b bytes, t text, p card
# number, x read and dropped.
BITMAPS = """
01 timeout 1 b
02 max_status_infos 1 b
03 service_byte 1 b
04 amount 6 n
05 pump 1 b
06 tlv 0 b
0B trace 3 n
0C time 3 n
0D date 2 n
0E expiry 2 n
17 card_sequence 2 n
19 payment_type 1 b
22 card -2 p
23 track_2 -2 x
24 track_3 -3 x
27 result_code 1 b
29 terminal_id 4 n
2A contract_number 15 t
2D track_1 -2 x
37 original_trace 3 n
3B authorisation 8 b
3C text -3 t
3D password 3 n
49 currency 2 n
60 totals -3 b
87 receipt 2 n
88 turnover 3 n
8A card_type 1 b
8B card_name -2 t
8C card_type_id 1 b
A0 result_code_as 1 b
AA date_yymmdd 3 n
BA aid_parameter 5 b
"""


def bitmap(number):
    """(name, length, kind) of a bitmap; ApduError if it is unknown."""
    at = BITMAPS.find("\n%02X " % number)
    if at < 0:
        raise ApduError("bitmap %02X is unknown" % number)
    name, length, kind = BITMAPS[at + 4 : BITMAPS.find("\n", at + 1)].split(" ")
    return name, int(length), kind


def unpack_bitmaps(data, offset=0):
    """{name: value} of bitmaps from `offset` on; ApduError with the offset of a bitmap that is unknown or cut."""
    fields = {}
    while offset < len(data):
        number, start = data[offset], offset + 1
        try:
            name, fixed, kind = bitmap(number)
        except ApduError as error:
            raise ApduError("offset %d: %s" % (offset, error))
        length = fixed
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
            fields[name] = value[0] if fixed == 1 else bytes(value)
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


def read_f_nibbles(data, offset, digits):
    """(offset behind it, length)."""
    size = 0
    for index in range(offset, offset + digits):
        if index >= len(data) or data[index] & 0xF0 != 0xF0 or data[index] & 15 > 9:
            raise ApduError("offset %d: not an F-nibble length" % index)
        size = size * 10 + (data[index] & 15)
    return offset + digits, size


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
