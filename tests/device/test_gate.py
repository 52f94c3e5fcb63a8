"""A refund at a till behind the gate, from the till's first byte to its last: a till, a gate with its agent, and a terminal.

In real time, so the timers of the lines are short here; tests/test_gate_cuts.py has them as they are.
HEAP: a till, a terminal, their lines and the flash stand beside the agent.
"""

import asyncio
import sys

from firmware_agent.history import Refund
from firmware_agent.wire.messages import APPROVED, DECLINED, IN_DOUBT, NEW
from hal.said import Receipt
from hal.terminals.zvt import apdu
from hal.terminals.zvt.terminal import Terminal
from hal.ticks import ticks_diff, ticks_ms

from .gate_world import OK, Shop

HEAP = "320k"

QUICK = {"currencies": {"EUR": 978}, "t1_ms": 40, "t2_ms": 300, "t3_ms": 400, "t4_ms": 1500, "host_ms": 20}
DUPLICATE = 0x83
NOT_REGISTERED = 21
REFUND = b"\x06\x31\x0d\x00\x00\x00\x04\x00\x00\x00\x00\x12\x34\x49\x09\x78"


class Till(Terminal):
    """What an agent asks a terminal for, and a sale and a void besides."""

    async def sale(self, amount):
        return self.outcome_of(await self._talk(apdu.pack(0x0601, b"\x04" + apdu.bcd(amount, 6)), 0), amount)

    async def void(self, receipt):
        return self.outcome_of(await self._talk(apdu.pack(0x0630, b"\0\0\0\x87" + apdu.bcd(receipt, 2)), 0), None)


async def open_shop(bare=False, rules=None, sales=1):
    """(Shop, Till) after so many sales of 12.34."""
    shop = Shop(bare, QUICK, rules)
    shop.terminal.start()
    shop.boot()
    till = Till(shop.line(), QUICK)
    await log_on(till)
    for _ in range(sales):
        assert (await till.sale(1234)).accepted
    return shop, till


async def log_on(till):
    for _ in range(20):
        try:
            if await till.register():
                return
        except OSError:
            pass
        await asyncio.sleep(0.1)
    raise AssertionError("the till cannot log on")


async def registered(shop, value):
    """Until the agent says so of the terminal, and the line is quiet enough for it to ask."""
    agent = shop.agent
    for _ in range(500):
        if agent.snapshot.get("terminal_registered") == value and not agent.keeper.gate.talking():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("terminal_registered stays %s" % agent.snapshot.get("terminal_registered"))


async def close(shop):
    shop.cut("b")
    for task in shop.owned("b"):
        task.cancel()
    await asyncio.sleep(0)


def done(shop, command=0x0631):
    return len(shop.terminal.done(command))


async def test_a_refund_is_made_once_journaled_and_the_same_once_more_is_held_on_a_serial_line():
    await _made_once(False)


async def test_a_refund_is_made_once_journaled_and_the_same_once_more_is_held_over_tcp():
    await _made_once(True)


async def _made_once(bare):
    shop, till = await open_shop(bare)
    outcome = await till.refund(1234, "EUR")
    assert outcome.accepted and outcome.receipt.receipt == 2
    for _ in range(2):
        outcome = await till.refund(1234, "EUR")
        assert (outcome.accepted, outcome.code) == (False, DUPLICATE)
    assert done(shop) == 1 and list(shop.states().values()) == [APPROVED]
    assert (await till.sale(77)).accepted
    assert shop.agent.history.sale(3)[3] == 77
    await close(shop)


async def test_a_refund_that_the_terminal_declines_is_told_and_journaled_as_declined():
    shop, till = await open_shop()
    shop.terminal.plan = [0x05]
    outcome = await till.refund(1234, "EUR")
    assert (outcome.accepted, outcome.code) == (False, 0x05)
    assert done(shop) == 0 and list(shop.states().values()) == [DECLINED]
    await close(shop)


