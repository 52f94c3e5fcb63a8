"""A field of a ZVT message -> its value for programs and its text for people."""

from hal.terminals.zvt import codes
from hal.terminals.zvt.messages import ALL_RECEIPTS, Struck

from . import measures, money, zvt_hide

_CARD_TYPES = {5: "girocard", 6: "Mastercard", 8: "American Express", 10: "VISA", 11: "VISA Electron", 12: "Diners"}
_CARD_TYPES |= {13: "V PAY", 14: "JCB", 46: "Maestro"}
_GROUPS = ("girocard", "JCB", "Eurocard", "American Express", "VISA", "Diners", None)  # of BMP 60; None: all others
_SECRET = ("password", "bitmap_password")
_NUMBERS = {"trace": 6, "original_trace": 6, "receipt": 4, "turnover": 6, "terminal_id": 8, "card_sequence": 1}
_CODES = ("code", "result_code", "status", "result_code_as")
_HEX = ("card_type_id", "language", "dialog_control")
_SECONDS = ("card_seconds", "display_seconds", "timeout")
_TAG_LISTS = {0x1F43: "states", 0x1F10: "verified", 0x1F12: "technology", 0x1F07: "receipt_for"}
_TAG_TEXTS = (0x07, 0x42, 0x44, 0x1F17, 0x1F40, 0x1F41, 0x1F62, 0x1F63, 0x1F23, 0x1F24)
_TAG_NUMBERS = (0x08, 0x1F2B, 0x1F42, 0x1F44, 0x1F73, 0x1F1F)  # decimals
_TAG_AMOUNTS = (0x1F0B, 0x1F25, 0x1F36)
_LONGEST = 0x1A  # message the sender takes, binary
_OFFICIAL = 0x43  # an application's number: long, and all decimals at times
_REMOVE = "0B"  # the step "remove the card", which bit 6 of others adds


