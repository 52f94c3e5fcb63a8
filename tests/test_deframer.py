"""The laptop's reader of the stream's frames: every body, whatever the cuts, and what is no frame is left to others."""

import random

from firmware_agent.wire import hdlc
from host_tools.deframer import Deframer


def some_bodies(chance, count):
    """Bodies, also of the bytes that are escaped alone, and of every length."""
    for _ in range(count):
        kind = chance.randrange(3)
        size = chance.choice((1, 2, 5, 60, 256, hdlc.LONGEST))
        alphabet = (bytes(range(256)), b"}]~^", b"\x03\x04\x06\n\r\x11\x13}~")[kind]
        yield bytes(chance.choices(alphabet, k=chance.randint(1, size)))


def test_every_body_comes_back_however_the_bytes_are_cut():
    chance = random.Random(6)
    for most in (1, 3, 50, 5000):
        bodies = list(some_bodies(chance, 200))
        data = b"".join(hdlc.pack(body) for body in bodies)
        deframer = Deframer()
        read = []
        while data:
            size = chance.randint(1, most)
            read += deframer.feed(data[:size])
            data = data[size:]
        assert read == bodies
        assert (deframer.frames, deframer.damaged, deframer.dropped, deframer.other()) == (200, 0, 0, b"")


def test_it_reads_what_the_plain_reader_of_one_frame_reads():
    chance = random.Random(7)
    good = 0
    for body in some_bodies(chance, 5000):
        frame = bytearray(hdlc.pack(body))
        for _ in range(chance.randrange(3)):
            frame[chance.randrange(len(frame))] ^= 1 << chance.randrange(8)
        plain = [found for found in map(hdlc.unpack, bytes(frame).split(b"~")) if found is not None]
        read = Deframer().feed(bytes(frame) + b"~")
        # a reader of many takes an escape that nobody writes for what it would stand for: then the checksum decides
        assert read == plain or (not plain and read == [body])
        good += len(plain)
    assert good > 1500


def test_lines_between_frames_are_left_to_others():
    smp = b"\x06\x09AAAA\n\x04\x14BBBB\n"
    for share in (b"", b"~"):
        data = b"help\r\n" + hdlc.pack(b"one") + smp + hdlc.pack(b"two")[:-1] + share + hdlc.pack(b"three") + b"> x\n"
        for size in (1, 2, 7, len(data)):
            deframer = Deframer()
            read = []
            for at in range(0, len(data), size):
                read += deframer.feed(data[at : at + size])
            assert read == [b"one", b"two", b"three"]
            assert deframer.other() == b"help\r\n" + smp + b"> x\n" and deframer.other() == b""
            assert deframer.damaged == 0


def test_damage_costs_one_frame_and_is_counted():
    frames = [hdlc.pack(bytes([number]) * 40) for number in range(1, 4)]
    for at in range(len(frames[1])):
        broken = bytearray(frames[1])
        broken[at] ^= 1
        deframer = Deframer()
        read = deframer.feed(frames[0] + bytes(broken) + frames[2])
        assert read == [bytes([1]) * 40, bytes([3]) * 40]
        assert deframer.damaged >= 1 and deframer.resyncs == 1


def test_noise_without_a_flag_does_not_grow():
    deframer = Deframer()
    for _ in range(100):
        assert deframer.feed(b"\xff" * 1000) == []
        assert len(deframer._rest) <= 2056
    assert deframer.dropped > 97000
    assert deframer.feed(hdlc.pack(b"back")) == [b"back"] and deframer.resyncs == 1
