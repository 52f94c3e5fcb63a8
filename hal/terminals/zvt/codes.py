"""ZVT result codes and status bytes -> the row of CAUSES.md they speak of.

Source: PA00P015, chapter error messages; 01..63 come from the host and follow field 39 of ISO 8583 (decimal, sent as
BCD-like hexadecimal: host code 51 arrives as 51). Where both meanings exist the terminal's own table wins.
"""

IN_DOUBT = 54

# cause: codes
_TABLE = (
    (39, b"\x64\x65\x72\x73\x7a"),
    (48, b"\x67\x68\x83\xc5\xd2"),
    (14, b"\x6a\xb1\xb2\xfb"),
    (21, b"\x6b\xe4"),
    (41, b"\x6e"),
    (36, b"\x6f\xc6\xcb"),
    (42, b"\x71"),
    (33, b"\x77\xf0"),
    (40, b"\x78\x79"),
    (15, b"\x7d\x9b\xa1\xa3\xa0"),
    (56, b"\x85\xa5"),
    (10, b"\x89\xed\xc0\xe2\xe3\xfc"),
    (2, b"\x9a"),
    (9, b"\x9c\xe0"),
    (32, b"\xb4"),
    (34, b"\xb5"),
    (4, b"\xbf"),
    (13, b"\xc1\xc2"),
    (26, b"\xc3"),
    (47, b"\xc4\xf6\x51"),
    (43, b"\xc8\xc9\x6c"),
    (17, b"\xcc"),
    (1, b"\xdf\xff"),
    (16, b"\x62"),
    (55, b"\xfa\xf1"),
)

# Host codes 01..63, as facts of field 39.
_HOST = (
    (41, b"\x01\x04\x05\x07\x21\x34\x38\x41\x43\x55\x57\x59"),
    (21, b"\x03"),
    (43, b"\x12\x13\x30"),
    (39, b"\x14\x15"),
    (27, b"\x22"),
    (34, b"\x25"),
    (48, b"\x40\x58"),
    (42, b"\x61"),
    (40, b"\x54"),
    (56, b"\x63"),
)


def cause(code):
    """Number of the cause, 1 (terminal fault, with the code as evidence) for a code no table lists."""
    for table in (_TABLE, _HOST):
        for number, codes in table:
            if bytes((code,)) in codes:
                return number
    return 1
