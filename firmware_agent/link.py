"""The link: one serial port, shared by a person and by SMP clients. Bytes in, lines out.

A line that begins with 06 09 or 04 14 is SMP; it ends with 0A and is never echoed. Anything else is a person typing.
Noise is dropped and counted; a line longer than its bound is dropped to its end.
"""

import asyncio

from .wire import smp

_PROMPT = b"> "
_TYPED = 80  # characters a person may type in a line: the longest command has 40
_READ_MS = 1000  # how long one read waits; only to come around now and then
_GAP_MS = 2000  # a frame whose rest does not come within this was cut


class Link:
    """`serial`: Serial port; `service`: Service; `agent`: Agent. `run` never ends."""

    def __init__(self, serial, service, agent):
        self._serial = serial
        self._service = service
        self._agent = agent
        self._assembler = smp.Assembler()
        self._buffer = b""
        self._skipping = False
        self.frames = self.damaged = self.dropped = 0

    async def run(self):
        quiet = 0
        while True:
            try:
                data = await self._serial.read(_READ_MS)
                if data:
                    quiet = 0
                    await self._take(data)
                else:
                    quiet += _READ_MS
                    if quiet >= _GAP_MS:
                        self._assembler.reset()
                        self._skipping = False
                        if self._is_frame():
                            self._buffer = b""
            except OSError:
                self._buffer = b""
                self._assembler.reset()
                await asyncio.sleep(0.2)  # nobody is plugged in

    def _is_frame(self):
        return self._buffer[:1] in (b"\x06", b"\x04")

    async def _take(self, data):
        # CR ends a person's line, LF either kind; a frame has neither inside
        self._buffer += data.replace(b"\r", b"\n")
        while True:
            start = self._frame_start()
            if start > 0:
                await self._typed(self._buffer[:start])  # a frame may begin in the midst of a typed line
                self._buffer = self._buffer[start:]
            end = self._buffer.find(b"\n")
            if end < 0:
                break
            line = self._buffer[:end]
            self._buffer = self._buffer[end + 1 :]
            if self._skipping:
                self._skipping = False
            elif line[:2] in (smp.START, smp.GOES_ON):
                await self._frame(line)
            else:
                await self._line(line)
        if len(self._buffer) > smp.LINE:
            self._drop()

    def _frame_start(self):
        """Where the next frame begins in the buffer; -1 if none does."""
        starts = [self._buffer.find(start) for start in (smp.START, smp.GOES_ON)]
        starts = [start for start in starts if start >= 0]
        return min(starts) if starts else -1

    def _drop(self):
        self.dropped += len(self._buffer)
        self._buffer = b""
        self._skipping = True

    async def _frame(self, line):
        try:
            message = self._assembler.add(line) if len(line) < smp.LINE else None
        except ValueError:
            self.damaged += 1
            return
        if message is None:
            return
        self.frames += 1
        answer = await self._service.answer(message)
        if answer is not None:
            await self._serial.write(smp.frame(answer))

    async def _typed(self, text):
        """Typed characters that a frame interrupted: they are gone, and that is no command."""
        self.dropped += len(text)

    async def _line(self, line):
        text = ""
        for byte in line:
            if byte == 8 or byte == 127:
                text = text[:-1]
            elif 32 <= byte < 127:
                text += chr(byte)
            else:
                self.dropped += 1  # a control character or noise: whatever it was, it is no command
                text = ""
        if len(text) > _TYPED:
            self.dropped += len(text)
            return
        from . import console  # loaded when the first person types: few ever do, and a board's heap is small

        answer = await console.answer(self._agent, text)
        if answer:
            await self._serial.write(answer.replace("\n", "\r\n").encode())
        if text or not line:
            await self._serial.write(_PROMPT)
