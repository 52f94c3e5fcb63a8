"""Bytes and messages: our CBOR against cbor2, our SMP against the public smp package, and what neither may ever do."""

import contextlib
import os
import random
import string
import struct
import time
import uuid

import cbor2
import pytest
import smp.header
import smp.os_management
import smp.packet
from hypothesis import example, given, settings
from hypothesis import strategies as st

from firmware_agent.wire import cbor
from firmware_agent.wire import smp as ours
from firmware_agent.wire.errors import WireError
from firmware_agent.wire.messages import REFUND_REQUEST, unpack
from firmware_agent.wire.pan import looks_like_pan
from firmware_agent.wire.report_messages import EVENTS_ANSWER

from .test_schema import COMMANDS, GOLDEN

CASES = 200_000 if os.environ.get("DEEP") else 20_000


@pytest.fixture
def chance():
    """A random.Random; its seed is printed, and SEED in the environment chooses it."""
    seed = int(os.environ.get("SEED") or time.time_ns() % 2**32)
    print(f"SEED={seed}")
    return random.Random(seed)


# ---- CBOR ----

LEAF = st.none() | st.booleans() | st.integers(-(2**64), 2**64 - 1) | st.text() | st.binary()
UNSIGNED = st.integers(0, 2**64 - 1)
KEYS = st.integers(-(2**64), 2**64 - 1) | st.text()


def values(keys, depth=6):
    """Whatever our CBOR can say, nested `depth` times at most; the keys of one map are drawn from `keys`."""
    value = LEAF
    for _ in range(depth):
        value = LEAF | st.lists(value, max_size=4) | st.dictionaries(keys, value, max_size=4)
    return value


@settings(deadline=None)
@given(values(KEYS))
def test_what_we_encode_cbor2_decodes_and_we_do(value):
    data = cbor.encode(value)
    assert cbor2.loads(data) == value
    assert cbor.decode(data) == value


@settings(deadline=None)
@given(values(KEYS))
def test_what_cbor2_encodes_we_decode(value):
    assert cbor.decode(cbor2.dumps(value)) == value


# cbor2 sorts keys by length first (RFC 7049), we by their bytes (RFC 8949): for keys of one kind that is the same.
@settings(deadline=None)
@given(values(UNSIGNED) | values(st.text()))
def test_our_bytes_are_those_of_cbor2_canonical(value):
    assert cbor.encode(value) == cbor2.dumps(value, canonical=True)


@given(st.dictionaries(KEYS, st.just(0)))
def test_keys_of_a_map_are_in_the_order_of_their_bytes(value):
    keys = [cbor.encode(key) for key in cbor.decode(cbor.encode(value))]
    assert keys == sorted(keys)


@pytest.mark.parametrize(
    "value, data",
    [
        (0, "00"),
        (23, "17"),
        (24, "1818"),
        (255, "18ff"),
        (256, "190100"),
        (65536, "1a00010000"),
        (1000000000000, "1b000000e8d4a51000"),
        (18446744073709551615, "1bffffffffffffffff"),
        (-1, "20"),
        (-1000, "3903e7"),
        (-18446744073709551616, "3bffffffffffffffff"),
        (False, "f4"),
        (None, "f6"),
        (b"\1\2\3\4", "4401020304"),
        ("水", "63e6b0b4"),
        ([1, [2, 3], [4, 5]], "8301820203820405"),
        ({"a": 1, "b": [2, 3]}, "a26161016162820203"),
    ],
)
def test_examples_of_rfc_8949_appendix_a(value, data):
    assert cbor.encode(value).hex() == data
    assert cbor.decode(bytes.fromhex(data)) == value


