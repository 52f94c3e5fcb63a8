"""What the journal says of sales and refunds: the bodies of its records, and the questions that checks ask.

Bodies are CBOR arrays: [BOOT, number of the boot, wall_s, agent id], [SALE, receipt, trace, amount, currency, date, time,
last four], [STATE, key, state, wall_s, facts], facts being {number: value} of what became known with that state.
"""

from binascii import hexlify
from os import urandom

from .journal import RESERVE, Full
from .refund import SETTLED
from .wire import cbor
from .wire.messages import APPROVED, DECLINED, REQUESTED

BOOT, SALE, STATE = 0, 1, 2

# Facts of a refund, by number in the journal; numbers never change.
FACTS = (
    "receipt",  # 0 of the sale
    "amount",  # 1
    "currency",  # 2 letters
    "sale_amount",  # 3 as attested
    "sale_date",  # 4 as attested
    "card",  # 5 last four
    "operator",  # 6
    "before",  # 7 the terminal's last receipt before it was sent, as refund.identity
    "its_receipt",  # 8 of the refund
    "its_trace",  # 9
    "code",  # 10 result code
)


class Refund:
    """One refund as the journal knows it: key, state, wall_s of its last change, and its facts as attributes."""

    def __init__(self, key):
        self.key = key
        self.state = 0
        self.wall_s = None
        self.before = None
        for name in FACTS:
            setattr(self, name, None)

    @property
    def open(self):
        return self.state not in SETTLED

    def apply(self, state, wall_s, facts):
        self.state = state
        self.wall_s = wall_s
        for number, value in facts.items():
            if number < len(FACTS):
                setattr(self, FACTS[number], value)


class Earlier:
    """Refunds of one sale: approved and doubt (sums in minor units; what is under way counts as in doubt), codes (result
    codes of declined ones), same (the last Refund of the amount and currency asked for, approved or open; None)."""

    def __init__(self):
        self.approved = self.doubt = 0
        self.codes = []
        self.same = None

    def take(self, refund, request):
        """Count `refund`, which is of the sale and by another key than the request."""
        if refund.state == DECLINED:
            if refund.code not in self.codes:
                self.codes.append(refund.code)
            return
        if refund.state == APPROVED:
            self.approved += refund.amount
        elif refund.open:
            self.doubt += refund.amount
        else:
            return
        if refund.amount == request["amount"] and refund.currency == request["currency"]:
            self.same = refund


class History:
    """`journal`: Journal. Reads it once at start; keeps the open refunds and the last receipt seen in RAM, and asks the
    journal for the rest."""

    def __init__(self, journal, clock):
        self.journal = journal
        self.clock = clock
        self.boot = 1
        self.agent_id = hexlify(urandom(4)).decode()
        self.refunds = 0
        self.open = {}  # key -> Refund that is REQUESTED, SENT or IN_DOUBT
        self.last_sale = None
        for body in journal.records():
            record = cbor.decode(body)
            if record[0] == BOOT:
                self.boot = record[1] + 1
                self.agent_id = record[3]
            elif record[0] == SALE:
                self.last_sale = record
            elif record[0] == STATE:
                self._follow(record)
        if journal.free > RESERVE:  # the last room belongs to the refunds that are open
            journal.append(cbor.encode([BOOT, self.boot, clock.wall_s(), self.agent_id]))

    def _follow(self, record):
        _, key, state, wall_s, facts = record
        refund = self.open.get(key)
        if refund is None:
            refund = Refund(key)
            if state == REQUESTED:
                self.refunds += 1
        refund.apply(state, wall_s, facts)
        if refund.open:
            self.open[key] = refund
        else:
            self.open.pop(key, None)
        return refund

    # ---- writing ----
    def record(self, refund, state, facts):
        """Journal and sync a new state of `refund` with {name: value} of what became known. Full: no room."""
        if state == REQUESTED and self.journal.free < RESERVE:
            raise Full()
        numbered = {}
        if state in (APPROVED, DECLINED):  # so that one record tells of what sale and how much, see `earlier`
            numbered = {0: refund.receipt, 1: refund.amount, 2: refund.currency}
        for name, value in facts.items():
            numbered[FACTS.index(name)] = value
        wall_s = self.clock.wall_s()
        self.journal.append(cbor.encode([STATE, refund.key, state, wall_s, numbered]))
        if state == REQUESTED:
            self.refunds += 1
        refund.apply(state, wall_s, numbered)
        if refund.open:
            self.open[refund.key] = refund
        else:
            self.open.pop(refund.key, None)

    def record_sale(self, receipt):
        """Journal a sale seen at the terminal (port's Receipt), unless it is the last one journaled."""
        record = [
            SALE,
            receipt.receipt,
            receipt.trace,
            receipt.amount,
            receipt.currency,
            receipt.date,
            receipt.time,
            receipt.last_four,
        ]
        if record != self.last_sale and self.journal.free > 2 * RESERVE:  # refunds come first
            self.journal.append(cbor.encode(record))
            self.last_sale = record

    # ---- questions ----
    def _states(self, data):
        """Decoded STATE and SALE records that hold the bytes `data`, oldest first."""
        for body in self.journal.records():
            if data in body:
                record = cbor.decode(body)
                if record[0] != BOOT:
                    yield record

    def find(self, key):
        """The Refund with this key, None if the journal has none."""
        if key in self.open:
            return self.open[key]
        found = None
        for record in self._states(cbor.encode(key)):
            if record[0] == STATE and record[1] == key:
                if found is None:
                    found = Refund(key)
                found.apply(record[2], record[3], record[4])
        return found

    def sale(self, receipt):
        """The last sale journaled with this receipt number: [SALE, receipt, trace, amount, currency, …], or None."""
        found = None
        for record in self._states(cbor.encode(receipt)):
            if record[0] == SALE and record[1] == receipt:
                found = record
        return found

    def earlier(self, request):
        """The Earlier refunds of the sale that a request ({name: value} of REFUND_REQUEST) is about. A later sale that bears
        the same receipt number (terminals count to 9999) begins anew; what is open stays."""
        receipt = request["receipt"]
        key = request.get("key")
        found = Earlier()
        for record in self._states(cbor.encode(receipt)):
            if record[0] == SALE:
                if record[1] == receipt:
                    found = Earlier()
            elif record[4].get(0) == receipt and record[1] != key:
                if record[2] in (APPROVED, DECLINED):  # what is open is in RAM
                    refund = Refund(record[1])
                    refund.apply(record[2], record[3], record[4])
                    found.take(refund, request)
        for refund in self.open.values():
            if refund.receipt == receipt and refund.key != key:
                found.take(refund, request)
        return found

    def is_ours(self, receipt):
        """True if the receipt (port's Receipt) is that of a refund we made."""
        for record in self._states(cbor.encode(receipt.receipt)):
            if record[0] == STATE and record[2] == APPROVED and record[4].get(8) == receipt.receipt:
                if record[4].get(9) == receipt.trace:
                    return True
        return False
