"""A policy as a person writes it: every wrong line has one clear fault with its place, what is right is packed alike for
ever."""

import hashlib
import re
import tomllib
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware_agent import causes
from firmware_agent.wire import cbor, messages, rules
from host_tools import policy_documents, policy_payload, policy_pin, policy_source, policy_starter, policy_toml
from host_tools.policy_layout import CHOICES, KEYS, NAMED, ONE, PLACES, ROWS, SECTIONS, title
from host_tools.policy_platforms import PLATFORMS
from host_tools.texts import LANGUAGES, Texts

from . import running

GOLDEN = Path(__file__).parent / "golden"
DOCS = running.ROOT / "docs" / "policy.md"
CARD = "4111111111111111"
TEXTS = {language: Texts(language) for language in LANGUAGES}

GOOD = """\
# A shop with everything.
[policy]
id = "shop-1"
version = 7
valid_from = 2026-01-01
expires = 2026-12-31T20:00:00Z
terminals = ["52500041", "52500042"]
currency = "EUR"
utc = "+01:00"

[device]
min_temperature = -5
max_temperature = 45  # of the room
receipt_due = true
bad_versions = [
  "2.11",  # it crashed
  "2.11.1",
]

[account]
account_state = "open"
account_at = 2026-06-01
balance = 5000
balance_at = 2026-06-01 08:00+02:00

[limits]
daily_limit = 2000.50
monthly_limit = 20_000.00
rate_tolerance_bp = 100

[scheme.visa]
cap = 500.00
window_days = 180

[scheme.any]
cap = 100

[[rate]]
currency = "USD"
date = 2026-06-01
rate = 0.921345

[[maintenance]]
days = ["sat", "sun"]
begin = 02:00
end = 04:30

[[maintenance]]
begin = 2026-07-01 22:00
end = 2026-07-02T06:00:00
utc = "+08:00"

[codes]
91 = "bank_maintenance"
"A 1" = 36

[disputes]
disputes_at = 2026-06-01
chargebacks_at = 2026-06-01

[people]
approval_from = 200.00
support = "help desk"

[role.cashier]
limit = 100.00

[role.supervisor]
approves = true

[[person]]
name = "Ann"
role = "supervisor"
trained_until = 2026-12-31
salt = "00112233445566aa"
pin_hash = "33f37b5a9ea1aa042e62313256876ec48c58da3eb9a153bfd8a52ae7d438d4f9"

[[person]]
name = "Bob"
role = "cashier"

[unknown]
default = "warn"
network_down = "hold"

[found]
network_down = "block"
software_outdated = "warn"

[gate]
gate_open = false

[[sale]]
receipt = 231
date = 2026-05-30
amount = 50.00
card = "1234"
settled = true

[[sale]]
receipt = 17
date = 2026-05-30
amount = 5000
currency = "JPY"

[[dispute]]
receipt = 231
date = 2026-05-30
state = "open"

[[chargeback]]
receipt = 17
date = 2026-05-30
"""


def faults(text):
    """[(line, column, says), …] of a text; [] if it is good."""
    try:
        policy_source.read(text)
    except policy_source.Faults as found:
        for fault in found:
            for texts in TEXTS.values():
                said = policy_documents.fault(texts, "shop.toml", fault)["line_text"]
                assert said.startswith(f"shop.toml:{fault.line}:{fault.column}: ") and "\n" not in said
                assert CARD not in said and not re.search(r"\{\w*\}", said)
        return [(fault.line, fault.column, fault.says) for fault in found]
    return []


def line_of(text, line, nth=0):
    """The number of the nth line that begins so."""
    found = [number for number, there in enumerate(text.split("\n"), 1) if there.startswith(line)]
    return found[nth]


# ---- what is right ----
def test_a_good_policy_is_compiled_into_what_the_rules_declare():
    source = policy_source.read(GOOD)
    get = source.rules.get
    assert (get("id"), get("version"), get("currency")) == ("shop-1", 7, "EUR")
    assert get("valid_from") == 1767222000  # midnight of the shop's clock, an hour before that of UTC
    assert get("expires") == 1798747200
    assert (get("min_temperature"), get("max_temperature"), get("receipt_due")) == (-5, 45, True)
    assert get("bad_versions") == ["2.11", "2.11.1"]
    assert (get("balance"), get("balance_at")) == (500000, 1780293600)
    assert (get("daily_limit"), get("monthly_limit")) == (200050, 2000000)
    assert get("schemes") == [{"name": "*", "cap": 10000}, {"name": "visa", "cap": 50000, "window_days": 180}]
    assert get("rates") == [{"currency": "USD", "date": 20260601, "rate": 921345}]
    assert get("maintenance") == [
        {"begin": 1782914400, "end": 1782943200},
        {"days": 0b1100000, "begin_min": 60, "end_min": 210},
    ]
    assert get("codes") == [{"code": "91", "cause": 44}, {"code": "A 1", "cause": 36}]
    assert get("roles") == [{"name": "cashier", "limit": 10000}, {"name": "supervisor", "approves": True}]
    assert (get("unknown"), get("found")) == ({0: 1, 15: 3}, {15: 4, 8: 1})
    assert (get("pin_rounds"), get("gate_open"), get("approval_from")) == (1000, False, 20000)
    assert source.sales == [
        (17, 20260530, 5000, "JPY", None, None, None),
        (231, 20260530, 5000, "EUR", "1234", None, True),
    ]
    assert source.disputes == [(231, 20260530, rules.OPEN)] and source.chargebacks == [(17, 20260530)]
    ann, bob = source.people
    assert ann[:3] == ("Ann", "supervisor", 1798758000)  # the day counts to its end
    assert ann[3:] == (bytes.fromhex("00112233445566aa"), policy_pin.hashed(ann[3], "2580", 1000))
    assert bob == ("Bob", "cashier", 0, *policy_pin.NONE)
    assert source.warnings == []
    assert policy_payload.read(source.payload) == source.contents


