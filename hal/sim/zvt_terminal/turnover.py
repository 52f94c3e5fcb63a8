"""The turnover storage of the simulated card terminal: what it executed, in one SQLite file that survives a power cut.

Every change is one SQLite transaction, on the disk before the call returns (synchronous=EXTRA: FULL and the folder).
No card number is in the file: a card is its first six and last four digits, E for each digit between, as ZVT masks it.
"""

import dataclasses
import datetime
import sqlite3

LAST_RECEIPT = 9999  # BMP 87 has four BCD digits; the number after the last is 1 (PA00P015)
LAST_TRACE = 999999  # BMP 0B has six

_SCHEMA = """
CREATE TABLE turnover (
    number INTEGER PRIMARY KEY AUTOINCREMENT, receipt INTEGER NOT NULL, trace INTEGER NOT NULL, kind TEXT NOT NULL,
    amount INTEGER NOT NULL, currency INTEGER NOT NULL, date TEXT NOT NULL, time TEXT NOT NULL, card TEXT NOT NULL,
    result INTEGER NOT NULL, original_trace INTEGER, reversed_by INTEGER, batch INTEGER NOT NULL);
CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""


class StoreError(Exception):
    """The file cannot be used as a store; the text says why in one line."""


@dataclasses.dataclass(frozen=True)
class Turnover:
    """One executed or declined transaction. `amount` in minor units (cents), `currency` as ISO 4217 number.

    `kind`: sale, refund or reversal. `result`: 0 approved, otherwise the result code of BMP 27. `number`: of BMP 88.
    `original_trace`: of a reversal, the trace of its sale. `reversed_by`: the receipt of the reversal.
    """

    number: int
    receipt: int
    trace: int
    kind: str
    amount: int
    currency: int
    date: str  # YYYY-MM-DD
    time: str  # HH:MM:SS
    card: str  # 411111EEEEEE1111
    result: int
    original_trace: int | None
    reversed_by: int | None
    batch: int  # counts up with each end of day

    @property
    def approved(self):
        return self.result == 0

    def listed(self):
        """As a dictionary for JSON, the card with stars."""
        fields = dataclasses.asdict(self)
        fields["card"] = self.card.replace("E", "*")
        fields["approved"] = self.approved
        return fields


@dataclasses.dataclass(frozen=True)
class Seed:
    """A turnover that a new store begins with. `amount`, `currency`, `card`, `result` as of a Turnover."""

    kind: str
    amount: int
    currency: int
    card: str
    when: datetime.datetime
    receipt: int
    trace: int
    result: int = 0


def first_sale(currency, card):
    """What a store begins with when nobody says otherwise: a sale of 50.00, receipt 231, yesterday at noon."""
    yesterday = datetime.date.today() - datetime.timedelta(days=1)
    return Seed("sale", 5000, currency, card, datetime.datetime.combine(yesterday, datetime.time(12)), 231, 4711)


class TurnoverStore:
    """`path` is created when it is not there; a new store holds `seeds`, oldest first, and counts on from the last."""

    def __init__(self, path, seeds=()):
        try:
            self._db = sqlite3.connect(path)
            self._db.execute("PRAGMA synchronous = EXTRA")
            if not self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                self._create(seeds)
            self._db.execute("SELECT number, batch FROM turnover LIMIT 1")
        except sqlite3.Error as error:
            raise StoreError("cannot use %s as a store: %s" % (path, error)) from None

    def close(self):
        self._db.close()

    def all(self):
        """Every turnover, oldest first."""
        return self._select("1 ORDER BY number")

    def last(self):
        """The turnover whose receipt 06 20 repeats, approved or not; None when the store is empty."""
        found = self._select("1 ORDER BY number DESC LIMIT 1")
        return found[0] if found else None

    def open_batch(self):
        """The approved turnovers since the last end of day."""
        return self._select("result = 0 AND batch = ? ORDER BY number", self._counter("batch"))

    def approved_sale(self, receipt):
        """The newest approved sale with that receipt number since the last end of day, or None."""
        found = self._select(
            "kind = 'sale' AND result = 0 AND receipt = ? AND batch = ? ORDER BY number DESC LIMIT 1",
            receipt,
            self._counter("batch"),
        )
        return found[0] if found else None

    def add(self, kind, amount, currency, card, result=0, reverses=None):
        """Write down one transaction with the next receipt and trace number, now; it is on the disk when this returns.

        `reverses` is the sale that an approved reversal takes back: both rows change together. Returns the Turnover.
        """
        now = datetime.datetime.now()
        with self._db:
            receipt, trace = self._counter("receipt"), self._counter("trace")
            self._set_counter("receipt", receipt % LAST_RECEIPT + 1)
            self._set_counter("trace", trace % LAST_TRACE + 1)
            self._insert(kind, receipt, trace, amount, currency, now, card, result, reverses and reverses.trace)
            if reverses and result == 0:
                self._db.execute("UPDATE turnover SET reversed_by = ? WHERE number = ?", (receipt, reverses.number))
        return self.last()

    def close_batch(self):
        """End of day: nothing before it can be reversed any more."""
        with self._db:
            self._set_counter("batch", self._counter("batch") + 1)

    def set_next_receipt(self, receipt):
        with self._db:
            self._set_counter("receipt", receipt)

    def _create(self, seeds):
        with self._db:
            self._db.execute("BEGIN")  # a cut here must not leave half of the tables
            for statement in _SCHEMA.split(";\n"):
                self._db.execute(statement)
            receipt = seeds[-1].receipt % LAST_RECEIPT + 1 if seeds else 1
            trace = seeds[-1].trace % LAST_TRACE + 1 if seeds else 1
            for name, first in (("receipt", receipt), ("trace", trace), ("batch", 1)):
                self._db.execute("INSERT INTO counter VALUES (?, ?)", (name, first))
            for seed in seeds:
                self._insert(
                    *(seed.kind, seed.receipt, seed.trace, seed.amount, seed.currency, seed.when, seed.card),
                    *(seed.result, None),
                )

    def _insert(self, kind, receipt, trace, amount, currency, when, card, result, original_trace):
        self._db.execute(
            "INSERT INTO turnover (receipt, trace, kind, amount, currency, date, time, card, result, original_trace,"
            " batch) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (receipt, trace, kind, amount, currency, when.strftime("%Y-%m-%d"), when.strftime("%H:%M:%S"), card, result)
            + (original_trace, self._counter("batch")),
        )

    def _select(self, where, *values):
        names = ", ".join(field.name for field in dataclasses.fields(Turnover))
        return [Turnover(*row) for row in self._db.execute("SELECT %s FROM turnover WHERE %s" % (names, where), values)]

    def _counter(self, name):
        return self._db.execute("SELECT value FROM counter WHERE name = ?", (name,)).fetchone()[0]

    def _set_counter(self, name, value):
        self._db.execute("UPDATE counter SET value = ? WHERE name = ?", (value, name))
