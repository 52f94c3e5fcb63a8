"""Every check: what makes it pass, what it finds, and that it says UNKNOWN and what is missing where its data are."""

from firmware_agent.case import FINE, Case
from firmware_agent.checks import device, doubt, network, power, sale, software, storage
from firmware_agent.history import Earlier, Refund
from firmware_agent.policy import Policy
from firmware_agent.snapshot import Snapshot
from firmware_agent.wire.messages import (
    APPROVED,
    BLOCK,
    DECLINED,
    HOLD,
    IN_DOUBT,
    NOT_EXECUTED,
    PASS,
    REQUESTED,
    SENT,
    UNKNOWN,
    WARN,
    fact,
)
from hal.sim.terminal import Terminal

from .bench import Clock

HEAP = "256k"


class Told:
    """A history that says what it is told: `sales` {receipt: amount}, `refunds` [Refund], `forgotten` [receipt]."""

    failing = False
    lost = 0
    limit = 3
    cut = ()

    def __init__(self, sales, refunds, forgotten=()):
        self.sales = sales
        self.refunds = refunds
        self.open = {one.key: one for one in refunds if one.open}
        self.forgotten = forgotten

    def works(self):
        return not self.failing and len(self.open) < self.limit

    def sale(self, receipt):
        return [1, receipt, 5, self.sales[receipt], 978, 1122, 120000, None] if receipt in self.sales else None

    def words(self, receipt):
        return {}

    def earlier(self, request):
        found = Earlier(request["receipt"] in self.forgotten)
        for one in self.refunds:
            if one.receipt == request["receipt"] and one.key != request["key"]:
                found.take(one, request)
        return found


def refund(key, state, amount=500, receipt=231, currency="EUR", wall_s=None, code=None):
    made = Refund(key)
    made.state, made.amount, made.receipt, made.currency = state, amount, receipt, currency
    made.wall_s, made.code = wall_s, code
    return made


def case(values=(), rules=None, sales=None, refunds=(), wall_s=None, age_ms=0, forgotten=(), **request):
    clock = Clock()
    snapshot = Snapshot(clock)
    for name, value in dict(values).items():
        snapshot.put(name, value)
    clock.now += age_ms
    asked = {"receipt": 231, "amount": 500, "currency": "EUR", "key": "mine"}
    asked.update(request)
    told = Told(sales or {}, list(refunds), forgotten)
    return Case(asked, snapshot, Policy(rules or {}), told, wall_s, Terminal({}))


def result(check, one):
    status, evidence = check(one)
    for name in evidence:
        fact(name)  # every name of evidence can be sent
    assert status != UNKNOWN or evidence["missing"]
    return status, evidence


def status(check, one):
    return result(check, one)[0]


# ---- 1 terminal_fault ----
READY = {"terminal_code": 0, "terminal_locks": 0, "terminal_state": 0, "terminal_silent": 0}


def terminal(age_ms=0, **changes):
    values = dict(READY)
    values.update(changes)
    return result(device.terminal_fault, case(values, age_ms=age_ms))


def test_1_a_ready_terminal_passes_and_so_does_one_whose_code_speaks_of_something_else():
    assert terminal()[0] == PASS
    for code in (0x9C, 0xA0, 0xE0, 0xCC, 0xF0):
        assert terminal(terminal_code=code)[0] == PASS
    assert terminal(terminal_locks=None, terminal_state=None)[0] == PASS


def test_1_a_fault_or_a_lock_blocks_with_its_number():
    assert terminal(terminal_code=0xDF) == (BLOCK, {"result_code": 0xDF})
    for lock in (1 << 3, 1 << 4, 1 << 13):
        assert terminal(terminal_locks=lock) == (BLOCK, {"terminal_locks": lock})


def test_1_a_code_that_no_table_lists_is_unknown_with_the_code():
    assert terminal(terminal_code=0xD7) == (UNKNOWN, {"result_code": 0xD7, "missing": "terminal"})


def test_a_terminal_that_is_not_ready_to_receive_is_at_work():
    for code in (0x9C, 0xA0, 0xE0):
        values = dict(READY)
        values["terminal_code"] = code
        one = case(values)
        assert status(software.update_running, one) == HOLD
        assert status(network.network_down, one) == UNKNOWN


