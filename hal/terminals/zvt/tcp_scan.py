"""Reads along what a till says over TCP, as scan.py does for a serial line."""

from .scan import ANSWERS, CLASS, FramedScan


class BareScan:
    """As FramedScan, for TCP: bare APDUs, cut anywhere."""

    take = FramedScan.take

    def __init__(self, stops):
        self._stops = stops
        self._held = b""
        self._head = b""  # of the APDU that passes: until its length is known
        self._left = 0  # bytes of it that are still to come

    @property
    def begun(self):
        """True while a part of an APDU has passed, or is held."""
        return bool(self._held or self._head or self._left)

    def skip(self):
        """Nothing: the connection is ended with what stopped."""

    def reset(self):
        """The connection has ended: the next byte begins an APDU."""
        self._held = self._head = b""
        self._left = 0

    def feed(self, data):
        data = self._held + data
        self._held = b""
        at = 0
        while at < len(data):
            if self._left:
                step = min(self._left, len(data) - at)
                self._left -= step
                at += step
                continue
            if not self._head and data[at] < ANSWERS:
                command = data[at] << 8
                if data[at] == CLASS:
                    if at + 1 == len(data):
                        self._held = data[at:]
                        return data[:at], b""
                    command |= data[at + 1]
                if self._stops(command):
                    return data[:at], data[at:]
            size = 5 if self._head[2:3] == b"\xff" else 3  # the length is one byte, or FF and two
            taken = data[at : at + size - len(self._head)]
            self._head += taken
            at += len(taken)
            if len(self._head) == 5:
                self._left = self._head[3] | self._head[4] << 8
                self._head = b""
            elif len(self._head) == 3 and self._head[2] != 0xFF:
                self._left = self._head[2]
                self._head = b""
        return data, b""
