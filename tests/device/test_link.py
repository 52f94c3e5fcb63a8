"""The link: frames and a person's lines over one serial port, however the bytes arrive."""

import asyncio

from firmware_agent.link import Link
from firmware_agent.service import Service
from firmware_agent.wire import cbor, smp

from .bench import ABOUT, Clock
from .cable import Cable, CableEnds, messages
from .chance import Chance

HEAP = "160k"  # a board's packs hold more modules than the link needs


class Bare:
    """What echo and the console's help need of an agent."""

    about = ABOUT
    clock = Clock()


async def told(*chunks):
    """(Link, answers as [(sequence, echoed text)], the rest of what it wrote) after these reads."""
    cable = Cable(chunks)
    agent = Bare()
    link = Link(cable, Service(agent), agent)
    try:
        await link.run()
    except CableEnds:
        pass
    found, other = messages(cable.sent)
    answers = []
    for message in found:
        header, body = smp.unpack(message)
        answers.append((header.sequence, cbor.decode(body)["r"]))
    return link, answers, other


def echo(sequence, text="hello"):
    return smp.frame(smp.pack(smp.Header(2, 0, 0, sequence), cbor.encode({"d": text})))


LONG = "long " * 60  # takes four lines
HELP = b"help                              this text"


async def test_a_frame_is_answered_once():
    _, answers, other = await told(echo(7))
    assert answers == [(7, "hello")] and other == b""


async def test_a_frame_cut_anywhere_is_answered_once():
    frame = echo(7, "x" * 120)
    for at in range(len(frame) + 1):
        _, answers, other = await told(frame[:at], frame[at:])
        assert answers == [(7, "x" * 120)] and other == b"", at


async def test_frames_byte_by_byte_and_all_at_once_are_answered_in_order():
    data = echo(1) + echo(2, LONG) + echo(3)
    expected = [(1, "hello"), (2, LONG), (3, "hello")]
    assert (await told(data))[1:] == (expected, b"")
    assert (await told(*[data[at : at + 1] for at in range(len(data))]))[1:] == (expected, b"")


async def test_noise_before_a_frame_does_not_cost_the_frame_however_long_and_however_cut():
    for noise in (
        b"\x00",
        b"\xff" * 50,
        b"\x06",
        b"\x04",
        b"\x06\x06",
        b"~" * 126,
        b"n" * 127,
        b"\xaa" * 300,
        b"z" * 400,
    ):
        for cut in (0, 1, 2, len(noise), len(noise) + 1, len(noise) + 2):
            data = noise + echo(9)
            _, answers, _ = await told(data[:cut], data[cut:])
            assert answers == [(9, "hello")], (noise[:4], len(noise), cut)
        data = noise + echo(9)
        _, answers, _ = await told(*[data[at : at + 1] for at in range(len(data))])
        assert answers == [(9, "hello")], (noise[:4], len(noise))


async def test_a_frame_in_the_midst_of_a_typed_line_is_answered_and_the_line_is_no_command():
    for typed in (b"he", b"help", b"check 1 2"):
        link, answers, other = await told(typed, echo(4))
        assert answers == [(4, "hello")] and other == typed and (link.dropped, link.resyncs) == (len(typed), 1)
        _, answers, other = await told(typed + echo(4) + b"help\r")
        assert answers == [(4, "hello")] and other.count(HELP) == 1


async def test_a_frame_that_ends_in_cr_lf_or_cr_is_answered_once():
    for end in (b"\r\n", b"\r", b"\n\n"):
        _, answers, _ = await told(echo(5)[:-1] + end)
        assert answers == [(5, "hello")]


async def test_a_damaged_frame_is_counted_and_the_next_one_answered():
    for at in range(2, 20):
        frame = bytearray(echo(1))
        frame[at] ^= 1
        link, answers, _ = await told(bytes(frame) + echo(2))
        # a length that became longer is no damage yet: the next frame shows that the rest never came
        assert answers == [(2, "hello")] and (link.damaged == 1 or at < 5), at


async def test_half_a_frame_and_then_silence_is_forgotten():
    whole = echo(1, LONG)
    for half in (whole[:1], whole[:40], whole[:127], whole[:200]):
        _, answers, other = await told(half, b"", b"", echo(2))
        assert answers == [(2, "hello")], half
        _, answers, other = await told(half, b"", b"", b"help\r")
        assert answers == [] and other.count(HELP) == 1, half


async def test_a_pause_shorter_than_that_loses_nothing():
    whole = echo(1, LONG)
    for at in (1, 40, 127, 200):
        _, answers, _ = await told(whole[:at], b"", whole[at:])
        assert answers == [(1, LONG)]


