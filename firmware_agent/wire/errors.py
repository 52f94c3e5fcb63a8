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
    " bad_signature"  # 14 the policy's signature does not fit, or nobody trusted made it
    " policy_old"  # 15 an older policy than this agent has had: its version must be higher
    " policy_elsewhere"  # 16 this policy is for other terminals or agents
    " policy_size"  # 17 too large for this agent
    " bad_policy"  # 18 signed, and not a policy as wire/rules.py declares it
    " no_person"  # 19 nobody of this name on the policy's roster, or there is no roster
    " not_allowed"  # 20 the role of this person does not allow it
    " pin_wrong"  # 21
    " locked_out"  # 22 too many wrong PINs in a row: a new policy lets this person in again
    " no_policy_room"  # 23 this board has no memory for a policy
    " no_gate"  # 24 this agent does not stand between a till and its terminal
    " no_stream"  # 25 the stream that is renewed is not the one that runs: subscribe anew
    " safe_mode"  # 26 the agent crashed too often in a row: only its status and its journal can be asked for
    " reserved_key"  # 27 the agent makes such keys itself, for what a till asks for at its gate
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
