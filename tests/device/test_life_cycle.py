"""A refund from its request to its end, on a terminal in memory that may refuse, fall silent or be used by others.

`terminal.executed` is the truth: in every test it holds exactly one refund for each request that was executed.
HEAP: the agent, its flash, the terminal and these tests stand side by side.
"""

import asyncio

from firmware_agent.history import Refund
from firmware_agent.wire.messages import APPROVED, BLOCK, DECLINED, HOLD, IN_DOUBT, NEW, NOT_EXECUTED, WARN

from .till import bench, boot, found, refused, state, wants

HEAP = "256k"


# ---- asked once ----
async def test_a_refund_is_sent_once_approved_and_the_same_key_gets_the_same_answer():
    agent, terminal = await bench()
    first = await agent.refund(wants())
    assert (first["state"], first["final"], first["earlier"]) == (APPROVED, True, False)
    assert (first["receipt"], first["trace"], first["result_code"]) == (2, 502, 0)
    for _ in range(3):
        again = await agent.refund(wants())
        assert again["earlier"] and again["final"]
        assert [again[name] for name in ("state", "receipt", "trace")] == [APPROVED, 2, 502]
    assert terminal.executed == [(1234, "EUR")] and terminal.asked == 1


async def test_the_same_key_is_answered_alike_after_a_reboot():
    agent, terminal = await bench()
    first = await agent.refund(wants())
    agent = await boot(terminal, agent.journal.flash)
    again = await agent.refund(wants())
    assert again["earlier"] and again["state"] == APPROVED and again["receipt"] == first["receipt"]
    assert terminal.executed == [(1234, "EUR")]


async def test_two_requests_at_once_are_one_refund_or_one_is_told_to_wait():
    agent, terminal = await bench()
    both = await asyncio.gather(agent.refund(wants()), agent.refund(wants()))
    assert [one["state"] for one in both] == [APPROVED, APPROVED]
    one, other = await asyncio.gather(agent.refund(wants("k2", amount=5)), refused(agent, key="k3", amount=6))
    assert one["state"] == APPROVED and other == ("busy", "")
    assert terminal.executed == [(1234, "EUR"), (5, "EUR")]


async def test_a_second_key_for_the_same_sale_and_amount_is_blocked_by_cause_53():
    agent, terminal = await bench()
    await agent.refund(wants())
    answer = await agent.refund(wants("k2"))
    assert (answer["state"], answer["verdict"]) == (NEW, BLOCK)
    found = {one["cause"]: one["evidence"] for one in answer["findings"]}
    assert found[53]["earlier_key"] == "k1" and found[53]["earlier_receipt"] == 2
    assert terminal.asked == 1 and agent.history.find("k2") is None


async def test_more_than_the_sale_is_blocked_and_its_rest_is_not():
    agent, terminal = await bench()
    assert await state(agent, key="a", amount=3000) == "APPROVED"
    answer = await agent.refund(wants("b", amount=2001))
    assert answer["verdict"] == BLOCK and [one["cause"] for one in found(answer)] == [31]
    assert await state(agent, key="c", amount=2000) == "APPROVED"
    answer = await agent.refund(wants("d", amount=1))
    assert [one["cause"] for one in found(answer)] == [32, 31]
    assert terminal.executed == [(3000, "EUR"), (2000, "EUR")]


async def test_keys_that_the_gate_makes_are_nobody_elses_and_what_has_one_is_told():
    agent, terminal = await bench()
    for key in ("till-4-1", "till-", "passed-9-509"):
        assert await refused(agent, key=key) == ("reserved_key", "key")
    assert terminal.asked == 0 and agent.history.find("till-4-1") is None
    assert await state(agent, key="till1-0001") == "APPROVED"
    agent.history.record(Refund("till-4-1"), DECLINED, {"receipt": 1, "amount": 1234, "currency": "EUR"})
    assert await state(agent, key="till-4-1") == "DECLINED" and terminal.asked == 1


async def test_a_key_used_again_for_another_refund_is_refused():
    agent, terminal = await bench()
    await agent.refund(wants())
    assert await refused(agent, amount=1235) == ("key_reused", "amount")
    assert await refused(agent, receipt=2) == ("key_reused", "receipt")
    assert await refused(agent, currency="CHF") == ("key_reused", "currency")
    agent = await boot(terminal, agent.journal.flash)
    assert await refused(agent, amount=1235) == ("key_reused", "amount")
    assert terminal.executed == [(1234, "EUR")]


