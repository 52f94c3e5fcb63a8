"""The stream: events and changed values as numbered frames, for one subscriber at a time. Loaded when somebody subscribes,
and let go when it ends; wire/tool_messages.py says what the frames are. The link asks for one frame at a time and writes it
between messages, so nothing is held here but what was told last; what nobody fetches stays in the ring of events.
"""

import sys

from .wire import cbor, hdlc
from .wire.errors import WireError
from .wire.messages import fact
from .wire.tool_messages import CHANGES, END, EVENTS, FULL, TAKEN_OVER, UNSUBSCRIBED

_BATCH = 480  # bytes of events in a frame: at 115200 baud an answer waits 45 ms for it at most
_VALUES = 1000  # bytes of values in a frame, which may have 1024 (wire/hdlc.py)
_BEAT_MS = 5000  # without a change a frame says so often that the stream lives


def subscribe(agent, asked):
    """{name: value} of SUBSCRIBE_ANSWER; `asked`: of SUBSCRIBE_REQUEST. WireError no_stream."""
    link = agent.link
    running = link.stream
    number = asked.get("stream")
    if number is not None and (running is None or running.id != number):
        raise WireError("no_stream")
    if not asked["lease_s"]:
        if running:
            link.end(UNSUBSCRIBED)
        return {
            "stream": running.id if running else 0,
            "boot": agent.events.boot,
            "uptime_ms": agent.clock.uptime_ms(),
            "lease_s": 0,
            "cursor": running.cursor if running else 0,
            "dropped": 0,
        }
    if number is None:
        if running:
            link.end(TAKEN_OVER)
        link.streams += 1
        link.stream = running = Stream(agent, (agent.events.boot << 8 | link.streams & 0xFF) & 0xFFFFFFFF)
        if "cursor" not in asked:
            asked["cursor"] = 0
    return running.renew(asked)


def let_go():
    for name in (__name__, hdlc.__name__):
        sys.modules.pop(name, None)


class Stream:
    """id: of the boot and the subscription. frames: so many were made. lost: events that the ring dropped before they were
    told."""

    def __init__(self, agent, id):
        self.agent = agent
        self.id = id
        self.frames = self.lost = self.cursor = 0
        self._numbers = {}  # of the facts that were told
        self._told = {}  # their values
        self._waiting = None  # names of values that go into further frames
        self._full = None  # uptime of the last FULL,
        self._looked = self._beat = 0  # of the last look at the values, and of the last frame with any or none of them

    def renew(self, asked):
        """Go on as `asked`; {name: value} of SUBSCRIBE_ANSWER."""
        events = self.agent.events
        now = self.agent.clock.uptime_ms()
        self.lease_s = asked["lease_s"]
        self.until = now + self.lease_s * 1000
        self.credit = asked["credit"]
        self.every_ms = asked.get("every_ms", 1000)
        self.full_s = asked.get("full_s", 10)
        cursor = asked.get("cursor")
        dropped = 0
        if cursor is not None:
            if asked.get("boot", events.boot) != events.boot or cursor > events.last:
                cursor = 0  # of another boot: everything is new
            dropped = events.since(cursor, 0)[2]
            self.cursor = cursor + dropped
        return {
            "stream": self.id,
            "boot": events.boot,
            "uptime_ms": now,
            "lease_s": self.lease_s,
            "cursor": self.cursor,
            "dropped": dropped,
        }

    def ran_out(self):
        return self.agent.clock.uptime_ms() >= self.until

    def end(self, reason):
        """The last frame; None without credit."""
        return self._frame([END, 0, reason]) if self.credit else None

    def next(self):
        """The next frame (bytes); None: nothing to tell now, or no credit."""
        if not self.credit:
            return None
        if self._waiting:
            return self._changed(CHANGES)
        now = self.agent.clock.uptime_ms()
        values = self.agent.snapshot.values
        if self._full is None or now - self._full >= self.full_s * 1000:
            self._full = self._looked = self._beat = now
            self._waiting = list(values)
            return self._changed(FULL)
        if now - self._looked >= self.every_ms:
            self._looked = now
            told = self._told
            self._waiting = [name for name in values if name not in told or told[name] != values[name]]
            if self._waiting or now - self._beat >= _BEAT_MS:
                self._beat = now
                return self._changed(CHANGES)
        if self.agent.events.last > self.cursor:
            events, self.cursor, dropped = self.agent.events.since(self.cursor, _BATCH)
            self.lost += dropped
            return self._frame([EVENTS, 0, dropped, events])
        return None

    def _changed(self, kind):
        """A frame of the values that wait, as many as fit."""
        values = {}
        room = _VALUES
        while self._waiting:
            name = self._waiting.pop()
            value = self.agent.snapshot.values[name]
            # an integer of 64 bits takes 9 bytes, a text 2 more than it has; the fact's number 2
            room -= len(value.encode()) + 4 if isinstance(value, str) else 11
            if room < 0 and values:
                self._waiting.append(name)
                break
            self._told[name] = value
            if name not in self._numbers:
                self._numbers[name] = fact(name)
            values[self._numbers[name]] = value
        return self._frame([kind, 0, self._looked, values])

    def _frame(self, body):
        self.credit -= 1
        self.frames += 1
        body[1] = self.frames
        return hdlc.pack(cbor.encode(body))
