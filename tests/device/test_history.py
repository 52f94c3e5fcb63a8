"""What the journal says of sales and refunds.

HEAP: so many tests of one thing take more than a board has beside the agent.
"""

import sys

from firmware_agent.history import History, Refund
from firmware_agent.journal import Full
from firmware_agent.sums import periods
from firmware_agent.wire import cbor
from firmware_agent.wire.bodies import FORGOTTEN, POLICY_VERSION, STATE
from firmware_agent.wire.messages import APPROVED, DECLINED, IN_DOUBT, NOT_EXECUTED, REQUESTED, SENT
from hal.said import PowerCut
from hal.sim.flash import Flash

from .bench import Clock, Paged
from .chance import Chance
from .ring import NOW, again, boot, both, lives, rounds, sale, small

HEAP = "192k"

SMALL = sys.implementation.name == "micropython"
BEFORE = [10, 500, 4711, 978, 1122, 120000, 0, False]


def sums(history, receipt, key="mine"):
    found = history.earlier({"receipt": receipt, "amount": 1, "currency": "EUR", "key": key})
    return found.approved, found.doubt


def has_forgotten(history, receipt):
    return history.earlier({"receipt": receipt, "amount": 1, "currency": "EUR"}).forgotten


def refund(history, key, receipt, amount, *states):
    """A refund that goes through `states`."""
    made = Refund(key)
    for state in states:
        facts = {}
        if state == REQUESTED:
            facts = {"receipt": receipt, "amount": amount, "currency": "EUR", "operator": "anna"}
        elif state == SENT:
            facts = {"before": BEFORE}
        elif state == APPROVED:
            facts = {"its_receipt": receipt + 1, "its_trace": 900 + receipt, "code": 0}
        history.record(made, state, facts)
    return made


def test_a_refund_is_found_after_a_boot_with_every_fact():
    history = boot()
    refund(history, "a", 231, 1234, REQUESTED, SENT, IN_DOUBT, APPROVED)
    for state in both(history):
        found = state.find("a")
        assert (found.key, found.state, found.open) == ("a", APPROVED, False)
        assert (found.receipt, found.amount, found.currency, found.operator) == (231, 1234, "EUR", "anna")
        assert (found.its_receipt, found.its_trace, found.code, found.before) == (232, 1131, 0, BEFORE)
        assert found.card is None and found.sale_amount is None
        assert state.find("b") is None


def test_open_refunds_alone_are_open_after_a_boot():
    history = boot(Flash(None, 12288, 4096, 4))
    refund(history, "requested", 1, 10, REQUESTED)
    refund(history, "sent", 2, 10, REQUESTED, SENT)
    refund(history, "doubt", 3, 10, REQUESTED, SENT, IN_DOUBT)
    refund(history, "approved", 4, 10, REQUESTED, SENT, APPROVED)
    refund(history, "declined", 5, 10, REQUESTED, SENT, DECLINED)
    refund(history, "not", 6, 10, REQUESTED, SENT, IN_DOUBT, NOT_EXECUTED)
    for state in both(history):
        assert sorted(state.open) == ["doubt", "requested", "sent"]
        assert state.open["sent"].before == BEFORE and state.open["sent"].amount == 10
        assert state.refunds == 6


def test_a_key_within_another_key_or_text_is_another_refund():
    history = boot()
    refund(history, "a1", 7, 10, REQUESTED, SENT, APPROVED)
    refund(history, "a", 8, 20, REQUESTED, SENT, DECLINED)
    refund(history, "EUR", 9, 30, REQUESTED, SENT, APPROVED)
    state = again(history)
    assert state.find("a").amount == 20 and state.find("a1").amount == 10 and state.find("EUR").receipt == 9
    assert state.find("anna") is None and state.find("1") is None


def test_the_refunds_of_a_sale_are_all_of_them_and_no_others():
    history = boot()
    refund(history, "a", 231, 100, REQUESTED, SENT, APPROVED)
    refund(history, "other", 100, 231, REQUESTED, SENT, APPROVED)  # its amount and its receipt are numbers we look for
    refund(history, "b", 231, 200, REQUESTED, SENT, IN_DOUBT)
    for state in both(history):
        assert sums(state, 231) == (100, 200)
        assert sums(state, 231, key="a") == (0, 200)
        assert sums(state, 100) == (231, 0)
        assert sums(state, 232) == (0, 0)


