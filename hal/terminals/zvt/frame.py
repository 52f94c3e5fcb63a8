"""ZVT over serial, the frame: 10 02 APDU 10 03 CRC-low CRC-high, answered by one byte, ACK 06 or NAK 15.

Source: ZVT transport paper PA00P016. A byte 10 in the APDU is doubled; the added byte counts neither in the CRC nor in
the length. The CRC is CRC-16/KERMIT over the un-doubled APDU and the closing 03; "123456789" gives 0x2189.
"""

ACK = 0x06
NAK = 0x15
_DLE = 0x10
_STX = 0x02
_ETX = 0x03

# APDU: class, instruction, FF and two length bytes, at most 65,535 data bytes in the paper. A board keeps one frame in
# its heap; the longest answer the agent asks for (04 0F with TLV) is below 400 bytes, a print block below 1,000.
_LONGEST = 1024


def _table():
    table = []
    for value in range(16):
        for _ in range(4):
            value = (value >> 1) ^ (0x8408 if value & 1 else 0)
        table.append(value)
    return tuple(table)


_CRC = _table()  # one entry a nibble: 16 numbers of heap instead of 256


def crc16(data, crc=0):
    """CRC-16/KERMIT of `data` (bytes), continued from `crc`; 0..0xFFFF."""
    table = _CRC  # a local name is found twice as fast
    for byte in data:
        crc ^= byte
        crc = (crc >> 4) ^ table[crc & 15]
        crc = (crc >> 4) ^ table[crc & 15]
    return crc


def pack(apdu):
    """The bytes on the line for one APDU."""
    crc = crc16(b"\x03", crc16(apdu))
    return b"\x10\x02" + bytes(apdu).replace(b"\x10", b"\x10\x10") + b"\x10\x03" + bytes((crc & 0xFF, crc >> 8))


class Receiver:
    """Cuts what comes over the line into tokens.

    `feed(data)` returns a list of: the integers ACK and NAK (bare bytes between frames), bytes (an APDU whose CRC is
    right), None (a damaged frame: the caller answers NAK). Anything else between frames is noise and dropped.
    """

    def __init__(self, longest=_LONGEST):
        self._longest = longest
        self.apdu = bytearray()
        self.state = 0  # 0 between frames, 1 DLE seen there, 2 in the APDU, 3 DLE seen in it, 4 CRC low, 5 CRC high,
        # 6 skipping the rest of a damaged frame, 7 DLE seen there
        self.crc = 0  # its first byte, as it came
        self.sum = 0  # CRC of what came of the APDU

    @property
    def inside(self):
        """True while a frame has begun and not ended: T1 (200 ms between bytes) applies."""
        return self.state != 0

    def reset(self):
        """Forget a begun frame (T1 ran out). True if there was one."""
        was = 2 <= self.state <= 5
        self.state = 0
        return was

    def feed(self, data):
        """`data`: bytes, cut anywhere. What lies between two bytes 10 is taken in one piece: most of a frame lies there."""
        tokens = []
        at, size = 0, len(data)
        while at < size:
            state = self.state
            if state == 2 or state == 6:
                end = data.find(b"\x10", at)
                if end < 0:
                    end = size
                else:
                    self.state += 1
                if state == 2 and not self._take(data[at:end]):
                    self._fail(tokens, self.state + 4)
                at = end + 1
                continue
            byte = data[at]
            at += 1
            if state == 0:
                if byte == _DLE:
                    self.state = 1
                elif byte == ACK or byte == NAK:
                    tokens.append(byte)
            elif state == 1 or state == 7:
                if byte == _STX:
                    self._begin()
                elif byte != _DLE:
                    self.state = state - 1
            elif state == 3:
                if byte == _ETX:
                    self.state = 4
                elif byte == _DLE and self._take(b"\x10"):
                    self.state = 2
                elif byte == _STX:  # the sender began anew: what came before is lost
                    self._begin()
                else:
                    self._fail(tokens, 6)
            elif state == 4:
                self.crc = byte
                self.state = 5
            else:
                self.state = 0
                right = self.crc | byte << 8 == crc16(b"\x03", self.sum)
                tokens.append(bytes(self.apdu) if right else None)
        return tokens

    def _begin(self):
        self.apdu = bytearray()
        self.sum = 0
        self.state = 2

    def _take(self, data):
        """False if the APDU would be longer than it may be."""
        if len(self.apdu) + len(data) > self._longest:
            return False
        self.apdu += data
        self.sum = crc16(data, self.sum)  # as it comes: an ACK waits at the end of a long frame
        return True

    def _fail(self, tokens, state):
        # what is left of it must not be taken for ACK or NAK: skipped until the next frame begins or the line is quiet
        self.state = state
        tokens.append(None)
