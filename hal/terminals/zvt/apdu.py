"""ZVT application data, the reading half: APDU, bitmaps (BMP) and TLV, bytes -> Python values; compose.py writes them.

Source: ZVT command paper PA00P015 rev. 13. An APDU is class, instruction, length, data. The length is one byte up to
254; from 255 on it is FF and two bytes, little endian. Amounts are in minor units (cents), numbers are packed BCD.

A card number never leaves this module: BMP 22 is read as its last four digits, masked or not, and as a keyed token where
it is not; track data (BMP 23, 24, 2D) is dropped as it is read.
"""

from binascii import hexlify, unhexlify


class ApduError(ValueError):
    """The bytes do not follow the paper; the text names the offset."""


def _wrong(offset, what):
    raise ApduError("offset %d: %s" % (offset, what))


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
    head = 5 if apdu[2:3] == b"\xff" else 3
    if len(apdu) < head:
        _wrong(len(apdu), "the APDU is cut")
    size = apdu[2] if head == 3 else apdu[3] | apdu[4] << 8
    if len(apdu) - head != size:
        _wrong(2, "a length of %d, and %d bytes follow" % (size, len(apdu) - head))
    return apdu[0] << 8 | apdu[1], apdu[head:]


def bcd(number, size):
    """`number` as packed BCD of `size` bytes; ApduError if it does not fit."""
    digits = ("%%0%dd" % (2 * size)) % number
    if number < 0 or len(digits) > 2 * size:
        raise ApduError("%d does not fit into %d BCD bytes" % (number, size))
    return unhexlify(digits)


def from_bcd(data, offset=0):
    """The number in packed BCD; ApduError on a nibble above 9."""
    digits = hexlify(data).decode()
    if not digits.isdigit():
        _wrong(offset, "%s is no BCD number" % (digits.upper() or "nothing"))
    return int(digits)


# Bitmaps, a row each: number, a sign for the length, kind, name; one text, because a board keeps it in a fifth of the heap
# that tuples take. Length in bytes: the sign's code less 48, so "?" is 15; "." (-2) is an LLVAR and "-" (-3) an LLLVAR, with
# two or three F-nibbles as their length, and "0" a TLV length. Kind: n packed BCD, b bytes, t text, p card number, x read and
# dropped.
BITMAPS = """
011btimeout
021bmax_status_infos
031bservice_byte
046namount
051bpump
060btlv
0B3ntrace
0C3ntime
0D2ndate
0E2nexpiry
172ncard_sequence
191bpayment_type
22.pcard
23.xtrack_2
24-xtrack_3
271bresult_code
294nterminal_id
2A?tcontract_number
2D.xtrack_1
373noriginal_trace
3B8bauthorisation
3C-ttext
3D3npassword
492ncurrency
60-btotals
872nreceipt
883nturnover
8A1bcard_type
8B.tcard_name
8C1bcard_type_id
A01bresult_code_as
AA3ndate_yymmdd
BA5baid_parameter
"""


def bitmap(number):
    """(name, length, kind) of a bitmap, None if it is unknown."""
    at = BITMAPS.find("\n%02X" % number)
    if at < 0:
        return None
    row = BITMAPS[at + 3 : BITMAPS.find("\n", at + 1)]
    return row[2:], ord(row[0]) - 48, row[1]


def cut(data, offset, known=bitmap):
    """(name, length as in the table, kind, start, end) of the bitmap at `offset`; ApduError with the offset where it is
    unknown or cut. `known`: bitmap(), or what knows more of them."""
    row = known(data[offset])
    start, length = offset + 1, row[1] if row else 0
    if length < 0:
        start, length = read_f_nibbles(data, start, -length)
    elif row and not length:
        start, length = _read_tlv_length(data, start)
    if not row or start + length > len(data):
        _wrong(offset, "bitmap %02X is %s" % (data[offset], "cut" if row else "unknown"))
    return row + (start, start + length)


def unpack_bitmaps(data, offset=0, key=None):
    """{name: value} of bitmaps from `offset` on; ApduError with the offset of a bitmap that is unknown or cut.

    Of a card number "last_four", and with a `key` (bytes) "card_token" where it came unmasked: 8 bytes."""
    fields = {}
    while offset < len(data):
        name, fixed, kind, start, offset = cut(data, offset)
        value = data[start:offset]
        if kind == "n":
            fields[name] = from_bcd(value, start)
        elif kind == "t":
            fields[name] = printable(value)
        elif kind == "p":
            digits = card_digits(value)
            fields["last_four"] = digits[-4:].replace("E", "*")
            if key and len(digits) > 7 and digits.isdigit():  # ISO/IEC 7812: eight digits at least
                from .token import token  # few terminals send one

                fields["card_token"] = token(key, digits)
        elif kind == "b":
            fields[name] = value[0] if fixed == 1 else bytes(value)
    return fields


def printable(value):
    """Text of the field as ASCII; anything else becomes a question mark (terminals send several code pages).

    The zero byte that ends a card name (BMP 8B) is no text.
    """
    return "".join(chr(b) if 32 <= b < 127 else "?" for b in value if b).strip()


def card_digits(value):
    """The digits of BMP 22, E where one is masked; F fills a half byte up, D ends the number where track data follow."""
    return hexlify(value).decode().upper().split("F")[0].split("D")[0]


def read_f_nibbles(data, offset, digits):
    """(offset behind it, length)."""
    size = 0
    for index in range(offset, offset + digits):
        if index >= len(data) or data[index] & 0xF0 != 0xF0 or data[index] & 15 > 9:
            _wrong(index, "not an F-nibble length")
        size = size * 10 + (data[index] & 15)
    return offset + digits, size


def _read_tlv_length(data, offset, base=0):
    """(offset behind it, length): one byte below 80, or 81 and one, or 82 and two."""
    extra = max(data[offset] - 0x80, 0) if offset < len(data) else 3
    if extra > 2 or offset + extra >= len(data) or data[offset] == 0x80:
        _wrong(base + offset, "no TLV length")
    size = 0
    for byte in data[offset + 1 : offset + 1 + extra] if extra else data[offset : offset + 1]:
        size = size << 8 | byte
    return offset + 1 + extra, size


_DEEPEST = 8  # containers in containers; the paper nests three


def unpack_tlv(data, base=0, depth=0):
    """[(tag, value)], a constructed tag (bit 6 of its first byte) with a list as value; unknown tags are kept. `base`: offset
    of `data` in the message, for errors."""
    items = []
    offset = 0
    while offset < len(data):
        begin = offset
        tag = data[offset]
        constructed = tag & 0x20
        more = tag & 0x1F == 0x1F  # further bytes of the tag, each but the last with its top bit set
        offset += 1
        while more:
            if offset >= len(data) or tag > 0xFFFF:
                _wrong(base + begin, "tag is cut or too long")
            more = data[offset] & 0x80
            tag = tag << 8 | data[offset]
            offset += 1
        offset, size = _read_tlv_length(data, offset, base)
        value = data[offset : offset + size]
        if len(value) != size or depth > _DEEPEST:
            _wrong(base + begin, "tag %X is cut or too deep" % tag)
        if constructed:
            value = unpack_tlv(value, base + offset, depth + 1)
        items.append((tag, value if constructed else bytes(value)))
        offset += size
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
        start, size = read_f_nibbles(data, 0, 3)
        offset = start + size
        version = printable(data[start:offset])
    if offset >= len(data):
        _wrong(offset, "no status byte")
    fields = unpack_bitmaps(data, offset + 1)
    return version, data[offset], unpack_tlv(fields.get("tlv", b""))