async def test_the_tills_own_bytes_go_on_and_a_reversal_stays_one():
    shop, till = await open_shop(True, {"gate_reversals": True})
    outcome = await till.void(1)
    assert outcome.accepted and outcome.receipt.original == 501
    assert (done(shop, 0x0630), done(shop)) == (1, 0)
    assert list(shop.states().values()) == [APPROVED]
    assert (await till.void(1)).code == DUPLICATE
    await close(shop)


async def test_a_terminal_that_loses_its_power_behind_a_refund_is_asked_and_the_till_is_told_the_truth():
    shop, till = await open_shop(True)

    def cut(name, data):
        if name == "terminal" and data[:2] == b"\x04\x0f" and done(shop):
            shop.terminal.end.passes = None
            shop.cut("t")
            shop.tasks.append(asyncio.create_task(back()))
            return 0
        return None

    async def back():
        for task in shop.owned("t"):
            task.cancel()
        await asyncio.sleep(0.1)
        shop.terminal.start()

    shop.terminal.end.passes = cut
    outcome = await till.refund(1234, "EUR")
    assert outcome.accepted
    assert done(shop) == 1 and list(shop.states().values()) == [APPROVED]
    await close(shop)


async def test_an_agent_that_loses_its_power_in_a_refund_knows_of_it_when_it_comes_back():
    shop, till = await open_shop(True)

    def cut(name, data):
        if name == "gate to terminal" and data[:2] == b"\x06\x31":
            shop.cut("a")  # all of it goes out, and is the last that does
        return None

    shop.terminal_side.passes = cut
    told = None
    try:
        told = await till.refund(1234, "EUR")
    except OSError:
        pass
    assert told is None
    shop.terminal_side.passes = None
    await asyncio.sleep(0.1)
    for task in shop.owned("a"):
        task.cancel()
    flash = shop.flash
    shop.agent = shop.gate = None
    shop.boot()
    assert shop.flash is flash
    await log_on(till)
    assert (await till.refund(1234, "EUR")).code == DUPLICATE
    assert done(shop) == 1 and list(shop.states().values()) == [APPROVED]
    await close(shop)


async def test_a_doubt_that_nobody_can_end_holds_the_next_refund_and_lets_sales_pass():
    shop, till = await open_shop(True)
    till._config = 0x08  # the terminal may start payments by itself: a new receipt proves nothing
    await log_on(till)

    def mute(name, data):
        return 0 if data[:2] in (b"\x04\x0f", b"\x06\x0f") and shop.terminal.heard[-1][:2] == b"\x06\x31" else None

    shop.terminal.end.passes = mute
    outcome = await till.refund(1234, "EUR")
    assert (outcome.accepted, outcome.code) == (False, 0xFF)
    shop.terminal.end.passes = None
    assert list(shop.states().values()) == [IN_DOUBT]
    assert (await till.refund(1234, "EUR")).code == DUPLICATE
    assert (await till.sale(77)).accepted
    assert done(shop) == 1
    await close(shop)


async def test_two_sales_that_fit_and_a_message_that_follows_no_paper_never_reach_the_terminal():
    shop, till = await open_shop(True, sales=2)
    assert (await till.refund(1234, "EUR")).code == 0xB5
    await shop.till.write(b"\x06\x31\x02\x00\x00")
    line = shop.line()
    assert await line.receive(1000) == OK
    assert (await line.receive(3000))[:2] == b"\x06\x1e"
    await line.send(OK)
    await shop.till.write(REFUND[:9])
    await asyncio.sleep(0.1)
    shop.till.close()
    await log_on(till)
    assert b"\x06\x31" not in shop.terminal_side.said and done(shop) == 0
    await close(shop)


async def test_a_sale_whose_result_names_no_amount_is_remembered_with_what_was_asked():
    shop, till = await open_shop(True, sales=0)
    shop.terminal.tells_amount = False  # seen on terminals that tell it only where it is another
    assert (await till.sale(1234)).accepted
    assert shop.agent.history.sale(1)[3] == 1234
    assert (await till.refund(1234, "EUR")).accepted and done(shop) == 1
    assert list(shop.states().values()) == [APPROVED]
    await close(shop)


