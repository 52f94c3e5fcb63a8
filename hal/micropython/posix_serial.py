"""Serial port over a tty or an inherited pseudo-terminal, under MicroPython's unix build."""

import select
import termios
from asyncio import sleep

from .waiting import Waiting

_buffer = memoryview(bytearray(256))  # of all lines: read(256) would take as much from the heap for every byte


class Serial:
    """`where`: path of a tty, or the number of an open file (the master of a pseudo-terminal, set non-blocking)."""

    def __init__(self, where, baud=115200, stop_bits=1):
        if isinstance(where, int):
            self.file = open(where, "r+b")
        else:
            # VMIN = VTIME = 0: or read(n) waits until n bytes are there
            self.file = open(where, "r+b", 0)
            termios.setraw(self.file.fileno())
            settings = termios.tcgetattr(self.file.fileno())
            settings[6][6] = 0
            settings[6][5] = 0
            settings[2] = settings[2] | 0x40 if stop_bits == 2 else settings[2] & ~0x40  # CSTOPB
            termios.tcsetattr(self.file.fileno(), termios.TCSANOW, settings)
        self.poll = select.poll()
        self.poll.register(self.file, select.POLLIN)
        self._waiting = Waiting(self.file)

    async def read(self, timeout_ms):
        if not next(self.poll.ipoll(0), None) and not (timeout_ms > 0 and await self._waiting.readable(timeout_ms)):
            return b""
        size = self.file.readinto(_buffer)
        if not size:  # readable and empty: the other end hung up
            raise OSError(5)  # EIO
        return bytes(_buffer[:size])

    async def write(self, data):
        patience = 100  # times 10 ms: nobody took it for a second
        while data:
            count = self.file.write(data)
            if count:
                data = data[count:]
                patience = 100
            else:
                patience -= 1
                if not patience:
                    raise OSError(110)  # ETIMEDOUT
                await sleep(0.01)

    def close(self):
        self.file.close()