def test_1_a_silent_a_stale_or_an_unasked_terminal_is_unknown():
    assert terminal(terminal_silent=1)[0] == UNKNOWN
    assert terminal(age_ms=30001) == (UNKNOWN, {"missing": "terminal", "terminal_silent": 0, "age_ms": 30001})
    assert terminal(age_ms=30000)[0] == PASS
    assert result(device.terminal_fault, case()) == (UNKNOWN, {"missing": "terminal", "terminal_silent": 0})


# ---- 4 supply_unstable ----
def test_4_follows_the_watcher_and_is_unknown_when_it_stands_still():
    values = {"supply_ok": 1, "supply_mv": 5000, "supply_low_mv": 4600, "window_ms": 3000}
    assert status(power.supply_unstable, case(values)) == PASS
    assert status(power.supply_unstable, case(values, age_ms=2000)) == PASS
    assert result(power.supply_unstable, case(values, age_ms=2001)) == (UNKNOWN, {"missing": "supply"})
    assert status(power.supply_unstable, case()) == UNKNOWN
    assert status(power.supply_unstable, case({"supply_ok": None})) == UNKNOWN
    values.update({"supply_ok": 0, "supply_min_mv": 4100})
    found, evidence = result(power.supply_unstable, case(values))
    assert found == HOLD
    assert (evidence["supply_min_mv"], evidence["supply_low_mv"], evidence["window_ms"]) == (4100, 4600, 3000)


# ---- 8 software_outdated ----
def test_8_versions_are_compared_as_numbers():
    ordered = ("1", "1.0.1", "1.9", "2.0.3", "2.9", "2.9.1", "2.10", "2.14", "2.100", "3", "10.0")
    for index, have in enumerate(ordered):
        for other, minimum in enumerate(ordered):
            found = status(software.software_outdated, case({"terminal_version": have}, {"minimum_version": minimum}))
            assert found == (PASS if index >= other else BLOCK), (have, minimum)


def test_8_zeros_at_the_end_and_letters_do_not_count():
    assert software.parts("2") == software.parts("2.0.0") == [2]
    assert software.parts("v2.14-rc3") == [2, 14, 3]
    assert software.parts("GER-APP 02.014") == [2, 14]
    assert software.parts("") is None and software.parts("none") is None


def test_8_is_unknown_without_a_rule_or_a_version():
    _, evidence = result(software.software_outdated, case({"terminal_version": "2.14"}))
    assert evidence == {"missing": "policy: minimum_version"}
    for version in (None, "", "unknown"):
        found, evidence = result(
            software.software_outdated, case({"terminal_version": version}, {"minimum_version": "2.10"})
        )
        assert found == UNKNOWN and evidence["missing"] == "terminal_version"


# ---- 14 log_full ----
def journal(**changes):
    one = case(READY, refunds=[refund("first", IN_DOUBT), refund("second", SENT)])
    for name, value in changes.items():
        setattr(one.history, name, value)
    one.lost = one.history.lost
    return result(storage.log_full, one)


def log(**changes):
    values = dict(READY)
    values.update(changes)
    return result(storage.log_full, case(values))


def test_14_passes_while_a_refund_could_be_journaled():
    assert journal() == log() == FINE


def test_14_is_about_the_terminals_store_as_well():
    assert log(terminal_code=0xB1) == (HOLD, {"result_code": 0xB1})
    assert log(terminal_locks=1 << 15) == (HOLD, {"terminal_locks": 1 << 15})
    assert log(terminal_silent=1) == (UNKNOWN, {"open_refunds": 0, "missing": "terminal"})


def test_14_holds_when_the_medium_takes_nothing():
    assert journal(failing=True) == (HOLD, {"open_refunds": 2, "journal_failing": 1})


def test_14_holds_when_too_many_refunds_are_open():
    assert journal(limit=2) == (HOLD, {"open_refunds": 2})


def test_14_holds_while_records_are_lost_and_nobody_accepted_that():
    assert journal(lost=3) == (HOLD, {"open_refunds": 2, "journal_lost": 3})
    assert journal(lost=1, failing=True) == (HOLD, {"open_refunds": 2, "journal_failing": 1, "journal_lost": 1})


