"""The diagnostic ring: numbered events in RAM, the oldest dropped and counted.

Each is kept as its bytes on the wire (message EVENT), so that reading many costs no work and little heap.
"""

from .wire import cbor
from .wire.messages import EVENT, event, pack

# An event takes 30 to 60 bytes; the ring must outlast the seconds a technician needs to plug in again.
_RING = 24


class Ring:
    def __init__(self, clock, boot):
        self.clock = clock
        self.boot = boot
        self.last = 0
        self._ring = []

    def add(self, name, numbers=None):
        """Add an event by its name in EVENTS, with {fact: value}."""
        self.last += 1
        values = {
            "number": self.last,
            "uptime_ms": self.clock.uptime_ms(),
            "code": event(name),
            "numbers": numbers or {},
        }
        if len(self._ring) >= _RING:
            self._ring.pop(0)
        self._ring.append(cbor.encode(pack(EVENT, values)))

    def since(self, cursor, max_bytes):
        """(events as encoded bytes, next cursor, how many after the cursor are no longer there). One event at least, if
        there is one: whoever asks for too few bytes must get on too."""
        first = self.last - len(self._ring)  # number of the event before the ring's oldest
        begin = max(cursor, first)
        dropped = begin - cursor if cursor < first else 0
        events = []
        for encoded in self._ring[max(0, begin - first) :]:
            if events and len(encoded) > max_bytes:
                break
            max_bytes -= len(encoded)
            events.append(cbor.Encoded(encoded))
        return events, begin + len(events), dropped
