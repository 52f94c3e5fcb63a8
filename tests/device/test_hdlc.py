"""Frames in the manner of RFC 1662."""

from binascii import crc32

from firmware_agent.wire import hdlc

from .chance import Chance

RAW = (3, 4, 6, 10, 13, 0x11, 0x13)  # never on the line: Ctrl-C, SMP, line ends, flow control


def test_a_frame_is_as_rfc_1662_says():
    # FCS-32 of "123456789" is CBF43926, least byte first
    assert hdlc.pack(b"123456789") == b"~123456789\x26\x39\xf4\xcb~"
    assert hdlc.pack(b"}~")[1:5] == b"}]}^"
    assert hdlc.unpack(b"123456789\x26\x39\xf4\xcb") == b"123456789"


def test_every_byte_survives_and_none_can_be_taken_for_something_else():
    for byte in range(256):
        for body in (bytes((byte,)), bytes((byte,)) * 5, bytes((0x7D, byte)), bytes((byte, 0x7D, 0x5D))):
            frame = hdlc.pack(body)
            assert frame[:1] == frame[-1:] == hdlc.FLAG and frame.count(hdlc.FLAG) == 2
            assert not [one for one in RAW if bytes((one,)) in frame], frame
            assert hdlc.unpack(frame[1:-1]) == body


def test_bodies_of_every_length_come_back():
    chance = Chance()
    for size in (1, 2, 3, 255, 256, 1000, hdlc.LONGEST):
        body = chance.bytes(size)
        assert hdlc.unpack(hdlc.pack(body)[1:-1]) == body
    assert len(hdlc.pack(b"~" * hdlc.LONGEST)) <= 2 * (hdlc.LONGEST + 4) + 2 < 4096


def test_what_is_no_frame_gives_nothing():
    whole = hdlc.pack(b"body")[1:-1]
    for data in (b"", b"}", b"abc", b"\0\0\0\0", whole[:-1], whole[1:], whole + b"}", b"}" + whole, whole + whole):
        assert hdlc.unpack(data) is None, data
    long = b"x" * (hdlc.LONGEST + 1)
    assert hdlc.unpack(long + crc32(long).to_bytes(4, "little")) is None


def test_no_flipped_bit_of_a_frame_goes_unseen():
    body = bytes(range(64)) + b"}~"
    frame = hdlc.pack(body)
    for at in range(len(frame)):
        for bit in range(8):
            broken = bytearray(frame)
            broken[at] ^= 1 << bit
            found = [one for one in [hdlc.unpack(piece) for piece in bytes(broken).split(hdlc.FLAG)] if one]
            assert found == [] or found == [body]  # a flag that is broken leaves the rest as it was
