"""Serial port over the line that MicroPython's own prompt uses: a board's USB, or its first UART.

Ctrl-C (03) on it ends the agent, and the prompt answers: `refundctl deploy` comes in that way. No frame holds that byte.
"""

import select
import sys

from .waiting import Waiting

_AT_ONCE = 256  # bytes a read takes


class Serial:
    def __init__(self):
        self._in = sys.stdin.buffer
        self._out = sys.stdout.buffer
        self._poll = select.poll()
        self._poll.register(sys.stdin, select.POLLIN)
        self._waiting = Waiting(sys.stdin)
        self._buffer = bytearray(_AT_ONCE)

    async def read(self, timeout_ms):
        if not self._poll.poll(0) and (timeout_ms <= 0 or not await self._waiting.readable(timeout_ms)):
            return b""
        count = 0
        # byte by byte: a read of several waits until as many are there
        while count < _AT_ONCE and self._poll.poll(0):
            byte = self._in.read(1)
            if not byte:
                raise OSError(5)  # EIO: the other end hung up
            self._buffer[count] = byte[0]
            count += 1
        return bytes(memoryview(self._buffer)[:count])

    async def write(self, data):
        self._out.write(data)

    def close(self):
        pass  # the prompt needs it