def test_a_device_reads_the_payload_as_the_contract_declares_it():
    packed, *lists = cbor.decode(policy_source.read(GOOD).payload)
    assert messages.unpack(rules.RULES, packed)["id"] == "shop-1"
    for table, rows in zip(rules.LISTS[1:], lists, strict=True):
        assert [row[0] for row in rows] == sorted(row[0] for row in rows)
        for row in rows:
            assert len(row) == table.count(";")
            messages.unpack(table, dict(enumerate(row)))


def test_the_same_policy_in_another_order_has_the_same_bytes():
    blocks = GOOD.partition("\n[")[2].split("\n\n[")
    turned = "[" + "\n\n[".join([blocks[0], *reversed(blocks[1:])]) + "\n"
    assert policy_source.read(turned).payload == policy_source.read(GOOD).payload


def test_the_golden_payload_is_as_it_was():
    """policy.toml and policy.hex never change: what was signed once is built the same way for ever."""
    source = policy_source.read((GOLDEN / "policy.toml").read_text())
    assert source.payload.hex() == (GOLDEN / "policy.hex").read_text().strip()


@pytest.mark.parametrize("shift", ["+08:00", "-05:30", "+00:00"])
@pytest.mark.parametrize(
    ("days", "begin", "end"),
    [
        ("mon", "02:00", "04:30"),
        ("sun", "23:00", "01:00"),
        ("mon tue wed thu fri sat sun", "00:00", "00:00"),
        ("sat", "12:00", "11:59"),
    ],
)
def test_hours_of_a_shop_are_the_same_minutes_of_the_week_in_utc(days, begin, end, shift):
    names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    text = f'[[maintenance]]\ndays = {days.split()}\nbegin = {begin}\nend = {end}\nutc = "{shift}"\n'.replace("'", '"')
    found = policy_source.read(FRAME + text).rules["maintenance"]
    there = set()
    for window in found:
        assert 0 <= window["begin_min"] < window["end_min"] <= 1440
        for day in range(7):
            if window["days"] >> day & 1:
                minutes = {day * 1440 + minute for minute in range(window["begin_min"], window["end_min"])}
                assert not there & minutes
                there |= minutes
    first, last = (int(word[:2]) * 60 + int(word[3:]) for word in (begin, end))
    east = (int(shift[1:3]) * 60 + int(shift[4:])) * (-1 if shift[0] == "-" else 1)
    length = (last - first) % 1440 or 1440
    wanted = {(names.index(day) * 1440 + first + at - east) % 10080 for day in days.split() for at in range(length)}
    assert there == wanted


FRAME = '[policy]\nid = "s"\nversion = 1\nvalid_from = 2026-01-01\nexpires = 2027-01-01\ncurrency = "EUR"\n'


def test_a_pin_is_kept_as_the_contract_says_and_the_same_source_makes_the_same_policy():
    text = (
        FRAME
        + '[people]\npin_rounds = 3\n[role.boss]\napproves = true\n[[person]]\nname = "A"\nrole = "boss"\npin = "2580"\n'
    )
    source = policy_source.read(text)
    ((*_, salt, kept),) = source.people
    value = hashlib.sha256(salt + b"2580").digest()
    for _ in range(2):
        value = hashlib.sha256(salt + value).digest()
    assert (len(salt), kept) == (8, value)
    assert b"2580" not in source.payload and source.payload == policy_source.read(text).payload
    assert [(warning.says, warning.line) for warning in source.warnings] == [("plain_pin", line_of(text, "pin ="))]


def test_without_a_pin_nobody_can_approve():
    text = FRAME + '[role.boss]\napproves = true\n[[person]]\nname = "A"\nrole = "boss"\n'
    assert [warning.says for warning in policy_source.read(text).warnings] == ["approves_without_pin"]
    assert faults(text + "[people]\napproval_from = 1.00\n") == [(13, 1, "no_approver")]


@pytest.mark.parametrize("rule", ["balance = 5.00", 'account_state = "open"'])
def test_a_fact_without_its_date_is_warned_of(rule):
    (warning,) = policy_source.read(FRAME + "[account]\n" + rule).warnings
    assert warning.says == "needs" and warning.line == 8


