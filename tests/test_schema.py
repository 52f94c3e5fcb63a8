"""The messages of group 82: the tables in messages.py, the published schema and the golden bytes say the same."""

import json
import re
import string
from pathlib import Path

import pycddl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_agent import causes
from firmware_agent.wire import (
    cbor,
    errors,
    hdlc,
    messages,
    refund_messages,
    report_messages,
    seldom_messages,
    smp,
    tool_messages,
)
from firmware_agent.wire.errors import WireError
from firmware_agent.wire.pan import looks_like_pan

CDDL = Path(messages.__file__).with_name("refund_agent.cddl").read_text()
GOLDEN = json.loads((Path(__file__).parent / "golden/messages.json").read_text())

MESSAGES = {
    "status-request": report_messages.STATUS_REQUEST,
    "status-answer": report_messages.STATUS_ANSWER,
    "preflight-request": messages.REFUND_REQUEST,
    "preflight-answer": messages.PREFLIGHT_ANSWER,
    "refund-request": messages.REFUND_REQUEST.replace("0 key? ", "0 key "),  # service.py refuses one without
    "refund-answer": refund_messages.REFUND_ANSWER,
    "events-request": report_messages.EVENTS_REQUEST,
    "events-answer": report_messages.EVENTS_ANSWER,
    "settle-request": refund_messages.SETTLE_REQUEST,
    "journal-request": messages.NOTHING,
    "journal-answer": seldom_messages.JOURNAL_ANSWER,
    "accept-request": seldom_messages.ACCEPT_REQUEST,
    "attest-request": seldom_messages.ATTEST_REQUEST,
    "attest-answer": seldom_messages.ATTEST_ANSWER,
    "approve-request": seldom_messages.APPROVE_REQUEST,
    "policy-request": messages.NOTHING,
    "policy-answer": seldom_messages.POLICY_ANSWER,
    "policy-put-request": seldom_messages.POLICY_PUT_REQUEST,
    "gate-request": messages.NOTHING,
    "gate-answer": seldom_messages.GATE_ANSWER,
    "subscribe-request": tool_messages.SUBSCRIBE_REQUEST,
    "subscribe-answer": tool_messages.SUBSCRIBE_ANSWER,
    "link-request": messages.NOTHING,
    "link-answer": tool_messages.LINK_ANSWER,
    "find-request": refund_messages.FIND_REQUEST,
    "causes-request": tool_messages.CAUSE_REQUEST,
    "causes-answer": tool_messages.CAUSE_ANSWER,
    "manifest-request": messages.NOTHING,
    "manifest-answer": tool_messages.MANIFEST_ANSWER,
    "crash-request": messages.NOTHING,
    "crash-answer": tool_messages.CRASH_ANSWER,
}
PAGES = (messages, report_messages, refund_messages, seldom_messages, tool_messages)
COMMANDS = {number: row for page in PAGES for number, row in page.COMMANDS.items()}
# Hexadecimal in the golden records, where a message has them as bytes.
BYTES = ("passed", "digest", "signer", "data", "policy_digest")
TABLES = {
    **MESSAGES,
    "finding": messages.FINDING,
    "event": messages.EVENT,
    "place": seldom_messages.PLACE,
    "wish": seldom_messages.WISH,
    "spot": tool_messages.SPOT,
}


def schema(rule):
    return pycddl.Schema(f"start = {rule}\n{CDDL}")


def accepts(schema, body):
    try:
        schema.validate_cbor(body)
        return True
    except pycddl.ValidationError:
        return False


# ---- the tables by themselves ----


@pytest.mark.parametrize("name", TABLES)
def test_a_table_has_unique_keys_and_names_and_sane_bounds(name):
    rows = list(messages.fields(TABLES[name]))
    assert TABLES[name].count(";") == len(rows)
    keys = [row[0] for row in rows]
    names = [row[1] for row in rows]
    assert keys == sorted(set(keys)) and all(0 <= key <= 255 for key in keys)
    assert len(set(names)) == len(names)
    for _, field, _, kind, low, high in rows:
        assert re.fullmatch("[a-z][a-z_]*", field)
        assert kind in "uthfnvlba"
        if kind == "l":
            assert low in messages.ITEMS.values() and 0 < high <= 255
        else:
            assert 0 <= low <= high < 2**53  # a number of JSON too
            assert kind not in "th" or 0 < high <= 255
            assert kind not in "nv" or 0 < high <= 64


