"""The messages of our SMP group, each declared once; agent and host tools both read this page.

A field is "key name kind low high;". The tables are texts because a board keeps a text in a quarter of the heap that tuples
take. Key: the small integer on the wire, for ever. Kinds, with what low and high bound:
  u  unsigned integer, its value       t  text, its length in UTF-8 bytes
  h  text of hexadecimal digits, its length; it may look like a card number and is none
  f  true or false                     n  numbers by fact: {fact: integer or text}
  v  values by fact: {fact: [value or null when absent, age in ms]}
  l  list of maps; low names the table of their fields, high is the most there may be
  b  bytes, their number               i  integer, its value
  T  list of texts, their number       a  list of integers, their number
  m  {integer: integer}, the keys
A name that ends in "?" may be missing. `pack` and `unpack` turn {name: value} into the map on the wire and back.
refund_agent.cddl is the published schema; a test holds every message against it.
"""

import sys

from .errors import WireError
from .names import EVENTS, FACTS, event, event_name, fact, fact_name  # noqa: F401  a message and its names are one page to others
from .pan import looks_like_pan

GROUP = 82
READ, WRITE = 0, 2  # SMP operations; their answers are 1 and 3

STATUS, PREFLIGHT, REFUND, EVENTS_SINCE, SETTLE, JOURNAL, ACCEPT = 0, 1, 2, 3, 4, 5, 6
ATTEST, APPROVE, POLICY, POLICY_PUT, GATE, FIND = 7, 8, 9, 10, 11, 14

# Order of severity: the verdict is the worst status of its findings (UNKNOWN counts as the policy says).
PASS, WARN, UNKNOWN, HOLD, BLOCK = 0, 1, 2, 3, 4
STATUSES = ("PASS", "WARN", "UNKNOWN", "HOLD", "BLOCK")
VERDICTS = ("GO", "WARN", "UNKNOWN", "HOLD", "BLOCK")  # by the same numbers

# States of a refund, see firmware_agent/refund.py. NEW is never journaled: the checks held the request.
NEW, REQUESTED, SENT, APPROVED, DECLINED, IN_DOUBT, NOT_EXECUTED = 0, 1, 2, 3, 4, 5, 6
STATES = ("NEW", "REQUESTED", "SENT", "APPROVED", "DECLINED", "IN_DOUBT", "NOT_EXECUTED")

# ---- requests ----
REFUND_REQUEST = (
    "0 key? t 1 36;"  # idempotency key; needed by refund
    "1 receipt u 1 9999;"  # of the sale: BMP 87 has four digits
    "2 amount u 1 999999999999;"  # minor units: BMP 04 has twelve digits
    "3 currency t 3 3;"  # ISO 4217 letters
    "4 sale_amount? u 1 999999999999;"  # the sale's amount, as attested by whoever asks
    "5 sale_date? u 19700101 99991231;"  # YYYYMMDD, likewise
    "6 card? t 4 4;"  # last four digits of the card
    "7 operator? t 1 24;"  # who asks
    "8 all? f 0 1;"  # findings that PASS too
    "9 scheme? t 1 16;"  # the card scheme of the sale, as attested by whoever asks
    "10 settled? f 0 1;"  # whether the sale's batch is closed, likewise
    "11 expiry? u 0 9912;"  # YYMM of the card
    "12 wall_s? u 1000000000 4294967295;"  # the asking computer's clock
)
NOTHING = ""

# ---- answers ----
FINDING = "0 cause u 1 60;1 status u 0 4;2 evidence n 0 16;"
EVENT = "0 number u 1 4294967295;1 uptime_ms u 0 281474976710656;2 code u 1 255;3 numbers n 0 16;"
PREFLIGHT_ANSWER = "0 verdict u 0 4;1 findings l FINDING 60;2 passed? b 0 60;"  # passed: causes that PASS, a byte each
ITEMS = {"FINDING": FINDING, "EVENT": EVENT}