def test_a_later_sale_with_the_same_number_begins_anew_but_keeps_what_is_open():
    history = boot()
    history.record_sale(sale(231, 1000))
    refund(history, "old", 231, 1000, REQUESTED, SENT, APPROVED)
    refund(history, "open", 231, 5, REQUESTED, SENT, IN_DOUBT)
    history.record_sale(sale(231, 2500, trace=9000))
    refund(history, "new", 231, 300, REQUESTED, SENT, APPROVED)
    for state in both(history):
        assert state.sale(231)[3] == 2500
        assert sums(state, 231) == (300, 5)


def test_the_last_refund_of_the_same_amount_is_found_among_sixty_of_one_sale():
    history = boot(Flash(None, 12288, 4096, 4))
    for number in range(60):
        history.clock.wall += 60
        refund(history, "k%d" % number, 231, 1 + number % 30, REQUESTED, SENT, APPROVED)
    assert history.journal.newest > 1  # what was carried stands behind younger ones
    for state in both(history):
        assert sums(state, 231) == (2 * sum(range(1, 31)), 0)
        asked = {"receipt": 231, "amount": 7, "currency": "EUR", "key": "mine"}
        assert state.earlier(asked).same.key == "k36"
        asked["amount"] = 31
        assert state.earlier(asked).same is None


def test_the_codes_of_declined_refunds_are_kept_and_their_amounts_are_not():
    history = boot()
    for number, code in enumerate((0x71, 0xB5, 0x71)):
        key = "k%d" % number
        refund(history, key, 231, 10, REQUESTED, SENT)
        history.record(history.find(key), DECLINED, {"code": code})
    for state in both(history):
        assert sums(state, 231) == (0, 0)
        assert state.earlier({"receipt": 231, "amount": 10, "currency": "EUR"}).codes == {0x71: NOW, 0xB5: NOW}


def test_a_sale_is_journaled_once_and_found_by_its_number():
    history = boot()
    for _ in range(3):
        history.record_sale(sale(77, 1999, last_four="12*4"))
    end = history.journal.end
    history.record_sale(sale(77, 1999, last_four="12*4"))
    assert history.journal.end == end
    state = again(history)
    assert state.sale(77)[1:] == [77, 500, 1999, 978, 1122, 120000, "12*4"]
    end = state.journal.end
    state.record_sale(sale(77, 1999, last_four="12*4"))  # it is still the terminal's last receipt
    assert state.journal.end == end
    assert state.sale(78) is None and state.sale(1999) is None


def test_a_receipt_is_ours_by_number_and_trace_of_an_approved_refund():
    history = boot()
    refund(history, "a", 231, 100, REQUESTED, SENT, APPROVED)
    refund(history, "b", 300, 100, REQUESTED, SENT, DECLINED)
    for state in both(history):
        assert state.is_ours(sale(232, trace=1131))
        assert not state.is_ours(sale(232, trace=1132))  # the counter came around
        assert not state.is_ours(sale(231, trace=1131))
        assert not state.is_ours(sale(301, trace=1200))


def test_every_boot_is_counted_and_the_agent_keeps_its_name():
    history = boot()
    name = history.agent_id
    for number in range(1, 5):
        assert (history.boot, history.agent_id) == (number, name)
        history = again(history)
    assert len(name) == 8 and boot().agent_id != name


def test_every_question_finds_what_reading_everything_finds():
    chance = Chance()
    history = boot(Paged(5 * 2048))
    for number in range(66):
        receipt = 1 + chance.below(20)
        if chance.below(2):
            history.record_sale(sale(receipt, 1000 + chance.below(3), trace=number))
        refund(history, "k%d" % number, receipt, 1 + chance.below(9), REQUESTED, SENT, *ENDS[chance.below(4)])
        if chance.below(3) == 0:
            who = {"attested_by": "anna", "role": "boss", "reason": "slip"}
            made = refund(history, "a%d" % number, receipt, 1 + chance.below(9), REQUESTED, SENT, IN_DOUBT)
            history.record(made, APPROVED, who)
        if chance.below(20) == 0:
            history = again(history)
        if number % (65 if SMALL else 13):
            continue
        journal = history.journal
        for each in range(22):
            indexed = answers(history, each, number)
            kept = journal.terms, journal._entered
            journal.terms, journal._entered = None, -1  # without an index everything is read
            assert indexed == answers(history, each, number), (number, each)
            journal.terms, journal._entered = kept
    assert history.journal.newest > 7


