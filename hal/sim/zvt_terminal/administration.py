"""Registration, status enquiry, end of day, diagnosis and what else moves no money, as steps. Choices: behaviour.py."""

from hal.terminals.zvt import apdu

from . import reports
from .checks import PROTOCOL_ERROR, check_currency, check_password
from .steps import COMPLETED, Refused, Send
from .wishes import LONGEST, PRINTS_ADMINISTRATION, PRINTS_BY_LINE, WAITING_FOR_HOST

# TLV of 06 00: commands the till takes, of them print block; longest APDU it takes, high byte first
PERMITTED, COMMAND, LONGEST_APDU = 0x26, 0x0A, 0x1A


class Administration:
    def __init__(self, store, settings, faults, wishes):
        self._store = store
        self._settings = settings
        self._faults = faults
        self._wishes = wishes

    def registration(self, data):
        check_password(data[:3], self._settings)
        if len(data) < 4:
            raise Refused(PROTOCOL_ERROR)
        with_currency, given = self._registered_with(data)
        items = apdu.unpack_tlv(given.get("tlv", b""))
        self._wishes.config = data[3]
        self._wishes.blocks = (COMMAND, b"\x06\xd3") in (apdu.find_tlv(items, PERMITTED) or [])
        longest = int.from_bytes(apdu.find_tlv(items, LONGEST_APDU) or b"", "big")
        self._wishes.longest = longest if 0 < longest < LONGEST else LONGEST
        yield Send(reports.registered(with_currency, self._settings, self._faults))

    def _registered_with(self, data):
        """(True where a currency was sent, bitmaps). Service byte and TLV follow a currency in the paper; some tills send
        them without one, which can be told from a currency only by what it would be."""
        if len(data) == 4:
            return False, {}
        if data[4] in (0x03, 0x06) and data[4:6] != apdu.bcd(self._settings.currency, 2):
            try:
                return False, apdu.unpack_bitmaps(data, 4)
            except apdu.ApduError:
                pass
        check_currency(apdu.from_bcd(data[4:6], 4), self._settings)
        return True, apdu.unpack_bitmaps(data, 6)

    def log_off(self, data):
        self._wishes.forget()
        return iter(())  # 80 00 00 is the whole answer

    def reset(self, data):
        """06 18: the terminal starts anew once the till has its completion."""
        yield Send(COMPLETED)
        self._wishes.forget()

    def language(self, data):
        """08 30: whatever it is, the receipts stay as they are."""
        yield Send(COMPLETED)

    def status_enquiry(self, data):
        """05 01: [password] [03 service byte] [06 TLV]."""
        start = 3
        try:
            check_password(data[:3], self._settings)
        except (Refused, apdu.ApduError):
            if data[:1] not in (b"", b"\x03", b"\x06"):
                raise
            start = 0
        service = apdu.unpack_bitmaps(data[start:]).get("service_byte", 0)
        yield Send(reports.terminal_status(not service & 2, bool(service & 4), self._settings, self._faults))

    def system_information(self, data):
        """06 1A, on the till's printer where the till registered for it."""
        if self._wishes.has(PRINTS_BY_LINE | PRINTS_ADMINISTRATION):
            for message in reports.printed(reports.system_lines(self._settings), reports.ADMINISTRATION, self._wishes):
                if not (yield Send(message)):
                    return
        yield Send(COMPLETED)

    def initialisation(self, data):
        check_password(data[:3], self._settings)
        yield from self._host("initialisation")
        if self._faults.device_state == 1:
            self._faults.device_state = 0
        yield Send(COMPLETED)

    def diagnosis(self, data):
        """06 70: the host tells its date and time, the till may set its clock."""
        yield from self._host("diagnosis")
        if (yield Send(reports.date_and_time())):
            yield Send(COMPLETED)

    def totals(self, data):
        """06 10: as the end of day would report now; the batch stays open."""
        check_password(data[:3], self._settings)
        if (yield Send(reports.day_information(self._store.open_batch(), self._settings))):
            yield Send(COMPLETED)

    def end_of_day(self, data):
        check_password(data[:3], self._settings)
        batch = self._store.open_batch()
        yield from self._host("reconciliation")
        self._store.close_batch()
        if (yield Send(reports.day_information(batch, self._settings))):
            yield Send(COMPLETED)

    def _host(self, mends):
        """Go online, which takes the lock `mends` away."""
        yield from self._wishes.busy(self._faults.host_ms, WAITING_FOR_HOST, self._faults.t4_minutes)
        refusal = self._faults.once("abort")
        if refusal is not None:
            raise Refused(refusal.code, text=refusal.text)
        self._faults.locks -= {mends}
