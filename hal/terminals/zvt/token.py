"""A card number as a keyed token, so that two messages of one card are known for such, and the number is kept nowhere.

HMAC-SHA256 (RFC 2104) over the digits, because MicroPython has no hmac. Loaded when a terminal sends a number unmasked.
"""

from hashlib import sha256

_BLOCK = 64  # bytes that SHA-256 takes at once


def token(key, digits):
    """8 bytes. `key`: bytes; `digits`: text of the whole number, never shorter or masked."""
    if len(key) > _BLOCK:
        key = sha256(key).digest()
    key = key + bytes(_BLOCK - len(key))
    inner = sha256(bytes([byte ^ 0x36 for byte in key]))
    inner.update(digits.encode())
    outer = sha256(bytes([byte ^ 0x5C for byte in key]))
    outer.update(inner.digest())
    return outer.digest()[:8]