def answers(history, each, number):
    """What may be asked about a receipt, and about some keys."""
    history._asked = None
    asked = {"receipt": each, "amount": 5, "currency": "EUR", "key": "new"}
    found = history.earlier(asked)
    its = (sale(each + 1, each % 9, 900 + each), sale(11, each, each))
    receipts = [(history.is_ours(one), history.is_no_sale(one)) for one in its]
    keys = [told(history.find("%s%d" % (kind, number + each - 21))) for kind in "ka"]
    same, found.same = told(found.same), None
    return told(found), same, history.sale(each), receipts, keys


def told(thing):
    return thing and sorted([(name, str(value)) for name, value in thing.__dict__.items()])


# ---- what is carried, round after round ----
def test_an_open_refund_keeps_every_fact_for_many_rounds():
    history = boot()
    names = ("receipt", "amount", "currency", "sale_amount", "sale_date", "card", "operator")
    facts = dict(zip(names, (9999, 999999999999, "EUR", 999999999999, 99991231, "4711", "o" * 24)))
    made = Refund("k" * 36)
    history.clock.wall = 1800000000
    history.record(made, REQUESTED, facts)
    history.record(made, SENT, {"before": BEFORE})
    history.clock.wall += 7
    history.record(made, IN_DOUBT, {"code": 255})
    for more in (1, 1, 2):
        rounds(history, more)
        for state in both(history):
            found = state.find("k" * 36)
            assert found.state == IN_DOUBT and found.wall_s == 1800000007 and found is state.open[found.key]
            assert [getattr(found, name) for name in names] == [facts[name] for name in names]
            assert found.before == BEFORE and found.code == 255 and found.attested_by is None
        history = again(history)
    facts = {"attested_by": "w" * 24, "role": "r" * 24, "reason": "because " * 10}
    history.record(history.find("k" * 36), APPROVED, facts)
    rounds(history, 2)
    found = again(history).find("k" * 36)
    assert [getattr(found, name) for name in facts] == list(facts.values())
    assert (found.receipt, found.amount, found.currency) == (9999, 999999999999, "EUR")


def test_how_a_refund_ended_is_kept_for_many_rounds():
    history = boot()
    refund(history, "a", 231, 1234, REQUESTED, SENT, APPROVED)
    refund(history, "b", 232, 99, REQUESTED, SENT)
    history.record(history.find("b"), DECLINED, {"code": 0x71})
    history = rounds(history, 3)
    for state in both(history):
        found = state.find("a")
        assert (found.state, found.receipt, found.amount, found.currency) == (APPROVED, 231, 1234, "EUR")
        assert (found.its_receipt, found.its_trace, found.code) == (232, 1131, 0)
        assert sums(state, 231) == (1234, 0) and state.is_ours(sale(232, trace=1131))
        assert state.find("b").state == DECLINED
        assert state.earlier({"receipt": 232, "amount": 1, "currency": "EUR"}).codes == {0x71: NOW}
        assert state.refunds == 2 and not state.open


def test_boots_and_the_agents_name_are_kept_for_many_rounds():
    history = boot()
    name = history.agent_id
    for number in range(2, 7):
        history = again(rounds(history, 1))
        assert (history.boot, history.agent_id) == (number, name)


def test_counters_never_fall_and_are_kept_for_many_rounds():
    history = boot()
    history.count(POLICY_VERSION, 7)
    history.count(9, 2**40)
    for state in lives(history):
        assert state.counters == {POLICY_VERSION: 7, 9: 2**40}
        try:
            state.count(POLICY_VERSION, 6)
        except ValueError:
            continue
        raise AssertionError()
    state = again(history)
    state.count(POLICY_VERSION, 7)
    state.count(POLICY_VERSION, 8)
    assert again(rounds(state, 1)).counters[POLICY_VERSION] == 8


