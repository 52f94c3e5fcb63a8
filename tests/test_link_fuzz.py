"""Mutated frames by the hundred thousand: every reader reads or refuses them in its own words, and reads the next one."""

import os
import random

import pytest

from firmware_agent.agent import Agent
from firmware_agent.service import Service
from firmware_agent.wire import cbor, hdlc, smp
from firmware_agent.wire.messages import GROUP, event
from host_tools.deframer import Deframer
from host_tools.link_reader import Reader
from host_tools.stream import Stream

from . import virtual_time
from .device import frame_reader
from .device.bench import ABOUT, SETTINGS, Paged, Ports
from .device.card_terminal import CardTerminal
from .hostile_frames import FRAMES, MESSAGES, REQUESTS, frame, message, mutated

DEEP = bool(os.environ.get("DEEP"))
READ = 800_000 if DEEP else 150_000  # by the agent's readers
HEARD = 100_000 if DEEP else 10_000  # messages to a whole agent
LINES = 200_000 if DEEP else 50_000  # pieces of a line to the laptop

FAULT = event("fault")


@pytest.fixture
def chance():
    seed = int(os.environ.get("SEED") or random.randrange(1 << 30))
    print(f"replay with SEED={seed}")
    return random.Random(seed)


def test_the_agents_readers_refuse_in_their_own_words(chance, record_count):
    """CBOR, SMP and the stream: any other exception than theirs ends this."""
    read = 0
    for _ in range(READ):
        kind, data = frame(chance)
        try:
            told = frame_reader.read(kind, data)
        except Exception as error:
            pytest.fail(f"{error!r} of {kind} {data.hex()}")
        read += told[:1] not in b"WV"
    assert READ // 10 < read < READ  # else the mutations are too mild, or too wild
    record_count("mutated frames read or refused by the agent's readers", READ)


def test_a_whole_agent_refuses_with_an_error_of_its_group_and_never_meets_a_fault(chance, record_count):
    terminal = CardTerminal()
    terminal.does(5000)
    agent = Agent(Ports(terminal, Paged(32768, 4096)), SETTINGS, ABOUT)
    service = Service(agent)
    faults, answers, errors = [], 0, 0

    async def tell_all():
        nonlocal answers, errors
        for turn in range(HEARD):
            data = message(chance, REQUESTS)
            before = agent.events.last
            answer = await service.answer(data)
            for one in agent.events.since(before, 4096)[0]:
                if cbor.decode(one.data)[2] == FAULT:
                    faults.append((data.hex(), cbor.decode(one.data)))
            if answer is not None:
                header, body = smp.unpack(answer)
                body = cbor.decode(body)
                answers += 1
                errors += "err" in body or "rc" in body
                assert header.group != GROUP or "rc" not in body or header.version == 0
            agent.clock.now += 10
            if turn % 100 == 0:
                await agent.watch.sample()

    virtual_time.run(tell_all())
    assert not faults, faults[:3]
    assert answers > HEARD // 2 and errors < answers
    record_count("mutated messages answered by a whole agent", answers)


class NoLink:
    """Gives a Stream what it reads; nobody answers."""

    def forget_before_answer(self):
        pass


def test_the_laptops_readers_count_what_is_none_and_read_the_next_frame(chance, record_count):
    reader, deframer, stream = Reader(), Deframer(), Stream(NoLink(), 0, 1)
    stream._number = 1
    good = cbor.encode({"d": "whole"})
    whole = hdlc.pack(good)
    line = smp.frame(smp.pack(smp.Header(3, 0, 0), good))
    for turn in range(LINES):
        if turn % 3 == 0:
            data = mutated(chance, chance.choice(FRAMES))
        elif turn % 3 == 1:
            data = mutated(chance, smp.frame(chance.choice(MESSAGES)))
        else:
            data = hdlc.pack(mutated(chance, chance.choice(FRAMES)[1:-5])[: hdlc.LONGEST])
        at = int(chance.random() * len(data))
        for piece in (data[:at], data[at:]):
            reader.feed(piece)
            deframer.feed(piece)
        for body in reader.bodies:
            stream._read(body)
        stream._things.clear()
        reader.bodies.clear()
        reader.messages.clear()
        if turn % 10 == 0:
            deframer.other()
            assert good in deframer.feed(whole)
            reader.feed(whole + line)
            assert reader.bodies.pop() == good and reader.messages.pop()[0][8:] == good
    assert stream.unread > LINES // 10 and reader.damaged > LINES // 10
    record_count("mutated frames read or refused by the laptop's readers", LINES)
