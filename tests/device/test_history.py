"""What the journal says of sales and refunds."""

from firmware_agent.history import History, Refund
from firmware_agent.journal import RESERVE, Full, Journal
from firmware_agent.wire.messages import APPROVED, DECLINED, IN_DOUBT, NOT_EXECUTED, REQUESTED, SENT
from hal.said import Receipt
from hal.sim.flash import Flash

from .bench import Clock

BEFORE = [10, 500, 4711, 978, 1122, 120000, 0, False]


def boot(flash=None):
    return History(Journal(flash or Flash(None, 16384, 4096, 4)), Clock())


def again(history):
    return boot(history.journal.flash)


def sale(number, amount=1000, trace=500, last_four="1234"):
    return Receipt(number, trace, amount, 978, 1122, 120000, 0, False, last_four)


def sums(history, receipt, key="mine"):
    found = history.earlier({"receipt": receipt, "amount": 1, "currency": "EUR", "key": key})
    return found.approved, found.doubt


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
    for state in (history, again(history)):
        found = state.find("a")
        assert (found.key, found.state, found.open) == ("a", APPROVED, False)
        assert (found.receipt, found.amount, found.currency, found.operator) == (231, 1234, "EUR", "anna")
        assert (found.its_receipt, found.its_trace, found.code, found.before) == (232, 1131, 0, BEFORE)
        assert found.card is None and found.sale_amount is None
        assert state.find("b") is None


def test_open_refunds_alone_are_open_after_a_boot():
    history = boot()
    refund(history, "requested", 1, 10, REQUESTED)
    refund(history, "sent", 2, 10, REQUESTED, SENT)
    refund(history, "doubt", 3, 10, REQUESTED, SENT, IN_DOUBT)
    refund(history, "approved", 4, 10, REQUESTED, SENT, APPROVED)
    refund(history, "declined", 5, 10, REQUESTED, SENT, DECLINED)
    refund(history, "not", 6, 10, REQUESTED, SENT, IN_DOUBT, NOT_EXECUTED)
    for state in (history, again(history)):
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
    for state in (history, again(history)):
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
    for state in (history, again(history)):
        assert state.sale(231)[3] == 2500
        assert sums(state, 231) == (300, 5)


def test_the_last_refund_of_the_same_amount_is_found_among_sixty_of_one_sale():
    history = boot()
    for number in range(60):
        refund(history, "k%d" % number, 231, 1 + number % 30, REQUESTED, SENT, APPROVED)
    for state in (history, again(history)):
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
    for state in (history, again(history)):
        assert sums(state, 231) == (0, 0)
        assert state.earlier({"receipt": 231, "amount": 10, "currency": "EUR"}).codes == [0x71, 0xB5]


def test_a_sale_is_journaled_once_and_found_by_its_number():
    history = boot()
    for _ in range(3):
        history.record_sale(sale(77, 1999, last_four="12*4"))
    used = history.journal.used
    history.record_sale(sale(77, 1999, last_four="12*4"))
    assert history.journal.used == used
    state = again(history)
    assert state.sale(77)[1:] == [77, 500, 1999, 978, 1122, 120000, "12*4"]
    used = state.journal.used
    state.record_sale(sale(77, 1999, last_four="12*4"))  # it is still the terminal's last receipt
    assert state.journal.used == used
    assert state.sale(78) is None and state.sale(1999) is None


def test_a_receipt_is_ours_by_number_and_trace_of_an_approved_refund():
    history = boot()
    refund(history, "a", 231, 100, REQUESTED, SENT, APPROVED)
    refund(history, "b", 300, 100, REQUESTED, SENT, DECLINED)
    for state in (history, again(history)):
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


def test_new_refunds_are_refused_before_the_room_to_end_the_old_ones_is_gone():
    history = boot(Flash(None, 4096, 2048, 4))
    ended = 0
    try:
        while True:
            refund(history, "key number %d" % ended, 5000, 999999999999, REQUESTED, SENT, IN_DOUBT, APPROVED)
            ended += 1
    except Full:
        pass
    assert ended > 3 and not history.open  # the last one begun came to its end
    assert history.journal.free >= RESERVE - 4 * 128
    used = history.journal.used
    history.record_sale(sale(1))
    assert history.journal.used == used  # refunds come first


def test_a_full_journal_boots_and_boots_do_not_eat_the_room_for_refunds():
    history = boot(Flash(None, 4096, 2048, 4))
    open_one = refund(history, "open", 17, 100, REQUESTED, SENT)
    try:
        for number in range(1000):
            refund(history, "k%d" % number, 5000, 1, REQUESTED, SENT, APPROVED)
    except Full:
        pass
    for _ in range(150):
        history = again(history)
    assert sorted(history.open) == ["open"]
    for state in (IN_DOUBT, APPROVED):
        history.record(history.find("open") or open_one, state, {})
    assert again(history).find("open").state == APPROVED
