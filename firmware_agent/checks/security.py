"""Causes 56 and 57: keys, message authentication and certificates; the policy itself."""

from ..case import lacks
from ..wire.messages import BLOCK, HOLD, PASS, UNKNOWN

_SECURE_LINK = 1 << 12  # TLV 1F55


def link_insecure(case):
    found, evidence = case.locked(56, _SECURE_LINK, BLOCK)
    tls = case.snapshot.get("network_tls")
    if found == BLOCK or tls == 0:
        evidence["network_tls"] = tls
        return BLOCK, evidence
    if found == UNKNOWN or tls is None:
        return lacks("terminal" if found == UNKNOWN else "network_tls")
    return PASS, {"network_tls": tls}


def policy_invalid(case):
    policy = case.policy
    evidence = {"policy_state": policy.state, "policy_id": policy.get("id"), "policy_version": policy.get("version")}
    if policy.state:
        return HOLD, evidence
    since, until = policy.get("valid_from"), policy.get("expires")
    evidence["until"] = until
    if since is None and until is None:  # a board's own
        return PASS, evidence
    if case.wall_s is None:
        return lacks("clock", evidence)
    return PASS if (since or 0) <= case.wall_s < until else HOLD, evidence


CHECKS = ((56, link_insecure), (57, policy_invalid))
ASKED = ()
