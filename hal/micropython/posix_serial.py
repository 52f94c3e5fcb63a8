"""Serial port over a tty or an inherited pseudo-terminal, under MicroPython's unix build."""

import select
import termios
from asyncio import TimeoutError, core, sleep, wait_for_ms  # pyright: ignore[reportAttributeAccessIssue]  the stubs lack core


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

    def _readable(self):
        # what asyncio.StreamReader does; its module alone would cost a board 2 kB
        yield core._io_queue.queue_read(self.file)

    async def read(self, timeout_ms):
        if not self.poll.poll(0):
            if timeout_ms <= 0:
                return b""
            try:
                await wait_for_ms(self._readable(), timeout_ms)
            except TimeoutError:
                return b""
        data = self.file.read(256)
        if not data:  # readable and empty: the other end hung up
            raise OSError(5)  # EIO
        return data

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