REFUSED = {
    "nothing": "",
    "half float": "f93c00",
    "single float": "fa47c35000",
    "double float": "fb3ff199999999999a",
    "undefined": "f7",
    "simple value": "f8ff",
    "break": "ff",
    "reserved info": "1c",
    "tag": "c11a514b67b0",
    "bignum": "c249010000000000000000",
    "self-described": "d9d9f700",
    "indefinite bytes": "5f42010243030405ff",
    "indefinite text": "7f657374726561646d696e67ff",
    "indefinite list": "9f0102ff",
    "indefinite map": "bf616101ff",
    "23 in two bytes": "1817",
    "255 in three bytes": "1900ff",
    "65535 in five bytes": "1a0000ffff",
    "32 bits in nine bytes": "1b00000000ffffffff",
    "negative not shortest": "3800",
    "length not shortest": "580100",
    "count not shortest": "980100",
    "duplicate key": "a201000100",
    "duplicate text key": "a2616100616100",
    "key of bytes": "a1410000",
    "key true": "a1f500",
    "key null": "a1f600",
    "key list": "a18000",
    "trailing byte": "0000",
    "trailing map": "a0a0",
    "cut integer": "1901",
    "cut bytes": "4401",
    "cut text": "6261",
    "cut list": "8201",
    "cut map": "a101",
    "huge bytes": "5bffffffffffffffff",
    "huge text": "7b7fffffffffffffff00",
    "huge list": "9b7fffffffffffffff00",
    "huge map": "bb7fffffffffffffff00",
    "four gigabytes": "9affffffff",
    "bad UTF-8": "62c328",
    "cut UTF-8": "61e6",
    "surrogate": "63eda080",
    "overlong UTF-8": "62c080",
    "seven levels": "81" * 7 + "00",
    "a thousand levels": "81" * 1000 + "00",
    "levels of maps": "a100" * 7 + "00",
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
def test_what_is_not_strict_is_refused(data):
    with pytest.raises(WireError) as refused:
        cbor.decode(bytes.fromhex(data))
    assert refused.value.name == "bad_message"


def test_six_levels_are_read():
    assert cbor.decode(bytes.fromhex("81" * 6 + "00")) == [[[[[[0]]]]]]


@pytest.mark.parametrize("value", [1.5, {1, 2}, object(), {1.5: 0}])
def test_what_cbor_cannot_say_is_a_type_error(value):
    with pytest.raises(TypeError):
        cbor.encode(value)


@pytest.mark.parametrize("value", [2**64, -(2**64) - 1])
def test_an_integer_beyond_64_bits_is_an_error(value):
    with pytest.raises(ValueError):
        cbor.encode(value)


def test_encoded_bytes_are_written_as_they_are():
    assert cbor.encode([cbor.Encoded(cbor.encode({1: 2}))]) == cbor.encode([{1: 2}])


def mutated(chance, data):
    """`data` with one to four faults: a flipped bit, a lost, doubled, or strange byte, a cut."""
    data = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data) + 1)
        fault = chance.randrange(5)
        if fault == 0 and at < len(data):
            data[at] ^= 1 << chance.randrange(8)
        elif fault == 1:
            del data[at : at + 1]
        elif fault == 2:
            data[at:at] = data[at : at + chance.randint(1, 8)]
        elif fault == 3:
            data[at:at] = chance.randbytes(chance.randint(1, 4))
        elif fault == 4:
            del data[at:]
    return bytes(data)


def test_hostile_bytes_are_decoded_like_cbor2_or_refused(chance):
    """No other exception than WireError, and nothing is read otherwise than cbor2 reads it."""
    bodies = [bytes.fromhex(record["hex"])[8:] for record in GOLDEN]
    tables = [fields for _, _, request, answer in COMMANDS.values() for fields in (request, answer)]
    taken = 0
    for case in range(CASES):
        data = chance.randbytes(chance.randint(0, 40)) if case % 4 == 0 else mutated(chance, chance.choice(bodies))
        try:
            value = cbor.decode(data)
        except WireError:
            continue
        taken += 1
        assert cbor2.loads(data) == value, data.hex()
        with contextlib.suppress(WireError):
            unpack(chance.choice(tables), value)
    assert CASES // 100 < taken < CASES  # else the mutations are too mild, or too wild


# ---- SMP ----

MESSAGE = st.binary(min_size=8, max_size=ours.MAX_MESSAGE)


def assembled(assembler, data):
    """All whole messages in the lines of `data`; damaged ones are left out."""
    found = []
    for line in data.split(b"\n"):
        try:
            found.append(assembler.add(line))
        except ValueError:
            found.append(None)
    return [message for message in found if message is not None]


@settings(deadline=None)
@given(MESSAGE)
@example(bytes(ours.MAX_MESSAGE))
def test_our_frames_are_those_of_the_smp_package_and_read_by_it(message):
    frame = ours.frame(message)
    lines = frame.splitlines(keepends=True)
    assert all(len(line) <= ours.LINE and line.endswith(b"\n") for line in lines)
    decoder = smp.packet.decode()
    next(decoder)
    with pytest.raises(StopIteration) as end:
        for line in lines:
            decoder.send(line)
    assert end.value.value == message


@settings(deadline=None)
@given(MESSAGE, st.sampled_from([8, 20, 64, 127]))
def test_frames_of_the_smp_package_are_read_by_us(message, line_length):
    assembler = ours.Assembler()
    assert assembled(assembler, b"".join(smp.packet.encode(message, line_length))) == [message]