def test_every_refund_is_found_or_its_sale_is_known_for_forgotten_whatever_happens():
    chance = Chance()
    history = boot()
    done = {}  # key: receipt, amount
    total = 0
    for number in range(130):
        receipt = 1 + chance.below(9999)
        while receipt in [one[0] for one in done.values()]:
            receipt = receipt % 9999 + 1
        key = "refund %d" % number
        amount = 1 + chance.below(100000)
        if chance.below(3):
            history.record_sale(sale(receipt, 100000, trace=number))
        ends = chance.below(4)
        refund(history, key, receipt, amount, REQUESTED, SENT, *ENDS[ends])
        if ends < 3:
            done[key] = receipt, amount, ends
        if ends < 2:
            total += amount
        if chance.below(9) == 0:
            history = again(history)
    known = 0
    for state in both(history):
        for key, (receipt, amount, ends) in done.items():
            found = state.find(key)
            asked = {"receipt": receipt, "amount": amount, "currency": "EUR", "key": "new"}
            earlier = state.earlier(asked)
            if found is None or found.state not in (APPROVED, DECLINED):
                assert earlier.forgotten, (key, receipt)
                continue
            known += 1
            assert (found.receipt, found.amount) == (receipt, amount)
            if ends < 2:
                assert earlier.approved == amount and earlier.same.key == key
        assert state.refunds == 130 and not state.open
        assert state.sums.of("EUR", DAY)[1] == total
    assert 0 < known < 2 * len(done), known  # some were kept and some were not


ENDS = ((APPROVED,), (IN_DOUBT, APPROVED), (DECLINED,), (IN_DOUBT, NOT_EXECUTED))


def forget(history, first=5000):
    """Refunds until the one made before is given up."""
    number = first
    while history.find("old"):
        number += 1
        refund(history, "k%d" % number, number, 10, REQUESTED, SENT, APPROVED)
    return history


def test_a_forgotten_sale_is_known_for_it_until_a_later_one_with_its_number_is_seen():
    history = boot()
    history.record_sale(sale(231, 1000))
    refund(history, "old", 231, 1000, REQUESTED, SENT, APPROVED)
    forget(history)
    for state in lives(history):
        assert has_forgotten(state, 231) and not has_forgotten(state, 232)
        assert sums(state, 231) == (0, 0)
    history = again(history)
    history.record_sale(sale(231, 2500, trace=9000))
    for state in lives(history):
        assert not has_forgotten(state, 231)
        assert has_forgotten(state, 5001)  # its neighbours stay


def test_a_forgotten_refund_of_an_earlier_sale_does_not_hold_the_later_sale():
    history = boot()
    history.record_sale(sale(231, 1000))
    refund(history, "old", 231, 1000, REQUESTED, SENT, APPROVED)
    number = 5000
    while history.find("old"):
        number += 1
        refund(history, "k%d" % number, number, 10, REQUESTED, SENT, APPROVED)
        if number % 3 == 0:  # the number has come around, and its new sale is in the journal all the time
            history.record_sale(sale(231, 2500, trace=number))
    for state in both(history):
        assert not has_forgotten(state, 231) and sums(state, 231) == (0, 0)


def test_a_refund_is_held_against_its_own_sale_and_not_against_a_later_one_with_the_number():
    history = boot()
    history.record_sale(sale(231, 1000))
    refund(history, "old", 231, 1000, REQUESTED, SENT, APPROVED)
    refund(history, "never seen", 231, 7, REQUESTED, SENT, APPROVED)
    history.record_sale(sale(231, 2500, trace=9000))
    refund(history, "new", 231, 300, REQUESTED, SENT, IN_DOUBT, APPROVED)
    for state in both(history):
        assert sums(state, 231) == (300, 0)
    rounds(state, 2)  # the sales are gone: nobody can tell any more which is meant, so all count
    for history in both(state):
        assert history.sale(231) is None and sums(history, 231) == (1307, 0)
    history.record_sale(sale(231, 2500, trace=9000))
    assert sums(history, 231) == (300, 0)
    history.record_sale(sale(231, 1, trace=9999))
    assert sums(history, 231) == (0, 0)
    refund(history, "open", 231, 5, REQUESTED, SENT, IN_DOUBT)
    history.record_sale(sale(231, 2, trace=10))
    assert sums(history, 231) == (0, 5)


