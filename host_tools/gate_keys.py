"""Keys that the agent at a gate makes for what a till asks for: a till names none."""

import re

_ASKED = re.compile("till-[0-9]+-[0-9]+")  # number of the boot, count of what was asked for since
_PASSED = re.compile("passed-[0-9]+-[0-9]+")  # the terminal's receipt and trace


def asked(key):
    """True of a refund that a till asked for, and that was checked at the gate."""
    return bool(_ASKED.fullmatch(key or ""))


def passed(key):
    """True of one that passed the gate unchecked: it has no record but that it was made."""
    return bool(_PASSED.fullmatch(key or ""))
