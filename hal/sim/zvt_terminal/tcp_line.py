"""The terminal's end of ZVT over TCP: bare APDUs, in whatever pieces they come. The till opens and closes the connection.

Source: transport paper PA00P016, port 20007. There is no ACK and no NAK. One till at a time: a second connection is closed at
once. When the till hangs up in the midst of a command the terminal carries it out all the same and says nothing more of it,
also not to the next till; what waited behind that command is forgotten. An APDU that stays cut for T3 is dropped.
"""

import fcntl
import select
import socket
import struct
import termios
import time

from .till_line import DRAIN_SECONDS, MOST_RECEIVED, TillLine, is_answer

PORT = 20007
_APART_SECONDS = 0.02  # from 80 00 00 to what follows, as a terminal takes: some tills take one read for one message


class TcpLine(TillLine):
    """`path`: HOST:PORT as a till connects to it; port 0 has become a free one. OSError: it cannot listen there."""

    def __init__(self, host, port, times, faults, log, rules):
        super().__init__(times, faults, log, rules)
        self._server = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.path = ("[%s]:%d" if ":" in host else "%s:%d") % (host, self._server.getsockname()[1])
        self._till = None  # the connection
        self._asked = None  # the connection whose command is carried out
        self._begun = b""  # of an APDU
        self._apart = 0.0  # when the next APDU may go out
        self.watch(self._server, self._connects)

    @property
    def answering(self):
        return self._till is not None and self._till is self._asked

    def begin(self):
        self._asked = self._till

    def send(self, apdu, drained=False):
        """True once it is on its way; False where the till has hung up."""
        if not self.answering:
            self._log.note("nobody to tell: the till has hung up")
            return False
        time.sleep(max(0.0, self._apart - time.monotonic()))
        data, last = self._before_the_cut(self._let_out(apdu))
        try:
            self._till.sendall(data)
        except OSError:
            self._hang_up()
        if last:
            self.cut_power()
        if drained:
            self.drain()
        if is_answer(apdu):
            self._apart = time.monotonic() + _APART_SECONDS
        return self.answering

    def drain(self):
        end = time.monotonic() + DRAIN_SECONDS
        while self._till is not None and time.monotonic() < end:
            # bytes nobody has read would make the kernel tear the connection, and what is on its way with it
            while self._till is not None and select.select([self._till], [], [], 0)[0]:
                self._taken_from_wire()
            if self._till is None or not struct.unpack("i", fcntl.ioctl(self._till, termios.TIOCOUTQ, b"\0" * 4))[0]:
                return
            select.select([], [], [], 0.02)

    def _connects(self):
        connection, address = self._server.accept()
        # the till that hung up before this one connected may still have bytes to be read
        while self._till is not None and select.select([self._till], [], [], 0)[0]:
            self._readable()
        if self._till is not None:
            connection.close()
            self._log.note("a second till was refused: %s:%d" % address[:2])
            return
        connection.settimeout(self._times.t3)  # a till that reads nothing for so long is gone
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._till = connection
        self.watch(connection, self._readable)
        self._log.note("a till has connected: %s:%d" % address[:2])

    def _taken_from_wire(self):
        try:
            data = self._till.recv(4096)
        except OSError:
            data = b""
        if not data:
            self._hang_up()
        return data

    def _readable(self):
        if self._till is None:
            return  # it hung up while others were listened to
        data = self._taken_from_wire()
        if not data:
            return
        self._begun += data
        while len(self._begun) >= 3:
            start, size = 3, self._begun[2]
            if size == 0xFF:
                if len(self._begun) < 5:
                    break
                start, size = 5, self._begun[3] | self._begun[4] << 8
            if len(self._begun) < start + size:
                break
            apdu, self._begun = self._begun[: start + size], self._begun[start + size :]
            self._arrived(apdu)
        self._cut_end = time.monotonic() + self._times.t3 if self._begun else None

    def _arrived(self, apdu):
        self._rules.arrives(apdu)
        if self._faults.silent:
            self._faults.silent -= 1
            self._log.note("an APDU was swallowed, as asked")
        elif len(self.received) >= MOST_RECEIVED:
            self._log.note("an APDU was lost: %d wait already" % MOST_RECEIVED)
        else:
            self._take_in(apdu)

    def _was_cut(self):
        self._log.note("an APDU was cut: %d bytes dropped" % len(self._begun))
        self._begun = b""

    def _hang_up(self):
        self.unwatch(self._till)
        self._till.close()
        self._till = None
        lost = ", %d bytes of an APDU lost" % len(self._begun) if self._begun else ""
        waiting = sum(not is_answer(apdu) for apdu in self.received)
        if waiting:
            lost += ", %d commands forgotten" % waiting
        self._log.note("the till hung up" + lost)
        self._begun, self._cut_end = b"", None
        self.received.clear()