async def test_a_frame_that_a_new_one_interrupts_is_dropped_and_the_new_one_answered():
    for cut in (2, 30, 127, 150):
        _, answers, _ = await told(echo(1, LONG)[:cut] + echo(2))
        assert answers == [(2, "hello")], cut


async def test_a_person_gets_text_a_prompt_and_carriage_returns():
    _, answers, other = await told(b"help\r")
    assert answers == [] and other.startswith(b"help\r\n" + HELP) and other.endswith(b"\r\n> ")
    assert other.count(b"\n") == other.count(b"\r\n")
    for end in (b"\r", b"\n", b"\r\n"):
        assert (await told(end))[2] == b"\r\n> "


def screen(data):
    """What a terminal shows of its last line after these bytes."""
    shown = []
    at = 0
    for byte in data.split(b"\n")[-1]:
        if byte == 13:
            at = 0
        elif byte == 8:
            at = max(0, at - 1)
        else:
            shown[at : at + 1] = [chr(byte)]
            at += 1
    return "".join(shown).rstrip()


async def test_a_person_sees_what_was_typed_as_it_stands():
    for keys, seen in (
        (b"help", "help"),
        (b"hex\x08lp", "help"),
        (b"hexx\x7f\x7flp 4", "help 4"),
        (b"ab\x08\x08\x08c", "c"),
        (b"check 1 2\x15help", "help"),
        (b"no\x15", ""),
        (b"\x08\x15", ""),
        (b"x" * 60 + b"\x08" * 60 + b"y", "y"),
    ):
        _, _, other = await told(keys)
        assert screen(other) == seen, keys
        _, _, other = await told(*[keys[at : at + 1] for at in range(len(keys))])
        assert screen(other) == seen, keys
        _, _, other = await told(*[keys[at : at + 1] for at in range(len(keys))] + [b"\r"])
        assert screen(other[: other.find(b"\r\n")]) == seen and screen(other) == ">", keys


async def test_nothing_of_a_frame_is_ever_shown():
    for frame in (echo(1), echo(1, LONG), b"\x04\x14AAAA\n", b"~body~", b"\x06", b"\x06\x09AAAA"):
        for pieces in ([frame], [frame[at : at + 1] for at in range(len(frame))]):
            _, _, other = await told(*pieces)
            assert other == b"", frame


async def test_noise_and_lines_too_long_are_not_shown():
    for noise in (b"\xff\xfe", b"\x01AT\r", b"\x00\r", b"he\x1b[Alp"):
        _, _, other = await told(noise)
        assert other == b"", noise
    _, _, other = await told(*[b"x"] * 100)
    assert other == b"x" * 80


async def test_a_full_card_number_is_not_shown_to_its_end():
    for typed in (b"4111111111111111", b"check 4111 1111 1111 1111 5", b"explain 4111-1111-1111-1111"):
        for pieces in ([typed], [typed[at : at + 1] for at in range(len(typed))]):
            _, _, other = await told(*pieces)
            digits = b"".join([one for one in [other[at : at + 1] for at in range(len(other))] if one.isdigit()])
            assert digits[:10] == b"4111111111" and len(digits) < 12, typed
    typed = b"check 9999 12345678.90"
    assert (await told(typed))[2] == b"check 9999 123456**.90"


async def test_what_went_each_way_is_counted():
    link, _, _ = await told(echo(1) + echo(2, LONG), b"help\r", b"zz" + echo(3), b"\x06\x09!\n")
    assert (link.frames_in, link.frames_out, link.damaged, link.dropped, link.resyncs, link.cuts) == (3, 3, 1, 2, 1, 0)
    assert link.bytes_in == len(echo(1) + echo(2, LONG) + b"help\rzz" + echo(3) + b"\x06\x09!\n")
    assert link.bytes_out == len(link.serial.sent)
    link, _, _ = await told(OSError(5), b"", OSError(5), b"", echo(1))
    assert (link.cuts, link.frames_in) == (2, 1)
    link, _, _ = await told(b"z" * 300 + echo(1))
    assert (link.dropped, link.resyncs) == (300, 1)
    link, _, _ = await told(b"z" * 300, echo(1))
    assert (link.dropped, link.resyncs) == (300, 1)


async def test_backspace_and_delete_take_back_a_letter():
    for line in (b"hel\x08lp\r", b"hx\x7felp\r", b"\x08\x08help\r", b"no\x08\x08help\r"):
        assert (await told(line))[2].count(HELP) == 1, line


async def test_a_line_typed_letter_by_letter_with_pauses_is_one_line():
    _, _, other = await told(b"h", b"", b"", b"", b"el", b"", b"p", b"\r")
    assert other.count(HELP) == 1