def test_what_was_not_executed_may_be_asked_for_anew_and_begins_without_its_old_facts():
    history = boot()
    made = refund(history, "a", 231, 1000, REQUESTED, SENT, IN_DOUBT)
    history.record(made, NOT_EXECUTED, {"attested_by": "anna", "role": "manager", "reason": "no receipt", "code": 5})
    for state in both(history):
        assert state.find("a").state == NOT_EXECUTED and state.find("a").attested_by == "anna" and not state.open
    history = state
    anew = history.find("a")
    history.record(anew, REQUESTED, {"receipt": 231, "amount": 1000, "currency": "EUR"})
    for state in lives(history):
        found = state.find("a")
        assert found.state == REQUESTED and found.open and found.amount == 1000
        assert found.attested_by is None and found.code is None and found.before is None
    history = again(history)
    history.record(history.find("a"), SENT, {"before": BEFORE})
    history.record(history.find("a"), APPROVED, {"its_receipt": 5})
    for state in lives(history):
        assert state.find("a").state == APPROVED and state.find("a").attested_by is None
    assert again(history).refunds == 2


def test_not_executed_leaves_nothing_behind_after_a_round():
    history = boot()
    refund(history, "a", 231, 1000, REQUESTED, SENT, IN_DOUBT, NOT_EXECUTED)
    rounds(history, 2)
    for state in both(history):
        assert state.find("a") is None and not has_forgotten(state, 231) and sums(state, 231) == (0, 0)


# ---- what checks ask besides ----
def test_the_refunds_of_a_sale_are_counted_and_the_last_one_is_dated():
    history = boot()
    asked = {"receipt": 231, "amount": 1, "currency": "EUR", "key": "mine"}
    assert (history.earlier(asked).count, history.earlier(asked).last_wall_s) == (0, None)
    refund(history, "mine", 231, 5, REQUESTED, SENT, APPROVED)
    for number in range(3):
        history.clock.wall = NOW + 60 * number
        refund(history, "k%d" % number, 231, 10, REQUESTED, SENT, APPROVED)
    history.clock.wall = NOW + 5
    refund(history, "declined", 231, 10, REQUESTED, SENT, DECLINED)
    refund(history, "other", 232, 10, REQUESTED, SENT, APPROVED)
    refund(history, "open", 231, 10, REQUESTED, SENT)
    for state in lives(history):
        found = state.earlier(asked)
        assert (found.count, found.last_wall_s, found.wrong) == (4, NOW + 120, False)
    state.clock.wall = None
    refund(state, "no clock", 231, 10, REQUESTED, SENT, APPROVED)
    found = state.earlier(asked)
    assert (found.count, found.last_wall_s) == (5, None)


def test_a_refund_that_the_terminal_booked_on_another_sale_is_known_for_it():
    history = boot()
    made = refund(history, "a", 231, 5, REQUESTED, SENT)
    history.record(made, APPROVED, {"its_receipt": 9, "its_trace": 9, "code": 0, "wrong": 1})
    made = Refund("b")
    history.record(made, REQUESTED, {"receipt": 233, "amount": 5, "currency": "EUR", "scheme": "girocard"})
    for state in lives(history):
        assert state.earlier({"receipt": 231, "amount": 1, "currency": "EUR"}).wrong
        assert not state.earlier({"receipt": 233, "amount": 1, "currency": "EUR"}).wrong
        assert state.open["b"].scheme == "girocard"


def test_the_last_boots_are_dated_and_a_medium_that_failed_for_a_while_makes_none_of_them():
    flash = Tired(8192)
    times = []
    for number in range(11):
        clock = Clock()
        clock.wall = None if number == 5 else NOW + number * 3600
        times.append(clock.wall)
        history = History(flash, clock)
        assert history.boots == times
        if number % 3 == 0:
            flash.full = True
            try:
                history.count(9, number)
                raise AssertionError()
            except OSError:
                flash.full = False
                clock.wall = NOW + 5
                assert history.works()
    for _ in range(40):
        history = History(flash, clock)
    assert len(history.boots) == 32
    rounds(history, 1)
    assert again(history).boots[-1] == NOW


def test_the_oldest_time_is_that_of_what_stands_where_it_was_written():
    history = boot()
    refund(history, "a", 231, 5, REQUESTED, SENT, APPROVED)
    history.clock.wall = NOW + 60
    refund(history, "b", 232, 5, REQUESTED, SENT, APPROVED)
    for state in both(history):
        assert state.oldest_wall_s() == NOW
    rounds(state, 2)
    assert state.find("a").wall_s == NOW and state.oldest_wall_s() is None
    state.clock.wall = NOW + 90
    refund(state, "c", 233, 5, REQUESTED)
    assert again(state).oldest_wall_s() == NOW + 90
    unset = History(small(), Clock())
    assert unset.oldest_wall_s() is None


