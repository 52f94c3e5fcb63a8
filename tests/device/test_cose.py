"""Signed envelopes: read where they lie, strictly, and believed only with a signature of a key we know."""

import hashlib

from firmware_agent.wire import cbor, cose
from firmware_agent.wire.errors import WireError

from .chance import Chance


def from_hex(text):
    return bytes(int(text[at : at + 2], 16) for at in range(0, len(text), 2))


# RFC 8152, appendix C.2.1 (RFC 9052 has the same), and the public part of its key "11", appendix C.7.1
KEY = from_hex(
    "bac5b11cad8f99f9c72b05cf4b9e26d244dc189f745228255a219a86d6a09eff"
    "20138bf82dc1b6d562be0fa54ab7804a3a64b6d72ccfed6b6fb6ed28bbfc117e"
)
KEYS = {b"11": KEY}
CONTENT = b"This is the content."
SIGNATURE = from_hex(
    "8eb33e4ca31d1c465ab05aac34cc6b23d58fef5c083106c4d25a91aef0b0117e"
    "2af9a291aa32e14ab834dc56ed2a223444547e01f11d3b0916e5a4c345cacb36"
)
EXAMPLE = from_hex("d28443a10126a10442313154") + CONTENT + b"\x58\x40" + SIGNATURE

# The same content, signed for the examples of the COSE working group (sign1-tests); sign-fail-02 alters its last letter.
OTHER_SIGNATURE = from_hex(
    "eae868ecc176883766c5dc5ba5b8dca25dab3c2e56a551ce5705b793914348e1"
    "9f43d6c6ba654472da301b645b293c9ba939295b97c4bdb847782bff384c5794"
)

# Signed with the private key of the example: 1000 bytes with a kid that is protected, one as long as it may be, and no bytes.
LONG = bytes(at * 7 & 255 for at in range(1000))
LONGEST_KID = bytes(range(32))
SIGNED = (
    (
        b"till-policy",
        LONG,
        "fcad56fdaa785b092929134f34b4684cbc2247bb0a7424a225f0a3a2ff6be385"
        "f12233ab4d047f7ba52eb773deb3bd62e98b245ea53dda7c67152229a279a47c",
    ),
    (
        LONGEST_KID,
        LONG,
        "b48b244588b549fd21e6fcb9a917f3cb86e5c10a6803e8a2e1012e4aa955f87a"
        "588fd400edb639670197a5e933ece2a8530de0462b70ba043e8c29cb65d185b6",
    ),
    (
        None,
        b"",
        "5afa9fab06a81d956e2af24d33ca1b91d31a58180f5c20c33323de1abffab998"
        "8552d2ced21de0e7c79d7cc1e65023666e917007ef0e13f39474ef58ea5aeba2",
    ),
)

ALG = b"\xa1\x01\x26"  # {1: -7}


def with_kid(kid):
    """{1: -7, 4: kid}."""
    return b"\xa2\x01\x26\x04" + cbor.encode(kid)


def envelope(protected=ALG, unprotected=b"\xa0", payload=CONTENT, signature=SIGNATURE):
    parts = (cbor.encode(protected), unprotected, cbor.encode(payload), cbor.encode(signature))
    return b"\xd2\x84" + b"".join(parts)


def reader(data, end=None):
    """read(address, size) over `data`, that may be asked for nothing behind `end`."""

    def read(address, size):
        assert size > 0 and address + size <= (len(data) if end is None else end)
        return data[address : address + size]

    return read


def zeros(head, size, tail, asked):
    """read(address, size) over head, so many zeros, and tail; notes in `asked` how much was asked for."""
    end = len(head) + size

    def read(address, count):
        asked.append(count)
        stop = address + count
        between = max(0, min(stop, end) - max(address, len(head)))
        return head[address:stop] + bytes(between) + (tail[max(0, address - end) : stop - end] if stop > end else b"")

    return read


def opened(data):
    return cose.opened(reader(data), len(data))


def error(call, *given):
    """The name of the WireError that `call` ends with; any other exception ends the test."""
    try:
        call(*given)
    except WireError as found:
        return found.name
    return ""


def error_of(data, keys=KEYS):
    return error(cose.verified, reader(data), len(data), keys)


def test_the_example_of_the_rfc_is_verified():
    for data in (EXAMPLE, EXAMPLE[1:]):  # with tag 18 and without
        kid, address, size = cose.verified(reader(data), len(data), KEYS)
        assert kid == b"11" and data[address : address + size] == CONTENT


def test_the_examples_of_the_working_group():
    data = envelope(unprotected=b"\xa1\x04\x4211", signature=OTHER_SIGNATURE)
    assert error_of(data) == ""
    assert error_of(data.replace(b"content.", b"content/")) == "bad_signature"  # sign-fail-02
    assert error_of(b"\xd9\x03\xe6" + data[1:]) == "bad_message"  # sign-fail-01: tag 998
    # sign-pass-01: alg not protected, which we do not take
    assert error_of(envelope(b"\xa0", b"\xa2\x01\x26\x04\x4211")) == "bad_message"
    assert error_of(envelope(b"", b"\xa2\x01\x26\x04\x4211")) == "bad_message"