# command -> (name, op of the request, fields of the request, fields of the answer); `declared` has those of all pages
COMMANDS = {PREFLIGHT: ("preflight", READ, REFUND_REQUEST, PREFLIGHT_ANSWER)}


def declared(command):
    """A row of COMMANDS, whichever page has it; None if there is no such command. All but the pre-flight stand on pages of
    their own, which are loaded when one of them is asked for, and let go: a board's heap is small."""
    if command in COMMANDS:
        return COMMANDS[command]
    if command in (STATUS, EVENTS_SINCE):
        from . import report_messages as page
    elif command in (REFUND, SETTLE, FIND):
        from . import refund_messages as page
    elif command <= GATE:
        from . import seldom_messages as page
    else:
        from . import tool_messages as page
    sys.modules.pop(page.__name__, None)
    return page.COMMANDS.get(command)


def fields(table):
    """Yields (key, name, needed, kind, low, high) of a table; low is the table of the items for lists."""
    begin = 0
    while begin < len(table):
        end = table.find(";", begin)
        key, name, kind, low, high = table[begin:end].split(" ")
        begin = end + 1
        needed = name[-1] != "?"
        low = ITEMS[low] if kind == "l" else int(low)
        yield int(key), name if needed else name[:-1], needed, kind, low, int(high)


def _to_wire(kind, value, low):
    if kind == "n" or kind == "v":
        return {fact(name): item for name, item in value.items() if item is not None}
    if kind == "l":
        rows = list(fields(low))  # once: a Pico reads 200 rows a second, and a verdict has 60 findings
        return [_packed(rows, item) if isinstance(item, dict) else item for item in value]
    return value


def pack(table, values):
    """{name: value} -> {key: value} as `table` declares it; what is None or missing is left out."""
    return _packed(fields(table), values)


def _packed(rows, values):
    packed = {}
    for key, name, _, kind, low, _ in rows:
        value = values.get(name)
        if value is not None:
            packed[key] = _to_wire(kind, value, low)
    return packed


def unpack(table, packed):
    """{key: value} from the wire -> {name: value}.

    WireError missing, bad_field (wrong type or out of bounds) or card_number (a text or number that looks like a
    full card number). Keys nobody declared are ignored: newer clients.
    """
    if not isinstance(packed, dict):
        raise WireError("bad_message")
    values = {}
    for key, name, needed, kind, low, high in fields(table):
        value = packed.get(key)
        if value is not None:
            values[name] = _from_wire(name, kind, value, low, high)
        elif needed:
            raise WireError("missing", name)
    return values


def _from_wire(name, kind, value, low, high):
    # what was typed must not come back in an error, and a card number is not called a mere wrong number
    if (isinstance(value, str) and looks_like_pan(value)) or (isinstance(value, int) and looks_like_pan("%d" % value)):
        if kind != "h" and (isinstance(value, str) or kind != "u" or value > high):
            raise WireError("card_number", name)
    good = False
    if kind == "u":
        good = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
    elif kind == "t" or kind == "h":
        good = isinstance(value, str) and low <= len(value.encode()) <= high
    elif kind == "f":
        good = value is True or value is False
    elif kind == "b":
        good = isinstance(value, bytes) and low <= len(value) <= high
    elif kind == "i":
        good = isinstance(value, int) and low <= value <= high
    elif kind == "T" or kind == "a":
        kinds = str if kind == "T" else int
        good = isinstance(value, list) and low <= len(value) <= high and all([isinstance(one, kinds) for one in value])
    elif kind == "m":
        good = isinstance(value, dict) and all(
            [isinstance(one, int) and low <= one <= high and isinstance(value[one], int) for one in value]
        )
    elif kind == "l":
        if isinstance(value, list) and len(value) <= high:
            return [unpack(low, item) for item in value]
    elif isinstance(value, dict) and len(value) <= high and all([isinstance(number, int) for number in value]):
        return {fact_name(number): item for number, item in value.items()}
    if not good:
        raise WireError("bad_field", name)
    return value
