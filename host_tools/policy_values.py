"""One setting of a policy's source: what a person writes -> the value on the wire. Pure; policy_layout.py names the kinds."""

import difflib
import re
from binascii import unhexlify
from collections import namedtuple
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal

from firmware_agent import causes

from . import money
from .policy_layout import CHOICES, DAYS

LATEST = 0xFFFFFFFF  # Unix seconds that fit into a field
_TYPES = {"number": int, "flag": bool, "text": str, "texts": list}
_DIGITS_MOST = 18  # in front of the point; what is longer is out of every range, and slow to compute with
_DECIMALS_MOST = 20

# What values are read by. offset: tzinfo of times without their own; currency: code of money, None where none was named, ""
# where it was wrong and that was reported.
Frame = namedtuple("Frame", "offset currency")


class Wrong(Exception):
    """What is wrong with a value: `says` names the text, None if it was reported already; `fields` fill it."""

    def __init__(self, says, **fields):
        super().__init__(says)
        self.says = says
        self.fields = fields


def nearest(word, words):
    """The word nearest to what somebody wrote, None if none is near."""
    return next(iter(difflib.get_close_matches(word.lower(), list(words), n=1, cutoff=0.6)), None)


def read(place, value, frame):
    """The value of a setting on the wire; Wrong says what it should have been. Hours of maintenance are left as they are."""
    wanted = _TYPES.get(place.kind)
    if wanted is None:
        return _READERS[place.kind](place, value, frame)
    if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
        raise Wrong("need_" + place.kind, low=place.low, high=place.high)
    if place.kind == "number" and not place.low <= value <= place.high:
        raise Wrong("bad_range", low=place.low, high=place.high)
    if place.kind == "text" and not place.aid:
        text(value, place.low, place.high)
    elif place.kind == "texts":
        _texts(place, value)
    return value


def text(value, low, high):
    if not value.strip() or not value.isprintable():
        raise Wrong("bad_text")
    if not low <= len(value.encode()) <= high:
        raise Wrong("bad_length" if low < high else "bad_exact_length", low=low, high=high)
    return value


def choice(where, value):
    """`where`: key of CHOICES."""
    choices = CHOICES[where]
    if not isinstance(value, str) or value not in choices:
        near = nearest(value, choices) if isinstance(value, str) else None
        raise Wrong("need_choice", choices=list(choices), nearest=near)
    return choices[value]


def offset(value):
    """ "+08:00" as a tzinfo."""
    found = re.fullmatch("([+-])([01][0-9]):([0-5][0-9])", value) if isinstance(value, str) else None
    if not found:
        raise Wrong("need_offset")
    size = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return timezone(-size if found[1] == "-" else size)


def currency(value):
    if not isinstance(value, str):
        raise Wrong("need_currency")
    if value not in money.DIGITS:
        try:
            near = money.currency(value)
        except money.WrongUsage as wrong:
            near = wrong.fields["nearest"]
        raise Wrong("bad_currency", nearest=near)
    return value


def cause(value, catalogue, others=()):
    """The number of a cause that is given by its number or key. `others`: further words that may stand there."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise Wrong("need_cause")
    if re.fullmatch("[0-9]{1,3}", value):
        if int(value) not in catalogue:
            raise Wrong("no_such_cause", high=max(catalogue))
        return int(value)
    numbers = {row.key: row.number for row in catalogue.values()}
    if value not in numbers:
        raise Wrong("unknown_cause", nearest=nearest(value, [*numbers, *others]))
    return numbers[value]


def catalogue():
    return {row.number: row for row in causes.every_cause()}


def moment(value, frame, until=False):
    """Unix seconds of a date or a date-time; `until`: a date counts to its end."""
    if not isinstance(value, date):  # a date-time is one
        raise Wrong("need_moment")
    if not isinstance(value, datetime):
        if until and value == date.max:
            raise Wrong("bad_moment")
        value = datetime.combine(value + timedelta(until), time())
    value = value.replace(tzinfo=value.tzinfo or frame.offset)
    seconds = int((value - datetime(1970, 1, 1, tzinfo=timezone.utc)).total_seconds())  # noqa: UP017
    if not 0 <= seconds <= LATEST:
        raise Wrong("bad_moment")
    return seconds


def _texts(place, value):
    if not all(isinstance(item, str) for item in value):
        raise Wrong("need_texts", low=place.low, high=place.high)
    if not all(item.strip() and item.isprintable() for item in value):
        raise Wrong("bad_text")
    if len(set(value)) < len(value):
        raise Wrong("twice_in_list")
    if not place.low <= len(value) <= place.high:
        raise Wrong("bad_count", low=place.low, high=place.high)


def _money(place, value, frame):
    amount = _decimal(value, "need_money")
    if not frame.currency:
        raise Wrong("no_currency" if frame.currency is None else None)
    digits = money.DIGITS[frame.currency]
    minor = amount.scaleb(digits) if amount.adjusted() < _DIGITS_MOST else amount
    if not place.low <= minor <= place.high:
        low, high = (money.show(bound, frame.currency) for bound in (place.low, place.high))
        raise Wrong("bad_money", low=low, high=high)
    if minor != int(minor):
        raise Wrong("bad_decimals", currency=frame.currency, digits=digits)
    return int(minor)


def _ratio(place, value, frame):
    ratio = _decimal(value, "need_ratio")
    low, high = Decimal(place.low).scaleb(-6), Decimal(place.high).scaleb(-6)
    if not low <= ratio <= high:
        raise Wrong("bad_range", low=f"{low:f}", high=f"{high:f}")
    if ratio.scaleb(6) != int(ratio.scaleb(6)):
        raise Wrong("bad_ratio_decimals")
    return int(ratio.scaleb(6))


def _decimal(value, says):
    if isinstance(value, float):
        value = Decimal(str(value))
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise Wrong(says)
    value = Decimal(value)
    if not value.is_finite() or value.as_tuple().exponent < -_DECIMALS_MOST:
        raise Wrong(says)
    return value


def _date(place, value, frame):
    if not isinstance(value, date) or isinstance(value, datetime):
        raise Wrong("need_date")
    number = value.year * 10000 + value.month * 100 + value.day
    if number < place.low:
        raise Wrong("bad_date")
    return number


def _hex(place, value, frame):
    digits = 2 * place.high
    if not isinstance(value, str) or not re.fullmatch("[0-9a-fA-F]*", value) or len(value) != digits:
        raise Wrong("bad_hex", digits=digits)
    return unhexlify(value)


def _days(place, value, frame):
    if not isinstance(value, list) or not value or not all(isinstance(day, str) for day in value):
        raise Wrong("need_days", nearest=None)
    for day in value:
        if day not in DAYS:
            raise Wrong("need_days", nearest=nearest(day[:3], DAYS))
    if len(set(value)) < len(value):
        raise Wrong("twice_in_list")
    return [DAYS.index(day) for day in value]


def _window(place, value, frame):
    if not isinstance(value, (time, datetime)):
        raise Wrong("need_window")
    return value


_READERS = {
    "choice": lambda place, value, frame: choice((place.section, place.key), value),
    "money": _money,
    "moment": lambda place, value, frame: moment(value, frame),
    "until": lambda place, value, frame: moment(value, frame, until=True),
    "date": _date,
    "ratio": _ratio,
    "hex": _hex,
    "offset": lambda place, value, frame: offset(value),
    "days": _days,
    "window": _window,
}
