"""Answers to SMP requests: group 0, our group 82, errors, and whatever else somebody sends."""

from firmware_agent.agent import Agent
from firmware_agent.service import Service
from firmware_agent.wire import cbor, smp
from firmware_agent.wire.errors import error_name
from firmware_agent.wire.messages import (
    ACCEPT,
    EVENTS_SINCE,
    GROUP,
    HOLD,
    IN_DOUBT,
    JOURNAL,
    PREFLIGHT,
    READ,
    REFUND,
    SETTLE,
    STATES,
    STATUS,
    UNKNOWN,
    WRITE,
)
from firmware_agent.wire.survey import Survey
from firmware_agent.wire.tool_messages import SUBSCRIBE

from .bench import ABOUT, SETTINGS, WALL_S, Ports, keeps
from .card_terminal import CardTerminal
from .chance import Chance

HEAP = "256k"

CARD = "4111111111111111"
ASKED = {1: 231, 2: 1234, 3: "EUR"}


async def asked(agent, op, group, command, body, version=1, sequence=9):
    """The answer's body; the header is checked here."""
    data = body if isinstance(body, bytes) else cbor.encode(body)
    message = await Service(agent).answer(smp.pack(smp.Header(op, group, command, sequence, version), data))
    header, answer = smp.unpack(message)
    assert (header.op, header.group, header.command) == (op + 1, group, command)
    assert (header.sequence, header.version) == (sequence, version)
    return cbor.decode(answer)


async def bench():
    """An agent that has looked at its hardware once; sale 1 of 50.00 is the terminal's last receipt."""
    terminal = CardTerminal()
    terminal.does(5000)
    agent = Agent(Ports(terminal), SETTINGS, ABOUT)
    for _ in range(4):
        agent.power.sample()
    await agent.network.sample()
    await agent.watch.sample()
    await agent.watch.look_at_receipt()
    return agent


def wrong(answer, name, field=None):
    error = answer["err"]
    assert error["group"] == GROUP and error_name(error["rc"]) == name, answer
    assert answer.get("field") == field, answer
    return True


async def test_whoever_asks_hears_at_once_that_it_came_and_a_subscriber_does_not():
    for command, op, signs in ((STATUS, READ, 1), (SUBSCRIBE, WRITE, 0)):
        agent = await bench()
        heard = []

        async def begun(heard=heard):
            heard.append(True)

        agent.link.begun = begun
        await asked(agent, op, GROUP, command, {})
        assert len(heard) == signs, command


async def test_echo_parameters_and_info():
    agent = await bench()
    assert await asked(agent, WRITE, 0, 0, {"d": "hello"}) == {"r": "hello"}
    assert await asked(agent, READ, 0, 6, {}) == {"buf_size": 2048, "buf_count": 1}
    assert await asked(agent, READ, 0, 6, b"") == {"buf_size": 2048, "buf_count": 1}
    for letters, words in (
        (None, "refund-agent"),
        ("s", "refund-agent"),
        ("v", "0.1.0"),
        ("i", "bench"),
        ("vn", "bench 0.1.0"),
        ("a", "refund-agent bench 0.1.0 0.1.0 unknown test 1.2.3 bench test"),
    ):
        body = {} if letters is None else {"format": letters}
        assert await asked(agent, READ, 0, 7, body) == {"output": words}, letters


async def test_what_group_0_does_not_know_is_said_in_its_own_codes():
    agent = await bench()
    for body in ({}, {"d": 5}, [], 7):
        assert await asked(agent, WRITE, 0, 0, body) == {"rc": 3}
    assert await asked(agent, READ, 0, 7, {"format": 5}) == {"rc": 3}
    for letters in ("", "x", "sX"):
        assert await asked(agent, READ, 0, 7, {"format": letters}) == {"err": {"group": 0, "rc": 2}}
        assert await asked(agent, READ, 0, 7, {"format": letters}, version=0) == {"rc": 3}
    for group, command in ((0, 5), (0, 3), (1, 1), (4, 0), (9, 0), (64, 0)):
        assert await asked(agent, READ, group, command, {}) == {"rc": 8}
    assert await asked(agent, WRITE, 0, 0, b"\xff") == {"rc": 3}


async def test_status_says_who_it_is_and_what_it_knows():
    answer = await asked(await bench(), READ, GROUP, STATUS, {})
    assert (answer[0], answer[1], answer[2], answer[3], answer[4]) == ("0.1.0", "test", "1.2.3", "bench", 1)
    assert answer[9] == 0 and {one[1] for one in answer[10]} == {UNKNOWN}  # GO, for the policy accepts what is unknown
    assert answer[11][1] == [5000, 0]  # supply_mv and its age
    assert answer[14] == answer[15] == 0 and answer[13] == 4096 and 0 < answer[12] < 4096
    assert answer[6] == WALL_S
    agent = await bench()
    agent.clock.wall = None
    answer = await asked(agent, READ, GROUP, STATUS, {})
    assert 6 not in answer and answer[9] == HOLD  # the clock was never set