class Reader:
    """Of one message: `command` is its name, `ended` the name of what a completion ends, `currency` its number or None."""

    def __init__(self, texts, message, ended=None):
        self._texts = texts
        self._command = message.name
        self._ended = ended
        number = message.get("currency", message.get("currency_code"))
        self._currency = money.LETTERS.get(number, None if number is None else str(number))

    def field(self, name, value):
        """(value for JSON, text)."""
        if isinstance(value, Struck):
            return None, self._say("hidden_bytes", n=value.size)
        if name in _SECRET:
            return None, self._say("hidden")
        if name == "card":
            last = value[-4:].rjust(len(value), "*")
            return last, last
        if name in self._words:
            return self._words[name](self, value)
        if name in _CODES:
            return value, self.code(value)
        if name in _NUMBERS:
            return value, f"{value:0{_NUMBERS[name]}}"
        if name in _SECONDS:
            return value, self._say("seconds", n=value) if value else self._say("unlimited")
        if name in _HEX:
            return value, f"{value:02X}"
        if isinstance(value, bytes):
            return self.bytes(value)
        if isinstance(value, str):
            value = clean(value)
        return value, str(value)

    def bytes(self, value):
        """Text where it is one, else hexadecimal; nothing where a card number is in it."""
        if zvt_hide.data(value):
            return None, self._say("hidden_bytes", n=len(value))
        plain = value.rstrip(b"\0")
        if plain and all(32 <= byte < 127 for byte in plain):
            return plain.decode(), plain.decode()
        return value.hex().upper(), value.hex(" ").upper()

    def code(self, value):
        """A code in words, with the cause it leads to."""
        key = f"{value:02X}"
        if not value:
            return f"{key} {self._texts('zvt_code', key)}"
        cause = codes.cause(value)
        if self._texts.has("zvt_code", key):
            words = self._texts("zvt_code", key)
        else:
            words = self._texts("zvt_code", "host" if value <= 0x63 else "none")
        words = f"{key} {words}"
        about = self._texts.cause(cause or 1)
        return self._texts("zvt_code", "cause", words=words, cause=cause or 1, name=about.name)

    def tag(self, tag, value):
        """(value, text) of a TLV that is no container."""
        if isinstance(value, Struck):
            return None, self._say("hidden_bytes", n=value.size)
        if tag == 0x1F55 and len(value) == 2:
            return value.hex().upper(), self._locks(value)
        if tag in _TAG_LISTS and len(value) == 1:
            names = self._texts("zvt_list", _TAG_LISTS[tag])
            return value[0], names[value[0]] if value[0] < len(names) else f"{value[0]:02X}"
        if tag == _OFFICIAL and value[:1] >= b"\xa0":  # those of payment begin so, and no card does
            return value.hex().upper(), value.hex().upper()
        if tag == 0x09 and len(value) == 1:
            return self._attribute(value[0])
        digits = value.hex()
        if zvt_hide.data(value) and tag not in _TAG_TEXTS:
            return None, self._say("hidden_bytes", n=len(value))
        if tag in _TAG_TEXTS:
            text = clean(value.decode("latin-1"))
            return text, text
        if digits.isdecimal() and tag in _TAG_NUMBERS:
            return int(digits), digits
        if digits.isdecimal() and tag in _TAG_AMOUNTS:
            return self._amount(int(digits))
        if tag == _LONGEST and len(value) <= 4:
            return int.from_bytes(value, "big"), str(int.from_bytes(value, "big"))
        return self.bytes(value)

    def tag_name(self, tag):
        key = f"{tag:02X}"
        return (
            self._texts("zvt_tag", key) if self._texts.has("zvt_tag", key) else self._texts("zvt_tag", "none", tag=key)
        )

    def _locks(self, value):
        bits = value[0] | value[1] << 8
        names = [name for place, name in enumerate(self._texts("zvt_list", "locks")) if bits >> place & 1]
        return self._texts.join(names) or self._say("no_locks")

    def _amount(self, value):
        return value, measures.amount(self._texts, value, self._currency)

    def _currency_code(self, value):
        return value, f"{value:03} {money.LETTERS.get(value, '')}".strip()

    def _time(self, value):
        return value, ":".join(_pairs(f"{value:06}"))

    def _date(self, value):
        return value, "-".join(_pairs(f"{value:04}"))

    def _expiry(self, value):
        return value, f"20{value // 100:02}-{value % 100:02}" if 1 <= value % 100 <= 12 else f"{value:04}"

    def _date_yymmdd(self, value):
        return value, "20" + "-".join(_pairs(f"{value:06}"))

    def _receipt(self, value):
        if value == ALL_RECEIPTS:
            return None, self._say("none_open" if self._command == "abort" else "all_open")
        return value, f"{value:04}"

    def _t4_minutes(self, value):
        return value, self._say("minutes", n=value) if value else "0"

    def _step(self, value):
        key = f"{value:02X}"
        if self._texts.has("zvt_step", key):
            return value, f"{key} {self._texts('zvt_step', key)}"
        base = f"{value & 0xBF:02X}"
        if value & 0x40 and value < 0x68 and self._texts.has("zvt_step", base):
            words = dict.fromkeys((self._texts("zvt_step", base), self._texts("zvt_step", _REMOVE)))
            return value, f"{key} {self._texts.join(words)}"
        return value, f"{key} {self._texts('zvt_step', 'none')}"

    def _config(self, value):
        return value, self._bits("config", value)

    def _service_byte(self, value):
        return value, self._bits(self._command, value)

    def _payment_type(self, value):
        registered = self._command == "completion" and self._ended in (None, "registration")
        return value, self._bits("registered", value) if registered else f"{value:02X}"

    def _bits(self, section, value):
        """The byte, and what its bits say as far as they are known."""
        known = self._texts("zvt_bits", section) if self._texts.has("zvt_bits", section) else {}
        words = self._texts.join(text for bit, text in known.items() if value & int(bit, 16))
        return f"{value:02X} {words}".strip()

    def _attribute(self, value):
        names = self._texts("zvt_bits", "attribute")
        if value == 0xFF:
            words = names["feed"]
        elif value > 0x80:
            words = names["last"]
        else:
            words = self._texts.join(names[bit] for bit in ("10", "20", "40") if value & int(bit, 16)) or names["plain"]
        return value, f"{value:02X} {words}"

    def _card_type(self, value):
        return value, f"{value:02X} {_CARD_TYPES.get(value, '')}".strip()

    def _totals(self, value):
        """Receipts, then count and amount of each group of cards; as bytes where they are not of that form."""
        groups = value[4:]
        digits = value[:4].hex() + "".join(groups[at + 1 : at + 7].hex() for at in range(0, len(groups), 7))
        if len(groups) % 7 or len(groups) // 7 > len(_GROUPS) or not digits.isdecimal():
            return self.bytes(value)
        found, told = [], [self._say("receipts", first=value[:2].hex(), last=value[2:4].hex())]
        for name, at in zip(_GROUPS, range(0, len(groups), 7), strict=False):
            count, minor = groups[at], int(groups[at + 1 : at + 7].hex())
            found.append({"cards": name or "others", "count": count, "amount": minor})
            if count or minor:
                amount = measures.amount(self._texts, minor, self._currency)
                told.append(self._say("group", name=name or self._say("others"), count=count, amount=amount))
        first, last = int(value[:2].hex()), int(value[2:4].hex())
        return {"first_receipt": first, "last_receipt": last, "groups": found}, "\n".join(told)

    def _say(self, key, **fields):
        return self._texts("zvt", key, **fields)

    _words = {  # noqa: RUF012 it never changes
        "amount": _amount,
        "attribute": _attribute,
        "card_type": _card_type,
        "config": _config,
        "currency": _currency_code,
        "currency_code": _currency_code,
        "date": _date,
        "date_yymmdd": _date_yymmdd,
        "expiry": _expiry,
        "payment_type": _payment_type,
        "receipt": _receipt,
        "service_byte": _service_byte,
        "step": _step,
        "t4_minutes": _t4_minutes,
        "time": _time,
        "totals": _totals,
    }


def clean(text):
    """What stood in one byte a sign, in the code page it most likely came in: 80 to 9F are letters in code page 437 alone."""
    page = "cp437" if any("\x80" <= sign <= "\x9f" for sign in text) else "latin-1"
    text = text.encode("latin-1").decode(page).rstrip("\0")
    return "".join(" " if sign in "\r\n\t" else sign if sign.isprintable() else "?" for sign in text)


def _pairs(digits):
    return [digits[at : at + 2] for at in range(0, len(digits), 2)]
