"""The gate's keeper: what a till asks its terminal for is checked first, and what passes is remembered.

`stops` and `saw` are asked for every command that passes. What is done about a refund is in wishes.py, which is loaded when a
till wants one, and let go: few do, and a board's heap is small.
"""

import gc
import sys

from .journal import Full
from .wire.bodies import BATCH_CLOSED

# kinds, as the gate has them (hal/ports.py)
REFUND, VOID, SALE, OTHER = 1, 2, 3, 4
DAY_CLOSED, LOGGED_ON, LOGGED_OFF = 5, 6, 7
PASSES, ASKED, SHUT = 0, 1, 2
HELD, DONE, NOT_DONE, UNKNOWN = 1, 2, 3, 4  # what became of a wish

_ROWS = 12  # wishes that are remembered for whoever asks
_RESOLVE_MS = 3000  # a sale waits so long for a refund in doubt: its till waits 5 s (T3)


class Keeper:
    """`agent`: Agent; `gate`: Gate port; `lang`: of the till's display."""

    def __init__(self, agent, gate, lang):
        self.agent = agent
        self.gate = gate
        self.lang = lang
        self.failed = False  # the last wish met a fault of our own
        self.sales = 0
        self.count = [0, 0, 0, 0, 0]  # of wishes: all, and by what became of them
        self.rows = []  # the last ones: [uptime_ms, kind, amount, currency, receipt, what became of it, cause, key, fits]
        closed = agent.history.counters.get(BATCH_CLOSED)
        if closed:
            agent.snapshot.put("batch_closed", closed)

    def stops(self, kind):
        """PASSES, ASKED or SHUT: what is to be done with a command of this kind."""
        rule = self.agent.policy.rules.get
        if self.failed or self.agent.history.failing:
            open_ = rule("gate_open")
            if open_ is not None:
                return PASSES if open_ else SHUT
        if kind == VOID:
            return ASKED if rule("gate_reversals") else PASSES
        return ASKED if kind == REFUND or (kind == SALE and self.agent.history.open) else PASSES

    def saw(self, kind, receipt):
        """Something passed that the terminal has done: its Receipt, if it moved money. Never raises."""
        try:
            self._saw(kind, receipt)
        except (Full, OSError, ValueError):
            self.agent.events.add("journal_full")

    def _saw(self, kind, receipt):
        agent = self.agent
        history = agent.history
        if kind == LOGGED_OFF:
            agent.watch.logged_off()
            return
        if kind == LOGGED_ON:
            agent.watch.logged_on()
            return
        if kind == DAY_CLOSED:
            now = agent.clock.wall_s()
            agent.snapshot.put("batch_closed", now)
            if now:
                history.count(BATCH_CLOSED, now)
            return
        if receipt is None or receipt.code or not receipt.amount or receipt.receipt is None:
            return
        agent.watch.logged_on()  # or it would not have done it
        agent.snapshot.put("terminal_receipt", receipt.receipt)
        if kind == SALE and not receipt.reversal:
            self.sales += 1
            history.record_sale(receipt)
        elif kind in (VOID, REFUND):
            from . import sold

            sys.modules.pop(sold.__name__, None)
            sold.passed(history, kind == VOID, receipt, self.currency(receipt.currency) or "")

    def currency(self, number):
        """Letters of a currency's number; of what the terminal does first where the till names none."""
        for letters, its in self.agent.terminal.currencies.items():
            if number is None or its == number:
                return letters
        return None

    async def resolve(self):
        """Ask after what is open, if that is quick."""
        from . import wishes

        await wishes.resolve(self, _RESOLVE_MS)
        wishes.let_go()

    async def asked(self, wish):
        """(what became of it, cause that speaks against it or 0, text for the till)."""
        from . import wishes

        row = [self.agent.clock.uptime_ms(), wish.kind, wish.amount or 0, "", 0, 0, 0, "", None]
        self.rows = (self.rows + [row])[-_ROWS:]
        self.count[0] += 1
        try:
            answer = await wishes.answer(self, wish, row)
            self.failed = False
        except Exception as error:
            self.failed = True
            gc.collect()  # it may have been a MemoryError, and the till must be told all the same
            self.agent.events.add("fault", {"missing": repr(error)[:60]})
            # before it had a key nothing was begun
            answer = (UNKNOWN, 54, "") if row[7] else (HELD, 7, "")
        wishes.let_go()
        row[5], row[6] = answer[:2]
        self.count[answer[0]] += 1
        return answer
