"""A doubt that a person settles, a medium that refuses, a ring that turns: no refund is lost and none is done twice.

`terminal.executed` is the truth of every test. HEAP: the agent,
its flash, the terminal and these tests stand side by side.
"""

import asyncio

from firmware_agent.wire import cbor
from firmware_agent.wire.errors import WireError
from firmware_agent.wire.messages import APPROVED, BLOCK, HOLD, IN_DOUBT, NEW, NOT_EXECUTED, SENT, event

from .bench import Paged
from .card_terminal import CardTerminal
from .till import bench, boot, found, refused, state, wants

HEAP = "256k"


# ---- a person settles a doubt ----
async def doubtful(fate):
    """(agent, terminal) with k1 in doubt: another sale was made in between."""
    agent, terminal = await bench(fate)
    terminal.foreign = [777]
    assert await state(agent) == "IN_DOUBT"
    agent.clock.wall = 1800000000
    return agent, terminal


def says(done, key="k1"):
    return {"key": key, "done": done, "by": "anna", "role": "manager", "reason": "the host's list of 14:05"}


async def unsettled(agent, done=True, key="k1"):
    """The WireError's name and field."""
    try:
        await agent.settle(says(done, key))
    except WireError as error:
        return error.name, error.field
    return None


async def test_a_doubt_attested_as_done_is_approved_and_counts_against_its_sale_for_ever():
    agent, terminal = await doubtful("done, then silent")
    answer = await agent.settle(says(True))
    assert (answer["state"], answer["final"], answer["amount"], answer["sale_receipt"]) == (APPROVED, True, 1234, 1)
    for _ in range(2):
        again = await agent.refund(wants())
        assert again["earlier"] and again["state"] == APPROVED and again["receipt"] is None
        assert (again["attested_by"], again["role"]) == ("anna", "manager")
        assert again["reason"] == "the host's list of 14:05"
        assert agent.history.find("k1").wall_s == 1800000000 and not agent.history.open
        answer = await agent.refund(wants("k2"))
        assert answer["verdict"] == BLOCK and answer["findings"][0]["cause"] == 53
        assert (await agent.refund(wants("k3", amount=3767)))["findings"][0]["cause"] == 31
        agent = await boot(terminal, agent.journal.flash)
    assert terminal.executed == [(1234, "EUR")] and terminal.asked == 1


async def test_a_doubt_attested_as_not_done_may_be_asked_for_anew_and_forgets_who_attested_it():
    agent, terminal = await doubtful("lost")
    answer = await agent.settle(says(False))
    assert (answer["state"], answer["final"]) == (NOT_EXECUTED, True)
    agent = await boot(terminal, agent.journal.flash)
    found = agent.history.find("k1")
    assert (found.state, found.wall_s) == (NOT_EXECUTED, 1800000000)
    assert (found.attested_by, found.role, found.reason) == ("anna", "manager", "the host's list of 14:05")
    answer = await agent.refund(wants())
    assert answer["state"] == APPROVED and answer["attested_by"] is None and answer["receipt"] == 3
    assert terminal.executed == [(1234, "EUR")] and terminal.asked == 2


async def test_only_a_refund_in_doubt_can_be_settled():
    agent, terminal = await doubtful("lost")
    assert await unsettled(agent, key="k") == ("no_refund", "key")
    assert agent.history.find("k1").state == IN_DOUBT
    await agent.settle(says(False))
    for done in (True, False):
        assert await unsettled(agent, done) == ("not_in_doubt", "key")
    assert await state(agent, key="k2", receipt=2, amount=7) == "APPROVED"
    assert await unsettled(agent, False, "k2") == ("not_in_doubt", "key")
    assert terminal.executed == [(7, "EUR")] and agent.history.refunds == 2


async def test_what_was_sent_is_not_settled_before_the_terminal_was_asked():
    agent, terminal = await tired("accept")
    agent.journal.flash.takes = 2  # REQUESTED and SENT, and not its outcome
    await agent.refund(wants())
    agent.journal.flash.takes = None
    assert agent.history.find("k1").state == SENT
    for done in (True, False):
        assert await unsettled(agent, done) == ("not_in_doubt", "key")
    assert await state(agent) == "APPROVED" and terminal.executed == [(1234, "EUR")]


async def test_nothing_is_settled_while_the_terminal_is_asked():
    agent, terminal = await doubtful("lost")
    task = asyncio.create_task(agent.refund(wants()))
    await asyncio.sleep(0)
    assert agent.conductor.busy
    assert await unsettled(agent) == ("busy", "")
    assert (await task)["state"] == IN_DOUBT and terminal.executed == []


# ---- a medium that refuses ----
class Tired(Paged):
    """Takes so many more operations, None: all."""

    takes = None

    def program(self, address, data):
        if self.takes is not None:
            if not self.takes:
                raise OSError(28)
            self.takes -= 1
        super().program(address, data)


async def tired(*plan):
    terminal = CardTerminal()
    terminal.does(5000)
    terminal.plan = list(plan)
    agent = await boot(terminal, Tired())
    await agent.watch.look_at_receipt()
    return agent, terminal


