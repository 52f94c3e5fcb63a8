"""The stream: numbered frames for one subscriber, between answers, as long as lease and credit last."""

from firmware_agent.agent import Agent
from firmware_agent.wire import cbor, hdlc, smp
from firmware_agent.wire.errors import error_name
from firmware_agent.wire.messages import fact
from firmware_agent.wire.tool_messages import (
    CHANGES,
    END,
    EVENTS,
    FULL,
    LINK,
    RAN_OUT,
    SUBSCRIBE,
    TAKEN_OVER,
    UNSUBSCRIBED,
)

from .bench import ABOUT, SETTINGS, Ports
from .cable import Cable, CableEnds, messages
from .card_terminal import CardTerminal

HEAP = "256k"
SUPPLY = fact("supply_mv")


class TimedCable(Cable):
    """A chunk may also be a number: so many ms pass and nothing comes; or a function that is called, and nothing comes."""

    async def read(self, timeout_ms):
        if not self.chunks and not timeout_ms:
            return b""  # the stream is not ready yet
        if self.chunks and timeout_ms and not isinstance(self.chunks[0], (bytes, OSError)):
            what = self.chunks.pop(0)
            if isinstance(what, int):
                self.clock.now += what
            else:
                what()
            return b""
        if self.chunks and not timeout_ms and not isinstance(self.chunks[0], OSError):
            return b""
        return await super().read(timeout_ms)


def request(op, command, body, sequence=1):
    return smp.frame(smp.pack(smp.Header(op, 82, command, sequence), cbor.encode(body)))


def subscribe(lease=30, credit=100, sequence=1, **more):
    body = {0: lease, 1: credit}
    for name, key in (("cursor", 2), ("boot", 3), ("every_ms", 4), ("full_s", 5), ("stream", 6)):
        if name in more:
            body[key] = more[name]
    return request(2, SUBSCRIBE, body, sequence)


def bench():
    cable = TimedCable()
    agent = Agent(Ports(CardTerminal(), link=cable), SETTINGS, ABOUT)
    cable.clock = agent.clock
    return agent, cable


async def told(agent, cable, *chunks):
    """(bodies of frames, answers) of what the link writes for these chunks."""
    cable.chunks = list(chunks)
    cable.sent = b""
    try:
        await agent.link.run()
    except CableEnds:
        pass
    bodies = [hdlc.unpack(piece) for piece in cable.sent.split(b"~")]
    answers = [cbor.decode(message[8:]) for message in messages(cable.sent)[0]]
    return [cbor.decode(body) for body in bodies if body], answers


async def test_whoever_subscribes_gets_everything_and_then_what_is_new():
    agent, cable = bench()
    agent.snapshot.put("supply_mv", 5000)
    frames, answers = await told(agent, cable, subscribe(cursor=0), 1)
    number = answers[0][0]
    assert answers[0] == {0: number, 1: 1, 2: 1000, 3: 30, 4: 0, 5: 0}
    assert [frame[0] for frame in frames] == [FULL, EVENTS]
    assert [frame[1] for frame in frames] == [1, 2]
    assert frames[0][2] == 1000 and frames[0][3][SUPPLY] == 5000 and frames[0][3][fact("agent_version")] == "0.1.0"
    assert frames[1][2] == 0 and [one[0] for one in frames[1][3]] == list(range(1, agent.events.last + 1))
    frames, _ = await told(agent, cable, lambda: agent.events.add("refund", {"state": 3}), 1)
    last = agent.events.last
    assert frames == [[EVENTS, 3, 0, [{0: last, 1: 1001, 2: 12, 3: {fact("state"): 3}}]]]


async def test_only_values_that_changed_are_told_and_absent_ones_as_null():
    agent, cable = bench()
    put = agent.snapshot.put
    put("supply_mv", 5000)
    put("battery_percent", 90)
    await told(agent, cable, subscribe(every_ms=100), 1)
    assert await told(agent, cable, lambda: put("supply_mv", 4990), 50) == ([], [])  # not so soon
    frames, _ = await told(agent, cable, 60, 1)
    assert [frame[3] for frame in frames] == [{SUPPLY: 4990}] and frames[0][0] == CHANGES
    frames, _ = await told(agent, cable, lambda: put("battery_percent", None), lambda: put("supply_mv", 4990), 100, 1)
    assert [frame[3] for frame in frames] == [{fact("battery_percent"): None}]


