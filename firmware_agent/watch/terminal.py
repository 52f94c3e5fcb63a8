"""Watches the terminal: status, locks, version, and the sales it made.

Hysteresis: a fault counts at once; silence counts after two enquiries in a row; one good answer ends either.
"""

_SILENT = 2


class TerminalWatch:
    """`history` gets every sale seen as the terminal's last receipt, so that a refund can be held against it later."""

    def __init__(self, terminal, settings, snapshot, events, history):
        self.terminal = terminal
        self.every_ms = settings.get("every_ms", 10000)
        self.snapshot = snapshot
        self.events = events
        self.history = history
        self._registered = False
        self.misses = 0  # enquiries in a row without an answer
        self._said = None  # last thing said in events: (ok, code)
        self.version = None
        self.last = None

    async def sample(self):
        """One enquiry. True if the terminal answered and is not at work for somebody."""
        snapshot = self.snapshot
        try:
            if not self._registered:
                await self.terminal.register()  # a terminal that refuses can be watched all the same
                self._registered = True
            status = await self.terminal.enquire()
        except OSError:
            self._registered = False  # whoever was away may have been switched off, and forgets registrations
            self.misses += 1
            snapshot.put("terminal_silent", self.misses)
            if self.misses >= _SILENT:
                snapshot.put("terminal_ok", 0)
                self._say("terminal_silent", (0, None), {"terminal_silent": self.misses})
            return False
        self.misses = 0
        snapshot.put("terminal_silent", 0)
        snapshot.put("terminal_code", status.code)
        snapshot.put("terminal_locks", status.locks)
        snapshot.put("terminal_state", status.state)
        if status.version is not None:
            snapshot.put("terminal_version", status.version)
            if status.version != self.version:
                self.version = status.version
                self.events.add("terminal_version", {"terminal_version": status.version})
        ok = 0 if status.code or status.locks or status.state else 1
        snapshot.put("terminal_ok", ok)
        numbers = {"terminal_code": status.code, "terminal_locks": status.locks or 0}
        self._say("terminal_ready" if ok else "terminal_fault", (ok, status.code), numbers)
        return not status.busy

    def _say(self, name, what, numbers):
        if what != self._said:
            self._said = what
            self.events.add(name, numbers)

    async def look_at_receipt(self):
        """Ask for the last receipt and remember a sale. TerminalSilent: it cannot tell now."""
        receipt = await self.terminal.last_receipt()
        if receipt is not None and receipt.receipt is not None:
            self.snapshot.put("terminal_receipt", receipt.receipt)
            # while a refund is open its receipt is not known to be ours yet: the next look tells
            if (receipt.receipt, receipt.trace) != self.last and not self.history.open:
                self.last = (receipt.receipt, receipt.trace)
                self.events.add("terminal_receipt", {"receipt": receipt.receipt, "amount": receipt.amount or 0})
                if not receipt.code and not receipt.reversal and receipt.amount:
                    if not self.history.is_no_sale(receipt):
                        self.history.record_sale(receipt)
        return receipt
