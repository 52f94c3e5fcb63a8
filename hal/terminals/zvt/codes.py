"""ZVT result codes and status bytes -> the row of CAUSES.md they speak of.

Source: PA00P015, chapter error messages; 01..63 come from the host and follow field 39 of ISO 8583 (host code 51 arrives as
hexadecimal 51). Where both have a meaning the terminal's own table wins.
"""

import sys

from .. import field39

# pairs of code and cause
_TABLE = (
    b"\x64\x27\x65\x27\x72\x27\x73\x27\x7a\x27"  # 39 card unreadable, card not in terminal's tables, wrong card
    b"\x67\x30\x68\x30\x83\x30\xc5\x30\xd2\x30"  # 48 function not possible
    b"\x6a\x0e\xb1\x0e\xb2\x0e\xfb\x0e"  # 14 memory or turnover store full or damaged
    b"\x6b\x15\xe4\x15"  # 21 not registered, activation needed
    b"\x6e\x29"  # 41 card in a blocked list
    b"\x6f\x24\xc6\x24\xcb\x24"  # 36 wrong currency
    b"\x71\x2a"  # 42 card's own limit
    b"\x77\x21\xf0\x21"  # 33 end-of-day batch open
    b"\x78\x28\x79\x28"  # 40 card expired
    b"\x7d\x0f\x9b\x0f\xa0\x0f\xa1\x0f\xa3\x0f"  # 15 no connection, remote station does not answer
    b"\x85\x38\xa5\x38"  # 56 keys, message authentication
    b"\x89\x0a\xed\x0a\xc0\x0a\xe2\x0a\xe3\x0a\xfc\x0a"  # 10 PIN pad, reader, shutter, device missing
    b"\x9a\x02"  # 2 protocol error
    b"\x9c\x09\xe0\x09"  # 9 please wait, remote maintenance
    b"\xb4\x20"  # 32 already reversed
    b"\xb5\x22"  # 34 reversal not possible
    b"\xbf\x04"  # 4 supply voltage too low
    b"\xc1\x0d\xc2\x0d"  # 13 merchant card locked, diagnosis required
    b"\xc3\x1a"  # 26 maximum amount exceeded
    b"\xc4\x2f\xf6\x2f\x51\x2f"  # 47 card profile, terminal data, initialisation
    b"\xc8\x2b\xc9\x2b\x6c\x2b"  # 43 amount too small or not possible, aborted
    b"\xcc\x11"  # 17 printer not ready
    b"\xdf\x01\xff\x01"  # 1 system error
    b"\x62\x10"  # 16 clock
    b"\xfa\x37\xf1\x37"  # 55 offline transactions
)


def let_go():
    """Nobody needs this module now, nor what it was loaded with."""
    sys.modules.pop(field39.__name__, None)
    sys.modules.pop(__name__, None)


def cause(code):
    """Number of the cause; 0 for a code no table lists. `code`: int of the terminal, or text of its host."""
    if isinstance(code, int):
        for at in range(0, len(_TABLE), 2):
            if _TABLE[at] == code:
                return _TABLE[at + 1]
        if code > 0x63:
            return 0
        code = "%02X" % code
    return field39.cause(code)


def code_of(cause):
    """A result code that speaks of the cause, for a till; 83 (function not possible) where the table has none."""
    for at in range(0, len(_TABLE), 2):
        if _TABLE[at + 1] == cause:
            return _TABLE[at]
    return 0x83
