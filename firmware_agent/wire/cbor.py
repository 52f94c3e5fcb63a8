"""CBOR (RFC 8949) as the agent speaks it: deterministic when written, strict when read.

Read and written: integers of 64 bits, bytes, text, arrays, maps, true, false, null. Refused with WireError BAD_MESSAGE: floats,
tags, indefinite lengths, integers or lengths not in their shortest form, duplicate keys, bytes behind the end, more
than DEPTH levels, invalid UTF-8. Map keys are integers or texts.
"""

from .errors import BAD_MESSAGE, WireError

DEPTH = 6  # the deepest message we declare has 4 levels; SMP's own have 3
_PLAIN = (False, True, None)


class Encoded:
    """Bytes that are CBOR already and are written as they are."""

    def __init__(self, data):
        self.data = data


def _head(major, value):
    major <<= 5
    if value < 24:
        return bytes((major | value,))
    if value < 0x100:
        return bytes((major | 24, value))
    if value < 0x10000:
        return bytes((major | 25, value >> 8, value & 0xFF))
    if value < 0x100000000:
        return bytes((major | 26,)) + value.to_bytes(4, "big")
    if value < 0x10000000000000000:
        return bytes((major | 27,)) + value.to_bytes(8, "big")
    raise ValueError("integer beyond 64 bits")


def encode(value):
    """`value` as bytes; map keys in the order of their encoded bytes (RFC 8949, 4.2.1). TypeError for other types."""
    parts = []
    _encode(value, parts)
    return b"".join(parts)


def _encode(value, parts):
    if value is None:
        parts.append(b"\xf6")
    elif value is True:
        parts.append(b"\xf5")
    elif value is False:
        parts.append(b"\xf4")
    elif isinstance(value, int):
        parts.append(_head(0, value) if value >= 0 else _head(1, -1 - value))
    elif isinstance(value, str):
        value = value.encode()
        parts.append(_head(3, len(value)))
        parts.append(value)
    elif isinstance(value, (bytes, bytearray, memoryview)):
        parts.append(_head(2, len(value)))
        parts.append(bytes(value))
    elif isinstance(value, (list, tuple)):
        parts.append(_head(4, len(value)))
        for item in value:
            _encode(item, parts)
    elif isinstance(value, dict):
        parts.append(_head(5, len(value)))
        pairs = sorted([(encode(key), key) for key in value], key=_first)
        for encoded, key in pairs:
            parts.append(encoded)
            _encode(value[key], parts)
    elif isinstance(value, Encoded):
        parts.append(value.data)
    else:
        raise TypeError("no CBOR for this type")


def _first(pair):
    return pair[0]


def decode(data):
    """The value in `data`, all of it; WireError BAD_MESSAGE otherwise."""
    try:
        value, end = _decode(data, 0, DEPTH)
    except IndexError:
        raise WireError(BAD_MESSAGE)  # cut
    if end != len(data):
        raise WireError(BAD_MESSAGE)  # trailing bytes
    return value


def _decode(data, offset, depth):
    first = data[offset]
    major, info = first >> 5, first & 31
    offset += 1
    if major == 7:
        if 20 <= info <= 22:
            return _PLAIN[info - 20], offset
        raise WireError(BAD_MESSAGE)  # simple value or float
    if info < 24:
        value = info
    elif info < 28:
        size = 1 << (info - 24)
        if offset + size > len(data):
            raise WireError(BAD_MESSAGE)  # cut
        value = int.from_bytes(data[offset : offset + size], "big")
        offset += size
        if value < (24, 0x100, 0x10000, 0x100000000)[info - 24]:
            raise WireError(BAD_MESSAGE)  # not in shortest form
    else:
        raise WireError(BAD_MESSAGE)  # indefinite length
    if major == 0:
        return value, offset
    if major == 1:
        return -1 - value, offset
    if major == 6:
        raise WireError(BAD_MESSAGE)  # tag
    if major <= 3:
        end = offset + value
        if end > len(data):
            raise WireError(BAD_MESSAGE)  # cut
        item = bytes(data[offset:end])
        if major == 3:
            try:
                item = str(item, "utf-8")
            except UnicodeError:
                raise WireError(BAD_MESSAGE)  # UTF-8
        return item, end
    # every item takes at least a byte: a length beyond the rest is refused before anything is allocated for it
    if depth == 0 or value > len(data) - offset:
        raise WireError(BAD_MESSAGE)  # too deep, or cut
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
            raise WireError(BAD_MESSAGE)  # map key
        if key in pairs:
            raise WireError(BAD_MESSAGE)  # duplicate key
        pairs[key], offset = _decode(data, offset, depth - 1)
    return pairs, offset
