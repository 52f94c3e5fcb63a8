"""Scripts of the simulated terminal: TOML that says what it is, what it has in its store, and what happens at which command.

docs/terminal.md describes the format. What is to happen is written in the commands of the console (console.py).
"""

import dataclasses
import datetime
import difflib
import re
import tomllib
from decimal import Decimal

from .behaviour import COMMANDS, Behaviour
from .console import Console, Quit
from .rules import Rule, commands_called
from .settings import LOCKS, Faults, Settings, masked
from .turnover import LAST_RECEIPT, LAST_TRACE, Seed, TurnoverStore

_CURRENCIES = {"CHF": 756, "GBP": 826, "USD": 840, "EUR": 978}
_MOST_AMOUNT = 10**12  # BMP 04 has twelve digits

# section -> the keys it may have
_KEYS = {
    "": ("do", "terminal", "state", "sale", "refund", "on"),
    "terminal": ("model", "version", "serial", "currency", "terminal_id", "password", "card"),
    "state": ("status", "locks", "refuse", "device_state", "supply_mv"),
    "sale": ("amount", "receipt", "trace", "currency", "card", "date", "days_ago", "result"),
    "refund": ("amount", "receipt", "trace", "currency", "card", "date", "days_ago", "result"),
    "on": ("command", "nth", "do"),
}
_LISTS = ("sale", "refund", "on")


class ScriptError(Exception):
    """A script that cannot be used; the text says where and why, in one line."""


@dataclasses.dataclass(frozen=True)
class Script:
    """`settings`: fields of Settings it sets. `turnovers`: keys of each seed, oldest first; None where the script has none.
    `do`: console commands to begin with. `rules`: see rules.py."""

    settings: dict
    turnovers: list | None
    do: list
    rules: list

    def seeds(self, settings):
        """What a new store begins with; None where the script does not say."""
        if self.turnovers is None:
            return None
        seeds, receipt, trace = [], 0, 0
        for told in self.turnovers:
            receipt = told.get("receipt", receipt % LAST_RECEIPT + 1)
            trace = told.get("trace", trace % LAST_TRACE + 1)
            currency, card = told.get("currency", settings.currency), told.get("card", settings.masked_card)
            when, result = told["when"], told.get("result", 0)
            seeds.append(Seed(told["kind"], told["amount"], currency, card, when, receipt, trace, result))
        return seeds


EMPTY = Script({}, None, [], [])


