"""The errors of our SMP group: {"err": {"group": 82, "rc": …}, "field": …}. A code is the place in CODES, for ever."""

CODES = (
    " bad_message"  # 1 the body is not the CBOR this agent reads: cut, too deep, too long, duplicate keys …
    " no_command"  # 2 the group has no such command, or not with this operation
    " missing"  # 3 a field that is needed
    " bad_field"  # 4 wrong type, or out of the bounds that messages.py declares
    " card_number"  # 5 a full card number where none belongs
    " currency"  # 6 this terminal does not do this currency
    " busy"  # 7 another refund is under way: ask again when it has ended
    " journal_full"  # 8 no room left to record a refund, so none is begun (cause 14)
    " key_reused"  # 9 this key belongs to an earlier refund of another sale, amount or currency
    " agent_fault"  # 10 not the caller's fault: the agent met an error of its own, which is in its event log
    " too_long"  # 11 the answer does not fit into a message
    " no_refund"  # 12 the journal has no refund with this key
    " not_in_doubt"  # 13 only a refund in doubt can be settled by a person
    " "
)


class WireError(Exception):
    """A request that cannot be served. name: one of CODES; rc: its code; field: the name of the field at fault or "", never
    its value: an error must not carry what was typed."""

    def __init__(self, name, field=""):
        super().__init__(name, field)
        self.name = name
        self.field = field

    @property
    def rc(self):
        return CODES[: CODES.find(" " + self.name + " ")].count(" ") + 1


def error_name(rc):
    """The name of a code; error_N for a code this page does not list (a newer agent)."""
    names = CODES.split()
    return names[rc - 1] if 0 < rc <= len(names) else "error_%d" % rc
