"""Sale, reversal, refund, and their receipts, as steps. What was chosen where the paper leaves a choice: behaviour.py."""

from hal.terminals.zvt import apdu

from . import reports
from .checks import check_currency, check_password
from .steps import COMPLETED, PowerCut, Refused, Send, Wait, aborted
from .wishes import CONTROLS_PAYMENT, INSERT_CARD, PRINTS_BY_LINE, PRINTS_PAYMENTS, WAITING_FOR_HOST

# Result codes of PA00P015, chapter "error messages"
NOT_REGISTERED, TIMEOUT, NOT_POSSIBLE, PROTOCOL_ERROR = 0x6B, 0x6C, 0x83, 0x9A
ALREADY_REVERSED, NO_REVERSAL, PREAUTHORISATION, AMOUNT_TOO_SMALL = 0xB4, 0xB5, 0xB8, 0xC8

# The code a lock refuses with, where locks refuse; the first in this order counts
REFUSES = {
    "out_of_order": 0xFF,
    "security_module": 0x85,  # keys missing
    "initialisation": 0xF6,  # OPT data not available
    "diagnosis": 0xC2,  # diagnosis required
    "reconciliation": 0xF0,  # end-of-day batch open
    "start_up": 0xE4,  # activation needed
    "activation": 0xE4,
    "service": 0xE0,  # remote maintenance
    "low_battery": 0xBF,  # supply voltage too low
    "reader_missing": 0xE2,  # card reader does not answer
    "contactless": 0xE2,
    "card_inserted": 0xDC,
    "printer": 0xCC,  # printer not ready
    "log_defective": 0xFB,  # turnover data set defective
    "secure_link": 0x9B,  # no connection
    "mdb": 0xFC,  # device missing or defective
}

NOT_YET = b"\x84\x9c"  # the till's answer to 04 0F: say it again
REPEATS, REPEAT_SECONDS = 10, 1.0


class Payments:
    def __init__(self, store, settings, faults, wishes):
        self._store = store
        self._settings = settings
        self._faults = faults
        self._wishes = wishes

    def key_in_sale(self, amount):
        if self._wishes.has(CONTROLS_PAYMENT):
            raise ValueError("the till controls payments (config byte of its registration)")
        if self._faults.supply_mv is not None:
            raise ValueError("supply too low")
        return self._store.add("sale", amount, self._settings.currency, self._settings.masked_card)

    def execute(self, kind, data, password=None):
        """`kind`: sale, reversal or refund. `data`: its bitmaps."""
        if self._wishes.config is None:
            raise Refused(NOT_REGISTERED)
        if password is not None:
            check_password(password, self._settings)
        given = apdu.unpack_bitmaps(data)
        self._refuse_in_this_state()
        if "currency" in given:
            check_currency(given["currency"], self._settings)
        if kind == "reversal":
            sale = self._sale_to_reverse(given)
            yield from self._transact(kind, sale.amount, sale)
            return
        if "amount" not in given:
            raise Refused(TIMEOUT)
        if given["amount"] == 0:
            raise Refused(AMOUNT_TOO_SMALL)
        yield from self._transact(kind, given["amount"], None)

    def _refuse_in_this_state(self):
        if self._faults.supply_mv is not None:
            raise Refused(reports.SUPPLY_TOO_LOW)
        if self._faults.locks_refuse:
            for name, code in REFUSES.items():
                if name in self._faults.locks:
                    raise Refused(code)

    def _sale_to_reverse(self, given):
        if "receipt" not in given:
            raise Refused(PROTOCOL_ERROR)
        sale = self._store.approved_sale(given["receipt"])
        if sale is None or given.get("amount", sale.amount) != sale.amount:
            raise Refused(NO_REVERSAL)
        if sale.reversed_by is not None:
            raise Refused(ALREADY_REVERSED)
        return sale

    def _card(self):
        """The customer presents the card, or does not."""
        faults = self._faults
        key_ms, faults.key_ms = faults.key_ms, None
        aborted_by_till = yield from self._wishes.busy(
            faults.card_ms if key_ms is None else key_ms, INSERT_CARD, faults.t4_minutes
        )
        if aborted_by_till or key_ms is not None:
            raise Refused(TIMEOUT)

    def _transact(self, kind, amount, reverses):
        faults = self._faults
        yield from self._card()
        yield from self._wishes.busy(faults.host_ms, WAITING_FOR_HOST, faults.t4_minutes)
        refusal = faults.once("abort")
        if refusal is not None:
            raise Refused(refusal.code, text=refusal.text)
        die, faults.die = faults.die, None
        if die == "before-execute":
            yield PowerCut()
        declined = faults.once("decline")
        done = self._store.add(
            kind,
            amount,
            self._settings.currency,
            self._settings.masked_card,
            declined.code if declined else 0,
            reverses=reverses,
        )
        if die == "after-execute":
            yield PowerCut()
        arrived = yield from self._tell(done, die == "after-status")
        if die == "after-ack":
            yield PowerCut()
        if arrived and (yield from self._print(done)):
            yield Send(aborted(declined.code, text=declined.text) if declined else COMPLETED)

    def _tell(self, done, then_cut=False):
        """04 0F, and again as long as the till asks for it. False where the till is gone."""
        for _ in range(REPEATS + 1):
            answer = yield Send(reports.status_information(done, self._settings), then_cut)
            if answer is True or not answer or answer[:2] != NOT_YET:
                break
            yield Wait(REPEAT_SECONDS)
        return bool(answer)

    def read_card(self, data):
        """06 C0: timeout in seconds, bitmaps. A card that is read ends the command with 04 0F, no completion follows."""
        timeout_ms = data[0] * 1000 if data else 0
        if self._faults.card_ms > timeout_ms:
            yield from self._wishes.busy(timeout_ms, INSERT_CARD)
            raise Refused(TIMEOUT)
        yield from self._card()
        yield Send(reports.card(self._settings))

    def preauthorisations(self, data):
        """06 23: whatever it asks for, none is open."""
        raise Refused(PREAUTHORISATION, b"\x87\xff\xff")

    # -- receipts -------------------------------------------------------------------------------------------------

    def repeat_receipt(self, data):
        check_password(data[:3], self._settings)
        service = apdu.unpack_bitmaps(data[3:]).get("service_byte", 0)
        last = self._store.last()
        if last is None:
            raise Refused(NOT_POSSIBLE)
        if service & 1 and not (yield from self._tell(last)):
            return
        if service & 2 or (yield from self._print(last)):
            yield Send(COMPLETED)

    def _print(self, done):
        """On the till's printer, where the till registered for it; on the terminal's own nothing is on the line.

        False where the till is gone.
        """
        if self._wishes.has(PRINTS_BY_LINE | PRINTS_PAYMENTS):
            lines = reports.receipt_lines(done, self._settings)
            for message in reports.printed(lines, reports.MERCHANT, self._wishes):
                if not (yield Send(message)):
                    return False
        return True
