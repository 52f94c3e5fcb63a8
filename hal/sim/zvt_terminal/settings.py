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
    """True for what a version, a model or a message may be."""
    return text.isascii() and text.isprintable() and len(text) <= 40


@dataclasses.dataclass
class Settings:
    """ValueError where a value cannot be; the text begins with its name."""

    currency: int = 978  # ISO 4217 number
    terminal_id: int = 52001233
    version: str = "2.14.15"
    model: str = "SIMULATED"
    serial: int = 52001233  # eight digits
    card: str = "4111110000001111"  # of the one card the customers have
    password: int = 0
    clear: frozenset = frozenset()  # where the card number is sent unmasked, as some terminals do: card, track, tlv
    receipt_lines: int = 0  # so many more on each printed receipt

    def __post_init__(self):
        if not (self.card.isdecimal() and 12 <= len(self.card) <= 19):
            raise ValueError("card takes 12 to 19 digits")
        if not 0 < self.currency < 1000:
            raise ValueError("currency takes a number of three digits (ISO 4217)")
        if not 0 < self.terminal_id < 10**8:
            raise ValueError("terminal_id takes eight digits")
        if not 0 <= self.serial < 10**8:
            raise ValueError("serial takes eight digits")
        if not 0 <= self.password < 10**6:
            raise ValueError("password takes six digits")
        for name in ("version", "model"):
            if not is_text(getattr(self, name)):
                raise ValueError("%s takes ASCII of at most 40 characters" % name)

    @property
    def masked_card(self):
        return masked(self.card)


def masked(card):
    """First six and last four digits, E for each between, as BMP 22 masks it."""
    return card[:6] + "E" * (len(card) - 10) + card[-4:]


@dataclasses.dataclass(frozen=True)
class Said:
    """A code that ends a command, for once or always, and its text (TLV 1F17)."""

    code: int
    always: bool = False
    text: str = ""


@dataclasses.dataclass
class Faults:
    """What somebody asked to go wrong. Codes are bytes; None or 0 is no fault."""

    status: int = 0
    locks: frozenset = frozenset()  # names of LOCKS
    locks_refuse: bool = False  # a lock ends each payment with its code; else it is reported and nothing more
    device_state: int = 0  # TLV 1F43: 0 ready, 1 initialisation needed, 2 no keys, 3 fraud
    supply_mv: int | None = None  # of a supply that is too low
    card_ms: int = 0  # the customer takes so long to present the card
    key_ms: int | None = None  # so long after being asked for the card the customer presses the stop key, once
    host_ms: int = 0  # the host takes so long to answer
    t4_minutes: int | None = None  # that 04 FF asks the till to wait
    decline: Said | None = None
    abort: Said | None = None
    negative: Said | None = None
    late: str | None = None  # all or rest of the next answer is said when the command after it comes
    die: str | None = None  # before-execute, after-execute, after-status, after-ack
    die_bytes: int = 0  # the power is cut once so many bytes went out
    die_messages: int = 0  # right before so many messages went out
    die_received: int = 0  # once so many messages were taken in
    silent: float = 0  # so many messages are swallowed
    nak: float = 0  # so many frames are refused; on a serial line alone
    crc: int = 0  # so many frames go out damaged; on a serial line alone
    length: int = 0  # so many messages go out with a wrong length byte

    def once(self, name):
        """The Said of that name, taken away unless it is there for always."""
        said = getattr(self, name)
        if said is not None and not said.always:
            setattr(self, name, None)
        return said
