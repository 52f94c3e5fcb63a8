"""The errors of our SMP group: {"err": {"group": 82, "rc": …}, "field": …}. Codes never change.

One class with a code instead of a class a code: a class takes 600 bytes of a board's heap.
"""

# What was asked is not right.
BAD_MESSAGE = 2  # the body is not the CBOR this agent reads: cut, too deep, too long, duplicate keys …
NO_SUCH_COMMAND = 3
MISSING_FIELD = 4
BAD_FIELD = 5  # wrong type, or out of the bounds that messages.py declares
CARD_NUMBER = 6  # a full card number where none belongs
UNKNOWN_CURRENCY = 7  # this terminal does not do this currency
BUSY = 8  # another refund is under way: ask again when it has ended
JOURNAL_FULL = 9  # no room left to record a refund, so none is begun (cause 14)
KEY_REUSED = 10  # this key belongs to an earlier refund of another sale, amount or currency
ANSWER_TOO_LONG = 12
# Our fault, not the caller's: the agent met an error of its own, which is in its event log.
AGENT_FAULT = 11

class WireError(Exception):
    """A request that cannot be served: rc is one of the codes, field the name of the field at fault or "", never its
    value: an error must not carry what was typed."""

    def __init__(self, rc, field=""):
        super().__init__(rc, field)
        self.rc = rc
        self.field = field
