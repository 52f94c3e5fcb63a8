"""Cause 15: no link, no address, or no answer from the acquirer's host."""

from ..wire.messages import HOLD, PASS, UNKNOWN


def network_down(case):
    snapshot = case.snapshot
    up = snapshot.get("network_ok", case.policy.max_age_ms)
    if up is None:
        return UNKNOWN, {"missing": "network"}
    evidence = {"network_ok": up, "age_ms": snapshot.age_ms("network_ok")}
    for name in ("network_link", "network_address", "network_host_ms", "network_failures"):
        evidence[name] = snapshot.get(name)
    return PASS if up else HOLD, evidence


CHECKS = ((15, network_down),)
