"""How long a flash lasts: its sectors wear evenly, and one that is worn out loses nothing that was acknowledged.

HEAP: a flash of 64 KB stands in memory here.
"""

import sys

from firmware_agent.history import History, Refund
from firmware_agent.journal import Full
from firmware_agent.wire.messages import APPROVED, REQUESTED, SENT
from hal.said import Receipt
from hal.sim.flash import Flash

from .bench import Clock

HEAP = "320k"

SMALL = sys.implementation.name == "micropython"
CYCLES = 100000  # erases a sector that makers of NOR flash promise
A_DAY = 200  # refunds


def refund(history, number):
    """The sale was seen at the terminal and is refunded; the Refund."""
    history.clock.wall = 1790000000 + number * 432  # 200 a day
    receipt = number % 9999 + 1
    history.record_sale(Receipt(receipt, number, 1000 + number, 978, 1122, 120000, 0, False, "4711"))
    made = Refund("till 1, 2026-11-22, %06d" % number)
    request = {"receipt": receipt, "amount": 1000 + number, "currency": "EUR", "operator": "anna"}
    history.record(made, REQUESTED, request)
    history.record(made, SENT, {"before": [receipt, number, 1000 + number, 978, 1122, 120000, 0, False]})
    history.record(made, APPROVED, {"its_receipt": receipt, "its_trace": number + 1, "code": 0})
    return made


def test_sectors_wear_evenly_and_last_ten_years_and_more():
    flash = Flash(None, 65536, 4096, 4)
    history = History(flash, Clock())
    number = 0
    while history.journal.newest < 2 * history.journal.sectors:  # until as much is carried as ever will be
        refund(history, number)
        number += 1
        assert max(flash.erased) - min(flash.erased) <= 1
    begun = number
    before = sum(flash.erased)
    while number < begun + (200 if SMALL else 3000):
        refund(history, number)
        number += 1
        assert max(flash.erased) - min(flash.erased) <= 1
        if number % 500 == 0:
            history = History(flash, Clock())
    erases = sum(flash.erased) - before
    assert erases > 10
    years = history.journal.sectors * CYCLES * (number - begun) // (erases * A_DAY * 365)
    print("%d refunds, %d erases: %d years at %d refunds a day" % (number - begun, erases, years, A_DAY))
    assert 10 <= years < 1000


def test_a_flash_that_is_worn_out_says_so_and_loses_nothing_that_was_acknowledged():
    flash = Flash(None, 16384, 4096, 4, endurance=3)
    history = History(flash, Clock())
    approved = []
    number = 0
    refusals = 0
    while refusals < 8:  # the last sector that was begun takes some more
        assert number < 1000
        try:
            refund(history, number)
            approved.append(number)
            refusals = 0
        except (OSError, Full) as error:
            assert isinstance(error, Full) or "worn out" in str(error), error
            refusals += 1
        number += 1
        if refusals in (3, 6):
            history = History(flash, Clock())
        check_sums(history, approved)
    assert flash.erased == [3] * 4 and len(approved) > 50
    assert not history.works()
    for each in approved[-4:]:
        found = history.find("till 1, 2026-11-22, %06d" % each)
        assert (found.state, found.amount, found.its_trace) == (APPROVED, 1000 + each, each + 1)


def check_sums(history, approved):
    """Nothing is missing, and what was approved is what the sums of the months say."""
    assert history.lost == 0 and history.journal.damage.count == 0
    months = [row for row in history.sums.rows if row[1] < 0]
    assert sum(row[2] for row in months) == len(approved)
    assert sum(row[3] for row in months) == sum(1000 + number for number in approved)