# ---- every wrong line ----
WRONG = [
    # TOML
    ('id = "shop-1"', "id = shop-1", 6, "toml_quotes"),
    ('id = "shop-1"', "id = “shop-1”", 6, "toml_quotes"),
    ('id = "shop-1"', 'id = "shop-1', 6, "toml_string"),
    ('id = "shop-1"', 'id = "shop-1" x', 15, "toml_behind"),
    ('id = "shop-1"', r'id = "C:\shop"', 9, "toml_escape"),
    ('id = "shop-1"', 'id: "shop-1"', 1, "toml_line"),
    ("version = 7", "version =", 10, "toml_value"),
    ("version = 7", "version = 7,5", 11, "toml_comma"),
    ("version = 7", "version = 07", 11, "toml_zero"),
    ("version = 7", "the version = 7", 1, "toml_line"),
    ("version = 7", "版本 = 7", 1, "toml_line"),
    ("expires =", "expires = 2026-02-30", 11, "toml_date"),
    ("expires =", "expires = 2026-1-5", 11, "toml_day"),
    ("expires =", "expires = 31.12.2026", 11, "toml_day"),
    ("begin = 02:00", "begin = 25:00", 9, "toml_time"),
    ("begin = 02:00", "begin = 2:00", 9, "toml_time"),
    ("daily_limit =", "daily_limit = 1.500,00", 15, "toml_comma"),
    ("daily_limit =", "daily_limit = 500.00 EUR", 15, "toml_unit"),
    ("window_days =", "window_days = 180d", 15, "toml_unit"),
    ("window_days =", "window_days = 1.", 15, "toml_number"),
    ("[limits]", "[limits", 1, "toml_header"),
    ("[[rate]]", "[[rate]", 1, "toml_header"),
    ("terminals =", 'terminals = ["1", "2"', 13, "toml_unclosed"),
    # names
    ("[limits]", "[limit]", 1, "unknown_section"),
    ("daily_limit =", "dayly_limit = 5.00", 1, "unknown_key"),
    ("daily_limit =", "cap = 5.00", 1, "misplaced"),
    ("cap = 500.00", "kap = 500.00", 1, "unknown_key"),
    ("cap = 500.00", 'name = "visa"', 1, "unknown_key"),
    ("version = 7", "versoin = 7", 1, "unknown_key"),
    ("default =", 'defualt = "warn"', 1, "unknown_cause"),
    ('network_down = "hold"', 'network_dwon = "hold"', 1, "unknown_cause"),
    ('network_down = "hold"', '61 = "hold"', 1, "no_such_cause"),
    ("91 =", '91 = "bank_maintainance"', 6, "unknown_cause"),
    ("91 =", "91 = 61", 6, "no_such_cause"),
    ("91 =", "91 = true", 6, "need_cause"),
    ("91 =", f"{'9' * 25} = 44", 1, "bad_length"),
    # types
    ("version = 7", 'version = "7"', 11, "need_number"),
    ("version = 7", "version = 7.0", 11, "need_number"),
    ("version = 7", "version = true", 11, "need_number"),
    ('id = "shop-1"', "id = 5", 6, "need_text"),
    ("terminals =", 'terminals = "52500041"', 13, "need_texts"),
    ("terminals =", "terminals = [52500041]", 13, "need_texts"),
    ("receipt_due =", 'receipt_due = "true"', 15, "need_flag"),
    ("receipt_due =", "receipt_due = 1", 15, "need_flag"),
    ("daily_limit =", 'daily_limit = "500.00"', 15, "need_money"),
    ("daily_limit =", "daily_limit = nan", 15, "need_money"),
    ("daily_limit =", "daily_limit = true", 15, "need_money"),
    ("expires =", 'expires = "2026-12-31"', 11, "need_moment"),
    ("expires =", "expires = 1798732800", 11, "need_moment"),
    ("date = 2026-05-30", "date = 2026-05-30T10:00:00", 8, "need_date"),
    ("begin = 02:00", 'begin = "02:00"', 9, "need_window"),
    ("begin = 02:00", "begin = 2026-01-01", 9, "need_window"),
    ("days =", 'days = ["sat", "sunday"]', 8, "need_days"),
    ("days =", "days = []", 8, "need_days"),
    ("account_state =", 'account_state = "opne"', 17, "need_choice"),
    ("account_state =", "account_state = true", 17, "need_choice"),
    ('state = "open"', 'state = "closed"', 9, "need_choice"),
    ("default =", 'default = "block"', 11, "need_choice"),
    ('network_down = "block"', 'network_down = "HOLD"', 16, "need_choice"),
    ("utc = ", 'utc = "CET"', 7, "need_offset"),
    ("utc = ", "utc = 1", 7, "need_offset"),
    ('currency = "EUR"', "currency = 978", 12, "need_currency"),
    ("rate = ", 'rate = "0.9"', 8, "need_ratio"),
    ("salt =", 'salt = "0011"', 8, "bad_hex"),
    ("pin_hash =", f'pin_hash = "{"x" * 64}"', 12, "bad_hex"),
    # ranges
    ("version = 7", "version = 0", 11, "bad_range"),
    ("version = 7", "version = 4294967296", 11, "bad_range"),
    ("min_temperature =", "min_temperature = -61", 19, "bad_range"),
    ("window_days =", "window_days = 3651", 15, "bad_range"),
    ("daily_limit =", "daily_limit = 500.001", 15, "bad_decimals"),
    ("daily_limit =", "daily_limit = 0", 15, "bad_money"),
    ("daily_limit =", "daily_limit = -1.00", 15, "bad_money"),
    ("daily_limit =", "daily_limit = 10000000000.00", 15, "bad_money"),
    ("daily_limit =", "daily_limit = 1e999999999", 15, "bad_money"),
    ("daily_limit =", "daily_limit = 1e-999999999", 15, "need_money"),
    ("rate = ", "rate = 0.9213451", 8, "bad_ratio_decimals"),
    ("rate = ", "rate = 0", 8, "bad_range"),
    ("expires =", "expires = 1969-12-31", 11, "bad_moment"),
    ("expires =", "expires = 9999-12-31", 11, "bad_moment"),
    ("date = 2026-05-30", "date = 1969-05-30", 8, "bad_date"),
    ('id = "shop-1"', 'id = ""', 6, "bad_text"),
    ('id = "shop-1"', 'id = "a\\u0007"', 6, "bad_text"),
    ('id = "shop-1"', 'id = "a very long name of a shop"', 6, "bad_length"),
    ('support = "help desk"', f'support = "{"帮" * 27}"', 11, "bad_length"),
    ("card =", 'card = "12345"', 8, "bad_exact_length"),
    ("card =", 'card = "12a4"', 8, "bad_card"),
    ("terminals =", "terminals = []", 13, "bad_count"),
    ("terminals =", 'terminals = ["1", "1"]', 13, "twice_in_list"),
    ("days =", 'days = ["sat", "sat"]', 8, "twice_in_list"),
    ("bad_versions =", 'bad_versions = ["1", " "]\nmodels = [', 16, "bad_text"),
    ('currency = "EUR"', 'currency = "EUX"', 12, "bad_currency"),
    ('currency = "EUR"', 'currency = "eur"', 12, "bad_currency"),
    ('currency = "JPY"', 'currency = "Yen"', 12, "bad_currency"),
    # together
    ("expires =", "expires = 2025-12-31", 11, "expires_first"),
    ("min_temperature =", "min_temperature = 46", 19, "temperatures"),
    ('software_outdated = "warn"', 'clock_wrong = "warn"', 15, "found_weaker"),
    ('role = "cashier"', 'role = "casher"', 8, "no_role"),
    ("approves =", "approves = false\n#", None, "no_approver"),
    ("pin_hash =", "", None, "pin_half"),
    ("pin_hash =", 'pin = "1234"', 1, "pin_both"),
    ("end = 04:30", "end = 02:00", None, "window_order"),
    ("end = 2026-07-02", "end = 2026-07-01 22:00", None, "window_order"),
    ("end = 04:30", "end = 2026-01-01T04:30:00", None, "window_form"),
    ("end = 04:30", "", None, "window_form"),
    ("amount = 50.00", "", None, "missing"),
    ('role = "cashier"', "", None, "missing"),
    ('id = "shop-1"', "", None, "missing"),
]


