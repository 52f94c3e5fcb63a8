"""Terminal port over ZVT: registration, status enquiry, refund, repeat receipt, abort. Source: PA00P015.

A ZVT refund (06 31) names no receipt and carries no key, and the transport has no protection against duplicates. So the
driver sends it exactly once, believes an approval only when a status information (04 0F) with this amount and result 00
was followed by the completion (06 0F), and reports everything else that is no refusal as TerminalSilent: unknown.
"""

import asyncio

from ...said import Outcome, Receipt, TerminalSilent, TerminalStatus
from . import apdu

_REGISTER = 0x0600
_REPEAT_RECEIPT = 0x0620
_REFUND = 0x0631
_ABORT = 0x06B0
_STATUS = 0x0501

_COMPLETION = 0x060F
_ABORTED = 0x061E
_STATUS_INFO = 0x040F
_INTERMEDIATE = 0x04FF
_OK = b"\x80\x00\x00"
_UNKNOWN = b"\x84\x83\x00"

_PLEASE_WAIT = 0x9C
_BUSY = (0x9C, 0xA0)  # please wait; receiver not ready
_TEXT = 32  # characters of a model or version that are kept: they go into every status
_ALONE = 0x10  # configuration byte: the ECR controls payments, the terminal starts none by itself


class Terminal:
    """`line`: SerialLine (or anything with its send, receive, drain, frames, errors). `settings`: {"password": 0,
    "currencies": {"EUR": 978}, "config": 0x18, "t3_ms": 5000, "t4_ms": 180000, "quiet_ms": 50}.

    config is the configuration byte of 06 00: 08 intermediate status wanted, 10 the terminal starts no payment by itself.
    `lock`: held while we talk; that of a gate waits until the till has done.
    """

    tills = False  # True behind a gate: the till registers, and `told` says how
    unregistered = 0x6B  # its code where nobody did

    def __init__(self, line, settings, lock=None):
        self.line = line
        self._password = apdu.bcd(settings.get("password", 0), 3)
        self.currencies = settings["currencies"]
        self._config = settings.get("config", 0x18)
        self._t3 = settings.get("t3_ms", 5000)
        self._t4 = settings.get("t4_ms", 180000)
        self._quiet = settings.get("quiet_ms", 50)
        self.alone = False
        self.last_info = None  # the last 04 0F, as it came
        self._more = {}
        self._explained = None, 0  # the last code, and its cause
        self._lock = lock or asyncio.Lock()

    @property
    def busy(self):
        return self._lock.locked()

    def told(self, password, config):
        """A till registered with this password (3 BCD bytes) and this configuration byte."""
        self._password = password
        self.alone = bool(config & _ALONE)

    async def register(self):
        if self.tills:
            return None
        currency = min(self.currencies.values())
        data = self._password + bytes((self._config,)) + apdu.bcd(currency, 2)
        command, data, _ = await self._talk(apdu.pack(_REGISTER, data))
        registered = command == _COMPLETION
        self.alone = registered and bool(self._config & _ALONE)
        if not registered:
            return None if data and data[0] in _BUSY else False
        try:
            self._learn_id(apdu.unpack_bitmaps(data))
        except apdu.ApduError:
            pass  # its number is all we would take of it
        return True

    def _learn_id(self, info):
        number = info.get("terminal_id")
        if number:
            self._more["terminal_id"] = "%08d" % number

    async def enquire(self):
        # service byte 04: with the TLV status
        command, data, _ = await self._talk(apdu.pack(_STATUS, self._password + b"\x03\x04"), 0, True)
        if command != _COMPLETION:
            code = data[0] if data else _PLEASE_WAIT
            return TerminalStatus(code, code in _BUSY)
        try:
            version, code, items = apdu.unpack_status(data)
        except apdu.ApduError as error:
            raise TerminalSilent("the terminal's status is malformed: %s" % error)
        locks = apdu.find_tlv(items, 0x1F55)
        state = apdu.find_tlv(items, 0x1F43)
        if locks is not None:
            locks = locks[0] | locks[1] << 8 if len(locks) > 1 else None
        model = apdu.find_tlv(items, 0x1F40)
        if model:
            self._more["terminal_model"] = apdu.printable(model)[:_TEXT]
        if version is None:
            version = apdu.find_tlv(items, 0x1F41)
            version = version and apdu.printable(version)[:_TEXT]
        return TerminalStatus(code, code in _BUSY, version, locks, state[0] if state else None, dict(self._more))

    async def last_receipt(self):
        # service byte: bit 0 send the status information again, bit 1 do not print
        command, data, info = await self._talk(apdu.pack(_REPEAT_RECEIPT, self._password + b"\x03\x03"))
        if info is not None:
            return self.receipt_of(info)
        if command == _ABORTED and data and data[0] not in _BUSY:
            return None
        raise TerminalSilent("the terminal cannot tell its last receipt now")

    async def refund(self, amount, currency, wish=None):
        if wish:
            message = wish.message
        else:
            data = self._password + b"\x04" + apdu.bcd(amount, 6) + b"\x49" + apdu.bcd(self.currencies[currency], 2)
            message = apdu.pack(_REFUND, data)
        return self.outcome_of(await self._talk(message, repeats=0, wish=wish), amount)

    def outcome_of(self, ended, amount):
        """The Outcome of what moves money, by how it ended; TerminalSilent where that proves nothing. `amount`: what was
        asked, None for one that the terminal alone knows."""
        command, data, info = ended
        told = info or {}
        approved = told.get("result_code") == 0
        if command == _COMPLETION:
            if approved and (amount is None or told.get("amount", amount) == amount):
                return Outcome(True, 0, self.receipt_of(info))
            raise TerminalSilent("a completion without proof")
        if approved:
            raise TerminalSilent("approved, then aborted")
        return Outcome(False, data[0] if data else 0xFF, self.receipt_of(info) if info else None)

    async def abort(self):
        await self.line.send(apdu.pack(_ABORT), 0)

    def counters(self):
        return self.line.frames, self.line.errors

    def cause(self, code):
        if code != self._explained[0]:  # a pre-flight asks for the same one again and again
            from . import codes  # loaded for this, and let go

            self._explained = code, codes.cause(code)
            codes.let_go()
        return self._explained[1]

    async def _talk(self, message, repeats=2, status=False, wish=None):
        """One command to its end: (completion 060F, abort 061E or negative answer 0x84xx, its data, fields of the last
        04 0F or None). Of an abort and a negative answer the data begin with the code. `wish`: the till's whose command this
        is; it gets what the terminal says, and answers it."""
        async with self._lock:
            try:
                return await self._converse(message, repeats, status, wish)
            except apdu.ApduError as error:
                raise TerminalSilent("the terminal's answer is malformed: %s" % error)

    async def _converse(self, message, repeats, status, wish):
        for late in await self.line.drain(self._quiet):
            await self._acknowledge(late)
        await self.line.send(message, repeats)
        while True:  # until 80 00 00 or 84 xx 00 within T3; what else arrives belongs to an earlier command
            answer = await self.line.receive(self._t3)
            if answer[:2] == b"\x80\x00":
                break
            if answer[0] == 0x84:
                return answer[0] << 8 | answer[1], answer[1:2], None
            await self._acknowledge(answer)
        info = None
        wait = self._t4
        while True:
            answer = await self.line.receive(wait)
            try:
                kind, body = apdu.unpack(answer)
                if kind == _STATUS_INFO:
                    self.last_info = answer
                    info = apdu.unpack_bitmaps(body)
                elif kind == _INTERMEDIATE and len(body) > 1:
                    wait = apdu.from_bcd(body[1:2]) * 60000 or wait
            except apdu.ApduError:
                await self.line.send(_UNKNOWN)
                raise
            if answer[0] == 0x84 or answer[0] == 0x80:
                continue
            await self._acknowledge(answer, wish)
            if kind == _ABORTED:
                return kind, body, info
            # a status completion has a version or a status byte; one that is empty or begins with a TLV container ends an
            # earlier command that the terminal had not finished when we began to ask
            if kind == _COMPLETION and (not status or (body and body[0] != 0x06)):
                return kind, body, info

    async def _acknowledge(self, message, wish=None):
        if message[0] != 0x80 and message[0] != 0x84:
            await self.line.send(await wish.relay(message) if wish else _OK)

    def receipt_of(self, info):
        """The Receipt that the fields of a 04 0F are."""
        self._learn_id(info)
        original = info.get("original_trace")
        card_name = info.get("card_name")
        if card_name and sum([one.isdigit() for one in card_name]) > 8:
            card_name = None  # that is no name, and may be the card's number
        return Receipt(
            info.get("receipt"),
            info.get("trace"),
            info.get("amount"),
            info.get("currency"),
            info.get("date"),
            info.get("time"),
            info.get("result_code", 0),
            original is not None,
            info.get("last_four"),
            original,
            card_name[:16] if card_name else None,
            self._more.get("terminal_id"),
            info.get("card_token"),
        )
