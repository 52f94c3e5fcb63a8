"""Response codes: every code that the papers and platforms list speaks of its cause, and no other code of any."""

from hal.terminals import field39
from hal.terminals.zvt.codes import cause

# ZVT: codes and cause (PA00P015, chapter error messages)
ZVT = """
64 65 72 39
67 68 83 C5 D2 48
6A B1 B2 FB 14
6B E4 21
6C 43
6E 41
6F C6 CB 36
71 42
73 7A 39
77 F0 33
78 79 40
7D 9B A1 A3 A0 15
85 56
89 ED C0 E2 E3 FC 10
9A 2
9C E0 9
A5 56
B4 32
B5 34
BF 4
C1 C2 13
C3 26
C4 F6 51 47
C8 C9 43
CC 17
DF 1
62 16
FA F1 55
FF 1
"""

# Field 39 of ISO 8583, as UnionPay's acquirers use it; 07 and 63 by the standard itself
HOST = """
01 41
03 21
04 34 41
05 55 38 75 41
07 41
12 43
13 43
14 15 39
21 41
25 34
40 48
41 43 41
51 18
54 40
57 58 48
59 62 41
61 26
22 27
30 43
63 56
64 31
65 42
68 98 54
77 47
90 91 92 96 A7 44
94 53
97 21
99 A0 56
A1 36
A3 20
NOTENOUGH 18
FREQUENCY_LIMITED 29
113 23
"""


def listed(table):
    """{code: cause}."""
    found = {}
    for line in table.strip().split("\n"):
        words = line.split()
        for code in words[:-1]:
            found[code] = int(words[-1])
    return found


def test_every_code_of_a_host_speaks_of_its_cause():
    for code, number in listed(HOST).items():
        assert field39.cause(code) == cause(code) == number, code
        assert not field39.accepted(code)


def test_every_code_of_a_zvt_terminal_speaks_of_its_cause_and_from_01_to_63_of_the_hosts():
    own, host = listed(ZVT), listed(HOST)
    for code in range(256):
        text = "%02X" % code
        wanted = own.get(text, host.get(text, 0) if code <= 0x63 else 0)
        assert cause(code) == wanted, text
        assert 0 <= wanted <= 60


def test_what_is_accepted_is_of_no_cause_and_said_to_be_accepted():
    for code in ("00", "10", "11", "A2", "A4", "A5", "A6"):
        assert field39.accepted(code) and field39.cause(code) == 0
    assert cause(0) == 0


def test_a_code_no_table_lists_is_of_no_cause():
    for code in ("", " ", "0", "1", "02", "18", "41 ", "41 01", "a1", "ZZ", "4", "NOT", "NOTENOUGH ", "\n", "113\n20"):
        assert field39.cause(code) == 0 and not field39.accepted(code), code
