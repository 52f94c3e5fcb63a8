"""refundctl decode zvt: what was captured is told in words, no card number is, and damage costs its own message alone."""

import io
import json
import random
import re
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from hal.sim.zvt_terminal.log import describe
from hal.terminals.zvt import apdu, codes, frame, messages
from hal.terminals.zvt.messages import Message, write
from host_tools import refundctl, zvt_documents, zvt_hide, zvt_input, zvt_stream
from host_tools.texts import LANGUAGES, Texts

from .test_zvt_codec import CAPTURED, CONVERSATIONS, RECORDS, mutated

FRAMES = [bytes.fromhex(record["frame"]) for _, record in RECORDS]
APDUS = [bytes.fromhex(record["apdu"]) for _, record in RECORDS]
KNOWN = "1002060F0BF0F0F7322E31342E3135001003B111"
REFUND = "06 31 0D 00 00 00 04 00 00 00 00 12 34 49 09 78"
PAN = "4111111111111111"


@pytest.fixture
def decode(capsys):
    def run(*words, lang="en"):
        status = refundctl.run(["--lang", lang, "decode", "zvt", *map(str, words)], {})
        out, err = capsys.readouterr()
        return status, out, err

    return run


@pytest.fixture
def document(capsys):
    def run(*words, lang="en"):
        status = refundctl.run(["--lang", lang, "--json", "decode", "zvt", *map(str, words)], {})
        out, err = capsys.readouterr()
        assert err == "" and out.count("\n") == 1
        return status, json.loads(out)

    return run


def told(data, lang="en"):
    return zvt_documents.decoded(Texts(lang), [zvt_input.Source(None, data)])


def fields(entry):
    return {field["field"]: field.get("text", field.get("items")) for field in entry["fields"]}


# ---- what is told ----


def test_a_refund_is_told_field_by_field(document):
    status, answer = document(REFUND)
    (entry,) = answer["messages"]
    assert status == 0 and entry["command"] == "06 31" and entry["key"] == "refund" and entry["from"] == "till"
    assert fields(entry) == {"password": "not shown", "amount": "12.34 EUR", "currency": "978 EUR"}
    assert entry["fields"][1]["value"] == 1234 and entry["error"] is None


def test_the_screen_says_the_same_in_both_languages(decode):
    status, out, err = decode(KNOWN)
    assert status == 0 and "completion" in out and "2.14.15" in out and err == ""
    status, out, err = decode(REFUND, lang="zh")
    assert status == 0 and "退款" in out and "12.34 EUR" in out and "不显示" in out


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_conversation_is_told_whole_framed_and_bare(lang, record_count):
    for form in ("frame", "apdu"):
        for name, records in CONVERSATIONS.items():
            answer = told(b"".join(bytes.fromhex(record[form]) for record in records), lang)
            assert answer["damaged"] == 0, (name, answer["text"])
            assert [entry["key"] for entry in answer["messages"]] == [record["name"] for record in records], name
            assert all(entry["framed"] is (form == "frame") and entry["or"] is None for entry in answer["messages"])
    record_count("ZVT messages told in words", 2 * len(RECORDS))


def test_what_deployed_terminals_sent_is_told():
    for record in CAPTURED:
        data = bytes.fromhex(record.get("frame") or record["apdu"])
        assert told(data)["damaged"] == 0, record
    rejected = told(bytes.fromhex(CAPTURED[4]["apdu"]))["messages"][0]
    assert fields(rejected)["result_code"].startswith("05 the host's answer -> cause 41")
    receipt = told(bytes.fromhex(CAPTURED[13]["apdu"]))["messages"][0]
    lines = [item["text"] for item in receipt["fields"][0]["items"][1]["items"]]
    assert "     für PORTALUM GmbH" in lines and lines[-1] == "81 last line"
    latin = told(bytes.fromhex(CAPTURED[7]["apdu"]))["messages"][0]
    assert fields(latin)["line"] == "** HÄNDLERBELEG **"


def test_an_end_of_day_has_its_totals_by_cards():
    (entry,) = [each for each in told(b"".join(APDUS))["messages"] if each["key"] == "status_information" and any(
        field["field"] == "totals" for field in each["fields"])]  # fmt: skip
    totals = next(field for field in entry["fields"] if field["field"] == "totals")
    assert totals["text"].splitlines() == [
        "receipts 0231 to 0234",
        "girocard: 2 x, 24.68 EUR",
        "Eurocard: 1 x, 10.00 EUR",
        "others: 1 x, 9.99 EUR",
    ]
    assert totals["value"]["groups"][0] == {"cards": "girocard", "count": 2, "amount": 2468}


