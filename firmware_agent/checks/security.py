"""Causes 56 and 57: keys, message authentication and certificates; the policy itself."""

from ..case import FINE, lacks
from ..wire.messages import BLOCK, HOLD, UNKNOWN

_SECURE_LINK = 1 << 12  # TLV 1F55


def link_insecure(case):
    found, evidence = case.locked(56, _SECURE_LINK, BLOCK)
    tls = case.seen("network_tls")
    if found == BLOCK or tls == 0:
        evidence = evidence or {}
        evidence["network_tls"] = tls
        return BLOCK, evidence
    if found == UNKNOWN or tls is None:
        return lacks("terminal" if found == UNKNOWN else "network_tls")
    return FINE


def policy_invalid(case):
    rule = case.rule
    state = case.policy.state
    now = case.wall_s
    until = rule("expires")
    own = until is None and rule("valid_from") is None  # a board's
    if not state and (own or (now is not None and (rule("valid_from") or 0) <= now < until)):
        return FINE
    evidence = {"policy_state": state, "policy_id": rule("id"), "policy_version": rule("version")}
    if state:
        return HOLD, evidence
    evidence["until"] = until
    return lacks("clock", evidence) if now is None else (HOLD, evidence)


CHECKS = ((56, link_insecure), (57, policy_invalid))
ASKED = ()
