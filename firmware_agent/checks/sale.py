"""Causes 31 to 38: the sale a refund belongs to, what is left of it, its batch, its money."""

from ..case import FINE, lacks
from ..dates import DAY_S, date_of
from ..wire.messages import BLOCK, HOLD, PASS, UNKNOWN

_CLOSURE = 1 << 7  # TLV 1F55, reconciliation with closure


def amount_over_remaining(case):
    request = case.request
    sale = case.sale
    approved = case.earlier.approved
    doubt = case.earlier.doubt
    evidence = {"receipt": request["receipt"], "amount": request["amount"]}
    if approved:
        evidence["approved_amount"] = approved
    if doubt:
        evidence["doubt_amount"] = doubt
    if case.codes.get(31):
        return case.coded(31, BLOCK, evidence)
    if sale.amount is None:
        return lacks("sale_amount", evidence)
    remaining = sale.amount - approved - doubt
    evidence["sale_amount"] = sale.amount
    evidence["remaining_amount"] = max(0, remaining)
    evidence["source"] = sale.source
    if request["amount"] > remaining:
        return BLOCK, evidence
    return lacks("journal", evidence) if case.lost else FINE


def already_refunded(case):
    sale = case.sale
    approved = case.earlier.approved
    evidence = {"receipt": case.request["receipt"], "approved_amount": approved}
    if case.codes.get(32):
        return case.coded(32, BLOCK, evidence)
    if sale.amount is None:
        return lacks("sale_amount", evidence) if approved else FINE
    evidence["sale_amount"] = sale.amount
    evidence["source"] = sale.source
    if approved >= sale.amount:
        return BLOCK, evidence
    return lacks("journal", evidence) if case.lost else FINE


def not_settled(case):
    if case.request.get("void"):
        return FINE
    found, evidence = case.locked(33, _CLOSURE, BLOCK)
    if found == BLOCK:
        return found, evidence
    settled = case.sale.settled
    if settled is None:
        return lacks("terminal" if found == UNKNOWN else "settled")
    return FINE if settled else (BLOCK, {"receipt": case.request["receipt"], "source": case.sale.source})


def original_not_found(case):
    receipt = case.request["receipt"]
    evidence = {"receipt": receipt}
    fits = case.request.get("fits")
    if fits:  # a till names no receipt, and nobody can tell which of these it means
        return HOLD, {"receipt": fits[0], "earlier_receipt": fits[1], "count": len(fits)}
    if not receipt and (case.rule("unknown") or {}).get(34) != PASS:  # nothing that passed the gate has so much left
        return HOLD, {"amount": case.request["amount"], "missing": "sale"}
    if case.codes.get(34):  # the terminal or its host said so when it was tried
        return case.coded(34, BLOCK, evidence)
    if case.sale.amount is not None:
        return FINE
    last = case.seen("terminal_receipt")
    if last is not None:
        evidence["terminal_receipt"] = last
        # The terminal counts receipts from 1 to 9999 and begins anew. A number up to half a round ahead of its last one has
        # not been given out yet; further ahead it is an old one.
        if 0 < (receipt - last) % 9999 < 5000:
            return BLOCK, evidence
    return lacks("sale", evidence)


def wrong_original(case):
    if case.earlier.wrong:
        return BLOCK, {"receipt": case.request["receipt"]}
    return lacks("journal") if case.lost else FINE


def currency_mismatch(case):
    currency = case.request["currency"]
    its = case.sale.currency
    evidence = {"sale_currency": its}
    if case.codes.get(36):
        return case.coded(36, BLOCK, evidence)
    if its is None:
        return lacks("sale_currency")
    if isinstance(its, int):
        number = case.terminal and case.terminal.currencies.get(currency)
        if number is None:
            return lacks("terminal", evidence)
        currency = number
    return FINE if its == currency else (BLOCK, evidence)


def fx_changed(case):
    currency = case.request["currency"]
    home = case.rule("currency")
    if home is None:
        return lacks("policy: currency")
    if currency == home:
        return FINE
    told = case.told("fx_consent")
    if told:
        return FINE if told[3] else (HOLD, {"at": told[4], "person": told[5]})
    sold = case.sale.date
    if case.wall_s is None or sold is None:
        return lacks("clock" if case.wall_s is None else "sale_date")
    today = date_of(case.wall_s // DAY_S)
    then = now = None
    # rates stand in the order of their dates; each holds until the next
    for row in case.rule("rates") or ():
        if row["currency"] == currency:
            if row["date"] <= sold:
                then = row["rate"]
            if row["date"] <= today:
                now = row["rate"]
    tolerance = case.rule("rate_tolerance_bp")
    if then is None or now is None or tolerance is None:
        return lacks("policy: rates")
    moved = abs(now - then) * 10000 // then
    return FINE if moved <= tolerance else (HOLD, {"value": moved, "limit": tolerance})


def fee_rate_unsupported(case):
    kept = [row for row in case.rule("schemes") or () if "fee_bp" in row]
    if not kept:
        return lacks("policy: fee_bp")
    if case.sale.scheme is None and not case.scheme:
        return lacks("scheme")
    fee = case.scheme.get("fee_bp")
    return (HOLD, {"scheme": case.sale.scheme, "value": fee}) if fee is None else FINE


CHECKS = ()
ASKED = (
    (31, amount_over_remaining),
    (32, already_refunded),
    (33, not_settled),
    (34, original_not_found),
    (35, wrong_original),
    (36, currency_mismatch),
    (37, fx_changed),
    (38, fee_rate_unsupported),
)
