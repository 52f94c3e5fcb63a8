"""A refund request from the options as typed: every one checked here, before anything is sent."""

import re
import secrets
import time
from datetime import date

from firmware_agent.wire import errors, messages, pan

from . import money
from .failures import WrongUsage

_NEEDED = ("receipt", "amount", "currency")
_BOUNDS = {name: (low, high) for _, name, _, _, low, high in messages.fields(messages.REFUND_REQUEST)}


def new_key():
    """r- and 16 hex digits: 64 random bits, no two alike in the life of a fleet. Never one that an agent would take
    for a card number."""
    while True:
        key = "r-" + secrets.token_hex(8)
        if not pan.looks_like_pan(key):
            return key


def clock():
    """{"wall_s": this computer's clock}, which the agent holds its own against; {} if it cannot be right."""
    now = int(time.time())
    low, high = _BOUNDS["wall_s"]
    return {"wall_s": now} if low <= now <= high else {}


def request(options):
    """{option: text or None} -> {field: value} of REFUND_REQUEST. WrongUsage names the option, never its value."""
    missing = [_option(name) for name in _NEEDED if not options.get(name)]
    if missing:
        raise WrongUsage("missing_options", options=missing)
    currency = money.currency(options["currency"])
    fields = {
        "receipt": whole_number(options["receipt"], "--receipt", *_BOUNDS["receipt"]),
        "amount": money.parse(options["amount"], currency, "--amount"),
        "currency": currency,
    }
    if options.get("all"):
        fields["all"] = True
    if options.get("settled") is not None:
        fields["settled"] = options["settled"]
    for name, read in _OPTIONAL.items():
        text = options.get(name)
        if text is not None:
            fields[name] = read(text) if read else money.parse(text, currency, _option(name))
    try:
        return messages.unpack(messages.REFUND_REQUEST, messages.pack(messages.REFUND_REQUEST, fields))
    except errors.WireError as error:
        if error.name == "card_number":
            raise WrongUsage("card_number", option=_option(error.field))
        raise WrongUsage("bad_text", option=_option(error.field), high=_BOUNDS[error.field][1])


def attestation(table, options):
    """{option: text or None} -> {field: value} of a request by which somebody attests something. WrongUsage names the
    option."""
    bounds = {name: high for _, name, _, _, _, high in messages.fields(table)}
    words = [name for name in ("by", "role", "reason") if name in bounds]
    missing = [_option(name) for name in words if not options[name]]
    if missing:
        raise WrongUsage("missing_options", options=missing)
    fields = dict(options)
    for name in (*words, "text"):
        if fields.get(name) is not None:
            fields[name] = _printable(fields[name], _option(name), bounds[name])
    if "key" in fields:
        fields["key"] = key(fields["key"])
    try:
        return messages.unpack(table, messages.pack(table, fields))
    except errors.WireError as error:
        raise WrongUsage("card_number", option=_option(error.field))


def cause(text):
    """The number of a cause."""
    if not re.fullmatch("[0-9]{1,2}", text) or not 1 <= int(text) <= 60:
        raise WrongUsage("guide_no_cause")
    return int(text)


def receipt(text):
    """The receipt number of a sale."""
    return whole_number(text, "--receipt", *_BOUNDS["receipt"])


def known(text):
    """(number, digest) of a record that somebody noted down as NUMBER:DIGEST."""
    found = re.fullmatch("([0-9]{1,10}):([0-9a-fA-F]{16})", text)
    if not found:
        raise WrongUsage("bad_known")
    return int(found[1]), found[2].lower()


def key(text):
    """The key of a refund that somebody asked for, by whatever client."""
    return _printable(text, "KEY", _BOUNDS["key"][1])


def _option(name):
    return "--" + name.replace("_", "-")


def whole_number(text, option, low, high):
    """An integer in plain ASCII digits, `low` to `high`."""
    if not re.fullmatch("[0-9]{1,12}", text) or not low <= int(text) <= high:
        raise WrongUsage("bad_number", option=option, low=low, high=high)
    return int(text)


def seconds(text, option, low, high):
    """A number of seconds, fractions allowed."""
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,3})?", text) or not low <= float(text) <= high:
        raise WrongUsage("bad_seconds", option=option, low=low, high=high)
    return float(text)


def _day(text):
    try:
        if not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            raise ValueError
        day = date.fromisoformat(text)
    except ValueError:
        raise WrongUsage("bad_date", option="--sale-date")
    number = day.year * 10000 + day.month * 100 + day.day
    if number < _BOUNDS["sale_date"][0]:
        raise WrongUsage("bad_date", option="--sale-date")
    return number


def _card(text):
    if not re.fullmatch("[0-9]{4}", text):
        raise WrongUsage("bad_card")
    return text


def _name(text):
    return _printable(text, "--operator", _BOUNDS["operator"][1])


def _scheme(text):
    return _printable(text, "--scheme", _BOUNDS["scheme"][1])


def _expiry(text):
    found = re.fullmatch("20([0-9]{2})-(0[1-9]|1[0-2])", text)
    if not found:
        raise WrongUsage("bad_expiry")
    return int(found[1] + found[2])


def _printable(text, option, high):
    if not text.strip() or not text.isprintable() or len(text.encode()) > high:
        raise WrongUsage("bad_text", option=option, high=high)
    return text.strip()


def _key(text):
    if not re.fullmatch("[A-Za-z0-9._:-]{1,36}", text):
        raise WrongUsage("bad_key")
    return text


_OPTIONAL = {
    "sale_amount": None,
    "sale_date": _day,
    "card": _card,
    "operator": _name,
    "scheme": _scheme,
    "expiry": _expiry,
    "key": _key,
}
