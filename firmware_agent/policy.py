"""The rules that checks go by: those of the signed policy in force, or a board's own where it has some.

An UNKNOWN finding counts as WARN in the verdict, as HOLD where a refund could not succeed anyway, or as the policy says.
"""

from .wire import cbor
from .wire.lists import PEOPLE, SALES
from .wire.messages import HOLD, WARN

GOOD, ABSENT, DAMAGED, OLD, ELSEWHERE = 0, 1, 2, 3, 4  # states, as fact policy_state

_UNKNOWN = {1: HOLD}  # a terminal that does not answer can do no refund
_WEAKER = (8, 17)  # causes that the policy may make weaker than the catalogue does
_ROW = 160  # bytes of the longest row, with some to spare
_WINDOW = 256

# What holds where neither policy nor board say anything: how long readings and words count, and what no hardware stands.
_DEFAULTS = {
    "max_age_ms": 30000,  # three polls of the terminal went unanswered
    "code_window_s": 900,
    "duplicate_window_s": 86400,  # the same sale and amount is the same refund asked twice
    "max_line_errors": 5,
    "min_temperature": 0,
    "max_temperature": 50,
    "max_clock_drift_s": 120,
    "damage_days": 30,
    "details_days": 90,
    "account_days": 3,
    "lists_days": 3,
    "approval_s": 3600,
    "pin_tries": 5,
    "pin_rounds": 1000,
    "gate_repeat_s": 900,  # the same amount within so many seconds is taken for the same refund
}


class Policy:
    """`rules`: {name: value} as wire.rules.RULES unpacks. `state`: GOOD or what keeps a policy from being in force; then
    `rules` are only the board's. `read`(address, size): bytes of the payload's lists; `lists`: [(address, end, rows), …]."""

    digest = signer = None  # of the envelope it came in
    size = 0

    def __init__(self, rules, state=GOOD, read=None, lists=()):
        for name, value in _DEFAULTS.items():
            rules.setdefault(name, value)
        self.rules = rules
        self.get = rules.get  # the value of a rule, None if there is none
        self.state = state
        self._read = read
        self.lists = lists

    def unknown_is(self, cause):
        """PASS (accepted), WARN or HOLD."""
        told = self.rules.get("unknown") or _UNKNOWN
        if cause in told:
            return told[cause]
        return _UNKNOWN.get(cause, told[0] if 0 in told else WARN)

    def found(self, cause, status):
        """What a finding counts as."""
        told = (self.rules.get("found") or {}).get(cause, status)
        return told if told > status or cause in _WEAKER else status

    def cause_of(self, code, terminal):
        """The cause that a response code speaks of, 0 if no table lists it. `terminal`: Terminal port or None."""
        text = code if isinstance(code, str) else "%02X" % code
        for row in self.rules.get("codes") or ():
            if row["code"] == text:
                return row["cause"]
        return terminal.cause(code) if terminal else 0

    def _named(self, rule, name):
        for row in self.rules.get(rule) or ():
            if row["name"] == name:
                return row
        return {}

    def scheme(self, name):
        """The rules of a card scheme, {} if there are none."""
        return self._named("schemes", name) or self._named("schemes", "*")

    def role(self, name):
        """What a role may, {} if there is none of this name."""
        return self._named("roles", name)

    def rows(self, which, first):
        """Yields the rows of a list whose first field is `first`."""
        read = self._read
        if not read or which > len(self.lists):
            return
        at, end, count = self.lists[which - 1]
        if not count:
            return
        wanted = cbor.encode(first)
        for begin in range(at, end, _WINDOW):  # few questions hit: find in C whether it is there at all
            if wanted in read(begin, min(_WINDOW + len(wanted), end - begin)):
                break
        else:
            return
        while at < end:
            row, size = cbor.item(read(at, min(_ROW, end - at)))
            at += size
            if row[0] == first:
                yield row
            elif row[0] > first:
                return

    def sale(self, receipt, date):
        """The row of the list of sales with this receipt, of this date (None: the latest)."""
        found = None
        for row in self.rows(SALES, receipt):
            if date is None or row[1] == date:
                found = row
        return found

    def person(self, name):
        """The row of the roster, None if nobody of this name is on it."""
        for row in self.rows(PEOPLE, name):
            return row
        return None
