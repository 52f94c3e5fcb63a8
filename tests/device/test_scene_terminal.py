"""The terminal of scenes: the Terminal port in memory says what its state says."""

from hal.said import TerminalSilent
from hal.sim.terminal import Terminal


async def silent(coroutine):
    try:
        await coroutine
    except TerminalSilent:
        return True
    return False


async def test_it_tells_what_its_state_says_and_nothing_else():
    one = Terminal(
        {
            "code": 0x9C,
            "locks": 4,
            "state": 2,
            "version": "2.14",
            "model": "X1",
            "terminal_id": "52001233",
            "offline": 0,
            "temperature_c": 31,
            "battery_percent": 80,
        }
    )
    told = await one.enquire()
    assert (told.code, told.busy, told.version, told.locks, told.state) == (0x9C, True, "2.14", 4, 2)
    assert told.more == {
        "terminal_model": "X1",
        "terminal_id": "52001233",
        "terminal_offline": 0,
        "temperature_c": 31,
        "battery_percent": 80,
    }
    told = await Terminal({}).enquire()
    assert (told.code, told.busy, told.version, told.locks, told.state, told.more) == (0, False, None, None, None, {})


async def test_a_silent_one_answers_nothing():
    one = Terminal({"silent": True, "frames": 10, "errors": 3})
    for question in (one.register(), one.enquire(), one.last_receipt(), one.refund(1, "EUR")):
        assert await silent(question)
    await one.abort()
    assert one.counters() == (10, 3) and one.refunds == []


async def test_it_lets_us_log_on_or_not():
    for registered in (True, False, None):
        one = Terminal({"registered": registered})
        assert not one.alone
        assert await one.register() is registered and one.alone is bool(registered)
    assert await Terminal({}).register()


async def test_its_last_receipt_may_be_a_number_one_or_the_last_of_many():
    assert await Terminal({}).last_receipt() is None
    assert await Terminal({"receipts": []}).last_receipt() is None
    receipt = await Terminal({"receipts": 240}).last_receipt()
    assert (receipt.receipt, receipt.amount, receipt.code, receipt.reversal) == (240, None, 0, False)
    one = {"receipt": 231, "trace": 4711, "amount": 5000, "currency": 978, "card_name": "VISA", "original": 4700}
    for told in (one, [{"receipt": 230}, one]):
        receipt = await Terminal({"receipts": told}).last_receipt()
        assert (receipt.receipt, receipt.trace, receipt.amount, receipt.currency) == (231, 4711, 5000, 978)
        assert (receipt.card_name, receipt.original, receipt.reversal, receipt.code) == ("VISA", 4700, True, 0)


async def test_a_refund_ends_as_its_state_says_and_an_approved_one_is_its_last_receipt():
    one = Terminal({"receipts": {"receipt": 9999, "trace": 7}, "currencies": {"EUR": 978}})
    outcome = await one.refund(1234, "EUR")
    assert (outcome.accepted, outcome.code, outcome.receipt.receipt, outcome.receipt.trace) == (True, 0, 1, 8)
    last = await one.last_receipt()
    assert (last.receipt, last.amount, last.currency, last.reversal) == (1, 1234, 978, False)
    assert (await one.refund(5, "EUR")).receipt.receipt == 2
    assert one.refunds == [(1234, "EUR"), (5, "EUR")]
    for told, code in (({"accepted": False, "code": "91"}, "91"), ({"accepted": False, "code": 0x6C}, 0x6C)):
        one = Terminal({"outcome": told})
        outcome = await one.refund(1234, "EUR")
        assert (outcome.accepted, outcome.code, outcome.receipt) == (False, code, None) and one.refunds == []
    one = Terminal({"outcome": None})
    assert await silent(one.refund(1234, "EUR")) and await one.last_receipt() is None
    first = Terminal({})
    assert (await first.refund(1, "EUR")).receipt.receipt == 1


async def test_its_line_is_counted_where_it_has_one_and_its_codes_are_those_of_zvt_and_hosts():
    one = Terminal({"frames": 100})
    assert one.counters() == (100, 0) and Terminal({"errors": 3}).counters() is None
    assert (one.cause(0x6F), one.cause("91"), one.cause("??"), one.cause(0xFE)) == (36, 44, 0, 0)