@given(
    st.sampled_from(list(smp.header.OP)),
    st.sampled_from(list(smp.header.Version)),
    st.integers(64, 65535),
    st.integers(0, 255),
    st.integers(0, 255),
    st.binary(max_size=40),
)
def test_headers_are_those_of_the_smp_package(op, version, group, sequence, command, body):
    theirs = smp.header.Header(op, version, smp.header.Flag(0), len(body), group, sequence, command)
    message = ours.pack(ours.Header(op, group, command, sequence, version), body)
    assert message == theirs.BYTES + body
    header, rest = ours.unpack(message)
    assert rest == body
    assert (header.op, header.version, header.group, header.sequence, header.command) == (
        op,
        version,
        group,
        sequence,
        command,
    )


def test_an_echo_of_the_smp_package_and_our_answer_to_it():
    request = smp.os_management.EchoWriteRequest(d="hello")
    header, body = ours.unpack(request.BYTES)
    assert cbor.decode(body) == {"d": "hello"}
    answer = ours.pack(header.answer(), cbor.encode({"r": "hello"}))
    assert smp.os_management.EchoWriteResponse.loads(answer).r == "hello"


@pytest.mark.parametrize("data", [b"", b"\0" * 7, struct.pack(">BBHHBB", 8, 0, 1, 82, 0, 0), b"\0" * 9])
def test_a_message_that_is_shorter_or_longer_than_it_says_is_refused(data):
    with pytest.raises(ValueError):
        ours.unpack(data)


def test_known_checksums():
    assert ours.crc16(b"") == 0
    assert ours.crc16(b"123456789") == 0x31C3
    assert ours.crc16(b"A") == 0x58E5


@given(st.binary(max_size=300))
def test_checksums_are_those_of_the_smp_package(data):
    assert ours.crc16(data) == smp.packet.crc16_func(data)


LONG = bytes(range(256)) * 3  # nine lines


def test_noise_before_between_and_behind_frames_is_left_out():
    first, second = b"first one", b"another one"
    noise = b"login: \n\xff\x00\x06\n\x04\n\n\x06\x09\n\x04\x14\n\x06\x09!!!!\n\x04\x14AAAA\n"
    data = noise + ours.frame(first) + noise + ours.frame(second) + noise
    assert assembled(ours.Assembler(), data) == [first, second]


def test_a_frame_that_lost_a_line_is_left_out_and_the_next_is_whole():
    lines = list(ours.lines(LONG))
    for lost in range(len(lines)):
        data = b"".join(lines[:lost] + lines[lost + 1 :])
        assert assembled(ours.Assembler(), data + ours.frame(b"the next")) == [b"the next"]


def test_a_doubled_line_is_noticed_and_the_next_frame_is_whole():
    lines = list(ours.lines(LONG))
    for at in range(1, len(lines) - 1):
        data = b"".join(lines[: at + 1] + lines[at:])
        assert assembled(ours.Assembler(), data + ours.frame(b"the next")) == [b"the next"]


def test_a_doubled_first_or_last_line_does_no_harm():
    lines = list(ours.lines(LONG))
    assert assembled(ours.Assembler(), b"".join(lines[:1] + lines)) == [LONG]
    assert assembled(ours.Assembler(), b"".join(lines + lines[-1:]) + ours.frame(b"the next")) == [LONG, b"the next"]


def test_swapped_lines_are_noticed():
    lines = list(ours.lines(LONG))
    lines[2], lines[3] = lines[3], lines[2]
    assert assembled(ours.Assembler(), b"".join(lines)) == []


def test_a_cut_at_any_byte_yields_nothing_and_the_next_frame_is_whole():
    frame = ours.frame(LONG[:200])
    for cut in range(len(frame) - 1):
        assert assembled(ours.Assembler(), frame[:cut] + b"\n" + ours.frame(b"the next")) == [b"the next"]


def test_one_wrong_bit_anywhere_never_makes_another_message():
    message = LONG[:150]
    frame = ours.frame(message)
    for at in range(len(frame)):
        for bit in range(8):
            damaged = bytearray(frame)
            damaged[at] ^= 1 << bit
            found = assembled(ours.Assembler(), bytes(damaged) + b"\n" + ours.frame(b"the next"))
            # a bit that makes a line end of base64's padding, or one more line end, does no harm
            assert found in ([b"the next"], [message, b"the next"]), (at, bit)


def test_a_frame_beyond_the_longest_is_refused_at_its_first_line():
    longest = bytes(ours.MAX_MESSAGE)
    assert assembled(ours.Assembler(), ours.frame(longest)) == [longest]
    assembler = ours.Assembler()
    with pytest.raises(ValueError):
        assembler.add(next(ours.lines(longest + b"\0")).rstrip())
    assert assembler.parts == []


