"""ZVT frames: golden bytes, doubled bytes, damage, and noise between frames."""

from hal.terminals.zvt.frame import ACK, NAK, Receiver, crc16, pack

from .chance import Chance

# A completion of a real terminal, with its checksum as captured.
CAPTURED = b"\x06\x0f\x0b\xf0\xf0\xf72.14.15\x00"
FRAMED = b"\x10\x02" + CAPTURED + b"\x10\x03\xb1\x11"


def fed(*chunks):
    receiver = Receiver()
    tokens = []
    for chunk in chunks:
        tokens += receiver.feed(chunk)
    return tokens


def test_the_checksum_is_that_of_kermit():
    assert crc16(b"123456789") == 0x2189
    assert crc16(b"56789", crc16(b"1234")) == 0x2189


def test_a_captured_frame_is_written_and_read_byte_for_byte():
    assert pack(CAPTURED) == FRAMED
    assert fed(FRAMED) == [CAPTURED]


def test_a_byte_10_is_doubled_on_the_line_and_single_in_the_apdu():
    apdu = b"\x06\x31\x03\x10\x03\x10"
    frame = pack(apdu)
    assert frame[:-4] == b"\x10\x02\x06\x31\x03\x10\x10\x03\x10\x10"
    assert fed(frame) == [apdu]


def test_frames_in_any_cut_are_the_same_tokens():
    chance = Chance()
    for _ in range(60):
        apdus = [b"\x04\x0f" + chance.bytes(1 + chance.below(40)).replace(b"\x07", b"\x10") for _ in range(3)]
        data = b""
        expected = []
        for apdu in apdus:
            data += bytes((ACK,)) + pack(apdu) + bytes((NAK,))
            expected += [ACK, apdu, NAK]
        pieces = []
        while data:
            size = 1 + chance.below(9)
            pieces.append(data[:size])
            data = data[size:]
        assert fed(*pieces) == expected


def test_bytes_of_any_kind_are_the_same_tokens_whole_and_one_by_one():
    chance = Chance()
    for _ in range(400):
        data = b""
        for _ in range(chance.below(6)):
            what = chance.below(4)
            if what == 0:
                data += FRAMED[: chance.below(len(FRAMED) + 1)]
            elif what == 1:
                data += pack(b"\x10" * chance.below(9) + b"\x02A")
            else:
                data += b"".join([chance.one_of((b"\x10", b"\x02", b"\x03", b"\x06", b"A")) for _ in range(9)])
        receiver, single = Receiver(6), Receiver(6)
        tokens = []
        for at in range(len(data)):
            tokens += single.feed(data[at : at + 1])
        assert receiver.feed(data) == tokens and receiver.inside == single.inside, data


def test_a_changed_bit_is_never_taken_for_a_frame():
    for at in range(len(FRAMED)):
        for bit in range(8):
            damaged = bytearray(FRAMED)
            damaged[at] ^= 1 << bit
            tokens = fed(bytes(damaged), b"\x00" * 4, FRAMED)
            assert tokens[-1] == CAPTURED, (at, bit)
            assert [token for token in tokens[:-1] if isinstance(token, bytes)] == [], (at, bit)


def test_noise_between_frames_is_dropped_and_acknowledgements_inside_frames_are_data():
    assert fed(b"\x00\xff\x41" + FRAMED + b"\x42" + bytes((ACK,))) == [CAPTURED, ACK]
    apdu = b"\x04\x0f\x02\x06\x15"
    assert fed(pack(apdu)) == [apdu]


def test_a_frame_begun_anew_counts_from_there():
    assert fed(b"\x10\x02\x06\x0f\x05" + FRAMED) == [CAPTURED]


def test_a_frame_too_long_is_refused_at_its_bound_and_the_next_one_is_read():
    tokens = fed(b"\x10\x02" + b"A" * 1030 + b"\x06\x15" + b"A" * 50, FRAMED)
    assert tokens == [None, CAPTURED]


def test_a_cut_frame_is_forgotten_on_reset():
    receiver = Receiver()
    assert receiver.feed(FRAMED[:7]) == [] and receiver.inside
    assert receiver.reset() and not receiver.inside
    assert not receiver.reset()
    assert receiver.feed(FRAMED) == [CAPTURED]
