"""Looks for sales in the journal by their amount, for a gate whose till names no receipt. Loaded when it is asked, and let
go."""

from .wire import cbor
from .wire.bodies import SALE


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


def _bodies(journal, amount):
    if amount is not None:
        for _, body in journal.holding(cbor.encode(amount), amount):
            yield body
        return
    for generation in range(journal.oldest, journal.newest + 1):
        for body in journal.bodies(generation):
            yield body
