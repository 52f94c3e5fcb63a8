"""The bytes of a line -> its three voices: SMP messages, bodies of the stream, text. What is none of them is counted."""

from collections import deque

from firmware_agent.wire import cbor, smp, tool_messages
from firmware_agent.wire.hdlc import FLAG

from .deframer import Deframer

LONGEST_LINE = 4096  # SMP lines have 127 bytes; text without a line end must not grow for ever
KEPT = 10000  # bodies of a stream that nobody takes
_AT_WORK = cbor.encode([tool_messages.AT_WORK, 0])


class Reader:
    """messages: (whole SMP message, frames read before it); bodies: of the stream's frames; both are taken from the left.

    Counters: bytes; messages_read and frames_read; damaged (SMP lines or frames with a wrong checksum, or cut); resyncs
    (beginnings found behind something else); dropped (bytes that are none of the voices); text (lines); at_work (frames by
    which the agent says so, which are counted nowhere else).
    """

    def __init__(self):
        self.messages = deque()
        self.bodies = deque(maxlen=KEPT)
        self.bytes = self.messages_read = self.text = self.at_work = 0
        self._damaged = self._resyncs = self._dropped = 0
        self._deframer = Deframer()
        self._assembler = smp.Assembler()
        self._rest = b""

    @property
    def frames_read(self):
        return self._deframer.frames - self.at_work

    @property
    def damaged(self):
        return self._damaged + self._deframer.damaged

    @property
    def resyncs(self):
        return self._resyncs + self._deframer.resyncs

    @property
    def dropped(self):
        return self._dropped + self._deframer.dropped

    def feed(self, data):
        """Takes bytes as they came."""
        self.bytes += len(data)
        if FLAG in data and b"\n" in data:
            # line by line, so that it is known which frames came before a message: a frame has no line end inside
            *lines, data = data.split(b"\n")
            for line in lines:
                self._feed(line + b"\n")
        self._feed(data)

    def _feed(self, data):
        bodies = self._deframer.feed(data)
        if _AT_WORK in bodies:
            self.at_work += bodies.count(_AT_WORK)
            bodies = [body for body in bodies if body != _AT_WORK]
        self.bodies += bodies
        other = self._deframer.other()
        if other:
            *lines, rest = (self._rest + other).split(b"\n")
            self._dropped += max(0, len(rest) - LONGEST_LINE)
            self._rest = rest[-LONGEST_LINE:]
            for line in lines:
                self._line(line.rstrip(b"\r"))

    def _line(self, line):
        start = max(line.rfind(smp.START), line.rfind(smp.GOES_ON))  # a prompt may stand before the frame
        if start < 0:
            if line.isascii() and line.decode("ascii").isprintable():
                self.text += bool(line)
            else:
                self._dropped += len(line)
            return
        self._resyncs += start > 0
        try:
            message = self._assembler.add(line[start:])
        except ValueError:
            self._damaged += 1
            return
        if message is not None:
            self.messages_read += 1
            self.messages.append((message, self.frames_read))
