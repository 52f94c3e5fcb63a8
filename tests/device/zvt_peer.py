"""The other end of a ZVT line, in memory: a terminal that follows a script, byte for byte.

It knows the transport alone: it acknowledges frames, repeats its own after a NAK, and sends the next message of its plan
when the last one was answered.
"""

import asyncio

from hal.terminals.zvt.frame import ACK, NAK, Receiver, pack
from hal.ticks import deadline, left

OK = b"\x80\x00\x00"


class Peer:
    """Serial port. `plans`: for each command that arrives, the messages sent in answer: bytes are an APDU, a tuple
    ("raw", bytes) goes on the line as it is, ("cut", APDU, n) sends n bytes of its frame and the whole after a NAK,
    ("late", APDU, ms) sends it after a pause.
    `acks`: how the next frames are answered, "ack" (the default), "nak", "none" or "noise". `piece`: bytes a read returns
    at most. `heard`: every APDU that arrived, in order; `raw`: every byte."""

    def __init__(self, plans=(), acks=(), piece=1000):
        self.plans = list(plans)
        self.acks = list(acks)
        self.piece = piece
        self.heard = []
        self.raw = b""
        self.naks = 0
        self.broken = None
        self._queue = []
        self._last = None
        self._line = b""
        self._late = None
        self._receiver = Receiver()

    def commands(self):
        """What arrived but for answers."""
        return [apdu for apdu in self.heard if apdu[0] not in (0x80, 0x84)]

    async def read(self, timeout_ms):
        if self.broken:
            raise self.broken
        if not self._line:
            wait = left(self._late[0]) if self._late else timeout_ms + 1
            await asyncio.sleep(min(timeout_ms, wait) / 1000)
            if wait <= timeout_ms:
                message, self._late = self._late[1], None
                self.send(message)
        data = self._line[: self.piece]
        self._line = self._line[len(data) :]
        return data

    async def write(self, data):
        if self.broken:
            raise self.broken
        self.raw += data
        for token in self._receiver.feed(data):
            if token == NAK:
                self.naks += 1
                if self._last and self.naks < 4:
                    self._line += pack(self._last)
            elif token == ACK:
                if self._last and self._last[0] in (0x80, 0x84):
                    self._next()
            elif token is not None:
                self.heard.append(token)
                how = self.acks.pop(0) if self.acks else "ack"
                if how == "noise":
                    self._line += b"\x00\xff?"
                elif how != "none":
                    self._line += bytes((ACK if how == "ack" else NAK,))
                if how == "ack":
                    self._answered(token)

    def _answered(self, apdu):
        if apdu[0] not in (0x80, 0x84):
            self._queue = list(self.plans.pop(0)) if self.plans else []
        self._next()

    def _next(self):
        self._last = None
        while self._queue and self._last is None and self._late is None:
            self.send(self._queue.pop(0))

    def send(self, message):
        """Put a message on the line now, whatever is under way."""
        if isinstance(message, tuple) and message[0] == "raw":
            self._line += message[1]
        elif isinstance(message, tuple) and message[0] == "late":
            self._late = (deadline(message[2]), message[1])
        elif isinstance(message, tuple):
            self._last = message[1]
            self._line += pack(message[1])[: message[2]]
        else:
            self._last = message
            self._line += pack(message)