def test_every_code_of_the_tables_has_its_words_and_its_cause():
    for lang in LANGUAGES:
        texts = Texts(lang)
        for code in range(1, 256):
            (entry,) = told(bytes((0x06, 0x1E, 1, code)), lang)["messages"]
            cause = codes.cause(code)
            about = texts.cause(cause or 1)
            assert fields(entry)["code"].endswith(
                texts("zvt_code", "cause", words="", cause=cause or 1, name=about.name)
            )
            assert fields(entry)["code"].startswith(f"{code:02X} ")
            if cause and code > 0x63:
                assert texts.has("zvt_code", f"{code:02X}"), f"{code:02X}"
            (refused,) = told(bytes((0x84, code, 0)), lang)["messages"]
            assert f"{code:02X} " in refused["name"]


def test_every_lock_and_state_of_a_terminal_is_named():
    texts = Texts("en")
    for bit, name in enumerate(texts("zvt_list", "locks")):
        data = write(Message(0x060F, [("status", 0), ("tlv", [(0x1F55, (1 << bit).to_bytes(2, "little"))])]))
        (entry,) = told(bytes.fromhex("050100") + data)["messages"][1:]
        assert fields(entry)["tlv"][0]["text"] == name
    for state in range(5):
        data = write(Message(0x060F, [("status", 0), ("tlv", [(0xE4, [(0x1F43, bytes((state,)))])])]))
        text = told(bytes.fromhex("050100") + data)["messages"][1]["fields"][1]["items"][0]["items"][0]["text"]
        assert text == (*texts("zvt_list", "states"), "04")[state]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_command_field_and_step_has_its_name(lang):
    texts = Texts(lang)
    names = {row[0] for row in messages.COMMANDS.values()} | {"refused", "unknown"}
    assert names == set(texts.table("zvt_command"))
    teller = zvt_documents._Teller(texts)
    for name in [
        *messages._NUMBERS,
        *(part[0] for row in messages.COMMANDS.values() for part in (row[1] or ()) + row[2]),
    ]:
        assert teller._label(name)
    for code in range(256):
        step = fields(told(bytes((4, 0xFF, 1, code)), lang)["messages"][0])["step"]
        assert step.startswith(f"{code:02X} ") and len(step) > 3


# ---- how it may be given ----


@pytest.mark.parametrize(
    "words",
    [
        [KNOWN],
        [KNOWN.lower()],
        [" ".join(re.findall("..", KNOWN))],
        re.findall("..", KNOWN),
        [":".join(re.findall("..", KNOWN))],
        ["-".join(re.findall("..", KNOWN))],
        [", ".join("0x" + byte for byte in re.findall("..", KNOWN))],
        ["{" + ",".join("0x" + byte.lstrip("0").rjust(1, "0") for byte in re.findall("..", KNOWN)) + "}"],
        ["0x" + KNOWN],
        ["".join("\\x" + byte for byte in re.findall("..", KNOWN))],
        ["\n".join(re.findall(".{8}", KNOWN))],
        ["06" + KNOWN + "15"],
        ["060F0BF0F0F7322E31342E313500"],
    ],
)
def test_hexadecimal_digits_are_taken_as_people_write_them(document, words):
    status, answer = document(*words)
    (entry,) = answer["messages"]
    assert status == 0 and fields(entry) == {"version": "2.14.15", "status": "00 no error"}
    assert entry["answered"] == ("NAK" if words[0].endswith("15") and words[0] != KNOWN else None)


def hexdump(data):
    rows = [data[at : at + 16] for at in range(0, len(data), 16)]
    text = "".join(
        f"{16 * n:08x}  {row[:8].hex(' '):23}  {row[8:].hex(' '):23}  |{'.' * len(row)}|\n"
        for n, row in enumerate(rows)
    )
    return text + f"{len(data):08x}\n"


CONVERSATION = [bytes.fromhex(record["frame"]) for record in CONVERSATIONS["sale"]]
BARE = [bytes.fromhex(record["apdu"]) for record in CONVERSATIONS["sale"]]


