"""The life-cycle of a refund as a table, and what two answers to "what is your last receipt?" prove."""

from firmware_agent.refund import SETTLED, TABLE, compare, identity, step
from firmware_agent.wire.messages import (
    APPROVED,
    DECLINED,
    IN_DOUBT,
    NEW,
    NOT_EXECUTED,
    REQUESTED,
    SENT,
    STATES,
)
from hal.said import Receipt

EVENTS = (
    "ask",
    "baseline",
    "no_baseline",
    "accepted",
    "refused",
    "silence",
    "boot",
    "found",
    "found_refused",
    "same",
    "unclear",
    "attest_done",
    "attest_not_done",
)

# Written from the design, not from the table under test: what each state may become.
ALLOWED = {
    (NEW, "ask"): (REQUESTED, "ask_baseline"),
    (NOT_EXECUTED, "ask"): (REQUESTED, "ask_baseline"),
    (REQUESTED, "baseline"): (SENT, "send"),
    (REQUESTED, "no_baseline"): (NOT_EXECUTED, "answer"),
    (REQUESTED, "boot"): (NOT_EXECUTED, "answer"),
    (SENT, "accepted"): (APPROVED, "answer"),
    (SENT, "refused"): (SENT, "compare"),
    (SENT, "silence"): (IN_DOUBT, "compare"),
    (SENT, "boot"): (IN_DOUBT, "compare"),
    (SENT, "same"): (DECLINED, "answer"),
    (SENT, "found"): (APPROVED, "answer"),
    (SENT, "found_refused"): (DECLINED, "answer"),
    (SENT, "unclear"): (IN_DOUBT, "answer"),
    (IN_DOUBT, "ask"): (IN_DOUBT, "compare"),
    (IN_DOUBT, "boot"): (IN_DOUBT, "compare"),
    (IN_DOUBT, "silence"): (IN_DOUBT, "answer"),
    (IN_DOUBT, "unclear"): (IN_DOUBT, "answer"),
    (IN_DOUBT, "found"): (APPROVED, "answer"),
    (IN_DOUBT, "found_refused"): (DECLINED, "answer"),
    (IN_DOUBT, "same"): (NOT_EXECUTED, "answer"),
    (IN_DOUBT, "attest_done"): (APPROVED, "answer"),
    (IN_DOUBT, "attest_not_done"): (NOT_EXECUTED, "answer"),
}


def forbidden(state, event):
    try:
        step(state, event)
    except ValueError:
        return True
    return False


def test_every_allowed_event_leads_where_the_design_says():
    for (state, event), expected in ALLOWED.items():
        assert step(state, event) == expected, (STATES[state], event)


def test_every_other_event_is_refused_in_every_state():
    refused = 0
    for state in range(len(STATES)):
        for event in EVENTS:
            if (state, event) not in ALLOWED:
                assert forbidden(state, event), (STATES[state], event)
                refused += 1
    assert refused == len(STATES) * len(EVENTS) - len(ALLOWED)


def test_the_table_has_no_row_that_the_design_lacks():
    assert len(TABLE.strip().split("\n")) == len(ALLOWED)


def test_words_that_are_no_events_are_refused():
    for word in ("", "as", "ask REQUESTED", "ask REQUESTED ask_baseline", "\n", "BOOT"):
        assert forbidden(NEW, word) and forbidden(IN_DOUBT, word), word


def test_nothing_leads_out_of_approved_or_declined():
    for state in (APPROVED, DECLINED):
        assert state in SETTLED
        for event in EVENTS:
            assert forbidden(state, event)


def test_nothing_is_sent_but_from_a_journaled_baseline():
    sends = [
        (state, event)
        for state in range(len(STATES))
        for event in EVENTS
        if (state, event) in ALLOWED and step(state, event)[1] == "send"
    ]
    assert sends == [(REQUESTED, "baseline")]


def test_a_doubt_ends_by_the_terminals_word_or_a_person_alone():
    ends = sorted(event for event in EVENTS if not forbidden(IN_DOUBT, event) and step(IN_DOUBT, event)[0] != IN_DOUBT)
    assert ends == ["attest_done", "attest_not_done", "found", "found_refused", "same"]


def test_a_request_can_be_sent_again_only_after_it_was_found_not_executed():
    """Walks every path of the table: between two sends lies NOT_EXECUTED."""
    reached = set()
    todo = [(SENT, event) for event in EVENTS]
    while todo:
        state, event = todo.pop()
        if (state, event) in reached or forbidden(state, event):
            continue
        reached.add((state, event))
        after, action = step(state, event)
        assert action != "send"
        if after != NOT_EXECUTED:
            todo += [(after, following) for following in EVENTS]
    assert (IN_DOUBT, "silence") in reached


def receipt(number, amount=500, currency=978, code=0, reversal=False, trace=77):
    return identity(Receipt(number, trace, amount, currency, 1122, 120000, code, reversal, "1234"))


def said(before, now, alone=True, refused=False):
    return compare(before, now, 500, 978, alone, refused)


def test_the_same_receipt_as_before_means_not_executed():
    assert said(receipt(10), receipt(10)) == "same"
    assert said(receipt(10), receipt(10), alone=False) == "same"


def test_a_terminal_that_never_tells_a_receipt_proves_nothing_but_its_own_refusal():
    nameless = receipt(None, trace=None)
    for says in (None, nameless):
        assert said(says, says) == "unclear"
        assert said(says, says, refused=True) == "same"
    assert said(receipt(10), None, refused=True) == "unclear"
    assert said(None, nameless, refused=True) == "unclear"


def test_the_next_receipt_with_our_amount_is_ours():
    assert said(receipt(10), receipt(11)) == "found"
    assert said(receipt(10), receipt(11, currency=None)) == "found"


def test_the_first_receipt_of_an_empty_terminal_is_ours():
    assert said(None, receipt(1)) == "found"
    assert said(None, receipt(830)) == "found"


def test_the_next_receipt_after_9999_is_1():
    assert said(receipt(9999), receipt(1)) == "found"
    assert said(receipt(9999), receipt(2)) == "unclear"
    assert said(receipt(9998), receipt(1)) == "unclear"


def test_the_next_receipt_with_a_failure_code_is_our_refusal():
    assert said(receipt(10), receipt(11, code=0x6C)) == "found_refused"


def test_whatever_could_be_anothers_is_unclear():
    for now in (
        receipt(12),  # two happened
        receipt(9),
        receipt(10, trace=78),  # the same number, and another transaction
        receipt(11, amount=501),
        receipt(11, amount=None),
        receipt(11, currency=840),
        receipt(11, reversal=True),
        receipt(None),
        None,  # the receipts are gone
    ):
        assert said(receipt(10), now) == "unclear", now


def test_a_new_receipt_proves_nothing_where_others_start_payments_too():
    assert said(receipt(10), receipt(11), alone=False) == "unclear"
    assert said(None, receipt(1), alone=False) == "unclear"


def test_a_refused_receipt_of_another_amount_is_unclear():
    assert said(receipt(10), receipt(11, amount=1, code=0x6C)) == "unclear"