async def test_control_characters_make_a_line_no_command():
    for line in (b"\x01help\r", b"help\x03\r", b"\x1b[Ahelp\r", b"he\xfflp\r"):
        link, _, other = await told(line + b"help\r")
        assert other.count(HELP) == 1 and link.dropped == len(line) - 1, line


async def test_a_line_too_long_is_dropped_to_its_end_and_counted():
    for size in (81, 126, 127, 128, 500, 5000):
        line = b"x" * (size - 5) + b" help"
        link, _, other = await told(line + b"\r", b"help\r")
        assert other.count(HELP) == 1 and link.dropped >= size - 5, size
        data = line + b"\rhelp\r"
        _, _, other = await told(*[data[at : at + 50] for at in range(0, len(data), 50)])
        assert other.count(HELP) == 1, size


async def test_the_rest_of_a_line_too_long_is_no_command_of_its_own():
    for size in (128, 200, 700):
        _, _, other = await told(b"x" * size, b"help\r")
        assert HELP not in other
        _, _, other = await told(b"x" * size, b"help\r", b"help\r")
        assert other.count(HELP) == 1
        _, _, other = await told(b"x" * size, b"", b"", b"help\r")
        assert other.count(HELP) == 1  # after a pause it is another line


async def test_a_frame_line_too_long_is_no_frame_and_the_next_one_is_answered():
    for size in (127, 128, 400):
        line = b"\x06\x09" + b"A" * (size - 2) + b"\n"
        _, answers, _ = await told(line + echo(3))
        assert answers == [(3, "hello")]
        _, answers, _ = await told(line[:130], line[130:], echo(3))
        assert answers == [(3, "hello")]


async def test_a_pulled_cable_forgets_what_was_half_there_and_serves_the_next_one():
    _, answers, other = await told(echo(1, LONG)[:60], OSError(5), b"", echo(2))
    assert answers == [(2, "hello")]
    _, _, other = await told(b"xx", OSError(5), b"", b"help\r")
    assert other.count(HELP) == 1


async def test_random_traffic_in_random_pieces_is_answered_exactly_as_in_one_piece():
    """Frames, lines and noise in any cut: each frame gets one answer, none is lost, none comes twice."""
    chance = Chance()
    for turn in range(60):
        data = b""
        expected = []
        lines = 0
        for sequence in range(1 + chance.below(6)):
            kind = chance.below(4)
            if kind == 0:
                data += b"help\r"
                lines += 1
            elif kind == 1:
                data += b"abc\x00 noise" * chance.below(30) + b"\n"
            elif kind == 2:
                data += b"#" * chance.below(300)  # a frame behind it ends it, a line would be part of it
                data += echo(sequence)
                expected.append((sequence, "hello"))
            else:
                text = LONG[: chance.below(300)]
                data += echo(sequence, text)
                expected.append((sequence, text))
        pieces = []
        while data:
            size = 1 + chance.below(chance.one_of((2, 20, 400)))
            pieces.append(data[:size])
            data = data[size:]
        _, answers, other = await told(*pieces)
        assert answers == expected, turn
        assert other.count(HELP) == lines, turn


async def test_what_waited_while_nobody_was_plugged_in_is_stale_and_not_answered():
    _, answers, _ = await told(OSError(5), echo(1), echo(2), b"", echo(3))
    assert answers == [(3, "hello")]


async def test_a_second_line_is_answered_like_the_first():
    assert (await told(b"help\r", b"help\rhelp\r"))[2].count(HELP) == 3


class Slow:
    """A service whose answer takes a second."""

    def __init__(self, agent):
        self.agent = agent

    async def answer(self, message):
        for _ in range(10):
            self.agent.clock.now += 100
            await self.agent.link.at_work()
        return await Service(self.agent).answer(message)


async def test_who_waits_long_hears_that_it_is_worked_on_and_nobody_else_does():
    agent = Bare()
    agent.clock = Clock()
    cable = Cable((echo(1),))
    agent.link = link = Link(cable, Slow(agent), agent)
    for _ in range(10):
        agent.clock.now += 1000
        await link.at_work()
    assert cable.sent == b""
    try:
        await link.run()
    except CableEnds:
        pass
    sign = b"~\x82}$\x00\xf8\xd3\x9cy~"  # at_work of tests/golden/frames.json
    assert cable.sent.startswith(10 * sign) and sign not in cable.sent[10 * len(sign) :]
    assert len(messages(cable.sent[10 * len(sign) :])[0]) == 1


async def test_who_asks_without_a_pause_keeps_nobody_from_working():
    turns = []

    async def others():
        while True:
            turns.append(1)
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    _, answers, _ = await told(b"".join(echo(number) for number in range(50)))
    task.cancel()
    assert len(answers) == 50 and len(turns) >= 50
