"""How good a link is: its times, its throughput, its counters both ways, and how the agent's clock maps to this machine's."""

import statistics
import time

from firmware_agent.wire import messages, tool_messages

from .failures import OTHER
from .link import ANSWER_S, AgentError, BadAnswer, NoAnswer

ECHOES = 20
CLOCK_SAMPLES = 8  # the quickest of them counts
PULL_S = 1.0


class Probe:
    """round_trips: seconds of each echo that was answered; lost: echoes that were not; bytes, seconds: what was pulled;
    line_bytes: what that took on the line, from the agent. clock: Clock; agent: its own counters (LINK_ANSWER), or None."""

    def __init__(self, link, seconds=PULL_S):
        self.round_trips, self.lost = _echoes(link)
        before = link.reader.bytes
        self.bytes, self.seconds = _pull(link, seconds)
        self.line_bytes = link.reader.bytes - before
        self.clock, self.agent = _clock(link)


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
    round_trips, lost = [], 0
    for _ in range(ECHOES):
        try:
            link.echo(ANSWER_S)
        except NoAnswer:
            lost += 1
            if lost > 2 and not round_trips:
                raise
        else:
            round_trips.append(link.round_trip_s)
    return round_trips, lost


def _pull(link, seconds):
    """(bytes, seconds) of reading the journal's region from its beginning, or of the events that are kept."""
    done = 0
    begun = time.monotonic()
    deadline = begun + seconds
    try:
        while time.monotonic() < deadline:
            done += len(link.journal_bytes(done))
    except (AgentError, BadAnswer) as refusal:  # none, or its end
        if not done and refusal.exit_status == OTHER:
            link.ask(messages.EVENTS_SINCE, {"cursor": 0})
    if done:
        link.journal_done()
    return done, time.monotonic() - begun


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