async def test_without_a_change_a_beat_comes_every_five_seconds_and_everything_every_ten():
    agent, cable = bench()
    await told(agent, cable, subscribe(), 1)
    frames, _ = await told(agent, cable, *[500] * 40)
    assert [(frame[0], len(frame[3]) > 0) for frame in frames] == [
        (CHANGES, False),
        (FULL, True),
        (CHANGES, False),
        (FULL, True),
    ]
    assert [frame[1] for frame in frames] == [3, 4, 5, 6]
    assert [frames[at + 1][2] - frames[at][2] for at in range(3)] == [5000] * 3


async def test_more_values_than_a_frame_takes_go_on_in_the_next():
    agent, cable = bench()
    names = ["terminal_version", "terminal_model", "terminal_id", "policy_id", "sale_card", "operator"]
    for name in names:
        agent.snapshot.put(name, name[0] * 400)
    frames, _ = await told(agent, cable, subscribe(), 1)
    values = [frame for frame in frames if frame[0] != EVENTS]
    assert [frame[0] for frame in values] == [FULL, CHANGES, CHANGES] and len({frame[2] for frame in values}) == 1
    found = {}
    for frame in values:
        found.update(frame[3])
    assert {found[fact(name)] for name in names} == {name[0] * 400 for name in names}
    assert not [piece for piece in cable.sent.split(b"~") if len(piece) > 2 * 1028]


async def test_nothing_is_sent_without_credit_and_what_the_ring_lost_is_said():
    agent, cable = bench()
    frames, _ = await told(agent, cable, subscribe(credit=2), 1)
    assert [frame[1] for frame in frames] == [1, 2]
    read = frames[1][3][-1][0]

    def flood():
        for number in range(1000):
            agent.events.add("refund", {"amount": number})

    assert await told(agent, cable, flood, *[500] * 20) == ([], [])
    kept = len(agent.events.since(0, 1 << 20)[0])
    number = agent.link.stream.id
    frames, answers = await told(agent, cable, subscribe(stream=number), *[1] * 20)
    assert answers[0][0] == number and answers[0][5] == 0
    events = [one for frame in frames if frame[0] == EVENTS for one in frame[3]]
    assert [one[0] for one in events] == list(range(agent.events.last - kept + 1, agent.events.last + 1))
    assert sum([frame[2] for frame in frames if frame[0] == EVENTS]) == agent.events.last - kept - read
    assert [frame[1] for frame in frames] == list(range(3, 3 + len(frames)))  # numbers go on
    _, answers = await told(agent, cable, request(0, LINK, {}))
    assert answers[0][13] == agent.events.last - kept - read and answers[0][14] == number


async def test_a_lease_that_runs_out_ends_it_and_a_renewal_keeps_it():
    agent, cable = bench()
    await told(agent, cable, subscribe(lease=10), 1)
    number = agent.link.stream.id
    frames, answers = await told(agent, cable, 6000, subscribe(lease=10, stream=number), 6000, 1)
    assert FULL in [frame[0] for frame in frames] and END not in [frame[0] for frame in frames]
    assert answers == [{0: number, 1: 1, 2: 7001, 3: 10, 4: agent.events.last, 5: 0}]
    frames, _ = await told(agent, cable, 5000, 1, 1)
    assert frames[-1] == [END, frames[-1][1], RAN_OUT] and agent.link.stream is None
    assert await told(agent, cable, lambda: agent.events.add("refund"), 9000, 1) == ([], [])
    _, answers = await told(agent, cable, subscribe(stream=number))
    assert error_name(answers[0]["err"]["rc"]) == "no_stream"


async def test_whoever_unsubscribes_hears_the_end_before_the_answer():
    agent, cable = bench()
    await told(agent, cable, subscribe(), 1)
    number = agent.link.stream.id
    frames, answers = await told(agent, cable, subscribe(lease=0, stream=number))
    assert frames == [[END, 3, UNSUBSCRIBED]] and answers[0][0] == number and answers[0][3] == 0
    assert cable.sent[:1] == b"~" and agent.link.stream is None
    assert (await told(agent, cable, subscribe(lease=0)))[1][0][0] == 0


