"""What a ZVT card terminal does with a command: an APDU in, steps out (steps.py). Knows no line, no frames, no timers.

`Behaviour.handle(apdu)` is a generator of steps (Send, Wait, PowerCut); whoever carries the line does each step and
sends its result back in. payments.py executes what moves money, administration.py does the rest.

Source: command paper PA00P015. Where the paper leaves a choice, this terminal does as follows:
- Every command that is known is accepted first (80 00 00); what is wrong with it comes as 06 1E. Unknown: 84 83 00.
- Not registered: 01, 30 and 31 end with 6B. Registration is forgotten by log-off, reset and a power cut.
- Wrong password: 83. Bitmaps that cannot be read, or a reversal without a receipt number: 9A. Amount 0: C8. No amount:
  6C, as nobody stands at the keyboard. Currency: 6F, followed by the terminal's own currency where one was sent.
- A reversal takes back approved sales of the open batch only. Already reversed: B4. Unknown receipt, other amount: B5.
  Its 04 0F carries its own receipt (87) and trace (0B) and the trace of the sale (37).
- There is one card, the simulated one, whatever card the till sends along (22).
- A declined transaction has a receipt number, is in the store and is what 06 20 repeats. An aborted one is not.
- 06 20 and 05 01 need no registration. 06 20 on an empty store: 83.
- Status and locks are reported and refuse no transaction, unless `locks refuse` says so; a supply too low does (BF).
- The paper has no duplicate protection on a serial line: a 06 31 that arrives twice is executed twice.
- A till that answers 04 0F with 84 9C gets it again, a second later, at most ten times. Other refusals of it (84 66, goods
  not issued) are not read: there is no automatic reversal.
- There are no pre-authorisations: 06 23 is answered by B8 and receipt FFFF, none is open.
"""

from hal.terminals.zvt import apdu

from .administration import Administration
from .payments import Payments
from .steps import ACCEPTED, Refused, Send, aborted
from .wishes import Wishes

NOT_POSSIBLE, PROTOCOL_ERROR = 0x83, 0x9A
READ_CARD = 0x06C0

# The commands there are: name -> command, as scripts and tests call them
COMMANDS = {
    "registration": 0x0600,
    "sale": 0x0601,
    "log_off": 0x0602,
    "totals": 0x0610,
    "reset": 0x0618,
    "system_information": 0x061A,
    "repeat_receipt": 0x0620,
    "preauthorisations": 0x0623,
    "reversal": 0x0630,
    "refund": 0x0631,
    "end_of_day": 0x0650,
    "diagnosis": 0x0670,
    "initialisation": 0x0693,
    "abort": 0x06B0,
    "read_card": READ_CARD,
    "display_text": 0x06E0,
    "language": 0x0830,
    "status_enquiry": 0x0501,
}


class Behaviour:
    def __init__(self, store, settings, faults):
        self._faults = faults
        wishes = Wishes()
        self._payments = payments = Payments(store, settings, faults, wishes)
        administration = Administration(store, settings, faults, wishes)
        self._handlers = {
            "sale": lambda data: payments.execute("sale", data),
            "reversal": lambda data: payments.execute("reversal", data[3:], data[:3]),
            "refund": lambda data: payments.execute("refund", data[3:], data[:3]),
            "repeat_receipt": payments.repeat_receipt,
            "preauthorisations": payments.preauthorisations,
            "read_card": payments.read_card,
            "registration": administration.registration,
            "log_off": administration.log_off,
            "reset": administration.reset,
            "system_information": administration.system_information,
            "status_enquiry": administration.status_enquiry,
            "totals": administration.totals,
            "end_of_day": administration.end_of_day,
            "diagnosis": administration.diagnosis,
            "initialisation": administration.initialisation,
            "language": administration.language,
            # accepting it is all: nothing runs that could be aborted, and the text is on a display nobody sees
            "abort": lambda data: iter(()),
            "display_text": lambda data: iter(()),
        }

    def handle(self, message):
        """The steps that answer one command of the till (a whole APDU)."""
        try:
            command, data = apdu.unpack(message)
        except apdu.ApduError:
            yield Send(_negative(PROTOCOL_ERROR))
            return
        refusal = self._faults.once("negative")
        if refusal is not None:
            yield Send(_negative(refusal.code))
            return
        name = next((name for name, number in COMMANDS.items() if number == command), None)
        if name is None:
            yield Send(_negative(NOT_POSSIBLE))
            return
        yield Send(ACCEPTED)
        try:
            yield from self._handlers[name](data)
        except Refused as refused:
            yield Send(refused.message)
        except apdu.ApduError:
            yield Send(aborted(PROTOCOL_ERROR))

    def key_in_sale(self, amount):
        """A sale the cashier keys in at the terminal itself. The Turnover; ValueError where it cannot be."""
        return self._payments.key_in_sale(amount)


def _negative(code):
    return bytes((0x84, code, 0))
