"""A PIN as it is typed: never shown, never on a command line, in no text of ours."""

import getpass
import sys

from .failures import WrongUsage
from .policy_pin import DIGITS, is_pin

_LINE = 64  # more than a PIN has


def read(prompt):
    """The PIN typed at the terminal without echo; where stdin is none, its first line. WrongUsage: it is no PIN."""
    if sys.stdin.isatty():
        try:
            pin = getpass.getpass(prompt)
        except EOFError:
            pin = ""
    else:
        pin = sys.stdin.readline(_LINE).rstrip("\r\n")
    if not is_pin(pin):
        raise WrongUsage("pin_form", low=DIGITS[0], high=DIGITS[1])
    return pin
