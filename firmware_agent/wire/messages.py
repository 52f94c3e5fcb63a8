"""The messages of our SMP group, each declared once; agent and host tools both read this page.

A field is (key, name, kind, low, high). Key: the small integer on the wire, for ever. Kinds, with what low and high bound:
  u  unsigned integer, its value       i  signed integer, its value      t  text, its length in UTF-8 bytes
  f  true or false                     n  numbers by fact: {fact: integer or text}
  v  values by fact: {fact: [value or null when absent, age in ms]}
  l  list of maps; low is the table of their fields, high the most there may be
A name that ends in "?" may be missing. `pack` and `unpack` turn {name: value} into the map on the wire and back.
refund_agent.cddl is the published schema; a test holds every message against it.
"""

from .errors import BadField, CardNumberRefused, MissingField
from .pan import looks_like_pan, luhn

GROUP = 82
READ, READ_ANSWER, WRITE, WRITE_ANSWER = 0, 1, 2, 3

STATUS, PREFLIGHT, REFUND, EVENTS_SINCE = 0, 1, 2, 3

# Order of severity: the verdict is the worst status of its findings (UNKNOWN counts as the policy says).
PASS, WARN, UNKNOWN, HOLD, BLOCK = 0, 1, 2, 3, 4
STATUSES = ("PASS", "WARN", "UNKNOWN", "HOLD", "BLOCK")
VERDICTS = ("GO", "WARN", "UNKNOWN", "HOLD", "BLOCK")  # by the same numbers

# States of a refund, see firmware_agent/refund.py. NEW is never journaled: the checks held the request.
NEW, REQUESTED, SENT, APPROVED, DECLINED, IN_DOUBT, NOT_EXECUTED = 0, 1, 2, 3, 4, 5, 6
STATES = ("NEW", "REQUESTED", "SENT", "APPROVED", "DECLINED", "IN_DOUBT", "NOT_EXECUTED")

# What the agent knows or measured, by number: the keys of evidence, of the snapshot and of events. The unit is in the
# name (mv millivolts, ms milliseconds, s seconds); amounts are minor units (cents). Numbers never change.
FACTS = (
    None,
    "supply_mv",  # 1 last sample
    "supply_min_mv",  # 2 lowest sample of the window
    "supply_max_mv",  # 3 highest sample of the window
    "supply_low_mv",  # 4 limit below which it is too low
    "supply_high_mv",  # 5 limit above which it is too high
    "supply_sags",  # 6 falls below the limit within the window
    "supply_ok",  # 7 0 unstable, 1 stable, after hysteresis
    "window_ms",  # 8 length of the window
    "network_ok",  # 9 0 down, 1 up, after hysteresis
    "network_link",  # 10 1 the interface has a carrier
    "network_address",  # 11 1 it has an address
    "network_host_ms",  # 12 round trip to the acquirer's host, -1 unreachable
    "network_failures",  # 13 tries in a row that failed
    "terminal_ok",  # 14 0 fault or silent, 1 ready, after hysteresis
    "terminal_code",  # 15 status byte of 05 01
    "terminal_locks",  # 16 TLV 1F55, byte 1 low, byte 2 high
    "terminal_state",  # 17 TLV 1F43
    "terminal_version",  # 18 text
    "terminal_silent",  # 19 enquiries in a row without an answer
    "terminal_receipt",  # 20 number of the terminal's last receipt
    "agent_version",  # 21 text
    "minimum_version",  # 22 text
    "sale_amount",  # 23 of the original sale
    "approved_amount",  # 24 refunds of this sale, approved
    "doubt_amount",  # 25 refunds of this sale, in doubt
    "remaining_amount",  # 26 sale - approved - in doubt
    "amount",  # 27 asked for
    "receipt",  # 28 of the original sale
    "source",  # 29 where sale facts come from: 1 seen at the terminal, 2 the request, 3 the policy
    "earlier_state",  # 30 state of the earlier refund
    "earlier_receipt",  # 31 its receipt
    "earlier_ago_s",  # 32 how long ago
    "earlier_key",  # 33 text
    "in_doubt",  # 34 refunds in doubt
    "age_ms",  # 35 age of the value the check read
    "missing",  # 36 text: the source that could not be read
    "result_code",  # 37 result code of 04 0F or 06 1E
    "cause",  # 38 number in CAUSES.md
    "verdict",  # 39
    "state",  # 40 of a refund
    "dropped",  # 41
    "heap_free",  # 42 bytes
    "damaged",  # 43 damaged journal records or frames
    "retries",  # 44
)

