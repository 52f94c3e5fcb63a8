"""ZVT application data: lengths, bitmaps, TLV and status, and that no card number gets past them."""

from hal.terminals.zvt import apdu
from hal.terminals.zvt.apdu import ApduError
from hal.terminals.zvt.compose import pack_bitmaps, pack_status, pack_tlv

from .chance import Chance

TOKEN = b"\xa5\xcd\x1bx\x1e\xb8\xb20"
ODD_TOKEN = b"\xa6\xc4\xb5?W\x81\x9c\xba"
LONG_KEY_TOKEN = b"\xdc\x8d\x82m\x8c\xdd\x14\x87"


def refused(function, *arguments):
    try:
        function(*arguments)
    except ApduError:
        return True
    return False


def test_lengths_from_255_on_have_two_bytes_little_endian():
    assert apdu.pack(0x0631, b"x") == b"\x06\x31\x01x"
    for size in (0, 1, 254, 255, 256, 700):
        data = b"d" * size
        packed = apdu.pack(0x04FF, data)
        assert packed[2] == (size if size < 255 else 0xFF) and apdu.unpack(packed) == (0x04FF, data)
    assert apdu.pack(0x04FF, b"d" * 700)[2:5] == b"\xff\xbc\x02"


def test_an_apdu_of_another_length_than_it_says_is_refused():
    for data in (
        b"",
        b"\x06",
        b"\x06\x0f",
        b"\x06\x0f\x01",
        b"\x06\x0f\x00x",
        b"\x06\x0f\xff",
        b"\x06\x0f\xff\x01",
        b"\x06\x0f\xff\x02\x00x",
    ):
        assert refused(apdu.unpack, data), data


def test_numbers_are_packed_decimals():
    assert apdu.bcd(1234, 6) == b"\x00\x00\x00\x00\x12\x34"
    assert apdu.from_bcd(b"\x00\x00\x12\x34") == 1234
    assert apdu.from_bcd(apdu.bcd(999999999999, 6)) == 999999999999
    assert refused(apdu.bcd, 1000000, 3) and refused(apdu.bcd, -1, 3)
    assert refused(apdu.from_bcd, b"\x1a") and refused(apdu.from_bcd, b"\xf0")


def test_a_status_information_is_read_field_by_field():
    data = (
        b"\x27\x00\x04\x00\x00\x00\x00\x12\x34\x49\x09\x78\x0b\x00\x05\x02\x87\x00\x02\x0c\x12\x00\x00\x0d\x11\x22"
        b"\x22\xf0\xf8\xee\xee\xee\xee\xee\xee\x47\x11\x8b\xf0\xf5girox\x3c\xf0\xf0\xf2ok"
    )
    assert apdu.unpack_bitmaps(data) == {
        "result_code": 0,
        "amount": 1234,
        "currency": 978,
        "trace": 502,
        "receipt": 2,
        "time": 120000,
        "date": 1122,
        "last_four": "4711",
        "card_name": "girox",
        "text": "ok",
    }


def test_a_card_number_or_a_track_leaves_its_last_four_digits_and_nothing_else():
    card = b"\x22\xf0\xf8\x41\x11\x11\x11\x11\x11\x11\x12"
    track = b"\x23\xf1\xf9" + b"\x41\x11\x11\x11\x11\x11\x11\x12\xd2\x51\x22\x01\x00\x00\x00\x00\x00\x00\x0f"
    for data in (card, card + track, track + card, b"\x2d\xf0\xf44111" + card, b"\x24\xf0\xf0\xf44111" + card):
        found = apdu.unpack_bitmaps(data)
        assert found == {"last_four": "1112"}, found
    assert apdu.unpack_bitmaps(b"\x22\xf0\xf3\x41\x11\x1f") == {"last_four": "1111"}
    assert apdu.unpack_bitmaps(b"\x22\xf0\xf0") == {"last_four": ""}


def test_a_card_number_in_clear_is_a_keyed_token_too_and_a_masked_one_is_not():
    key = bytes(range(16))
    # HMAC-SHA256 of "4111111111111112" and of "6011000990139424123", first eight bytes
    clear = apdu.unpack_bitmaps(b"\x22\xf0\xf8\x41\x11\x11\x11\x11\x11\x11\x12", 0, key)
    assert clear == {"last_four": "1112", "card_token": TOKEN}, clear
    odd = apdu.unpack_bitmaps(b"\x22\xf1\xf0\x60\x11\x00\x09\x90\x13\x94\x24\x12\x3f", 0, key)
    assert odd == {"last_four": "4123", "card_token": ODD_TOKEN}, odd
    long_key = apdu.unpack_bitmaps(b"\x22\xf0\xf8\x41\x11\x11\x11\x11\x11\x11\x12", 0, key * 5)
    assert long_key["card_token"] == LONG_KEY_TOKEN
    followed = apdu.unpack_bitmaps(b"\x22\xf1\xf0\x41\x11\x11\x11\x11\x11\x11\x12\xd2\x51", 0, key)
    assert followed == clear
    for masked in (b"\x41\x11\x11\xee\xee\xee\x11\x12", b"\xee\xee\xee\xee\xee\xee\x11\x12"):
        assert apdu.unpack_bitmaps(b"\x22\xf0\xf8" + masked, 0, key) == {"last_four": "1112"}
    assert apdu.unpack_bitmaps(b"\x22\xf0\xf2\x47\x11", 0, key) == {"last_four": "4711"}