# ---- 15 network_down ----
def test_15_follows_the_watcher_and_is_unknown_when_it_is_stale_or_absent():
    values = {"network_ok": 1, "network_link": 1, "network_address": 1, "network_host_ms": 38, "network_failures": 0}
    assert status(network.network_down, case(values)) == PASS
    assert status(network.network_down, case(values, age_ms=30001)) == UNKNOWN
    assert result(network.network_down, case({"network_ok": None})) == (UNKNOWN, {"missing": "network"})
    values.update({"network_ok": 0, "network_host_ms": -1, "network_failures": 2})
    found, evidence = result(network.network_down, case(values))
    assert found == HOLD and evidence["network_host_ms"] == -1 and evidence["network_failures"] == 2


# ---- 31 amount_over_remaining ----
def test_31_counts_approved_and_doubtful_refunds_against_the_sale():
    before = [
        refund("a", APPROVED, 300),
        refund("b", IN_DOUBT, 150),
        refund("c", SENT, 30),
        refund("d", REQUESTED, 20),
        refund("e", DECLINED, 900),
        refund("f", NOT_EXECUTED, 900),
        refund("mine", IN_DOUBT, 900),  # the one this request is about
    ]
    one = case(sales={231: 1000}, refunds=before, amount=500)
    assert result(sale.amount_over_remaining, one) == FINE
    found, evidence = result(sale.amount_over_remaining, case(sales={231: 1000}, refunds=before, amount=501))
    assert found == BLOCK
    assert (evidence["approved_amount"], evidence["doubt_amount"]) == (300, 200)
    assert (evidence["remaining_amount"], evidence["sale_amount"], evidence["source"]) == (500, 1000, 1)


def test_31_takes_what_the_terminal_showed_before_what_a_person_says():
    assert status(sale.amount_over_remaining, case(sales={231: 100}, sale_amount=99999)) == BLOCK
    assert status(sale.amount_over_remaining, case(sale_amount=500)) == PASS
    found, evidence = result(sale.amount_over_remaining, case(sale_amount=499))
    assert found == BLOCK and evidence["source"] == 2


def test_31_is_unknown_without_the_sales_amount():
    found, evidence = result(sale.amount_over_remaining, case(refunds=[refund("a", APPROVED)]))
    assert found == UNKNOWN and evidence["missing"] == "sale_amount" and evidence["approved_amount"] == 500


def test_31_a_sale_refunded_beyond_its_amount_has_nothing_left():
    one = case(sales={231: 100}, refunds=[refund("a", APPROVED, 300)], amount=1)
    found, evidence = result(sale.amount_over_remaining, one)
    assert found == BLOCK and evidence["remaining_amount"] == 0


# ---- 32 already_refunded ----
def test_32_blocks_when_nothing_is_left_and_never_before():
    for taken, expected in ((999, PASS), (1000, BLOCK), (1200, BLOCK)):
        one = case(sales={231: 1000}, refunds=[refund("a", APPROVED, taken)], amount=1)
        assert status(sale.already_refunded, one) == expected
    assert status(sale.already_refunded, case(sales={231: 1000}, refunds=[refund("a", IN_DOUBT, 1000)])) == PASS


def test_32_passes_without_any_refund_and_is_unknown_without_the_sale():
    assert status(sale.already_refunded, case()) == PASS
    assert status(sale.already_refunded, case(refunds=[refund("a", APPROVED)])) == UNKNOWN


# ---- 34 original_not_found ----
def test_34_passes_for_a_sale_that_was_seen_or_attested():
    assert status(sale.original_not_found, case(sales={231: 1000})) == PASS
    assert status(sale.original_not_found, case(sale_amount=1000)) == PASS


