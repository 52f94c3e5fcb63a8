"""Policies signed and opened: COSE_Sign1 (RFC 9052, 4.2) with ES256, as firmware_agent/wire/cose.py verifies it.

A key id is the first eight bytes of SHA-256 over X||Y of the public key. The same payload and key give the same bytes
(RFC 6979), so that a build can be made again and compared, and a push of it goes on where an earlier one was cut off.
"""

import os
import stat
from binascii import hexlify
from hashlib import sha256

from firmware_agent.wire import cbor, cose, errors

from .failures import Failure, WrongUsage

_TAGGED = b"\xd2"  # tag 18


class NoKey(WrongUsage):
    """The file holds no private key that can sign policies. Fields: file."""

    key = "policy_no_key"


class NoEnvelope(Failure):
    """The bytes are no signed policy. Fields: file."""

    key = "policy_no_envelope"


def new_key():
    """A private key as PEM bytes."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def public_line(private_key, comment=""):
    """What a device trusts, as one line: key id, X||Y, comment. `private_key`: PEM."""
    public = _public(_loaded(private_key, "KEY"))
    return f"{hexlify(_kid(public)).decode()} {hexlify(public).decode()} {comment}".rstrip()


def sign(payload, private_key_pem):
    """The envelope."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, utils

    key = _loaded(private_key_pem, "KEY")
    protected = cbor.encode({1: -7, 4: _kid(_public(key))})
    to_sign = cbor.encode(["Signature1", protected, b"", payload])
    try:
        form = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
        signature = key.sign(to_sign, form)
    except (TypeError, UnsupportedAlgorithm):  # an older library: as good a signature, another one each time
        signature = key.sign(to_sign, ec.ECDSA(hashes.SHA256()))
    r, s = utils.decode_dss_signature(signature)
    return _TAGGED + cbor.encode([protected, {}, payload, r.to_bytes(32, "big") + s.to_bytes(32, "big")])


def opened(envelope, file="-"):
    """(key id or None, payload) of an envelope. Its form is checked, its signature is not: that takes the public key."""
    try:
        kid, address, size, _, _ = cose.opened(lambda at, length: envelope[at : at + length], len(envelope))
    except errors.WireError:
        raise NoEnvelope(file=file)
    return kid, envelope[address : address + size]


def read_key(file):
    """(PEM bytes, whether others on this machine may read them) of a key file."""
    try:
        with open(file, "rb") as opened_file:
            mode = os.fstat(opened_file.fileno()).st_mode
            pem = opened_file.read()
    except OSError as error:
        raise WrongUsage("cannot_read", file=file, reason=error.strerror)
    _loaded(pem, file)
    return pem, os.name == "posix" and bool(stat.S_IMODE(mode) & 0o077)


def write_key(file):
    """Makes `file`, readable by its owner alone, and `file`.pub; the line in the latter. Neither may be there already."""
    public = file + ".pub"
    for name in (file, public):
        if os.path.lexists(name):
            raise WrongUsage("policy_key_exists", file=name)
    pem = new_key()
    line = public_line(pem, os.path.basename(file))
    try:
        for name, mode, data in ((file, 0o600, pem), (public, 0o644, line.encode() + b"\n")):
            with os.fdopen(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as made:
                made.write(data)
    except FileExistsError:
        raise WrongUsage("policy_key_exists", file=file)
    except OSError as error:
        raise Failure("cannot_write", file=file, reason=error.strerror)
    return line


def _loaded(pem, file):
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        key = serialization.load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise NoKey(file=file)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise NoKey(file=file)
    return key


def _public(key):
    numbers = key.public_key().public_numbers()
    return numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")


def _kid(public):
    return sha256(public).digest()[:8]
