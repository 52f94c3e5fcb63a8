"""One ZVT line over a Serial port: APDUs out and in, with ACK, NAK, repeats and the timers of paper PA00P016."""

from ...said import TerminalSilent
from ...ticks import deadline, left
from .frame import ACK, NAK, Receiver, pack

_INBOX = 8  # APDUs that may wait: a terminal sends its next one only after our answer to the last


class SerialLine:
    """`t1_ms`: longest gap between the bytes of a frame. `t2_ms`: how long to wait for ACK or NAK."""

    def __init__(self, serial, t1_ms=200, t2_ms=5000):
        self.serial = serial
        self._t1 = t1_ms
        self._t2 = t2_ms
        self._receiver = Receiver()
        self._tokens = []
        self.inbox = []
        self.frames = 0  # both ways, repeats and damaged ones too
        self.errors = 0  # of them: came damaged or cut, were refused, or not acknowledged in time
        self._heard = True  # something came since the last frame that nobody acknowledged

    @property
    def pending(self):
        """True while something waits to be received, or has begun to come."""
        return bool(self.inbox or self._tokens or self._receiver.inside)

    async def _token(self, until):
        """The next ACK, NAK or APDU before the deadline, None after it. APDUs are acknowledged here."""
        while True:
            while self._tokens:
                token = self._tokens.pop(0)
                if token is None or not (isinstance(token, int) or len(token) > 2):  # less than an APDU is none
                    self.frames += 1
                    await self._refuse()
                    continue
                if not isinstance(token, int):
                    self.frames += 1
                    await self._answer(ACK)
                return token
            rest = left(until)
            wait = min(rest, self._t1) if self._receiver.inside else rest
            data = await self.serial.read(wait)
            if data:
                self._heard = True
                self._tokens += self._receiver.feed(data)
            elif self._receiver.inside and wait == self._t1:
                if self._receiver.reset():
                    self.frames += 1
                    await self._refuse()
            elif not left(until):
                return None

    async def _answer(self, byte):
        await self.serial.write(bytes((byte,)))

    async def _refuse(self):
        self.errors += 1
        await self._answer(NAK)

    async def send(self, apdu, repeats=2):
        """Send one APDU and wait for its ACK. `repeats`: how often it may go out again after a NAK or T2; 0 for whatever
        must not reach the terminal twice. TerminalSilent: never acknowledged (it may have arrived all the same)."""
        frame = pack(apdu)
        for _ in range(1 + repeats):
            await self.serial.write(frame)
            self.frames += 1
            until = deadline(self._t2)
            while True:
                token = await self._token(until)
                if token == ACK:
                    return
                if token == NAK or token is None:
                    # of a terminal that is switched off only the first counts: its cable is not to blame
                    self.errors += self._heard
                    self._heard = False
                    break
                if len(self.inbox) < _INBOX:
                    self.inbox.append(token)
        raise TerminalSilent("the terminal does not acknowledge")

    async def receive(self, timeout_ms):
        """The next APDU, already acknowledged. TerminalSilent after `timeout_ms`."""
        if self.inbox:
            return self.inbox.pop(0)
        until = deadline(timeout_ms)
        while True:
            token = await self._token(until)
            if token is None:
                raise TerminalSilent("the terminal does not answer")
            if not isinstance(token, int):
                return token

    async def drain(self, quiet_ms):
        """Take, acknowledge and return what is still under way, until the line was quiet for `quiet_ms`."""
        apdus, self.inbox = self.inbox, []
        while True:
            token = await self._token(deadline(quiet_ms))
            if token is None:
                return apdus
            if not isinstance(token, int) and len(apdus) < _INBOX:
                apdus.append(token)
