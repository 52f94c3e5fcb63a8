"""ZVT messages whole: an APDU <-> its command and its fields by name. For tools of a laptop; a board reads the few fields it
needs with apdu.py.

Source: PA00P015 rev. 13. Reading keeps what it finds in its order, and writing gives the same bytes again wherever the paper
knows one way to write them. Where it knows two, the shorter one is written: a length below 255 that came as FF and two bytes,
and a TLV length that came with more bytes than it needs.

Card data do not come through: of a number in clear the last four digits are left, and what holds a track or a card number in
a TLV is a Struck, which cannot be written. A number that is masked by six digits or more stays as it came.
"""

from dataclasses import dataclass
from dataclasses import field as attribute

from .apdu import ApduError, bcd, bitmap, card_digits, cut, from_bcd, pack, read_f_nibbles, unpack, unpack_tlv
from .compose import f_nibbles, pack_bitmap, pack_tlv

COMPLETION, ABORT, STATUS_ENQUIRY, PRINT_LINE = 0x060F, 0x061E, 0x0501, 0x06D1
ALL_RECEIPTS = 0xFFFF  # receipt number FF FF: every open pre-authorisation (06 23), or that there is none (06 1E)
_WRONG_CURRENCY = 0x6F
_MASKED = 6  # digits at least: fewer are found again with the check digit and some patience

# Bitmaps of commands a board never sees, as in apdu.BITMAPS: (name, length, kind)
_MORE = {
    0x2E: ("sync_chip_data", -3, "x"),
    0x3A: ("card_verification", 2, "x"),
    0x70: ("image_request", 4, "b"),
    0x71: ("image_size", 4, "b"),
    0x72: ("image_type", 1, "b"),
    0x73: ("image_encoding", 1, "b"),
    0x74: ("image_chunks", 1, "b"),
    0x75: ("image_chunk", 1, "b"),
    0x9A: ("geldkarte_record", -3, "x"),
    0xA7: ("ef_id", -2, "x"),
    0xAF: ("ef_info", -3, "x"),
    0xD0: ("key_algorithm", 1, "b"),
    0xD1: ("pin_data", -2, "x"),
    0xD2: ("output_direction", 1, "b"),
    0xD3: ("dukpt_key", 1, "b"),
    0xE0: ("input_minimum", 1, "b"),
    **{0xE0 + line: (f"second_line_{line}", -2, "t") for line in range(1, 9)},
    0xE9: ("input_maximum", 1, "b"),
    0xEA: ("input_echo", 1, "b"),
    0xEB: ("text_mac", 8, "b"),
    0xF0: ("display_seconds", 1, "b"),
    **{0xF0 + line: (f"line_{line}", -2, "t") for line in range(1, 9)},
    0xF9: ("beeps", 1, "b"),
    0xFA: ("reader_activation", 1, "b"),
    0xFB: ("confirm_with_ok", 1, "b"),
    0xFC: ("dialog_control", 1, "b"),
    0xFD: ("display_device", 1, "b"),
}
_RENAMED = {"password": "bitmap_password"}  # a password that a command begins with has no bitmap

# TLV tags that hold a card number or a track: of ZVT, and of EMV where a terminal sends its card's own
_CARD_TAGS = {0x1F08, 0x1F09, 0x1F0A, 0x1F1A, 0x1F3E, 0x56, 0x57, 0x5A, 0x9F1F, 0x9F20, 0x9F6B}
_SECRET_TAGS = {0x80, 0x1F31, 0x1F5C, 0x1F5D, 0x1F74, 0x1F75}  # PINs, keys, passwords

_PASSWORD = ("password", 3, "n")
_CURRENCY = ("currency_code", 2, "n")

