"""What must be true of refunds, in as few words as can be: the model that random histories are held against.

It knows the truth (what the terminal paid) and what was told, and nothing of flash, power or records.
"""

from firmware_agent.wire.messages import APPROVED, DECLINED, IN_DOUBT, NEW, NOT_EXECUTED, REQUESTED, SENT

FINAL = (APPROVED, DECLINED)
OUTCOMES = {"accept": APPROVED, "lost": NOT_EXECUTED, "done, then silent": APPROVED, "slow": APPROVED, 0x6C: DECLINED}


class Model:
    def __init__(self):
        self.sales = {}  # receipt -> amount of the last sale that has this number; no two sales have the same amount
        self.told = {}  # key -> (state told last, amount of the sale, receipt, amount)
        self.counter = 0
        self.words = {}  # what -> value attested last of the shop
        self.tries = {}  # who -> wrong PINs in a row
        self.sums = []  # [period, count, sum], the one changed last at the end

    def states(self, key, paid):
        """The states that a refund may be in, by what was told of it and whether the terminal paid it."""
        before = self.told[key][0] if key in self.told else NEW
        if before in FINAL:
            return {before}  # same key, same answer, for ever
        if paid:
            return {APPROVED, SENT, IN_DOUBT}  # what was paid is never called declined, not executed or unknown to us
        return {NEW, REQUESTED, SENT, IN_DOUBT, NOT_EXECUTED, DECLINED}  # what was not is never called approved

    def tell(self, key, state, sale, receipt, amount, periods):
        """It is told that the refund is in this state."""
        if state == APPROVED and self.told.get(key, (NEW,))[0] != APPROVED:
            for period in periods:
                old = [row for row in self.sums if row[0] == period] or [[period, 0, 0]]
                self.sums = [row for row in self.sums if row[0] != period]
                self.sums.append([period, old[0][1] + 1, old[0][2] + amount])
            self.sums = self.sums[-16:]
        self.told[key] = (state, sale, receipt, amount)

    def remaining(self, receipt):
        """Sale - approved - in doubt."""
        sale = amount = self.sales[receipt]
        for state, its, number, part in self.told.values():
            doubt = number == receipt and state in (REQUESTED, SENT, IN_DOUBT)
            if doubt or (its == sale and number == receipt and state == APPROVED):
                amount -= part
        return amount
