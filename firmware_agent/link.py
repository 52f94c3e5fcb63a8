"""The link: one serial port, shared by a person, by SMP clients and by whoever subscribed to the stream. Bytes in, bytes out.

A line that begins with 06 09 or 04 14 is SMP; it ends with 0A and is never echoed. Anything else is a person typing, who sees
what was typed. Noise is dropped and counted; a line longer than its bound is dropped to its end. Each frame of the stream is
written at once, between answers.
"""

import asyncio
import sys

from .wire import smp
from .wire.tool_messages import RAN_OUT, TAKEN_OVER

_PROMPT = b"> "
_READ_MS = 500  # how long one read waits; only to come around now and then,
_STREAM_MS = 50  # and to see what the stream has to tell
_GAP_MS = 1000  # a frame whose rest does not come within this was cut
_BEGINS = (b"\x06", b"\x04", b"~")  # of a frame: nothing of it is shown
_AT_WORK_MS = 100  # whoever asked takes half a second of silence for a sign that nobody is there
_AT_WORK = b"~\x82}$\x00\xf8\xd3\x9cy~"  # the frame [AT_WORK, 0] of wire/tool_messages.py


class Link:
    """`serial`: Serial port; `service`: Service; `agent`: Agent. `run` never ends. Counters since boot: frames_in, frames_out
    (SMP messages, and out those of the stream too), bytes_in, bytes_out, damaged (SMP lines), dropped (bytes), resyncs
    (frames that begin behind what was dropped), cuts (times the line was gone). heard: uptime when the last bytes came."""

    def __init__(self, serial, service, agent):
        self.serial = serial
        self.service = service
        self.agent = agent
        self._assembler = smp.Assembler()
        self._buffer = b""
        self._shown = b""  # of the line that a person is typing
        self._typing = ""  # name of the module that reads it
        self._skipping = False
        self._last_words = None  # frame of a stream that has ended
        self._asked = None  # uptime when the request that is being answered came, or when its asker last heard of it
        self.language = "en"  # of the console, which is loaded anew for each line
        self.stream = None  # Stream of the subscriber
        self.streams = self.heard = 0
        self.frames_in = self.frames_out = self.bytes_in = self.bytes_out = 0
        self.damaged = self.dropped = self.resyncs = self.cuts = self.lost = 0

    async def run(self):
        quiet = 0
        stale = False
        while True:
            try:
                while stale and await self.serial.read(0):
                    pass
                stale = False
                wait = await self._tell(self.stream) if self.stream else _READ_MS
                data = await self.serial.read(wait)
                if data:
                    quiet = 0
                    self.heard = self.agent.clock.uptime_ms()
                    self.bytes_in += len(data)
                    await self._take(data)
                elif wait:
                    quiet += wait
                    if quiet >= _GAP_MS:
                        self._assembler.reset()
                        self._skipping = False
                        if self._buffer[:1] in _BEGINS:
                            self._buffer = b""
            except OSError:
                # nobody is plugged in, or nobody reads what is answered: what was asked till now is stale
                self._buffer = self._shown = b""
                self._assembler.reset()
                self.cuts += 1
                self.end(0)
                self._last_words = None
                stale = True
                await asyncio.sleep(0.2)

    async def _write(self, data):
        self.bytes_out += len(data)
        await self.serial.write(data)

    # ---- the stream ----
    def end(self, reason):
        """End the stream, if there is one; `reason` as END has it, 0: nobody is there to hear it."""
        if self.stream:
            self._last_words = self.stream.end(reason) if reason else None
            self.lost += self.stream.lost
            self.stream = None
            if reason != TAKEN_OVER:
                from . import stream

                stream.let_go()

    async def _tell(self, stream):
        """Write the stream's next frame, if it has one; how long to wait for bytes then, ms."""
        if stream.ran_out():
            self.end(RAN_OUT)
            await self._say_last_words()
            return 0
        frame = stream.next()
        if not frame:
            return _STREAM_MS
        await self._frame_out(frame)
        await asyncio.sleep(0)  # a line that takes everything must not keep the others from working
        return 0

    async def _frame_out(self, frame):
        self.frames_out += 1
        await self._write(frame)

    async def _say_last_words(self):
        frame = self._last_words
        if frame:
            self._last_words = None
            await self._frame_out(frame)

    async def at_work(self):
        """Lets the others work, in the midst of an answer that takes long. Whoever waits for it hears now and then that it
        will come."""
        await asyncio.sleep(0)
        if self._asked is not None and self.agent.clock.uptime_ms() - self._asked >= _AT_WORK_MS:
            await self.begun()

    async def begun(self):
        """Whoever asked hears at once that an answer will come: what comes before it takes long, and on a slow board longer
        than silence is waited for."""
        if self._asked is not None:
            self._asked = self.agent.clock.uptime_ms()
            try:
                await self._write(_AT_WORK)
            except OSError:
                pass  # the answer will meet it too

    # ---- what comes ----
    async def _take(self, data):
        # CR ends a person's line, LF either kind; a frame has neither inside
        buffer = self._buffer + data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        while True:
            begin = buffer.find(smp.START, 1)
            more = buffer.find(smp.GOES_ON, 1)
            if begin < 0 or 0 < more < begin:
                begin = more
            if begin > 0 and buffer.find(b"\n", 0, begin) < 0:
                # a frame may begin in the midst of a line: what was typed or cut before it is gone, and is no command
                self.dropped += begin
                self.resyncs += 1
                buffer = buffer[begin:]
                self._skipping = False
                self._shown = b""
            end = buffer.find(b"\n")
            if end < 0:
                break
            line = buffer[:end]
            self._buffer = buffer = buffer[end + 1 :]
            if line[:2] == smp.START or line[:2] == smp.GOES_ON:
                self.resyncs += self._skipping
                await self._frame(line)
            elif not self._skipping:
                await self._line(line)
            self._skipping = False
        if len(buffer) > smp.LINE:
            self.dropped += len(buffer)
            last = buffer[-1:]
            buffer = last if last == b"\x06" or last == b"\x04" else b""  # a frame may just begin
            self._skipping = True
            self._shown = b""
        self._buffer = buffer
        if buffer and not self._skipping:
            await self._show(buffer)

    async def _frame(self, line):
        self._shown = b""
        try:
            message = self._assembler.add(line) if len(line) < smp.LINE else None
        except ValueError:
            self.damaged += 1
            return
        if message is None:
            return
        self.frames_in += 1
        self._asked = self.agent.clock.uptime_ms()
        try:
            answer = await self.service.answer(message)
        finally:
            self._asked = None
        await self._say_last_words()
        if answer is not None:
            self.frames_out += 1
            for line in smp.lines(answer):
                await self._write(line)
        # who asks without a pause must not keep the others from working: the watchdog would bite
        await asyncio.sleep(0)

    # ---- a person ----
    async def _show(self, line):
        """Let a person see the line as typed so far; the text that it comes to (bytes), None if it is no person's."""
        if line[:1] in _BEGINS:
            return None
        from . import typed  # few ever do, and a board's heap is small

        self._typing = typed.__name__
        found = typed.typed(line, self._shown)
        if found is None:
            return None
        text, self._shown, change = found
        if change:
            await self._write(change)
        return text

    async def _line(self, line):
        text = await self._show(line)
        self._shown = b""
        sys.modules.pop(self._typing, None)
        if text is None:
            self.dropped += len(line)  # control characters, noise, or too long: whatever it was, it is no command
            return
        from . import console

        sys.modules.pop(console.__name__, None)
        await self._write(b"\r\n")
        for part in await console.answer(self.agent, text.decode()):
            await self._write(part.replace("\n", "\r\n").encode())
        await self._write(_PROMPT)
