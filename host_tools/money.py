"""Amounts: ISO 4217 codes with their minor-unit digits, text -> minor units, minor units -> text. Never a float."""

import difflib
import re
from decimal import Decimal

from .failures import WrongUsage

# BMP 04 of the terminal's protocol has twelve digits, the minor unit among them.
LARGEST = 999_999_999_999

# Active codes of ISO 4217 (list one, as of 2026), by digits of the minor unit. Left out: metals, bond units, testing
# and "no currency", which have no minor unit and no place on a receipt.
_DIGITS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW "
    "CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR "
    "ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV "
    "MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD "
    "SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
DIGITS = {code: digits for digits, codes in _DIGITS.items() for code in codes.split()}

# ISO 4217 numbers, as a terminal gives them with a sale, of the currencies that most shops have.
LETTERS = {
    **{36: "AUD", 124: "CAD", 156: "CNY", 203: "CZK", 208: "DKK", 344: "HKD", 348: "HUF", 356: "INR", 392: "JPY"},
    **{410: "KRW", 446: "MOP", 458: "MYR", 554: "NZD", 578: "NOK", 702: "SGD", 752: "SEK", 756: "CHF", 764: "THB"},
    **{784: "AED", 826: "GBP", 840: "USD", 901: "TWD", 949: "TRY", 978: "EUR", 985: "PLN", 986: "BRL"},
}


def currency(text):
    """The code, in capitals. WrongUsage names the nearest code if there is none such; it never repeats `text`."""
    code = text.strip().upper()
    if code in DIGITS:
        return code
    near = difflib.get_close_matches(code, DIGITS, n=9, cutoff=0.6) if re.fullmatch("[A-Z]{2,4}", code) else []
    # of several as near, the one with most letters in their place: EUX is EUR rather than UGX
    near = max(near, key=lambda other: sum(map(str.__eq__, other, code)), default=None)
    raise WrongUsage("currency_unknown", nearest=near)


def parse(text, code, option):
    """`text` like "12.34" or "12" in major units -> minor units, 1 to LARGEST. WrongUsage otherwise.

    Fewer decimals than the currency has are filled up, more are refused. No sign, blank, comma or exponent.
    """
    digits = DIGITS[code]
    example = show(1234 * 10**digits // 100, code)[:-4]
    text = text.strip()
    if re.fullmatch(r"-[0-9]+(\.[0-9]+)?", text):
        raise WrongUsage("amount_negative", option=option, example=example)
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
        raise WrongUsage("amount_form", option=option, example=example)
    if len(text.partition(".")[2]) > digits:
        raise WrongUsage("amount_decimals", option=option, currency=code, digits=digits, example=example)
    minor = int(text.replace(".", "")) * 10 ** (digits - len(text.partition(".")[2])) if len(text) < 30 else LARGEST + 1
    if minor > LARGEST:
        raise WrongUsage("amount_too_large", option=option)
    if minor == 0:
        raise WrongUsage("amount_zero", option=option, example=example)
    return minor


def show(minor, code):
    """Minor units -> "12.34 EUR"; of a currency not in the list, "1234 XYZ" in minor units would mislead: ValueError."""
    if code not in DIGITS:
        raise ValueError("no such currency")
    return f"{Decimal(minor).scaleb(-DIGITS[code]):,.{DIGITS[code]}f} {code}"
