"""The commands of whoever stages a scene with the simulated terminal: one line of text in, one line out.

Codes are two hex digits. `ok ...` says what is now so; `error ...` says what was wrong, and nothing has changed.
"""

import inspect
import json

from .settings import LOCKS, is_text
from .turnover import LAST_RECEIPT

_DEATHS = ("before-execute", "after-execute", "after-status", "after-ack")
_LONGEST_MS = 600_000  # ten minutes: longer than any T4 (180 s) a till waits


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

    def _do_decline(self, code, always=None):
        if always not in (None, "always"):
            raise ValueError("decline takes off, or a code and perhaps always")
        self._faults.decline = _code_or_off(code, 1)
        self._faults.decline_always = always is not None

    def _do_abort(self, code):
        self._faults.abort = _code_or_off(code, 1)

    def _do_negative(self, code):
        self._faults.negative = _code_or_off(code)

    def _do_silent(self, frames):
        words = {"on": float("inf"), "off": 0}
        self._faults.silent = words[frames] if frames in words else _number(frames)

    def _do_nak(self, frames):
        self._faults.nak = _number(frames)

    def _do_die(self, point, how="exit"):
        if point not in _DEATHS + ("never",) or how != "exit":
            raise ValueError("die takes never or one of: " + " ".join(_DEATHS))
        self._faults.die = None if point == "never" else point

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

    def _do_pan(self, how):
        if how not in ("clear", "masked"):
            raise ValueError("pan takes clear or masked")
        self._settings.pan_clear = how == "clear"

    def _do_version(self, text):
        if not is_text(text):
            raise ValueError("a version is ASCII, at most 40 characters")
        self._settings.version = text

    def _do_model(self, text):
        if not is_text(text):
            raise ValueError("a model is ASCII, at most 40 characters")
        self._settings.model = text

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


def _code_or_off(text, least=0):
    return None if text == "off" else _code(text, least)


def _number(text, least=0, most=1_000_000):
    if not text.isdecimal() or not least <= int(text) <= most:
        raise ValueError("a number from %d to %d is needed, not %s" % (least, most, text))
    return int(text)
