"""Frames over a line of bare APDUs: the TCP side of a gate whose other side is serial, so that the gate carries frames alone.

Each side keeps its own timing: a frame is acknowledged here once its APDU is on its way, and an APDU that came is sent on as
a frame, again where it is refused.
"""

import asyncio

from .frame import ACK, NAK, Receiver, pack
from .tcp_line import Receiver as Bare


class Framing:
    """Serial port of frames over `port`, a Serial port of bare APDUs."""

    def __init__(self, port):
        self._port = port
        self._frames = Receiver()
        self._apdus = Bare()
        self._out = b""
        self._last = b""
        self._error = None
        self._come = asyncio.Event()
        self._task = None

    async def _listen(self):
        while True:
            try:
                for apdu in self._apdus.feed(await self._port.read(1000)):
                    if apdu is not None:
                        self._last = pack(apdu)
                        self._out += self._last
                        self._come.set()
            except OSError as error:
                self._apdus.reset()
                self._error = error
                self._come.set()

    async def read(self, timeout_ms):
        if self._task is None:
            self._task = asyncio.create_task(self._listen())
        if not self._out and not self._error and timeout_ms > 0:
            try:
                await asyncio.wait_for(self._come.wait(), timeout_ms / 1000)
            except asyncio.TimeoutError:
                pass
        self._come.clear()
        if self._error and not self._out:
            error, self._error = self._error, None
            raise error
        data, self._out = self._out, b""
        return data

    async def write(self, data):
        for token in self._frames.feed(data):
            if token == ACK:
                continue
            if token is None:
                self._out += bytes((NAK,))
            elif token == NAK:
                self._out += self._last
            else:
                await self._port.write(token)
                self._out += bytes((ACK,))
            self._come.set()

    def close(self):
        self._port.close()
