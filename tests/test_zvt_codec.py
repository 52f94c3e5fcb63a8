"""The ZVT codec against the papers: golden and captured messages, every layout both ways, and no bytes that harm."""

import hashlib
import hmac
import json
import os
import random
from binascii import crc_hqx
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hal.terminals.zvt import apdu, frame, messages
from hal.terminals.zvt.apdu import ApduError
from hal.terminals.zvt.compose import pack_tlv
from hal.terminals.zvt.messages import Message, Struck, read, readings, write

GOLDEN = Path(__file__).parent / "golden"
CONVERSATIONS = json.loads((GOLDEN / "zvt.json").read_text())["conversations"]
RECORDS = [(name, record) for name, records in CONVERSATIONS.items() for record in records]
CAPTURED = json.loads((GOLDEN / "zvt_captured.json").read_text())["records"]
MUTATIONS = 1_000_000 if os.environ.get("DEEP") else 60_000
PAN = "4111111111111111"


def plain(value):
    """A value of a Message as the golden records have it."""
    if isinstance(value, bytes):
        return {"hex": value.hex().upper()}
    if isinstance(value, Struck):
        return {"struck": value.size}
    if isinstance(value, list):
        return [[f"{tag:02X}", plain(item)] for tag, item in value]
    return value


def answers(record):
    return int(record["answers"], 16) if "answers" in record else None


def written(message):
    """The APDU; None where card data were left out as it was read."""
    try:
        return write(message)
    except ApduError as error:
        assert "struck out" in str(error)
        return None


# ---- golden and captured records ----


def test_the_golden_records_are_read_and_written_byte_for_byte(record_count):
    for name, record in RECORDS:
        data = bytes.fromhex(record["apdu"])
        message = read(data, answers(record))
        assert message.name == record["name"], name
        assert [[field, plain(value)] for field, value in message.fields] == record["values"], name
        assert (written(message) == data) is not record.get("struck", False), name
    record_count("golden ZVT messages read and written byte for byte", len(RECORDS))


def test_the_golden_records_are_on_the_line_as_the_paper_frames_them():
    for name, record in RECORDS:
        data, framed = bytes.fromhex(record["apdu"]), bytes.fromhex(record["frame"])
        assert frame.pack(data) == framed, name
        assert frame.Receiver().feed(framed) == [data], name
    known = "1002060F0BF0F0F7322E31342E3135001003B111"
    assert known in [record["frame"] for _, record in RECORDS]


def test_the_golden_records_have_every_kind_of_conversation():
    assert {
        *(
            "sale",
            "refund",
            "reversal",
            "end of day",
            "status enquiry",
            "print block",
            "abort by key",
            "timeout",
            "silence",
        ),
        *("registration", "diagnosis", "repeat receipt"),
    } <= set(CONVERSATIONS)
    sizes = [len(bytes.fromhex(record["apdu"])) for record in CONVERSATIONS["print block"]]
    assert max(sizes) > 5 + 254
    # 254 bytes of data have a length of one byte, 255 of three
    whole, longer = (
        record["apdu"] for record in CONVERSATIONS["print block of 254 bytes"] if record["name"] == "print_block"
    )
    assert whole[4:6] == "FE" and longer[4:10] == "FFFF00"


def test_what_deployed_terminals_and_tills_sent_is_read_as_they_meant_it(record_count):
    for record in CAPTURED:
        if "frame" in record:
            (data,) = frame.Receiver().feed(bytes.fromhex(record["frame"]))
            assert frame.pack(data) == bytes.fromhex(record["frame"])
        else:
            data = bytes.fromhex(record["apdu"])
        message = read(data)
        found = {name: plain(value) for name, value in message.fields}
        assert {name: found.get(name) for name in record["says"]} == record["says"]
        assert record.get("struck") or write(message) == data
    record_count("captured ZVT messages of other projects read", len(CAPTURED))


# ---- every layout, by chance ----

DIGITS = {1: 10, 2: 10**4, 3: 10**6, 4: 10**8, 6: 10**12}
TLV = st.recursive(
    st.tuples(st.sampled_from((0x07, 0x1F16, 0x1F17, 0x1F55, 0x1F8001, 0x45)), st.binary(max_size=300)),
    lambda inner: st.tuples(st.sampled_from((0x24, 0x25, 0x60, 0xE4, 0xFF01)), st.lists(inner, max_size=3)),
    max_leaves=5,
)


