"""The work that everybody is measured with: the records of refunds as an agent journals them."""

from firmware_agent.history import History, Refund
from firmware_agent.wire.messages import APPROVED, REQUESTED, SENT
from hal.sim.flash import Flash

A_DAY = 200
BEGIN = 1_790_000_000


class Clock:
    """A clock that shows the time of day at which refund `number` is asked for."""

    number = 0

    def uptime_ms(self):
        return 1000

    def wall_s(self):
        return BEGIN + self.number * 86400 // A_DAY


def refund(history, number):
    """One refund from its request to its end: three records, as conduct.py writes them."""
    history.clock.number = number
    made = Refund(key(number))
    receipt, amount = number % 9999 + 1, 100 + number % 20000
    request = {"receipt": receipt, "amount": amount, "currency": "EUR", "sale_amount": 25000, "operator": "anna"}
    history.record(made, REQUESTED, request)
    history.record(made, SENT, {"before": [receipt, number, 4711, 978, 1122, 120000, 0, False]})
    history.record(made, APPROVED, {"its_receipt": receipt + 1, "its_trace": number + 1, "code": 0})


def key(number):
    return "till 1, 2026-11-22, %06d" % number


def bodies(count):
    """[(key, body)] of the first `count` records of refunds."""
    history = History(Flash(None, 8192, 4096, 1), Clock())
    found = []
    history.journal.append = found.append
    history.sale = lambda receipt: None
    number = 0
    while len(found) < count:
        refund(history, number)
        number += 1
    return [(key(place // 3), body) for place, body in enumerate(found[:count])]
