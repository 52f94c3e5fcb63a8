"""Serial port over a Linux tty or an inherited pseudo-terminal, under CPython."""

import asyncio
import errno
import fcntl
import os
import termios
import tty

_PSEUDO = range(136, 144)  # major numbers of the kernel's pseudo-terminals
_SPEEDS = {9600: termios.B9600, 19200: termios.B19200, 57600: termios.B57600, 115200: termios.B115200}


class Serial:
    """`where`: path of a tty, or the number of an open file (the master of a pseudo-terminal, set non-blocking). A tty is
    for one program alone: OSError EBUSY where another has it, and others are refused meanwhile."""

    def __init__(self, where, baud=115200, stop_bits=1):
        self._reader = None  # future of whoever waits
        self._data = b""  # came for it
        self._loop = None  # that looks at the line
        if isinstance(where, int):
            self._fd = where
            os.set_blocking(where, False)
            return
        self._fd = os.open(where, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            self._have()
            self._set(baud, stop_bits)
        except (
            OSError,
            termios.error,
            KeyError,
        ) as error:  # the last two are no OSError, unlike every other error of a port
            os.close(self._fd)
            raise OSError(*error.args) from None

    def _have(self):
        """Two programs at one line take each other's bytes: on a terminal's, what is paid is at stake."""
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)  # as pyserial and others ask, whoever they run as
        except BlockingIOError:
            raise OSError(errno.EBUSY, "another program uses the line") from None
        if os.major(os.fstat(self._fd).st_rdev) not in _PSEUDO:  # what serves one of those may open it as well
            fcntl.ioctl(self._fd, termios.TIOCEXCL)

    def _set(self, baud, stop_bits):
        tty.setraw(self._fd, termios.TCSANOW)
        settings = termios.tcgetattr(self._fd)
        settings[2] = (settings[2] | termios.CLOCAL | termios.CREAD) & ~(termios.CRTSCTS | termios.CSTOPB)
        if stop_bits == 2:
            settings[2] |= termios.CSTOPB
        settings[4] = settings[5] = _SPEEDS[baud]
        termios.tcsetattr(self._fd, termios.TCSANOW, settings)

    def _read_now(self):
        try:
            data = os.read(self._fd, 1024)
        except BlockingIOError:
            return b""
        if not data:
            raise OSError(errno.EIO, "the line is gone")
        return data

    def _come(self):
        """There is something to read, or the end of it."""
        reader = self._reader
        if reader is None or reader.done():
            self._ignore()  # nobody reads: it may wait
            return
        try:
            self._data = self._read_now()
        except OSError:
            pass  # who reads finds it, too
        reader.set_result(None)

    def _ignore(self):
        loop, self._loop = self._loop, None
        if loop and not loop.is_closed():
            loop.remove_reader(self._fd)

    async def read(self, timeout_ms):
        if timeout_ms > 0 and not self._data:
            loop = asyncio.get_running_loop()
            if self._loop is not loop:
                self._ignore()
                loop.add_reader(self._fd, self._come)  # and it stays: frames come in many pieces
                self._loop = loop
            await self._settled(timeout_ms)
        if not self._data:
            return self._read_now()
        data, self._data = self._data, b""  # of a read that was broken off it stays
        return data

    async def _settled(self, timeout_ms):
        loop = asyncio.get_running_loop()
        self._reader = reader = loop.create_future()
        timer = loop.call_later(timeout_ms / 1000, _end, reader)
        try:
            await reader
        finally:
            timer.cancel()
            if self._reader is reader:
                self._reader = None

    async def write(self, data):
        while data:
            try:
                data = data[os.write(self._fd, data) :]
            except BlockingIOError:
                if not await self._writable():
                    raise OSError(errno.ETIMEDOUT, "nobody takes what is written") from None

    async def _writable(self):
        """False after a second."""
        loop = asyncio.get_running_loop()
        ready = loop.create_future()
        loop.add_writer(self._fd, lambda: ready.done() or ready.set_result(None))
        try:
            await asyncio.wait_for(ready, 1)
            return True
        except asyncio.TimeoutError:
            return False
        finally:
            loop.remove_writer(self._fd)

    def close(self):
        """Ends a read that waits, with OSError."""
        self._ignore()
        fd, self._fd = self._fd, -1  # whose number may be another's at once
        os.close(fd)
        if self._reader:
            _end(self._reader)


def _end(reader):
    if not reader.done():
        reader.set_result(None)
