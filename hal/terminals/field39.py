"""Response codes of acquirers' hosts (field 39 of ISO 8583) and words of payment platforms -> the row of CAUSES.md.

Meanings vary by acquirer, so the policy may replace any of them. Sources: UnionPay terminal applications, ISO 8583:1987 for
07 and 63, WeChat Pay (NOTENOUGH, FREQUENCY_LIMITED), PayU (113, a chargeback exists). 68 and 98 mean in doubt, whatever else
is shown beside them.
"""

ACCEPTED = "00 10 11 A2 A4 A5 A6"

# a line for each cause: its number, its codes
_TABLE = """18 51 NOTENOUGH
20 A3
21 03 97
23 113
26 61
27 22
29 FREQUENCY_LIMITED
31 64
34 25
36 A1
39 14 15
40 54
41 01 04 05 07 21 34 38 41 43 55 59 62 75
42 65
43 12 13 30
44 90 91 92 96 A7
47 77
48 40 57 58
53 94
54 68 98
56 63 99 A0"""


def accepted(code):
    """True if the code is none of a refusal."""
    return code in ACCEPTED.split()


def cause(code):
    """Number of the cause that the code (text) speaks of; 0 for one that is accepted, and for one the table does not list."""
    for line in _TABLE.split("\n"):
        if code in line.split()[1:]:
            return int(line[:2])
    return 0
