"""Amounts as people type them become minor units exactly, or are refused with a reason."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools import money
from host_tools.failures import WrongUsage

GOOD = [
    ("12.34", "EUR", 1234),
    ("1234", "EUR", 123400),
    ("0.01", "EUR", 1),
    ("12.3", "EUR", 1230),
    ("1234", "JPY", 1234),
    ("1.234", "KWD", 1234),
    ("1.2345", "CLF", 12345),
    ("9999999999.99", "EUR", 999_999_999_999),
    ("0012.34", "EUR", 1234),
]
BAD = [
    ("-5", "EUR", "amount_negative"),
    ("-5.00", "EUR", "amount_negative"),
    ("0", "EUR", "amount_zero"),
    ("0.00", "EUR", "amount_zero"),
    ("12.345", "EUR", "amount_decimals"),
    ("12.0", "JPY", "amount_decimals"),
    ("10000000000.00", "EUR", "amount_too_large"),
    ("9" * 5000, "EUR", "amount_too_large"),
    ("12,34", "EUR", "amount_form"),
    ("1 234", "EUR", "amount_form"),
    ("1e3", "EUR", "amount_form"),
    ("+5", "EUR", "amount_form"),
    (".5", "EUR", "amount_form"),
    ("5.", "EUR", "amount_form"),
    ("", "EUR", "amount_form"),
    ("twelve", "EUR", "amount_form"),
    ("NaN", "EUR", "amount_form"),
    ("١٢", "EUR", "amount_form"),
]


@pytest.mark.parametrize(("text", "code", "minor"), GOOD)
def test_an_amount_becomes_its_minor_units(text, code, minor):
    assert money.parse(text, code, "--amount") == minor


@pytest.mark.parametrize(("text", "code", "key"), BAD)
def test_a_doubtful_amount_is_refused_with_its_reason(text, code, key):
    with pytest.raises(WrongUsage) as refused:
        money.parse(text, code, "--amount")
    assert refused.value.key == key


@given(st.integers(1, money.LARGEST), st.sampled_from(sorted(money.DIGITS)))
def test_every_amount_shown_reads_back_as_itself(minor, code):
    shown = money.show(minor, code)
    assert shown.endswith(" " + code)
    assert money.parse(shown[:-4].replace(",", ""), code, "--amount") == minor


def test_a_shown_amount_is_exact():
    assert money.show(999_999_999_999, "EUR") == "9,999,999,999.99 EUR"
    assert money.show(1234, "JPY") == "1,234 JPY"
    assert Decimal(money.show(1, "CLF")[:-4]) == Decimal("0.0001")


@pytest.mark.parametrize(
    ("typed", "nearest"), [("EURO", "EUR"), ("USDD", "USD"), ("CNX", "CNY"), ("", None), ("E1R", None)]
)
def test_an_unknown_currency_names_the_nearest(typed, nearest):
    with pytest.raises(WrongUsage) as refused:
        money.currency(typed)
    found = refused.value.fields["nearest"]
    assert found == nearest or (nearest and found and found[:2] == nearest[:2])


def test_the_table_is_of_active_codes():
    assert len(money.DIGITS) == 165
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in money.DIGITS)
    assert not {"HRK", "SLL", "ZWL", "ANG", "CUC", "BGN", "XAU", "XXX"} & set(money.DIGITS)
    assert money.currency("eur") == "EUR"
