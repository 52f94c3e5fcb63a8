"""Causes 49 to 52 and 58 to 60: who works here, who may, who helps, and what has to be kept."""

from ..case import FINE, lacks
from ..wire.bodies import APPROVAL
from ..wire.messages import BLOCK, HOLD, WARN


def _operator(case):
    """(row of the roster, False if it has no such person, None if nobody is named or there is no roster; what is missing)."""
    name = case.request.get("operator")
    if name is None:
        return None, "operator"
    if not case.rule("roles"):
        return None, "policy: roles"
    if case.person is None:
        case.person = case.policy.person(name) or False
    return case.person, ""


def operator_untrained(case):
    person, missing = _operator(case)
    if not person:
        return lacks(missing or "policy: person")
    if case.wall_s is None:
        return lacks("clock")
    return FINE if person[2] > case.wall_s else (HOLD, {"operator": person[0], "until": person[2]})


def operator_not_allowed(case):
    person, missing = _operator(case)
    amount = case.request["amount"]
    if person is None:
        return lacks(missing)
    evidence = {"operator": case.request["operator"], "amount": amount}
    if not person:
        return BLOCK, evidence
    role = case.policy.role(person[1])
    evidence["role"] = person[1]
    tries = case.history.tries.get(person[0], 0)
    most = case.rule("pin_tries")
    if most is not None and tries >= most:
        evidence["tries"] = tries
        return BLOCK, evidence
    limit = role.get("limit")
    if limit is not None:
        evidence["limit"] = limit
        if case.request["currency"] != case.rule("currency"):
            return lacks("policy: roles in " + case.request["currency"], evidence)
    return (BLOCK, evidence) if not role or (limit is not None and amount > limit) else FINE


def approval_missing(case):
    request = case.request
    threshold = case.rule("approval_from")
    amount = request["amount"]
    if threshold is None:
        return lacks("policy: approval_from")
    if request["currency"] != case.rule("currency"):
        return lacks("policy: approval_from in " + request["currency"])
    if amount < threshold:
        return FINE
    seconds = case.rule("approval_s")
    for _, what, _, value, at, who, _, key, _ in case.history.attestations(request["receipt"]):
        if what != APPROVAL:
            continue
        fresh = case.wall_s is not None and at is not None and 0 <= case.wall_s - at <= seconds
        if value == amount and key == request.get("key") and who != request.get("operator") and fresh:
            return FINE
    return HOLD, {"amount": amount, "limit": threshold}


def no_refund_procedure(case):
    if case.policy.state:
        return lacks("policy: procedure")
    if case.rule("procedure") and case.rule("procedure_days"):
        return FINE
    return HOLD, {"policy_id": case.rule("id"), "policy_version": case.rule("version")}


def support_expired(case):
    until = case.rule("support_until")
    if until is None or case.wall_s is None:
        return lacks("policy: support_until" if until is None else "clock")
    return FINE if case.wall_s <= until else (WARN, {"until": until})


def guidance_not_followed(case):
    """The steps of a remedy: value is the last one done, text "STEPS CAUSE" how many there are."""
    told = case.told("guide")
    if told:
        steps = int(told[7].split()[0])
        return FINE if told[3] >= steps else (HOLD, {"step": told[3], "steps": steps, "person": told[5]})
    threshold = case.rule("guided_from")
    if threshold is None:
        return lacks("policy: guided_from")
    currency = case.request["currency"]
    if currency != case.rule("currency"):
        return lacks("policy: guided_from in " + currency)
    amount = case.request["amount"]
    return (HOLD, {"amount": amount, "limit": threshold}) if amount >= threshold else FINE


def compliance(case):
    days = case.rule("retention_days")
    oldest = case.history.oldest_wall_s()
    if days is None or case.wall_s is None or oldest is None:
        return lacks("policy: retention_days" if days is None else "clock")
    if not case.history.journal.oldest:  # nothing was given up yet
        return FINE
    return (WARN, {"at": oldest, "limit": days}) if case.wall_s - oldest < days * 86400 else FINE


CHECKS = ((52, no_refund_procedure), (58, support_expired), (60, compliance))
ASKED = ((49, operator_untrained), (50, operator_not_allowed), (51, approval_missing), (59, guidance_not_followed))
