"""Causes 39 to 43: the card, and whether this can be a refund at all."""

from ..case import FINE, lacks
from ..dates import DAY_S, date_of
from ..wire.messages import BLOCK, HOLD


def card_mismatch(case):
    presented = case.request.get("card")
    its = case.sale.card
    evidence = {"card": presented, "sale_card": its}
    if case.codes.get(39):
        return case.coded(39, BLOCK, evidence)
    if presented is None or its is None:
        return lacks("card" if presented is None else "sale_card")
    return FINE if presented == its else (BLOCK, evidence)


def card_expired(case):
    if case.codes.get(40):
        return case.coded(40, HOLD)
    expiry = case.request.get("expiry")
    if expiry is None or case.wall_s is None:
        return lacks("expiry" if expiry is None else "clock")
    # good to the end of its month
    over = 200000 + expiry < date_of(case.wall_s // DAY_S) // 100
    return (HOLD, {"expiry": expiry}) if over else FINE


def card_status(case):
    return case.coded(41, BLOCK)


def card_limit(case):
    return case.coded(42, HOLD)


def invalid_transaction(case):
    least = case.rule("min_amount")
    amount = case.request["amount"]
    currency = case.request["currency"]
    comparable = currency == case.rule("currency")
    if least is not None and amount < least and comparable:
        return BLOCK, {"amount": amount, "limit": least}
    found = case.coded(43, BLOCK)
    if least is not None and not comparable and found == FINE:
        return lacks("policy: min_amount in " + currency)
    return found


CHECKS = ()
ASKED = (
    (39, card_mismatch),
    (40, card_expired),
    (41, card_status),
    (42, card_limit),
    (43, invalid_transaction),
)