def test_a_protected_kid_a_long_payload_and_none():
    for kid, payload, signature in SIGNED:
        if kid:
            data = envelope(with_kid(kid), payload=payload, signature=from_hex(signature))
        else:
            kid = b"any"  # not signed: it only says which key to take
            data = envelope(unprotected=b"\xa1\x04" + cbor.encode(kid), payload=payload, signature=from_hex(signature))
        found, address, size = cose.verified(reader(data), len(data), {kid: KEY, b"11": bytes(64)})
        assert found == kid and data[address : address + size] == payload


def test_without_a_key_of_ours_nothing_is_believed():
    other = bytearray(KEY)
    other[40] ^= 1
    for keys in (
        {},
        {b"12": KEY},
        {b"": KEY},
        {b"1": KEY, b"111": KEY},
        {b"11": bytes(64)},
        {b"11": b""},
        {b"11": bytes(other)},
    ):
        assert error_of(EXAMPLE, keys) == "bad_signature"
    nameless = envelope()
    assert opened(nameless)[0] is None
    assert error_of(nameless) == "bad_signature"
    assert error_of(nameless, {b"": KEY}) == "bad_signature"


def test_what_is_signed_is_the_structure_of_the_rfc():
    for size in (0, 1, 23, 24, 255, 256, 257, 511, 512, 513, 1000):
        for protected in (ALG, with_kid(b"k"), with_kid(LONGEST_KID)):
            payload = LONG[:size]
            kid, _, length, signature, digest = opened(envelope(protected, payload=payload))
            structure = cbor.encode(["Signature1", protected, b"", payload])
            assert digest == hashlib.sha256(structure).digest()
            assert length == size and signature == SIGNATURE and kid == (protected[5 + (len(protected) > 28) :] or None)


