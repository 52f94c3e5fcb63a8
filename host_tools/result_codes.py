"""Result codes of terminals and their hosts -> the cause they speak of, for a journal that is read without its agent.

The device has the same in hal/terminals/zvt/codes.py and hal/terminals/field39.py, with the sources; a test holds both to it.
What a policy lays down for its acquirer is not in here.
"""

# a line for each cause: its number, its codes
_TERMINAL = """1 DF FF
2 9A
4 BF
9 9C E0
10 89 ED C0 E2 E3 FC
13 C1 C2
14 6A B1 B2 FB
15 7D 9B A0 A1 A3
16 62
17 CC
21 6B E4
26 C3
32 B4
33 77 F0
34 B5
36 6F C6 CB
39 64 65 72 73 7A
40 78 79
41 6E
42 71
43 C8 C9 6C
47 C4 F6 51
48 67 68 83 C5 D2
55 FA F1
56 85 A5"""
_HOST = """18 51 NOTENOUGH
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
_FROM_HOST = 0x63  # lower ones come from the host, and are its own where the terminal has no meaning of them


def cause(code):
    """Number of the cause; 0 for a code that no table lists. `code`: int of the terminal, or text of its host."""
    if isinstance(code, int):
        found = _row(_TERMINAL, f"{code:02X}")
        return found if found or code > _FROM_HOST else _row(_HOST, f"{code:02X}")
    return _row(_HOST, code)


def _row(table, code):
    for line in table.split("\n"):
        number, *codes = line.split()
        if code in codes:
            return int(number)
    return 0
