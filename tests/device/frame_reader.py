"""What the agent's own readers make of bytes, said in bytes: the same under every runtime."""

from hashlib import sha256

from firmware_agent.wire import cbor, hdlc, messages, smp
from firmware_agent.wire.errors import WireError

CBOR, SMP, STREAM = 0, 1, 2  # kinds of frames
BLOCK = 1000  # frames of a digest


def read(kind, data):
    """bytes that tell all that was read, or why it was not. Any exception but WireError and ValueError is a bug."""
    if kind == CBOR:
        return _body(data)
    if kind == SMP:
        return _messages(data)
    told = b""
    for piece in data.split(hdlc.FLAG):
        body = hdlc.unpack(piece)
        if body is not None:
            told += b"F" + _body(body)
    return told


def _body(data):
    try:
        return b"B" + cbor.encode(cbor.decode(data))
    except WireError as error:
        return _refused(error)


def _refused(error):
    return b"W" + error.name.encode() + b" " + (error.field or "").encode()


def _messages(data):
    assembler = smp.Assembler()
    told = b""
    for line in data.split(b"\n"):
        try:
            message = assembler.add(line)
        except ValueError as error:
            told += b"V" + str(error).encode()
            continue
        if message is not None:
            told += b"M" + message + _message(message)
    return told


def _message(message):
    try:
        header, body = smp.unpack(message)
    except ValueError as error:
        return b"V" + str(error).encode()
    told = b"%d %d %d" % (header.op, header.group, header.sequence)
    row = messages.declared(header.command)
    if not row:
        return told
    try:
        values = messages.unpack(row[2 + (header.op & 1)], cbor.decode(body))
        return told + cbor.encode(values)
    except WireError as error:
        return told + _refused(error)


def digests(file):
    """Yields the digest (hexadecimal) of what is read of each BLOCK of frames. `file`: for each its kind, its length in two
    bytes, and itself."""
    head = file.read(3)
    while head:
        digest = sha256()
        for _ in range(BLOCK):
            if head:
                told = read(head[0], file.read(head[1] << 8 | head[2]))
                digest.update(len(told).to_bytes(4, "big"))
                digest.update(told)
                head = file.read(3)
        yield "".join(["%02x" % byte for byte in digest.digest()])