# command: (name, what it must begin with, what may follow, all or nothing); then come bitmaps
COMMANDS = {
    0x0401: ("set_clock", (), ()),
    0x040D: ("input_request", None, ()),
    0x040E: ("menu_request", None, ()),
    0x040F: ("status_information", (), ()),
    0x04FF: ("intermediate_status", (("step", 1, "b"),), (("t4_minutes", 1, "n"),)),
    0x0501: ("status_enquiry", (), (_PASSWORD,)),
    0x0600: ("registration", (_PASSWORD, ("config", 1, "b")), (_CURRENCY,)),
    0x0601: ("sale", (), ()),
    0x0602: ("log_off", (), ()),
    0x0603: ("balance", None, ()),
    0x0604: ("activate_card", None, ()),
    0x0605: ("procurement", None, ()),
    0x0609: ("top_up", None, ()),
    0x060C: ("book_tip", None, ()),
    0x060F: ("completion", (), ()),
    0x0610: ("send_turnover", (_PASSWORD,), ()),
    0x0612: ("print_turnover", (_PASSWORD,), ()),
    0x0618: ("reset", (), ()),
    0x061A: ("print_configuration", (), ()),
    0x061B: ("set_terminal_id", (_PASSWORD,), ()),
    0x061E: ("abort", (), (("code", 1, "b"),)),
    0x0620: ("repeat_receipt", (_PASSWORD,), ()),
    0x0621: ("telephone_sale", (), ()),
    0x0622: ("reservation", (), ()),
    0x0623: ("partial_reversal", (), ()),
    0x0624: ("book_total", (), ()),
    0x0625: ("reservation_reversal", (), ()),
    0x0630: ("reversal", (_PASSWORD,), ()),
    0x0631: ("refund", (_PASSWORD,), ()),
    0x0650: ("end_of_day", (_PASSWORD,), ()),
    0x0651: ("send_offline", None, ()),
    0x0652: ("partial_end_of_day", None, ()),
    0x0670: ("diagnosis", (), (_PASSWORD,)),
    0x0679: ("self_test", None, ()),
    0x0685: ("show_text", None, ()),
    0x0686: ("show_text_number", None, ()),
    0x0687: ("check_pin", None, ()),
    0x0688: ("show_text_key", None, ()),
    0x0691: ("set_terminal_clock", None, ()),
    0x0693: ("initialisation", (_PASSWORD,), ()),
    0x0695: ("change_password", None, ()),
    0x06B0: ("abort_by_till", (), ()),
    0x06C0: ("read_card", (("card_seconds", 1, "b"),), ()),
    0x06C5: ("close_card", None, ()),
    0x06C6: ("card_commands", None, ()),
    0x06D1: ("print_line", (), ()),
    0x06D3: ("print_block", (), ()),
    0x06D8: ("dial", None, ()),
    0x06D9: ("send_dialled", None, ()),
    0x06DA: ("receive_dialled", None, ()),
    0x06DB: ("hang_up", None, ()),
    0x06E0: ("show_text", (), ()),
    0x06E1: ("show_text_key", (), ()),
    0x06E2: ("show_text_number", (), ()),
    0x06E3: ("check_pin", None, ()),
    0x06E4: ("blocked_list", None, ()),
    0x06F0: ("show_image", None, ()),
    0x0810: ("software_update", None, ()),
    0x0830: ("language", (("language", 1, "b"),), ()),
    0x0840: ("line_speed", None, ()),
    0x8000: ("accepted", (), ()),
}
_REFUSED = ("refused", (), ())  # 84 xx, the code in the command
_UNKNOWN = ("unknown", None, ())


@dataclass(frozen=True)
class Struck:
    """Card data or a secret that was left out as it was read."""

    size: int  # bytes


@dataclass
class Message:
    """fields: [(name, value)] in the order of the bytes. A value is an int (packed BCD and single bytes), bytes, a text with
    one character for each byte (Latin-1: terminals send several code pages, so none is guessed), a card number with * for
    each digit that is not told, a list of (tag, value) for TLV, or a Struck. "data": what is not looked into."""

    command: int
    fields: list = attribute(default_factory=list)

    @property
    def name(self):
        return _layout(self.command)[0]

    def get(self, name, other=None):
        """The first value of that name."""
        return dict(reversed(self.fields)).get(name, other)


