"""Causes 44 to 48: the bank's maintenance and rules, and what terminal and bank can do at all."""

from ..case import FINE, lacks
from ..dates import DAY_S
from ..wire.messages import BLOCK, HOLD, UNKNOWN, WARN

_SETUP = 1 << 1 | 1 << 6  # TLV 1F55, start-up needed, initialisation


def bank_maintenance(case):
    if case.codes.get(44):
        return case.coded(44, HOLD)
    windows = case.rule("maintenance")
    if windows is None or case.wall_s is None:
        return lacks("policy: maintenance" if windows is None else "clock")
    now = case.wall_s
    day = now // DAY_S
    minute = now % DAY_S // 60
    for window in windows:
        days = window.get("days")
        if days is None:
            begin, end = window.get("begin", 0), window.get("end", 0)
        else:
            begin, end = window["begin_min"], window["end_min"]
            # one that ends after midnight began the day before
            late = minute < end <= begin
            if not days >> (day + 3 - late) % 7 & 1:  # 1970-01-01 was a Thursday
                continue
            midnight = (day - late) * DAY_S
            begin, end = midnight + begin * 60, midnight + (end + (1440 if end <= begin else 0)) * 60
        if begin <= now < end:
            return HOLD, {"until": end}
    return FINE


def bank_rules_changed(case):
    rule = case.rule
    have, announced, since = rule("rules_version"), rule("announced_version"), rule("announced_from")
    if have is None or announced is None:
        return lacks("policy: rules_version")
    if have >= announced:
        return FINE
    evidence = {"value": have, "limit": announced, "at": since}
    if since is None or (case.wall_s is not None and case.wall_s >= since):
        return HOLD, evidence
    return lacks("clock", evidence) if case.wall_s is None else FINE


def model_not_approved(case):
    model, approved = case.seen("terminal_model"), case.rule("models")
    if model is None or approved is None:
        return lacks("terminal_model" if approved else "policy: models")
    return FINE if model in approved else (WARN, {"terminal_model": model})


def setup_incomplete(case):
    if case.fact("terminal_state") == 1:
        return BLOCK, {"terminal_state": 1}
    return case.locked(47, _SETUP, BLOCK)


def refund_not_supported(case):
    able = case.scheme.get("refunds")
    found, evidence = case.coded(48, BLOCK)
    if found == BLOCK or able is False:
        evidence = evidence or {}
        evidence["scheme"] = case.sale.scheme
        return BLOCK, evidence
    if found == UNKNOWN or able is None:
        return lacks("terminal" if found == UNKNOWN else "policy: refunds")
    return FINE


CHECKS = (
    (44, bank_maintenance),
    (45, bank_rules_changed),
    (46, model_not_approved),
    (47, setup_incomplete),
)
ASKED = ((48, refund_not_supported),)