def said(agent, since):
    return [cbor.decode(one.data)[2] for one in agent.events.since(since, 512)[0]]


async def test_a_medium_that_refuses_sends_nothing_and_is_cause_14_until_it_takes_something():
    for takes in (0, 1):  # REQUESTED, SENT
        agent, terminal = await tired()
        before = agent.events.last
        agent.journal.flash.takes = takes
        assert await refused(agent) == ("journal_full", "")
        assert event("journal_full") in said(agent, before)
        verdict = agent.check(wants("k2", amount=7))
        assert verdict.worst == HOLD and verdict.findings[0]["cause"] == 14
        assert verdict.findings[0]["evidence"]["journal_failing"] == 1
        assert terminal.asked == 0
        agent.journal.flash.takes = None
        assert await state(agent) in ("APPROVED", "NOT_EXECUTED")
        assert await state(agent) == "APPROVED"
        assert terminal.executed == [(1234, "EUR")] and terminal.asked == 1


async def test_an_outcome_that_could_not_be_journaled_is_asked_after_and_never_sent_again():
    for fate in ("accept", "done, then silent"):
        agent, terminal = await tired(fate)
        agent.journal.flash.takes = 2
        answer = await agent.refund(wants())
        assert (answer["state"], terminal.executed) == (IN_DOUBT, [(1234, "EUR")])
        assert await agent.conductor.resolve() is False
        agent.journal.flash.takes = None
        assert agent.history.works() and await agent.conductor.resolve()
        assert (await agent.refund(wants()))["earlier"]
        assert terminal.executed == [(1234, "EUR")] and terminal.asked == 1


async def test_what_cannot_be_journaled_is_not_settled():
    agent, terminal = await tired("lost")
    terminal.foreign = [777]
    assert await state(agent) == "IN_DOUBT"
    agent.journal.flash.takes = 0
    assert await unsettled(agent) == ("journal_full", "")
    agent = await boot(terminal, agent.journal.flash)
    assert agent.history.find("k1").state == IN_DOUBT
    agent.journal.flash.takes = None
    assert agent.history.works() and (await agent.settle(says(False)))["state"] == NOT_EXECUTED


# ---- a ring that turns ----
async def test_a_journal_that_gives_up_old_refunds_never_does_one_twice():
    agent, terminal = await bench()
    flash = agent.journal.flash
    done = 0
    while agent.history.find("key 0") or not done:
        answer = await agent.refund(wants("key %d" % done, receipt=1000 + done, amount=100 + done))
        assert answer["state"] == APPROVED, answer
        done += 1
    for _ in range(2):
        held = 0
        for number in range(done):
            answer = await agent.refund(wants("key %d" % number, receipt=1000 + number, amount=100 + number))
            if not answer["earlier"]:
                assert answer["state"] == NEW and answer["verdict"] == HOLD
                assert [(one["cause"], one["evidence"]["forgotten"]) for one in found(answer)] == [(53, 1)]
                held += 1
        assert 0 < held < done
        agent = await boot(terminal, flash)
    assert len(terminal.executed) == terminal.asked == done


async def test_a_sale_seen_anew_with_a_forgotten_number_may_be_refunded():
    agent, terminal = await bench()
    agent.history.forgotten.add(2)
    assert (await agent.refund(wants(receipt=2)))["verdict"] == HOLD
    terminal.does(9000)
    await agent.watch.look_at_receipt()
    assert terminal.last.receipt == 2 and await state(agent, receipt=2) == "APPROVED"


async def test_with_too_many_refunds_in_doubt_no_further_one_is_begun():
    agent, terminal = await bench("lost", "lost", "lost")
    for number in range(agent.history.limit):
        terminal.foreign = [777]
        assert await state(agent, key="k%d" % number, receipt=1000 + number) == "IN_DOUBT"
    answer = await agent.refund(wants("more"))
    assert answer["verdict"] == HOLD and answer["findings"][0]["cause"] == 14
    assert answer["findings"][0]["evidence"]["open_refunds"] == agent.history.limit
    await agent.settle(says(False, "k0"))
    assert await state(agent, key="more") == "APPROVED"
    assert terminal.executed == [(1234, "EUR")]


async def test_the_receipt_of_a_refund_that_a_person_attested_is_never_taken_for_a_sale():
    agent, terminal = await bench("done, then silent")
    terminal.foreign = [700]
    assert await state(agent) == "IN_DOUBT"
    terminal.last, last = None, terminal.last
    terminal.does(5000)
    refund = terminal.does(1234)  # as the terminal shows it later: number, trace and amount are all that it tells
    await agent.settle({"key": "k1", "done": True, "by": "eve", "role": "boss", "reason": "slip 7"})
    terminal.last = refund
    await agent.watch.look_at_receipt()
    assert agent.history.sale(refund.receipt) is None
    terminal.last = last
    other = terminal.does(1235)
    await agent.watch.look_at_receipt()
    assert agent.history.sale(other.receipt)[3] == 1235
