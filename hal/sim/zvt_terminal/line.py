"""The terminal's end of a ZVT serial line: frames, ACK and NAK, T1 and T2, on a pseudo-terminal.

Source: transport paper PA00P016. A frame that is damaged, or cut for longer than T1, is answered by NAK; a good one by
ACK. A frame sent is repeated at most twice when NAK or nothing comes within T2.
"""

import collections
import fcntl
import os
import select
import struct
import termios
import time
import tty

from hal.terminals.zvt.frame import ACK, NAK, Receiver, pack

from .till_line import DRAIN_SECONDS, MOST_RECEIVED, TillLine, is_answer

REPEATS = 2  # PA00P016: at most two repeats of a frame


class SerialLine(TillLine):
    """`path`: what the till opens. The line stays up while the other side closes and opens it."""

    def __init__(self, times, faults, log, rules):
        super().__init__(times, faults, log, rules)
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.path = os.ttyname(self._slave)
        self._receiver = Receiver()
        self._signs = collections.deque()  # ACK and NAK not looked at yet
        self.watch(self._master, self._readable)

    def send(self, apdu, drained=False):
        """True once the till acknowledged the frame; False after two repeats without.

        An 80 or 84 of the till is an acknowledgement too: it answers what it must have received. `drained`: return as
        soon as the till has read the frame, without its ACK.
        """
        apdu = self._let_out(apdu)
        for attempt in range(REPEATS + 1):
            if attempt:
                self._log.note("repeat %d of %d" % (attempt, REPEATS))
            self._signs.clear()
            before = sum(map(is_answer, self.received))
            self._write(self._framed(apdu))
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
        end = time.monotonic() + DRAIN_SECONDS
        while time.monotonic() < end:
            select.select([], [], [], 0.02)  # what was just written takes a moment to be counted
            if not struct.unpack("i", fcntl.ioctl(self._slave, termios.FIONREAD, b"\0" * 4))[0]:
                return

    def _framed(self, apdu):
        frame = pack(apdu)
        if self._faults.crc:
            self._faults.crc -= 1
            self._log.note("the frame's CRC is damaged, as asked")
            frame = frame[:-1] + bytes((frame[-1] ^ 0xFF,))
        return frame

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
        self._cut_end = time.monotonic() + self._times.t1 if self._receiver.inside else None

    def _was_cut(self):
        if self._receiver.reset():
            self._refuse("a frame was cut")

    def _frame(self, apdu):
        self._rules.arrives(apdu)
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
            self._take_in(apdu)

    def _refuse(self, why):
        self._log.note(why + ": NAK")
        self._write(bytes((NAK,)))

    def _write(self, data):
        data, last = self._before_the_cut(data)
        try:
            os.write(self._master, data)
        except BlockingIOError:
            self._log.note("%d bytes were lost: nobody reads the line" % len(data))
        if last:
            self.cut_power()
