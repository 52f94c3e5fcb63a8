"""One ZVT line over TCP: bare APDUs, cut into segments anywhere. No ACK, no repeats: the stream keeps what it takes."""

from ...said import TerminalSilent
from ...ticks import deadline, left

_INBOX = 8  # as in line.py


class Receiver:
    """Cuts a stream of bare APDUs, cut anywhere, into APDUs; as frame.Receiver, but nothing in it can be damaged."""

    def __init__(self, longest=1024):
        self._longest = longest
        self._begun = b""
        self._skip = 0  # bytes of an APDU that is too long

    @property
    def inside(self):
        return bool(self._begun or self._skip)

    def reset(self):
        """Forget what was begun. True if there was something."""
        was = self.inside
        self._begun = b""
        self._skip = 0
        return was

    def feed(self, data):
        """APDUs (bytes); None for one that is longer than `longest`, whose bytes are passed over."""
        found = []
        data = self._begun + data
        while data:
            if self._skip:
                step = min(self._skip, len(data))
                self._skip -= step
                data = data[step:]
                continue
            size = 3
            if data[2:3] == b"\xff":
                size = 5 + (data[3] | data[4] << 8) if len(data) > 4 else 5
            elif len(data) > 2:
                size += data[2]
            if size > self._longest:
                self._skip = size
                found.append(None)
            elif len(data) < size:
                break
            else:
                found.append(data[:size])
                data = data[size:]
        self._begun = data
        return found


class TcpLine:
    """As SerialLine, for bare APDUs over TCP: a stream that keeps what it takes, so there are no ACK and no repeats."""

    def __init__(self, serial):
        self.serial = serial
        self._receiver = Receiver()
        self.inbox = []
        self.frames = 0
        self.errors = 0

    @property
    def pending(self):
        """True while something waits to be received, or has begun to come."""
        return bool(self.inbox or self._receiver.inside)

    async def _next(self, timeout_ms):
        until = deadline(timeout_ms)
        while not self.inbox:
            rest = left(until)
            try:
                data = await self.serial.read(rest)
            except OSError:
                self._receiver.reset()
                raise
            for token in self._receiver.feed(data):
                self.frames += 1
                if token is None:
                    self.errors += 1
                elif len(self.inbox) < _INBOX:
                    self.inbox.append(token)
            if not data and not left(until):
                return None
        return self.inbox.pop(0)

    async def send(self, apdu, repeats=0):
        """Send one APDU. TerminalSilent: the line is gone."""
        try:
            await self.serial.write(apdu)
        except OSError as error:
            raise TerminalSilent("the terminal is not connected: %s" % error)
        self.frames += 1

    async def receive(self, timeout_ms):
        """The next APDU. TerminalSilent after `timeout_ms`, and when the line is gone."""
        token = await self._next(timeout_ms)
        if token is None:
            raise TerminalSilent("the terminal does not answer")
        return token

    async def drain(self, quiet_ms):
        """Take and return what is still under way, until the line was quiet for `quiet_ms`; what was begun is given up."""
        apdus = []
        while True:
            token = await self._next(quiet_ms)
            if token is None:
                self._receiver.reset()
                return apdus
            apdus.append(token)
