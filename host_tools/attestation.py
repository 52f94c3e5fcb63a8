"""What people may attest with refundctl, and the digest of the files that show it."""

import os
from hashlib import sha256

from firmware_agent.wire.bodies import ATTESTATIONS

from .failures import Failure, WrongUsage

GUIDE = ATTESTATIONS.index("guide")
_BLOCK = 1 << 20

# What refundctl attest knows: whether it is about one sale. An approval has its PIN, a guide its steps.
ABOUT_A_SALE = {
    "damage": False,
    "noise": False,
    "account_details": False,
    "dispute": True,
    "evidence": True,
    "legal": True,
    "fx_consent": True,
    "host_code": True,
    "till_sale": True,
}


def number(what):
    """Its number on the wire. WrongUsage: there is no such thing to attest."""
    if what not in ABOUT_A_SALE:
        raise WrongUsage("bad_what", whats=list(ABOUT_A_SALE))
    return ATTESTATIONS.index(what)


def check(what, receipt, good, text):
    """WrongUsage if a receipt, an answer or a code is missing or too much."""
    if ABOUT_A_SALE[what] and receipt is None:
        raise WrongUsage("what_needs_receipt", what=what)
    if not ABOUT_A_SALE[what] and receipt is not None:
        raise WrongUsage("what_has_no_receipt", what=what)
    if what == "host_code":
        if (text is None) == (good is not False):
            raise WrongUsage("host_code_needs_text")
    elif good is None and what != "till_sale":  # whose receipt says it all
        raise WrongUsage("yes_or_no", what=what)


def digests(paths):
    """[(path, SHA-256 of its bytes)], sorted by the files' names. Failure: one cannot be read."""
    found = []
    for path in paths:
        digest = sha256()
        try:
            with open(path, "rb") as file:
                while block := file.read(_BLOCK):
                    digest.update(block)
        except OSError as error:
            raise Failure("cannot_read", file=path, reason=error.strerror)
        found.append((path, digest.digest()))
    return sorted(found, key=lambda row: (os.path.basename(row[0]), row[1]))


def joined(rows):
    """The digest for `digests`: of one file its own, as sha256sum prints it; of several the SHA-256 over theirs, one
    after the other. None for no file."""
    if len(rows) < 2:
        return rows[0][1] if rows else None
    return sha256(b"".join(digest for _, digest in rows)).digest()
