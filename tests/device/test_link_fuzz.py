"""Mutated frames, noise and text into a whole agent's link: no fault of its own, no heap, and the next frame is answered."""

import gc

from firmware_agent.wire import cbor, hdlc, smp
from firmware_agent.wire.messages import event

from .cable import messages
from .chance import Chance
from .test_stream import bench, request, subscribe, told

HEAP = "256k"
ROUNDS, FRAMES = 10, 30
LAST = 256  # bytes: the last word of a person that was taken is kept, with its answer
SALE = {1: 231, 2: 1234, 3: "EUR"}


def whole():
    """Requests that an agent often hears, and frames of the stream, which it never should."""
    requests = [(0, 0, {}), (0, 1, SALE), (0, 3, {0: 0, 1: 512}), (0, 13, {}), (0, 5, {}), (2, 4, {0: "key", 1: True})]
    return (
        [request(op, command, body) for op, command, body in requests]
        + [subscribe(), subscribe(lease=0), request(0, 15, {0: 7})]
        + [smp.frame(smp.pack(smp.Header(2, 0, 0, 7), cbor.encode({"d": "x" * 200})))]
        + [hdlc.pack(cbor.encode([1, 2, 3, {1: 5000}])), b"status\r", b"help\r"]
    )


def mutated(chance, data):
    """`data` with a fault: a flipped bit, a lost or doubled piece, strange bytes, a cut."""
    at = chance.below(len(data) + 1)
    fault = chance.below(5)
    if fault == 0 and at < len(data):
        return data[:at] + bytes((data[at] ^ 1 << chance.below(8),)) + data[at + 1 :]
    if fault == 1:
        return data[:at] + data[at + 1 + chance.below(4) :]
    if fault == 2:
        return data[: at + 1 + chance.below(30)] + data[at:]
    if fault == 3:
        return data[:at] + chance.bytes(1 + chance.below(4)) + data[at:]
    return data[:at]


async def test_mutated_frames_cost_no_heap_and_meet_no_fault():
    chance = Chance()
    agent, cable = bench()
    await agent.watch.sample()
    frames = whole()
    fault = event("fault")
    for _ in range(40):  # the ring of events is full, of long ones
        await told(agent, cable, request(0, 1, SALE))
    used = [0] * ROUNDS
    for turn in range(ROUNDS):
        for _ in range(FRAMES):
            data = chance.one_of(frames)
            for _ in range(chance.below(3)):
                data = mutated(chance, data)
            at = chance.below(len(data) + 1)
            await told(agent, cable, data[:at], data[at:])
            agent.clock.now += 20
            assert cbor.decode(agent.events.since(agent.events.last - 1, 0)[0][0].data)[2] != fault
        await told(agent, cable, b"\r", subscribe(lease=0))
        _, answers = await told(agent, cable, request(0, 3, {0: agent.events.last}))
        assert len(answers) == 1 and answers[0][1] == agent.events.last, turn
        await agent.watch.sample()
        data = cable.sent = None
        gc.collect()
        used[turn] = gc.mem_alloc() if hasattr(gc, "mem_alloc") else 0
    # the first rounds fill what stays: the shop's words that were decoded, and the like
    assert min(used[-3:]) <= min(used[2:-3]) + LAST, used


async def test_a_body_of_every_kind_that_is_mutated_is_answered_with_an_error_of_the_agents_own():
    chance = Chance()
    agent, cable = bench()
    await agent.watch.sample()
    bodies = [
        cbor.encode(body) for body in (SALE, {0: 0, 1: 512}, {0: 30, 1: 100}, {0: "key", 1: True, 2: "a", 3: "b"})
    ]
    answered = 0
    for _ in range(200):
        body = mutated(chance, chance.one_of(bodies))
        header = smp.Header(2 * chance.below(2), 82, chance.below(18), chance.below(256))
        cable.chunks = []
        _, answers = await told(agent, cable, smp.frame(smp.pack(header, body)))
        assert len(answers) == 1 and messages(cable.sent)[0][0][6] == header.sequence
        error = answers[0].get("err")
        assert error is None or error["rc"] != 10, (header.command, body)
        answered += error is None
    assert answered < 200
