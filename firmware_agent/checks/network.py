"""Causes 15 and 16: no way to the acquirer's host; the clock is off or was never set."""

from ..case import FINE, lacks
from ..wire.messages import HOLD

_EVIDENCE = "network_link network_address network_dns network_host_ms network_failures network_loss network_signal"


def network_down(case):
    if case.codes.get(15):
        return case.coded(15, HOLD)
    up = case.fact("network_ok")
    if up is None:
        return lacks("network")
    slowest = case.rule("max_host_ms")
    slow = up and slowest is not None and (case.seen("network_host_ms") or 0) > slowest
    if up and not slow:
        return FINE
    evidence = {"network_ok": up, "age_ms": case.snapshot.age_ms("network_ok")}
    for name in _EVIDENCE.split():
        evidence[name] = case.seen(name)
    if slow:
        evidence["limit"] = slowest
    return HOLD, evidence


def clock_wrong(case):
    if case.wall_s is None:
        return HOLD, {}
    if case.codes.get(16):
        return case.coded(16, HOLD)
    drift = case.seen("clock_drift_s")
    if drift is None:
        return lacks("reference clock")
    limit = case.rule("max_clock_drift_s")
    return FINE if -limit <= drift <= limit else (HOLD, {"clock_drift_s": drift, "limit": limit})


CHECKS = ((15, network_down), (16, clock_wrong))
ASKED = ()
