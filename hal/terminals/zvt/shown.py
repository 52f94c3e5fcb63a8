"""Texts that a terminal sends for display and printer, as characters that may be shown. Source: PA00P015, TLV."""

from . import apdu

_ERROR_TEXT = 0x1F17
_DISPLAY_TEXTS = 0x24
_TEXT_LINE = 0x07
_LONGEST_CLEAR = 11  # digits in a row that are shown: a card number has 12 to 19

_UMLAUTS = {0x84: "ä", 0x94: "ö", 0x81: "ü", 0x8E: "Ä", 0x99: "Ö", 0x9A: "Ü", 0xE1: "ß"}


def lines(items, tag):
    """The text lines (07) in the constructed `tag`."""
    inside = apdu.find_tlv(items, tag)
    return [readable(value) for found, value in inside if found == _TEXT_LINE] if isinstance(inside, list) else []


def shown(items):
    """The text for a display: extended error text (1F17) or display texts (24), lines parted by a line feed; "" for none."""
    text = apdu.find_tlv(items, _ERROR_TEXT)
    return readable(text) if text else "\n".join(lines(items, _DISPLAY_TEXTS))


def readable(value):
    """Text as a till shows it: UTF-8 where it is that, otherwise ASCII with the German letters of code page 437, "?" for any
    other. Card numbers are struck out but for their last four digits."""
    try:
        text = bytes(value).decode()
    except UnicodeError:
        text = "".join(chr(byte) if byte < 127 else _UMLAUTS.get(byte, "?") for byte in value)
    return _hidden("".join(sign for sign in text if sign >= " " or sign == "\n").rstrip())


def _hidden(text):
    out = run = ""
    for sign in text + "\n":
        if sign.isdigit() or (run and sign in " -" and not run.endswith((" ", "-"))):
            run += sign
            continue
        out += _struck_out(run) + sign
        run = ""
    return out[:-1]


def _struck_out(run):
    digits = len([sign for sign in run if sign.isdigit()])
    if digits <= _LONGEST_CLEAR:
        return run
    out = ""
    for sign in run:
        if sign.isdigit():
            out += sign if digits <= 4 else "*"
            digits -= 1
        else:
            out += sign
    return out