def values(name, length, kind):
    if kind == "n":
        return st.integers(0, DIGITS[length] - 1)
    if kind == "t" and length > 0:
        return st.text(st.characters(max_codepoint=255), min_size=length, max_size=length)
    if kind == "t":
        return st.text(st.characters(max_codepoint=255), max_size=99)
    if kind == "p":
        return st.tuples(st.integers(6, 15), st.text("0123456789", max_size=4)).map(
            lambda card: "*" * card[0] + card[1]
        )
    if length == 0:
        return st.lists(TLV, max_size=3)
    if length < 0:
        return st.binary(max_size=999)
    return st.integers(0, 255) if length == 1 else st.binary(min_size=length, max_size=length)


WRITABLE = {name: row for name, row in messages._NUMBERS.items() if row[2] != "x"}
BITMAPS = st.lists(
    st.sampled_from(sorted(WRITABLE)).flatmap(
        lambda name: values(name, *WRITABLE[name][1:]).map(lambda value: (name, value))
    ),
    max_size=6,
)


def begun(parts):
    return st.tuples(*(values(*part).map(lambda value, name=part[0]: (name, value)) for part in parts)).map(list)


@st.composite
def whole_messages(draw):
    command = draw(st.sampled_from([*messages.COMMANDS, 0x8483, 0x849C]))
    _, must, may = messages._layout(command)
    if must is None:
        data = draw(st.binary(max_size=300))
        return Message(command, [("data", data)] if data else []), None
    if command == messages.PRINT_LINE:
        fields = [("attribute", draw(st.integers(0, 255))), ("line", draw(st.text("Aü 0*", max_size=300)))]
        return Message(command, fields + draw(st.sampled_from(([], [("tlv", [(0x1F07, b"\1")])])))), None
    if command == messages.COMPLETION and draw(st.booleans()):
        version = draw(st.sampled_from(([], [("version", "2.14.15")], [("version", "v" * 200)])))
        return Message(command, [*version, ("status", draw(st.integers(0, 255))), *draw(TLV_ALONE)]), 0x0501
    fields = draw(begun(must))
    if may and draw(st.booleans()):
        fields += draw(begun(may))
        if command == messages.ABORT and fields[-1][1] == 0x6F and draw(st.booleans()):
            fields += draw(begun((messages._CURRENCY,)))
    return Message(command, fields + draw(BITMAPS)), 0x0600


TLV_ALONE = st.lists(TLV, max_size=2).map(lambda items: [("tlv", items)])


@settings(max_examples=1500, deadline=None)
@given(whole_messages())
def test_what_is_written_is_read_and_written_the_same(pair):
    message, ended = pair
    data = write(message)
    again = read(data, ended)
    # without what may be left out in front, the bytes may be read another way; they are the same bytes
    assert write(again) == data
    if message.fields and message.name not in (
        "diagnosis",
        "status_enquiry",
        "registration",
        "abort",
        "intermediate_status",
    ):
        assert [name for name, _ in again.fields] == [name for name, _ in message.fields]
        assert again.fields == message.fields


def test_every_bitmap_has_a_number_and_goes_both_ways(record_count):
    chance = random.Random(5)
    for name, (number, length, kind) in WRITABLE.items():
        value = {"n": 1, "t": "x" * max(length, 3), "p": "************1111", "b": b"b" * (length if length > 1 else 3)}[
            kind
        ]
        if length in (0, 1) and kind == "b":
            value = [(0x1F17, b"why")] if length == 0 else chance.randrange(256)
        data = write(Message(0x040F, [(name, value)]))
        assert data[3] == number and read(data).fields == [(name, value)]
    facts = "04 06 0B 0C 0D 0E 17 19 22 27 29 2A 37 3B 3C 3D 49 60 87 88 8A 8B 8C A0 AA BA 03 01 02 05"
    assert {int(number, 16) for number in facts.split()} <= {row[0] for row in WRITABLE.values()}
    record_count("ZVT bitmaps both ways", len(WRITABLE))


def test_a_completion_is_read_by_the_command_it_ends():
    data = bytes.fromhex("060F022700")
    assert read(data, 0x0631).fields == [("result_code", 0)]
    with pytest.raises(ApduError):
        read(data, 0x0501)
    status = bytes.fromhex("060F0100")
    assert read(status, 0x0501).fields == read(status).fields == [("status", 0)]
    with pytest.raises(ApduError):
        read(status, 0x0600)


