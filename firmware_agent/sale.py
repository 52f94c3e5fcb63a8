"""The sale that a refund belongs to, put together from whoever knows it: the journal, the policy's list, the request."""

from . import dates

SEEN, ATTESTED, LISTED = 1, 2, 3  # sources; a request attests

_CLOSES_S = 60  # a sale this close to the end of day may be on either side of it


class Sale:
    """amount (minor units), currency (letters, or a number where the terminal told it), date (YYYYMMDD), card (last four),
    scheme, settled (True, False), source of the amount; each None where nobody knows it."""

    def __init__(self, request, seen, row, batch_closed, wall_s):
        """`seen`: journal's [SALE, receipt, trace, amount, currency, MMDD, HHMMSS, last four] or None; `row`: of the policy's
        list (wire.rules.SALE) or None; `batch_closed`: Unix seconds of the last end of day or None."""
        get = request.get
        self.amount = get("sale_amount")
        self.source = ATTESTED if self.amount else None
        self.currency = None
        self.date = get("sale_date")
        self.card = None
        self.scheme = get("scheme")
        self.settled = get("settled")
        if row and (self.date is None or self.date == row[1]):
            self.source = LISTED
            _, self.date, self.amount, self.currency, self.card, scheme, settled = row
            self.scheme = scheme or self.scheme
            self.settled = self.settled if settled is None else settled
        if seen:
            self.source = SEEN
            _, _, self.trace, self.amount, self.currency, mmdd, hhmmss, card = seen[:8]
            self.card = card or self.card
            if wall_s is not None and mmdd:
                self.date = dates.last(mmdd, wall_s)
                if batch_closed:
                    seconds = (hhmmss or 0) // 10000 * 3600 + (hhmmss or 0) // 100 % 100 * 60
                    after = batch_closed - dates.day_of(self.date) * dates.DAY_S - seconds
                    if not -_CLOSES_S < after < _CLOSES_S:
                        self.settled = after > 0

    def days(self, wall_s):
        """How many days ago it was; None if that is not known."""
        if self.date is None or wall_s is None:
            return None
        return wall_s // dates.DAY_S - dates.day_of(self.date)