def test_a_journal_without_any_time_is_not_read_again_until_something_is_journaled():
    state = History(small(), Clock())
    refund(state, "a", 231, 5, REQUESTED, SENT, APPROVED)
    assert state.oldest_wall_s() is None
    sector, read = state.journal.sector, []
    state.journal.sector = lambda generation: read.append(generation) or sector(generation)
    assert state.oldest_wall_s() is None and read == []
    refund(state, "b", 232, 5, REQUESTED)
    read.clear()
    assert state.oldest_wall_s() is None and read == [state.journal.newest]
    state.clock.wall = NOW
    refund(state, "c", 233, 5, REQUESTED)
    assert state.oldest_wall_s() == NOW


def test_what_was_under_way_when_the_power_went_is_cut_until_something_is_journaled_of_it():
    history = boot()
    refund(history, "sent", 231, 5, REQUESTED, SENT)
    refund(history, "doubt", 232, 5, REQUESTED, SENT, IN_DOUBT)
    assert not history.cut
    history = again(history)
    assert [made.key for made in history.cut] == ["sent"]
    history.record(history.cut[0], IN_DOUBT, {})
    assert history.cut == [] and again(history).cut == []


# ---- limits ----
def test_only_so_many_refunds_may_be_open_and_all_of_them_fit_and_can_end():
    history = boot(Flash(None, 3 * 4096, 4096, 4))
    facts = {"amount": 999999999999, "currency": "EUR", "sale_amount": 999999999999, "sale_date": 99991231}
    facts.update({"card": "4711", "operator": "o" * 24})
    for number in range(6):
        made = Refund("%d" % number + "k" * 35)
        facts["receipt"] = 9990 + number
        history.record(made, REQUESTED, facts)
        history.record(made, SENT, {"before": [9999, 999999, 999999999999, 978, 1231, 235959, 255, False]})
    for state in lives(history):
        assert not state.works() and not state.failing
        try:
            refund(state, "one more", 5, 5, REQUESTED)
            raise AssertionError()
        except Full:
            assert state.find("one more") is None
    history = again(history)
    for made in list(history.open.values()):
        assert made.operator == "o" * 24 and made.before[2] == 999999999999
        history.record(made, IN_DOUBT, {})
        history.record(made, APPROVED, {"its_receipt": 9999, "its_trace": 999999, "code": 0})
    assert history.works()
    refund(history, "one more", 5, 5, REQUESTED)
    assert sorted(again(history).open) == ["one more"]


def longest(receipt):
    """The facts of a request, as long as they may be."""
    facts = {"receipt": receipt, "amount": 999999999999, "currency": "EUR", "sale_amount": 999999999999}
    facts.update({"sale_date": 99991231, "card": "4711", "operator": "o" * 24, "scheme": "s" * 16})
    return facts


def test_a_ring_full_of_everything_at_its_longest_still_takes_refunds():
    """All pages of forgotten sales, all rows of sums, people's words on everything, and as many open refunds as there may
    be: the arithmetic of `carry`."""
    for words in (0, 4, 10):
        history = boot(Flash(None, 3 * 4096, 4096, 16))
        for number in range(3):
            made = Refund("%d" % number + "k" * 35)
            history.record(made, REQUESTED, longest(9990 + number))
            history.record(made, SENT, {"before": [9999, 999999, 999999999999, 978, 1231, 235959, 255, False]})
            history.record(made, IN_DOUBT, {"code": 255})
        for what in range(1, words + 1):
            history.attest(what, 0, 999999999999, "w" * 24, "r" * 24, "t" * 80, b"d" * 32)
        if words == 4:
            history.count_try("p" * 24, False)
        for page in range(20):
            history.forgotten.add(page * 512 + 5)
        for day in range(20):
            for currency in ("EUR", "CHF"):
                history.sums.add(currency, 1800000000 + day * 86400, 999999999999)
        for counter in range(4):
            history.count(counter, 2**32 - 1)
        for page in range(20):
            history._append([FORGOTTEN, page, history.forgotten.pages[page]])
        number = 3
        while history.works():
            made = Refund("%d" % number + "k" * 35)
            history.record(made, REQUESTED, longest(9990 + number))
            number += 1
        assert number == {0: 6, 4: 5, 10: 3}[words], (number, words)
        for state in lives(rounds(history, 2), 1):
            assert len(state.open) == number and state.forgotten.has(19 * 512 + 5) and state.forgotten.has(5)
            assert len(state.sums.rows) == 16 and state.counters[3] == 2**32 - 1
            assert len(state.attests) == words and state.tries == ({"p" * 24: 1} if words == 4 else {})
        state.record(state.open["0" + "k" * 35], APPROVED, {"its_receipt": 9999, "its_trace": 999999, "code": 0})


