"""The PIN of a person who approves refunds: a policy keeps a salt and a hash of it, never the PIN.

A PIN has few digits, and whoever has the policy can try them all. The hash keeps it from being read over a shoulder or in a
listing; beyond that a policy file is to be kept as a secret, and a device lets nobody try more often than `pin_tries`.
"""

import hashlib
import re
import secrets
from binascii import hexlify

from firmware_agent.wire.pan import looks_like_pan

ROUNDS = 1000  # what a device takes where the policy does not say
DIGITS = (4, 12)
NONE = (bytes(8), bytes(32))  # salt and hash of somebody without a PIN: no PIN has this hash


def is_pin(text):
    return bool(re.fullmatch("[0-9]+", text)) and DIGITS[0] <= len(text) <= DIGITS[1]


def hashed(salt, pin, rounds):
    """SHA-256 over salt and PIN, then `rounds` - 1 times over salt and that."""
    value = hashlib.sha256(salt + pin.encode()).digest()
    for _ in range(rounds - 1):
        value = hashlib.sha256(salt + value).digest()
    return value


def salt_of(policy_id, name):
    """The salt of a PIN that stands plain in a source: the same each time, so that the same source makes the same policy."""
    return hashlib.sha256(f"{policy_id}\0{name}".encode()).digest()[:8]


def new(pin, rounds):
    """(salt, hash) as hexadecimal, the salt by chance. Neither looks like a card number."""
    while True:
        salt = secrets.token_bytes(8)
        found = tuple(hexlify(value).decode() for value in (salt, hashed(salt, pin, rounds)))
        if not any(map(looks_like_pan, found)):
            return found
