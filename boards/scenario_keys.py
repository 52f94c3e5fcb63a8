"""The keys of scenario files, declared once, and how a value is read. docs/scenarios.md says what they mean.

A line is "section key kind …", `-` the file itself. A key that ends in `!` must be there. A kind that ends in `~` may be a
trace of such values: [[from_ms, value], …].
"""

import datetime
import difflib
from decimal import Decimal

_KEYS = """
- title text
- base text
- remove texts
- now now
- for number 0 600
- policy_state number 1 4
- rules open
hardware power number~ 0 65535
hardware battery number~ 0 100
hardware temperature number~ -60 125
hardware network table~ network
hardware reset_reason text
network link number 0 1
network address number 0 1
network host_ms number -1 60000
network dns number 0 1
network tls number 0 1
network signal number 0 100
terminal silent flag~
terminal code number~ 0 255
terminal locks number~ 0 65535
terminal state number~ 0 255
terminal version text~
terminal model text~
terminal terminal_id text~
terminal registered flag~
terminal offline number~ 0 65535
terminal battery_percent number~ 0 100
terminal temperature_c number~ -60 125
terminal receipt number~ 1 9999
terminal frames number~ 0 1000000
terminal errors number~ 0 1000000
terminal currencies numbers
terminal outcome table outcome
outcome accepted flag
outcome code number 0 255
sale receipt! number 1 9999
sale amount! money
sale trace number 0 999999
sale currency text
sale card digits 4
sale ago ago
sale at moment
refund receipt! number 1 9999
refund amount! money
refund currency text
refund state choice REQUESTED SENT APPROVED DECLINED IN_DOUBT NOT_EXECUTED
refund key text 36
refund code code
refund wrong number 0 1
refund scheme text 16
refund ago ago
refund at moment
attest what! text
attest receipt number 1 9999
attest value number 0 999999999999
attest amount money
attest currency text
attest by text 24
attest role text 24
attest text text 80
attest key text 36
attest ago ago
attest at moment
try who! text 24
try count number 1 20
try ago ago
try at moment
journal boots number 0 1000
journal crashes number 0 1000
journal filled number 0 10000
journal damaged flag
journal ago ago
since requests number 0 10000
since reference_ahead_s number -4000000000 4000000000
since facts open
request receipt! number 1 9999
request amount! money
request currency text
request key text
request operator text
request sale_amount money
request sale_date day
request card digits 4
request scheme text
request settled flag
request expiry number 0 9912
expect verdict choice GO WARN HOLD BLOCK
expect found causes
expect unknown causes
expect missing text
"""
LISTS = ("sale", "refund", "attest", "try")  # sections that are lists of tables
TABLES = ("hardware", "terminal", "journal", "since", "request", "expect")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _declared():
    sections = {}
    for line in _KEYS.strip().split("\n"):
        section, key, kind, *more = line.split()
        sections.setdefault(section, {})[key.rstrip("!")] = (key.endswith("!"), kind, more)
    for section in LISTS + TABLES:
        sections["-"][section] = (False, "open", [])
    return sections


SECTIONS = _declared()


class Wrong(Exception):
    """A scenario that cannot be read; the text says what is wrong with it, and where."""


def read(section, table, where):
    """{key: value} of a section's table, each value as its kind gives it. Wrong: the first thing that is not right."""
    if not isinstance(table, dict):
        raise Wrong(f"{where}: a table is needed")
    known = SECTIONS[section]
    found = {}
    for key, value in table.items():
        place = f"{where}.{key}" if where else key
        if key not in known:
            near = difflib.get_close_matches(key.lower(), known, n=1)
            hint = f"did you mean {near[0]}?" if near else "there are " + ", ".join(known)
            raise Wrong(f"{place}: there is no such key; {hint}")
        _, kind, more = known[key]
        try:
            found[key] = _read(kind, value, more, place)
        except ValueError as error:
            raise Wrong(f"{place}: {error}") from None
    for key, (needed, _, _) in known.items():
        if needed and key not in found:
            raise Wrong(f"{where}: {key} is missing")
    return found