def _layout(command):
    return COMMANDS.get(command) or (_REFUSED if command >> 8 == 0x84 else _UNKNOWN)


# ---- bytes -> values ----


def read(apdu, answers=None):
    """The Message of one whole APDU; ApduError with the offset in it where it does not follow the paper.

    `answers`: the command that a completion ends. The one of 05 01 has a version and a status byte, any other bitmaps; where
    the command is not known bitmaps are believed first."""
    return readings(apdu, answers)[0]


def readings(apdu, answers=None):
    """All Messages that the APDU may be, the likelier one first: two at most, of a completion whose command is not known."""
    apdu = bytes(apdu)
    command, data = unpack(apdu)
    start = len(apdu) - len(data)
    if command != COMPLETION:
        return [Message(command, _fields(command, apdu, start))]
    ways = (_status,) if answers == STATUS_ENQUIRY else (_bitmaps,) if answers is not None else (_bitmaps, _status)
    found, wrong = [], []
    for way in ways:
        try:
            found.append(Message(command, way(apdu, start)))
        except ApduError as error:
            wrong.append(error)
    if not found:
        raise wrong[-1 if data[:1] >= b"\xf0" else 0]  # a version begins so
    return found


def _fields(command, apdu, at):
    _, must, may = _layout(command)
    if must is None:
        return [("data", apdu[at:])] if at < len(apdu) else []
    if command == PRINT_LINE:
        return _print_line(apdu, at)
    fields, at = _begin(apdu, at, must, "%s is missing")
    try:
        more, behind = _begin(apdu, at, may, "%s is cut")
        if command == ABORT and more == [("code", _WRONG_CURRENCY)]:
            try:
                currency, after = _begin(apdu, behind, (_CURRENCY,), "%s is cut")
                return more + currency + _bitmaps(apdu, after)
            except ApduError:
                pass  # it tells no currency
        return fields + more + _bitmaps(apdu, behind)
    except ApduError as error:
        try:
            return fields + _bitmaps(apdu, at)
        except ApduError:
            raise error from None


def _begin(apdu, at, parts, missing):
    """([(name, value)], offset behind) of what has no bitmap."""
    fields = []
    for name, size, kind in parts:
        if at + size > len(apdu):
            raise ApduError("offset %d: %s" % (at, missing % name))
        value = apdu[at : at + size]
        fields.append((name, from_bcd(value, at) if kind == "n" else value[0]))
        at += size
    return fields, at


def _known(number):
    row = bitmap(number) or _MORE.get(number)
    return row and (_RENAMED.get(row[0], row[0]), *row[1:])


def _bitmaps(apdu, at):
    fields = []
    while at < len(apdu):
        name, fixed, kind, start, end = cut(apdu, at, _known)
        fields.append((name, _value(name, fixed, kind, apdu[start:end], start)))
        at = end
    return fields


def _value(name, fixed, kind, value, start):
    if kind == "n":
        return ALL_RECEIPTS if name == "receipt" and value == b"\xff\xff" else from_bcd(value, start)
    if kind == "t":
        return value.decode("latin-1")
    if kind == "p":
        return _card(value, start)
    if kind == "x":
        return Struck(len(value))
    if fixed == 0:
        return _without_cards(unpack_tlv(value, start))
    return value[0] if fixed == 1 else value


def _card(value, start):
    digits = card_digits(value)
    if digits.strip("0123456789E"):
        raise ApduError("offset %d: no card number" % start)
    if digits.count("E") < _MASKED:
        digits = "E" * (len(digits) - 4) + digits[-4:]
    return digits.replace("E", "*")


def _without_cards(items):
    hidden = _CARD_TAGS | _SECRET_TAGS
    return [
        (tag, _without_cards(value) if isinstance(value, list) else Struck(len(value)) if tag in hidden else value)
        for tag, value in items
    ]