def test_of_a_lone_completion_both_readings_are_given_where_there_are_two():
    data = bytes.fromhex("060F0427490304")
    assert [message.fields for message in readings(data)] == [
        [("result_code", 0x49), ("service_byte", 4)],
        [("status", 0x27), ("currency", 304)],
    ]
    assert {write(message) for message in readings(data)} == {data}
    assert len(readings(data, 0x0501)) == len(readings(data, 0x0600)) == 1


def test_lengths_in_their_long_form_are_read_and_written_short():
    assert read(bytes.fromhex("061EFF01006C")).fields == [("code", 0x6C)]
    assert write(read(bytes.fromhex("061EFF01006C"))) == bytes.fromhex("061E016C")
    message = read(bytes.fromhex("04FF0B 1710 068106 248103 070141"))
    assert message.get("tlv") == [(0x24, [(0x07, b"A")])]
    assert write(message) == bytes.fromhex("04FF09 1710 0605 2403 070141")


# ---- what does not follow the paper ----


@pytest.mark.parametrize(
    "data, offset, says",
    [
        ("06 31 05 00 00 00 FE 00", 6, "bitmap FE is unknown"),
        ("04 0F 07 27 00 04 00 00 00 00", 5, "bitmap 04 is cut"),
        ("04 0F 05 27 00 49 0A 78", 6, "no BCD number"),
        ("04 0F 04 22 F1 01 11", 5, "F-nibble"),
        ("06 31 09 00 00 00", 2, "a length of 9"),
        ("06 31 01 00 00 00", 2, "a length of 1"),
        ("06 31 FF 03", 4, "cut"),
        ("06", 1, "cut"),
        ("06 31 02 00 00", 3, "password is missing"),
        ("06 00 03 00 00 00", 6, "config is missing"),
        ("04 FF 00", 3, "step is missing"),
        ("06 D3 07 06 05 25 03 07 05 41", 7, "tag 7 is cut"),
        ("06 D3 05 06 03 1F 81 81", 5, "tag is cut"),
        ("06 D3 03 06 81 05", 3, "bitmap 06 is cut"),
        ("06 0F 05 F0 F0 F9 32 2E", 8, "no status byte"),
    ],
)
def test_an_error_names_its_offset_in_the_message(data, offset, says):
    with pytest.raises(ApduError) as refused:
        read(bytes.fromhex(data), 0x0501 if data.startswith("06 0F") else None)
    assert says in str(refused.value) and (f"offset {offset}:" in str(refused.value)), refused.value


def test_containers_without_end_are_refused_and_nested_ones_of_the_paper_are_not():
    deep = b""
    for depth in range(1, 30):
        deep = pack_tlv([(0x60, deep)])
        packed = apdu.pack(0x040F, b"\x06" + bytes((len(deep),)) + deep)
        if depth <= 9:
            assert read(packed)
        else:
            with pytest.raises(ApduError, match="too deep"):
                read(packed)
    with pytest.raises(ApduError):
        apdu.unpack_tlv(b"".join(b"\x60\x82" + (60000 - 4 * n).to_bytes(2, "big") for n in range(1, 15000)))


@pytest.mark.parametrize(
    "message",
    [
        Message(0x0631, [("amount", 1)]),
        Message(0x0631, [("password", 0), ("amount", -1)]),
        Message(0x0631, [("password", 0), ("amount", 10**12)]),
        Message(0x0631, [("password", 0), ("amount", "12.34")]),
        Message(0x0631, [("password", 10**6)]),
        Message(0x0631, [("password", 0), ("nonsense", 1)]),
        Message(0x040F, [("text", "€")]),
        Message(0x040F, [("text", "x" * 1000)]),
        Message(0x040F, [("service_byte", 256)]),
        Message(0x040F, [("card", "4111x")]),
        Message(0x040F, [("aid_parameter", b"1234")]),
        Message(0x040F, [("tlv", [(0x07, 5)])]),
        Message(0x040F, [("tlv", [(0x07, b"x" * 70000)])]),
        Message(0x040F, [("track_2", Struck(19))]),
        Message(0x040F, [("tlv", [(0x60, [(0x5A, Struck(8))])])]),
        Message(0x060F, [("version", "1")]),
        Message(0x06D1, [("attribute", 0)]),
        Message(0x061E, [("code", 5), ("currency_code", 978)]),
        Message(0x0F10, [("data", "text")]),
    ],
)
def test_what_cannot_be_written_is_an_error_with_words(message):
    with pytest.raises(ApduError):
        write(message)


