"""Signed envelopes: COSE_Sign1 (RFC 9052, 4.2) with ES256 (RFC 9053, 2.1), read where they lie, a piece at a time.

An envelope is [protected, unprotected, payload, signature], with or without tag 18. Only this is accepted: protected is
{1: -7} or {1: -7, 4: kid} in this order, unprotected {} or {4: kid}, kid in one of them at most and of 1 to 32 bytes; the
payload in the envelope; CBOR in its shortest form, of definite lengths, nothing behind the end. No external data is signed.
"""

import hashlib

from .errors import WireError
from .es256 import verifying
from .steps import finished

_PIECE = 256  # bytes of payload in the heap at a time
_KID = 32  # room for a SHA-256 of the key (RFC 9679); a longer one would fill the heap


def opened(read, size):
    """(kid or None, address of the payload, its size, signature of 64 bytes, SHA-256 of the Sig_structure of RFC 9052, 4.4)
    of the envelope of `size` bytes; read(address, size) gives bytes of it, and what it raises passes through. Nothing is
    verified. WireError bad_message if it is no such envelope."""
    data = _Reader(read, size)
    if data.take(1) != b"\xd2":
        data.at = 0
    _need(data.take(1) == b"\x84")
    protected = data.at
    length = data.length()
    end = data.at + length
    kid = data.kid(b"\xa1\x01\x26", b"\xa2\x01\x26\x04")
    _need(data.at == end)
    other = data.kid(b"\xa0", b"\xa1\x04")
    _need(not kid or not other)
    payload = data.at
    length = data.length()
    address = data.at
    digest = hashlib.sha256(b"\x84\x6aSignature1")
    # as they lie there: in their shortest form there is one way only to write them
    data.at = protected
    digest.update(data.take(end - protected))
    digest.update(b"\x40")
    data.at = payload
    while data.at < address + length:
        digest.update(data.take(min(_PIECE, address + length - data.at)))
    _need(data.length() == 64)
    signature = data.take(64)
    _need(data.at == size)
    return kid or other, address, length, signature, digest.digest()


def verified(read, size, keys):
    """(kid, address of the payload, its size) of an envelope as `opened` reads it, signed by one of `keys`: {kid: key, as
    es256.verify takes it}. WireError bad_signature if it is not, or names no key of these."""
    return finished(verifying_envelope(read, size, keys))


def verifying_envelope(read, size, keys):
    """As `verified`, in steps (steps.py)."""
    kid, address, length, signature, digest = opened(read, size)
    if kid not in keys or not (yield from verifying(keys[kid], digest, signature)):
        raise WireError("bad_signature")
    return kid, address, length


def _need(true):
    if not true:
        raise WireError("bad_message")


class _Reader:
    """`at`: where the next bytes are taken."""

    def __init__(self, read, size):
        self.read = read
        self.size = size
        self.at = 0

    def take(self, size):
        _need(size <= self.size - self.at)
        data = self.read(self.at, size)
        _need(len(data) == size)
        self.at += size
        return data

    def length(self):
        """Of the byte string whose head is here."""
        length = self.take(1)[0] - 0x40
        _need(0 <= length < 27)  # 27 is for 4 GB and more
        if length > 23:
            least = (24, 0x100, 0x10000)[length - 24]
            length = int.from_bytes(self.take(1 << (length - 24)), "big")
            _need(length >= least)
        return length

    def kid(self, without, before):
        """The kid in a map of headers that begins with `before`; None if the map is `without`."""
        begin = self.take(len(without))
        if begin == without:
            return None
        _need(begin + self.take(1) == before)
        length = self.length()
        _need(0 < length <= _KID)
        return self.take(length)
