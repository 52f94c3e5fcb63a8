"""One line of text for each APDU: in words, and its bytes in hex with every card number struck out."""

from hal.terminals.zvt import apdu

_NAMES = {
    0x0600: "registration",
    0x0601: "sale",
    0x0602: "log-off",
    0x0610: "turnover totals",
    0x0618: "reset",
    0x061A: "system information",
    0x0623: "pre-authorisations",
    0x06C0: "read card",
    0x06E0: "display text",
    0x0830: "language",
    0x0401: "date and time",
    0x060F: "completion",
    0x061E: "abort",
    0x0620: "repeat receipt",
    0x0630: "reversal",
    0x0631: "refund",
    0x0650: "end of day",
    0x0670: "diagnosis",
    0x0693: "initialisation",
    0x06B0: "abort",
    0x06D1: "print line",
    0x06D3: "print block",
    0x0501: "status enquiry",
    0x040F: "status information",
    0x04FF: "intermediate status",
    0x8000: "accepted",
}
_BITMAPS_FROM = {0x0601: 0, 0x0630: 3, 0x0631: 3, 0x040F: 0}  # the other commands carry no card
_CURRENCIES = {756: "CHF", 826: "GBP", 840: "USD", 978: "EUR"}


class Log:
    """`write(line)` takes each line."""

    def __init__(self, write):
        self._write = write

    def came(self, message):
        self._write("<- " + describe(message))

    def goes(self, message):
        self._write("-> " + describe(message))

    def note(self, text):
        self._write("-- " + text)


def describe(message):
    """`06 31 refund 12.34 EUR [06 31 0E 00 00 00 04 ...]`; what cannot be read is shown by its first bytes alone."""
    try:
        command, data = apdu.unpack(message)
    except apdu.ApduError as error:
        return "%s not an APDU (%s)" % (_hex(message[:3]), error)
    words = [_hex(message[:2]), _NAMES.get(command, "refused" if command >> 8 == 0x84 else "unknown")]
    if command == 0x061E and data:
        words.append("%02X" % data[0])
    start = _BITMAPS_FROM.get(command)
    if start is None:
        # a till may write a card number into a text
        known = (command in _NAMES and command != 0x06E0) or command >> 8 == 0x84
        return "%s [%s]" % (" ".join(words), _hex(message) if known else _hex(message[:3]) + " ..")
    try:
        words += _money(apdu.unpack_bitmaps(data[start:]))
    except apdu.ApduError as error:
        return "%s [%s ..] (%s)" % (" ".join(words), _hex(message[:3]), error)
    head = len(message) - len(data) + start
    return "%s [%s]" % (" ".join(words), _hex(message[:head]) + _struck_out(message[head:]))


def _money(fields):
    words = []
    if "result_code" in fields:
        words.append("result %02X" % fields["result_code"])
    if "receipt" in fields:
        words.append("receipt %d" % fields["receipt"])
    if "amount" in fields:
        currency = fields.get("currency", "")
        amount = "%d.%02d %s" % (fields["amount"] // 100, fields["amount"] % 100, _CURRENCIES.get(currency, currency))
        words.append(amount.strip())
    return words


def _struck_out(data):
    """The hex of bitmaps the codec has read before; card numbers, tracks, and all from a TLV container on, as dots."""
    text, offset = "", 0
    while offset < len(data):
        if data[offset] == 0x06:
            return text + " 06 .."
        _, _, kind, _, end = apdu.cut(data, offset)
        text += " " + ("%02X .." % data[offset] if kind in "px" else _hex(data[offset:end]))
        offset = end
    return text


def _hex(data):
    return bytes(data).hex(" ").upper()
