"""The till itself: one command after the other, each to its end, and a document of what became of it."""

import asyncio

from hal.said import TerminalSilent
from hal.terminals.zvt import apdu, cashier

from . import words
from .commands import money
from .plug import plugged

# Exit status of each outcome
APPROVED, DONE, DECLINED, HELD, ABORTED = "approved", "done", "declined", "held", "aborted"
NO_TERMINAL, UNKNOWN = "no-terminal", "unknown"
STATUS = {APPROVED: 0, DONE: 0, DECLINED: 3, HELD: 3, ABORTED: 3, NO_TERMINAL: 5, UNKNOWN: 6}

_BROKEN_OFF = 0x6C
_BUSY_S = 1.0  # between two tries to register at a terminal that is at work
_BUSY_TRIES = 5
_SECOND_MS = 5000  # of silence until no answer to a command that was sent twice is expected any more


class NoTerminal(Exception):
    """Nobody answers, or nobody lets us in; the text says which. `status`: exit status."""

    def __init__(self, text, status=STATUS[NO_TERMINAL]):
        super().__init__(text)
        self.status = status


class Till:
    """`where`: PATH or HOST:PORT. `currency`: letters, with its number in settings (as hal.terminals.zvt.terminal has them).
    `line`: t1_ms, t2_ms, baud. `faults`: as plug has them, and naks. `abort_ms`: the stop key is pressed so long after a
    command that moves money began."""

    def __init__(self, where, currency, settings, line, faults, screen, registers=True, abort_ms=None):
        self._where = where
        self._currency = currency
        self._settings = settings
        self._line = line
        self._faults = faults
        self._screen = screen
        self._registers = registers
        self._abort_ms = abort_ms
        self._port = None
        self._cashier = None
        self._refusal = ""
        self._printed = []

    # ---- the line ----
    async def plug_in(self):
        """Open the line and register, unless that is done. NoTerminal."""
        if self._port is not None:
            return
        try:
            line, self._port = await plugged(self._where, **self._line, **self._faults)
        except OSError as error:
            raise NoTerminal("%s cannot be opened: %s" % (self._where, error.strerror or error)) from None
        self._cashier = cashier.Cashier(line, self._settings, self._said)
        if self._registers:
            try:
                await self._register()
            except NoTerminal:
                self.unplug()
                raise
            except OSError as error:
                self.unplug()
                raise NoTerminal("no terminal at %s: %s" % (self._where, error)) from None

    async def _register(self):
        for _ in range(_BUSY_TRIES):
            let_in = await self._cashier.register()
            if let_in is not None:
                break
            await asyncio.sleep(_BUSY_S)
        if not let_in:
            raise NoTerminal("the terminal %s" % ("is busy" if let_in is None else "refuses us"), STATUS[DECLINED])

    def unplug(self):
        port, self._port = self._port, None
        if port:
            port.close()

    async def listen(self):
        """Take and answer what the terminal says unasked, for a moment."""
        if self._port is None:
            await asyncio.sleep(0.1)
            return
        try:
            await self._cashier.listen(100)
        except OSError:
            self.unplug()

    # ---- commands ----
    async def carry_out(self, command):
        """A document (dict for JSON) of one command."""
        self._screen.clear()
        self._refusal, self._printed = "", []
        document = _document(command)
        try:
            await self.plug_in()
            before = self._port.written
            document.update(await self._asked(command))
        except NoTerminal as error:
            return self.not_begun(command, error)
        except OSError as error:
            sent = self._port.written != before and command.name not in ("status", "last", "diagnosis", "abort")
            document["outcome"] = UNKNOWN if sent else NO_TERMINAL
            self._screen.show("%s\n%s" % ("OUTCOME UNKNOWN" if sent else "NO TERMINAL", error))
            if not isinstance(error, TerminalSilent):
                self.unplug()
        document["display"] = self._screen.shown
        if self._printed:
            document["printed"] = self._printed
        return document

    def not_begun(self, command, error):
        """The document of a command that no terminal heard."""
        self._screen.clear()
        self._screen.show("NO TERMINAL\n%s" % error)
        return {**_document(command), "outcome": NO_TERMINAL, "display": self._screen.shown}

    async def break_off(self, command):
        """The stop key, while another command is under way: its document."""
        await self._cashier.abort()
        return {**_document(command), "outcome": DONE}

    async def _asked(self, command):
        name = command.name
        if command.name in ("sale", "refund", "void"):
            return await self._money(command)
        if name == "status":
            return self._status(await self._cashier.enquire())
        if name == "last":
            return self._last(await self._cashier.last_receipt())
        if name == "end-of-day":
            return self._day(await self._cashier.end_of_day())
        if name == "diagnosis":
            return self._diagnosis(*await self._cashier.diagnosis())
        if name == "initialise":
            return self._ended(await self._cashier.initialise(), "INITIALISED")
        if name == "log-off":
            return self._ended(0 if await self._cashier.log_off() else 0x83, "LOGGED OFF")
        await self._cashier.abort()
        return self._ended(0, "ABORT SENT")

    async def _money(self, command):
        ask = self._cashier
        self._port.arm()
        self._faults = {**self._faults, "hang_up_ms": None}  # once is enough: the next command opens the line again
        key = asyncio.create_task(self._stop_key()) if self._abort_ms is not None else None
        try:
            if command.name == "sale":
                outcome = await ask.sale(command.amount, self._currency)
            elif command.name == "refund":
                outcome = await ask.refund(command.amount, self._currency)
            else:
                outcome = await ask.void(command.receipt, command.amount)
        finally:
            if key:
                key.cancel()
        found = self._ended_money(command, outcome)
        if self._faults["twice"] and command.name == "refund":
            found["second"] = await self._second()
        return found

    async def _stop_key(self):
        await asyncio.sleep(self._abort_ms / 1000)
        await self._cashier.abort()

    async def _second(self):
        """What the terminal says to a command that it was sent once more: {"code", "receipt"}, None where it says nothing."""
        receipt = None
        while message := await self._cashier.listen(_SECOND_MS):
            kind, body = apdu.unpack(message)
            if kind == 0x040F:
                receipt = apdu.unpack_bitmaps(body).get("receipt")
            elif kind == 0x060F:
                return {"code": 0, "receipt": receipt}
            elif kind == 0x061E or message[0] == 0x84:
                return {"code": message[1] if message[0] == 0x84 else (body or b"\xff")[0], "receipt": receipt}
        return None

    # ---- what is told ----
    def _ended_money(self, command, outcome):
        told = outcome.receipt
        found = {"code": outcome.code}
        if told:
            found.update(receipt=told.receipt, trace=told.trace, amount=told.amount)
        if outcome.accepted:
            verb = {"sale": "APPROVED", "refund": "REFUNDED", "void": "VOIDED"}[command.name]
            text = verb if told.amount is None else "%s %s" % (verb, money(told.amount, self._currency))
            text += "\nreceipt %s" % told.receipt
            if command.name == "void" and told.original is not None:
                text += ", trace of the sale %d" % told.original
            self._screen.show(text)
            return {"outcome": APPROVED, **found}
        return {**found, **self._refused(outcome.code, told is not None)}

    def _refused(self, code, decided=True):
        """`decided`: the terminal, or its host, came to a result; otherwise somebody held it back before."""
        if code == _BROKEN_OFF:
            outcome = ABORTED
        else:
            outcome = DECLINED if decided or not self._refusal else HELD
        self._screen.show(outcome.upper() + "\n" + (self._refusal or words.result(code)))
        return {"outcome": outcome, "code": code}

    def _ended(self, code, text):
        if code:
            return self._refused(code)
        self._screen.show(text)
        return {"outcome": DONE, "code": 0}

    def _status(self, status):
        version = "" if status.version is None else "version " + status.version
        ready = "TERMINAL READY" if status.code == 0 else words.result(status.code).upper()
        self._screen.show(ready + "\n" + version)
        told = {
            "busy": status.busy,
            "version": status.version,
            "locks": status.locks,
            "state": status.state,
            **status.more,
        }
        return {"outcome": DONE, "code": status.code, "status": told}

    def _last(self, receipt):
        if receipt is None:
            self._screen.show("NO RECEIPT")
            return {"outcome": DONE}
        what = "APPROVED" if receipt.code == 0 else words.result(receipt.code)
        if receipt.amount is not None:
            what += " " + money(receipt.amount, self._currency)
        self._screen.show("LAST RECEIPT %s\n%s" % (receipt.receipt, what))
        return {
            "outcome": DONE,
            "code": receipt.code,
            "receipt": receipt.receipt,
            "trace": receipt.trace,
            "amount": receipt.amount,
        }

    def _day(self, day):
        if not day.accepted:
            return self._refused(day.code)
        total = "" if day.total is None else money(day.total, self._currency)
        if day.first is not None:
            total += ", receipts %d to %d" % (day.first, day.last)
        self._screen.show("DAY CLOSED\n" + total)
        told = {"total": day.total, "first": day.first, "last": day.last, "groups": day.groups}
        return {"outcome": DONE, "code": 0, "amount": day.total, "day": told}

    def _diagnosis(self, code, date, time):
        if code:
            return self._refused(code)
        clock = None
        if date is not None and time is not None:
            day, hour = "%06d" % date, "%06d" % time
            clock = "20%s-%s-%s %s:%s:%s" % (day[:2], day[2:4], day[4:], hour[:2], hour[2:4], hour[4:])
        self._screen.show("DIAGNOSIS DONE" + ("\nthe host's clock: " + clock if clock else ""))
        return {"outcome": DONE, "code": 0, "clock": clock}

    def _said(self, kind, code, text):
        if kind == cashier.WAIT:
            self._screen.show(text or words.waits(code))
        elif kind == cashier.PRINT:
            self._printed.append(text)
        elif text and code:  # the end is shown when it is believed
            self._refusal = text


def _document(command):
    names = ("outcome", "code", "receipt", "trace", "amount")
    return {"command": command.text, **dict.fromkeys(names), "display": []}
