"""Bytes of a ZVT line -> pieces: messages, ACK and NAK, and what is damaged. Pure.

A serial line has frames (10 02 APDU 10 03 CRC) answered by one byte, a TCP connection bare APDUs one after the other. The
bytes tell which of the two it is: the reading that leaves less unread is taken.
"""

from collections import namedtuple

from hal.terminals.zvt import messages
from hal.terminals.zvt.apdu import ApduError
from hal.terminals.zvt.frame import ACK, NAK, crc16

_ANSWERS = (ACK, NAK)
_BEGIN = b"\x10\x02"
_LARGE = 4096

# at: offset in the bytes; size: how many of them; kind: "message" (apdu holds it), "ack", "nak" or "damaged", with the key of
# its text in the tables' "zvt_error" and what fills it
Piece = namedtuple("Piece", "at size kind apdu framed key fields", defaults=(None, False, None, None))


def split(data):
    """[Piece] of all the bytes, in order."""
    if data and len(data) < 3 and all(byte in _ANSWERS for byte in data):
        return _framed(data)
    bare = _bare(data)
    if _BEGIN not in data:
        return bare
    framed = _framed(data)
    return framed if _unread(framed) <= _unread(bare) else bare


def _unread(pieces):
    return sum(piece.size for piece in pieces if piece.kind == "damaged" or (piece.apdu and not _reads(piece.apdu)))


def _reads(apdu):
    try:
        return all(name != "data" for name, _ in messages.read(apdu).fields)
    except ApduError:
        return False


# ---- frames ----


def _framed(data):
    pieces, at = [], 0
    while at < len(data):
        if data[at : at + 2] == _BEGIN:
            pieces.append(_frame(data, at))
        elif data[at] in _ANSWERS:
            pieces.append(Piece(at, 1, "ack" if data[at] == ACK else "nak"))
        else:
            pieces.append(_noise(data, at))
        at += pieces[-1].size
    return pieces


def _noise(data, at):
    """Up to the next frame and the answers right before it."""
    end = data.find(_BEGIN, at + 1)
    end = len(data) if end < 0 else end
    while end - 1 > at and data[end - 1] in _ANSWERS:
        end -= 1
    return _damaged(at, end, "noise", n=end - at)


def _damaged(at, end, key, **fields):
    return Piece(at, end - at, "damaged", None, False, key, fields)


def _frame(data, at):
    apdu, here = b"", at + 2
    while True:
        found = data.find(b"\x10", here)
        if found < 0 or found + 1 >= len(data):
            return _damaged(at, len(data), "frame_cut")
        apdu += data[here:found]
        sign, here = data[found + 1], found + 2
        if sign == 0x10:
            apdu += b"\x10"
        elif sign == 0x02:
            return _damaged(at, found, "frame_anew")
        elif sign == 0x03:
            break
        else:
            end = data.find(_BEGIN, here)
            return _damaged(at, len(data) if end < 0 else end, "frame_stray")
    if here + 2 > len(data):
        return _damaged(at, len(data), "frame_cut")
    have, want = data[here] | data[here + 1] << 8, crc16(b"\x03", crc16(apdu))
    if have != want:
        return _damaged(at, here + 2, "checksum", have=f"{have:04X}", want=f"{want:04X}")
    return Piece(at, here + 2 - at, "message", apdu, True)


# ---- bare APDUs ----


def _bare(data):
    pieces, at = [], 0
    while at < len(data):
        size, have = _size(data, at), len(data) - at
        if size is not None and size <= have and (_known(data, at) or _goes_on(data, at + size)):
            pieces.append(Piece(at, size, "message", data[at : at + size]))
        else:
            end = _next(data, at + 1)
            if _known(data, at) and size is not None:
                head = 5 if data[at + 2] == 0xFF else 3
                pieces.append(_damaged(at, end, "overrun", size=size - head, have=have - head))
            elif _known(data, at):
                pieces.append(_damaged(at, end, "the APDU is cut"))
            else:
                pieces.append(_damaged(at, end, "no_message", n=end - at))
        at += pieces[-1].size
    return pieces


def _known(data, at):
    """True where a command of the papers begins."""
    if at + 1 >= len(data):
        return False
    return data[at] << 8 | data[at + 1] in messages.COMMANDS or data[at] == 0x84


def _size(data, at):
    """Bytes of the APDU that begins there, None if its length is not there."""
    head = data[at + 2 : at + 5]
    if head[:1] != b"\xff":
        return 3 + head[0] if head else None
    return 5 + (head[1] | head[2] << 8) if len(head) == 3 else None


def _goes_on(data, at):
    return at == len(data) or _known(data, at)


def _next(data, at):
    """Where the next message begins: one of the papers that can be read, and something known, or the end, behind it. One of
    more than some kilobytes is no message there, but damage that looks like one."""
    while at < len(data):
        size = _size(data, at) if _known(data, at) else None
        if (
            size
            and size <= _LARGE
            and at + size <= len(data)
            and _goes_on(data, at + size)
            and _reads(data[at : at + size])
        ):
            return at
        at += 1
    return at