@pytest.mark.parametrize(
    ("line", "by", "column", "says"), WRONG, ids=[f"{row[3]}-{at}" for at, row in enumerate(WRONG)]
)
def test_a_wrong_line_is_one_fault_with_its_place(line, by, column, says):
    text = re.sub(f"(?m)^{re.escape(line)}.*$", lambda _: by, GOOD, count=1)
    assert text != GOOD
    found = faults(text)
    assert [fault[2] for fault in found] == [says]
    if column is not None:
        assert found[0][:2] == (line_of(text, by.split("\n")[0]), column)


@pytest.mark.parametrize(
    ("block", "says"),
    [
        ("[scheme.visa]\ncap = 5\n", "toml_section_twice"),
        ('[scheme."*"]\ncap = 5\n', "twice"),
        ("[limits]\n", "toml_section_twice"),
        ('[[rate]]\ncurrency = "USD"\ndate = 2026-06-01\nrate = 1\n', "twice"),
        ('[[person]]\nname = "Bob"\nrole = "cashier"\n', "twice"),
        ("[[sale]]\nreceipt = 231\ndate = 2026-05-30\namount = 1\n", "twice"),
        ('[[dispute]]\nreceipt = 231\ndate = 2026-05-30\nstate = "open"\n', "twice"),
        ("[[chargeback]]\nreceipt = 17\ndate = 2026-05-30\n", "twice"),
        ('[[maintenance]]\ndays = ["sun", "sat"]\nbegin = 02:00\nend = 04:30\n', "twice"),
        ("[sale]\nreceipt = 1\n", "toml_one_and_many"),
        ("[[limits]]\n", "toml_one_and_many"),
        ("[limits.daily_limit]\n", "toml_no_section"),
        (f"[[chargeback]]\nreceipt = 17\ndate = 2026-05-31\n{'x'} = {CARD}\n", "card_number"),
    ],
)
def test_what_is_there_already_is_said_with_both_lines(block, says):
    text = GOOD + "\n" + block
    found = faults(text)
    assert [fault[2] for fault in found] == [says] and found[0][0] > GOOD.count("\n")
    if says in ("twice", "toml_section_twice"):
        with pytest.raises(policy_source.Faults) as error:
            policy_source.read(text)
        first = error.value.faults[0].fields["line"]
        assert 1 < first < GOOD.count("\n") and GOOD.split("\n")[first - 1].startswith("[")


