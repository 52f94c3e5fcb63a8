"""The link: one serial port, shared by a person and by SMP clients. Bytes in, lines out.

A line that begins with 06 09 or 04 14 is SMP; it ends with 0A and is never echoed. Anything else is a person typing.
Noise is dropped and counted; a line longer than its bound is dropped to its end.
"""

import asyncio
import sys

from .wire import smp

_PROMPT = b"> "
_TYPED = 80  # characters a person may type in a line: the longest command has 40
_READ_MS = 1000  # how long one read waits; only to come around now and then
_GAP_MS = 2000  # a frame whose rest does not come within this was cut


class Link:
    """`serial`: Serial port; `service`: Service; `agent`: Agent. `run` never ends."""

    def __init__(self, serial, service, agent):
        self.serial = serial
        self.service = service
        self.agent = agent
        self._assembler = smp.Assembler()
        self._buffer = b""
        self._skipping = False
        self.language = "en"  # of the console, which is loaded anew for each line
        self.damaged = self.dropped = 0

    async def run(self):
        quiet = 0
        stale = False
        while True:
            try:
                while stale and await self.serial.read(0):
                    pass
                stale = False
                data = await self.serial.read(_READ_MS)
                if data:
                    quiet = 0
                    await self._take(data)
                else:
                    quiet += _READ_MS
                    if quiet >= _GAP_MS:
                        self._assembler.reset()
                        self._skipping = False
                        if self._buffer[:1] in (b"\x06", b"\x04"):
                            self._buffer = b""
            except OSError:
                # nobody is plugged in, or nobody reads what is answered: what was asked till now is stale
                self._buffer = b""
                self._assembler.reset()
                stale = True
                await asyncio.sleep(0.2)

    async def _take(self, data):
        # CR ends a person's line, LF either kind; a frame has neither inside
        self._buffer += data.replace(b"\r", b"\n")
        while True:
            starts = [at for at in (self._buffer.find(smp.START, 1), self._buffer.find(smp.GOES_ON, 1)) if at > 0]
            if starts and self._buffer.find(b"\n", 0, min(starts)) < 0:
                # a frame may begin in the midst of a line: what was typed or cut before it is gone, and is no command
                self.dropped += min(starts)
                self._buffer = self._buffer[min(starts) :]
            end = self._buffer.find(b"\n")
            if end < 0:
                break
            line = self._buffer[:end]
            self._buffer = self._buffer[end + 1 :]
            if line[:2] in (smp.START, smp.GOES_ON):
                await self._frame(line)
            elif not self._skipping:
                await self._line(line)
            self._skipping = False
        if len(self._buffer) > smp.LINE:
            self.dropped += len(self._buffer)
            last = self._buffer[-1:]
            self._buffer = last if last in (b"\x06", b"\x04") else b""  # a frame may just begin
            self._skipping = True

    async def _frame(self, line):
        try:
            message = self._assembler.add(line) if len(line) < smp.LINE else None
        except ValueError:
            self.damaged += 1
            return
        if message is None:
            return
        answer = await self.service.answer(message)
        if answer is not None:
            for line in smp.lines(answer):
                await self.serial.write(line)

    async def _line(self, line):
        text = ""
        for byte in line:
            if byte == 8 or byte == 127:
                text = text[:-1]
            elif 32 <= byte < 127:
                text += chr(byte)
            else:
                self.dropped += len(line)  # a control character or noise: whatever it was, it is no command
                return
        if len(text) > _TYPED:
            self.dropped += len(line)
            return
        from . import console  # loaded while a person types: few ever do, and a board's heap is small

        sys.modules.pop(console.__name__, None)
        for part in await console.answer(self.agent, text):
            await self.serial.write(part.replace("\n", "\r\n").encode())
        if text or not line:
            await self.serial.write(_PROMPT)
