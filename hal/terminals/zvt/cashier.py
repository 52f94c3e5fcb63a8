"""What a till (ECR) asks a terminal for besides what an agent does: sale, void, end of day, diagnosis. Source: PA00P015.

The rules of belief are those of Terminal.refund: whatever moves money goes out once; it is approved only when a status
information (04 0F) with result 00 and this amount was followed by the completion (06 0F), and unknown (TerminalSilent) when
anything contradicts. A void is compared with what is known of its sale besides: terminals have been seen to take back the
last sale instead of the chosen one.
"""

from ...said import TerminalSilent
from ...ticks import deadline, left
from . import apdu
from .shown import lines, readable, shown
from .terminal import Terminal

_SALE = 0x0601
_LOG_OFF = 0x0602
_VOID = 0x0630
_END_OF_DAY = 0x0650
_DIAGNOSIS = 0x0670
_INITIALISE = 0x0693
_ABORT = 0x06B0

_COMPLETION = 0x060F
_ABORTED = 0x061E
_STATUS_INFO = 0x040F
_INTERMEDIATE = 0x04FF
_SET_CLOCK = 0x0401
_PRINT_LINE = 0x06D1
_PRINT_BLOCK = 0x06D3

_PRINT_TEXTS = 0x25  # TLV

# What `said` is told: somebody waits (04 FF), the result (04 0F), it ended without (06 1E, 84 xx), a line to print
WAIT, RESULT, REFUSED, PRINT = "wait", "result", "refused", "print"

_LOOK_MS = (
    500  # between two looks whether somebody wants to break off; longer than T1, which the line watches meanwhile
)
_MOST_SALES = 50  # remembered to compare a void with: a till voids what it has just sold

# BMP 60, behind first and last receipt: a count and a total each
GROUPS = ("girocard", "JCB", "Mastercard", "American Express", "VISA", "Diners", "other")
_TOTALS_SIZE = 4 + 7 * len(GROUPS)


class Day:
    """What an end of day came to. accepted, code: as in Outcome. total: minor units, without a sign, None where it is not
    told. currency: ISO 4217 number. first, last: receipts. groups: {name of GROUPS: (count, total)}, {} where not told."""

    def __init__(self, accepted, code, info):
        self.accepted = accepted
        self.code = code
        self.total = info.get("amount")
        self.currency = info.get("currency")
        self.first = self.last = None
        self.groups = {}
        totals = info.get("totals")
        if totals is not None and len(totals) == _TOTALS_SIZE:
            self.first = apdu.from_bcd(totals[:2])
            self.last = apdu.from_bcd(totals[2:4])
            for index, name in enumerate(GROUPS):
                at = 4 + 7 * index
                self.groups[name] = (totals[at], apdu.from_bcd(totals[at + 1 : at + 7], at + 1))