def test_every_command_has_a_name_an_operation_and_an_answer():
    assert len(COMMANDS) == sum(len(page.COMMANDS) for page in PAGES)
    names = [name for name, _, _, _ in COMMANDS.values()]
    assert len(set(names)) == len(names)
    for number, (name, op, request, answer) in COMMANDS.items():
        assert 0 <= number <= 255 and re.fullmatch("[a-z_]+", name)
        assert op in (messages.READ, messages.WRITE)
        assert request in MESSAGES.values() and answer in MESSAGES.values() and answer
        assert getattr(tool_messages if number in tool_messages.COMMANDS else messages, name.upper()) == number
        assert messages.declared(number) == (name, op, request, answer)
        assert f"  {number} {name} " in CDDL  # the table at the head of the schema


def test_facts_events_and_errors_are_unique_and_found_by_name_and_number():
    for texts in (messages.FACTS.split(), [e.split(":")[0] for e in messages.EVENTS.split()], errors.CODES.split()):
        assert len(set(texts)) == len(texts)
    for number, name in enumerate(messages.FACTS.split(), 1):
        assert messages.fact(name) == number and messages.fact_name(number) == name
    for number, entry in enumerate(messages.EVENTS.split(), 1):
        name, severity = entry.split(":")
        assert messages.event(name) == number and messages.event_name(number) == (name, int(severity))
        assert severity in "012"
    for number, name in enumerate(errors.CODES.split(), 1):
        assert WireError(name).rc == number and errors.error_name(number) == name


def test_a_number_of_a_newer_agent_has_a_name_all_the_same():
    assert messages.fact_name(0) == "fact_0" and messages.fact_name(999) == "fact_999"
    assert messages.event_name(0) == ("event_0", 0) and messages.event_name(255) == ("event_255", 0)
    assert errors.error_name(0) == "error_0" and errors.error_name(99) == "error_99"
    with pytest.raises(ValueError):
        messages.fact("supply")
    with pytest.raises(ValueError):
        messages.event("boot:0")


def test_states_and_verdicts_fit_their_bounds():
    bounds = {row[1]: row[5] for row in messages.fields(refund_messages.REFUND_ANSWER)}
    assert bounds["state"] == len(messages.STATES) - 1
    assert bounds["verdict"] == len(messages.VERDICTS) - 1 == len(messages.STATUSES) - 1
    for names in (messages.STATES, messages.STATUSES):
        assert [getattr(messages, name) for name in names] == list(range(len(names)))


def test_the_catalogue_of_causes_parses_and_fits_its_bounds():
    rows = causes.every_cause()
    assert [row.number for row in rows] == list(range(1, 61))
    assert len({row.key for row in rows}) == 60
    assert {row[5] for row in messages.fields(messages.FINDING) if row[1] == "cause"} == {60}
    for row in rows:
        assert row.found in messages.STATUSES and set(row.sources) <= set("TPHO") and row.who
        assert set(row.who) <= set(causes.PEOPLE)
        assert causes.cause(row.number).key == row.key
    with pytest.raises(ValueError):
        causes.cause(61)


# ---- the tables against the schema ----


def listed(rule):
    """The numbers by name that the schema lists under `rule`."""
    body = CDDL.split(f"\n{rule} = &(\n")[1].split("\n)")[0]
    return {name: int(number) for name, number in re.findall(r"^ +(\w+): (\d+)", body, re.MULTILINE)}


def test_the_schema_lists_the_same_facts_events_and_errors():
    assert listed("fact") == {name: at for at, name in enumerate(messages.FACTS.split(), 1)}
    assert listed("event-code") == {name.split(":")[0]: at for at, name in enumerate(messages.EVENTS.split(), 1)}
    assert listed("error") == {name: at for at, name in enumerate(errors.CODES.split(), 1)}
    for entry in messages.EVENTS.split():
        name, severity = entry.split(":")
        assert re.search(rf"^  {name}: \d+,? +; {severity}: ", CDDL, re.MULTILINE), name


FACT = st.sampled_from(messages.FACTS.split())
NUMBER = st.integers(-(2**63), 2**63) | st.text(max_size=40)


def text(low, high):
    """Text of `low` to `high` bytes."""
    return st.text(max_size=high).filter(lambda value: low <= len(value.encode()) <= high) | st.text(
        string.ascii_letters + string.digits, min_size=low, max_size=high
    )


