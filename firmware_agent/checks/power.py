"""Causes 4 and 5: the supply sags, ripples or is out of range; the power went in the midst of a refund."""

from ..case import lacks
from ..wire.messages import BLOCK, HOLD, PASS

_MAX_AGE_MS = 2000  # the supply is sampled many times a second: older than this, the watcher stands still
_LOW_BATTERY = 1 << 10  # TLV 1F55
_EVIDENCE = "supply_mv supply_min_mv supply_max_mv supply_low_mv supply_high_mv supply_sags supply_ripple_mv window_ms"


def supply_unstable(case):
    snapshot = case.snapshot
    steady = snapshot.get("supply_ok", _MAX_AGE_MS)
    locks = case.fact("terminal_locks") or 0
    if locks & _LOW_BATTERY:
        return HOLD, {"terminal_locks": locks}
    if case.codes.get(4):
        return case.coded(4, HOLD)
    if steady is None:
        return lacks("supply")
    evidence = {"supply_ok": steady}
    for name in _EVIDENCE.split():
        evidence[name] = snapshot.get(name)
    ripple = case.rule("max_ripple_mv")
    if ripple is not None and (snapshot.get("supply_ripple_mv") or 0) > ripple:
        evidence["limit"] = ripple
        steady = 0
    return PASS if steady else HOLD, evidence


def power_lost_mid_refund(case):
    """A refund that was under way when the agent started and was not asked after yet; that which was is cause 54."""
    history = case.history
    cut = history.cut
    if cut:
        refund = cut[0]
        return BLOCK, {"count": len(cut), "earlier_key": refund.key, "receipt": refund.receipt, "amount": refund.amount}
    if history.lost:
        return lacks("journal", {"journal_lost": history.lost})
    return PASS, {"count": 0}


CHECKS = ((4, supply_unstable), (5, power_lost_mid_refund))
ASKED = ()