def test_a_fault_within_a_value_of_several_lines_has_the_place_of_its_own_line():
    text = GOOD.replace('  "2.11.1",', '  "2.11.1", 5x,')
    assert faults(text) == [(line_of(text, '  "2.11.1"'), 14, "toml_list")]
    assert faults(GOOD.replace('"2.11",', '"2.11"')) == [(line_of(GOOD, '  "2.11.1"'), 3, "toml_list")]
    text = GOOD.replace('  "2.11.1",', "  2026-02-30,")
    assert faults(text) == [(line_of(text, "  2026"), 3, "toml_date")]


def test_a_key_set_twice_names_the_first_line():
    text = GOOD.replace("version = 7", "version = 7\nversion = 8")
    assert faults(text) == [(5, 1, "toml_twice_at")]


def test_all_faults_are_found_at_once_in_their_order():
    text = GOOD
    for line, by in (
        ("version = 7", "version = seven"),
        ("expires =", "expires = 2026-02-30"),
        ("daily_limit =", "dayly_limit = 1"),
        ("cap = 500.00", 'cap = "500"'),
        ("rate = ", "rate = 0.0"),
        ("card =", "card = 1234"),
    ):
        text = re.sub(f"(?m)^{re.escape(line)}.*$", by, text, count=1)
    found = faults(text)
    assert [fault[2] for fault in found] == [
        "toml_quotes",
        "toml_date",
        "unknown_key",
        "need_money",
        "bad_range",
        "need_text",
    ]
    assert [fault[0] for fault in found] == sorted(fault[0] for fault in found)


@pytest.mark.parametrize(
    ("line", "by"),
    [
        ('support = "help desk"', f'support = "{CARD}"'),
        ('support = "help desk"', 'support = "4111 1111 1111 1111"'),
        ('support = "help desk"', 'support = "４１１１１１１１１１１１１１１１"'),
        ('support = "help desk"', r'support = "\u0034111111111111111"'),
        ('support = "help desk"', f'support = "help desk"  # card {CARD}'),
        ("version = 7", f"version = {CARD}"),
        ("version = 7", "version = 4111_1111_1111_1111"),
        ("card =", f'card = "{CARD}"'),
        ("91 =", f"{CARD} = 44"),
        ('role = "cashier"', f'"{CARD}" = "cashier"'),
        ("daily_limit =", f"daily_limit = {CARD}.00"),
        ("[limits]", f'["{CARD}"]'),
        ("salt =", 'salt = "4111111111111111"'),
    ],
)
def test_a_card_number_anywhere_is_refused_and_not_repeated(line, by):
    text = re.sub(f"(?m)^{re.escape(line)}.*$", lambda _: by, GOOD, count=1)
    found = faults(text)
    assert "card_number" in [fault[2] for fault in found]
    assert [fault[0] for fault in found].count(line_of(text, by)) == 1