def value_of(kind, low, high):
    if kind == "u":
        return st.integers(low, high) | st.sampled_from((low, high))
    if kind == "t":
        return text(low, high).filter(lambda value: not looks_like_pan(value))
    if kind == "h":
        return st.text("0123456789abcdef", min_size=low, max_size=high)
    if kind == "f":
        return st.booleans()
    if kind == "b":
        return st.binary(min_size=low, max_size=high)
    if kind == "a":
        return st.lists(st.integers(0, 2**32), min_size=low, max_size=high)
    if kind == "n":
        return st.dictionaries(FACT, NUMBER, max_size=high)
    if kind == "v":
        return st.dictionaries(FACT, st.tuples(st.none() | NUMBER, st.integers(0, 2**48)).map(list), max_size=high)
    return st.lists(message_of(low), max_size=3)


def message_of(table):
    needed, optional = {}, {}
    for _, name, must, kind, low, high in messages.fields(table):
        (needed if must else optional)[name] = value_of(kind, low, high)
    return st.fixed_dictionaries(needed, optional=optional)


@pytest.mark.parametrize("name", MESSAGES)
def test_what_the_tables_allow_is_valid_and_comes_back_unchanged(name):
    table, rule = MESSAGES[name], schema(name)

    @settings(max_examples=60, deadline=None)
    @given(message_of(table))
    def holds(values):
        body = cbor.encode(messages.pack(table, values))
        rule.validate_cbor(body)
        assert messages.unpack(table, cbor.decode(body)) == values

    holds()


def least(table):
    """A message with every field at its lower bound, as on the wire."""
    values = {}
    for key, _, _, kind, low, _ in messages.fields(table):
        values[key] = {"u": low, "t": "x", "h": "0", "f": False, "n": {}, "v": {}, "l": [], "b": b"0", "a": []}[kind]
        if kind in "thb":
            values[key] *= low
    return values


