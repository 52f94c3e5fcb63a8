"""The life-cycle of a refund, as a table: (state, event) -> (state, what to do next).

A refund is REQUESTED when the checks let it pass, SENT just before the terminal is asked, and ends APPROVED, DECLINED or
NOT_EXECUTED. When the terminal falls silent, or the agent boots and finds it SENT, it is IN_DOUBT, and only the
terminal's word or a person's attestation leads out of that. NOT_EXECUTED means that the terminal never did it: the same
key may be asked for anew. A refusal is believed only after the terminal's last receipt shows that nothing was executed.

Whoever performs the actions journals and syncs the new state, with its facts, BEFORE the action is begun.
"""

from .wire.messages import APPROVED, DECLINED, IN_DOUBT, NEW, NOT_EXECUTED, REQUESTED, SENT

# Events.
ASK = "ask"  # somebody asks for it and the checks let it pass
BASELINE = "baseline"  # the terminal told its last receipt
NO_BASELINE = "no baseline"  # it did not: nothing was sent
ACCEPTED = "accepted"  # the terminal's final word: done
REFUSED = "refused"  # the terminal's final word: not done
SILENCE = "silence"  # no final word
BOOT = "boot"  # the agent starts and finds it in the journal
FOUND = "found"  # asked: the terminal has the receipt of this refund
FOUND_REFUSED = "found refused"  # asked: it has a receipt of this refund, and it was declined
SAME = "same"  # asked while idle: its last receipt is the one from before
UNCLEAR = "unclear"  # asked: something else happened there
ATTEST_DONE = "attest done"  # a person attests that it was executed
ATTEST_NOT_DONE = "attest not done"  # a person attests that it was not

# What to do next.
ASK_BASELINE = "ask baseline"
SEND = "send"
COMPARE = "compare"  # ask the terminal for its last receipt, when it is idle, and compare with the baseline
ANSWER = "answer"

TABLE = {
    (NEW, ASK): (REQUESTED, ASK_BASELINE),
    (NOT_EXECUTED, ASK): (REQUESTED, ASK_BASELINE),
    (REQUESTED, BASELINE): (SENT, SEND),
    (REQUESTED, NO_BASELINE): (NOT_EXECUTED, ANSWER),
    (REQUESTED, BOOT): (NOT_EXECUTED, ANSWER),
    (SENT, ACCEPTED): (APPROVED, ANSWER),
    (SENT, REFUSED): (SENT, COMPARE),
    (SENT, SILENCE): (IN_DOUBT, COMPARE),
    (SENT, BOOT): (IN_DOUBT, COMPARE),
    (SENT, SAME): (DECLINED, ANSWER),
    (SENT, FOUND): (APPROVED, ANSWER),
    (SENT, FOUND_REFUSED): (DECLINED, ANSWER),
    (SENT, UNCLEAR): (IN_DOUBT, ANSWER),
    (IN_DOUBT, BOOT): (IN_DOUBT, COMPARE),
    (IN_DOUBT, ASK): (IN_DOUBT, COMPARE),
    (IN_DOUBT, FOUND): (APPROVED, ANSWER),
    (IN_DOUBT, FOUND_REFUSED): (DECLINED, ANSWER),
    (IN_DOUBT, SAME): (NOT_EXECUTED, ANSWER),
    (IN_DOUBT, UNCLEAR): (IN_DOUBT, ANSWER),
    (IN_DOUBT, SILENCE): (IN_DOUBT, ANSWER),
    (IN_DOUBT, ATTEST_DONE): (APPROVED, ANSWER),
    (IN_DOUBT, ATTEST_NOT_DONE): (NOT_EXECUTED, ANSWER),
}

# Nothing leads out of these but, for NOT_EXECUTED, asking anew.
SETTLED = (APPROVED, DECLINED, NOT_EXECUTED)


def step(state, event):
    """(next state, what to do). KeyError: this event cannot happen in this state; the agent treats it as its own fault."""
    return TABLE[state, event]


# Facts of a receipt, in the order they are journaled.
RECEIPT = ("receipt", "trace", "amount", "currency", "date", "time", "code", "reversal")


def identity(receipt):
    """A receipt (port's Receipt or None) as the list that is journaled and compared; None stays None."""
    if receipt is None:
        return None
    return [getattr(receipt, name) for name in RECEIPT]


def compare(before, now, amount, currency, alone):
    """The event that two answers to "what is your last receipt?" speak of.

    `before` and `now`: lists in the order of RECEIPT, or None for "has none"; amount in minor units, currency as ISO 4217
    number; `alone`: nobody but us can start a payment there. A ZVT receipt does not say whether it is a refund, so a new one
    is taken for ours only if nobody else could have made it, exactly one is new, and amount and currency are ours.
    """
    if before == now:
        return SAME
    if now is None or not alone:
        return UNCLEAR
    receipt, _, its_amount, its_currency, _, _, code, reversal = now
    if reversal or its_amount != amount or its_currency not in (None, currency):
        return UNCLEAR
    if receipt is None or (before is not None and before[0] is not None and receipt != before[0] % 9999 + 1):
        return UNCLEAR
    return FOUND_REFUSED if code else FOUND
