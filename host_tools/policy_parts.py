"""A policy in parts that have a place in its source: what `show` lists and `diff` compares, in the words of the source."""

from collections import namedtuple
from datetime import UTC, datetime
from decimal import Decimal

from firmware_agent.wire import messages

from . import measures, money, policy_layout, policy_pin, policy_values
from .policy_layout import ANY, CHOICES, DAYS, DEFAULT, KEYS, NAMED, ONE, PLACES, SECTIONS

# section; row: what tells its rows apart, "" where it has none; key: "" where the row itself is all there is to it; value: as
# on the wire; currency: of money.
Part = namedtuple("Part", "section row key value currency")

# What a row is told by; it is no part of its own.
_TOLD_BY = {
    "scheme": ("name",),
    "role": ("name",),
    "person": ("name",),
    "rate": ("currency", "date"),
    "sale": ("receipt", "date"),
    "dispute": ("receipt", "date"),
    "chargeback": ("receipt", "date"),
}
_DAY_MIN = 24 * 60


def parts(contents):
    """[Part, …] in the order of the source."""
    found = []
    for section, (shape, become, table) in SECTIONS.items():
        if shape == ONE:
            rows = [contents.rules]
        elif shape == KEYS:
            rows = [_by_key(section, contents.rules.get(become))]
        elif section == "maintenance":
            found += [Part(section, hours(row), "", row, None) for row in contents.rules.get(become, ())]
            continue
        elif section == "person":
            rows = [_person(*row) for row in contents.people]
        elif isinstance(become, int):
            names = [field[1] for field in messages.fields(table)]
            rows = [dict(zip(names, row, strict=True)) for row in contents[become]]
        else:
            rows = contents.rules.get(become, ())
        for fields in rows:
            found += _of_row(section, shape, fields, contents.rules.get("currency"))
    return found


def _of_row(section, shape, fields, currency):
    told_by = _TOLD_BY.get(section, ())
    row = " ".join(day(fields[key]) if key == "date" else measures.clean(fields[key]) for key in told_by)
    if section == "sale":
        currency = fields["currency"]
        told_by += ("currency",)  # stands beside its amount
    places = {key: place for key, place in PLACES[section].items() if not place.aid and key not in told_by}
    for key in fields if shape == KEYS else places:
        value = fields[key] if shape == KEYS else fields.get(places[key].name)
        if value is not None:
            yield Part(section, row, key, value, currency)
    if told_by and not places:  # a chargeback is there or not
        yield Part(section, row, "", True, None)


def text(part):
    """The value as a person writes it, with its unit where that is not in the name."""
    value, kind = part.value, _kind(part)
    if not part.key:
        return part.row
    if kind == "money":
        return _money(value, part.currency)
    if kind in ("moment", "until"):
        return moment(value)
    if kind == "date":
        return day(value)
    if kind == "flag":
        return "true" if value else "false"
    if kind == "choice":
        where = (part.section, None if SECTIONS[part.section][0] == KEYS else part.key)
        return next((name for name, number in CHOICES[where].items() if number == value), str(value))
    if kind == "texts":
        return ", ".join(map(measures.clean, value))
    if kind == "ratio":
        return f"{Decimal(value).scaleb(-6).normalize():f}"
    if kind == "cause":
        return _cause(value)
    if kind == "hex":
        return "****" if value else "-"
    return f"{value:,}" if kind == "number" and part.key not in ("version", "receipt") else measures.clean(value)


def header(section, row=""):
    """How it stands in the source."""
    if SECTIONS[section][0] == NAMED:
        name = ANY[0] if section == "scheme" and row == ANY[1] else row
        return f"[{section}.{measures.clean(name)}]"
    return policy_layout.title(section)


def has_name(section):
    """True where the header says the row's name."""
    return SECTIONS[section][0] == NAMED


def day(number):
    return f"{number // 10000:04}-{number // 100 % 100:02}-{number % 100:02}"


def moment(seconds):
    """2026-01-31 08:00 UTC."""
    form = "%Y-%m-%d %H:%M:%S UTC" if seconds % 60 else "%Y-%m-%d %H:%M UTC"
    return datetime.fromtimestamp(seconds, UTC).strftime(form)


def hours(window):
    """A WINDOW in words: mon tue 18:00-20:30 UTC."""
    if window.get("days") is not None:
        days = " ".join(name for at, name in enumerate(DAYS) if window["days"] >> at & 1)
        begin, end = window.get("begin_min", 0), window.get("end_min", _DAY_MIN)
        return f"{days} {begin // 60:02}:{begin % 60:02}-{end // 60:02}:{end % 60:02} UTC"
    return f"{moment(window.get('begin', 0))} - {moment(window.get('end', policy_values.LATEST))}"


def _kind(part):
    if part.section == "codes":
        return "cause"
    if part.section in ("unknown", "found"):
        return "choice"
    return PLACES[part.section][part.key].kind if part.key else None


def _by_key(section, value):
    if section == "codes":
        return {row["code"]: row["cause"] for row in value or ()}
    return {DEFAULT if number == 0 else _cause(number): counts for number, counts in sorted((value or {}).items())}


def _cause(number):
    row = policy_values.catalogue().get(number)
    return row.key if row else str(number)


def _person(name, role, trained, *pin):
    has_pin = tuple(pin) != policy_pin.NONE
    return {"name": name, "role": role, "trained_until": trained or None, "pin": b"".join(pin) if has_pin else None}


def _money(value, currency):
    try:
        return money.show(value, currency)
    except (ValueError, TypeError):
        return str(value)