def _status(apdu, at):
    fields = []
    if [byte >> 4 for byte in apdu[at : at + 2]] == [15, 15]:
        start, size = read_f_nibbles(apdu, at, 3)
        at = start + size
        fields.append(("version", apdu[start:at].decode("latin-1")))
    if at >= len(apdu):
        raise ApduError("offset %d: no status byte" % min(at, len(apdu)))
    return [*fields, ("status", apdu[at]), *_bitmaps(apdu, at + 1)]


def _print_line(apdu, at):
    """Attribute byte, text, and of some terminals a TLV container behind it."""
    if at == len(apdu):
        return []
    fields, rest = [("attribute", apdu[at])], apdu[at + 1 :]
    for place in range(len(rest)):
        if rest[place] == 0x06:
            try:
                tlv = _bitmaps(apdu, at + 1 + place)
            except ApduError:
                continue
            if len(tlv) == 1:
                return [*fields, ("line", rest[:place].decode("latin-1")), *tlv]
    return [*fields, ("line", rest.decode("latin-1"))]


# ---- values -> bytes ----


def write(message):
    """The APDU of a Message; ApduError where it cannot be written so."""
    fields = list(message.fields)
    _, must, may = _layout(message.command)
    try:
        if must is None:
            data = b"".join(value for _, value in fields)
        elif message.command == PRINT_LINE:
            data = _raw_line(fields)
        elif message.command == COMPLETION and fields and fields[0][0] in ("version", "status"):
            data = _raw_status(fields)
        else:
            data = _raw_begin(fields, must, True) + _raw_begin(fields, may, False)
            if message.command == ABORT and data == bytes((_WRONG_CURRENCY,)):
                data += _raw_begin(fields, (_CURRENCY,), False)
            data += _raw_bitmaps(fields)
        return pack(message.command, data)
    except ApduError:
        raise
    except (ValueError, TypeError, AttributeError, IndexError) as error:
        raise ApduError("%s cannot be written: %s" % (message.name, error)) from None


def _raw_begin(fields, parts, needed):
    data = b""
    for name, size, kind in parts:
        if not fields or fields[0][0] != name:
            if needed:
                raise ApduError("%s is missing" % name)
            return data
        value = fields.pop(0)[1]
        data += bcd(value, size) if kind == "n" else bytes((value,))
    return data


_NUMBERS = {row[0]: (number, *row[1:]) for number in range(256) if (row := _known(number))}


def _raw_bitmaps(fields):
    data = b""
    for name, value in fields:
        if name not in _NUMBERS:
            raise ApduError("no bitmap is called %s" % name)
        number, length, kind = _NUMBERS[name]
        data += pack_bitmap(number, length, _raw_value(name, length, kind, value))
    return data


def _raw_value(name, length, kind, value):
    if isinstance(value, Struck):
        raise ApduError("%s was struck out and cannot be written" % name)
    if kind == "n":
        return b"\xff\xff" if name == "receipt" and value == ALL_RECEIPTS else bcd(value, length)
    if kind == "t":
        return value.encode("latin-1")
    if kind == "p":
        digits = value.replace("*", "E")
        return bytes.fromhex(digits + "F" * (len(digits) & 1))
    if length == 0:
        return pack_tlv(_unstruck(value))
    return bytes((value,)) if length == 1 else bytes(value)


def _unstruck(items):
    for tag, value in items:
        if isinstance(value, Struck):
            raise ApduError("tag %X was struck out and cannot be written" % tag)
        if isinstance(value, list):
            _unstruck(value)
    return items


def _raw_status(fields):
    data = b""
    if fields[0][0] == "version":
        version = fields.pop(0)[1].encode("latin-1")
        data = f_nibbles(len(version), 3) + version
    if not fields or fields[0][0] != "status":
        raise ApduError("status is missing")
    return data + bytes((fields.pop(0)[1],)) + _raw_bitmaps(fields)


def _raw_line(fields):
    if not fields:
        return b""
    data = _raw_begin(fields, (("attribute", 1, "b"),), True)
    if not fields or fields[0][0] != "line":
        raise ApduError("line is missing")
    return data + fields.pop(0)[1].encode("latin-1") + _raw_bitmaps(fields)