def wrong_values(kind, low, high):
    """(value that a field of this kind must not have, whether the schema's checker sees it).

    pycddl does not tell bytes from a number in a range, nor a number or bytes from a text with a size, and of a map with
    many keys it checks how many, not which."""
    if kind == "u":
        for value in (high + 1, 2**64 - 1, -1, "1", True, [low], {}, *([low - 1] if low else [])):
            yield value, True
        yield b"1", False
    elif kind in "th":
        for value in ("y" * (high + 1), "€" * (high // 3 + 1), [], True, *(["y" * (low - 1)] if low else [])):
            yield value, True
        yield 1, False
        yield b"y" * max(1, low), False
    elif kind == "b":
        for value in (b"y" * (high + 1), [], True, *([b"y" * (low - 1)] if low else [])):
            yield value, True
        yield "y" * max(1, low), False
    elif kind == "a":
        for value in ({}, 0, "x", ["x"], [0] * (high + 1)):
            yield value, True
    elif kind == "f":
        for value in (0, 1, "true", []):
            yield value, True
    elif kind == "l":
        for value in ({}, 0, "x", [0], [{}], [least(low)] * (high + 1)):
            yield value, True
        for item, visible in broken(low):
            yield [item], visible
    else:
        for value in ([], 0, "x", {fact: [0, 0] if kind == "v" else 0 for fact in range(1, high + 2)}):
            yield value, True
        yield {"supply_mv": [0, 0] if kind == "v" else 0}, False


def broken(table):
    """(message with one fault, whether the schema's checker sees it)."""
    for key, _, needed, kind, low, high in messages.fields(table):
        for wrong, visible in wrong_values(kind, low, high):
            yield {**least(table), key: wrong}, visible
        if needed:
            yield {at: value for at, value in least(table).items() if at != key}, True


@pytest.mark.parametrize("name", MESSAGES)
def test_what_is_out_of_bounds_is_refused_by_code_and_schema(name):
    table, rule = MESSAGES[name], schema(name)
    whole = cbor.encode(least(table))
    rule.validate_cbor(whole)
    messages.unpack(table, cbor.decode(whole))
    for wrong, visible in broken(table):
        body = cbor.encode(wrong)
        with pytest.raises(WireError):
            messages.unpack(table, cbor.decode(body))
            pytest.fail(f"the code takes {wrong}")
        assert not (visible and accepts(rule, body)), wrong


@pytest.mark.parametrize("body", [None, 0, "x", [], b""])
def test_a_body_that_is_no_map_is_refused(body):
    with pytest.raises(WireError):
        messages.unpack(messages.REFUND_REQUEST, body)


def test_a_key_nobody_declared_is_ignored():
    assert messages.unpack(report_messages.EVENTS_REQUEST, {0: 7, 200: "newer"}) == {"cursor": 7}


@pytest.mark.parametrize("name", errors.CODES.split())
def test_an_error_is_valid_with_and_without_its_field(name):
    rule = schema("error-answer")
    for more in ({}, {"field": "amount"}):
        rule.validate_cbor(cbor.encode({"err": {"group": messages.GROUP, "rc": WireError(name).rc}, **more}))
    assert not accepts(rule, cbor.encode({"err": {"group": 1, "rc": 1}}))
    assert not accepts(rule, cbor.encode({"err": {"group": 82, "rc": len(errors.CODES.split()) + 1}}))


@pytest.mark.parametrize("field", ["key", "operator", "currency", "receipt"])
@pytest.mark.parametrize("card", ["4111111111111111", "4111 1111 1111 1111", "5555-5555-5555-4444"])
def test_a_full_card_number_is_refused_as_such_and_never_repeated(field, card):
    values = {"key": "k", "receipt": 231, "amount": 1234, "currency": "EUR", "operator": "Ann"}
    for typed in (card, int(re.sub("[ -]", "", card))):
        with pytest.raises(WireError) as refused:
            table = messages.REFUND_REQUEST
            messages.unpack(table, {**messages.pack(table, values), **messages.pack(table, {field: typed})})
        if isinstance(typed, str) or field == "receipt":
            assert (refused.value.name, refused.value.field) == ("card_number", field)
        assert not set(re.findall("[0-9]{4}", str(refused.value)))


# ---- golden bytes: written once, never edited ----


@pytest.mark.parametrize("record", GOLDEN, ids=[record["message"] for record in GOLDEN])
def test_golden_bytes_decode_and_encode_as_ever(record):
    data = bytes.fromhex(record["hex"])
    header, body = smp.unpack(data)
    assert [header.op, header.version, header.flags, header.group, header.sequence, header.command] == record["header"]
    packed = cbor.decode(body)
    told = {
        name: bytes.fromhex(value) if name in BYTES and record["message"][:7] != "journal" else value
        for name, value in record["values"].items()
    }
    if record["message"] == "error-answer":
        values, again = packed, packed
    else:
        values = messages.unpack(MESSAGES[record["message"]], packed)
        again = messages.pack(MESSAGES[record["message"]], values)
    assert values == told
    assert smp.pack(header, cbor.encode(again)) == data
    schema(record["message"]).validate_cbor(body)


def test_every_message_has_golden_bytes_with_every_field():
    seen = {}
    for record in GOLDEN:
        seen.setdefault(record["message"], set()).update(record["values"])
    assert set(seen) == {*MESSAGES, "error-answer"}
    for name, table in MESSAGES.items():
        assert seen[name] == {row[1] for row in messages.fields(table)}


FRAMES = json.loads((Path(__file__).parent / "golden/frames.json").read_text())


@pytest.mark.parametrize("record", FRAMES, ids=[record["frame"] for record in FRAMES])
def test_golden_frames_of_the_stream_decode_and_encode_as_ever(record):
    data = bytes.fromhex(record["hex"])
    body = hdlc.unpack(data[1:-1])
    kind, *rest = cbor.decode(body)
    assert kind == getattr(tool_messages, record["frame"].upper())
    schema(f"{record['frame']}-frame").validate_cbor(body)
    schema("frame").validate_cbor(body)
    if record["frame"] == "events":
        rest[2] = [messages.unpack(messages.EVENT, event) for event in rest[2]]
        again = [*rest[:2], [messages.pack(messages.EVENT, event) for event in rest[2]]]
    elif record["frame"] in ("end", "at_work"):
        again = rest
    else:
        rest[2] = {messages.fact_name(number): value for number, value in rest[2].items()}
        again = [*rest[:2], {messages.fact(name): value for name, value in rest[2].items()}]
    assert rest == record["values"]
    assert hdlc.pack(cbor.encode([kind, *again])) == data


def test_every_kind_of_frame_has_golden_bytes():
    assert {record["frame"] for record in FRAMES} == {"events", "changes", "full", "end", "at_work"}