# ---- sums ----
DAY, MONTH = 20000, -(2024 * 12 + 10)


def approve(history, number, amount, wall_s, currency="EUR"):
    history.clock.wall = wall_s
    made = Refund("s%d" % number)
    history.record(made, REQUESTED, {"receipt": number, "amount": amount, "currency": currency})
    history.record(made, SENT, {})
    history.record(made, APPROVED, {})


def test_sums_are_by_currency_day_and_month():
    history = boot()
    now = DAY * 86400
    approve(history, 1, 100, now)
    approve(history, 2, 200, now + 86399)
    approve(history, 3, 400, now + 86400)
    approve(history, 4, 800, now, "CHF")
    refund(history, "declined", 5, 1000, REQUESTED, SENT, DECLINED)
    history.clock.wall = None
    refund(history, "no clock", 6, 1000, REQUESTED, SENT, APPROVED)
    for state in lives(history):
        assert state.sums.of("EUR", DAY) == (2, 300) and state.sums.of("EUR", DAY + 1) == (1, 400)
        assert state.sums.of("EUR", MONTH) == (3, 700)
        assert state.sums.of("CHF", DAY) == (1, 800) and state.sums.of("CHF", MONTH) == (1, 800)
        assert state.sums.of("USD", DAY) == (0, 0)


