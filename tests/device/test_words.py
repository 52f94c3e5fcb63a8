"""What people attested, wrong PINs, and what the checks saw: how the journal keeps it.

HEAP: a verdict of sixty findings with all their evidence.
"""

from firmware_agent.journal import Full
from firmware_agent.wire import cbor
from firmware_agent.wire.bodies import APPROVAL, ATTEST, ATTESTATIONS, TRIES, VERDICT
from hal.sim.flash import Flash

from .ring import NOW, again, boot, both, lives, rounds, sale

HEAP = "160k"

DAMAGE, GUIDE, CODE = ATTESTATIONS.index("damage"), ATTESTATIONS.index("guide"), ATTESTATIONS.index("host_code")


def test_the_last_word_on_the_shop_is_kept_for_many_rounds_without_its_text():
    history = boot()
    history.attest(DAMAGE, 0, 0, "anna", "clerk", "the display is cracked", b"\x01" * 32)
    history.attest(CODE, 0, 5, "anna", "clerk", "", None)
    for state in lives(history, 1):
        assert state.words(0)[DAMAGE][3:] == [0, NOW, "anna", "clerk", "", None]
        assert GUIDE not in state.words(0) and DAMAGE not in state.words(1)
    history = again(history)
    history.clock.wall = NOW + 60
    history.attest(DAMAGE, 0, 1, "bob", "technician", "new display", None)
    for _ in range(3):
        for state in lives(history, 1):
            assert state.words(0)[DAMAGE][3:] == [1, NOW + 60, "bob", "technician", "", None]
            assert state.words(0)[CODE][3:] == [5, NOW, "anna", "clerk", "", None]
        history = again(history)
    kept = [body for body in history.journal.bodies(history.journal.newest) if body[1] == ATTEST]
    assert len(kept) <= 2, kept  # the word that no longer holds does not go round


def test_a_word_on_a_sale_is_found_by_its_receipt_and_goes_with_its_sector():
    history = boot()
    history.record_sale(sale(231, 1000))
    history.attest(APPROVAL, 231, 500, "eve", "boss", "k1", None)
    history.attest(GUIDE, 231, 2, "anna", "clerk", "4 31", b"\xd1" * 32)
    history.attest(GUIDE, 231, 3, "anna", "clerk", "4 31", None)
    history.attest(GUIDE, 232, 4, "bob", "clerk", "4 31", None)
    for state in both(history):
        assert [record[1] for record in state.attestations(231)] == [APPROVAL, GUIDE, GUIDE]
        assert state.words(231)[APPROVAL] == [ATTEST, APPROVAL, 231, 500, NOW, "eve", "boss", "k1", None]
        assert state.words(231)[GUIDE][3] == 3 and state.words(232)[GUIDE][3] == 4
        assert list(state.attestations(233)) == [] and DAMAGE not in state.words(231)
    rounds(state, 2)
    for history in both(state):
        assert APPROVAL not in history.words(231)  # it must be given again


def test_a_word_on_a_sale_does_not_count_for_a_later_one_with_its_number():
    history = boot()
    history.attest(APPROVAL, 231, 1, "eve", "boss", "before the sale was seen", None)
    history.record_sale(sale(231, 1000))
    history.attest(APPROVAL, 231, 500, "eve", "boss", "k1", None)
    history.record_sale(sale(300, 1000))
    history.record_sale(sale(231, 1000))  # the same once more
    assert [record[7] for record in history.attestations(231)] == ["k1"]
    history.record_sale(sale(231, 2500, trace=9000))
    for state in both(history):
        assert list(state.attestations(231)) == []
    state.attest(APPROVAL, 231, 700, "eve", "boss", "k2", None)
    for history in both(state):
        assert [record[7] for record in history.attestations(231)] == ["k2"]


def test_wrong_pins_in_a_row_are_counted_for_many_rounds_and_a_right_one_ends_that():
    history = boot()
    end = history.journal.end
    history.count_try("anna", True)
    assert history.journal.end == end  # nothing was to be forgiven
    for _ in range(3):
        history.count_try("anna", False)
    history.count_try("bob", False)
    history.count_try("bob", True)
    history.count_try("eve", False)
    for state in lives(history):
        assert state.tries == {"anna": 3, "eve": 1}
    state.count_try("anna", False)
    state.count_try("eve", True)
    for history in lives(state):
        assert history.tries == {"anna": 4}
    kept = [body for body in history.journal.bodies(history.journal.newest) if body[1] == TRIES]
    assert len(kept) <= 1, kept


def test_a_lock_is_never_given_up_for_other_names():
    history = boot(Flash(None, 3 * 4096, 4096, 4))
    for _ in range(5):
        history.count_try("anna", False)
    number = 0
    try:
        while True:
            number += 1
            history.count_try("a name of that length %02d" % number, False)
    except Full:
        assert number > 16 and history.works()
    history.count_try("anna", False)
    assert again(rounds(history, 2)).tries["anna"] == 6


def verdicts(history):
    found = []
    for generation in range(history.journal.oldest, history.journal.newest + 1):
        found += [cbor.decode(body)[1:] for body in history.journal.bodies(generation) if body[1] == VERDICT]
    return found


def test_a_verdict_is_journaled_when_it_differs_from_the_last_one():
    history = boot()
    low = {"cause": 4, "status": 3, "evidence": {"supply_mv": 4321, "missing": None}}
    asked = {"receipt": 231, "amount": 500, "currency": "EUR", "operator": "ben", "key": "k1", "sale_date": 20261120}
    history.record_verdict("k1", 3, [low], asked)
    first = ["k1", 3, NOW, 1000, [[4, 3, {1: 4321}]], {0: 231, 1: 500, 2: "EUR", 6: "ben"}]
    assert verdicts(history) == [first]
    low["evidence"]["supply_mv"] = 4300
    for _ in range(3):
        history.record_verdict("k1", 3, [low])  # a till that asks again and again
    assert verdicts(history) == [first]
    history.record_verdict("k2", 3, [low])
    history.record_verdict("k1", 3, [low])
    low["status"] = 1
    history.record_verdict("k1", 1, [low])
    history.record_verdict("k1", 0, [])
    for state in both(history):
        assert [row[:2] for row in verdicts(state)] == [["k1", 3], ["k2", 3], ["k1", 3], ["k1", 1], ["k1", 0]]
        assert state.find("k1") is None and not state.open


def test_a_verdict_of_any_size_fits_and_loses_the_evidence_of_its_last_findings():
    history = boot()
    for size in (1, 9, 10, 11, 12, 13, 14, 60):
        findings = []
        for cause in range(1, size + 1):
            evidence = {"supply_mv": 4294967295, "missing": "policy: %d" % (10**12 + cause), "amount": 999999999999}
            findings.append({"cause": cause, "status": 2, "evidence": evidence})
        history.record_verdict("k" * 36, 4, findings)
        rows = verdicts(history)[-1][4]
        assert [row[:2] for row in rows] == [[cause, 2] for cause in range(1, size + 1)]
        full = [len(row[2]) for row in rows]
        assert full == [3] * full.count(3) + [0] * full.count(0) and full.count(3) >= min(size, 3), full
