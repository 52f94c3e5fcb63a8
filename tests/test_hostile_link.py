"""The whole link over hostile lines: what is altered is never acted on, what arrives whole is always read, whoever asks is
told in time, and the agent is ready for the next one."""

import asyncio
import random
from collections import Counter

import cbor2
import pytest

from firmware_agent.wire import cbor, hdlc, messages, smp, tool_messages
from host_tools import link
from host_tools.failures import Failure
from host_tools.link_reader import Reader
from host_tools.stream import Stream

from .device import cable
from .hostile import BYTE_S, HOSTILE, BitErrors3, BitErrors4, Line
from .hostile_world import ASKED, SALE, World

TOLD_S = 2.0  # whoever asks is told by then that there is no answer
IDLE_S = 1.0
AT_WORK = cbor.encode([tool_messages.AT_WORK, 0])
HELP = b"help                              this text"
ROUNDS = 3


@pytest.fixture(scope="module")
def counts(record_count):
    """Counters of all these tests, told in the end."""
    counts = Counter()
    yield counts
    for name, value in sorted(counts.items()):
        record_count("hostile lines: " + name, round(value, 2))


@pytest.fixture
def world():
    with World() as world:
        yield world


def frames_of(sent):
    """The lines of SMP messages as they were written."""
    return [smp.frame(message) for message in sent]


def agent_acted_rightly(world, counts, pulled=False):
    """The agent acted on nothing that was not sent, and on all that came whole (not if the cable was pulled then)."""
    heard = Counter(message for message in world.witness.heard if not foreign(message))
    sent = world.sent
    altered = set(heard) - set(sent)
    whole = Counter(cable.messages(data)[0][0] for data in world.to_agent.whole(frames_of(sent)))
    counts["messages sent to the agent"] += len(sent)
    counts["messages sent to the agent, harmed on the way"] += len(sent) - whole.total()
    counts["altered messages acted on"] += len(altered)
    counts["messages sent to the agent, whole and not read"] += 0 if pulled else (whole - heard).total()
    assert not altered
    assert pulled or not whole - heard


def laptop_read_rightly(world, counts):
    """The laptop's reader reads nothing that was not sent, and all that came whole."""
    reader, way = Reader(), world.to_laptop
    reader.feed(bytes(way.arrived) + b"~\n")
    told, bodies = Counter(world.witness.told), Counter()
    for data in way.written:
        if data[:1] == b"~":
            bodies[hdlc.unpack(data[1:-1])] += 1
    read, read_bodies = Counter(message for message, _ in reader.messages), Counter(reader.bodies)
    read_bodies.update({AT_WORK: reader.at_work} if reader.at_work else {})
    altered = [message for message in set(read) - set(told) if not foreign(message)]
    altered += [body for body in set(read_bodies) - set(bodies) if body != cbor.encode({"of": "somebody else"})]
    counts["answers and frames sent to the laptop"] += told.total() + bodies.total()
    counts["altered answers and frames taken"] += len(altered)
    assert not altered
    whole = Counter(cable.messages(data)[0][0] for data in way.whole(frames_of(world.witness.told)))
    whole_bodies = Counter(hdlc.unpack(data[1:-1]) for data in way.whole([d for d in way.written if d[:1] == b"~"]))
    counts["answers and frames sent to the laptop, harmed on the way"] += (
        told.total() + bodies.total() - whole.total() - whole_bodies.total()
    )
    assert not whole - read and not whole_bodies - read_bodies


def foreign(message):
    """Whether somebody else on the line said it."""
    return message[8:] == cbor.encode({"rc": 1})


def answered_rightly(world, command, answer, failure, took, counts):
    """What came of a request is the agent's own word, or a clear error in time."""
    counts["requests of refundctl"] += 1
    if answer is not None:
        counts["requests of refundctl, answered"] += 1
        assert answer in world.answers(command)
        return
    if isinstance(failure, link.AgentError):
        assert failure.fields["rc"] in world.answers(command)
        return
    assert isinstance(failure, link.NoAnswer | link.LinkLost), failure
    counts["requests given up"] += 1
    counts["requests given up after at most, s"] = max(counts["requests given up after at most, s"], took)
    counts["requests given up later than 2 s"] += took > TOLD_S
    assert took <= TOLD_S, link.COMMANDS[command][0]


