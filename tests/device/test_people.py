"""A second person approves a refund, and people attest what no machine can know: who may, and what becomes of it."""

from binascii import unhexlify
from hashlib import sha256

from firmware_agent import people
from firmware_agent.agent import Agent
from firmware_agent.service import Service
from firmware_agent.wire import cbor, smp
from firmware_agent.wire.bodies import ATTESTATIONS
from firmware_agent.wire.errors import WireError
from firmware_agent.wire.messages import APPROVE, ATTEST, BLOCK, GROUP, HOLD, WRITE, declared, unpack
from hal.sim.flash import Flash

from . import policies
from .bench import ABOUT, SETTINGS, Ports, keeps
from .card_terminal import CardTerminal
from .till import found, state, wants

HEAP = "256k"
KEYS = {unhexlify(policies.KID): unhexlify(policies.KEY)}
HELD = {"key": "k1", "receipt": 1, "amount": 60000, "operator": "ben"}  # V7 wants a second person from 500.00 EUR on


async def shop(flash=None, policy_flash=None):
    """An agent with policy V7, and its ports; the sale on the bench is of 1,000.00 EUR."""
    terminal = CardTerminal()
    terminal.does(100000)
    ports = Ports(terminal, flash)
    ports.policy_flash = policy_flash or Flash(None, 8192, 2048, 4)
    settings = dict(SETTINGS)
    settings["keys"] = KEYS
    agent = Agent(ports, settings, ABOUT)
    if not policy_flash:
        from firmware_agent import policy_store

        envelope = unhexlify(policies.V7)
        for at in range(0, len(envelope), 256):
            piece = {"size": len(envelope), "digest": sha256(envelope).digest(), "offset": at}
            piece["data"] = envelope[at : at + 256]
            policy_store.put(ports.policy_flash, KEYS, agent, piece)
    agent.policy.rules["unknown"] = {0: 0}  # nobody here knows more than what is tested
    agent.policy.rules["procedure"] = "shelf"
    agent.policy.rules["procedure_days"] = 14
    for _ in range(4):
        agent.power.sample()
    await agent.network.sample()
    await agent.watch.sample()
    await agent.watch.look_at_receipt()
    return agent, ports


def approval(agent, pin="2468", by="anna", **changes):
    asked = {"key": "k1", "receipt": 1, "amount": 60000, "by": by, "pin": pin}
    asked.update(changes)
    try:
        return people.approve(agent, asked)["number"]
    except WireError as error:
        return error.name


async def causes(agent, **changes):
    request = dict(HELD)
    request.update(changes)
    answer = await agent.refund(wants(**request))
    return [one["cause"] for one in found(answer)] if "findings" in answer else answer["state"]


async def test_from_the_threshold_on_a_second_person_is_needed_and_one_approval_is_for_one_refund():
    agent, _ = await shop()
    assert await causes(agent) == [51]
    assert await causes(agent, amount=50000) == [51] and await causes(agent, amount=49999, key="k0") == 3
    assert isinstance(approval(agent), int)
    assert await causes(agent, amount=60001) == [31, 51]  # another amount, and more than is left
    assert await causes(agent, key="k2", amount=50001) == [51]  # another refund
    assert await state(agent, **HELD, sale_amount=None) == "NEW"  # 400.01 EUR are left of the sale
    agent, _ = await shop()
    approval(agent)
    assert await state(agent, **HELD) == "APPROVED"


async def test_who_asks_cannot_approve_and_an_old_approval_counts_no_more():
    agent, ports = await shop()
    approval(agent)
    assert await causes(agent, operator="anna") == [51]
    ports.clock.wall += 3601
    assert await causes(agent) == [51]
    ports.clock.wall -= 3601
    assert await state(agent, **HELD) == "APPROVED"


async def test_only_a_role_that_may_and_up_to_its_limit():
    agent, _ = await shop()
    assert approval(agent, "1357", "ben") == "not_allowed"
    assert approval(agent, amount=100001) == "not_allowed"
    assert approval(agent, by="carl") == "no_person"
    assert await causes(agent) == [51]


