"""CBOR (RFC 8949) as the agent speaks it: deterministic when written, strict when read.

Read and written: integers of 64 bits, bytes, text, arrays, maps, true, false, null. Refused with WireError bad_message:
floats, tags, indefinite lengths, integers or lengths not in their shortest form, duplicate keys, bytes behind the end, more
than _DEPTH levels, invalid UTF-8. Map keys are integers or texts.
"""

from .errors import WireError

_DEPTH = 6  # the deepest message we declare has 4 levels; SMP's own have 3
_PLAIN = (False, True, None)


class Encoded:
    """Bytes that are CBOR already and are written as they are."""

    def __init__(self, data):
        self.data = data


def _head(kind, value):
    kind <<= 5
    if value < 24:
        return bytes((kind | value,))
    if value < 0x100:
        return bytes((kind | 24, value))
    if value < 0x10000:
        return bytes((kind | 25, value >> 8, value & 0xFF))
    if value < 0x100000000:
        return bytes((kind | 26,)) + value.to_bytes(4, "big")
    if value < 0x10000000000000000:
        return bytes((kind | 27,)) + value.to_bytes(8, "big")
    raise ValueError("integer beyond 64 bits")


def encode(value):
    """`value` as bytes; map keys in the order of their encoded bytes (RFC 8949, 4.2.1). TypeError for other types."""
    out = bytearray()
    _encode(value, out)
    return bytes(out)


def _in_order(keys):
    for key in keys:
        if not isinstance(key, int) or key < 0:
            return [key for _, key in sorted([(encode(key), key) for key in keys])]
    return sorted(keys)  # bytes of integers from 0 on are in the order of the integers


def _encode(value, out):
    if value is None:
        out.append(0xF6)
    elif value is True:
        out.append(0xF5)
    elif value is False:
        out.append(0xF4)
    elif isinstance(value, int):
        if 0 <= value < 24:
            out.append(value)
        else:
            out.extend(_head(0, value) if value >= 0 else _head(1, -1 - value))
    elif isinstance(value, str):
        value = value.encode()
        out.extend(_head(3, len(value)))
        out.extend(value)
    elif isinstance(value, (bytes, bytearray, memoryview)):
        out.extend(_head(2, len(value)))
        out.extend(value)
    elif isinstance(value, (list, tuple)):
        out.extend(_head(4, len(value)))
        for item in value:
            _encode(item, out)
    elif isinstance(value, dict):
        out.extend(_head(5, len(value)))
        for key in _in_order(value):
            _encode(key, out)
            _encode(value[key], out)
    elif isinstance(value, Encoded):
        out.extend(value.data)
    else:
        raise TypeError("no CBOR for this type")


def decode(data) -> "Any":  # noqa: F821  # pyright: ignore[reportUndefinedVariable]
    """The value in `data`, all of it; WireError bad_message otherwise."""
    try:
        value, end = _decode(data, 0, _DEPTH)
    except IndexError:
        raise WireError("bad_message")  # cut
    if end != len(data):
        raise WireError("bad_message")  # trailing bytes
    return value


def item(data, offset=0) -> "tuple[Any, int]":  # noqa: F821  # pyright: ignore[reportUndefinedVariable]
    """(value, bytes it takes) of the item that begins at `offset`, whatever stands behind it; WireError bad_message."""
    try:
        value, end = _decode(data, offset, _DEPTH)
    except IndexError:
        raise WireError("bad_message")  # cut
    return value, end - offset


def array(data):
    """(number of items, bytes of the head) of the array that begins `data`, however long it is; WireError bad_message."""
    if not data or data[0] >> 5 != 4:
        raise WireError("bad_message")
    count, end = item(bytes((data[0] & 31,)) + data[1:])  # the same head is that of an integer
    return count, end


def _shortest(text, size):
    """False for what MicroPython takes for UTF-8, and who reads it from us does not: longer than need be, half a surrogate
    pair, beyond Unicode."""
    for letter in text:
        code = ord(letter)
        if 0xD7FF < code < 0xE000 or code > 0x10FFFF:
            return False
        size -= 1 + (code > 0x7F) + (code > 0x7FF) + (code > 0xFFFF)
    return size == 0


def _decode(data, offset, depth):
    first = data[offset]
    major, info = first >> 5, first & 31
    offset += 1
    if major == 7:
        if 20 <= info <= 22:
            return _PLAIN[info - 20], offset
        raise WireError("bad_message")  # simple value or float
    if info < 24:
        value = info
    elif info < 28:
        size = 1 << (info - 24)
        if offset + size > len(data):
            raise WireError("bad_message")  # cut
        value = int.from_bytes(data[offset : offset + size], "big")
        offset += size
        if value < (24, 0x100, 0x10000, 0x100000000)[info - 24]:
            raise WireError("bad_message")  # not in shortest form
    else:
        raise WireError("bad_message")  # indefinite length
    if major == 0:
        return value, offset
    if major == 1:
        return -1 - value, offset
    if major == 6:
        raise WireError("bad_message")  # tag
    if major <= 3:
        end = offset + value
        if end > len(data):
            raise WireError("bad_message")  # cut
        item = bytes(data[offset:end])
        if major == 3:
            try:
                item = str(item, "utf-8")
            except UnicodeError:
                raise WireError("bad_message")  # UTF-8
            if len(item) != value and not _shortest(item, value):
                raise WireError("bad_message")
        return item, end
    # every item takes at least a byte: a length beyond the rest is refused before anything is allocated for it
    if depth == 0 or value > len(data) - offset:
        raise WireError("bad_message")  # too deep, or cut
    if major == 4:
        items = []
        for _ in range(value):
            item, offset = _decode(data, offset, depth - 1)
            items.append(item)
        return items, offset
    pairs = {}
    for _ in range(value):
        key, offset = _decode(data, offset, depth - 1)
        if isinstance(key, bool) or not isinstance(key, (int, str)):
            raise WireError("bad_message")  # map key
        if key in pairs:
            raise WireError("bad_message")  # duplicate key
        pairs[key], offset = _decode(data, offset, depth - 1)
    return pairs, offset