# What happened, by number: (name, severity 0 note, 1 warning, 2 severe).
EVENTS = (
    None,
    ("boot", 0),
    ("supply_unstable", 1),
    ("supply_stable", 0),
    ("network_down", 1),
    ("network_up", 0),
    ("terminal_fault", 1),
    ("terminal_ready", 0),
    ("terminal_silent", 1),
    ("terminal_version", 0),
    ("terminal_receipt", 0),
    ("verdict", 0),
    ("refund", 0),
    ("doubt_asked", 0),
    ("journal_damaged", 2),
    ("journal_full", 2),
    ("link_error", 1),
    ("fault", 2),
)

# ---- requests ----
REFUND_REQUEST = (
    (0, "key?", "t", 1, 36),  # idempotency key; needed by refund
    (1, "receipt", "u", 1, 9999),  # of the sale: BMP 87 has four digits
    (2, "amount", "u", 1, 999999999999),  # minor units: BMP 04 has twelve digits
    (3, "currency", "t", 3, 3),  # ISO 4217 letters
    (4, "sale_amount?", "u", 1, 999999999999),  # the sale's amount, as attested by whoever asks
    (5, "sale_date?", "u", 19700101, 99991231),  # YYYYMMDD, likewise
    (6, "card?", "t", 4, 4),  # last four digits of the card
    (7, "operator?", "t", 1, 24),  # who asks
    (8, "all?", "f", 0, 1),  # findings that PASS too
)
EVENTS_REQUEST = (
    (0, "cursor", "u", 0, 0xFFFFFFFF),  # number of the last event already read; 0 for all
    (1, "max_bytes?", "u", 64, 2048),
)
NOTHING = ()

# ---- answers ----
FINDING = (
    (0, "cause", "u", 1, 60),
    (1, "status", "u", PASS, BLOCK),
    (2, "evidence", "n", 0, 16),
)
EVENT = (
    (0, "number", "u", 1, 0xFFFFFFFF),
    (1, "uptime_ms", "u", 0, 1 << 48),
    (2, "code", "u", 1, 255),
    (3, "numbers", "n", 0, 16),
)
STATUS_ANSWER = (
    (0, "agent_version", "t", 1, 24),
    (1, "runtime", "t", 1, 24),  # cpython or micropython
    (2, "runtime_version", "t", 1, 40),
    (3, "board", "t", 1, 24),
    (4, "boot", "u", 0, 0xFFFFFFFF),  # how often this journal was opened
    (5, "uptime_ms", "u", 0, 1 << 48),
    (6, "wall_s?", "u", 0, 1 << 40),  # Unix seconds; missing: the clock was never set
    (7, "heap_free?", "u", 0, 1 << 40),  # bytes, after a collection; missing where the runtime cannot tell
    (8, "heap_peak?", "u", 0, 1 << 40),  # highest use seen after a collection
    (9, "verdict", "u", PASS, BLOCK),  # of the hardware alone, without a request
    (10, "findings", "l", FINDING, 60),
    (11, "values", "v", 0, 64),
    (12, "journal_used", "u", 0, 1 << 40),  # bytes
    (13, "journal_size", "u", 0, 1 << 40),
    (14, "refunds", "u", 0, 1 << 32),  # known to the journal
    (15, "in_doubt", "u", 0, 1 << 32),
    (16, "light", "t", 0, 8),  # off, green, amber, red
    (17, "last_event", "u", 0, 0xFFFFFFFF),
    (18, "heap_used?", "u", 0, 1 << 40),
)
PREFLIGHT_ANSWER = (
    (0, "verdict", "u", PASS, BLOCK),
    (1, "findings", "l", FINDING, 60),
)
REFUND_ANSWER = (
    (0, "key", "t", 1, 36),
    (1, "state", "u", NEW, NOT_EXECUTED),  # NEW: held by the verdict, nothing was journaled
    (2, "final", "f", 0, 1),  # false: under way, ask again with the same key
    (3, "earlier", "f", 0, 1),  # true: the answer to an earlier request with this key
    (4, "verdict?", "u", PASS, BLOCK),
    (5, "findings?", "l", FINDING, 60),
    (6, "receipt?", "u", 0, 9999),  # of the refund itself
    (7, "trace?", "u", 0, 999999),
    (8, "result_code?", "u", 0, 255),  # of 04 0F or 06 1E
    (9, "cause?", "u", 1, 60),  # what the result code speaks of
    (10, "amount", "u", 1, 999999999999),
    (11, "currency", "t", 3, 3),
    (12, "sale_receipt", "u", 1, 9999),
)
EVENTS_ANSWER = (
    (0, "events", "l", EVENT, 200),
    (1, "next", "u", 0, 0xFFFFFFFF),  # cursor for the next call
    (2, "dropped", "u", 0, 0xFFFFFFFF),  # events after the cursor that the ring no longer has
    (3, "boot", "u", 0, 0xFFFFFFFF),  # event numbers start anew with it
    (4, "uptime_ms", "u", 0, 1 << 48),
)