# ---- card numbers ----


def test_a_card_number_in_clear_is_a_keyed_token_and_four_digits():
    card = bytes.fromhex("22F0F8" + PAN)
    key = b"k" * 16
    for secret in (key, b"x" * 100):
        token = hmac.new(secret, PAN.encode(), hashlib.sha256).digest()[:8]
        assert apdu.unpack_bitmaps(card, 0, secret) == {"last_four": "1111", "card_token": token}
    assert apdu.unpack_bitmaps(card) == {"last_four": "1111"}
    masked = bytes.fromhex("22F0F8411111EEEEEE1111")
    assert apdu.unpack_bitmaps(masked, 0, key) == {"last_four": "1111"}
    odd = bytes.fromhex("22F1F0" + "6011000990139424123F")
    assert (
        apdu.unpack_bitmaps(odd, 0, key)["card_token"]
        == (hmac.new(key, b"6011000990139424123", hashlib.sha256).digest()[:8])
    )
    with_track = bytes.fromhex("22F1F1" + PAN + "D27122")
    assert apdu.unpack_bitmaps(with_track, 0, key) == apdu.unpack_bitmaps(card, 0, key)


@pytest.mark.parametrize(
    "data",
    [
        "22F0F8" + PAN,
        "22F0F8411111E111111111",  # one digit masked is found again by its check digit
        "23F1F9" + PAN + "D271220100000000000000",
        "24F0F1F6" + PAN.encode().hex(),
        "2DF1F6" + PAN.encode().hex(),
        "060C1F0909" + PAN + "D2",
        "060B1F0A08" + PAN,
        "060A5A08" + PAN,
        "060C600A5A08" + PAN,
        "060B1F1A08" + PAN,
        "AFF0F1F6" + PAN.encode().hex(),
    ],
)
def test_no_value_of_a_message_holds_a_card_number(data):
    message = read(apdu.pack(0x040F, bytes.fromhex(data)))
    told = repr(message)
    assert PAN not in told and PAN.encode().hex() not in told and "411111111" not in told
    assert repr(bytes.fromhex(PAN))[2:-1] not in told


def test_a_number_masked_as_the_paper_masks_it_stays_as_it_came():
    for card in ("F0F8EEEEEEEEEEEE4711", "F0F8411111EEEEEE1111", "F1F0EEEEEEEEEEEEEEE4711F"):
        data = apdu.pack(0x040F, bytes.fromhex("22" + card))
        assert write(read(data)) == data


# ---- frames ----


class Slow:
    """The receiver as the paper tells it, byte for byte: what the fast one must be equal to."""

    def __init__(self, longest):
        self.longest, self.state, self.apdu, self.crc = longest, "idle", b"", b""

    def feed(self, data):
        tokens = []
        for value in data:
            tokens += self.take(value)
        return tokens

    def take(self, value):
        state = self.state
        if state == "idle":
            if value == 0x10:
                self.state = "idle10"
            return [value] if value in (frame.ACK, frame.NAK) else []
        if state in ("idle10", "skip10"):
            if value == 0x02:
                self.state, self.apdu = "in", b""
            elif value != 0x10:
                self.state = state[:-2]
        elif state == "skip":
            if value == 0x10:
                self.state = "skip10"
        elif state == "in":
            if value == 0x10:
                self.state = "in10"
            else:
                return self.add(value)
        elif state == "in10":
            if value == 0x10:
                self.state = "in"
                return self.add(value)
            if value == 0x02:
                self.state, self.apdu = "in", b""
            elif value == 0x03:
                self.state, self.crc = "crc", b""
            else:
                self.state = "skip"
                return [None]
        elif state == "crc":
            self.crc += bytes((value,))
            if len(self.crc) == 2:
                self.state = "idle"
                return [self.apdu if self.crc == kermit(self.apdu + b"\x03") else None]
        return []

    def add(self, value):
        if len(self.apdu) == self.longest:
            self.state = "skip"
            return [None]
        self.apdu += bytes((value,))
        return []


TURNED = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))


def kermit(data):
    """CRC-16/KERMIT as the standard library's CRC of turned bits, turned; low byte first."""
    crc = int(f"{crc_hqx(data.translate(TURNED), 0):016b}"[::-1], 2)
    return crc.to_bytes(2, "little")