def idle_again(world, counts):
    """After a second without bytes a person is answered, and the first try of a client."""
    for way in (world.to_agent, world.to_laptop):
        way.line = Line()
        world.pass_s(max(0, way._free - world.loop.time()))  # what is on its way comes
    world.pass_s(IDLE_S)
    assert HELP in world.typed(b"\rhelp\r", 0.1)
    silences = world.link.silences
    world.link.echo(link.ANSWER_S)
    assert world.link.silences == silences
    counts["times the agent was ready after a second"] += 1


@pytest.mark.parametrize("kind", HOSTILE)
def test_every_command_over_a_hostile_line(world, counts, kind):
    answered = 0
    for round in range(ROUNDS):
        world.hostile(kind, round)
        for command in ASKED:
            answer, failure, took = world.ask(command)
            answered_rightly(world, command, answer, failure, took, counts)
            answered += not isinstance(failure, link.NoAnswer | link.LinkLost)
            if isinstance(failure, link.NoAnswer):
                idle_again(world, counts)
                agent_acted_rightly(world, counts)
                laptop_read_rightly(world, counts)
                world.forget()
                world.hostile(kind, f"{round} {command}")
        idle_again(world, counts)
        agent_acted_rightly(world, counts)
        laptop_read_rightly(world, counts)
        world.forget()
    assert world.terminal.executed == [(SALE["amount"], "EUR")] * min(1, len(world.terminal.executed))
    if kind.__name__ in ("OneByteAtATime", "Pieces", "Noise", "BitErrors6", "BitErrors5"):
        assert answered == ROUNDS * len(ASKED)  # such a line is no reason to fail


@pytest.mark.parametrize("kind", [BitErrors4, BitErrors3])
def test_no_refund_is_altered_or_doubled_by_wrong_bits(world, counts, kind):
    chance = random.Random(kind.__name__)
    wanted = []  # of the terminal
    for number in range(25):
        world.hostile(kind, number)
        sale = {**SALE, "key": f"k-{number}", "amount": chance.randint(1, 99), "receipt": 100 + number}
        wanted.append((sale["amount"], "EUR"))
        for _ in range(15):
            answer, failure, took = world.ask(messages.REFUND, sale)
            answered_rightly(world, messages.REFUND, answer, failure, took, counts)
            if answer and answer["final"]:
                assert answer["state"] == messages.APPROVED and answer["amount"] == sale["amount"]
                break
        else:
            wanted.pop()
        if len(world.terminal.executed) > len(wanted):  # done, and nobody was told
            wanted.append((sale["amount"], "EUR"))
        agent_acted_rightly(world, counts)
        world.forget()
    counts["refunds asked for over wrong bits"] += 25
    counts["refunds altered or doubled"] += world.terminal.executed != wanted
    assert world.terminal.executed == wanted and len(wanted) > 20


# ---- the stream ----


class Watcher:
    """Reads the stream as refundctl does, and subscribes anew where nobody answered. events: [EVENT]; dropped: how many it
    was told were; values: {name: value}."""

    def __init__(self, world):
        self.world = world
        self.stream = Stream(world.link, 0, None)
        self.events, self.dropped, self.values = [], 0, {}
        self.failures = 0

    def watch(self, seconds, happens=lambda: None):
        end = self.world.loop.time() + seconds
        while self.world.loop.time() < end:
            happens()
            try:
                things = self.stream.more(0.2)
            except Failure as failure:
                assert isinstance(failure, link.NoAnswer | link.LinkLost), failure
                self.failures += 1
                self.stream = Stream(self.world.link, self.stream.cursor, self.stream.boot)
                continue
            for kind, what in things:
                if kind == "event":
                    self.events.append(what)
                elif kind == "dropped":
                    self.dropped += what
                elif kind == "values":
                    self.values.update(what[1])


class Happening:
    """Events and values at the agent, by chance; all: {number: EVENT} of everything that happened."""

    def __init__(self, agent):
        self.agent = agent
        self.all = {}
        self._chance = random.Random(6)
        self.note()

    def note(self):
        events = self.agent.events
        for one in events.since(max(self.all, default=0), 1 << 20)[0]:
            event = messages.unpack(messages.EVENT, cbor.decode(one.data))
            self.all[event["number"]] = event

    def __call__(self):
        if self._chance.random() < 0.6:
            self.agent.events.add("refund", {"amount": self._chance.randint(1, 1 << 30), "state": 3})
        self.agent.snapshot.put("supply_drift_mv", self._chance.randint(-50, 50))
        self.note()


