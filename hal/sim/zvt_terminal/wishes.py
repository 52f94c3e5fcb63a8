"""What the till asked for with its registration (06 00), and what the terminal says to it while it is busy."""

import time

from hal.terminals.zvt import apdu

from .steps import ACCEPTED, Send, Wait

INTERMEDIATE = 0x04FF

# Config byte of 06 00
PRINTS_PAYMENTS, PRINTS_ADMINISTRATION, WANTS_INTERMEDIATE = 0x02, 0x04, 0x08
CONTROLS_PAYMENT, PRINTS_BY_LINE = 0x10, 0x80

# Codes of 04 FF, and how often one is sent: at least each second
INSERT_CARD, WAITING_FOR_HOST = 0x0A, 0x04
INTERMEDIATE_SECONDS = 0.8

LONGEST = 1024  # bytes of an APDU, where the till did not say (TLV 1A)


class Wishes:
    """`config`: config byte, None while no till has registered. `blocks`: prints 06 D3. `longest`: bytes an APDU may have."""

    def __init__(self):
        self.forget()

    def forget(self):
        self.config, self.blocks, self.longest = None, False, LONGEST

    def has(self, bits):
        """True where the till registered with all of these bits."""
        return (self.config or 0) & bits == bits

    def busy(self, milliseconds, code, t4_minutes=None):
        """Steps that let the time pass, with 04 FF where the till wants it. True as soon as the till asked to abort.

        06 B0 is accepted here whatever happens next: whether it came in time, the end of the transaction tells.
        """
        end = time.monotonic() + milliseconds / 1000
        while time.monotonic() < end:
            if self.has(WANTS_INTERMEDIATE):
                minutes = b"" if t4_minutes is None else apdu.bcd(t4_minutes, 1)
                yield Send(apdu.pack(INTERMEDIATE, bytes((code,)) + minutes))
            if (yield Wait(max(0, min(INTERMEDIATE_SECONDS, end - time.monotonic())))):
                yield Send(ACCEPTED)
                if code == INSERT_CARD:
                    return True
        return False
