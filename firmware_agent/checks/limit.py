"""Causes 26 to 30: what the platform, the bank or the terminal allows of refunds."""

from ..case import FINE, lacks
from ..sums import periods
from ..wire.messages import BLOCK, HOLD


def amount_over_cap(case):
    amount = case.request["amount"]
    cap = case.scheme.get("cap")
    if case.codes.get(26):
        return case.coded(26, BLOCK)
    if cap is None:
        return lacks("policy: cap")
    if case.request["currency"] != case.rule("currency"):
        return lacks("policy: cap in " + case.request["currency"])
    if amount <= cap:
        return FINE
    return BLOCK, {"amount": amount, "limit": cap, "scheme": case.sale.scheme}


def window_expired(case):
    window = case.scheme.get("window_days")
    if case.codes.get(27):
        return case.coded(27, BLOCK)
    if window is None:
        return lacks("policy: window_days")
    days = case.sale.days(case.wall_s)
    if days is None:
        return lacks("clock" if case.wall_s is None else "sale_date")
    return (BLOCK, {"sale_date": case.sale.date, "value": days, "limit": window}) if days > window else FINE


def partial_refund_limit(case):
    most = case.scheme.get("max_partial")
    spacing = case.scheme.get("spacing_s")
    earlier = case.earlier
    evidence = {"count": earlier.count}
    if most is not None and earlier.count >= most:
        evidence["limit"] = most
        return BLOCK, evidence
    if spacing and earlier.count:
        if case.wall_s is None or earlier.last_wall_s is None:
            return lacks("clock", evidence)
        ago = case.wall_s - earlier.last_wall_s
        if 0 <= ago < spacing:
            return BLOCK, {"earlier_ago_s": ago, "limit": spacing}
    if case.lost or earlier.forgotten:
        return lacks("journal", evidence)
    return lacks("policy: max_partial", evidence) if most is None and spacing is None else FINE


def rate_limited(case):
    if case.codes.get(29):
        return case.coded(29, HOLD)
    most = case.rule("max_per_minute")
    count = case.seen("requests")
    if most is None or count is None:
        return lacks("policy: max_per_minute")
    return (HOLD, {"requests": count, "limit": most}) if count >= most else FINE


def period_limit(case):
    rule = case.rule
    limits = rule("daily_limit"), rule("monthly_limit")
    if limits == (None, None):
        return lacks("policy: daily_limit")
    if case.wall_s is None:
        return lacks("clock")
    currency = case.request["currency"]
    if currency != rule("currency"):
        return lacks("policy: daily_limit in " + currency)
    evidence = {}
    for period, limit in zip(periods(case.wall_s), limits):
        if limit is not None:
            total = case.history.sums.of(currency, period)[1]
            evidence = {"total": total, "amount": case.request["amount"], "limit": limit}
            if total + case.request["amount"] > limit:
                return HOLD, evidence
    return lacks("journal", evidence) if case.lost else FINE


CHECKS = ()
ASKED = (
    (26, amount_over_cap),
    (27, window_expired),
    (28, partial_refund_limit),
    (29, rate_limited),
    (30, period_limit),
)
