"""The commands of whoever stages a scene with the simulated terminal: one line of text in, one line out.

Codes are two hex digits. `ok ...` says what is now so; `error ...` says what was wrong, and nothing has changed.
"""

import inspect
import json

from .settings import LOCKS, Said, is_text
from .turnover import LAST_RECEIPT

_DEATHS = ("before-execute", "after-execute", "after-status", "after-ack")
_LONGEST_MS = 600_000  # ten minutes: longer than any T4 (180 s) a till waits
_MOST_LINES = 1000  # of a receipt


class Quit(Exception):
    """Somebody said `quit`."""


def listing(store):
    """The store as one JSON document."""
    return json.dumps({"turnovers": [turnover.listed() for turnover in store.all()]})


class Console:
    def __init__(self, behaviour, store, settings, faults):
        self._behaviour = behaviour
        self._store = store
        self._settings = settings
        self._faults = faults
        self._commands = {name[4:]: getattr(self, name) for name in dir(self) if name.startswith("_do_")}

    def answer(self, line):
        """The answer to one line, `ok ...` or `error ...`. Quit for `quit`."""
        words = line.split()
        if not words or words[0] not in self._commands:
            return "error unknown command; known: " + " ".join(sorted(self._commands))
        command = self._commands[words[0]]
        try:
            inspect.signature(command).bind(*words[1:])
        except TypeError:
            return "error wrong number of words after " + words[0]
        try:
            return "ok " + (command(*words[1:]) or " ".join(words))
        except ValueError as error:
            return "error %s" % error

    def _do_status(self, code):
        self._faults.status = _code(code)

    def _do_lock(self, *names):
        unknown = [name for name in names if name not in LOCKS and name != "none"]
        if unknown or not names:
            raise ValueError("lock takes none or some of: " + " ".join(LOCKS))
        self._faults.locks = frozenset(names) - {"none"}

    def _do_device_state(self, state):
        self._faults.device_state = _number(state, 0, 3)

    def _do_sag(self, millivolts):
        self._faults.supply_mv = None if millivolts == "off" else _number(millivolts, 0, 65535)

    def _do_slow(self, milliseconds):
        self._faults.host_ms = _number(milliseconds, 0, _LONGEST_MS)

    def _do_card(self, milliseconds):
        self._faults.card_ms = _number(milliseconds, 0, _LONGEST_MS)

    def _do_locks(self, what):
        if what not in ("refuse", "report"):
            raise ValueError("locks takes refuse or report")
        self._faults.locks_refuse = what == "refuse"

    def _do_t4(self, minutes):
        self._faults.t4_minutes = None if minutes == "off" else _number(minutes, 0, 99)

    def _do_key(self, milliseconds):
        self._faults.key_ms = None if milliseconds == "off" else _number(milliseconds, 0, _LONGEST_MS)

    def _do_decline(self, code, *more):
        self._faults.decline = _said(code, more, 1)

    def _do_abort(self, code, *more):
        self._faults.abort = _said(code, more, 1)

    def _do_negative(self, code, always=None):
        if always not in (None, "always"):
            raise ValueError("negative takes off, or a code and perhaps always")
        self._faults.negative = _said(code, ("always",) if always else (), 0)

    def _do_late(self, how="all"):
        if how not in ("all", "rest", "off"):
            raise ValueError("late takes all, rest or off")
        self._faults.late = None if how == "off" else how

    def _do_silent(self, messages):
        self._faults.silent = _many(messages)

    def _do_nak(self, frames):
        self._faults.nak = _many(frames)

    def _do_crc(self, frames):
        self._faults.crc = _number(frames)

    def _do_length(self, messages):
        self._faults.length = _number(messages)

    def _do_die(self, point, count=None):
        counts = {"in": "die_bytes", "message": "die_messages", "received": "die_received"}
        if point in counts and count is not None:
            setattr(self._faults, counts[point], _number(count, 1))
        elif point == "never" and count is None:
            self._faults.die = None
            for name in counts.values():
                setattr(self._faults, name, 0)
        elif point in _DEATHS and count in (None, "exit"):
            self._faults.die = point
        else:
            raise ValueError("die takes never, %s, or in, message or received and a number" % ", ".join(_DEATHS))

    def _do_sale(self, amount):
        units, _, cents = amount.replace(",", ".").partition(".")
        if not units.isdecimal() or not (cents or "00").isdecimal() or len(cents) not in (0, 2):
            raise ValueError("sale takes an amount like 12.34")
        total = int(units) * 100 + int(cents or 0)
        if not 0 < total < 10**12:
            raise ValueError("amount out of range")
        return "receipt %d" % self._behaviour.key_in_sale(total).receipt

    def _do_receipt(self, number):
        self._store.set_next_receipt(_number(number, 1, LAST_RECEIPT))

    def _do_pan(self, *where):
        places = {"clear": "card", "track": "track", "tlv": "tlv"}
        if where != ("masked",) and not (where and set(where) <= set(places)):
            raise ValueError("pan takes masked or some of: " + " ".join(places))
        self._settings.clear = frozenset(places[word] for word in where if word in places)

    def _do_receipt_lines(self, number):
        self._settings.receipt_lines = _number(number, 0, _MOST_LINES)

    def _do_version(self, text):
        if not is_text(text):
            raise ValueError("a version is ASCII, at most 40 characters")
        self._settings.version = text

    def _do_model(self, text):
        if not is_text(text):
            raise ValueError("a model is ASCII, at most 40 characters")
        self._settings.model = text

    def _do_help(self):
        return "commands: " + " ".join(sorted(self._commands)) + " (docs/terminal.md explains them)"

    def _do_list(self):
        return listing(self._store)

    def _do_quit(self):
        raise Quit


def _code(text, least=0):
    try:
        code = int(text, 16)
    except ValueError:
        code = -1
    if len(text) != 2 or code < least:
        raise ValueError("a code is two hex digits from %02X to FF" % least)
    return code


def _said(code, more, least):
    """Of `CODE [always] [TEXT …]` or `off`."""
    if code == "off" and not more:
        return None
    always = more[:1] == ("always",)
    text = " ".join(more[always:])
    if not is_text(text):
        raise ValueError("a text is ASCII, at most 40 characters")
    return Said(_code(code, least), always, text)


def _many(text):
    """A number, on (no end of them) or off."""
    words = {"on": float("inf"), "off": 0}
    return words[text] if text in words else _number(text)


def _number(text, least=0, most=1_000_000):
    if not text.isdecimal() or not least <= int(text) <= most:
        raise ValueError("a number from %d to %d is needed, not %s" % (least, most, text))
    return int(text)