async def test_another_subscriber_takes_over_and_starts_anew():
    agent, cable = bench()
    await told(agent, cable, subscribe(), 1)
    first = agent.link.stream.id
    frames, answers = await told(agent, cable, subscribe(), 1)
    assert frames[0] == [END, 3, TAKEN_OVER] and [frame[:2] for frame in frames[1:]] == [[FULL, 1], [EVENTS, 2]]
    assert answers[0][0] not in (0, first)
    _, answers = await told(agent, cable, subscribe(stream=first))
    assert error_name(answers[0]["err"]["rc"]) == "no_stream"


async def test_a_cursor_resumes_where_it_stood_and_one_of_another_boot_reads_all():
    agent, cable = bench()
    for _ in range(5):
        agent.events.add("refund")
    for more, first in (
        ({"cursor": 4}, 5),
        ({"cursor": 4, "boot": 1}, 5),
        ({"cursor": 4, "boot": 7}, 1),
        ({"cursor": 99}, 1),
        ({}, 1),
    ):
        frames, answers = await told(agent, cable, subscribe(**more), 1)
        assert answers[0][4] == first - 1 and answers[0][5] == 0
        events = [one[0] for frame in frames if frame[0] == EVENTS for one in frame[3]]
        assert events == list(range(first, agent.events.last + 1)), more
    # who lost a frame asks for what it had, and its stream goes back
    frames, _ = await told(agent, cable, subscribe(stream=agent.link.stream.id, cursor=3), 1)
    assert [frame[0] for frame in frames] == [EVENTS] and frames[0][3][0][0] == 4
    for _ in range(100):
        agent.events.add("refund")
    oldest = agent.events.last - len(agent.events.since(0, 1 << 20)[0]) + 1
    _, answers = await told(agent, cable, subscribe(cursor=2))
    assert (answers[0][4], answers[0][5]) == (oldest - 1, oldest - 3)


async def test_a_line_that_is_gone_ends_the_stream_without_a_word():
    agent, cable = bench()
    await told(agent, cable, subscribe(), 1)
    frames, _ = await told(agent, cable, OSError(5), b"", 1)
    assert frames == [] and agent.link.stream is None


async def test_requests_are_answered_between_frames_while_events_flood():
    agent, cable = bench()
    await told(agent, cable, subscribe(), 1)
    number = 2
    read = agent.events.last
    dropped = 0

    def flood():
        for _ in range(20 + 10 * (number % 3)):
            agent.events.add("refund", {"amount": 1})

    for sequence in range(50):
        echo = smp.frame(smp.pack(smp.Header(2, 0, 0, sequence), cbor.encode({"d": "x" * 100})))
        frames, answers = await told(agent, cable, flood, echo, 1)
        assert answers == [{"r": "x" * 100}]
        for frame in frames:
            number += 1
            assert frame[1] == number
            if frame[0] == EVENTS:
                for one in frame[3]:
                    assert one[0] > read
                    read = one[0]
                dropped += frame[2]
                assert read == frame[3][0][0] + len(frame[3]) - 1
    assert read == agent.events.last and dropped > 0 and dropped == agent.link.stream.lost


async def test_a_flood_costs_no_heap():
    import gc

    if not hasattr(gc, "mem_alloc"):
        return  # CPython does not tell
    agent, cable = bench()
    await told(agent, cable, subscribe(credit=65535, lease=600), 1)

    def flood():
        for _ in range(50):
            agent.events.add("refund", {"amount": 123456, "state": 3})
        agent.snapshot.put("supply_mv", agent.events.last)

    used = []
    for _ in range(60):
        await told(agent, cable, flood, 200, 1, 1)
        gc.collect()
        used.append(gc.mem_alloc())
    assert max(used[10:]) - used[9] < 1024, used


async def test_a_request_out_of_bounds_changes_nothing():
    agent, cable = bench()
    await told(agent, cable, subscribe(), 1)
    stream = agent.link.stream
    for body in (
        {},
        {0: 30},
        {0: 601, 1: 1},
        {0: 30, 1: 0},
        {0: 30, 1: 1, 4: 99},
        {0: 30, 1: 1, 5: 0},
        {0: "30", 1: 1},
    ):
        _, answers = await told(agent, cable, request(2, SUBSCRIBE, body))
        assert error_name(answers[0]["err"]["rc"]) in ("missing", "bad_field"), body
    assert agent.link.stream is stream
