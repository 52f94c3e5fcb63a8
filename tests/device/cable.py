"""A serial cable in memory: what was plugged into the agent's link, and what it read there."""


class CableEnds(Exception):
    """Everything was delivered: ends what reads the cable for ever."""


class Cable:
    """Serial port. `chunks`: what its reads return, one after the other; b"" is a read that ran out of time, an OSError is
    raised. Behind the last one CableEnds. `sent`: everything written."""

    def __init__(self, chunks=()):
        self.chunks = list(chunks)
        self.sent = b""

    async def read(self, timeout_ms):
        if not self.chunks:
            raise CableEnds()
        chunk = self.chunks.pop(0)
        if isinstance(chunk, OSError):
            raise chunk
        return chunk

    async def write(self, data):
        self.sent += data


def messages(data):
    """(SMP messages in `data`, what else is there), with the framing read anew: no code of the agent helps."""
    from binascii import a2b_base64

    found = []
    other = b""
    packet = b""
    while data:
        line, _, rest = data.partition(b"\n")
        if line[:2] not in (b"\x06\x09", b"\x04\x14"):
            other += data[:1]
            data = data[1:]
            continue
        data = rest
        if line[:1] == b"\x06":
            packet = b""
        packet += a2b_base64(line[2:])
        if len(packet) == 2 + (packet[0] << 8 | packet[1]):
            found.append(packet[2:-2])
    return found, other
