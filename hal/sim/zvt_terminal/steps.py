"""What a terminal does to carry out a command, as steps; whoever has the line does each and sends its result back."""

import dataclasses

from hal.terminals.zvt import apdu, compose

ACCEPTED = b"\x80\x00\x00"
ABORTED = 0x061E
COMPLETED = apdu.pack(0x060F)


@dataclasses.dataclass(frozen=True)
class Send:
    """One APDU to the till. Result: the till's 80 or 84, or True where none came in time; False where the till is gone:
    then nothing more need be said."""

    apdu: bytes
    then_cut: bool = False  # the power is cut once it is on the line


@dataclasses.dataclass(frozen=True)
class Wait:
    """Time passes, `seconds`. Result: True, at once, when the till asks to abort (06 B0)."""

    seconds: float


@dataclasses.dataclass(frozen=True)
class PowerCut:
    """The terminal loses its power now."""


class Refused(Exception):
    """The command ends with 06 1E. `more`: what follows the code; `text`: TLV 1F16 and 1F17, extended code and text."""

    def __init__(self, code, more=b"", text=""):
        self.message = aborted(code, more, text)


def aborted(code, more=b"", text=""):
    """06 1E as APDU."""
    if text:
        said = compose.pack_tlv([(0x1F16, bytes((code,))), (0x1F17, text.encode())])
        more += compose.pack_bitmaps([("tlv", said)])
    return apdu.pack(ABORTED, bytes((code,)) + more)