async def test_a_currency_the_terminal_does_not_do_is_refused():
    agent, terminal = await bench()
    assert await refused(agent, currency="USD") == ("currency", "currency")
    assert terminal.asked == 0 and agent.history.refunds == 0


async def test_a_held_request_leaves_no_trace_and_goes_when_the_cause_is_gone():
    agent, terminal = await bench()
    agent.power.power.mv = 4100
    agent.power.sample()
    answer = await agent.refund(wants())
    assert (answer["state"], answer["final"], answer["verdict"]) == (NEW, True, HOLD)
    assert [one["cause"] for one in found(answer)] == [4] and agent.light.colour == "red"
    assert terminal.asked == 0 and agent.history.refunds == 0
    agent.power.power.mv = 5000
    for _ in range(8):
        agent.power.sample()
    assert await state(agent) == "APPROVED"
    assert terminal.executed == [(1234, "EUR")]


async def test_a_terminal_with_a_fault_is_looked_at_again_before_each_refund():
    agent, terminal = await bench()
    terminal.code = 0xDF  # since the last look
    answer = await agent.refund(wants())
    assert answer["verdict"] == BLOCK and answer["findings"][0]["cause"] == 1
    assert terminal.asked == 0


# ---- refused ----
async def test_a_refusal_is_verified_and_final():
    agent, terminal = await bench(0x6C)
    answer = await agent.refund(wants())
    assert (answer["state"], answer["result_code"], answer["cause"]) == (DECLINED, 0x6C, 43)
    agent = await boot(terminal, agent.journal.flash)
    again = await agent.refund(wants())
    assert again["earlier"] and (again["state"], again["result_code"]) == (DECLINED, 0x6C)
    assert terminal.executed == [] and terminal.asked == 1
    assert await state(agent, key="k2") == "APPROVED"  # a declined one does not block the next
    assert terminal.executed == [(1234, "EUR")]


async def test_a_refusal_with_a_receipt_of_its_own_is_found_refused():
    agent, terminal = await bench(0x6C)
    terminal.receipt_of_refusals = True
    answer = await agent.refund(wants())
    assert (answer["state"], answer["receipt"], answer["result_code"]) == (DECLINED, 2, 0x6C)


async def test_a_refusal_that_was_executed_all_the_same_is_approved():
    """The terminal says no, and its last receipt says yes: what it says of the receipt counts."""
    agent, terminal = await bench(0x6C)
    terminal.foreign = [1234]  # a new receipt of this amount, at a terminal where nobody else can pay
    assert await state(agent) == "APPROVED"


async def test_a_refusal_that_cannot_be_verified_stays_in_doubt():
    agent, terminal = await bench(0x6C)
    terminal.foreign = [77]
    assert await state(agent) == "IN_DOUBT"
    assert terminal.executed == []


# ---- in doubt ----
async def test_silence_after_it_was_done_is_resolved_as_approved_by_asking():
    agent, terminal = await bench("done, then silent")
    assert await state(agent) == "APPROVED"
    assert agent.history.find("k1").its_receipt == 2
    assert terminal.executed == [(1234, "EUR")] and terminal.asked == 1


async def test_silence_before_it_was_done_is_not_executed_and_may_be_asked_anew():
    agent, terminal = await bench("lost")
    assert await state(agent) == "NOT_EXECUTED"
    assert terminal.executed == []
    assert await state(agent) == "APPROVED"
    assert terminal.executed == [(1234, "EUR")] and terminal.asked == 2
    assert (await agent.refund(wants()))["earlier"]


async def test_another_sale_in_between_leaves_it_in_doubt_for_ever_and_blocks_its_sale():
    for fate in ("done, then silent", "lost"):
        agent, terminal = await bench(fate)
        terminal.foreign = [777]
        assert await state(agent) == "IN_DOUBT"
        assert await state(agent) == "IN_DOUBT"  # asked again, it is asked after and not sent
        answer = await agent.refund(wants("k2", amount=5))
        assert answer["verdict"] == BLOCK and [one["cause"] for one in found(answer)] == [54]
        agent = await boot(terminal, agent.journal.flash)
        assert not await agent.conductor.resolve()
        assert await state(agent) == "IN_DOUBT"
        assert terminal.asked == 1


