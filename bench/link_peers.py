"""Framings from PyPI and the standard library beside ours. Each: `frame(body)` -> bytes on the wire; `decoder()` -> what is
fed bytes as they come and returns the bodies in them."""

import json
import zlib
from importlib import metadata

import cbor2

from firmware_agent.wire import hdlc, names
from host_tools.deframer import Deframer


class Ours:
    name = "our frames"

    def body(self, uptime_ms, values):
        return cbor2.dumps([1, 1000, uptime_ms, {names.fact(name): value for name, value in values.items()}])

    def frame(self, body):
        return hdlc.pack(body)

    def decoder(self):
        return Deframer().feed


class Smp(Ours):
    """An SMP answer on the serial line, as the package writes and reads it."""

    name = "smp"

    def frame(self, body):
        from smp import header, packet

        head = header.Header(header.OP.READ_RSP, header.Version.V2, header.Flag(0), len(body), 82, 0, 3)
        return b"".join(packet.encode(head.BYTES + body))

    def decoder(self):
        from smp import packet

        rest = b""
        decoding = None

        def feed(data):
            nonlocal rest, decoding
            *lines, rest = (rest + data).split(b"\n")
            bodies = []
            for line in lines:
                if decoding is None:
                    decoding = packet.decode()
                    next(decoding)
                try:
                    decoding.send(line + b"\n")
                except StopIteration as whole:
                    bodies.append(bytes(whole.value[8:]))
                    decoding = None
            return bodies

        return feed


class Pigweed(Ours):
    name = "pigweed"

    def frame(self, body):
        from pw_hdlc import encode

        return encode.ui_frame(1, body)

    def decoder(self):
        from pw_hdlc.decode import FrameDecoder

        process = FrameDecoder().process
        return lambda data: [frame.data for frame in process(data) if frame.ok()]


class Cobs(Ours):
    """Consistent Overhead Byte Stuffing, with the CRC-32 that it lacks; the package's stuffing is in C."""

    name = "cobs"

    def frame(self, body):
        from cobs import cobs

        return cobs.encode(body + zlib.crc32(body).to_bytes(4, "little")) + b"\0"

    def decoder(self):
        from cobs import cobs

        rest = b""

        def feed(data):
            nonlocal rest
            *pieces, rest = (rest + data).split(b"\0")
            bodies = []
            for piece in pieces:
                whole = cobs.decode(piece)
                if zlib.crc32(whole[:-4]) == int.from_bytes(whole[-4:], "little"):
                    bodies.append(whole[:-4])
            return bodies

        return feed


class JsonLines(Ours):
    """Names and values in words; no checksum, no number."""

    name = "JSON lines"

    def body(self, uptime_ms, values):
        return json.dumps({"uptime_ms": uptime_ms, **values}, separators=(",", ":")).encode()

    def frame(self, body):
        return body + b"\n"

    def decoder(self):
        rest = b""

        def feed(data):
            nonlocal rest
            *lines, rest = (rest + data).split(b"\n")
            return lines

        return feed


PEERS = (Ours(), Smp(), Pigweed(), Cobs(), JsonLines())


def shown(peer):
    """Its name, and its version where it is a package."""
    try:
        return f"{peer.name} {metadata.version(peer.name)}"
    except metadata.PackageNotFoundError:
        return peer.name


def there(peer):
    """True if it is installed."""
    try:
        return peer.decoder()(peer.frame(b"body")) == [b"body"]
    except ImportError:
        return False
