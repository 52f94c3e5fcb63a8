"""What tools ask now and then: the link's counters, one refund, one cause, what is installed."""

from firmware_agent.service import Service
from firmware_agent.wire import cbor, smp
from firmware_agent.wire.errors import error_name
from firmware_agent.wire.messages import FIND, GROUP, READ, STATES, unpack
from firmware_agent.wire.refund_messages import REFUND_ANSWER
from firmware_agent.wire.tool_messages import (
    CAUSE_ANSWER,
    CAUSES,
    CRASH,
    LINK,
    LINK_ANSWER,
    MANIFEST,
    MANIFEST_ANSWER,
)

from .till import bench, wants

HEAP = "256k"


async def asked(agent, command, body=None, table=None):
    message = smp.pack(smp.Header(READ, GROUP, command, 9), cbor.encode(body or {}))
    answer = cbor.decode((await Service(agent).answer(message))[8:])
    if "err" in answer:
        return error_name(answer["err"]["rc"]), answer.get("field")
    return unpack(table, answer)  # every field is within its bounds


async def test_the_link_tells_its_counters_and_which_events_there_are():
    agent, _ = await bench()
    agent.link.heard = 4711
    agent.link.bytes_in = 1 << 33
    answer = await asked(agent, LINK, table=LINK_ANSWER)
    assert answer["uptime_ms"] == 4711 and answer["bytes_in"] == 1 << 33 and answer["boot"] == 1
    assert (answer["oldest"], answer["last"]) == (1, agent.events.last) and "stream" not in answer
    for _ in range(100):
        agent.events.add("refund")
    answer = await asked(agent, LINK, table=LINK_ANSWER)
    assert answer["oldest"] == answer["last"] - len(agent.events.since(0, 1 << 20)[0]) + 1
    agent.clock.wall = None
    assert "wall_s" not in await asked(agent, LINK, table=LINK_ANSWER)


async def test_a_refund_is_found_by_its_key():
    agent, terminal = await bench()
    assert await asked(agent, FIND, {0: "k1"}) == ("no_refund", None)
    done = await agent.refund(wants("k1"))
    found = await asked(agent, FIND, {0: "k1"}, REFUND_ANSWER)
    assert (STATES[found["state"]], found["final"], found["earlier"]) == ("APPROVED", True, True)
    for name in ("key", "amount", "currency", "sale_receipt", "receipt", "trace"):
        assert found[name] == done[name], name
    terminal.plan = ["lost"]
    terminal.foreign = [700]
    await agent.refund(wants("k2", amount=500))
    found = await asked(agent, FIND, {0: "k2"}, REFUND_ANSWER)
    assert (STATES[found["state"]], found["amount"]) == ("IN_DOUBT", 500)
    assert await asked(agent, FIND) == ("missing", "key")
    assert await asked(agent, FIND, {0: "4111111111111111"}) == ("card_number", "key")


async def test_every_cause_is_told_in_both_languages():
    agent, _ = await bench()
    seen = set()
    for number in range(1, 61):
        for lang in (None, "en", "zh"):
            body = {0: number} if lang is None else {0: number, 1: lang}
            answer = await asked(agent, CAUSES, body, CAUSE_ANSWER)
            assert answer["number"] == number and answer["text"]
            seen.add(answer["text"])
    assert len(seen) == 120
    answer = await asked(agent, CAUSES, {0: 4}, CAUSE_ANSWER)
    assert (answer["key"], answer["family"], answer["who"]) == ("supply_unstable", "power", "merchant")
    assert await asked(agent, CAUSES, {0: 4, 1: "fr"}) == ("bad_field", "lang")
    assert await asked(agent, CAUSES, {0: 61}) == ("bad_field", "number")


async def test_the_manifest_names_what_is_installed_and_its_digest_is_of_the_code():
    agent, _ = await bench()
    answer = await asked(agent, MANIFEST, table=MANIFEST_ANSWER)
    assert (answer["agent_version"], answer["board"], answer["command"]) == ("0.1.0", "bench", CRASH)
    assert answer["terminal_version"] == agent.snapshot.get("terminal_version")
    assert answer["policy_state"] == agent.policy.state and answer["journal_size"] == 4096
    assert answer["files"] > 40 and answer["bytes"] > 50000 and len(answer["digest"]) == 32
    assert (await asked(agent, MANIFEST, table=MANIFEST_ANSWER)) == answer