class Cashier(Terminal):
    """`said(kind, code, text)` is told what a till shows and prints: kind WAIT, RESULT, REFUSED or PRINT; code of it; text as
    the terminal sends it, lines parted by a line feed, "" where it sends none. Card numbers are struck out."""

    def __init__(self, line, settings, said=None):
        super().__init__(_Breakable(line), settings)
        self._said = said or (lambda kind, code, text: None)
        self._sold = []  # (receipt, trace, amount) of sales seen here, the newest last
        self._clock = None

    async def sale(self, amount, currency):
        """Outcome of one sale, `amount` in minor units. TerminalSilent: unknown."""
        data = b"\x04" + apdu.bcd(amount, 6) + b"\x49" + apdu.bcd(self.currencies[currency], 2)
        outcome = self.outcome_of(await self._once(_SALE, data), amount)
        if outcome.accepted:
            number = outcome.receipt.receipt  # may come again one day
            self._sold = [sold for sold in self._sold if sold[0] != number][1 - _MOST_SALES :]
            self._sold.append((number, outcome.receipt.trace, amount))
        return outcome

    async def void(self, receipt, amount=None, trace=None):
        """Outcome of taking back the sale with that receipt number (06 30). `amount`, `trace`: of the sale, where they are
        known; the terminal compares the amount too. TerminalSilent: unknown, or another sale was taken back."""
        for sold, its_trace, its_amount in self._sold:
            if sold == receipt:
                trace = its_trace if trace is None else trace
                amount = its_amount if amount is None else amount
        data = self._password + b"\x87" + apdu.bcd(receipt, 2)
        if amount is not None:
            data += b"\x04" + apdu.bcd(amount, 6)
        outcome = self.outcome_of(await self._once(_VOID, data), amount)
        if outcome.accepted:
            self._compare(outcome.receipt, receipt, trace)
        return outcome

    def _compare(self, told, receipt, trace):
        """TerminalSilent if what the terminal tells of a void is another sale than the one with this receipt and trace."""
        if trace is not None and told.original is not None and told.original != trace:
            raise TerminalSilent("the terminal took back the sale of trace %d, not of %d" % (told.original, trace))
        for sold, its_trace, _ in self._sold:
            if sold != receipt and (told.receipt == sold or (told.original or -1) == its_trace):
                raise TerminalSilent("the terminal took back the sale of receipt %d, not of %d" % (sold, receipt))

    async def end_of_day(self):
        """Day. TerminalSilent: unknown, it may be closed."""
        command, data, info = await self._once(_END_OF_DAY, self._password)
        if command == _COMPLETION:
            self._sold = []  # no void reaches back over it, and numbers may begin anew
            return Day(not info or not info.get("result_code"), info.get("result_code", 0) if info else 0, info or {})
        return Day(False, data[0] if data else 0xFF, {})

    async def diagnosis(self):
        """(0 or the code of the refusal, date YYMMDD, time HHMMSS): the host's clock, None where it is not told (04 01)."""
        self._clock = None
        command, data, _ = await self._talk(apdu.pack(_DIAGNOSIS))
        date, time = self._clock or (None, None)
        return 0 if command == _COMPLETION else data[0] if data else 0xFF, date, time

    async def initialise(self):
        """0, or the code of the refusal."""
        command, data, _ = await self._talk(apdu.pack(_INITIALISE, self._password))
        return 0 if command == _COMPLETION else data[0] if data else 0xFF

    async def log_off(self):
        """True: the terminal let us go. 80 00 00 is all that answers it."""
        async with self._lock:
            accepted = await self._short(_LOG_OFF)
        self.alone = self.alone and not accepted
        return accepted

    async def abort(self):
        """Break off what runs (06 B0), as a key of the till does; the terminal is told so too where nothing runs."""
        if self.busy:
            self.line.wanted = True
            return
        async with self._lock:
            await self._short(_ABORT)

    async def listen(self, timeout_ms):
        """Take and answer one message that comes unasked; None after `timeout_ms`."""
        async with self._lock:
            try:
                message = await self.line.receive(timeout_ms)
            except TerminalSilent:
                return None
            await self._acknowledge(message)
            return message

    # ---- conversations ----
    async def _once(self, command, data):
        return await self._talk(apdu.pack(command, data), 0)

    async def _talk(self, *command, **how):
        try:
            ended = await super()._talk(*command, **how)
        finally:
            self.line.wanted = False  # to break off that, not what comes next
        if ended[0] >> 8 == 0x84:
            self._said(REFUSED, ended[0] & 0xFF, "")
        return ended

    async def _short(self, command):
        for late in await self.line.drain(self._quiet):
            await self._acknowledge(late)
        await self.line.send(apdu.pack(command))
        while True:
            answer = await self.line.receive(self._t3)
            if answer[0] == 0x80 or answer[0] == 0x84:
                return answer[0] == 0x80
            await self._acknowledge(answer)

    # ---- what the terminal says besides ----
    async def _acknowledge(self, message, wish=None):
        try:
            self._hear(*apdu.unpack(message))
        except apdu.ApduError:
            pass  # only for showing; whoever needs it says what is wrong with it
        await super()._acknowledge(message, wish)

    def _hear(self, kind, body):
        if kind == _INTERMEDIATE and body:
            self._said(WAIT, body[0], shown(_tlv(body, 2) or _tlv(body, 1)))
        elif kind == _STATUS_INFO:
            fields = apdu.unpack_bitmaps(body)
            text = shown(apdu.unpack_tlv(fields.get("tlv", b"")))
            if "result_code" in fields:
                self._said(RESULT, fields["result_code"], text or fields.get("text", ""))
        elif kind == _ABORTED:
            self._said(REFUSED, body[0] if body else 0xFF, shown(_tlv(body, 1)))
        elif kind == _PRINT_LINE and body:
            self._said(PRINT, body[0], readable(body[1:]))
        elif kind == _PRINT_BLOCK:
            fields = apdu.unpack_bitmaps(body)
            for line in lines(apdu.unpack_tlv(fields.get("tlv", b"")), _PRINT_TEXTS):
                self._said(PRINT, 0, line)
        elif kind == _SET_CLOCK:
            fields = apdu.unpack_bitmaps(body)
            self._clock = fields.get("date_yymmdd"), fields.get("time")


class _Breakable:
    """A line on which an abort may go out while an answer is waited for: nobody else writes then."""

    def __init__(self, line):
        self._line = line
        self.wanted = False
        self.send = line.send
        self.drain = line.drain

    @property
    def frames(self):
        return self._line.frames

    @property
    def errors(self):
        return self._line.errors

    async def receive(self, timeout_ms):
        until = deadline(timeout_ms)
        while True:
            if self.wanted:
                self.wanted = False
                await self._line.send(apdu.pack(_ABORT), 0)
            look = deadline(min(left(until), _LOOK_MS))
            try:
                return await self._line.receive(left(look))
            except TerminalSilent:
                if left(look) or not left(until):
                    raise


def _tlv(body, start):
    """TLV items of the container among the bitmaps of `body` from `start` on; [] where there is none."""
    try:
        return apdu.unpack_tlv(apdu.unpack_bitmaps(body, start).get("tlv", b""))
    except apdu.ApduError:
        return []
