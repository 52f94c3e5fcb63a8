"""The life-cycle of a refund, as a table: (state, event) -> (state, what to do next).

A refund is REQUESTED when the checks let it pass, SENT just before the terminal is asked, and ends APPROVED, DECLINED or
NOT_EXECUTED. When the terminal falls silent, or the agent boots and finds it SENT, it is IN_DOUBT, and only the
terminal's word or a person's attestation leads out of that. NOT_EXECUTED means that the terminal never did it: the same
key may be asked for anew. A refusal is believed only after the terminal's last receipt shows that nothing was executed.

Whoever performs the actions journals and syncs the new state, with its facts, BEFORE the action is begun.
"""

from .wire.messages import APPROVED, DECLINED, NOT_EXECUTED, STATES

# state, event, next state, what to do. Events: ask, somebody asks for it and the checks let it pass; baseline, the terminal
# told its last receipt, no_baseline, it did not, so nothing was sent; accepted and refused, its final word; silence, no final
# word; boot, the agent starts and finds it in the journal. After asking for the last receipt: found, it is that of this
# refund; found_refused, it is, and it was declined; same, the terminal is idle and it is the one from before; unclear,
# something else happened there. attest_done and attest_not_done: a person attests what became of it.
# To do: ask_baseline, send, compare (ask for the last receipt when the terminal is idle), answer.
TABLE = """
NEW ask REQUESTED ask_baseline
NOT_EXECUTED ask REQUESTED ask_baseline
REQUESTED baseline SENT send
REQUESTED no_baseline NOT_EXECUTED answer
REQUESTED boot NOT_EXECUTED answer
SENT accepted APPROVED answer
SENT refused SENT compare
SENT silence IN_DOUBT compare
SENT boot IN_DOUBT compare
SENT same DECLINED answer
SENT found APPROVED answer
SENT found_refused DECLINED answer
SENT unclear IN_DOUBT answer
IN_DOUBT boot IN_DOUBT compare
IN_DOUBT ask IN_DOUBT compare
IN_DOUBT same NOT_EXECUTED answer
IN_DOUBT found APPROVED answer
IN_DOUBT found_refused DECLINED answer
IN_DOUBT unclear IN_DOUBT answer
IN_DOUBT silence IN_DOUBT answer
IN_DOUBT attest_done APPROVED answer
IN_DOUBT attest_not_done NOT_EXECUTED answer
"""

# Nothing leads out of these but, for NOT_EXECUTED, asking anew.
SETTLED = (APPROVED, DECLINED, NOT_EXECUTED)


def step(state, event):
    """(next state, what to do). ValueError: this event cannot happen in this state; the agent treats it as its own fault."""
    row = "\n%s %s " % (STATES[state], event)
    at = TABLE.find(row)
    if at < 0:
        raise ValueError(row)
    to, action = TABLE[at + len(row) : TABLE.find("\n", at + 1)].split(" ")
    return STATES.index(to), action


def identity(receipt):
    """A receipt (port's Receipt) as the list that is journaled and compared, None for None: receipt, trace, amount,
    currency, date, time, code, reversal."""
    if receipt is None:
        return None
    return [
        receipt.receipt,
        receipt.trace,
        receipt.amount,
        receipt.currency,
        receipt.date,
        receipt.time,
        receipt.code,
        receipt.reversal,
    ]


def compare(before, now, amount, currency, alone, refused, void=False):
    """The event that two answers to "what is your last receipt?" speak of.

    `before` and `now`: identities; amount in minor units, currency as ISO 4217 number; `alone`: nobody but us can start a
    payment there; `refused`: the terminal itself said that it did not do it; `void`: it was to reverse a sale. A ZVT
    receipt does not say whether it is a refund, so a new one is taken for ours only if nobody else could have made it,
    exactly one is new, and amount and currency are ours. A terminal that cannot repeat receipts, or does not number them,
    answers alike whatever happened: that proves nothing, unless it had refused before.
    """
    if now is None or (now[0] is None and now[1] is None):
        return "same" if refused and before == now else "unclear"
    if before == now:
        return "same"
    if not alone:
        return "unclear"
    receipt, _, its_amount, its_currency, _, _, code, reversal = now
    if reversal != void or its_amount != amount or its_currency not in (None, currency):
        return "unclear"
    if receipt is None or (before is not None and before[0] is not None and receipt != before[0] % 9999 + 1):
        return "unclear"
    return "found_refused" if code else "found"
