"""Who may sign policies for this agent: a file of public keys. Loaded for the start, and let go."""

from binascii import unhexlify
from hashlib import sha256


def keys(path):
    """{key id: public key} of a file with one key a line: id and X||Y, hexadecimal, and whatever stands behind. {} if there
    is no such file. OSError: a line that is no key."""
    found = {}
    try:
        lines = open(path)
    except OSError:
        return found
    for line in lines:
        words = line.split()
        if words and not line.startswith("#"):
            try:
                key = unhexlify(words[1])
                if len(key) != 64 or sha256(key).digest()[:8] != unhexlify(words[0]):
                    raise ValueError
            except (ValueError, IndexError):
                raise OSError(22, "%s holds a line that is no public key as refundctl policy key writes it" % path)
            found[unhexlify(words[0])] = key
    lines.close()
    return found
