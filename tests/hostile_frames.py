"""Frames of all kinds from a seed, as they should be and as a bad line or a hostile client makes them."""

import json
import random
from pathlib import Path

from firmware_agent.wire import hdlc, smp

from .device.frame_reader import CBOR, SMP, STREAM

_GOLDEN = Path(__file__).parent / "golden"
MESSAGES = [bytes.fromhex(record["hex"]) for record in json.loads((_GOLDEN / "messages.json").read_text())]
REQUESTS = [message for message in MESSAGES if not message[0] & 1]
FRAMES = [bytes.fromhex(record["hex"]) for record in json.loads((_GOLDEN / "frames.json").read_text())]
_ODD = (
    b"\x00",
    b"\xff",
    b"\x1b\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\x3b\x7f\xff\xff\xff\xff\xff\xff\xff",
    b"\x9f",
    b"\xbf",
)
_ODD += (
    b"\xf7",
    b"\xfa\x00\x00\x00\x00",
    b"\x61\xff",
    b"\x62\xc0\x80",
    b"\x63\xed\xa0\x80",
    b"\x64\xf4\x90\x80\x80",
    b"\xa1\x80",
)
_ODD += (
    b"\x06\x09",
    b"\x04\x14",
    b"~",
    b"}",
    b"}]",
    b"\n",
    b"=",
    b"==",
    b"A",
    b"\xd8\x20",
    b"\x9a\xff\xff\xff\xff",
    b"\x5a\x7f",
)


def mutated(chance, data):
    """`data` with one to three faults: a flipped bit, a lost, doubled or odd piece, another byte, a cut."""
    for _ in range(chance.choice((1, 1, 2, 3))):
        at = int(chance.random() * (len(data) + 1))
        fault = int(chance.random() * 6)
        if fault == 0:
            data = (
                data[:at] + bytes((data[at] ^ 1 << int(chance.random() * 8),)) + data[at + 1 :]
                if at < len(data)
                else b""
            )
        elif fault == 1:
            data = data[:at] + data[at + 1 + int(chance.random() * 3) :]
        elif fault == 2:
            data = data[: at + 1 + int(chance.random() * 8)] + data[at:]
        elif fault == 3:
            data = data[:at] + chance.choice(_ODD) + data[at + int(chance.random() * 3) :]
        elif fault == 4:
            data = data[:at] + chance.randbytes(1) + data[at + 1 :]
        else:
            data = data[:at]
    return data


def body(chance):
    """A CBOR body: one of the golden ones with some of its numbers changed and harmed, or anything."""
    if chance.random() < 0.05:
        return chance.randbytes(int(chance.random() * 40))
    return mutated(chance, chance.choice(MESSAGES)[8:])


def message(chance, of=MESSAGES):
    """An SMP message whose header fits its body, which is harmed; or a harmed one."""
    whole = chance.choice(of)
    if chance.random() < 0.1:
        return mutated(chance, whole)
    header, its = smp.unpack(whole)
    if chance.random() < 0.1:
        header.command = int(chance.random() * 20)
    return smp.pack(header, mutated(chance, its) if chance.random() < 0.9 else its)


def frame(chance):
    """(kind, bytes) of something to be read: whole frames of harmed bodies, and harmed frames."""
    turn = chance.random()
    if turn < 0.4:
        return CBOR, body(chance)
    if turn < 0.75:
        lines = smp.frame(message(chance))
        return SMP, mutated(chance, lines) if chance.random() < 0.6 else lines
    if chance.random() < 0.5:
        return STREAM, mutated(chance, chance.choice(FRAMES))
    return STREAM, hdlc.pack(mutated(chance, chance.choice(FRAMES)[1:-5])[: hdlc.LONGEST])


def corpus(seed, count):
    """Yields so many (kind, bytes)."""
    chance = random.Random(seed)
    for _ in range(count):
        yield frame(chance)


def written(frames):
    """As frame_reader.digests reads them."""
    return b"".join(bytes((kind, len(data) >> 8, len(data) & 0xFF)) + data for kind, data in frames)
