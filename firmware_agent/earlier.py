"""A refund as the journal knows it, and what the earlier ones of a sale add up to."""

from .refund import SETTLED
from .wire import cbor
from .wire.bodies import FACTS, STATE
from .wire.messages import APPROVED, DECLINED, REQUESTED


class Refund:
    """One refund as the journal knows it: key, state, wall_s of its last change, and its facts as attributes."""

    # what is set elsewhere too; all facts are in FACTS
    receipt: "Any"  # noqa: F821  # pyright: ignore[reportUndefinedVariable]
    amount: "Any"  # noqa: F821  # pyright: ignore[reportUndefinedVariable]
    currency: "Any"  # noqa: F821  # pyright: ignore[reportUndefinedVariable]

    def __init__(self, key):
        self.key = key
        self.state = 0
        self.wall_s = None
        self.wish = None  # of a till behind a gate, whose own bytes go to the terminal
        for name in FACTS.split():
            setattr(self, name, None)

    @property
    def open(self):
        return self.state not in SETTLED

    def apply(self, state, wall_s, facts):
        names = FACTS.split()
        if state == REQUESTED:  # perhaps anew: nothing is known of this time yet
            self.__init__(self.key)
        self.state = state
        self.wall_s = wall_s
        for number, value in facts.items():
            if number < len(names):
                setattr(self, names[number], value)

    def whole(self):
        """The body of a STATE record with all that is known."""
        facts = {}
        for number, name in enumerate(FACTS.split()):
            value = getattr(self, name)
            if value is not None:
                facts[number] = value
        return cbor.encode([STATE, self.key, self.state, self.wall_s, facts])


class Earlier:
    """Refunds of one sale: approved and doubt (sums in minor units; what is under way counts as in doubt), count of these,
    last_wall_s (Unix seconds of the latest of these; None if the time of one is not known), wrong (True if the terminal
    answered one of these as if it were for another sale), codes ({result code of declined ones: Unix seconds or None}), same
    (the last Refund of the amount and currency asked for, approved or open; None), forgotten (True: there were others, and
    the journal has not kept them)."""

    def __init__(self, forgotten):
        self.approved = self.doubt = self.count = 0
        self.last_wall_s = None
        self.wrong = False
        self.codes = {}
        self.same = None
        self.forgotten = forgotten

    def take(self, refund, request):
        """Count `refund`, which is of the sale and by another key than the request."""
        if refund.state == DECLINED:
            if refund.code:
                self.codes[refund.code] = max(self.codes.get(refund.code) or 0, refund.wall_s or 0) or None
            return
        if refund.state == APPROVED:
            self.approved += refund.amount
        elif refund.open:
            self.doubt += refund.amount
        else:
            return
        times = (self.last_wall_s, refund.wall_s) if self.count else (refund.wall_s,)
        self.last_wall_s = None if None in times else max(times)
        self.count += 1
        self.wrong = self.wrong or bool(refund.wrong)
        if refund.amount == request["amount"] and refund.currency == request["currency"]:
            # the latest by its time, for what was carried stands behind younger ones
            if self.same is None or _lateness(refund) >= _lateness(self.same):
                self.same = refund


def _lateness(refund):
    return refund.open, refund.wall_s is None, refund.wall_s or 0
