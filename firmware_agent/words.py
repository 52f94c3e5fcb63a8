"""What the journal keeps beside sales and refunds: people's words, wrong PINs, what the checks saw, when it was booted."""

from .carry import shortened
from .wire import cbor
from .wire.bodies import ATTEST, BOOT, SALE, STATE, TILL_SALE, TRIES, VERDICT
from .wire.messages import fact
from .wire.region import LONGEST

_BOOTS = 32


class Words:
    """The part of History that has them. `attests`: {what: the last word on it of the shop, a body without its text};
    `tries`: {who: wrong PINs in a row}; `boots`: wall_s of the last boots, None for a clock that was not set."""

    # what History has, and is asked for here
    clock: "Any"  # noqa: F821  # pyright: ignore[reportUndefinedVariable]
    journal: "Any"  # noqa: F821  # pyright: ignore[reportUndefinedVariable]
    about: "Any"  # noqa: F821  # pyright: ignore[reportUndefinedVariable]
    _append: "Any"  # noqa: F821  # pyright: ignore[reportUndefinedVariable]
    _keep: "Any"  # noqa: F821  # pyright: ignore[reportUndefinedVariable]

    def __init__(self):
        self.attests = {}
        self._said = None  # the same, decoded when somebody asked
        self.tries = {}
        self.boots = []
        self.till_sale = None  # [receipt, 1 or 0, wall_s] of the last word on what the next refund at the till is of
        self._verdict = None  # what the last one said
        # oldest generation, what was found then, number of the last record then, and where to look on if it was nothing
        self._oldest = -1, None, -1, 0

    def _booted(self, wall_s):
        self.boots = (self.boots + [wall_s])[-_BOOTS:]

    def _tried(self, who, count):
        self.tries.pop(who, None)
        if count:
            self.tries[who] = count

    def note(self, record):
        """Journal a record that nobody keeps in RAM. Full: no room."""
        self._append(record)

    def attest(self, what, receipt, value, who, role, text, digest):
        """Journal a person's word of a sale, by its receipt, or of the shop (0); ATTESTATIONS has `what`. Full: no room."""
        record = [ATTEST, what, receipt, value, self.clock.wall_s(), who, role, text, digest]
        if receipt:
            self._append(record)
            if what == TILL_SALE:
                self.till_sale = record[2:5]
            return
        body = shortened(record)
        had = self.attests.get(what)
        self._keep(self.journal.room(body) - (self.journal.room(had) if had else 0))
        self._append(record)
        self.attests[what] = body
        self._said = None

    def count_try(self, who, good):
        """Journal a PIN that was right, or one that was wrong. Full: no room."""
        count = 0 if good else self.tries.get(who, 0) + 1
        if count or who in self.tries:
            self._keep(0 if who in self.tries else 64)
            self._append([TRIES, who, count, self.clock.wall_s()])
            self._tried(who, count)

    def record_verdict(self, key, worst, findings, asked=None):
        """Journal what the checks saw ({"cause", "status", "evidence"}, the worst first) of a request ({name: value} of
        REFUND_REQUEST), unless that is what they saw last time; evidence that finds no room in a record is left out, from the
        end."""
        facts = {}  # by their places in FACTS
        if asked:
            facts = {0: asked["receipt"], 1: asked["amount"], 2: asked["currency"]}
            if "operator" in asked:
                facts[6] = asked["operator"]
            if asked.get("void"):
                facts[17] = 1
        said = [key, worst]
        rows = []
        body = [VERDICT, key, worst, self.clock.wall_s(), self.clock.uptime_ms(), rows, facts]
        left = LONGEST - len(cbor.encode(body)) - 2 - 5 * len(findings)  # each finding without its evidence
        for finding in findings:
            row = [finding["cause"], finding["status"], {}]
            said += row[:2]
            size = len(cbor.encode(row))
            evidence = finding["evidence"]
            row[2] = {fact(name): evidence[name] for name in evidence if evidence[name] is not None}
            left -= len(cbor.encode(row)) - size
            if left < 0:
                row[2] = {}
            rows.append(row)
        if said != self._verdict:
            self._append(body)
            self._verdict = said

    def words(self, receipt):
        """{what: the last word of a person on it} of a sale or of the shop (0); a word is [ATTEST, what, receipt, value,
        wall_s, who, role, text, digest]. Of the shop text and digest are not kept here."""
        if not receipt:
            if self._said is None:
                self._said = {what: cbor.decode(body) for what, body in self.attests.items()}
            return self._said
        return {record[1]: record for record in self.attestations(receipt)}

    def attestations(self, receipt):
        """Yields what people attested of the last sale with this receipt number, oldest first."""
        sale, number, generations = self.about(receipt)
        counts = not sale
        for _, body in self.journal.within(generations, number):
            if body[1] == SALE:
                counts = counts or cbor.decode(body) == sale
            elif body[1] == ATTEST and counts:
                record = cbor.decode(body)
                if record[2] == receipt:
                    yield record

    def oldest_wall_s(self):
        """The wall clock of the oldest record that stands where it was written and has one; None if none has."""
        journal = self.journal
        oldest, wall_s, number, begin = self._oldest
        if oldest != journal.oldest:
            begin, wall_s, number = journal.oldest, None, -1
        if wall_s is None and number != journal.sequence:
            # a board whose clock is never set asks with every check: what holds no time is not read again
            wall_s = self._find_oldest(begin)
            self._oldest = journal.oldest, wall_s, journal.sequence, journal.newest
        return wall_s

    def _find_oldest(self, begin):
        for generation in range(begin, self.journal.newest + 1):
            for _, flags, _, body, _ in self.journal.sector(generation):
                if flags == 0 and body[1] in (BOOT, STATE):
                    record = cbor.decode(body)
                    wall_s = record[2 if record[0] == BOOT else 3]
                    if wall_s is not None:
                        return wall_s
        return None
