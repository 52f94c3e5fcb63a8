"""What happens at the n-th command: rules of a script, carried out as console commands when their command comes."""

import dataclasses

from .behaviour import COMMANDS
from .till_line import is_answer

PAYMENTS = ("sale", "reversal", "refund")
# These spoil the line: they are done when the command arrives, so that they hit the command itself. The others wait until
# it is carried out, so that they hit no command before it.
_ON_ARRIVAL = ("silent", "nak", "die received")


@dataclasses.dataclass(frozen=True)
class Rule:
    """`commands`: numbers of the commands it is for, None for all. `nth`: of them, counted from 1; None for each."""

    commands: frozenset | None
    nth: int | None
    do: tuple
    title: str  # for the log


def commands_called(name):
    """Numbers of the commands a script may call so, None for all; ValueError if there are none."""
    if name == "any":
        return None
    if name == "payment":
        return frozenset(COMMANDS[kind] for kind in PAYMENTS)
    if name in COMMANDS:
        return frozenset((COMMANDS[name],))
    digits = name.replace(" ", "")
    if len(digits) == 4 and all(digit in "0123456789abcdefABCDEF" for digit in digits):
        return frozenset((int(digits, 16),))
    raise ValueError("there is no command " + name)


class _Counted:
    """One rule at one of its two moments: counts its commands, fires once (or each time, without nth)."""

    def __init__(self, rule, do):
        self.rule = rule
        self.do = do
        self.seen = 0
        self.fired = False

    def matches(self, apdu):
        return self.rule.commands is None or int.from_bytes(apdu[:2], "big") in self.rule.commands

    def due(self, apdu):
        """True where this, the next one to be counted, is the command it waits for."""
        if not self.matches(apdu) or not self.do or self.rule.nth not in (None, self.seen + 1):
            return False
        was, self.fired = self.fired, True
        return self.rule.nth is None or not was

    def count(self, apdu):
        self.seen += self.matches(apdu)


class Rules:
    """`console` (console.py) does the commands; `log` says so."""

    def __init__(self, rules, console, log):
        self._console = console
        self._log = log
        self._arriving = [_Counted(rule, [one for one in rule.do if one.startswith(_ON_ARRIVAL)]) for rule in rules]
        self._beginning = [
            _Counted(rule, [one for one in rule.do if not one.startswith(_ON_ARRIVAL)]) for rule in rules
        ]

    def arrives(self, apdu):
        """A message came whole; it is not taken in yet."""
        if not is_answer(apdu):
            self._do(self._arriving, apdu)

    def taken(self, apdu):
        """A message was taken in."""
        if not is_answer(apdu):
            for counted in self._arriving:
                counted.count(apdu)

    def begins(self, apdu):
        """A command is carried out now."""
        self._do(self._beginning, apdu)
        for counted in self._beginning:
            counted.count(apdu)

    def _do(self, all_counted, apdu):
        for counted in all_counted:
            if counted.due(apdu):
                for command in counted.do:
                    self._log.note("%s: %s" % (counted.rule.title, self._console.answer(command)))