def test_a_payload_larger_than_the_heap_is_read_in_pieces():
    size = 300000
    head = b"\x84\x43" + ALG + b"\xa1\x04\x41k\x5a" + size.to_bytes(4, "big")
    tail = b"\x58\x40" + SIGNATURE
    asked = []
    end = len(head) + size + len(tail)
    assert cose.opened(zeros(head, size, tail, asked), end)[:4] == (b"k", len(head), size, SIGNATURE)
    assert max(asked) == 256 and len(asked) < size // 256 + 30
    expected = hashlib.sha256(b"\x84\x6aSignature1\x43" + ALG + b"\x40\x5a" + size.to_bytes(4, "big"))
    for _ in range(size // 1000):
        expected.update(bytes(1000))
    assert cose.opened(zeros(head, size, tail, asked), end)[4] == expected.digest()


def test_a_length_has_its_shortest_form():
    tail = b"\x58\x40" + SIGNATURE
    for size, shortest, longer in (
        (0, "40", "5800"), (23, "57", "5817"), (24, "5818", "590018"), (255, "58ff", "5900ff"),
        (256, "590100", "5a00000100"), (65535, "59ffff", "5a0000ffff"), (65536, "5a00010000", "5b0000000000010000"),
    ):  # fmt: skip
        for length, name in ((shortest, ""), (longer, "bad_message")):
            head = b"\x84\x43" + ALG + b"\xa0" + from_hex(length)
            end = len(head) + size + len(tail)
            assert error(cose.opened, zeros(head, size, tail, []), end) == name, length


def test_every_cut_and_every_byte_behind_the_end_is_refused():
    for data in (EXAMPLE, envelope(with_kid(LONGEST_KID), payload=LONG[:300])):
        for size in range(len(data)):
            assert error(opened, data[:size]) == "bad_message", size
            assert error(cose.opened, reader(data, size), size) == "bad_message", size
        assert error(opened, data + b"\x00") == "bad_message"
        assert error(opened, data + data) == "bad_message"
        # a reader that has less than it said
        assert error(cose.opened, reader(data[:-1], len(data)), len(data)) == "bad_message"
        assert error(cose.opened, reader(data, len(data) + 1), len(data) + 1) == "bad_message"
    assert error(cose.opened, reader(b""), 0) == "bad_message"


def refused(*parts):
    """Whether the envelope of these parts is malformed; parts in hex."""
    return (
        error(opened, b"".join([from_hex(part) if isinstance(part, str) else part for part in parts])) == "bad_message"
    )


BODY = EXAMPLE[2:]  # behind tag and head of the array
BEHIND = b"\x54" + CONTENT + b"\x58\x40" + SIGNATURE  # payload and signature


def test_another_tag_or_frame_is_refused():
    assert not refused("84", BODY) and not refused("d284", BODY)
    for frame in (
        "83", "85", "9804", "9f", "a4", "44", "04", "f6",  # no array of four
        "d184", "d384", "d81284", "d86284", "d2d284", "d9d9f7d284",  # other tags, tags twice, a tag not in its shortest form
    ):  # fmt: skip
        assert refused(frame, BODY), frame
    assert refused("9f", BODY, "ff") and refused("85", BODY, "00") and refused("d284d2", BODY)


def test_any_other_protected_header_is_refused():
    for content in (
        "", "a0", "80", "f6", "a1", "a101", "a10127", "a10125", "a1013822", "a10107", "a10026", "a10226", "a12026",  # alg
        "a101654553323536", "a1613126", "a1180126", "a1013806", "b80126", "b8010126", "bf0126ff", "a1012600", "a10126a10126",
        "a201260126", "a20441310126", "a20126034131", "a20126028104", "a20126054131", "a30126044131034100",  # others
        "a20126", "a2012604", "a201260440", "a20126046131", "a201260431", "a2012604f6", "a20126045f4131ff",  # kid
        "a20126044131a0", "a2012604580131", "a201260459000131", "a20126045821" + "31" * 33,
        "b8020126044131", "a2180126044131", "a2012618044131",
    ):  # fmt: skip
        protected = cbor.encode(from_hex(content))
        for unprotected in ("a0", "a104423131"):
            assert refused("84", protected, unprotected, BEHIND), content
    for protected in "a10126 63a10126 5803a10126 590003a10126 5f43a10126ff 42a10126 44a10126 f6 80".split():
        assert refused("84", protected, "a0", BEHIND), protected
    for length in range(24):  # of a header that is a2 01 26 04 41 31
        assert (length == 6) != refused("84", bytes((0x40 + length,)), "a20126044131", "a0", BEHIND), length


def test_any_other_unprotected_header_is_refused():
    assert not refused("8443", ALG, "a1045820" + "31" * 32, BEHIND)
    for unprotected in (
        "", "80", "40", "f6", "b800", "bfff", "bf044131ff", "a1", "a104", "a10440", "a10431", "a104f6", "a1046131",
        "a1054131", "a10126", "a20126044131", "a118044131", "a104580131", "a1045f4131ff", "a2044131044131", "a20441310540",
        "a1024104", "a1045821" + "31" * 33, "a2044131034100", "a0a0", "a11b" + "00" * 7 + "044131", "a1045fff",
        "a1045b" + "ff" * 8,
    ):  # fmt: skip
        assert refused("8443", ALG, unprotected, BEHIND), unprotected
    assert refused("8446a20126044131", "a1044131", BEHIND)  # RFC 9052, 3: no label in both headers


def test_a_payload_or_signature_of_another_form_is_refused():
    for head in (
        "", "53", "55", "74", "5814", "590014", "5a00000014", "5b0000000000000014", "5b" + "ff" * 8, "5affffffff", "5c",
    ):  # fmt: skip
        assert refused("8443", ALG, "a0", head, CONTENT, "5840", SIGNATURE), head
    assert refused("8443", ALG, "a0", "f6", "5840", SIGNATURE)  # detached
    assert refused("8443", ALG, "a0", "5f54", CONTENT, "ff5840", SIGNATURE)
    for head in ("", "40", "583f", "5841", "7840", "590040", "9840", "5f5840", "d25840"):
        assert refused("8443", ALG, "a0", "54", CONTENT, head, SIGNATURE), head
    for signature in ("", "40", "f6", "80"):
        assert refused("8443", ALG, "a0", "54", CONTENT, signature), signature
    assert refused("8443", ALG, "a0", "54", CONTENT, "583f", SIGNATURE[1:])
    assert refused("8443", ALG, "a0", "54", CONTENT, "5841", SIGNATURE, "00")


class Broken(Exception):
    pass


def test_what_the_reader_raises_passes_through():
    def read(address, size):
        raise Broken()

    try:
        cose.opened(read, 200)
    except Broken:
        return
    assert False


def test_bytes_altered_by_chance_are_never_believed_and_end_in_no_other_error():
    chance = Chance()
    names = {"bad_message": 0, "bad_signature": 0}
    for _ in range(300):
        data = bytearray(EXAMPLE)
        for _ in range(1 + chance.below(3)):
            at = chance.below(len(data))
            data[at] = (data[at] + 1 + chance.below(255)) & 255
        if bytes(data) != EXAMPLE:
            names[error_of(bytes(data))] += 1
    assert names["bad_message"] > 30 and names["bad_signature"] > 30


def test_bytes_by_chance_are_refused():
    chance = Chance()
    for _ in range(1000):
        data = chance.one_of((b"", b"\x84", b"\xd2\x84", EXAMPLE[:5], EXAMPLE[:11])) + chance.bytes(chance.below(90))
        assert error(opened, data) in ("bad_message", "")