def test_a_clock_that_jumps_fifty_years_and_back_alters_no_sum():
    history = boot()
    now = DAY * 86400
    jump = 50 * 365 * 86400
    approve(history, 1, 100, now)
    approve(history, 2, 7, now + jump)
    approve(history, 3, 9, max(0, now - jump))
    history = again(history)
    approve(history, 4, 200, now + 5)
    for state in lives(history):
        assert state.sums.of("EUR", DAY) == (2, 300) and state.sums.of("EUR", MONTH) == (2, 300)
        assert state.sums.of("EUR", (now + jump) // 86400) == (1, 7)
    assert len(history.sums.rows) == 6


def test_periods_are_those_of_the_calendar():
    for wall_s, day, year, month in (
        (0, 0, 1970, 1),
        (86399, 0, 1970, 1),
        (951782400, 11016, 2000, 2),  # the 29th
        (951868800, 11017, 2000, 3),
        (1735689599, 20088, 2024, 12),
        (1735689600, 20089, 2025, 1),
        (4107542400, 47541, 2100, 3),  # the day after February 28th
        (4107542399, 47540, 2100, 2),
    ):
        assert periods(wall_s) == (day, -(year * 12 + month)), wall_s


# ---- a medium that fails, and one that lost something ----
class Tired(Paged):
    """A flash that takes nothing while it is `full`."""

    full = False

    def program(self, address, data):
        if self.full:
            raise OSError(28)
        super().program(address, data)

    def erase(self, address):
        if self.full:
            raise OSError(28)
        super().erase(address)


def test_a_medium_that_refuses_is_known_for_it_until_it_takes_something_again():
    flash = Tired(8192)
    history = boot(flash)
    refund(history, "a", 1, 10, REQUESTED, SENT)
    assert history.works() and not history.failing
    flash.full = True
    for _ in range(3):
        try:
            history.record(history.find("a"), APPROVED, {})
            raise AssertionError()
        except OSError:
            assert history.find("a").state == SENT  # what is not journaled is not entered
        assert not history.works() and history.failing
    flash.full = False
    assert history.works() and not history.failing
    history.record(history.find("a"), APPROVED, {})
    for state in both(history):
        assert state.find("a").state == APPROVED and state.journal.damage.count == 0


def test_a_medium_that_refuses_when_the_ring_turns_is_known_for_it_too():
    flash = Tired(8192)
    history = boot(flash)
    number = 0
    flash.full = False
    while history.journal.base(history.journal.newest) + 2048 - history.journal.end >= 50:
        number += 1
        history.record_sale(sale(number, trace=number))
    flash.full = True
    for _ in range(3):
        try:
            refund(history, "a", 1, 10, REQUESTED)
            raise AssertionError()
        except OSError:
            assert history.find("a") is None
        assert not history.works() and history.failing
    flash.full = False
    assert history.works()
    refund(history, "a", 1, 10, REQUESTED)
    assert again(history).find("a").state == REQUESTED


def test_a_history_can_be_read_while_its_medium_takes_nothing():
    flash = Tired(8192)
    refund(boot(flash), "a", 1, 10, REQUESTED, SENT, APPROVED)
    flash.full = True
    history = boot(flash)
    assert history.find("a").state == APPROVED and history.failing and not history.works()
    flash.full = False
    assert history.works()


def test_a_torn_record_and_a_half_erased_sector_can_be_read_while_the_medium_takes_nothing():
    flash = Tired(8192)
    history = boot(flash)
    refund(history, "a", 1, 10, REQUESTED)
    flash.cut_after = 20
    try:
        history.record(history.find("a"), SENT, {})
        raise AssertionError()
    except PowerCut:
        flash.cut_after = None
    flash.program(3 * 2048, b"what an erase left over.")
    flash.full = True
    history = boot(flash)
    assert history.find("a").state == REQUESTED and history.failing
    flash.full = False
    assert history.works()
    history.record(history.find("a"), SENT, {})
    for state in lives(history):
        assert state.find("a").state == SENT and state.lost == 0


def damaged(history, wanted=SENT):
    """A flash where the last STATE record of that state is no more."""
    flash = history.journal.flash
    for generation in range(history.journal.oldest, history.journal.newest + 1):
        for at, flags, _, body, _ in history.journal.sector(generation):
            if flags is not None and body[1] == STATE and cbor.decode(body)[2] == wanted:
                found = at
    twin = Paged(flash.size, flash.sector, flash.unit)
    for at in range(0, flash.size, twin.PAGE):
        data = bytearray(flash.read(at, twin.PAGE))
        if at <= found + 9 < at + len(data):
            data[found + 9 - at] ^= 0x40
        twin.program(at, data)
    return twin


def test_a_lost_record_is_counted_until_somebody_accepts_that():
    history = boot()
    refund(history, "a", 1, 10, REQUESTED, SENT, APPROVED)
    assert history.lost == 0
    history = boot(damaged(history))
    assert history.lost == 1 and again(history).lost == 1
    history = again(history)
    history.accept("anna", "manager", "compared with the terminal's list")
    assert history.lost == 0
    for state in lives(history, 1):
        assert state.lost == 0
    history = again(history)
    refund(history, "b", 2, 10, REQUESTED, SENT, APPROVED)
    refund(history, "c", 3, 10, REQUESTED)
    history = boot(damaged(history))
    assert history.lost == 1  # what was accepted was another


def test_a_loss_that_nobody_accepted_does_not_go_away_when_its_sector_is_given_up():
    history = boot()
    refund(history, "a", 1, 10, REQUESTED, SENT, APPROVED)
    history = boot(damaged(history))
    assert history.lost == 1
    rounds(history, 2)
    list(history.journal.look_through())
    assert history.lost == 1
    assert again(history).lost == 1


def test_a_torn_record_is_no_loss():
    history = boot()
    refund(history, "a", 1, 10, REQUESTED)
    flash = history.journal.flash
    flash.cut_after = 30
    try:
        history.record(history.find("a"), SENT, {"before": BEFORE})
        raise AssertionError()
    except PowerCut:
        flash.cut_after = None
    history = again(history)
    assert history.lost == 0 and history.journal.damage.count == 1 and history.find("a").state == REQUESTED


def test_a_refund_whose_request_is_lost_can_be_settled_and_harms_no_boot_and_no_round():
    history = boot()
    refund(history, "a", 231, 10, REQUESTED, SENT, IN_DOUBT)
    refund(history, "b", 232, 10, REQUESTED, SENT, IN_DOUBT)
    history = boot(damaged(history, REQUESTED))
    lost = history.open["b"]
    assert history.lost == 1 and lost.receipt is None and history.open["a"].receipt == 231
    history.record(lost, APPROVED, {"attested_by": "anna"})
    for state in lives(history):
        assert state.find(lost.key).state == APPROVED and lost.key not in state.open
        assert state.refunds == 1 and state.sums.rows == []
    history = again(history)
    number = 5000
    while history.find(lost.key):  # until it is given up
        number += 1
        refund(history, "k%d" % number, number, 10, REQUESTED, SENT, APPROVED)
