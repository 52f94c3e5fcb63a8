"""Running sums of approved refunds, by currency and day or month. A clock that jumps opens other periods and alters none."""

from .dates import date_of

_ROWS = 16  # some days and months of one or two currencies, 20 bytes each in the journal


class Sums:
    """`rows`: [currency, period, count, sum in minor units], the one changed last at the end. A period is a day since 1970
    or, negative, a month, as `periods` gives them."""

    def __init__(self):
        self.rows = []

    def of(self, currency, period):
        """(count, sum in minor units) of a period."""
        for row in self.rows:
            if row[0] == currency and row[1] == period:
                return row[2], row[3]
        return 0, 0

    def add(self, currency, wall_s, amount):
        for period in periods(wall_s):
            count, total = self.of(currency, period)
            self.rows = [row for row in self.rows if row[0] != currency or row[1] != period]
            self.rows.append([currency, period, count + 1, total + amount])
            if len(self.rows) > _ROWS:
                self.rows.pop(0)


def periods(wall_s):
    """(day since 1970, -(year * 12 + month)) of a time in Unix seconds; UTC."""
    day = wall_s // 86400
    date = date_of(day)
    return day, -(date // 10000 * 12 + date // 100 % 100)
