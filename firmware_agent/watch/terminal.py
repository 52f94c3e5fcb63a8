"""Watches the terminal: status, locks, version, what else it tells, how long a fault stands, and the sales it made.

Hysteresis: a fault counts at once; silence counts after two enquiries in a row; one good answer ends either.
"""

from .. import dates
from ..wire.names import WAITS_FOR_TILL

_SILENT = 2
_FAULTS = (0, 1, 10, 13)  # causes that a restart of the terminal may mend; 0 is a code no table lists
_FAULT_LOCKS = 0x6318  # TLV 1F55: out of order, service, MDB, contactless reader, card still inserted, reader not found
_JUST_S = 60  # a receipt that may be older does not tell what time it is
_QUARTER_S = 900  # time zones differ by whole quarters of an hour,
_ZONES = 56  # by 14 hours at most


class TerminalWatch:
    """`history` gets every sale seen as the terminal's last receipt, so that a refund can be held against it later.
    `reference`: ClockWatch that is told the time of new receipts, or None."""

    def __init__(self, terminal, settings, snapshot, events, history, reference=None):
        self.terminal = terminal
        self.every_ms = settings.get("every_ms", 10000)
        self.snapshot = snapshot
        self.events = events
        self.history = history
        self.reference = reference
        self._registered = False
        self.misses = 0  # enquiries in a row without an answer
        self._said = None  # last thing said in events: (ok, code)
        self.version = None
        self.last = None
        self._looked = None  # uptime of the last look at the receipt
        self._fault = None  # uptime when the fault that stands was first seen
        self._away = False  # the terminal was silent since
        self._more = ()

    async def sample(self):
        """One enquiry. True if the terminal answered and is not at work for somebody."""
        snapshot = self.snapshot
        if getattr(self.terminal, "absent", False):
            return False
        try:
            if not self._registered:
                self._registered = await self.terminal.register()  # one that refuses can be watched all the same
                if self._registered:
                    self.logged_on()
                elif self._registered is False:
                    snapshot.put("terminal_registered", 0)
                elif getattr(self.terminal, "tills", False):
                    snapshot.put("terminal_registered", WAITS_FOR_TILL)
            status = await self.terminal.enquire()
        except OSError:
            if self.terminal.busy:
                return False  # the till behind our gate has it
            self._registered = False  # whoever was away may have been switched off, and forgets registrations
            self.misses += 1
            snapshot.put("terminal_silent", self.misses)
            if self.misses >= _SILENT:
                self._away = True
                snapshot.put("terminal_ok", 0)
                self._say("terminal_silent", (0, None), {"terminal_silent": self.misses})
            return False
        self.misses = 0
        snapshot.put("terminal_silent", 0)
        snapshot.put("terminal_code", status.code)
        snapshot.put("terminal_locks", status.locks)
        snapshot.put("terminal_state", status.state)
        if self._registered:
            snapshot.put("terminal_registered", 1)
        for name in self._more:
            if name not in status.more:
                snapshot.put(name, None)
        self._more = status.more
        for name, value in status.more.items():
            snapshot.put(name, value)
        if status.version is not None:
            snapshot.put("terminal_version", status.version)
            if status.version != self.version:
                self.version = status.version
                self.events.add("terminal_version", {"terminal_version": status.version})
        self._time_fault(status)
        ok = 0 if status.code or status.locks or status.state else 1
        snapshot.put("terminal_ok", ok)
        numbers = {"terminal_code": status.code, "terminal_locks": status.locks or 0}
        self._say("terminal_ready" if ok else "terminal_fault", (ok, status.code), numbers)
        return not status.busy

    def logged_on(self):
        """The terminal let us log on, or the till: a code that spoke of that speaks no more."""
        self._registered = True
        snapshot = self.snapshot
        snapshot.put("terminal_registered", 1)
        if snapshot.get("host_code") == getattr(self.terminal, "unregistered", None):
            snapshot.put("host_code", None)

    def logged_off(self):
        """Whoever logged on is forgotten: we do it again, or wait for the till."""
        self._registered = False
        if getattr(self.terminal, "tills", False):
            self.snapshot.put("terminal_registered", WAITS_FOR_TILL)

    def heard(self, code):
        """A refund came to this, 0 or a code: that tells whether anybody is logged on."""
        self.snapshot.put("host_code", code or None)
        if not code:
            self.logged_on()
        elif code == getattr(self.terminal, "unregistered", None):
            self.logged_off()

    def _time_fault(self, status):
        """How long the fault stands; None without one, and once the terminal was away and came back with it."""
        if status.busy:
            return  # at work: what was said of it before still stands
        now = self.snapshot.clock.uptime_ms()
        seconds = None
        faulty = status.code and self.terminal.cause(status.code) in _FAULTS
        if not faulty and not (status.locks or 0) & _FAULT_LOCKS:
            self._fault = None
        elif self._fault is None:
            self._fault = now
            seconds = 0
        elif self._fault >= 0:
            if self._away:
                self._fault = -1  # a restart did not help
            else:
                seconds = (now - self._fault) // 1000
        self._away = False
        self.snapshot.put("terminal_fault_s", seconds)

    def _say(self, name, what, numbers):
        if what != self._said:
            self._said = what
            self.events.add(name, numbers)

    async def look_at_receipt(self):
        """Ask for the last receipt and remember a sale. TerminalSilent: it cannot tell now."""
        receipt = await self.terminal.last_receipt()
        before = self._looked
        self._looked = now = self.snapshot.clock.uptime_ms()
        if receipt is not None and receipt.receipt is not None:
            new = receipt.receipt != self.snapshot.get("terminal_receipt")
            self.snapshot.put("terminal_receipt", receipt.receipt)
            if receipt.terminal_id:
                self.snapshot.put("terminal_id", receipt.terminal_id)
            if new and before is not None and now - before <= _JUST_S * 1000:
                self._tell_time(receipt)
            # while a refund is open its receipt is not known to be ours yet: the next look tells
            if (receipt.receipt, receipt.trace) != self.last and not self.history.open:
                self.last = (receipt.receipt, receipt.trace)
                self.events.add("terminal_receipt", {"receipt": receipt.receipt, "amount": receipt.amount or 0})
                if not receipt.code and not receipt.reversal and receipt.amount:
                    if not self.history.is_no_sale(receipt):
                        self.history.record_sale(receipt)
        return receipt

    def _tell_time(self, receipt):
        """A receipt that was made just now says what time it is, in a zone nobody tells: the one that fits best."""
        reference = self.reference
        if reference is None:
            return
        ours = reference.clock.wall_s()
        date, time = receipt.date, receipt.time
        if ours is None or date is None or time is None or not 101 <= date <= 1231 or time >= 240000:
            return
        year = dates.date_of(ours // dates.DAY_S) // 10000
        seconds = time // 10000 * 3600 + time // 100 % 100 * 60 + time % 100
        ahead = None
        for its in (year - 1, year, year + 1):  # the year that brings it closest
            one = ours - dates.day_of(its * 10000 + date) * dates.DAY_S - seconds
            if ahead is None or abs(one) < abs(ahead):
                ahead = one
        zone = max(-_ZONES, min(_ZONES, (ahead + _QUARTER_S // 2) // _QUARTER_S))
        reference.told(ours - ahead + zone * _QUARTER_S)