def test_the_nearest_known_name_is_offered():
    for line, by, near in (
        ("daily_limit =", "dayly_limit = 5.00", "daily_limit"),
        ("[limits]", "[limit]", "limits"),
        ("account_state =", 'account_state = "froze"', "frozen"),
        ('currency = "EUR"', 'currency = "EUX"', "EUR"),
        ('network_down = "hold"', 'network_dow = "hold"', "network_down"),
        ('role = "cashier"', 'role = "casher"', "cashier"),
        ("days =", 'days = ["monday"]', "mon"),
        ("default =", 'defalt = "warn"', "default"),
    ):
        text = re.sub(f"(?m)^{re.escape(line)}.*$", by, GOOD, count=1)
        with pytest.raises(policy_source.Faults) as error:
            policy_source.read(text)
        first = error.value.faults[0]
        assert first.fields["nearest"] == near
        assert near in policy_documents.fault_text(TEXTS["en"], first)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", [(1, 1, "missing_section")]),
        ("id = 5\n", [(1, 1, "misplaced"), (1, 1, "missing_section")][:1]),
        ("sale = 5\n" + FRAME, [(1, 1, "need_rows")]),
        ("sale = [1]\n" + FRAME, [(1, 1, "need_rows")]),
        ("limits = 5\n" + FRAME, [(1, 1, "need_table")]),
        ("policy = 5\n", [(1, 1, "need_table")]),
        (FRAME + "[scheme]\nvisa = 5\n", [(8, 1, "need_table")]),
        (FRAME.replace('currency = "EUR"', "") + "[limits]\ndaily_limit = 5\n", [(8, 15, "no_currency")]),
        (
            FRAME.replace('currency = "EUR"', "") + "[[sale]]\nreceipt=1\ndate=2026-01-01\namount=5\n",
            [(10, 8, "no_currency")],
        ),
        (FRAME + "[scheme]\n" + "\n".join(f"s{n}.cap = 1" for n in range(17)), [(7, 1, "too_many")]),
        (FRAME + "[codes]\n" + "\n".join(f'"X{n}" = 5' for n in range(65)), [(7, 1, "too_many")]),
        (FRAME + "x = " + "[" * 5000, [(7, 5004, "toml_unclosed")]),
        (FRAME + "x = " + "[" * 5000 + "]" * 5000, [(7, 5, "toml_value")]),
        (FRAME + "x = " + "9" * 5000, [(7, 5, "toml_number")]),
        (FRAME + "# \x00\n", [(7, 3, "toml_control")]),
    ],
)
def test_a_wrong_shape_is_said(text, found):
    assert faults(text) == found


def test_rules_that_no_board_can_hold_are_refused():
    versions = ", ".join(f'"a-very-long-version-of-the-terminal-{n:04}-with-a-name-of-its-own-x"' for n in range(32))
    found = faults(FRAME + f"[device]\nbad_versions = [{versions}]\n")
    assert found == [(1, 1, "rules_too_large")]
    sales = "".join(f"[[sale]]\nreceipt = {n}\ndate = 2026-01-01\namount = 5\n" for n in range(1, 2000))
    assert faults(FRAME + sales) == []


def test_what_may_stand_in_a_line_that_could_not_be_read_is_not_called_missing():
    assert [fault[2] for fault in faults(GOOD.replace("[policy]", "[policy"))] == ["toml_header"]
    assert [fault[2] for fault in faults(GOOD.replace("approves = true", "approves = yes"))] == ["toml_quotes"]


# ---- tables that were read already ----
def test_tables_of_a_scenario_are_compiled_by_the_same_checks_without_places():
    tables = policy_toml.Document(GOOD).tables
    assert policy_source.read_tables(tables).payload == policy_source.read(GOOD).payload
    tables["limits"]["dayly"] = 1
    tables["policy"]["version"] = CARD
    with pytest.raises(policy_source.Faults) as error:
        policy_source.read_tables(tables)
    told = [(fault.line, fault.says, fault.fields["where"]) for fault in error.value]
    assert sorted(told) == [
        (None, "card_number", "policy.version"),
        (None, "need_number", "policy.version"),
        (None, "unknown_key", "limits.dayly"),
    ]
    for texts in TEXTS.values():
        for fault in error.value:
            assert CARD not in policy_documents.fault(texts, "scene", fault)["line_text"]


def test_in_tables_the_frame_may_stand_beside_the_sections_and_money_has_a_currency_from_outside():
    tables = {
        "id": "s",
        "version": 1,
        "valid_from": date(2026, 1, 1),
        "expires": date(2027, 1, 1),
        "limits": {"daily_limit": 12.5},
    }
    source = policy_source.read_tables(tables, currency="EUR")
    assert (source.rules["daily_limit"], source.rules["currency"], source.rules["id"]) == (1250, "EUR", "s")
    with pytest.raises(policy_source.Faults):
        policy_source.read_tables(tables)


# ---- the layout ----
def test_every_rule_has_one_place_in_the_source_and_every_place_is_a_rule():
    """Of each table of wire/rules.py each field has its place; fields of a list of maps stand in sections of their own."""
    one = [place for places in PLACES.values() for place in places.values() if SECTIONS[place.section][0] == ONE]
    here = [place.name for place in one if not place.aid]
    there = {field[1]: field[3] for field in messages.fields(rules.RULES)}
    of_sections = {become for _, become, _ in SECTIONS.values() if isinstance(become, str)}
    assert sorted(here) == sorted(set(here)) and set(here) | of_sections == set(there)
    assert {name for name, kind in there.items() if kind in ("l", "m")} == of_sections
    assert {become for _, become, _ in SECTIONS.values() if isinstance(become, int)} == {1, 2, 3, 4}
    for section, (shape, _, table) in SECTIONS.items():
        if shape != ONE and table is not None and section != "maintenance":
            names = [place.name for place in PLACES[section].values() if not place.aid]
            assert sorted(names) == sorted(field[1] for field in messages.fields(table)), section
    assert [field[1] for field in messages.fields(rules.WINDOW)] == ["days", "begin_min", "end_min", "begin", "end"]


