"""Serial port over a Linux tty or an inherited pseudo-terminal, under CPython."""

import asyncio
import errno
import os
import termios
import tty

_SPEEDS = {9600: termios.B9600, 19200: termios.B19200, 57600: termios.B57600, 115200: termios.B115200}


class Serial:
    """`where`: path of a tty, or the number of an open file (the master of a pseudo-terminal, set non-blocking)."""

    def __init__(self, where, baud=115200, stop_bits=1):
        if isinstance(where, int):
            self._fd = where
            os.set_blocking(where, False)
            return
        self._fd = os.open(where, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            self._set(baud, stop_bits)
        except (termios.error, KeyError) as error:  # are no OSError, unlike every other error of a port
            os.close(self._fd)
            raise OSError(*error.args) from None

    def _set(self, baud, stop_bits):
        tty.setraw(self._fd, termios.TCSANOW)
        settings = termios.tcgetattr(self._fd)
        settings[2] = (settings[2] | termios.CLOCAL | termios.CREAD) & ~(termios.CRTSCTS | termios.CSTOPB)
        if stop_bits == 2:
            settings[2] |= termios.CSTOPB
        settings[4] = settings[5] = _SPEEDS[baud]
        termios.tcsetattr(self._fd, termios.TCSANOW, settings)

    async def _wait(self, add, remove, timeout_ms):
        loop = asyncio.get_running_loop()
        ready = loop.create_future()
        add(self._fd, lambda: ready.done() or ready.set_result(None))
        try:
            await asyncio.wait_for(ready, timeout_ms / 1000)
            return True
        except asyncio.TimeoutError:
            return False
        finally:
            remove(self._fd)

    def _read_now(self):
        try:
            data = os.read(self._fd, 1024)
        except BlockingIOError:
            return b""
        if not data:
            raise OSError(errno.EIO, "the line is gone")
        return data

    async def read(self, timeout_ms):
        data = self._read_now()
        if not data and timeout_ms > 0:
            loop = asyncio.get_running_loop()
            if await self._wait(loop.add_reader, loop.remove_reader, timeout_ms):
                data = self._read_now()
        return data

    async def write(self, data):
        loop = asyncio.get_running_loop()
        while data:
            try:
                data = data[os.write(self._fd, data) :]
            except BlockingIOError:
                if not await self._wait(loop.add_writer, loop.remove_writer, 1000):
                    raise OSError(errno.ETIMEDOUT, "nobody takes what is written") from None

    def close(self):
        os.close(self._fd)