async def test_what_no_till_asked_for_is_held_until_the_till_has_logged_on_and_then_made():
    shop = Shop(True, QUICK)
    shop.terminal.start()
    agent = shop.boot()
    agent.history.record_sale(Receipt(1, 501, 1234, 978, 1122, 120000, 0, False, "0417"))
    asked = {"key": "k1", "receipt": 1, "amount": 1234, "currency": "EUR"}
    await registered(shop, 2)
    answer = await agent.refund(asked)
    why = answer["findings"][0]
    assert (answer["state"], why["cause"], why["evidence"]) == (NEW, NOT_REGISTERED, {"terminal_registered": 2})
    assert b"\x06\x31" not in shop.terminal_side.said
    till = Till(shop.line(), QUICK)
    await log_on(till)
    await registered(shop, 1)
    assert await _state(agent, asked) == APPROVED and done(shop) == 1
    # whoever logs off takes that back
    await shop.till.write(b"\x06\x02\x00")
    await registered(shop, 2)
    answer = await agent.refund({"key": "k2", "receipt": 1, "amount": 5, "currency": "EUR"})
    assert answer["state"] == NEW and NOT_REGISTERED in [one["cause"] for one in answer["findings"]]
    await close(shop)


async def test_a_code_that_says_nobody_logged_on_is_forgotten_once_the_till_has():
    shop, till = await open_shop(True, sales=2)
    shop.terminal.config = None  # it lost its power for a moment, and what it knew of the till
    assert (await till.void(1)).code == 0x6B  # passes, and tells the agent nothing
    await registered(shop, 1)
    asked = {"key": "k1", "receipt": 1, "amount": 1234, "currency": "EUR"}
    assert await _state(shop.agent, asked) == DECLINED
    asked = {"key": "k2", "receipt": 2, "amount": 1234, "currency": "EUR"}
    assert await _state(shop.agent, asked) == NEW
    await log_on(till)
    await registered(shop, 1)
    assert await _state(shop.agent, asked) == APPROVED and done(shop) == 1
    await close(shop)


async def _state(agent, asked):
    for _ in range(10):
        answer = await agent.refund(asked)
        if answer["final"]:
            return answer["state"]
    raise AssertionError("it never ends")


async def test_a_till_that_takes_one_read_for_one_message_has_time_between_the_two_that_hold_a_refund():
    shop, till = await open_shop(True, sales=0)
    written = []

    def note(name, data):
        written.append((ticks_ms(), bytes(data[:2])))

    shop.till_side.passes = note
    assert not (await till.refund(1234, "EUR")).accepted
    (accepted, first), (held, second) = written
    assert (first, second) == (OK[:2], b"\x06\x1e") and ticks_diff(held, accepted) >= 15
    await close(shop)


async def test_what_a_wish_loads_is_let_go():
    shop, till = await open_shop(True)
    agent = shop.agent
    # no sale fits: that looks through the journal, and for a text
    assert not (await till.refund(99999, "EUR")).accepted
    agent.history.record(Refund("k"), IN_DOUBT, {"receipt": 1, "amount": 5, "currency": "EUR"})
    await agent.keeper.resolve()
    agent.keeper.saw(2, Receipt(9, 509, 1234, 978, 1122, 120000, 0, True, "0417", 501))
    assert not agent.keeper.failed and "passed-9-509" in shop.states()
    agent.terminal.cause(0x6F)
    # on a board they have no package
    for name in ("wishes", "sold", "causes"):
        assert name not in sys.modules and "firmware_agent." + name not in sys.modules, name
    for name in ("zvt_codes", "hal.terminals.zvt.codes", "terminals_field39", "hal.terminals.field39"):
        assert name not in sys.modules, name
    await close(shop)