async def test_wrong_pins_lock_a_person_out_also_after_a_restart_and_only_that_person():
    agent, ports = await shop()
    for pin in ("0000", "2469"):
        assert approval(agent, pin) == "pin_wrong"
    assert isinstance(approval(agent), int)  # a right one clears the count
    for _ in range(3):
        assert approval(agent, "1111") == "pin_wrong"
    assert approval(agent) == "locked_out"
    agent, _ = await shop(ports.flash, ports.policy_flash)
    assert approval(agent) == "locked_out"
    assert approval(agent, "1357", "ben") == "not_allowed"
    assert await causes(agent, operator="anna", key="k9") == [50, 51] and await causes(agent, key="k9") == [51]


async def test_a_pin_is_neither_stored_nor_told():
    agent, ports = await shop()
    approval(agent, "735912")
    approval(agent)
    assert not keeps(ports.flash, b"735912") and not keeps(ports.flash, b"2468")
    events = b"".join([one.data for one in agent.events.since(0, 4096)[0]])
    assert b"735912" not in events and b"2468" not in events


async def test_a_word_is_kept_with_who_when_and_what_it_refers_to():
    agent, ports = await shop()
    what = ATTESTATIONS.index("evidence")
    word = {
        "what": what,
        "value": 1,
        "by": "anna",
        "role": "supervisor",
        "receipt": 1,
        "text": "chat",
        "digest": b"d" * 32,
    }
    number = people.attest(agent, word)["number"]
    told = agent.history.words(1)[what]
    assert told[1:] == [what, 1, 1, ports.clock.wall, "anna", "supervisor", "chat", b"d" * 32]
    assert number == agent.journal.sequence and what not in agent.history.words(2)


async def test_an_approval_cannot_be_attested_without_a_pin():
    agent, _ = await shop()
    word = {
        "what": ATTESTATIONS.index("approval"),
        "value": 60000,
        "by": "anna",
        "role": "boss",
        "receipt": 1,
        "text": "k1",
    }
    try:
        people.attest(agent, word)
        raise AssertionError("taken")
    except WireError as error:
        assert error.name == "not_allowed"
    assert await causes(agent) == [51]


async def test_a_word_that_comes_again_for_want_of_an_answer_is_taken_once():
    agent, ports = await shop()
    service = Service(agent)
    wrong = {0: "k1", 1: 1, 2: 60000, 3: "anna", 4: "0000"}
    message = smp.pack(smp.Header(WRITE, GROUP, APPROVE, 5), cbor.encode(wrong))
    answers = []
    for _ in range(4):
        answers.append(await service.answer(message))
    assert answers[0] == answers[3] and agent.history.tries == {"anna": 1}
    ports.clock.now += 30001
    await service.answer(message)
    assert agent.history.tries == {"anna": 2}


async def test_damage_that_a_person_saw_holds_until_somebody_says_it_is_mended():
    agent, _ = await shop()
    for value, expected in ((1, [51]), (0, [11, 51]), (1, [51])):
        people.attest(agent, {"what": ATTESTATIONS.index("damage"), "value": value, "by": "ben", "role": "cashier"})
        assert await causes(agent) == expected


def test_the_messages_have_bounds():
    for table_of, packed in (
        (APPROVE, {0: "k", 1: 1, 2: 1, 3: "anna", 4: "123"}),
        (APPROVE, {0: "k", 1: 1, 2: 1, 3: "anna", 4: "4111111111111111"}),
        (ATTEST, {0: 0, 1: 1, 2: "a", 3: "b"}),
        (ATTEST, {0: 1, 1: 1, 2: "a", 3: "b", 6: b"short"}),
    ):
        _, op, table, _ = declared(table_of)
        assert op == WRITE and GROUP == 82 and HOLD < BLOCK
        try:
            unpack(table, packed)
            raise AssertionError(packed)
        except WireError as error:
            assert error.name in ("bad_field", "card_number")
