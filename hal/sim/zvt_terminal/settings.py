"""What the simulated terminal is (Settings) and what is wrong with it (Faults), as data that others read and change."""

import dataclasses

# TLV 1F55, terminal locks (PA00P015): bit 0 of its first byte first
LOCKS = (
    "security_module",
    "start_up",
    "printer",
    "out_of_order",
    "service",
    "diagnosis",
    "initialisation",
    "reconciliation",
    "mdb",
    "contactless",
    "low_battery",
    "activation",
    "secure_link",
    "card_inserted",
    "reader_missing",
    "log_defective",
)


def is_text(text):
    """True for what a version or model may be."""
    return text.isascii() and len(text) <= 40


@dataclasses.dataclass
class Settings:
    currency: int = 978  # ISO 4217 number
    terminal_id: int = 52001233
    version: str = "2.14.15"
    model: str = "SIMULATED"
    serial: int = 52001233  # eight digits
    card: str = "4111110000001111"  # of the one card the customers have
    password: int = 0
    pan_clear: bool = False  # send the card number unmasked, as some terminals do

    @property
    def masked_card(self):
        """First six and last four digits, E for each between, as BMP 22 masks it."""
        return self.card[:6] + "E" * (len(self.card) - 10) + self.card[-4:]


@dataclasses.dataclass
class Faults:
    """What somebody asked to go wrong. Codes are bytes; None or 0 is no fault."""

    status: int = 0
    locks: frozenset = frozenset()  # names of LOCKS
    device_state: int = 0  # TLV 1F43: 0 ready, 1 initialisation needed, 2 no keys, 3 fraud
    supply_mv: int | None = None  # of a supply that is too low
    card_ms: int = 0  # the customer takes so long to present the card
    host_ms: int = 0  # the host takes so long to answer
    decline: int | None = None
    decline_always: bool = False
    abort: int | None = None
    negative: int | None = None
    die: str | None = None  # before-execute, after-execute, after-status, after-ack
    silent: float = 0  # so many frames are swallowed
    nak: int = 0  # so many frames are refused