def test_bitmaps_that_are_cut_or_unknown_are_refused():
    for data in (
        b"\x04\x00\x00", b"\x27", b"\xfe\x00", b"\x49\x09\x7a", b"\x22\xf0", b"\x22\x00\x01", b"\x22\xf0\xf9\x11",
        b"\x3c\xf1\xff\xf0x", b"\x06", b"\x06\x05\x01", b"\x06\x80", b"\x06\x83\x00\x00\x01x",
    ):  # fmt: skip
        assert refused(apdu.unpack_bitmaps, data), data


def test_tlv_nests_and_is_found_by_its_tag():
    items = [(0xE4, [(0x1F41, b"2.14"), (0x1F43, b"\x01")]), (0x1F55, b"\x00\x04"), (0x2F, [(0x45, b"x" * 200)])]
    data = pack_tlv(items)
    assert apdu.unpack_tlv(data) == items
    assert apdu.find_tlv(items, 0x1F43) == b"\x01" and apdu.find_tlv(items, 0x45) == b"x" * 200
    assert apdu.find_tlv(items, 0x99) is None
    for size in range(1, 13):
        assert refused(apdu.unpack_tlv, data[:size]), size


def test_tags_have_up_to_three_bytes_and_containers_an_end():
    items = [(0x1F8007, b"x"), (0xFF01, [(0x07, b"y")]), (0x9F5A, b"z"), (0x1F2B, b"")]
    assert apdu.unpack_tlv(pack_tlv(items)) == items
    assert refused(apdu.unpack_tlv, b"\x1f\x80\x80\x01\x00") and refused(apdu.unpack_tlv, b"\x1f\x80")
    deep = b""
    for _ in range(30):
        deep = pack_tlv([(0x60, deep)])
    assert refused(apdu.unpack_tlv, deep)
    assert refused(apdu.unpack_tlv, b"\x60\x7f" * 2000)


def test_an_error_names_the_offset_in_the_whole():
    for function, data, offset in (
        (apdu.unpack_bitmaps, b"\x27\x00\xfe", 2),
        (apdu.unpack_bitmaps, b"\x27\x00\x49\x0a\x78", 3),
        (apdu.unpack_tlv, b"\x24\x05\x07\x01A\x07\x05", 5),
        (apdu.unpack, b"\x06\x31\x05\x00", 2),
        (apdu.unpack_status, b"\xf0\xf0\xf1A", 4),
    ):
        try:
            function(data)
            raise AssertionError(data)
        except ApduError as error:
            assert str(error).startswith("offset %d: " % offset), error


def test_a_status_completion_has_a_version_or_none_and_a_status_byte():
    tlv = [(0x1F55, b"\x00\x04")]
    assert apdu.unpack_status(pack_status("2.14.15", 0)) == ("2.14.15", 0, [])
    assert apdu.unpack_status(pack_status(None, 0x9C)) == (None, 0x9C, [])
    assert apdu.unpack_status(pack_status("2.9", 0xDF, tlv)) == ("2.9", 0xDF, tlv)
    for data in (b"", b"\xf0\xf0\xf72.14.15", b"\xf0\xf0\xf9cut", b"\xf0\xf0\x00", b"\x00\x99"):
        assert refused(apdu.unpack_status, data), data


def test_what_is_composed_is_read_back():
    fields = [("amount", 999999999999), ("currency", 756), ("result_code", 0x6C), ("receipt", 9999), ("text", "abc")]
    assert apdu.unpack_bitmaps(pack_bitmaps(fields)) == dict(fields)


def test_random_bytes_are_read_or_refused_with_a_clear_error():
    chance = Chance()
    read = 0
    for _ in range(2000):
        data = chance.one_of((b"", b"\x06", b"\x04\x00\x00", b"\x22\xf0", b"\xf0\xf0\xf2ab")) + chance.bytes(
            chance.below(24)
        )
        for function in (apdu.unpack, apdu.unpack_bitmaps, apdu.unpack_tlv, apdu.unpack_status):
            try:
                function(data)
                read += 1
            except ApduError:
                pass
    assert read > 50
