"""Cause 4: the supply sags, ripples or is out of range."""

from ..wire.messages import HOLD, PASS, UNKNOWN

_MAX_AGE_MS = 2000  # the supply is sampled many times a second: older than this, the watcher stands still


def supply_unstable(case):
    snapshot = case.snapshot
    steady = snapshot.get("supply_ok", _MAX_AGE_MS)
    if steady is None:
        return UNKNOWN, {"missing": "supply"}
    evidence = {"supply_ok": steady}
    for name in ("supply_mv", "supply_min_mv", "supply_max_mv", "supply_low_mv", "supply_high_mv", "supply_sags"):
        evidence[name] = snapshot.get(name)
    evidence["window_ms"] = snapshot.get("window_ms")
    return PASS if steady else HOLD, evidence


CHECKS = ((4, supply_unstable),)