def read(path):
    """The Script of a file. ScriptError."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        told = tomllib.loads(text, parse_float=Decimal)
    except OSError as error:
        raise ScriptError("%s: cannot be read: %s" % (path, error.strerror)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ScriptError("%s: %s" % (path, error)) from None
    try:
        return _Reader(told).script()
    except _Wrong as wrong:
        line = _line_of(text, wrong.place)
        where = "%s:%d" % (path, line) if line else str(path)
        raise ScriptError("%s: %s" % (where, wrong)) from None


class _Wrong(Exception):
    """`place`: (section, number of the table in its list or 0, key or None)."""

    def __init__(self, place, text):
        section, number, key = place
        names = [name for name in (section + (" %d" % number if number else ""), key) if name]
        super().__init__("%s: %s" % (".".join(names), text))
        self.place = place


def _line_of(text, place):
    """The line of that key, or of the head of its table; 0 where it is not written plainly enough to be found."""
    wanted, key_wanted = place[:2], place[2]
    at, head, counts = ("", 0), 0, {}
    for line, content in enumerate(text.splitlines(), 1):
        opened = re.match(r"\s*(\[\[?)\s*([\w-]+)\s*\]", content)
        if opened:
            counts[opened[2]] = counts.get(opened[2], 0) + 1
            at = (opened[2], counts[opened[2]] if opened[1] == "[[" else 0)
            if at == wanted:
                head = line
        key = re.match(r"""\s*["']?([\w-]+)["']?\s*=""", content)
        name = key[1] if key and at == wanted else opened[2] if opened and wanted == ("", 0) else None
        if name is not None and name == key_wanted:
            return line
    return head


class _Reader:
    def __init__(self, told):
        self._told = told
        # where commands are tried out: on a terminal that nobody sees
        settings, faults = Settings(), Faults()
        store = TurnoverStore(":memory:")
        self._rehearsal = Console(Behaviour(store, settings, faults), store, settings, faults)

    def script(self):
        told = self._told
        self._known(("", 0), told)
        for section in ("terminal", "state"):
            if not isinstance(told.get(section, {}), dict):
                raise _Wrong(("", 0, section), "a table is needed, [%s]" % section)
        for section in _LISTS:
            rows = told.get(section, [])
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise _Wrong(("", 0, section), "a list of tables is needed, [[%s]]" % section)
        settings = self._settings(told.get("terminal", {}))
        do = self._state(told.get("state", {})) + self._commands(("", 0, "do"), told.get("do", []))
        turnovers = [
            self._turnover((kind, number), kind, row)
            for kind in ("sale", "refund")
            for number, row in enumerate(told.get(kind, []), 1)
        ]
        turnovers.sort(key=lambda turnover: turnover["when"])
        rules = [self._rule(("on", number), row) for number, row in enumerate(told.get("on", []), 1)]
        return Script(settings, turnovers if "sale" in told or "refund" in told else None, do, rules)

    def _known(self, where, table):
        known = _KEYS[where[0]]
        for key in table:
            if key not in known:
                near = difflib.get_close_matches(key.lower(), known, n=1)
                hint = "did you mean %s?" % near[0] if near else "there are " + ", ".join(known)
                raise _Wrong((*where, key), "there is no such key; " + hint)

    def _settings(self, table):
        where = ("terminal", 0)
        self._known(where, table)
        settings = {}
        for key, value in table.items():
            if key == "currency":
                value = self._currency((*where, key), value)
            elif key in ("model", "version", "card"):
                if not isinstance(value, str):
                    raise _Wrong((*where, key), "a text is needed, in quotation marks")
            elif isinstance(value, str) and value.isdecimal():
                value = int(value)  # numbers whose leading zeros somebody wants to see
            elif not _is_number(value):
                raise _Wrong((*where, key), "a number is needed")
            try:
                Settings(**{key: value})
            except ValueError as error:
                raise _Wrong((*where, key), str(error)) from None
            settings[key] = value
        return settings

    def _state(self, table):
        """As console commands."""
        where = ("state", 0)
        self._known(where, table)
        do = []
        for key, value in table.items():
            place = (*where, key)
            if key == "locks":
                if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
                    raise _Wrong(place, "a list of locks is needed")
                for name in value:
                    if name not in LOCKS:
                        near = difflib.get_close_matches(name, LOCKS, n=1)
                        hint = "did you mean %s?" % near[0] if near else "there are " + ", ".join(LOCKS)
                        raise _Wrong(place, "there is no lock %s; %s" % (name, hint))
                command = "lock " + " ".join(value or ["none"])
            elif key == "refuse":
                if not isinstance(value, bool):
                    raise _Wrong(place, "true or false is needed")
                command = "locks " + ("refuse" if value else "report")
            elif key == "status":
                if not isinstance(value, str):
                    raise _Wrong(place, 'a code is two hex digits in quotation marks, "9C"')
                command = "status " + value
            else:
                if not _is_number(value):
                    raise _Wrong(place, "a number is needed")
                command = ("sag %d" if key == "supply_mv" else "device_state %d") % value
            do += self._commands(place, [command])
        return do

    def _commands(self, place, value):
        """The console commands of a `do`, tried out."""
        commands = [value] if isinstance(value, str) else value
        if not isinstance(commands, list) or not all(isinstance(one, str) for one in commands):
            raise _Wrong(place, "a command or a list of commands is needed")
        for command in commands:
            try:
                answer = self._rehearsal.answer(command)
            except Quit:
                answer = "error a script cannot quit"
            if answer.startswith("error "):
                raise _Wrong(place, "%s: %s" % (command or "nothing", answer[6:]))
        return [" ".join(command.split()) for command in commands]

    def _turnover(self, where, kind, row):
        self._known(where, row)
        if "amount" not in row:
            raise _Wrong((*where, None), "amount is missing")
        if "date" in row and "days_ago" in row:
            raise _Wrong((*where, "days_ago"), "either date or days_ago")
        told = {"kind": kind, "amount": self._amount((*where, "amount"), row["amount"])}
        for key, most in (("receipt", LAST_RECEIPT), ("trace", LAST_TRACE)):
            if key in row:
                if not _is_number(row[key]) or not 1 <= row[key] <= most:
                    raise _Wrong((*where, key), "a number from 1 to %d is needed" % most)
                told[key] = row[key]
        if "currency" in row:
            told["currency"] = self._currency((*where, "currency"), row["currency"])
        if "card" in row:
            told["card"] = self._card((*where, "card"), row["card"])
        if "result" in row:
            told["result"] = self._code((*where, "result"), row["result"])
        told["when"] = self._when(where, row)
        return told

    def _amount(self, place, value):
        finite = _is_number(value) or (isinstance(value, Decimal) and value.is_finite())
        if not finite or value * 100 != int(value * 100):
            raise _Wrong(place, "an amount like 12.34 is needed")
        if not 0 < value * 100 < _MOST_AMOUNT:
            raise _Wrong(place, "amount out of range")
        return int(value * 100)

    def _currency(self, place, value):
        if isinstance(value, str) and value.upper() in _CURRENCIES:
            return _CURRENCIES[value.upper()]
        if not _is_number(value) or not 0 < value < 1000:
            raise _Wrong(place, "a number of ISO 4217 is needed, or one of " + ", ".join(_CURRENCIES))
        return value

    def _card(self, place, value):
        text = value if isinstance(value, str) else ""
        if not re.fullmatch(r"\d{6}[\d*]{2,9}\d{4}", text):
            raise _Wrong(place, "12 to 19 digits are needed, those between the first six and the last four may be *")
        return masked(text)

    def _code(self, place, value):
        if not isinstance(value, str) or not re.fullmatch("[0-9A-Fa-f]{2}", value):
            raise _Wrong(place, 'a code is two hex digits in quotation marks, "05"')
        return int(value, 16)

    def _when(self, where, row):
        """Local time, as a terminal prints it."""
        if "date" not in row:
            days = row.get("days_ago", 1)
            if not _is_number(days) or not 0 <= days <= 36500:
                raise _Wrong((*where, "days_ago"), "a number from 0 to 36500 is needed")
            day = datetime.date.today() - datetime.timedelta(days=days)
            return datetime.datetime.combine(day, datetime.time(12))
        value = row["date"]
        if isinstance(value, datetime.datetime):
            return value.astimezone().replace(tzinfo=None) if value.tzinfo else value
        if isinstance(value, datetime.date):
            return datetime.datetime.combine(value, datetime.time(12))
        raise _Wrong((*where, "date"), "a date is needed, 2026-11-24 or 2026-11-24T10:00:00, without quotation marks")

    def _rule(self, where, row):
        self._known(where, row)
        for key in ("command", "do"):
            if key not in row:
                raise _Wrong((*where, None), key + " is missing")
        name, nth = row["command"], row.get("nth")
        if not isinstance(name, str):
            raise _Wrong((*where, "command"), "the name of a command is needed")
        try:
            commands = commands_called(name)
        except ValueError as error:
            known = ["any", "payment", *COMMANDS]
            near = difflib.get_close_matches(name.lower(), known, n=1)
            hint = "did you mean %s?" % near[0] if near else "there are " + ", ".join(known)
            raise _Wrong((*where, "command"), "%s; %s" % (error, hint)) from None
        if nth is not None and (not _is_number(nth) or nth < 1):
            raise _Wrong((*where, "nth"), "a number from 1 on is needed")
        do = self._commands((*where, "do"), row["do"])
        title = "%s %d" % (name, nth) if nth else "each %s" % name
        return Rule(commands, nth, tuple(do), title)


def _is_number(value):
    return isinstance(value, int) and not isinstance(value, bool)