async def test_where_others_start_payments_too_nothing_new_is_taken_for_ours():
    agent, terminal = await bench("done, then silent")
    terminal.alone = False
    assert await state(agent) == "IN_DOUBT"
    agent, terminal = await bench("lost")
    terminal.alone = False
    assert await state(agent) == "NOT_EXECUTED"


async def test_the_same_receipt_proves_nothing_while_the_terminal_is_at_work():
    agent, terminal = await bench("slow")
    assert await state(agent) == "APPROVED"
    assert terminal.executed == [(1234, "EUR")] and terminal.asked == 1


async def test_a_terminal_at_work_for_longer_than_anyone_waits_leaves_it_in_doubt():
    agent, terminal = await bench("done, then silent")
    task = asyncio.create_task(agent.refund(wants()))
    while not terminal.asked:
        await asyncio.sleep(0)
    terminal.busy_for = 1000
    await asyncio.sleep(0.05)
    assert agent.history.find("k1").state == IN_DOUBT
    agent.clock.now += 300000  # what a terminal may take at most has passed
    answer = await task
    assert (answer["state"], answer["final"]) == (IN_DOUBT, True)
    terminal.busy_for = 0
    assert await state(agent) == "APPROVED"
    assert terminal.executed == [(1234, "EUR")]


async def test_a_terminal_that_stays_silent_leaves_it_in_doubt_until_it_speaks():
    agent, terminal = await bench("done, then silent")
    task = asyncio.create_task(agent.refund(wants()))
    while not terminal.asked:
        await asyncio.sleep(0)
    terminal.misses = 50
    assert (await task)["state"] == IN_DOUBT
    assert await state(agent) == "IN_DOUBT"
    terminal.misses = 0
    assert await agent.watch.sample() and await agent.conductor.resolve()
    assert agent.history.find("k1").state == APPROVED
    assert (await agent.refund(wants()))["earlier"]
    assert terminal.executed == [(1234, "EUR")]


async def test_a_terminal_that_cannot_tell_its_last_receipt_is_sent_nothing():
    agent, terminal = await bench()
    task = asyncio.create_task(agent.refund(wants()))
    while agent.history.find("k1") is None:
        await asyncio.sleep(0)
    terminal.misses = 1  # the baseline is not answered
    answer = await task
    assert answer["state"] == NOT_EXECUTED and terminal.asked == 0
    assert await state(agent) == "APPROVED"
    assert terminal.executed == [(1234, "EUR")]


async def test_a_doubt_about_another_sale_warns_and_both_get_their_own_receipt():
    agent, terminal = await bench("lost")
    terminal.foreign = [777]
    assert await state(agent) == "IN_DOUBT"
    answer = await agent.refund(wants("k2", receipt=2, amount=700))
    assert answer["state"] == APPROVED
    verdict = agent.check(wants("k3", receipt=2, amount=7))
    assert verdict.worst == WARN and [one["cause"] for one in verdict.findings if one["status"] == WARN] == [54]
    assert agent.history.find("k1").state == IN_DOUBT
    assert terminal.executed == [(700, "EUR")]


async def test_the_receipt_of_one_refund_never_settles_another():
    """Two sales, one amount: the first refund was lost, and while nobody could ask about it the second was done."""
    agent, terminal = await bench("lost")
    task = asyncio.create_task(agent.refund(wants("first", receipt=1)))
    while not terminal.asked:
        await asyncio.sleep(0)
    terminal.misses = 2  # nobody answers what became of it
    assert (await task)["state"] == IN_DOUBT
    terminal.misses = 1  # nor before the next refund
    assert await state(agent, key="second", receipt=9000) == "APPROVED"
    assert terminal.executed == [(1234, "EUR")]
    await agent.watch.sample()
    await agent.conductor.resolve()
    assert agent.history.find("first").state == IN_DOUBT
    agent = await boot(terminal, agent.journal.flash)
    await agent.conductor.resolve()
    assert agent.history.find("first").state == IN_DOUBT