def test_34_a_receipt_the_terminal_has_not_given_out_blocks_also_around_9999():
    for last, receipt, expected in (
        (230, 231, BLOCK),
        (231, 231, UNKNOWN),
        (400, 231, UNKNOWN),
        (9999, 1, BLOCK),
        (9999, 4999, BLOCK),
        (9999, 5000, UNKNOWN),
        (5, 9990, UNKNOWN),  # the counter came around: an old one
        (9990, 5, BLOCK),
        (1, 5000, BLOCK),
        (1, 5001, UNKNOWN),
    ):
        found, evidence = result(sale.original_not_found, case({"terminal_receipt": last}, receipt=receipt))
        assert found == expected, (last, receipt)
        assert evidence["terminal_receipt"] == last


def test_34_is_unknown_without_the_terminals_last_receipt():
    assert result(sale.original_not_found, case()) == (UNKNOWN, {"receipt": 231, "missing": "sale"})


def test_34_believes_the_terminal_or_host_that_said_there_is_no_such_sale():
    for code in (0xB5, 0x25):
        one = case(sales={231: 1000}, refunds=[refund("a", DECLINED, code=code)])
        found, evidence = result(sale.original_not_found, one)
        assert found == BLOCK and evidence["result_code"] == code
    assert status(sale.original_not_found, case(sales={231: 1}, refunds=[refund("a", DECLINED, code=0x6C)])) == PASS


# ---- 53 duplicate_request ----
def test_53_the_same_sale_amount_and_currency_blocks_and_shows_the_earlier_one():
    for state in (REQUESTED, SENT, IN_DOUBT, APPROVED):
        found, evidence = result(doubt.duplicate_request, case(refunds=[refund("first", state)]))
        assert found == BLOCK and evidence["earlier_key"] == "first"
    for state in (DECLINED, NOT_EXECUTED):
        assert status(doubt.duplicate_request, case(refunds=[refund("first", state)])) == PASS
    for other in (
        refund("first", APPROVED, amount=501),
        refund("first", APPROVED, currency="CHF"),
        refund("first", APPROVED, receipt=232),
        refund("mine", APPROVED),
    ):
        assert status(doubt.duplicate_request, case(refunds=[other])) == PASS


def test_53_within_its_window_alone_and_always_where_time_is_unknown_or_ran_backwards():
    for now, then, expected in (
        (100000, 13600, BLOCK),
        (100000, 13599, PASS),
        (100000, 100001, BLOCK),
        (100000, 300000, BLOCK),
        (None, 5, BLOCK),
        (100000, None, BLOCK),
    ):
        one = case(refunds=[refund("first", APPROVED, wall_s=then)], wall_s=now)
        assert status(doubt.duplicate_request, one) == expected, (now, then)


def test_53_a_sale_whose_refunds_are_forgotten_is_held_whatever_else_is_known():
    expected = (HOLD, {"receipt": 231, "amount": 500, "forgotten": 1})
    assert result(doubt.duplicate_request, case(forgotten=(231,))) == expected
    before = [refund("first", APPROVED, wall_s=1)]
    assert result(doubt.duplicate_request, case(refunds=before, wall_s=10**9, forgotten=(231,))) == expected
    assert status(doubt.duplicate_request, case(forgotten=(230, 232))) == PASS


# ---- 54 outcome_unknown ----
def test_54_a_doubt_about_this_sale_blocks_and_about_another_warns():
    assert status(doubt.outcome_unknown, case()) == PASS
    for state in (SENT, IN_DOUBT):
        one = case(refunds=[refund("first", state, amount=7)])
        assert result(doubt.outcome_unknown, one) == (
            BLOCK,
            {"in_doubt": 1, "earlier_key": "first", "receipt": 231, "amount": 7},
        )
        assert status(doubt.outcome_unknown, case(refunds=[refund("first", state, receipt=9)])) == WARN
    both = [refund("other", IN_DOUBT, receipt=9), refund("same", IN_DOUBT)]
    found, evidence = result(doubt.outcome_unknown, case(refunds=both))
    assert found == BLOCK and evidence["earlier_key"] == "same" and evidence["in_doubt"] == 2


def test_54_the_request_itself_and_what_was_never_sent_are_no_doubt():
    assert status(doubt.outcome_unknown, case(refunds=[refund("mine", IN_DOUBT)])) == PASS
    assert status(doubt.outcome_unknown, case(refunds=[refund("first", REQUESTED)])) == PASS
