"""Causes 31, 32, 34: the sale a refund belongs to, and what is left of it."""

from ..wire.messages import BLOCK, PASS, UNKNOWN

_SEEN = 1
_ATTESTED = 2


def _original(case):
    """(amount, source) of the sale; (None, None) if nobody knows it."""
    seen = case.history.sale(case.request["receipt"])
    if seen:
        return seen[3], _SEEN
    if case.request.get("sale_amount"):
        return case.request["sale_amount"], _ATTESTED
    return None, None


def amount_over_remaining(case):
    request = case.request
    amount, source = _original(case)
    approved = case.earlier.approved
    doubt = case.earlier.doubt
    evidence = {"receipt": request["receipt"], "amount": request["amount"]}
    if approved:
        evidence["approved_amount"] = approved
    if doubt:
        evidence["doubt_amount"] = doubt
    if amount is None:
        evidence["missing"] = "sale_amount"
        return UNKNOWN, evidence
    remaining = amount - approved - doubt
    evidence["sale_amount"] = amount
    evidence["remaining_amount"] = max(0, remaining)
    evidence["source"] = source
    return PASS if request["amount"] <= remaining else BLOCK, evidence


def already_refunded(case):
    amount, source = _original(case)
    approved = case.earlier.approved
    evidence = {"receipt": case.request["receipt"], "approved_amount": approved}
    if amount is None:
        evidence["missing"] = "sale_amount"
        return (UNKNOWN if approved else PASS), evidence
    evidence["sale_amount"] = amount
    evidence["source"] = source
    return BLOCK if approved >= amount else PASS, evidence


def original_not_found(case):
    receipt = case.request["receipt"]
    evidence = {"receipt": receipt}
    for code in case.earlier.codes:
        if code in _NO_ORIGINAL:  # the terminal or its host said so when it was tried
            evidence["result_code"] = code
            return BLOCK, evidence
    amount, source = _original(case)
    if amount is not None:
        evidence["source"] = source
        return PASS, evidence
    last = case.snapshot.get("terminal_receipt")
    if last is None:
        evidence["missing"] = "sale"
        return UNKNOWN, evidence
    evidence["terminal_receipt"] = last
    # The terminal counts receipts from 1 to 9999 and begins anew. A number up to half a round ahead of its last one has
    # not been given out yet; further ahead it is an old one.
    if 0 < (receipt - last) % 9999 < 5000:
        return BLOCK, evidence
    evidence["missing"] = "sale"
    return UNKNOWN, evidence


_NO_ORIGINAL = (0xB5, 0x25)

CHECKS = ((31, amount_over_remaining), (32, already_refunded), (34, original_not_found))
