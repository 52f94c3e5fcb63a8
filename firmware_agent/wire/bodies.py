"""What stands in the bodies of the journal's records: CBOR arrays whose first item is the kind. Kinds and facts are for ever.

BOOT       number of the boot, wall_s, agent id, place of its reason in REASONS (older ones have none)
SALE       receipt, trace, amount, currency (number), date MMDD, time HHMMSS, last four
STATE      key, state, wall_s, {fact: value} of what became known with it
COUNTS     boots, agent id, refunds, [[currency, period, count, sum], …] approved, {counter: value}; as it was when its sector
           was begun. A period is a day since 1970 or, negative, a month: -(year * 12 + month)
FORGOTTEN  page, 64 bytes: a bit for each receipt number whose refunds were given up for want of room, 512 a page
COUNTER    counter, value: it never falls
ACCEPTED   [number of the first record lost, …], number up to which there are more, wall_s, who, role, reason: somebody
           looked into what is missing
ATTEST     what (ATTESTATIONS), receipt of the sale (0: of the shop), value, wall_s, who, role, text, digest: a person's word.
           value: 0 no or bad, 1 yes or good; of approval the amount, of guide the step done. text: of approval the key
TRIES      who, wrong PINs in a row, wall_s
VERDICT    key, worst, wall_s, uptime_ms, [[cause, status, {fact of wire/names.py: value}], …], {fact: value} of the request:
           what the checks saw
CRASH      number of the boot that it ended, or in which a part of the agent fell (0: its journal was not open yet), wall_s,
           uptime_ms (both may be null), place of its reason in REASONS, text, [[module, line, function], …] of where it came
           from, innermost last; line 0: not known

Whoever meets a kind that he does not know passes over it: the journal of a newer agent can be read, and what its agent would
have carried along of that is given up with its sector.
"""

from binascii import crc32

from . import cbor
from .messages import APPROVED, DECLINED

BOOT, SALE, STATE, COUNTS, FORGOTTEN, COUNTER, ACCEPTED, ATTEST, TRIES, VERDICT, CRASH = (
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    10,
)
KINDS = "boot sale refund counts forgotten counter accepted attested tries verdict crash"

# Why an agent boots, and what ends it: nobody knows; its supply came; somebody wanted it; its supply fell; its watchdog bit;
# its heap was too small; an error of its own. By their place, for ever.
REASONS = "unknown power_on reset brown_out watchdog out_of_memory fault"

# What a person may attest, by number; 0 is nothing.
ATTESTATIONS = (
    " damage account_details dispute evidence legal fx_consent approval guide noise host_code till_sale".split(" ")
)
APPROVAL = 7
TILL_SALE = 11  # the next refund at the till is of this sale

# Counters: BATCH_CLOSED is Unix seconds of the last end of day, SUPPLY_NEW millivolts of the supply when it was new.
POLICY_VERSION, BATCH_CLOSED, BITES, CRASHES, SUPPLY_NEW = 1, 2, 3, 4, 5

# Facts of a refund, by their place.
FACTS = (
    "receipt"  # 0 of the sale
    " amount"  # 1 minor units
    " currency"  # 2 letters
    " sale_amount"  # 3 as attested
    " sale_date"  # 4 as attested
    " card"  # 5 last four
    " operator"  # 6
    " before"  # 7 the terminal's last receipt before it was sent, as refund.identity
    " its_receipt"  # 8 of the refund
    " its_trace"  # 9
    " code"  # 10 result code
    " attested_by"  # 11 who settled a doubt
    " role"  # 12 of whom
    " reason"  # 13
    " sale_id"  # 14 CRC-32 of the SALE body that it refers to, if that was seen
    " wrong"  # 15 1: the terminal's answer names another sale or amount than was asked for
    " scheme"  # 16 of the card, as attested
    " void"  # 17 1: the sale is reversed, not refunded
    " alone"  # 18 1: nobody but the till behind our gate could start a payment there
)


def settled(body):
    """True if a STATE body says APPROVED or DECLINED; without decoding it."""
    return body[_behind_key(body)] in (APPROVED, DECLINED)


def _behind_key(body):
    size = body[2] & 31
    return 3 + size if size < 24 else 4 + body[3]


def terms(body):
    """Yields the integers by which history.py looks for a record: a refund's `key_term`; of one that ended, the receipts of
    its sale and its own, and the amount if a person settled it; receipt and amount of a sale; the receipt that a
    person's word is about."""
    if body[1] == STATE:
        yield crc32(body[2 : _behind_key(body)])
        if settled(body):
            facts = cbor.decode(body)[4]
            yield facts.get(0) or 0
            yield facts.get(8) or 0
            if 11 in facts:
                yield facts.get(1) or 0
    elif body[1] == SALE:
        record = cbor.decode(body)
        yield record[1] or 0
        yield record[3] or 0
    elif body[1] == ATTEST:
        yield cbor.decode(body)[2] or 0


def key_term(key):
    return crc32(cbor.encode(key))
