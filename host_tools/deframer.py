"""The stream's frames out of the bytes of a line, many at once: firmware_agent/wire/hdlc.py says how they are made."""

from binascii import crc32

from firmware_agent.wire.hdlc import FLAG, LONGEST

_GOOD = 0x2144DF1C  # CRC-32 of anything followed by its own CRC-32
_MOST = 2 * (LONGEST + 4)  # bytes between two flags
_BEHIND = bytes(0x20 if byte == 0x7D else 0 for byte in range(256))


class Deframer:
    """frames: read well; damaged: pieces between flags that are neither frame nor lines; resyncs: frames read well behind a
    damaged piece or what was dropped; dropped: bytes without a flag that are no lines."""

    def __init__(self):
        self.frames = self.damaged = self.resyncs = self.dropped = 0
        self._rest = b""  # what no flag has followed yet
        self._lost = False
        self._other = []

    def feed(self, data):
        """The bodies of all frames that are whole with `data` (bytes), in order."""
        block, flag, rest = (self._rest + data).rpartition(FLAG)
        bodies = self._read(block) if flag else []
        # a frame has no line end inside: what ends in one is a line, whatever is beside it
        lines, end, rest = rest.rpartition(b"\n")
        if end:
            self._other.append(lines + end)
        if len(rest) > _MOST:
            self.dropped += len(rest)
            self._lost = True
            rest = b""
        self._rest = rest
        return bodies

    def other(self):
        """The bytes since the last call that are no frames, whole lines of text or SMP, in order."""
        other = b"".join(self._other)
        self._other = []
        return other

    def _read(self, block):
        # every byte behind a 7D is mended at once: the whole block is one long number
        mended = int.from_bytes(block, "big") ^ int.from_bytes(block.translate(_BEHIND), "big") >> 8
        mended = mended.to_bytes(len(block), "big")
        bodies = []
        begin = 0
        for piece in block.split(FLAG):
            if not piece:
                begin += 1
                continue
            end = begin + len(piece)
            escaped = mended[begin:end]
            begin = end + 1
            whole = escaped.replace(b"}", b"")
            if crc32(whole) != _GOOD:
                # two 7D in a row are an escape and the 7D it stands for: no other pair of a frame looks so
                whole = b"}".join([part.replace(b"}", b"") for part in escaped.split(b"}}")])
                if crc32(whole) != _GOOD:
                    self._no_frame(piece)
                    continue
            if 4 < len(whole) <= LONGEST + 4:
                bodies.append(whole[:-4])
                if self._lost:
                    self._lost = False
                    self.resyncs += 1
            else:
                self._no_frame(piece)
        self.frames += len(bodies)
        return bodies

    def _no_frame(self, piece):
        if b"\n" in piece:
            self._other.append(piece)
        else:
            self.damaged += 1
            self._lost = True