def test_every_kind_of_a_place_fits_its_kind_on_the_wire():
    fits = {
        "text": "t",
        "name": "t",
        "number": "ui",
        "flag": "f",
        "texts": "T",
        "money": "u",
        "moment": "u",
        "until": "u",
        "date": "u",
        "ratio": "u",
        "hex": "b",
        "choice": "tu",
        "cause": "u",
        "days": "u",
        "window": "u",
    }
    for places in PLACES.values():
        for place in places.values():
            assert place.aid or place.wire_kind in fits[place.kind], place.said
            numbers = [] if place.causes in "-*" else [int(number) for number in place.causes.split(",")]
            assert all(1 <= number <= 60 for number in numbers)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_section_place_and_fault_has_its_text(language):
    table = LANGUAGES[language]
    assert set(table["section"]) == set(SECTIONS)
    places = [place for places in PLACES.values() for place in places.values()]
    assert set(table["rule"]) == {place.said for place in places}
    assert set(table["platform"]) == set(PLATFORMS)
    kinds = {"need_" + kind for kind in ("number", "flag", "text", "texts")}
    assert {name for name in table["fault"] if f'"{name}"' not in SOURCES} <= kinds


SOURCES = "".join(
    path.read_text() for path in (running.ROOT / "host_tools").glob("policy_*.py") if "texts" not in path.name
)


# ---- the starting policy ----
def uncommented(text):
    return re.sub(r"(?m)^#(?=[a-z\[\"0-9])", "", text)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("platforms", [(), *((name,) for name in PLATFORMS), tuple(PLATFORMS)])
def test_a_starting_policy_is_good_as_written_and_with_everything_switched_on(language, platforms):
    text = policy_starter.text(TEXTS[language], platforms, date(2026, 11, 24))
    source = policy_source.read(text)
    assert source.warnings == []
    schemes = {row["name"] for row in source.rules["schemes"]}
    assert schemes == {"*", *platforms}
    everything = policy_source.read(uncommented(text))
    assert everything.warnings == []
    wanted = {field[1] for field in messages.fields(rules.RULES)}
    assert set(everything.rules) == wanted
    assert everything.sales and everything.disputes and everything.chargebacks and everything.people
    for place in (place for places in PLACES.values() for place in places.values()):
        if SECTIONS[place.section][0] == ONE:
            assert re.search(rf"(?m)^#?{place.key} = .*# {re.escape(TEXTS[language]('rule', place.said))}$", text), (
                place.said
            )
    assert all(
        len(line) <= 100 for line in text.split("\n") if not line.lstrip("#").startswith(("pin_hash", "procedure"))
    )


def test_a_platforms_rules_are_those_it_publishes():
    text = policy_starter.text(TEXTS["en"], ("wechat", "square", "payu"), date(2026, 11, 24))
    got = policy_source.read(text).rules
    schemes = {row["name"]: row for row in got["schemes"]}
    assert schemes["wechat"] == {
        "name": "wechat",
        "window_days": 365,
        "max_partial": 50,
        "spacing_s": 60,
        "refunds": True,
    }
    assert schemes["square"] == {"name": "square", "window_days": 365, "max_partial": 20, "refunds": True}
    assert (got["currency"], got["max_per_minute"]) == ("CNY", 5000)
    assert got["codes"] == [{"code": "113", "cause": 23}, {"code": "NOTENOUGH", "cause": 18}]


def test_a_starting_policy_can_be_made_on_the_29th_of_february():
    text = policy_starter.text(TEXTS["en"], (), date(2028, 2, 29))
    assert policy_source.read(text).rules["expires"] > policy_source.read(text).rules["valid_from"]


# ---- whatever a person does to a file ----
LINES = GOOD.split("\n")


def survives(text):
    try:
        source = policy_source.read(text)
    except policy_source.Faults as found:
        assert len(found) > 0
        places = [(fault.line, fault.column) for fault in found]
        assert places == sorted(places) and len(set(places)) == len(places)
        for fault in found:
            assert 1 <= fault.line <= text.count("\n") + 1 and fault.column >= 1
            for texts in TEXTS.values():
                policy_documents.fault(texts, "x", fault)
        return
    assert policy_payload.read(source.payload) == source.contents


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, len(LINES) - 1), st.text(max_size=20))
def test_whatever_stands_in_place_of_a_line_is_read_or_refused(at, by):
    survives("\n".join([*LINES[:at], by, *LINES[at + 1 :]]))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, len(GOOD) - 1), st.integers(0, 8), st.text(alphabet="[]{}\"'=#,.\n\\ \r\u00e94x-:_", max_size=4))
def test_whatever_is_typed_or_deleted_anywhere_is_read_or_refused(at, gone, typed):
    survives(GOOD[:at] + typed + GOOD[at + gone :])


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_lines_in_another_order_twice_or_not_at_all_are_read_or_refused(data):
    picked = data.draw(st.lists(st.sampled_from(LINES), max_size=60))
    survives("\n".join(picked))


