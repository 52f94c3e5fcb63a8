"""What opening a full journal of 64 KB costs: at most 24 KB of heap above idle, and everything in it is found.

HEAP: the flash itself lies in the heap here, on a board it does not.
"""

import gc

from firmware_agent.history import History, Refund
from firmware_agent.wire.messages import APPROVED, DECLINED, IN_DOUBT, REQUESTED, SENT
from hal.sim.flash import Flash

from .bench import Clock

HEAP = "320k"

MOST = 24 * 1024
BEFORE = [9999, 999999, 999999999999, 978, 1231, 235959, 0, False]


def used():
    """Bytes of heap in use; 0 where the runtime cannot tell."""
    return gc.mem_alloc() if hasattr(gc, "mem_alloc") else 0


class Watched(Flash):
    """Flash that looks at the heap whenever it is read. `peak`: the most that was in use."""

    peak = 0

    def read(self, address, size):
        data = super().read(address, size)
        self.peak = max(self.peak, used())
        return data


def clock():
    made = Clock()
    made.wall = 1800000000
    return made


def refund(history, number, *states):
    made = Refund("till 17 refund number %06d of 2026" % number)
    for state in states:
        facts = {}
        if state == REQUESTED:
            facts = {"receipt": 1 + number % 9999, "amount": 1000 + number, "currency": "EUR", "operator": "o" * 24}
            facts.update({"sale_amount": 999999999999, "sale_date": 20261122, "card": "4711"})
        elif state == SENT:
            facts = {"before": BEFORE}
        elif state == APPROVED:
            facts = {"its_receipt": 1 + number % 9999, "its_trace": number, "code": 0}
        history.record(made, state, facts)
        history.clock.wall += 60


def full():
    """(flash, refunds made) where the ring has turned twice and more, five are open, and the first ones are forgotten."""
    flash = Watched(None, 65536, 4096, 4)
    history = History(flash, clock())
    for number in range(9000, 9005):
        refund(history, number, REQUESTED, SENT, IN_DOUBT)
    number = 0
    while history.journal.newest < 3 * history.journal.sectors or not history.forgotten.has(2):
        number += 1
        refund(history, number, REQUESTED, SENT, DECLINED if number % 10 == 0 else APPROVED)
    return flash, number


def opened(flash):
    """The history, after the heap that its opening took was measured."""
    gc.collect()
    idle = flash.peak = used()
    history = History(flash, clock())
    peak = flash.peak - idle
    gc.collect()
    print("peak", peak, "bytes above idle; the open history holds", used() - idle)
    assert peak <= MOST, peak
    flash.peak = used()
    return history, idle


def test_opening_a_full_journal_takes_at_most_24_kb_of_heap_above_idle():
    flash, made = full()
    history, idle = opened(flash)
    assert history.refunds == made + 5 and len(history.open) == 5 and history.boot == 2
    assert history.journal.damage.count == 0 and history.lost == 0
    # asking takes no more than opening
    assert history.find("till 17 refund number %06d of 2026" % made).state in (APPROVED, DECLINED)
    assert history.earlier({"receipt": made + 1, "amount": 1, "currency": "EUR"}).approved in (0, 1000 + made)
    assert history.earlier({"receipt": 2, "amount": 1, "currency": "EUR"}).forgotten
    print("peak of questions", flash.peak - idle)
    assert flash.peak - idle <= MOST
    # nor does a turn of the ring
    gc.collect()
    flash.peak = used()
    newest = history.journal.newest
    while history.journal.newest == newest:
        made += 1
        refund(history, made, REQUESTED, SENT, APPROVED)
    print("peak of a turn", flash.peak - idle)
    assert flash.peak - idle <= MOST
    # nor does opening what is damaged everywhere
    history = None
    data = flash.read(0, 4096)
    for at in range(100, 4096, 200):
        data = data[:at] + b"\x55" + data[at + 1 :]
    flash.erase(0)
    flash.program(0, data)
    flash.erase(8192)
    flash.program(8192, b"\x55\xaa" * 2048)
    data = None
    history, idle = opened(flash)
    assert len(history.journal.damage.places) == 16 and history.journal.damage.count > 16 and history.lost > 16
    assert len(history.open) >= 5
