"""How good a link is: its times, its throughput, its counters both ways, and how the agent's clock maps to this machine's."""

import statistics
import time

from firmware_agent.wire import errors, messages, smp, tool_messages

from . import capture_file
from .capture_replay import NotInCapture
from .capture_story import Story, read_map
from .link import ANSWER_S, COMMANDS, DOWNLOAD, ECHO, FILES_GROUP, OS_GROUP, REPEATS, AgentError, BadAnswer, NoAnswer

ECHOES = 20
CLOCK_SAMPLES = 8  # the quickest of them counts
PULL_S = 1.0

_ECHO, _DOWNLOAD = (OS_GROUP, ECHO), (FILES_GROUP, DOWNLOAD)
_LINK, _STATUS = (messages.GROUP, tool_messages.LINK), (messages.GROUP, messages.STATUS)


class Probe:
    """round_trips: seconds of each echo that was answered; lost: echoes that were not; bytes, seconds: what was pulled;
    line_bytes: what that took on the line, from the agent. clock: Clock; agent: its own counters (LINK_ANSWER), or None."""

    def __init__(self, round_trips, lost, pulled, clock, agent):
        self.round_trips = round_trips
        self.lost = lost
        self.bytes, self.seconds, self.line_bytes = pulled
        self.clock = clock
        self.agent = agent


def measure(link, seconds=PULL_S):
    """The Probe of an open link; `seconds`: how long to pull."""
    return Probe(*_echoes(link), _pull(link, seconds), *_clock(link))


def captured(path):
    """The Probe of a link as a capture has it; Failure where nothing in it tells the agent's clock."""
    capture = capture_file.read(path)
    story = Story(capture)
    began = capture.about.get("began", 0) / 1e9
    echoes, pieces, clocks, agent = [], [], [], None
    for asked in story.asked:
        name = asked.header.group, asked.header.command
        if name == _ECHO:
            echoes.append(asked)
        elif asked.answer is not None and name == _DOWNLOAD:
            pieces.append((asked, len(read_map(asked.answer).get("data", b""))))
        elif asked.answer is not None and name in (_LINK, _STATUS):
            command = asked.header.command
            try:
                told = messages.unpack(COMMANDS[command][3], read_map(asked.answer))
            except errors.WireError:
                continue
            times = began + asked.at / 1e9, began + asked.answered / 1e9
            clocks.append(Clock(*times, told["uptime_ms"], told.get("wall_s")))
            agent = told if name == _LINK else agent
    if not clocks:
        raise NotInCapture(file=path)
    took = (pieces[-1][0].answered - pieces[0][0].at) / 1e9 if pieces else 0.0
    on_line = sum(len(smp.frame(bytes(8) + piece.answer)) for piece, _ in pieces)
    return Probe(
        [(echo.answered - echo.at) / 1e9 for echo in echoes if echo.answer is not None],
        sum(echo.answer is None for echo in echoes),
        (sum(size for _, size in pieces), took, on_line),
        min(clocks, key=lambda clock: clock.error_s),
        agent,
    )


class Clock:
    """At Unix time `at_s` (this machine's) the agent had been up `uptime_s`, give or take `error_s`. drift_s: how far its
    clock is ahead, give or take drift_error_s; None where it was never set."""

    def __init__(self, begun, ended, uptime_ms, wall_s):
        self.error_s = (ended - begun) / 2 + 0.0005  # asked and answered somewhere between; whole milliseconds
        self.at_s = (begun + ended) / 2
        self.uptime_s = uptime_ms / 1000 + 0.0005
        self.drift_s = None if wall_s is None else wall_s + 0.5 - self.at_s
        self.drift_error_s = None if wall_s is None else 0.5 + (ended - begun) / 2

    @property
    def booted_s(self):
        """Unix time at which the agent started: an event's uptime added to it is when it happened."""
        return self.at_s - self.uptime_s


def times(round_trips):
    """(least, median, 99th percentile) of some numbers; Nones of none."""
    if not round_trips:
        return None, None, None
    ordered = sorted(round_trips)
    return ordered[0], statistics.median(ordered), ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]


def _echoes(link):
    round_trips, lost, silent = [], 0, 0
    for _ in range(ECHOES):
        try:
            link.echo(ANSWER_S)
        except NoAnswer:
            lost += 1
            silent += 1
            if silent > REPEATS:
                raise
        else:
            silent = 0
            round_trips.append(link.round_trip_s)
    return round_trips, lost


def _pull(link, seconds):
    """(bytes, seconds, bytes on the line) of reading the journal's region, from its beginning and again from there."""
    done, offset, before = 0, 0, link.reader.bytes
    begun = time.monotonic()
    deadline = begun + seconds
    while time.monotonic() < deadline:
        try:
            size = len(link.journal_bytes(offset))
        except (AgentError, BadAnswer):
            if not offset:
                break  # it has none
            offset = 0  # this was its end
        else:
            offset += size
            done += size
    took, on_line = time.monotonic() - begun, link.reader.bytes - before
    if done:
        link.journal_done()
    return done, took, on_line


def _clock(link):
    best = agent = None
    try:
        for _ in range(CLOCK_SAMPLES):
            sample, agent = _sample(link, tool_messages.LINK)
            best = sample if best is None or sample.error_s < best.error_s else best
    except AgentError as refusal:
        if refusal.name != "no_command":
            raise
        best, _ = _sample(link, messages.STATUS)
    return best, agent


def _sample(link, command):
    begun = time.perf_counter()  # a wall clock may jump meanwhile
    answer = link.ask(command)
    took = time.perf_counter() - begun
    ended = time.time()
    return Clock(ended - took, ended, answer["uptime_ms"], answer.get("wall_s")), answer
