"""What happened in a capture: what was asked and answered, what was streamed, when the line was opened."""

from collections import defaultdict, deque

import cbor2

from firmware_agent.wire import hdlc, messages, smp, tool_messages

from . import capture_file
from .link_reader import Reader

_CLOCK = {messages.STATUS: 0, messages.PREFLIGHT: 12, messages.REFUND: 12}  # command -> key of wall_s in its request
LEASE, STREAM = 0, 6  # keys of SUBSCRIBE_REQUEST


def is_subscribe(header):
    return (header.group, header.command) == (messages.GROUP, tool_messages.SUBSCRIBE)


def is_poll(header):
    return (header.group, header.command) == (messages.GROUP, messages.EVENTS_SINCE)


def read_map(body):
    """The CBOR map of a message; {} if it is none."""
    try:
        value = cbor2.loads(body)
    except Exception:  # cbor2 raises its own errors, and others from what it calls
        return {}
    return value if isinstance(value, dict) else {}


def same(header, body):
    """What makes a request the same as another: all of it but the asking computer's clock."""
    asked = read_map(body)
    if header.group == messages.GROUP:
        asked.pop(_CLOCK.get(header.command), None)
    return header.op, header.group, header.command, cbor2.dumps(asked, canonical=True)


class Requests:
    """Puts together what is written to a line: `feed` yields (header, body) of each whole message."""

    def __init__(self):
        self._assembler = smp.Assembler()
        self._rest = b""

    def feed(self, data):
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            try:
                message = self._assembler.add(line[max(0, line.rfind(smp.START), line.rfind(smp.GOES_ON)) :])
                if message is not None:
                    yield smp.unpack(message)
            except ValueError:
                continue


class Stream:
    """answer: body of the answer to its subscription; frames: [(nanoseconds after that, frame)]."""

    def __init__(self, answer, begun):
        self.answer = answer
        self.begun = begun
        self.frames = []


class Asked:
    """One request, however often it was repeated. session: its number; at: nanoseconds of the first time it was sent; answer:
    body, None: the line was lost meanwhile; answered: nanoseconds."""

    def __init__(self, session, header, at):
        self.session = session
        self.header = header
        self.at = at
        self.answer = self.answered = None


class Story:
    """Of a Capture. sessions: [[Stream]], from opening the port to losing it; answers: {same(): deque of Asked}; asked:
    all of these in order; streamed: whether anybody subscribed; lost: whether the line was, in the end."""

    def __init__(self, capture):
        self.sessions = []
        self.answers = defaultdict(deque)
        self.asked = []
        self._reader = Reader()
        requests = Requests()
        self._waiting = {}  # (group, command, sequence) -> (asked map, its Asked)
        for at, kind, what in capture.records:
            if kind == capture_file.NOTE:
                if what == capture_file.OPENED:
                    self.sessions.append([])
            elif kind == capture_file.SENT:
                for header, body in requests.feed(what):
                    self._sent(at, header, body)
            else:
                self._came(at, what)
        self.streamed = any(self.sessions)
        notes = [what for _, kind, what in capture.records if kind == capture_file.NOTE and what != capture_file.CLOSED]
        self.lost = notes[-1:] == [capture_file.LOST]

    def _sent(self, at, header, body):
        session = len(self.sessions) - 1
        asked = Asked(session, header, at)
        if not is_subscribe(header):
            earlier = self.answers[same(header, body)]
            if earlier and earlier[-1].answer is None and earlier[-1].session == session:
                asked = earlier[-1]  # repeated
            else:
                earlier.append(asked)
        if asked.at == at:
            self.asked.append(asked)
        self._waiting[header.group, header.command, header.sequence] = read_map(body), asked

    def _came(self, at, data):
        reader = self._reader
        reader.feed(data)
        while reader.messages:
            message, frames = reader.messages.popleft()
            self._streamed(at, frames)  # those before it belong to an earlier subscription
            try:
                header, body = smp.unpack(message)
            except ValueError:
                continue
            key = header.group, header.command, header.sequence
            request, asked = self._waiting.pop(key, ({}, None))
            if asked is None:
                continue
            asked.answer, asked.answered = body, at
            begins = is_subscribe(header) and request.get(LEASE) and not request.get(STREAM)
            if begins and "err" not in read_map(body) and self.sessions:
                self.sessions[-1].append(Stream(body, at))
        self._streamed(at, reader.frames_read)

    def _streamed(self, at, frames):
        """Takes the bodies of the first so many frames that were read."""
        reader = self._reader
        while reader.frames_read - len(reader.bodies) < frames:
            frame = hdlc.pack(reader.bodies.popleft())
            if self.sessions and self.sessions[-1]:
                stream = self.sessions[-1][-1]
                stream.frames.append((at - stream.begun, frame))
