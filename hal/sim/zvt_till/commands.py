"""What somebody asks the till to do: one line of text -> a Command."""

import dataclasses

MONEY = ("sale", "refund", "void")
PLAIN = ("status", "last", "end-of-day", "diagnosis", "initialise", "log-off", "abort")
_MOST = 10**12  # BMP 04 has twelve digits


class Wrong(ValueError):
    """The text is no command; it says why in one line."""


@dataclasses.dataclass(frozen=True)
class Command:
    text: str
    name: str
    amount: int | None = None  # minor units
    receipt: int | None = None


def parse(text):
    """sale 12.34 · refund 12.34 · void RECEIPT [AMOUNT] · one of PLAIN."""
    words = text.split()
    name, given = (words[0], words[1:]) if words else ("", [])
    text = " ".join(words)
    if name in ("sale", "refund") and len(given) == 1:
        return Command(text, name, amount=_amount(given[0]))
    if name == "void" and len(given) in (1, 2):
        if not given[0].isdecimal() or not 0 < int(given[0]) < 10000:
            raise Wrong("a receipt is a number from 1 to 9999, not " + given[0])
        return Command(text, name, _amount(given[1]) if len(given) == 2 else None, int(given[0]))
    if name in PLAIN and not given:
        return Command(text, name)
    raise Wrong(
        "%s is no command; there are sale AMOUNT, refund AMOUNT, void RECEIPT [AMOUNT], %s" % (text, ", ".join(PLAIN))
    )


def _amount(text):
    units, point, cents = text.partition(".")
    if not units.isdecimal() or (point and not (cents.isdecimal() and len(cents) == 2)):
        raise Wrong("an amount is like 12.34, not " + text)
    amount = int(units) * 100 + int(cents or 0)
    if not 0 < amount < _MOST:
        raise Wrong("an amount is from 0.01 to 9999999999.99, not " + text)
    return amount


def money(amount, currency):
    return "%d.%02d %s" % (amount // 100, amount % 100, currency)