@pytest.mark.parametrize("kind", HOSTILE)
def test_the_stream_over_a_hostile_line(world, counts, kind):
    happening = Happening(world.agent)
    watcher = Watcher(world)
    world.hostile(kind)
    watcher.watch(15, happening)
    laptop_read_rightly(world, counts)
    agent_acted_rightly(world, counts)
    world.to_agent.line = world.to_laptop.line = Line()
    watcher.watch(3, happening)
    watcher.watch(12)  # in which everything is told once more
    happening.note()
    numbers = [event["number"] for event in watcher.events]
    assert numbers == sorted(set(numbers))  # nothing twice, nothing out of order
    assert all(happening.all[event["number"]] == event for event in watcher.events)
    assert len(numbers) + watcher.dropped == world.agent.events.last == numbers[-1]  # nothing is missing unsaid
    values = {name: value for name, (value, _) in world.agent.snapshot.every().items()}
    assert watcher.values == values
    counts["events that happened while a stream was read"] += len(happening.all)
    counts["events told as dropped"] += watcher.dropped
    counts["frames of streams that were lost and asked for again"] += watcher.stream.lost


# ---- a flood ----


class Flood:
    """Events at the agent, so many a second; `began`: number of the last one before."""

    def __init__(self, world, a_second):
        self.agent = world.agent
        self.began = self.agent.events.last
        self.a_second = a_second
        self.task = world.loop.create_task(self._run())

    async def _run(self):
        while True:
            for _ in range(self.a_second // 100):
                self.agent.events.add("refund", {"amount": 123456, "state": 3})
            await asyncio.sleep(0.01)


def test_a_flood_of_ten_times_the_line_delays_a_preflight_by_less_than_itself(world, counts):
    """And every event is read or told as dropped; tests/device/test_stream.py holds that it takes no heap."""
    world.at_115200_baud()
    world.ask(messages.PREFLIGHT)
    idle = max(world.ask(messages.PREFLIGHT)[2] for _ in range(10))
    event = len(world.agent.events.since(world.agent.events.last - 1, 0)[0][0].data)
    watcher = Watcher(world)
    watcher.watch(2)
    flood = Flood(world, int(10 / (event * BYTE_S)))
    watcher.watch(2)
    world.forget()
    begun = world.loop.time()
    slowest = 0
    for _ in range(25):
        answer, failure, took = world.ask(messages.PREFLIGHT)
        assert answer and not failure
        slowest = max(slowest, took)
        watcher.watch(0.1)
    carried = sum(map(len, world.to_laptop.written)) * BYTE_S / (world.loop.time() - begun)
    flood.task.cancel()
    watcher.watch(5)
    numbers = [one["number"] for one in watcher.events]
    assert numbers == sorted(set(numbers))
    assert len(numbers) + watcher.dropped == world.agent.events.last
    counts["ms of a preflight at 115200 baud, idle"] = idle * 1000
    counts["ms of a preflight in a flood of ten times the line, at most"] = slowest * 1000
    counts["events of that flood"] = world.agent.events.last - flood.began
    counts["events of that flood read"] = sum(number > flood.began for number in numbers)
    counts["percent of the line in use in that flood"] = carried * 100
    assert slowest < 2 * idle and carried > 0.95
    assert watcher.dropped > 5 * len(numbers)


# ---- a cut at every byte of every command, both ways ----


def lengths(world, command):
    """(bytes of the request, of the answer)."""
    world.forget()
    world.ask(command)
    sizes = sum(map(len, world.to_agent.written)), sum(map(len, world.to_laptop.written))
    world.forget()
    return sizes


@pytest.mark.parametrize("how", ["pulled", "broken"])
@pytest.mark.parametrize("command", ASKED, ids=[link.COMMANDS[command][0] for command in ASKED])
def test_a_cut_at_every_byte_of_every_command(world, counts, command, how):
    """Pulled: the port is gone, both ends know it. Broken: no more bytes come in this direction, nobody is told."""
    for way, size in zip((world.to_agent, world.to_laptop), lengths(world, command), strict=True):
        # a broken wire takes two seconds each time, a pulled one none
        for after in range(0, size, 1 if how == "pulled" or size < 100 else 7):
            world.forget()
            world.pass_s(0.01)
            way.cut_after = after
            way.cut = world.pull if how == "pulled" else None
            answer, failure, took = world.ask(command)
            answered_rightly(world, command, answer, failure, took, counts)
            assert answer is None or how == "pulled"  # pulled behind the answer: it came
            if how == "pulled":
                assert took < 0.2
            world.plug()
            assert world.link.reopen(world.loop.time() + TOLD_S)
            if after % 16 == 0:
                idle_again(world, counts)
            else:
                world.pass_s(0.45)  # what came while nobody was plugged in is stale
                world.link.echo(link.ANSWER_S)
            agent_acted_rightly(world, counts, how == "pulled")
            counts["cuts at a byte of a command"] += 1
    assert len(world.terminal.executed) <= 1


# ---- an agent that needs long ----
WHOLE = 1 << 20  # bytes of the journal's region
READ_S = 0.003
WORK_S = 8.0  # longer than any of them takes
QUESTIONS = {
    "journal": lambda port: port.ask(messages.JOURNAL),
    "accept": lambda port: port.ask(messages.ACCEPT, ASKED[messages.ACCEPT]),
    "hash": lambda port: port.journal_hash(0, WHOLE),
}


@pytest.fixture
def slow():
    """An agent that reads its journal for seconds."""
    with World(WHOLE) as world:
        for number in range(450):
            world.agent.history.attest(1, number, 1, "ann", "owner", "x" * 60, None)
        world.flash.read_s = READ_S
        world.forget()
        yield world


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_slow_agent_is_waited_for_and_does_its_work_once(slow, counts, name):
    begun = slow.loop.time()
    answer = QUESTIONS[name](slow.link)
    took = slow.loop.time() - begun
    assert answer and 3 < took < WORK_S and slow.link.silences == 0
    assert len(slow.witness.heard) == len(slow.sent) == 1
    assert slow.link.reader.at_work > took / 0.6 and not slow.link.reader.bodies
    counts["s of silence of an agent at work, at most"] = max(
        counts["s of silence of an agent at work, at most"], took / slow.link.reader.at_work
    )


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_line_that_dies_while_the_agent_is_at_work_is_told_within_2_s(slow, counts, name):
    tried = 0
    for after in range(0, 2400, 150):  # ms
        for way in (slow.to_laptop, slow.to_agent):
            slow.forget()
            when = []

            def die(way=way, when=when):
                way.cut_after = 0
                when.append(slow.loop.time())

            died = slow.loop.call_later(after / 1000, die)
            try:
                answer = QUESTIONS[name](slow.link)
            except Failure as failure:
                assert isinstance(failure, link.NoAnswer)
                late = slow.loop.time() - when[0]
                counts["requests given up after at most, s"] = max(counts["requests given up after at most, s"], late)
                assert late < TOLD_S
                tried += 1
            else:
                assert way is slow.to_agent and answer  # it had asked already
            died.cancel()
            slow.plug()
            slow.pass_s(WORK_S + IDLE_S)  # the agent ends what it began
            slow.near.data = b""
    counts["lines that died while the agent was at work"] += tried
    assert tried >= 16


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_long_answer_that_is_lost_is_asked_for_again(slow, name):
    """The agent is there and idle: the other answer's absence tells it."""
    way, slow_write = slow.to_laptop, slow.to_laptop.write

    def write(data):
        if data[:1] == b"~":
            return slow_write(data)
        way.write = slow_write  # only the first line is lost
        way.written.append(data)

    way.write = write
    answer = QUESTIONS[name](slow.link)
    assert answer and slow.link.silences == 1 and len(slow.witness.heard) > 2


def test_a_word_that_is_repeated_because_its_answer_was_lost_is_taken_once(world):
    before = world.agent.journal.sequence
    world.to_laptop.cut_after = 0
    world.loop.call_later(link.ANSWER_S * 1.5, setattr, world.to_laptop, "cut_after", None)
    answer, failure, _ = world.ask(messages.ATTEST)
    assert answer["number"] == before + 1 == world.agent.journal.sequence and not failure
    assert len(world.witness.heard) == 3 and world.link.silences == 2


def test_half_a_frame_is_forgotten_after_a_second(world):
    whole = smp.frame(smp.pack(smp.Header(2, 0, 0, 9), cbor2.dumps({"d": "x" * 150})))
    for half in (whole[:1], whole[:40], whole[:127], whole[:140]):
        world.near.write(half)
        world.pass_s(IDLE_S + 0.01)
        assert HELP in world.typed(b"help\r", 0.1), half
