"""Looks for sales in the journal by their amount, for a gate whose till names no receipt; and journals a refund that passed
it. Loaded for that, and let go."""

from .earlier import Refund
from .wire import cbor
from .wire.bodies import SALE
from .wire.messages import APPROVED


def sales(history, amount):
    """Yields the sales journaled with this amount, or all (None), oldest first; of each receipt number the last alone. A
    sale is [SALE, receipt, trace, amount, currency, …]."""
    for body in _bodies(history.journal, amount):
        if body[1] == SALE:
            record = cbor.decode(body)
            if (amount is None or record[3] == amount) and history.sale(record[1]) == record:
                yield record


def by_trace(history, trace, amount):
    """The sale journaled with this trace number and amount, None if there is none."""
    for record in sales(history, amount):
        if record[2] == trace:
            return record
    return None


def passed(history, void, receipt, currency):
    """Journals what the terminal has done for a till that did not ask us: nothing is known of it but its Receipt. `void`: a
    sale was reversed; `currency`: letters, "" where nobody knows. As history.record."""
    sale = by_trace(history, receipt.original, receipt.amount) if void else None
    refund = Refund("passed-%d-%d" % (receipt.receipt, receipt.trace or 0))
    refund.receipt = sale[1] if sale else 0
    refund.amount = receipt.amount
    refund.currency = currency
    if history.find(refund.key) is None:
        facts = {"its_receipt": receipt.receipt, "its_trace": receipt.trace, "code": 0}
        if void:
            facts["void"] = 1
        history.record(refund, APPROVED, facts)


def _bodies(journal, amount):
    if amount is not None:
        for _, body in journal.holding(cbor.encode(amount), amount):
            yield body
        return
    for generation in range(journal.oldest, journal.newest + 1):
        for body in journal.bodies(generation):
            yield body
