"""CBOR: deterministic when written, strict when read."""

from firmware_agent.wire import cbor
from firmware_agent.wire.errors import WireError

from .chance import Chance

# RFC 8949, appendix A, and what its section 4.2 asks of deterministic encoders.
GOLDEN = (
    (0, "00"), (23, "17"), (24, "1818"), (255, "18ff"), (256, "190100"), (65536, "1a00010000"),
    (4294967295, "1affffffff"), (4294967296, "1b0000000100000000"), (18446744073709551615, "1bffffffffffffffff"),
    (-1, "20"), (-24, "37"), (-25, "3818"), (-257, "390100"), (-18446744073709551616, "3bffffffffffffffff"),
    (False, "f4"), (True, "f5"), (None, "f6"), ("", "60"), ("a", "6161"), ("\u00fc", "62c3bc"), (b"\x01\x02", "420102"),
    ([], "80"), ([1, [2, 3]], "8201820203"), ({}, "a0"), ({1: 2, 3: 4}, "a201020304"),
    ({"b": 1, "a": [], 10: 2, -1: 3, "aa": 4}, "a50a022003616180616201626161" + "04"),
)  # fmt: skip


def from_hex(text):
    return bytes(int(text[at : at + 2], 16) for at in range(0, len(text), 2))


def refused(data):
    try:
        cbor.decode(data)
    except WireError as error:
        return error.name == "bad_message"
    return False


def test_golden_bytes_both_ways():
    for value, text in GOLDEN:
        assert cbor.encode(value) == from_hex(text), text
        assert cbor.decode(from_hex(text)) == value, text


def test_what_is_not_strict_is_refused():
    for text in (
        "",  # nothing
        "1800", "1817", "1900ff", "1a0000ffff", "1b00000000ffffffff",  # not the shortest form
        "7801" + "61", "5817" + "00" * 23,  # nor are these lengths
        "18", "1901", "62c3", "4201", "8201", "a101", "a1",  # cut
        "0000", "80f6",  # bytes behind the end
        "f90000", "fa00000000", "fb0000000000000000", "f7", "e0", "f820", "ff",  # floats, undefined, simple values
        "c001", "d82a00", "1c", "3f", "5f", "7f", "9f", "bf",  # tags, reserved, indefinite lengths
        "a201020103", "a2616101616102",  # a key twice
        "a14001", "a18001", "a1f501", "a1f600",  # keys that are no integer and no text
        "62c328", "61ff", "6180",  # not UTF-8
        "62c080", "63e09fbf", "64f0808080", "63eda080", "63edbfbf", "64f4908080", "64f7bfbfbf",  # nor is this
        "81" * 7 + "80", "9bffffffffffffffff", "bb7fffffffffffffff", "5b7fffffffffffffff", "9a00010000",
    ):  # fmt: skip
        assert refused(from_hex(text)), text


def test_every_length_of_utf_8_is_read():
    for text in ("61" + "7f", "62c280", "62dfbf", "63e0a080", "63ed9fbf", "63ee8080", "64f0908080", "64f48fbfbf"):
        assert cbor.encode(cbor.decode(from_hex(text))) == from_hex(text), text


def test_six_levels_are_read_and_a_seventh_is_refused():
    assert cbor.decode(from_hex("81" * 5 + "80")) == [[[[[[]]]]]]
    assert refused(from_hex("81" * 6 + "80"))


def test_what_cannot_be_written_is_a_fault_of_ours():
    for value in (1.5, object(), 1 << 64, -(1 << 64) - 1):
        try:
            cbor.encode(value)
        except (TypeError, ValueError):
            continue
        assert False, value


def value(chance, depth):
    kind = chance.below(7 if depth else 5)
    if kind == 0:
        return chance.below(1 << (1 + chance.below(28)))
    if kind == 1:
        return -1 - chance.below(70000)
    if kind == 2:
        return "".join(chr(32 + chance.below(1000)) for _ in range(chance.below(30)))
    if kind == 3:
        return chance.bytes(chance.below(30))
    if kind == 4:
        return chance.one_of((True, False, None))
    if kind == 5:
        return [value(chance, depth - 1) for _ in range(chance.below(5))]
    return {chance.one_of((number, "k%d" % number)): value(chance, depth - 1) for number in range(chance.below(5))}


def test_whatever_is_written_is_read_back_and_written_alike():
    chance = Chance()
    for _ in range(300):
        written = value(chance, 4)
        data = cbor.encode(written)
        assert cbor.decode(data) == written
        assert cbor.encode(cbor.decode(data)) == data


def test_random_bytes_are_read_or_refused_and_nothing_is_read_two_ways():
    chance = Chance()
    read = 0
    for _ in range(3000):
        data = chance.bytes(1 + chance.below(12))
        try:
            found = cbor.decode(data)
        except WireError:
            continue
        read += 1
        if not isinstance(found, dict):  # the order of map keys may differ from ours
            assert isinstance(found, list) or cbor.encode(found) == data, data
    assert read > 30