async def test_preflight_finds_and_a_field_says_all():
    agent = await bench()
    answer = await asked(agent, READ, GROUP, PREFLIGHT, {1: 1, 2: 1234, 3: "EUR"})
    assert answer[0] == 0 and {one[1] for one in answer[1]} == {UNKNOWN} and 2 not in answer
    agent.power.power.mv = 4100
    agent.power.sample()
    answer = await asked(agent, READ, GROUP, PREFLIGHT, {1: 1, 2: 1234, 3: "EUR"})
    assert (
        answer[0] == HOLD and [one[0] for one in answer[1] if one[1] != UNKNOWN] == [4] and answer[1][0][2][2] == 4100
    )
    answer = await asked(agent, READ, GROUP, PREFLIGHT, {1: 1, 2: 1234, 3: "EUR", 8: True})
    assert {1, 5, 8, 14, 15, 31, 32, 34, 36, 37, 43, 52, 53, 54, 57} <= set(answer[2])
    assert sorted([one[0] for one in answer[1]] + list(answer[2])) == list(range(1, 61))
    assert agent.terminal.asked == 0


async def test_whoever_waits_for_a_preflight_of_a_slow_board_hears_that_it_is_at_work():
    """A Pico takes more than half a second, after which a client believes that nobody is there."""
    agent = await bench()
    said = []

    async def at_work():
        said.append(1)

    agent.link.at_work = at_work
    await asked(agent, READ, GROUP, PREFLIGHT, {1: 1, 2: 1234, 3: "EUR"})
    assert 10 < len(said) < 40
    agent.clock.now += 60000  # and nobody looks at the terminal: its state is waited for
    await asked(agent, READ, GROUP, PREFLIGHT, {1: 1, 2: 1234, 3: "EUR"})
    assert len(said) > 50


async def test_a_refund_is_done_and_its_answer_says_how():
    agent = await bench()
    answer = await asked(agent, WRITE, GROUP, REFUND, {0: "k1", 1: 1, 2: 1234, 3: "EUR"})
    assert (STATES[answer[1]], answer[2], answer[3]) == ("APPROVED", True, False)
    assert (answer[6], answer[7], answer[10], answer[11], answer[12]) == (2, 502, 1234, "EUR", 1)
    assert agent.terminal.executed == [(1234, "EUR")]


async def test_events_are_read_by_cursor():
    agent = await bench()
    answer = await asked(agent, READ, GROUP, EVENTS_SINCE, {0: 0})
    assert answer[0][0][0] == 1 and answer[0][0][2] == 1 and answer[3] == 1  # the first one is the boot
    assert answer[1] == answer[0][-1][0] and answer[2] == 0
    assert (await asked(agent, READ, GROUP, EVENTS_SINCE, {0: answer[1]}))[0] == []


async def doubtful():
    """An agent with a refund k1 of 12.34 in doubt: the terminal went silent, and then somebody else sold something."""
    agent = await bench()
    agent.terminal.plan = ["lost"]
    agent.terminal.foreign = [700]
    answer = await asked(agent, WRITE, GROUP, REFUND, {0: "k1", 1: 1, 2: 1234, 3: "EUR"})
    assert STATES[answer[1]] == "IN_DOUBT"
    return agent


async def test_a_person_settles_a_doubt_and_the_answer_says_who():
    for done, state in ((True, "APPROVED"), (False, "NOT_EXECUTED")):
        agent = await doubtful()
        body = {0: "k1", 1: done, 2: "Ann", 3: "supervisor", 4: "the host's list"}
        answer = await asked(agent, WRITE, GROUP, SETTLE, body)
        assert (STATES[answer[1]], answer[2], answer[13], answer[14], answer[15]) == (
            state,
            True,
            "Ann",
            "supervisor",
            "the host's list",
        )
        assert (answer[10], answer[11], answer[12]) == (1234, "EUR", 1)
        assert wrong(await asked(agent, WRITE, GROUP, SETTLE, body), "not_in_doubt", "key")
        body[0] = "k2"
        assert wrong(await asked(agent, WRITE, GROUP, SETTLE, body), "no_refund", "key")
        assert agent.terminal.executed == []


async def test_a_persons_word_that_comes_once_more_is_answered_alike_and_taken_once():
    """Its answer was lost: the same bytes come again. Another message is another word."""
    agent = await doubtful()
    service = Service(agent)

    def settling(sequence):
        body = {0: "k1", 1: True, 2: "Ann", 3: "supervisor", 4: "the host's list"}
        return smp.pack(smp.Header(WRITE, GROUP, SETTLE, sequence, 1), cbor.encode(body))

    first = await service.answer(settling(7))
    records = agent.journal.sequence
    assert await service.answer(settling(7)) == first and agent.journal.sequence == records
    assert wrong(cbor.decode(smp.unpack(await service.answer(settling(8)))[1]), "not_in_doubt", "key")