VALUES = st.recursive(
    st.one_of(
        st.none().map(lambda _: Decimal("1.5")),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=6),
        st.dates(),
        st.times(),
        st.datetimes(),
        st.sampled_from(["open", "hold", "EUR", "any", "+08:00", "mon", "1234"]),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(SECTIONS)), inner, max_size=3),
    max_leaves=8,
)
KEYS_ = st.sampled_from(
    sorted({key for places in PLACES.values() for key in places} | {"any", "visa", "15", "default", "x"})
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(
        st.sampled_from([*SECTIONS, "id", "x"]),
        VALUES
        | st.dictionaries(KEYS_, VALUES, max_size=5)
        | st.lists(st.dictionaries(KEYS_, VALUES, max_size=5), max_size=3),
        max_size=6,
    )
)
def test_whatever_tables_there_are_they_are_compiled_or_refused(tables):
    try:
        policy_source.read_tables(tables)
    except policy_source.Faults as found:
        for fault in found:
            for texts in TEXTS.values():
                policy_documents.fault(texts, "x", fault)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.sampled_from([*LINES, "a.b = 1", "a.c = {x = [1, 2]}", "[a.b]", "x = 1 # y", 's = """', "z = '\"'"]),
        max_size=25,
    )
)
def test_statement_by_statement_toml_says_what_tomllib_says(lines):
    text = "\n".join(lines)
    document = policy_toml.Document(text)
    if not document.faults and not re.search(r"\d\d:\d\d(?!:|\d)", text):
        assert document.tables == tomllib.loads(text, parse_float=Decimal)


def test_statement_by_statement_toml_reads_all_of_toml():
    text = """
a.b."c d" = 1
t = { x = 1, y.z = "}" } # behind
s = \"\"\"
one # no comment
[two]
x = 3
\"\"\"
l = '''it's "raw" \\'''
[[rows]]
n = [ [1, 2], # one
  ["#", 'x]'], ]
[rows.sub]
q = -1_000
[[rows]]
d = 1979-05-27T07:32:00.5-07:00
'quoted key' = inf
[x."y.z"]
"""
    document = policy_toml.Document(text)
    assert not document.faults and document.tables == tomllib.loads(text, parse_float=Decimal)
    assert document.place(("rows", 1, "d")) == (16, 5) and document.place(("rows", 1, "d"), False) == (16, 1)
    assert document.place(("t", "y", "z")) == (3, 1)
    assert document.place(("a", "b", "c d")) == (2, 13)


# ---- docs/policy.md ----
def documented(place):
    kind, units = place.kind, ""
    if place.kind in ("number", "text", "texts", "money", "ratio"):
        low, high = place.low, place.high
        units = {
            "number": f"{low:,} to {high:,}" if low is not None else "",
            "text": "4 to 12 digits"
            if low is None
            else f"{low} to {high} bytes"
            if low < high
            else f"{low} characters",
            "texts": f"{low} to {high} texts" if low is not None else "",
            "money": "",
            "ratio": "up to six decimals",
        }[place.kind]
    elif place.kind == "choice":
        units = ", ".join(CHOICES[place.section, place.key])
    names = {row.number: row.key for row in causes.every_cause()}
    used = {"-": "", "*": "all"}.get(place.causes) if place.causes in "-*" else place.causes.replace(",", ", ")
    assert place.causes in "-*" or all(int(number) in names for number in place.causes.split(","))
    key = f"`{place.key}`" + (" (needed)" if place.needed else "")
    return f"| {key} | {TEXTS['en']('rule', place.said)} | {_KINDS.get(kind, kind)}{': ' + units if units else ''} | {used} |"


_KINDS = {
    "number": "number",
    "text": "text",
    "texts": "list",
    "flag": "true, false",
    "moment": "day or moment",
    "until": "day or moment",
    "date": "day",
    "choice": "one of",
    "hex": "hexadecimal",
    "offset": '"+08:00"',
    "window": "time or moment",
    "days": "list of days",
    "name": "in the header",
    "money": "amount",
    "ratio": "number",
    "cause": "key or number",
}


_OWN_KEYS = {
    "codes": 'Like `91 = "bank_maintenance"`: at most 64 codes of 1 to 24 bytes, each with the key or number of a cause.',
    "unknown": 'Like `network_down = "hold"` and `default = "warn"`: accept, warn or hold.',
    "found": 'Like `network_down = "block"`: warn, hold or block. Weaker than usual only where the catalogue says so.',
}


def table():
    lines = []
    for section, (shape, _, _) in SECTIONS.items():
        lines += [f"**`{title(section)}`** {TEXTS['en']('section', section)}", ""]
        if shape == KEYS:
            lines += [_OWN_KEYS[section], ""]
            continue
        assert shape in (ONE, NAMED, ROWS)
        lines += ["| setting | what it says | written as | causes |", "|---|---|---|---|"]
        lines += [documented(place) for place in PLACES[section].values()] + [""]
    return "\n".join(lines)


def test_the_page_on_policies_lists_every_setting_as_it_is():
    """To make it anew: python -c "from tests import test_policy_source as t; print(t.table())"."""
    assert table() in DOCS.read_text()
