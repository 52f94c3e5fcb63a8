"""The terminal's end of a ZVT serial line: frames, ACK and NAK, T1 and T2, on a pseudo-terminal.

Source: transport paper PA00P016. A frame that is damaged, or cut for longer than T1, is answered by NAK; a good one by
ACK. A frame sent is repeated at most twice when NAK or nothing comes within T2.
"""

import collections
import dataclasses
import fcntl
import os
import select
import selectors
import struct
import termios
import time
import tty

from hal.terminals.zvt.frame import ACK, NAK, Receiver, pack

REPEATS = 2  # PA00P016: at most two repeats of a frame
# A till that waits for its turn has one command and one abort on the way; more waiting ones are a flood and not
# acknowledged
MOST_RECEIVED = 8
DRAIN_SECONDS = 1.0  # so long the last bytes before a power cut wait for a reader; they are on the wire already


@dataclasses.dataclass(frozen=True)
class Times:
    """Seconds: T1 between two bytes, T2 for ACK or NAK, T3 from a command to its 80 00 00 (the session's)."""

    t1: float = 0.2
    t2: float = 5.0
    t3: float = 5.0


class SerialLine:
    """`faults` (silent, nak) is read with each frame; `log` is told each APDU and what goes wrong on the line.

    `received`: APDUs acknowledged and not taken yet, oldest first. `path`: what the till opens. The line stays up while
    the other side closes and opens it.
    """

    def __init__(self, times, faults, log):
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.path = os.ttyname(self._slave)
        self.received = collections.deque()
        self._times = times
        self._faults = faults
        self._log = log
        self._receiver = Receiver()
        self._signs = collections.deque()  # ACK and NAK not looked at yet
        self._t1_end = None
        self._selector = selectors.PollSelector()  # poll takes files and pipes alike as standard input
        self._selector.register(self._master, selectors.EVENT_READ, self._readable)

    def watch(self, fd, readable):
        """Call `readable()` whenever `fd` can be read, also while the line waits for something."""
        self._selector.register(fd, selectors.EVENT_READ, readable)

    def unwatch(self, fd):
        self._selector.unregister(fd)

    def turn(self, until=None):
        """Wait until something happens or `until` (monotonic seconds; None: for ever), and take in what came."""
        ends = [end for end in (until, self._t1_end) if end is not None]
        timeout = max(0.0, min(ends) - time.monotonic()) if ends else None
        for key, _ in self._selector.select(timeout):
            key.data()
        if self._t1_end is not None and time.monotonic() >= self._t1_end:
            self._t1_end = None
            if self._receiver.reset():
                self._refuse("a frame was cut")

    def send(self, apdu, drained=False):
        """True once the till acknowledged the frame; False after two repeats without.

        An 80 or 84 of the till is an acknowledgement too: it answers what it must have received. `drained`: return as
        soon as the till has read the frame, without its ACK.
        """
        self._log.goes(apdu)
        for attempt in range(REPEATS + 1):
            if attempt:
                self._log.note("repeat %d of %d" % (attempt, REPEATS))
            self._signs.clear()
            before = sum(map(is_answer, self.received))
            self._write(pack(apdu))
            if drained:
                self.drain()
                return True
            end = time.monotonic() + self._times.t2
            while time.monotonic() < end:
                self.turn(end)
                if ACK in self._signs or sum(map(is_answer, self.received)) > before:
                    return True
                if NAK in self._signs:
                    break
        termios.tcflush(self._slave, termios.TCIFLUSH)  # on a wire, what nobody read is gone
        self._log.note("given up: no acknowledgement")
        return False

    def drain(self):
        """Wait until the till has read everything, at most DRAIN_SECONDS."""
        end = time.monotonic() + DRAIN_SECONDS
        while time.monotonic() < end:
            select.select([], [], [], 0.02)  # what was just written takes a moment to be counted
            if not struct.unpack("i", fcntl.ioctl(self._slave, termios.FIONREAD, b"\0" * 4))[0]:
                return

    def _readable(self):
        try:
            data = os.read(self._master, 4096)
        except BlockingIOError:
            return
        for token in self._receiver.feed(data):
            if token is None:
                self._refuse("a frame was damaged")
            elif isinstance(token, int):
                self._signs.append(token)
            else:
                self._frame(token)
        self._t1_end = time.monotonic() + self._times.t1 if self._receiver.inside else None

    def _frame(self, apdu):
        if self._faults.silent:
            self._faults.silent -= 1
            self._log.note("a frame was swallowed, as asked")
        elif self._faults.nak:
            self._faults.nak -= 1
            self._refuse("a frame was refused, as asked")
        elif len(self.received) >= MOST_RECEIVED:
            self._log.note("a frame was lost: %d wait already" % MOST_RECEIVED)
        else:
            self._write(bytes((ACK,)))
            self._log.came(apdu)
            self.received.append(apdu)

    def _refuse(self, why):
        self._log.note(why + ": NAK")
        self._write(bytes((NAK,)))

    def _write(self, data):
        try:
            os.write(self._master, data)
        except BlockingIOError:
            self._log.note("%d bytes were lost: nobody reads the line" % len(data))


def is_answer(apdu):
    """True for 80 xx and 84 xx, which answer a message and are no command."""
    return apdu[:1] in (b"\x80", b"\x84")
