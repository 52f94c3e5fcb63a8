"""What a line does to what is written on it: each class one direction of a line, hostile in its own way, the same from the
same seed. All keep the order of what they let pass, as a cable does."""

import random
from math import log

from firmware_agent.wire import cbor, hdlc, smp

BYTE_S = 10 / 115200  # a byte with start and stop bit


class Line:
    """A line that harms nothing, and takes no time. `harm(data)` -> pieces that come out instead of what was written;
    `pause()`: seconds before each of them."""

    def __init__(self, seed=0):
        self.chance = random.Random(f"{type(self).__name__} {seed}")

    def harm(self, data):
        return [data]

    def pause(self):
        return 0.0


class OneByteAtATime(Line):
    """One byte at a time, at 115200 baud."""

    def harm(self, data):
        return [data[at : at + 1] for at in range(len(data))]

    def pause(self):
        return BYTE_S


class Pieces(Line):
    """Pieces of any size."""

    def harm(self, data):
        pieces = []
        while data:
            size = self.chance.choice((1, 2, 7, 64, 500))
            pieces.append(data[:size])
            data = data[size:]
        return pieces

    def pause(self):
        return self.chance.uniform(0, 0.002)


class LosesLines(Line):
    """20 % of all lines and frames are lost."""

    def harm(self, data):
        return [] if self.chance.random() < 0.2 else [data]


class LosesPieces(Line):
    """A piece of up to 40 bytes is lost of 20 % of all lines and frames."""

    def harm(self, data):
        if self.chance.random() < 0.2:
            at = self.chance.randrange(len(data))
            data = data[:at] + data[at + self.chance.randint(1, 40) :]
        return [data]


class LosesBytes(Line):
    """20 % of all bytes are lost."""

    def harm(self, data):
        return [bytes(byte for byte in data if self.chance.random() >= 0.2)]


class Doubles(Line):
    """20 % of all lines and frames come twice."""

    def harm(self, data):
        return [data, data] if self.chance.random() < 0.2 else [data]


class DoublesPieces(Line):
    """A piece of up to 40 bytes comes twice in 20 % of all lines and frames."""

    def harm(self, data):
        if self.chance.random() < 0.2:
            at = self.chance.randrange(len(data))
            behind = at + self.chance.randint(1, 40)
            data = data[:behind] + data[at:]
        return [data]


class Delays(Line):
    """Everything comes late, by up to 0.3 s."""

    def pause(self):
        return self.chance.uniform(0, 0.3)


class DelaysWithin(Line):
    """20 % of all lines and frames stop in the midst, for up to 0.3 s."""

    _stops = False

    def harm(self, data):
        self._stops = self.chance.random() < 0.2
        at = self.chance.randint(1, len(data)) if self._stops else len(data)
        return [data[:at], data[at:]]

    def pause(self):
        return self.chance.uniform(0, 0.3) if self._stops else 0.0


class BitErrors(Line):
    rate = 0.0

    def __init__(self, seed=0):
        super().__init__(seed)
        self._next = self._gap()

    def _gap(self):
        """Bits until the next one that is wrong."""
        return int(log(1 - self.chance.random()) / log(1 - self.rate))

    def harm(self, data):
        data = bytearray(data)
        while self._next < 8 * len(data):
            data[self._next // 8] ^= 1 << self._next % 8
            self._next += 1 + self._gap()
        self._next -= 8 * len(data)
        return [bytes(data)]


class BitErrors6(BitErrors):
    """One bit of a million is wrong."""

    rate = 1e-6


class BitErrors5(BitErrors):
    """One bit of 100,000 is wrong."""

    rate = 1e-5


class BitErrors4(BitErrors):
    """One bit of 10,000 is wrong."""

    rate = 1e-4


class BitErrors3(BitErrors):
    """One bit of 1,000 is wrong."""

    rate = 1e-3


class BitErrors2(BitErrors):
    """One bit of 100 is wrong."""

    rate = 1e-2


class Noise(Line):
    """Bytes of any value between lines and frames."""

    def harm(self, data):
        return [self.chance.randbytes(self.chance.choice((0, 1, 3, 30, 300))), data]


class Others(Line):
    """Text and frames of others between lines and frames."""

    def harm(self, data):
        return [self._said() if self.chance.random() < 0.5 else b"", data]

    def _said(self):
        chance = self.chance
        message = smp.pack(smp.Header(chance.choice((1, 3)), chance.choice((0, 64, 82)), 0), cbor.encode({"rc": 1}))
        return chance.choice(
            (
                b"AT\r\n",
                b"\r\nlogin: ",
                b"[00:00:12.345,678] <inf> net: up\r\n",
                b"ls",
                b"\x1b[2J\x1b[H",
                smp.frame(message),  # an answer, as if asked by somebody else
                b"\x06\x09AAAA\n\x04\x14AAAA\n",
                hdlc.pack(cbor.encode({"of": "somebody else"})),
                b'~\xff}#\xc0!}!}!} }4}"}&} } } } }%}&\xba\xd3~',  # PPP, with its own checksum
                b"\xc0hello\xc0",  # SLIP
                b"$GPGGA,120000,5231.2,N,01324.3,E*47\r\n",
            )
        )


HOSTILE = (
    OneByteAtATime,
    Pieces,
    LosesLines,
    LosesPieces,
    LosesBytes,
    Doubles,
    DoublesPieces,
    Delays,
    DelaysWithin,
    BitErrors6,
    BitErrors5,
    BitErrors4,
    BitErrors3,
    BitErrors2,
    Noise,
    Others,
)