@pytest.mark.parametrize(
    "data",
    [
        b"".join(CONVERSATION),
        b"\x06".join(CONVERSATION) + b"\x06",
        b"".join(BARE),
        b"".join(BARE).hex().encode(),
        b"".join(BARE).hex("\n").encode(),
        "".join(each.hex(" ") + "\r\n" for each in BARE).encode(),
        "".join(each.hex("-").upper() + "\n" for each in CONVERSATION).encode(),
        "".join(
            f"2026-11-22 14:10:58,123 {'<-' if n % 2 else '->'} {each.hex(' ')}\n" for n, each in enumerate(BARE)
        ).encode(),
        "".join(f"[14:10:58.1] PT -> ECR: {each.hex(' ').upper()}\n" for each in CONVERSATION).encode(),
        "".join(f"1700000000.25 RX {each.hex(':')} ok\n\n" for each in CONVERSATION).encode(),
        b"\xef\xbb\xbf# a sale\n" + "".join(f"sent {each.hex()}\n" for each in BARE).encode(),
        hexdump(b"".join(CONVERSATION)).encode(),
    ],
)
def test_files_are_captures_hexadecimal_text_or_logs(document, tmp_path, data):
    file = tmp_path / f"sale-{PAN}.log"
    file.write_bytes(data)
    status, answer = document(file)
    assert status == 0, answer["text"]
    assert [entry["key"] for entry in answer["messages"]] == [record["name"] for record in CONVERSATIONS["sale"]]


def test_the_log_of_the_simulated_terminal_is_read_and_what_it_struck_out_is_said(document, tmp_path):
    lines = [f"<- {describe(each)}" for each in BARE] + ["-- power cut"]
    (tmp_path / "log").write_text("\n".join(lines))
    status, answer = document(tmp_path / "log")
    errors = [entry for entry in answer["messages"] if entry["error"]]
    assert status == 1 and len(answer["messages"]) == len(BARE) and len(errors) == 1
    assert "struck out" in errors[0]["error"]["text"] and f"line {errors[0]['line']}" in errors[0]["error"]["text"]
    assert ".." in lines[errors[0]["line"] - 1]


def test_standard_input_is_read(document, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(bytes.fromhex(KNOWN))))
    assert document("-")[0] == 0


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        ([], 2, "decode zvt --help"),
        (["nonsense"], 2, "neither hexadecimal"),
        (["/nowhere/file"], 2, "neither hexadecimal"),
        (["060F0"], 2, "odd number"),
        ([""], 2, "neither hexadecimal"),
        (["x" * 5000], 2, "neither hexadecimal"),
        ([PAN], 2, "card number"),
        (["4111 1111 1111 1111"], 2, "card number"),
        (["4111", "1111", "1111", "1111"], 2, "card number"),
        (["0620050000000303", "--nope"], 2, "no such option"),
    ],
)
def test_wrong_usage_is_one_line(decode, words, status, says):
    for lang in LANGUAGES:
        done, out, err = decode(*words, lang=lang)
        assert (done, out, err.count("\n")) == (status, "", 1) and (lang == "zh" or says in err) and "4111" not in err


def test_decode_without_what_is_one_line(capsys):
    for words in (["decode"], ["decode", "zwt"]):
        assert refundctl.run(words, {}) == 2
        out, err = capsys.readouterr()
        assert out == "" and "zvt" in err and err.count("\n") == 1


def test_a_file_without_zvt_in_it_is_one_line(decode, tmp_path):
    for data in (b"", b"\n\n", b"nothing here\nfacade\n"):
        (tmp_path / "file").write_bytes(data)
        status, out, err = decode(tmp_path / "file")
        assert (status, out, err.count("\n")) == (1, "", 1) and "no ZVT bytes" in err
    assert decode(tmp_path)[0] == 1
    (tmp_path / "file").write_bytes(b"\0" * (zvt_input.LONGEST + 1))
    assert "too long" in decode(tmp_path / "file")[2]


# ---- a completion by itself ----


def test_a_completion_is_told_by_the_command_before_it_or_in_both_ways():
    lone = bytes.fromhex("060F0427490304")
    (entry,) = told(lone)["messages"]
    assert [field["field"] for field in entry["fields"]] == ["result_code", "service_byte"]
    assert [field["field"] for field in entry["or"]] == ["status", "currency"]
    after = told(bytes.fromhex("050100 800000") + lone)["messages"][-1]
    assert [field["field"] for field in after["fields"]] == ["status", "currency"] and after["or"] is None
    after = told(bytes.fromhex("067000 800000") + lone)["messages"][-1]
    assert [field["field"] for field in after["fields"]] == ["result_code", "service_byte"] and after["or"] is None


def test_both_ways_are_on_the_screen(decode):
    _, out, _ = decode("060F0427490304")
    assert re.search(r"either\n +result[^|]+\n +or\n +status", out)


# ---- damage ----