PIECES = st.lists(
    st.one_of(
        st.binary(max_size=12),
        st.lists(st.sampled_from((b"\x10", b"\x02", b"\x03", b"\x06", b"\x15", b"A")), max_size=12).map(b"".join),
        st.lists(st.sampled_from((b"\x10", b"\x02", b"\x06", b"AB")), max_size=24).map(b"".join).map(frame.pack),
    ),
    max_size=12,
)


@settings(max_examples=2000, deadline=None)
@given(PIECES, st.sampled_from((4, 9, 1024)), st.lists(st.integers(1, 7), min_size=1, max_size=4))
def test_the_receiver_is_equal_to_the_paper_for_any_bytes_in_any_cut(pieces, longest, cuts):
    data = b"".join(pieces)
    whole, slow, cut = frame.Receiver(longest), Slow(longest), frame.Receiver(longest)
    expected = slow.feed(data)
    assert whole.feed(data) == expected and whole.inside == (slow.state != "idle")
    tokens, at = [], 0
    while at < len(data):
        size = cuts[at % len(cuts)]
        tokens += cut.feed(data[at : at + size])
        assert len(cut.apdu) <= longest
        at += size
    assert tokens == expected and cut.inside == whole.inside and cut.reset() == whole.reset()


def test_the_checksum_is_that_of_the_standard_library_turned_around():
    chance = random.Random(7)
    for size in (0, 1, 2, 3, 254, 255, 700):
        data = chance.randbytes(size)
        assert frame.crc16(data).to_bytes(2, "little") == kermit(data)


# ---- mutations ----


def mutated(chance, data):
    """`data` with one to four things done to it."""
    data = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        at = chance.randrange(len(data) + 1)
        what = chance.randrange(6)
        if what == 0 and data:
            data[at % len(data)] ^= 1 << chance.randrange(8)
        elif what == 1 and data:
            data[at % len(data)] = chance.choice(
                (0x00, 0x02, 0x03, 0x06, 0x10, 0x1F, 0x7F, 0x80, 0x81, 0x82, 0xF0, 0xFF)
            )
        elif what == 2:
            del data[at : at + chance.randrange(1, 4)]
        elif what == 3:
            data[at:at] = chance.randbytes(chance.randrange(1, 4))
        elif what == 4:
            del data[at:]
        else:
            data[at:at] = data[chance.randrange(len(data) + 1) :][:8]
    return bytes(data)


def test_no_mutation_of_a_message_or_frame_is_more_than_an_apdu_error(record_count):
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)
    originals = [(bytes.fromhex(record["apdu"]), bytes.fromhex(record["frame"])) for _, record in RECORDS]
    receiver = frame.Receiver()
    read_, refused = 0, 0
    for number in range(MUTATIONS):
        bare, framed = chance.choice(originals)
        if number & 1:
            data = mutated(chance, bare)
            tokens = [data]
        else:
            receiver.reset()
            tokens = receiver.feed(mutated(chance, framed))
        for token in tokens:
            if not isinstance(token, bytes):
                continue
            for ended in (None, 0x0501, 0x0631)[: 3 if token[:2] == b"\x06\x0f" else 1]:
                try:
                    found = read(token, ended)
                    read_ += 1
                except ApduError as error:
                    assert str(error).startswith("offset "), (seed, token.hex())
                    refused += 1
                    continue
                again = written(found)
                if again is None:
                    continue
                if len(again) == len(token) and "*" not in repr(found):
                    assert again == token, (seed, token.hex())
                assert write(read(again, ended)) == again, (seed, token.hex())
            for function in (apdu.unpack_bitmaps, apdu.unpack_tlv, apdu.unpack_status):
                try:
                    function(token[3:])
                except ApduError:
                    pass
    assert read_ > MUTATIONS // 8 and refused > MUTATIONS // 8
    record_count("mutated ZVT messages and frames: errors that are none of the codec's", f"0 of {MUTATIONS:,}")


@settings(max_examples=1500, deadline=None)
@given(st.sampled_from([*messages.COMMANDS, 0x8483]), st.binary(max_size=300))
def test_any_data_behind_any_command_are_read_or_refused(command, data):
    for ended in (None, 0x0501, 0x0600):
        try:
            message = read(apdu.pack(command, data), ended)
        except ApduError as error:
            assert str(error).startswith("offset ")
            continue
        assert len(written(message) or b"") <= len(data) + 5
