"""SMP: header and console framing."""

from firmware_agent.wire import smp

from .chance import Chance

# `smpmgr os echo hello`, as the package smp 4.2 writes it.
ECHO = b"\x06\x09ABMKAAAJAAABAKFhZGVoZWxsbxvT\n"


def put_together(data):
    """The messages in console lines, None for each damaged one."""
    assembler = smp.Assembler()
    messages = []
    for line in data.split(b"\n")[:-1]:
        try:
            message = assembler.add(line)
        except ValueError:
            message = None
            messages.append(None)
        if message is not None:
            messages.append(message)
    return messages


def test_the_checksum_is_that_of_xmodem():
    assert smp.crc16(b"123456789") == 0x31C3
    assert smp.crc16(b"") == 0


def test_a_header_is_packed_as_the_standard_says():
    message = smp.pack(smp.Header(2, 82, 2, 5, 1), b"\xa0")
    assert message == bytes((0x0A, 0, 0, 1, 0, 82, 5, 2, 0xA0))
    header, body = smp.unpack(message)
    assert (header.op, header.group, header.command, header.sequence, header.version) == (2, 82, 2, 5, 1)
    assert body == b"\xa0"
    answer = header.answer()
    assert (answer.op, answer.group, answer.command, answer.sequence, answer.version) == (3, 82, 2, 5, 1)


def test_a_message_of_another_length_than_it_says_is_refused():
    message = smp.pack(smp.Header(0, 0, 0), b"\xa0\xa0")
    for data in (b"", message[:7], message[:-1], message + b"\x00"):
        try:
            smp.unpack(data)
        except ValueError:
            continue
        assert False, data


def test_every_size_survives_the_lines_and_no_line_is_too_long():
    chance = Chance()
    for size in tuple(range(8, 200, 7)) + (91, 92, 93, 184, 2047, 2048):
        message = chance.bytes(size)
        lines = list(smp.lines(message))
        for index, line in enumerate(lines):
            assert len(line) <= 127 and line[-1:] == b"\n" and line.count(b"\n") == 1
            assert line[:2] == (smp.GOES_ON if index else smp.START)
        assert put_together(smp.frame(message)) == [message]


def test_a_changed_byte_never_makes_another_message():
    chance = Chance()
    frame = smp.frame(chance.bytes(150))
    for at in range(len(frame)):
        damaged = bytearray(frame)
        damaged[at] ^= 1 << chance.below(7)
        for message in put_together(bytes(damaged) + b"\n"):
            assert message is None or at < 2 or message == put_together(frame)[0], at


def test_the_assembler_is_ready_again_after_whatever_came():
    good = smp.frame(b"12345678")
    for bad in (
        b"\x04\x14AAAA\n",  # goes on without a beginning
        b"\x06\x09\n", b"\x06\x09A\n", b"\x06\x09AA==\n",  # no length
        b"\x06\x09!!!!\n", b"\x06\x09AAA\n",
        b"\x06\x09//8A\n",  # 65535 bytes to come
        b"\x06\x09AAkAAAAA\n",  # shorter than a header
        good[:-1] + b"AAAA\n",  # longer than it says
        smp.frame(b"x" * 150)[:127],  # the rest is missing
    ):  # fmt: skip
        assert put_together(bad + good)[-1] == b"12345678", bad
