"""What the journal says of sales and refunds: what becomes of them is recorded here, and checks ask here."""

from binascii import crc32, hexlify
from os import urandom

from .carry import Forgotten, carry, shortened
from .earlier import Earlier, Refund
from .journal import Full, Journal, JournalError
from .sums import Sums
from .wire import cbor
from .wire.bodies import (
    ACCEPTED,
    ATTEST,
    BOOT,
    COUNTER,
    COUNTS,
    FACTS,
    FORGOTTEN,
    SALE,
    STATE,
    TILL_SALE,
    TRIES,
    key_term,
    settled,
    terms,
)
from .wire.messages import APPROVED, DECLINED, IN_DOUBT, REQUESTED
from .words import Words

_NEXT = 20  # receipts: what else a busy shop does until somebody attests
OPEN = 6  # open refunds at most; with these bounds all that must be kept fits into a sector of 4 KB (see `carry`)
_LATEST = 8
_WORDS = 222  # bytes of people's words and tries beside them; each further 196 cost an open refund


class History(Words):
    """Opens the journal in `flash` and reads it once; keeps the open refunds, sums and counters in RAM and asks the journal
    for the rest. `reason`: of this boot, its place in REASONS."""

    def __init__(self, flash, clock, reason=0):
        if flash.size and flash.sector < 1024:
            raise JournalError("the journal's sectors have %d bytes: they need 1024 or more" % flash.sector)
        super().__init__()
        self.clock = clock
        self._reason = reason
        self.boot = 0
        self.agent_id = hexlify(urandom(4)).decode()
        self.refunds = 0
        self.open = {}  # key -> Refund that is REQUESTED, SENT or IN_DOUBT
        self.sums = Sums()  # of what was approved
        self.counters = {}
        self.last_sale = None
        self.latest = []  # the last refunds approved: (receipt of the sale, amount, currency, wall_s)
        self._asked = None  # (receipt, last record when it was asked for), and what was found
        self._found = None, b"", ()
        self._dated = 0  # the last boot that is among `boots`
        self.forgotten = Forgotten()
        self._accepted = []  # first numbers of lost records that somebody accepted
        self._up_to = 0
        self.gone = 0  # lost records whose place was given up before anybody accepted them
        self.journal = Journal(flash, self._read, self._carry, terms)
        # under way when the power went, and nothing was journaled of them since
        self.cut = [refund for refund in self.open.values() if refund.state != IN_DOUBT]
        self.boot += 1
        self._booted(clock.wall_s())
        self.failing = True  # the medium refused the last record, or was not asked yet
        self.works()

    def _carry(self, leaving, room):
        return carry(self, leaving, room)

    # ---- reading ----
    def _read(self, flags, body):
        if flags and body[1] == STATE and settled(body):
            return  # how a refund ended is looked up when it is asked for
        record = cbor.decode(body)
        kind = record[0]
        if kind == STATE:
            self._follow(record, not flags)
        elif kind == SALE:
            self.last_sale = record
            self.forgotten.remove(record[1])
        elif kind == BOOT:
            if record[1] != self._dated:  # a medium that failed for a while has more of one boot
                self._booted(record[2])
            self.boot, _, self.agent_id = record[1:4]
            self._dated = self.boot
        elif kind == COUNTS:
            self.boot, self.agent_id, self.refunds, self.sums.rows, self.counters, self.gone = record[1:]
        elif kind == COUNTER:
            self.counters[record[1]] = record[2]
        elif kind == FORGOTTEN:
            self.forgotten.pages[record[1]] = bytearray(record[2])
        elif kind == ACCEPTED:
            self._accept(record[1], record[2])
        elif kind == ATTEST:
            if not record[2]:
                self.attests[record[1]] = shortened(record)
            elif record[1] == TILL_SALE:
                self.till_sale = record[2:5]
        elif kind == TRIES:
            self._tried(record[1], record[2])

    def _follow(self, record, counts):
        _, key, state, wall_s, facts = record
        refund = self.open.get(key) or Refund(key)
        self._enter(refund, state, wall_s, facts, counts)

    def _enter(self, refund, state, wall_s, facts, counts):
        """`counts`: False for what was carried, for that is in the COUNTS behind it."""
        if counts and state == REQUESTED and refund.state != REQUESTED:
            self.refunds += 1
        refund.apply(state, wall_s, facts)
        if refund.open:
            self.open[refund.key] = refund
        else:
            self.open.pop(refund.key, None)
        if counts and state == APPROVED and refund.amount is not None:  # None: its request is lost
            self.latest = (self.latest + [(refund.receipt, refund.amount, refund.currency, wall_s)])[-_LATEST:]
            if wall_s is not None:
                self.sums.add(refund.currency, wall_s, refund.amount)

    @property
    def lost(self):
        """Records that counted, are missing or altered, and were accepted by nobody: a refund may be among them."""
        return max(self.gone, self.journal.damage.lost(self._accepted, self._up_to))

    # ---- writing ----
    def _append(self, body):
        self.failing = True
        self.journal.append(cbor.encode(body))
        self.failing = False

    def works(self):
        """True if a new refund could be journaled: the medium takes what is written, and not too many are open."""
        if self.failing:
            try:
                self._append([BOOT, self.boot, self.clock.wall_s(), self.agent_id, self._reason])
            except (Full, OSError):
                pass  # what is in it can still be read
        return not self.failing and (not self.open or len(self.open) < self.limit)  # there is room for one: see `_keep`

    @property
    def limit(self):
        """How many refunds may be open at once."""
        return self._limit(0)

    def _limit(self, more):
        """The same if people had said so many bytes more that are carried along for ever."""
        words = more + sum([self.journal.room(body) for body in self.attests.values()]) + 64 * len(self.tries)
        return min(OPEN, self.journal.flash.sector // 640) - max(0, words - _WORDS) // 196

    def _keep(self, more):
        if self._limit(more) < max(1, len(self.open)):
            raise Full()

    def record(self, refund, state, facts):
        """Journal and sync a new state of `refund` with {name: value} of what became known. Full: too many are open, or no
        room. OSError: the medium failed, and the state is not entered."""
        numbered = {}
        if state == REQUESTED:
            if len(self.open) >= self.limit:
                raise Full()
            sale = self.sale(facts["receipt"])
            if sale:
                numbered[14] = crc32(cbor.encode(sale))
        elif state in (APPROVED, DECLINED):  # so that this record alone tells of what sale and how much
            numbered = {0: refund.receipt, 1: refund.amount, 2: refund.currency}
            if refund.sale_id is not None:
                numbered[14] = refund.sale_id
            if "attested_by" in facts and refund.before:
                numbered[7] = refund.before  # what its own receipt is, nobody told: it came after this one
        names = FACTS.split()
        for name, value in facts.items():
            numbered[names.index(name)] = value
        wall_s = self.clock.wall_s()
        self._append([STATE, refund.key, state, wall_s, numbered])
        self._enter(refund, state, wall_s, numbered, True)
        if refund in self.cut:
            self.cut.remove(refund)

    def record_sale(self, receipt):
        """Journal a sale seen at the terminal (port's Receipt), unless it is the last one journaled."""
        its = receipt
        record = [SALE, its.receipt, its.trace, its.amount, its.currency, its.date, its.time, its.last_four]
        if its.card_token:
            record.append(its.card_token)
        if record != self.last_sale:
            self._append(record)
            self.last_sale = record
            self.forgotten.remove(receipt.receipt)

    def count(self, counter, value):
        """Journal a counter that never falls; ValueError if it would."""
        if value < self.counters.get(counter, 0):
            raise ValueError("a counter never falls")
        self._append([COUNTER, counter, value])
        self.counters[counter] = value

    def accept(self, who, role, reason):
        """Somebody looked into the records that are missing: they hold no refund any more."""
        numbers, up_to = self.journal.damage.numbers()
        self._append([ACCEPTED, numbers, up_to, self.clock.wall_s(), who, role, reason])
        self._accept(numbers, up_to)

    def _accept(self, numbers, up_to):
        self._accepted.extend(numbers)
        self._up_to = max(self._up_to, up_to)
        self.gone = 0

    # ---- questions ----
    def find(self, key):
        """The Refund with this key, None if the journal has none."""
        if key in self.open:
            return self.open[key]
        found = None
        for _, body in self.journal.holding(cbor.encode(key), key_term(key)):
            if body[1] == STATE:
                record = cbor.decode(body)
                if record[1] == key:
                    if found is None:
                        found = Refund(key)
                    found.apply(record[2], record[3], record[4])
        return found

    def about(self, receipt):
        """(the last sale journaled with this receipt number: [SALE, receipt, trace, amount, currency, …], or None; its
        number as it stands in records; the generations that may speak of it)."""
        asked = receipt, self.journal.sequence
        if self._asked != asked:  # one pre-flight asks several times
            sale = None
            number = cbor.encode(receipt)
            generations = self.journal.bearing(number, receipt)
            for _, body in self.journal.within(generations, bytes((SALE,)) + number):
                if body[1] == SALE:
                    record = cbor.decode(body)
                    if record[1] == receipt:
                        sale = record
            self._found = sale, number, generations
            self._asked = asked
        return self._found

    def sale(self, receipt):
        """The last sale journaled with this receipt number, or None."""
        return self.about(receipt)[0]

    def earlier(self, request):
        """The Earlier refunds of the sale that a request ({name: value} of REFUND_REQUEST) is about. A later sale that bears
        the same receipt number (terminals count to 9999) begins anew; what is open stays, and so does a refund whose sale
        was never seen."""
        receipt = request["receipt"]
        key = request.get("key")
        sale, number, generations = self.about(receipt)
        sale_id = sale and crc32(cbor.encode(sale))
        found = Earlier(self.forgotten.has(receipt))
        # with its facts before and behind it few other bytes look alike
        for _, body in self.journal.within(generations, b"\0" + number + b"\1"):
            if body[1] == STATE and settled(body):
                _, its_key, state, wall_s, facts = cbor.decode(body)
                if facts.get(0) == receipt and its_key != key:
                    if sale_id is None or facts.get(14) in (None, sale_id):
                        refund = Refund(its_key)
                        refund.apply(state, wall_s, facts)
                        found.take(refund, request)
        for refund in self.open.values():
            if refund.receipt == receipt and refund.key != key:
                found.take(refund, request)
        return found

    def is_ours(self, receipt):
        """True if the receipt (port's Receipt) is that of a refund we made."""
        for _, body in self.journal.holding(cbor.encode(receipt.receipt), receipt.receipt or 0):
            if body[1] == STATE and settled(body):
                facts = cbor.decode(body)[4]
                if facts.get(8) == receipt.receipt and facts.get(9) == receipt.trace:
                    return True
        return False

    def is_no_sale(self, receipt):
        """True if the receipt is that of a refund we made, or may be that of one which a person attested. Such a one names no
        receipt of its own: it is among the next after the terminal's last one before it was sent, and has its amount."""
        for _, body in self.journal.holding(cbor.encode(receipt.amount), receipt.amount or 0):
            if body[1] == STATE and settled(body):
                _, _, state, _, facts = cbor.decode(body)
                if state == APPROVED and 11 in facts and facts.get(1) == receipt.amount:
                    before = facts[7][0] if 7 in facts else 0
                    if (receipt.receipt - (before or 0)) % 9999 <= _NEXT:
                        return True
        return self.is_ours(receipt)
