"""The errors of our SMP group: one class per code on the wire.

`rc` is the code in {"err": {"group": 82, "rc": …}}; codes never change. `field` names the field at fault, never its value:
an error text must not carry what was typed.
"""


class WireError(Exception):
    """A request that cannot be served; the one who asked is told `rc` and the field."""

    rc = 1
    field = ""

    def __init__(self, field=""):
        super().__init__(field)
        self.field = field


class BadMessage(WireError):
    """The body is not the CBOR this agent reads (cut, too deep, too long, duplicate keys …)."""

    rc = 2


class NoSuchCommand(WireError):
    rc = 3


class MissingField(WireError):
    rc = 4


class BadField(WireError):
    """Wrong type, or out of the bounds that messages.py declares."""

    rc = 5


class CardNumberRefused(WireError):
    """A full card number where none belongs. Give its last four digits."""

    rc = 6


class UnknownCurrency(WireError):
    """This terminal does not do this currency."""

    rc = 7


class Busy(WireError):
    """Another refund is under way; ask again when it has ended."""

    rc = 8


class JournalFull(WireError):
    """No room left to record a refund, so none is begun (cause 14)."""

    rc = 9


class KeyReused(WireError):
    """This key belongs to an earlier refund of another sale, amount or currency."""

    rc = 10


class AgentFault(WireError):
    """Our fault, not the caller's: the agent met an error of its own; it is in the event log."""

    rc = 11


class AnswerTooLong(WireError):
    rc = 12


BY_CODE = {
    kind.rc: kind
    for kind in (
        WireError,
        BadMessage,
        NoSuchCommand,
        MissingField,
        BadField,
        CardNumberRefused,
        UnknownCurrency,
        Busy,
        JournalFull,
        KeyReused,
        AgentFault,
        AnswerTooLong,
    )
}