async def test_what_attests_is_complete_and_holds_no_card_number():
    agent = await doubtful()
    used = agent.journal.written
    body = {0: "k1", 1: True, 2: "Ann", 3: "supervisor", 4: "list"}
    for key, value, name in (
        (0, "", "key"),
        (1, 1, "done"),
        (2, "x" * 25, "by"),
        (3, "", "role"),
        (4, "x" * 81, "reason"),
        (4, 5, "reason"),
    ):
        changed = dict(body)
        changed[key] = value
        assert wrong(await asked(agent, WRITE, GROUP, SETTLE, changed), "bad_field", name)
        changed.pop(key)
        assert wrong(await asked(agent, WRITE, GROUP, SETTLE, changed), "missing", name)
    body[4] = "card 4111 1111 1111 1111"
    assert wrong(await asked(agent, WRITE, GROUP, SETTLE, body), "card_number", "reason")
    assert agent.journal.written == used and not keeps(agent.journal.flash, b"4111")


async def test_the_journal_is_read_once_more_and_what_is_missing_is_accepted():
    agent = await bench()
    await asked(agent, WRITE, GROUP, REFUND, {0: "k1", 1: 1, 2: 1234, 3: "EUR"})
    answer = await asked(agent, READ, GROUP, JOURNAL, {})
    journal = agent.journal
    assert (answer[0], answer[1], answer[2], answer[6]) == (4096, 2048, 4, journal.sequence)
    assert (len(answer[7]), answer[8], answer[9], answer[10]) == (16, 0, 0, [])
    address = [found[0] for found in Survey(journal.flash).walk(lambda *place: None)][1]
    flash = journal.flash
    flash._store(address + 8, b"\0\0")
    answer = await asked(agent, READ, GROUP, JOURNAL, {})
    assert (answer[8], answer[9]) == (1, 1) and answer[10][0][0] == address
    assert (await asked(agent, READ, GROUP, PREFLIGHT, {1: 1, 2: 1, 3: "EUR"}))[0] == HOLD
    answer = await asked(agent, WRITE, GROUP, ACCEPT, {0: "Ann", 1: "technician", 2: "looked into"})
    assert (answer[8], answer[9], answer[6]) == (1, 0, journal.sequence)
    assert (await asked(agent, READ, GROUP, PREFLIGHT, {1: 1, 2: 1, 3: "EUR"}))[0] != HOLD


async def test_a_wrong_field_is_named_and_nothing_is_done():
    agent = await bench()
    used = agent.journal.written
    for change, name, field in (
        ({1: None}, "missing", "receipt"),
        ({2: None}, "missing", "amount"),
        ({3: None}, "missing", "currency"),
        ({0: None}, "missing", "key"),
        ({0: ""}, "bad_field", "key"),
        ({0: "x" * 37}, "bad_field", "key"),
        ({0: 7}, "bad_field", "key"),
        ({1: 0}, "bad_field", "receipt"),
        ({1: 10000}, "bad_field", "receipt"),
        ({1: "231"}, "bad_field", "receipt"),
        ({1: True}, "bad_field", "receipt"),
        ({2: 0}, "bad_field", "amount"),
        ({2: -1234}, "bad_field", "amount"),
        ({2: 1000000000000}, "bad_field", "amount"),
        ({3: "EU"}, "bad_field", "currency"),
        ({3: "XXX"}, "currency", "currency"),
        ({3: "eur"}, "currency", "currency"),
        ({5: 20241}, "bad_field", "sale_date"),
        ({6: "12345"}, "bad_field", "card"),
        ({7: "x" * 25}, "bad_field", "operator"),
        ({8: 1}, "bad_field", "all"),
    ):
        body = {0: "k1", 1: 231, 2: 1234, 3: "EUR"}
        body.update(change)
        body = {key: value for key, value in body.items() if value is not None}
        assert wrong(await asked(agent, WRITE, GROUP, REFUND, body), name, field), change
    assert agent.terminal.asked == 0 and agent.journal.written == used


async def test_a_card_number_is_refused_without_an_echo_of_it():
    agent = await bench()
    for change, field in (
        ({0: CARD}, "key"),
        ({0: "refund 4111 1111 1111 1111"}, "key"),
        ({1: int(CARD)}, "receipt"),
        ({2: int(CARD)}, "amount"),
        ({3: CARD}, "currency"),
        ({6: CARD}, "card"),
        ({7: "4111-1111-1111-1111"}, "operator"),
        ({7: "a 4222222222222"}, "operator"),
    ):
        body = {0: "k1", 1: 231, 2: 1234, 3: "EUR"}
        body.update(change)
        answer = await asked(agent, WRITE, GROUP, REFUND, body)
        assert wrong(answer, "card_number", field)
    events = b"".join(one.data for one in agent.events.since(0, 4000)[0])
    for trace in (b"4111", b"4222222222222", b"1111 1111"):
        assert not keeps(agent.journal.flash, trace) and trace not in events
    assert agent.terminal.asked == 0