def test_damage_is_one_line_with_its_offset_and_the_next_frame_is_read(decode):
    broken = bytearray(FRAMES[2])
    broken[8] ^= 1
    data = FRAMES[0] + bytes(broken) + FRAMES[1]
    status, out, _ = decode(data.hex())
    assert status == 1 and "status enquiry" in out and "accepted" in out
    assert f"byte {len(FRAMES[0])}: the checksum is" in out and "could not be read: 1" in out


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (REFUND.replace("04 00", "FE 00", 1), "byte 0, offset 6: bitmap FE is unknown"),
        (KNOWN[:30], "byte 0: the frame is cut"),
        (KNOWN[:20] + KNOWN, "byte 0: the frame is broken off, and a new one begins"),
        (KNOWN[:12] + "1099" + KNOWN, "byte 0: a byte 10 in the frame is neither"),
        ("31350010 03 FF" + KNOWN, "byte 0: 6 bytes between frames"),
        ("06 31 09 00 00 00", "byte 0: its length says 9 bytes, and 3 follow"),
        ("800000 06 31 09 00 00 00", "byte 3: its length says 9 bytes"),
        ("68 65 6C 6C 6F 80 00 00", "byte 0: no message begins here: 5 bytes"),
        ("06 31", "byte 0: the message is cut"),
        ("06 31 02 00 00", "byte 0, offset 3: missing: password"),
        (frame.pack(bytes.fromhex("0631050000")).hex(), "byte 0, offset 2: its length says 5 bytes, and 2 follow"),
        ("0F 10 03 00 00 00", "byte 0, offset 3: 3 bytes that are not looked into"),
        ("04 0F 05 27 00 49 0A 78", "byte 0, offset 6: not a decimal number"),
        ("06 D3 03 06 01 1F", "byte 0, offset 5: a TLV tag is cut"),
    ],
)
def test_each_kind_of_damage_is_named(data, says, decode):
    status, out, _ = decode(data)
    assert status == 1 and says in " ".join(out.split()), out
    # and the next message is read whole
    following = bytes.fromhex(data) + (bytes.fromhex(KNOWN) if data.startswith(("10", "31")) else b"\x80\0\0")
    assert told(following)["messages"][-1]["error"] is None


def test_a_wrong_length_byte_costs_its_message_and_no_other():
    data = bytes.fromhex("06 01 0B 04 00 00 00 00 12 34 49 09 78 80 00 00 04 FF 01 0A 80 00 00")
    keys = [entry["key"] for entry in told(data)["messages"] if entry["error"] is None]
    assert keys[-2:] == ["intermediate_status", "accepted"]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_all_that_the_codec_complains_of_has_its_words(lang):
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)
    for _ in range(4000):
        for entry in told(mutated(chance, chance.choice(APDUS)), lang)["messages"]:
            if entry["error"]:
                assert "?" not in entry["error"]["text"] and "{" not in entry["error"]["text"], seed
                assert lang == "en" or re.search("[\u4e00-\u9fff]", entry["error"]["text"]), seed


@settings(max_examples=800, deadline=None)
@given(
    st.one_of(st.binary(max_size=80), st.lists(st.sampled_from(FRAMES + APDUS), max_size=3).map(b"".join)), st.randoms()
)
def test_any_bytes_are_told_and_every_byte_is_accounted_for(data, chance):
    for given_ in (data, mutated(chance, data)):
        pieces = zvt_stream.split(given_)
        assert [piece.at for piece in pieces] == [sum(piece.size for piece in pieces[:n]) for n in range(len(pieces))]
        assert sum(piece.size for piece in pieces) == len(given_)
        answer = told(given_)
        assert answer["read"] + answer["damaged"] == len(answer["messages"])


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.text(max_size=200), st.binary(max_size=200)))
def test_any_file_is_read_or_refused(data):
    try:
        found = zvt_input.of_file(data.encode() if isinstance(data, str) else data, "x")
    except zvt_input.NoHex:
        return
    assert zvt_documents.decoded(Texts("en"), found)["messages"] is not None


# ---- card numbers ----

CARDS = [
    "4111111111111111",
    "378282246310005",
    "6011000990139424",
    "5555555555554444",
    "676770018951",
    "6304000000000000000",
]
assert all(zvt_hide.luhn(card) for card in CARDS[:4])
TRACK = st.sampled_from(CARDS[:4])


def bcd(card):
    return bytes.fromhex(card + "F" * (len(card) % 2))


