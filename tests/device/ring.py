"""A history in a ring that turns soon; the same after a boot, and some rounds later."""

from firmware_agent.history import History
from hal.said import Receipt

from .bench import Clock, Paged

NOW = 20000 * 86400


def small():
    """A ring that turns soon."""
    return Paged(8192)


def boot(flash=None):
    clock = Clock()
    clock.wall = NOW
    return History(flash or small(), clock)


def again(history):
    return boot(history.journal.flash)


def both(history):
    """The history now, and after a boot."""
    yield history
    yield again(history)


def sale(number, amount=1000, trace=500, last_four="1234"):
    return Receipt(number, trace, amount, 978, 1122, 120000, 0, False, last_four)


def rounds(history, more, begin=3000):
    """Sales, which nobody keeps, until the ring turned so often."""
    journal = history.journal
    until = journal.newest + more * journal.sectors
    number = begin
    while journal.newest < until:
        number += 1
        history.record_sale(sale(number, trace=number))
    return history


def lives(history, more=2):
    """The history now, after a boot, some rounds later, and after a boot then."""
    yield history
    history = again(history)
    yield history
    yield rounds(history, more)
    yield again(history)
