"""A card terminal in memory, behind the Terminal port, with a store that no fault of the line touches.

`executed` is the truth of the tests: every refund it did, in order.
"""

import asyncio

from hal.said import Outcome, Receipt, TerminalSilent, TerminalStatus


class CardTerminal:
    """`plan`: what becomes of the next refunds: "accept" (the default), a code (int) to refuse with, "lost" (the request
    never arrives), "done, then silent", "slow" (silent, at work for three enquiries, and only then done), "cut" and
    "done, then cut" (the till loses power: the call never returns).

    `misses`: questions in a row that get no answer. `busy_for`: enquiries answered with "at work". `foreign`: amounts of
    sales somebody makes after the next refund request. `stops_at`: "receipt" or "enquire", the question that never returns.
    """

    def __init__(self):
        self.currencies = {"EUR": 978, "CHF": 756}
        self.alone = True
        self.busy = False
        self.version = "2.14"
        self.code = 0
        self.executed = []
        self.asked = 0  # refund requests that went out
        self.last = None
        self.receipt_of_refusals = False
        self.plan = []
        self.misses = 0
        self.busy_for = 0
        self.foreign = []
        self.slow = None
        self.stops_at = None
        self.stopped = False

    def does(self, amount, currency=978, code=0):
        """One transaction, whoever started it; its Receipt."""
        number = self.last.receipt % 9999 + 1 if self.last else 1
        trace = self.last.trace + 1 if self.last else 501
        self.last = Receipt(number, trace, amount, currency, 1122, 120000, code, False, "4711")
        return self.last

    async def _heard(self, question):
        if self.stops_at == question:
            await self.stop()
        await asyncio.sleep(0)
        if self.misses:
            self.misses -= 1
            raise TerminalSilent("no answer")

    async def stop(self):
        """The power of whoever asks goes here."""
        self.stopped = True
        await asyncio.sleep(1000)

    async def register(self):
        return True

    def counters(self):
        return None

    async def enquire(self):
        await self._heard("enquire")
        if self.busy_for:
            self.busy_for -= 1
            if self.slow and not self.busy_for:
                self._execute(*self.slow)
                self.slow = None
            return TerminalStatus(0x9C, True, self.version, 0, 0)
        return TerminalStatus(self.code, False, self.version, 0, 0)

    async def last_receipt(self):
        await self._heard("receipt")
        return self.last

    async def refund(self, amount, currency, wish=None):
        self.asked += 1
        fate = self.plan.pop(0) if self.plan else "accept"
        await asyncio.sleep(0)
        if fate == "cut":
            await self.stop()
        receipt = None
        if isinstance(fate, int):
            if self.receipt_of_refusals:
                receipt = self.does(amount, self.currencies[currency], fate)
        elif fate == "slow":
            self.slow = (amount, currency)
            self.busy_for = 3
        elif fate != "lost":
            receipt = self._execute(amount, currency)
        for sale in self.foreign:
            self.does(sale)
        self.foreign = []
        if fate == "done, then cut":
            await self.stop()
        if fate in ("lost", "done, then silent", "slow"):
            raise TerminalSilent("no final word")
        return Outcome(False, fate, receipt) if isinstance(fate, int) else Outcome(True, 0, receipt)

    def _execute(self, amount, currency):
        self.executed.append((amount, currency))
        return self.does(amount, self.currencies[currency])

    async def abort(self):
        pass

    def cause(self, code):
        return 43 if code == 0x6C else 1
