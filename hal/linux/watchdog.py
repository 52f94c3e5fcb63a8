"""Watchdog port of a Linux host (Documentation/watchdog/watchdog-api.rst).

The device is opened with the first feed: from then on the machine starts anew unless it is fed. An agent that is told to end
(SIGTERM, as a service's stop or upgrade does) says so with the magic 'V', and the machine stays up; one that dies or hangs
does not.
"""

import errno
import fcntl
import os
import signal
import struct
import time

from .kernel import number, read

_SETTIMEOUT, _GETTIMEOUT = 0xC0045706, 0x80045707  # _IOWR('W', 6, int), _IOR('W', 7, int)
_CARD_RESET, _POWER_UNDER = 0x20, 0x10  # WDIOF_CARDRESET, WDIOF_POWERUNDER
_LEAST_S = 10  # the agent feeds at least once in eight seconds
_AGAIN_S = 10.0  # between tries to open


class System:
    """What is asked of Linux; a test has one of its own."""

    open, close, write = os.open, os.close, os.write
    ioctl = fcntl.ioctl


class Watchdog:
    """`settings`: {"device": path, or None for a machine without one, "timeout_s": seconds until the machine starts anew}.
    `state`: directory that remembers of which start of the machine the reason was told: an agent that starts a second time
    did not start for it. `root`: where sys and proc are, for tests."""

    def __init__(self, settings, state, system=System, root=""):
        self._path = settings["device"]
        self._timeout_s = settings["timeout_s"]
        self._state = state
        self._system = system
        self._root = root
        self._fd = None
        self._again = 0

    def feed(self):
        """A device that cannot be had is tried again later: the agent is worth more than its watchdog."""
        try:
            if self._fd is None and self._path:
                self._open()
            if self._fd is not None:
                self._system.write(self._fd, b"\0")
        except OSError:
            pass

    def _open(self):
        if time.monotonic() < self._again:
            return
        self._again = time.monotonic() + _AGAIN_S
        self._fd = self._system.open(self._path, os.O_WRONLY | os.O_CLOEXEC)
        signal.signal(signal.SIGTERM, self._end)
        try:
            told = struct.unpack("i", self._system.ioctl(self._fd, _SETTIMEOUT, struct.pack("i", self._timeout_s)))[0]
        except OSError:  # of a part that waits as long as it does
            told = self._asked()
        if told is not None and told < _LEAST_S:
            self.release()
            raise OSError(errno.EINVAL, "%s waits %d s, too short for the agent" % (self._path, told))

    def _asked(self):
        try:
            return struct.unpack("i", self._system.ioctl(self._fd, _GETTIMEOUT, struct.pack("i", 0)))[0]
        except OSError:
            return None

    def release(self):
        """Let the machine live without us."""
        fd, self._fd = self._fd, None
        if fd is not None:
            self._system.write(fd, b"V")
            self._system.close(fd)

    def _end(self, number, frame):
        try:
            self.release()
        finally:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)

    def reset_reason(self):
        boot = read(self._root + "/proc/sys/kernel/random/boot_id")
        told = self._state + "/machine-start"
        if not boot or read(told) == boot:
            return None
        with open(told, "w") as file:
            file.write(boot + "\n")
        name = os.path.basename(self._path or "")
        status = number(
            "%s/sys/class/watchdog/%s/bootstatus" % (self._root, "watchdog0" if name == "watchdog" else name)
        )
        status = status or 0
        return "watchdog" if status & _CARD_RESET else "brown_out" if status & _POWER_UNDER else "power_on"
