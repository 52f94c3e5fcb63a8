"""What a ZVT card terminal does with a command: an APDU in, steps out. Knows no line, no frames, no timers.

`Behaviour.handle(apdu)` is a generator of steps (Send, Wait, PowerCut); whoever carries the line does each step and
sends its result back in. The same behaviour can stand behind a serial line or behind TCP.

Source: command paper PA00P015. Where the paper leaves a choice, this terminal does as follows:
- Every command that is known is accepted first (80 00 00); what is wrong with it comes as 06 1E. Unknown: 84 83 00.
- Not registered: 01, 30 and 31 end with 6B. Registration is forgotten by log-off and by a power cut.
- Wrong password: 83. Bitmaps that cannot be read, or a reversal without a receipt number: 9A. Amount 0: C8. No amount:
  6C, as nobody stands at the keyboard. Currency: 6F, followed by the terminal's own currency where one was sent.
- A reversal takes back approved sales of the open batch only. Already reversed: B4. Unknown receipt, other amount: B5.
  Its 04 0F carries its own receipt (87) and trace (0B) and the trace of the sale (37).
- There is one card, the simulated one, whatever card the till sends along (22).
- A declined transaction has a receipt number, is in the store and is what 06 20 repeats. An aborted one is not.
- 06 20 and 05 01 need no registration. 06 20 on an empty store: 83.
- Neither status nor locks refuse a transaction, they are only reported; a supply too low does (BF).
- The paper has no duplicate protection on a serial line: a 06 31 that arrives twice is executed twice.
- The answer to 04 0F is not read: neither automatic reversal (84 66) nor a repeat on request (84 9C).
"""

import dataclasses
import time

from hal.terminals.zvt import apdu

from . import reports

ACCEPTED = b"\x80\x00\x00"
_COMPLETED = apdu.pack(reports.COMPLETION)

REGISTRATION, AUTHORISATION, LOG_OFF, REPEAT_RECEIPT = 0x0600, 0x0601, 0x0602, 0x0620
REVERSAL, REFUND, END_OF_DAY, DIAGNOSIS = 0x0630, 0x0631, 0x0650, 0x0670
INITIALISATION, ABORT, STATUS_ENQUIRY = 0x0693, 0x06B0, 0x0501
ABORTED, INTERMEDIATE = 0x061E, 0x04FF

# Result codes of PA00P015, chapter "error messages"
NOT_REGISTERED, TIMEOUT, WRONG_CURRENCY, NOT_POSSIBLE, PROTOCOL_ERROR = 0x6B, 0x6C, 0x6F, 0x83, 0x9A
ALREADY_REVERSED, NO_REVERSAL, AMOUNT_TOO_SMALL = 0xB4, 0xB5, 0xC8

# Config byte of 06 00
PRINTS_PAYMENTS, WANTS_INTERMEDIATE, CONTROLS_PAYMENT, PRINTS_BY_LINE = 0x02, 0x08, 0x10, 0x80

# Codes of 04 FF, and how often one is sent: at least each second
INSERT_CARD, WAITING_FOR_HOST = 0x0A, 0x04
INTERMEDIATE_SECONDS = 0.8

_MENDED_BY = {DIAGNOSIS: "diagnosis", INITIALISATION: "initialisation", END_OF_DAY: "reconciliation"}


@dataclasses.dataclass(frozen=True)
class Send:
    """One APDU to the till. Result: False where the till never acknowledged it; then nothing more need be said."""

    apdu: bytes
    then_cut: bool = False  # the power is cut once it is on the line


@dataclasses.dataclass(frozen=True)
class Wait:
    """Time passes, `seconds`. Result: True, at once, when the till asks to abort (06 B0)."""

    seconds: float


@dataclasses.dataclass(frozen=True)
class PowerCut:
    """The terminal loses its power now."""


class _Refused(Exception):
    def __init__(self, code, more=b""):
        self.data = bytes((code,)) + more