# command -> (name, op of the request, fields of the request, fields of the answer)
COMMANDS = {
    STATUS: ("status", READ, NOTHING, STATUS_ANSWER),
    PREFLIGHT: ("preflight", READ, REFUND_REQUEST, PREFLIGHT_ANSWER),
    REFUND: ("refund", WRITE, REFUND_REQUEST, REFUND_ANSWER),
    EVENTS_SINCE: ("events_since", READ, EVENTS_REQUEST, EVENTS_ANSWER),
}


def fact(name):
    """The number of a fact; ValueError if FACTS has no such name."""
    return FACTS.index(name)


def _to_wire(kind, value, low):
    if kind == "n" or kind == "v":
        return {FACTS.index(name): item for name, item in value.items()}
    if kind == "l":
        return [pack(low, item) if isinstance(item, dict) else item for item in value]
    return value


def pack(fields, values):
    """{name: value} -> {key: value} as `fields` declares it; what is None or missing is left out."""
    packed = {}
    for key, name, kind, low, _ in fields:
        value = values.get(name[:-1] if name[-1] == "?" else name)
        if value is not None:
            packed[key] = _to_wire(kind, value, low)
    return packed


def unpack(fields, packed):
    """{key: value} from the wire -> {name: value}.

    Raises MissingField, BadField (wrong type or out of bounds; a number field may be as large as its bound says) or
    CardNumberRefused (a text that looks like a full card number). Keys nobody declared are ignored: newer clients.
    """
    if not isinstance(packed, dict):
        raise BadField("message")
    values = {}
    for key, name, kind, low, high in fields:
        needed = name[-1] != "?"
        if not needed:
            name = name[:-1]
        value = packed.get(key)
        if value is None:
            if needed:
                raise MissingField(name)
            continue
        values[name] = _from_wire(name, kind, value, low, high)
    return values


def _from_wire(name, kind, value, low, high):
    if kind == "u" or kind == "i":
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            # a card number typed into a number field must not come back in an error, nor be called a mere wrong number
            if isinstance(value, int) and 10**12 <= value < 10**19 and luhn(str(value)):
                raise CardNumberRefused(name)
            raise BadField(name)
    elif kind == "t":
        if not isinstance(value, str) or not low <= len(value.encode()) <= high:
            if isinstance(value, str) and looks_like_pan(value):
                raise CardNumberRefused(name)
            raise BadField(name)
        if looks_like_pan(value):
            raise CardNumberRefused(name)
    elif kind == "f":
        if value is not True and value is not False:
            raise BadField(name)
    elif kind == "l":
        if not isinstance(value, list) or len(value) > high:
            raise BadField(name)
        return [unpack(low, item) for item in value]
    else:
        if not isinstance(value, dict) or len(value) > high:
            raise BadField(name)
        named = {}
        for number, item in value.items():
            if not isinstance(number, int) or number < 1:
                raise BadField(name)
            named[FACTS[number] if number < len(FACTS) else "fact_%d" % number] = item
        return named
    return value
