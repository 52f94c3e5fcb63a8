"""What the checks look at: one case, and what follows from what it is put together of."""

from .sale import Sale
from .wire.bodies import ATTESTATIONS
from .wire.lists import DISPUTES
from .wire.messages import PASS, UNKNOWN

# Causes that lie in the sale or its card: a code that speaks of one says nothing about other sales.
_OF_A_SALE = b"\x16\x17\x18\x19\x1a\x1b\x1c\x1f\x20\x22\x23\x24\x27\x28\x29\x2a\x2b\x30\x35\x36"
# Those of them that time does not mend.
_LASTING = b"\x17\x1b\x1f\x20\x22\x24\x29\x30"

FINE = PASS, ()  # what a check says that has nothing to tell

_ACCEPTED = "00 10 11 A2 A4 A5 A6".split()  # field 39 of ISO 8583
_NOT_READY = 0xA0
_WAIT = 0x9C


class Case:
    """What a check may look at: request ({name: value} of REFUND_REQUEST, None for the hardware alone), snapshot, policy,
    history, wall_s (Unix seconds or None), terminal (Terminal port, for what its codes and currencies mean); and what follows
    from these: rule and seen (functions: the value of a rule, the last value of a fact, by name), lost (records of the
    journal), locks (bits of TLV 1F55), earlier (refunds of the same sale without this one), sale (Sale), scheme (the policy's
    rules for it), disputed (see `listed`), codes ({cause: code that speaks of it}), silent (True: the terminal does not
    answer), person (the roster's row of the operator, False if it has none, None until a check looks it up)."""

    sale: "Any"  # None without a request  # noqa: F821  # pyright: ignore[reportUndefinedVariable]

    def __init__(self, request, snapshot, policy, history, wall_s=None, terminal=None):
        self.request = request
        self.snapshot = snapshot
        self.policy = policy
        self.rule = policy.get
        self.seen = seen = snapshot.values.get
        self.history = history
        self.lost = history.lost
        self.wall_s = wall_s
        self.terminal = terminal
        self._max_age_ms = policy.get("max_age_ms")
        self.locks = self.fact("terminal_locks") or 0
        code = self.fact("terminal_code")
        self.silent = code is None or bool(seen("terminal_silent"))
        self.codes = {}
        self._of_shop = history.words(0)
        self._of_sale = self.scheme = {}
        self.earlier = self.sale = self.disputed = self.person = None
        window = policy.get("code_window_s")
        if not self.silent:
            self._speaks(_WAIT if code == _NOT_READY else code, status=True)  # at work for somebody
        code = snapshot.get("host_code", window * 1000)
        if code:
            self._speaks(code, never=_OF_A_SALE)
        if request:
            receipt = request["receipt"]
            self._of_sale = history.words(receipt) if receipt else self._of_shop
            self.earlier = history.earlier(request)
            row = policy.sale(receipt, request.get("sale_date"))
            self.sale = Sale(request, history.sale(receipt), row, seen("batch_closed"), wall_s)
            self.scheme = policy.scheme(self.sale.scheme)
            self.disputed = self.listed(DISPUTES, "disputes_at")
            for code in self.earlier.codes:
                # a refund that was declined for its card, its amount, a key on the terminal may be asked for again at once
                self._speaks(code, _LASTING)
            told = self.told("host_code")
            if told:
                fresh = wall_s is not None and told[4] is not None and 0 <= wall_s - told[4] <= window
                self._speaks(told[7], b"" if fresh else _LASTING)

    def _speaks(self, code, only=b"", never=b"", status=False):
        text = "%02X" % code if isinstance(code, int) else code
        if code and (status or text not in _ACCEPTED):
            cause = self.policy.cause_of(code, self.terminal)
            if cause not in never and (not only or cause in only):
                self.codes[cause] = code

    def fact(self, name):
        """The value of a fact, None if it is absent or too old."""
        return self.snapshot.get(name, self._max_age_ms)

    def attested(self, what):
        """The last word of a person on this of the shop: as history.words has it, or None."""
        return self._of_shop.get(ATTESTATIONS.index(what))

    def told(self, what):
        """The last word of a person on this of the sale, or None."""
        return self._of_sale.get(ATTESTATIONS.index(what))

    def listed(self, which, at):
        """The policy's row of this sale: a list, False if it has none, None if the list is absent or too old."""
        if not self.recent(self.rule(at), self.rule("lists_days")):
            return None
        for row in self.policy.rows(which, self.request["receipt"]):
            date = self.sale.date  # pyright: ignore[reportOptionalMemberAccess]
            if date is None or row[1] == date:
                return row
        return False

    def within(self, told, days):
        """A person's word; None if it is older than so many days, or its age is not known."""
        if told and days and told[4] is not None and self.wall_s is not None:
            if 0 <= self.wall_s - told[4] <= days * 86400:
                return told
        return None

    def recent(self, at, days):
        """True if a fact of Unix seconds `at` (None: no such fact) is at most so many days (None: any number) old."""
        if at is None or self.wall_s is None:
            return False
        return at <= self.wall_s + 86400 and (days is None or self.wall_s - at <= days * 86400)

    def coded(self, cause, found, evidence=None):
        """(found, evidence) if a code speaks of the cause; UNKNOWN if the terminal is silent; else FINE."""
        code = self.codes.get(cause)
        if code:
            evidence = evidence or {}
            evidence["host_code" if isinstance(code, str) else "result_code"] = code
            return found, evidence
        return lacks("terminal", evidence) if self.silent else FINE

    def locked(self, cause, locks, found):
        """As `coded`, and found if one of the `locks` (bits of TLV 1F55) is set."""
        if self.locks & locks:
            return found, {"terminal_locks": self.locks}
        return self.coded(cause, found)


def lacks(what, evidence=None):
    """(UNKNOWN, evidence) for want of a fact, a rule ("policy: NAME") or a person's word ("attest: NAME")."""
    evidence = evidence or {}
    evidence["missing"] = what
    return UNKNOWN, evidence