def test_a_frame_shorter_than_a_header_is_refused():
    with pytest.raises(ValueError):
        ours.Assembler().add(ours.frame(bytes(7)).rstrip())


def test_a_frame_that_is_longer_than_it_says_is_refused():
    line = ours.frame(b"12345678")[:-1]
    with pytest.raises(ValueError):
        ours.Assembler().add(line + b"AAAA")


def test_hostile_lines_are_refused_with_value_error_alone(chance):
    """Whatever comes, no exception but ValueError, bounded memory, and a whole frame is read afterwards."""
    assembler = ours.Assembler()
    frames = [ours.frame(bytes.fromhex(record["hex"])) for record in GOLDEN]
    for case in range(CASES // 4):
        damaged = mutated(chance, chance.choice(frames)) if case % 4 else chance.randbytes(chance.randint(0, 200))
        assembled(assembler, damaged)
        assert sum(map(len, assembler.parts)) <= ours.MAX_MESSAGE + 2
        if case % 100 == 0:
            assert assembled(assembler, b"\n" + ours.frame(b"the next")) == [b"the next"]


# ---- card numbers ----

# The numbers that card schemes and acquirers publish for tests.
CARDS = [
    "4111111111111111",
    "4012888888881881",
    "4222222222222",
    "5555555555554444",
    "2223003122003222",
    "378282246310005",
    "6011111111111117",
    "30569309025904",
    "3530111333300000",
    "6759649826438453",
    "6212345678901232",
    "6304000000000000000",
]


def luhn_digit(digits):
    """The digit that makes `digits` a card number, by the rule as ISO/IEC 7812-1 words it."""
    total = sum(sum(map(int, str(int(digit) * (2 - at % 2)))) for at, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def test_published_test_cards_are_seen_however_they_are_written():
    for card in CARDS:
        assert luhn_digit(card[:-1]) == card[-1], card
        fours = [card[at : at + 4] for at in range(0, len(card), 4)]
        if len(card) in (14, 15):  # as Diners and American Express print them
            fours = [card[:4], card[4:10], card[10:]]
        for text in (
            card,
            " ".join(fours),
            "-".join(fours),
            " - ".join(fours),
            "card " + " ".join(fours),
            f"card {card}.",
            f"x{card}y",
            f"231 {card}",
            f"{card} 12/27",
            "\n" + card,
        ):
            assert looks_like_pan(text), text


def test_every_length_from_13_to_19_is_seen_and_no_other(chance):
    for length in range(8, 26):
        for _ in range(50):
            digits = "".join(chance.choices(string.digits, k=length - 1))
            card = digits + luhn_digit(digits)
            wrong = digits + str((int(card[-1]) + 1) % 10)
            assert looks_like_pan(card) == (13 <= length <= 19), card
            assert not looks_like_pan(wrong), wrong


@pytest.mark.parametrize(
    "text",
    [
        "",
        "EUR",
        "12.34",
        "999999999999",  # the largest amount in cents
        "9999999999.99",
        "9999",
        "20261122",
        "2026-11-22",
        "2026-11-22 23:59:59",
        "2026-11-22T23:59:59Z",
        "receipt 231 amount 1234",
        "***************1111",
        "4111 11** **** 1111",
        "till-7/0042",
        "4111111111111112",  # the last digit is wrong
        "Änne Müller",
        "４１１１",
    ],
)
def test_what_belongs_into_a_request_is_no_card(text):
    assert not looks_like_pan(text)


def test_numbers_within_their_bounds_are_never_taken_for_cards(chance):
    """An amount, a receipt, an uptime may have any digits: the table's bound says that it is no card."""
    for card in map(int, CARDS):
        if card <= 2**48:
            assert unpack(EVENTS_ANSWER, {0: [], 1: 0, 2: 0, 3: 0, 4: card})["uptime_ms"] == card
    for _ in range(2000):
        amount = chance.randint(1, 999999999999)
        assert unpack(REFUND_REQUEST, {1: 231, 2: amount, 3: "EUR"})["amount"] == amount


def test_random_uuids_are_not_taken_for_cards(chance, record_count):
    """A till that makes its keys at random must not have them refused."""
    keys = [str(uuid.UUID(int=chance.getrandbits(128), version=4)) for _ in range(20_000)]
    taken = sum(map(looks_like_pan, keys))
    record_count("random UUIDs of 20,000 that look like a card number", taken)
    assert taken == 0


def test_the_search_takes_bounded_time_for_the_longest_text():
    begin = time.perf_counter()
    looks_like_pan("3 " * (ours.MAX_MESSAGE // 2))
    assert time.perf_counter() - begin < 1
