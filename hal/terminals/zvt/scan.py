"""What may pass a gate: a till's bytes are looked at as they come, and stop where a command begins that somebody is asked
about.

Nothing of a command that stops has passed before. Of a frame the first four bytes are kept back until its command is known
(three where its class is not 06), of a bare APDU the first; all else passes at once.
"""

_DLE = b"\x10"
_STX = 0x02
_ETX = 0x03
ANSWERS = 0x80  # 80 xx and 84 xx answer a message and are no command
CLASS = 0x06  # of all commands that move money


class FramedScan:
    """For serial lines: 10 02 APDU 10 03 CRC CRC. `stops(command)`: True if the command (class and instruction as one number,
    instruction 00 where the class alone tells) must not pass."""

    begun = False  # as BareScan has it: of a frame that does not go on nobody keeps anything

    def __init__(self, stops):
        self._stops = stops
        self._held = b""
        self._inside = False
        self._skips = False
        self._crc = 0  # bytes of it that are still to come

    def skip(self):
        """What stopped was given up: nothing passes until the next frame begins."""
        self._skips = True

    def reset(self):
        """The line was quiet, perhaps for T1: a terminal may have forgotten what was begun, and the next 10 02 begins anew
        for it. What is held stays: it has seen nothing of that."""
        self._inside = False
        self._crc = 0

    def take(self):
        """What is held, which is somebody else's now."""
        held, self._held = self._held, b""
        return held

    def feed(self, data):
        """(bytes that pass now, b"" or all from the first byte of a command on that stops)."""
        data = self._held + data
        self._held = b""
        if self._skips:
            begins = data.find(b"\x10\x02")
            if begins < 0:
                self._held = data[-1:] if data[-1:] == _DLE else b""
                return b"", b""
            self._skips = False
            data = data[begins:]
        at = 0
        while at < len(data):
            if self._crc:
                step = min(self._crc, len(data) - at)
                self._crc -= step
                at += step
                continue
            found = data.find(_DLE, at)
            if found < 0:
                break
            next = data[found + 1] if found + 1 < len(data) else -1
            if next < 0:
                return self._hold(data, found)
            if next == _STX:  # a frame begins, or the sender began anew
                class_ = data[found + 2] if found + 2 < len(data) else -1
                instruction = data[found + 3] if found + 3 < len(data) else -1
                if class_ < 0 or (class_ == CLASS and instruction < 0):
                    self._inside = False
                    return self._hold(data, found)
                if class_ < ANSWERS and self._stops(class_ << 8 | (instruction if class_ == CLASS else 0)):
                    self._inside = False
                    return data[:found], data[found:]
                self._inside = True
                at = found + 2
            elif self._inside:
                if next == _ETX:
                    self._crc = 2
                    self._inside = False
                elif next != 0x10:
                    self._inside = False  # it is damaged: the next 10 02 begins anew
                at = found + 2
            else:
                at = found + 1
        return data, b""

    def _hold(self, data, at):
        self._held = data[at:]
        return data[:at], b""