class Behaviour:
    def __init__(self, store, settings, faults):
        self._store = store
        self._settings = settings
        self._faults = faults
        self._config = None  # config byte of the registration
        self._prints_blocks = False
        self._handlers = {
            REGISTRATION: self._registration,
            AUTHORISATION: lambda data: self._payment("sale", data),
            REVERSAL: lambda data: self._payment("reversal", data[3:], data[:3]),
            REFUND: lambda data: self._payment("refund", data[3:], data[:3]),
            REPEAT_RECEIPT: self._repeat_receipt,
            STATUS_ENQUIRY: self._status_enquiry,
            END_OF_DAY: self._end_of_day,
            DIAGNOSIS: lambda data: self._host_visit(DIAGNOSIS),
            INITIALISATION: self._initialisation,
            LOG_OFF: self._log_off,
            ABORT: lambda data: iter(()),  # nothing runs that could be aborted: accepting it is all
        }

    def handle(self, message):
        """The steps that answer one command of the till (a whole APDU)."""
        try:
            command, data = apdu.unpack(message)
        except apdu.ApduError:
            yield Send(_negative(PROTOCOL_ERROR))
            return
        if self._faults.negative is not None:
            code, self._faults.negative = self._faults.negative, None
            yield Send(_negative(code))
            return
        if command not in self._handlers:
            yield Send(_negative(NOT_POSSIBLE))
            return
        yield Send(ACCEPTED)
        try:
            yield from self._handlers[command](data)
        except _Refused as refused:
            yield Send(apdu.pack(ABORTED, refused.data))
        except apdu.ApduError:
            yield Send(apdu.pack(ABORTED, bytes((PROTOCOL_ERROR,))))

    def key_in_sale(self, amount):
        """A sale the cashier keys in at the terminal itself. The Turnover; ValueError where it cannot be."""
        if self._config is not None and self._config & CONTROLS_PAYMENT:
            raise ValueError("the till controls payments (config byte of its registration)")
        if self._faults.supply_mv is not None:
            raise ValueError("supply too low")
        return self._store.add("sale", amount, self._settings.currency, self._settings.masked_card)

    # -- transactions ---------------------------------------------------------------------------------------------

    def _payment(self, kind, data, password=None):
        if self._config is None:
            raise _Refused(NOT_REGISTERED)
        if password is not None:
            self._check_password(password)
        given = apdu.unpack_bitmaps(data)
        if self._faults.supply_mv is not None:
            raise _Refused(reports.SUPPLY_TOO_LOW)
        if "currency" in given:
            self._check_currency(given["currency"])
        if kind == "reversal":
            sale = self._sale_to_reverse(given)
            yield from self._transact(kind, sale.amount, sale)
            return
        if "amount" not in given:
            raise _Refused(TIMEOUT)
        if given["amount"] == 0:
            raise _Refused(AMOUNT_TOO_SMALL)
        yield from self._transact(kind, given["amount"], None)

    def _sale_to_reverse(self, given):
        if "receipt" not in given:
            raise _Refused(PROTOCOL_ERROR)
        sale = self._store.approved_sale(given["receipt"])
        if sale is None or given.get("amount", sale.amount) != sale.amount:
            raise _Refused(NO_REVERSAL)
        if sale.reversed_by is not None:
            raise _Refused(ALREADY_REVERSED)
        return sale

    def _transact(self, kind, amount, reverses):
        faults = self._faults
        if (yield from self._busy(faults.card_ms, INSERT_CARD)):
            raise _Refused(TIMEOUT)
        yield from self._busy(faults.host_ms, WAITING_FOR_HOST)
        if faults.abort is not None:
            code, faults.abort = faults.abort, None
            raise _Refused(code)
        die, faults.die = faults.die, None
        if die == "before-execute":
            yield PowerCut()
        result = faults.decline or 0
        if not faults.decline_always:
            faults.decline = None
        done = self._store.add(
            kind, amount, self._settings.currency, self._settings.masked_card, result, reverses=reverses
        )
        if die == "after-execute":
            yield PowerCut()
        arrived = yield Send(reports.status_information(done, self._settings), then_cut=die == "after-status")
        if die == "after-ack":
            yield PowerCut()
        if arrived and (yield from self._print(done)):
            yield Send(apdu.pack(ABORTED, bytes((result,))) if result else _COMPLETED)

    def _busy(self, milliseconds, code):
        """Let the time pass, with 04 FF where the till wants it. True as soon as the till asked to abort.

        06 B0 is accepted here whatever happens next: whether it came in time, the end of the transaction tells.
        """
        end = time.monotonic() + milliseconds / 1000
        while time.monotonic() < end:
            if (self._config or 0) & WANTS_INTERMEDIATE:
                yield Send(apdu.pack(INTERMEDIATE, bytes((code,))))
            if (yield Wait(max(0, min(INTERMEDIATE_SECONDS, end - time.monotonic())))):
                yield Send(ACCEPTED)
                if code == INSERT_CARD:
                    return True
        return False

    # -- receipts -------------------------------------------------------------------------------------------------

    def _repeat_receipt(self, data):
        self._check_password(data[:3])
        service = apdu.unpack_bitmaps(data[3:]).get("service_byte", 0)
        last = self._store.last()
        if last is None:
            raise _Refused(NOT_POSSIBLE)
        if service & 1 and not (yield Send(reports.status_information(last, self._settings))):
            return
        if service & 2 or (yield from self._print(last)):
            yield Send(_COMPLETED)

    def _print(self, done):
        """On the till's printer, where the till registered for it; on the terminal's own nothing is on the line.

        False where the till is gone.
        """
        asked = PRINTS_BY_LINE | PRINTS_PAYMENTS
        if (self._config or 0) & asked == asked:
            for message in reports.receipt(done, self._settings, self._prints_blocks):
                if not (yield Send(message)):
                    return False
        return True

    # -- administration -------------------------------------------------------------------------------------------

    def _registration(self, data):
        self._check_password(data[:3])
        if len(data) < 4:
            raise _Refused(PROTOCOL_ERROR)
        if len(data) > 4:  # service byte and TLV only ever follow a currency
            self._check_currency(apdu.from_bcd(data[4:6], 4))
        given = apdu.unpack_bitmaps(data, 6)
        self._config = data[3]
        permitted = apdu.find_tlv(apdu.unpack_tlv(given.get("tlv", b"")), 0x26) or []
        self._prints_blocks = (0x0A, b"\x06\xd3") in permitted
        yield Send(reports.registered(len(data) > 4, self._settings, self._faults))

    def _log_off(self, data):
        self._config = None
        return iter(())  # 80 00 00 is the whole answer

    def _status_enquiry(self, data):
        if data:
            self._check_password(data[:3])
        service = apdu.unpack_bitmaps(data[3:]).get("service_byte", 0)
        yield Send(reports.terminal_status(not service & 2, bool(service & 4), self._settings, self._faults))

    def _initialisation(self, data):
        self._check_password(data[:3])
        if self._faults.device_state == 1:
            self._faults.device_state = 0
        return self._host_visit(INITIALISATION)

    def _host_visit(self, command):
        """A command that goes online and mends the lock that asks for it."""
        yield from self._busy(self._faults.host_ms, WAITING_FOR_HOST)
        self._faults.locks -= {_MENDED_BY[command]}
        yield Send(_COMPLETED)

    def _end_of_day(self, data):
        self._check_password(data[:3])
        batch = self._store.open_batch()
        yield from self._busy(self._faults.host_ms, WAITING_FOR_HOST)
        self._store.close_batch()
        self._faults.locks -= {_MENDED_BY[END_OF_DAY]}
        if (yield Send(reports.day_information(batch, self._settings))):
            yield Send(_COMPLETED)

    def _check_password(self, password):
        if len(password) != 3:
            raise _Refused(PROTOCOL_ERROR)
        if apdu.from_bcd(password) != self._settings.password:
            raise _Refused(NOT_POSSIBLE)

    def _check_currency(self, currency):
        if currency != self._settings.currency:
            raise _Refused(WRONG_CURRENCY, apdu.bcd(self._settings.currency, 2))


def _negative(code):
    return bytes((0x84, code, 0))