def places(card):
    """Messages with the card number in every place that holds bytes or a text."""
    text = card.encode()
    grouped = " ".join(re.findall(".{1,4}", card))
    yield Message(0x06D1, [("attribute", 0), ("line", card)])
    yield Message(0x06D1, [("attribute", 0), ("line", f"Nr {grouped} EUR")])
    yield Message(0x06D1, [("attribute", 0), ("line", f"x{card}D2512")])
    for name in ("text", "card_name"):
        yield Message(0x040F, [(name, card)])
        yield Message(0x040F, [(name, f"EUR 12 {grouped}")])
    yield Message(0x06E0, [("line_1", card)])
    yield Message(0x060F, [("version", card), ("status", 0)])
    yield Message(0x040F, [("totals", bcd(card))])
    for tag in (
        0x07,
        0x08,
        0x44,
        0x45,
        0x60 - 0x18,
        0x1F00,
        0x1F0D,
        0x1F14,
        0x1F17,
        0x1F2B,
        0x1F42,
        0x1F73,
        0x1F7A,
        0x1F8007,
        0x9F5B,
    ):
        for value in (text, bcd(card), b"\x01" + text + b"\xff", bytes.fromhex("0" + card + "0" * (1 + len(card) % 2))):
            yield Message(0x040F, [("tlv", [(0x24, [(tag, value)])])])
            yield Message(0x04FF, [("step", 255), ("t4_minutes", 1), ("tlv", [(tag, value)])])
    yield Message(0x0F10, [("data", text)])
    yield Message(0x06C6, [("data", bcd(card))])


@pytest.mark.parametrize("card", CARDS[:4])
def test_no_card_number_is_shown_whatever_field_it_came_in(card, record_count):
    shown = 0
    for message in places(card):
        data = write(message)
        for form in (data, frame.pack(data)):
            answer = json.dumps(told(form))
            digits = re.sub(r"[^0-9]", "", re.sub(r"(?<=\d)[ -](?=\d)", "", answer))
            assert card not in digits and card.encode().hex() not in answer.lower(), message
            shown += 1
    record_count("card numbers hidden by decode", 4 * shown)


@pytest.mark.parametrize("card", CARDS[:4])
def test_a_card_in_bitmap_and_track_leaves_four_digits(card, decode):
    number = bcd(card)
    track = bcd(card + "D27122010000")
    data = b"\x22" + bytes((0xF0, 0xF0 | len(number))) + number + b"\x23\xf1" + bytes((0xF0 | len(track) - 10,)) + track
    status, out, _ = decode(apdu.pack(0x040F, b"\x27\0" + data).hex())
    assert status == 0 and card not in out and "*" * (len(card) - 4) + card[-4:] in out and "not shown" in out


def test_of_a_masked_number_the_last_four_digits_are_shown_and_no_others(decode):
    _, out, _ = decode("040F0B22F0F8411111EEEEEE1111")
    assert "************1111" in out and "411111" not in out


def test_what_is_no_card_number_is_not_struck_out():
    for text in (
        "12.34 EUR",
        "4111111111111112",
        "000013    0004      000001",
        "19.10.2021  13:30:04",
        "1234-5678",
        "A0000000031010",
    ):
        assert zvt_hide.text(text) == text
    for text in (
        PAN,
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        f"x{PAN}y",
        "3782 822463 10005",
        f"12 {PAN}",
        f"{PAN} 12",
    ):
        struck = zvt_hide.text(text)
        assert struck != text and "4111 1" not in struck and "41111" not in struck and "3782" not in struck


# ---- the screen ----


@pytest.mark.parametrize("lang", LANGUAGES)
def test_everything_fits_eighty_columns(decode, tmp_path, lang):
    (tmp_path / "all").write_bytes(
        b"".join(FRAMES) + FRAMES[0][:9] + b"".join(bytes.fromhex(r["frame"]) for r in CAPTURED if "frame" in r)
    )
    _, out, _ = decode(tmp_path / "all", lang=lang)
    assert len(out.splitlines()) > 300 and max(cell_len(line) for line in out.splitlines()) <= 80


def test_control_characters_of_a_capture_do_not_reach_the_screen(decode):
    _, out, _ = decode(write(Message(0x06D1, [("attribute", 0), ("line", "\x1b[2J\x07\x00\x7f\x9bx\r\n")])).hex())
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", out)


def test_help_names_both_ways(capsys):
    assert refundctl.run(["decode", "zvt", "--help"], {}) == 0
    assert "HEX|FILE" in capsys.readouterr().out
    assert Path(zvt_input.__file__).exists()