async def test_commands_nobody_has_and_bodies_that_are_no_map():
    agent = await bench()
    for op, command in ((READ, 4), (READ, 255), (WRITE, STATUS), (READ, REFUND), (WRITE, EVENTS_SINCE)):
        assert wrong(await asked(agent, op, GROUP, command, {}), "no_command")
    for body in (b"\xff", b"\xa1\x00", b"\xa0\x00", b"\xf9\x00\x00"):
        assert wrong(await asked(agent, READ, GROUP, STATUS, body), "bad_message")
    for body in ([], 5, "x", None):
        assert wrong(await asked(agent, READ, GROUP, STATUS, body), "bad_message")


async def test_errors_of_version_1_are_numbers_of_smp():
    agent = await bench()
    assert await asked(agent, READ, GROUP, 99, {}, version=0) == {"rc": 3}
    assert await asked(agent, WRITE, GROUP, REFUND, {0: CARD}, version=0) == {"rc": 3}


async def test_answers_and_damaged_headers_are_not_answered():
    service = Service(await bench())
    for op in (1, 3, 4, 5, 6, 7):
        assert await service.answer(smp.pack(smp.Header(op, 0, 0), b"\xa0")) is None
    for message in (b"", b"\x08\x00", smp.pack(smp.Header(0, 0, 0), b"\xa0") + b"\x00"):
        assert await service.answer(message) is None


async def test_unknown_keys_are_ignored_as_those_of_a_newer_client():
    agent = await bench()
    answer = await asked(agent, READ, GROUP, PREFLIGHT, {1: 1, 2: 1234, 3: "EUR", 99: [1, {2: 3}], "later": True})
    assert answer[0] == 0


def _random(chance):
    kind = chance.below(8)
    if kind == 0:
        return chance.below(1 << 28)
    if kind == 1:
        return chance.one_of((-1, 0, 231, 1234, (1 << 64) - 1, 20240101, int(CARD)))
    if kind == 2:
        return chance.one_of(("EUR", "XXX", "", CARD, "k1", "\u00fc" * 20, "x" * 100))
    if kind == 3:
        return chance.bytes(chance.below(20))
    if kind == 4:
        return chance.one_of((True, False, None))
    if kind == 5:
        return [chance.below(9)] * chance.below(4)
    if kind == 6:
        return {chance.below(9): chance.below(9), "d": CARD}
    return "format"


async def test_2000_random_and_mutated_messages_get_an_answer_or_none_and_never_harm():
    agent = await bench()
    service = Service(agent)
    chance = Chance()
    answered = refused = 0
    for turn in range(2000):
        body = {chance.one_of((0, 1, 2, 3, 8, chance.below(12), "d", "format")): _random(chance) for _ in range(3)}
        if chance.below(2):
            body.update(ASKED)
        data = cbor.encode(body)
        if chance.below(3) == 0:
            data = bytearray(data)
            for _ in range(1 + chance.below(3)):
                data[chance.below(len(data))] = chance.below(256)
            data = bytes(data[: len(data) - chance.below(2)])
        op = chance.one_of((READ, WRITE, WRITE, chance.below(8)))
        group = chance.one_of((0, 8, GROUP, GROUP, GROUP, chance.below(65536)))
        header = smp.Header(
            op, group, chance.one_of((0, 1, 2, 3, 4, 5, 6, 7, chance.below(256))), turn & 255, chance.below(4)
        )
        answer = await service.answer(smp.pack(header, data))
        if op not in (READ, WRITE):
            assert answer is None
            continue
        assert len(answer) <= smp.MAX_MESSAGE
        found, body = smp.unpack(answer)
        assert (found.op, found.group, found.sequence) == (op | 1, group, turn & 255)
        body = cbor.decode(body)
        if "err" in body and group == GROUP:
            refused += 1
            assert error_name(body["err"]["rc"]) != "agent_fault", (turn, data)
            assert "4111" not in repr(body)
        answered += 1
        agent.clock.now += 50
        if turn % 50 == 0:
            await agent.watch.sample()
    assert answered > 1000 and refused > 300
    executed = agent.terminal.executed
    assert agent.history.refunds >= len(executed)  # nothing at the terminal that is not in the journal
    assert not [one for one in agent.history.open.values() if one.state == IN_DOUBT]
    assert agent.journal.written and agent.journal.damage.count == 0