def _read(kind, value, more, where):
    if kind.endswith("~"):
        kind = kind[:-1]
        if isinstance(value, list):
            return _trace(kind, value, more, where)
    if kind == "table":
        return read(more[0], value, where)
    return _KINDS[kind](value, *more)


def _trace(kind, steps, more, where):
    trace = []
    for step in steps:
        if not isinstance(step, list) or len(step) != 2 or not _whole(step[0]) or step[0] < 0:
            raise ValueError("a trace is [[from_ms, value], …]")
        if trace and step[0] <= trace[-1][0]:
            raise ValueError("a trace must rise in time")
        trace.append([step[0], _read(kind, step[1], more, where)])
    if not trace or trace[0][0]:
        raise ValueError("a trace must begin at 0 ms")
    return trace


def _whole(value):
    return isinstance(value, int) and not isinstance(value, bool)


def _number(value, low, high):
    if not _whole(value) or not int(low) <= value <= int(high):
        raise ValueError(f"a whole number from {low} to {high} is needed")
    return value


def _numbers(value):
    if not isinstance(value, dict) or not all(_whole(one) and 0 < one < 1000 for one in value.values()):
        raise ValueError("letters of currencies and their numbers are needed, like { EUR = 978 }")
    return value


def _flag(value):
    if not isinstance(value, bool):
        raise ValueError("true or false is needed")
    return value


def _text(value, most=200):
    if (
        not isinstance(value, str)
        or not 0 < len(value.encode("utf-8", "replace")) <= int(most)
        or not value.isprintable()
    ):
        raise ValueError(f"a text of at most {most} bytes is needed")
    return value


def _texts(value):
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError("a list of texts is needed")
    return value


def _digits(value, count):
    if not isinstance(value, str) or len(value) != int(count) or not (value.isascii() and value.isdigit()):
        raise ValueError(f"a text of {count} digits is needed")
    return value


def _choice(value, *words):
    if not isinstance(value, str) or value.upper() not in words:
        raise ValueError(f"one of {', '.join(words)} is needed")
    return value.upper()


def _code(value):
    """A result code: a number of the terminal, or a text of its host."""
    return _text(value, 24) if isinstance(value, str) else _number(value, 0, 255)


def _causes(value):
    if not isinstance(value, list) or not all(_whole(one) and 0 < one <= 60 for one in value):
        raise ValueError("a list of causes, 1 to 60, is needed")
    return value


def _money(value):
    """Major units as they are written; whoever knows the currency makes minor units of it."""
    if not _whole(value) and not isinstance(value, Decimal):
        raise ValueError("an amount like 12.34 is needed")
    return value


def _ago(value):
    """Seconds; None: never, at a time when the clock was not set."""
    if value == "never":
        return None
    if not isinstance(value, str) or value[-1:] not in tuple(_UNITS) or not value[:-1].isdecimal() or len(value) > 10:
        raise ValueError('a number and s, m, h or d is needed, like "90s", or "never"')
    return int(value[:-1]) * _UNITS[value[-1]]


def _moment(value):
    """Unix seconds."""
    if not isinstance(value, datetime.datetime) or value.tzinfo is None or not 1970 < value.year < 2106:
        raise ValueError("a moment like 2026-11-24T10:00:00Z is needed")
    return int(value.timestamp())


def _now(value):
    return None if value == "never" else _moment(value)


def _day(value):
    """YYYYMMDD."""
    if isinstance(value, datetime.datetime) or not isinstance(value, datetime.date):
        raise ValueError("a date like 2026-11-20 is needed")
    return value.year * 10000 + value.month * 100 + value.day


_KINDS = {
    "number": _number,
    "numbers": _numbers,
    "flag": _flag,
    "text": _text,
    "texts": _texts,
    "digits": _digits,
    "choice": _choice,
    "code": _code,
    "causes": _causes,
    "money": _money,
    "ago": _ago,
    "moment": _moment,
    "now": _now,
    "day": _day,
    "open": lambda value: value,
}
