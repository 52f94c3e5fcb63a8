"""Causes 4 and 5: the supply sags, ripples or is out of range; the power went in the midst of a refund."""

from ..case import FINE, lacks
from ..wire.messages import BLOCK, HOLD

_MAX_AGE_MS = 2000  # the supply is sampled many times a second: older than this, the watcher stands still
_LOW_BATTERY = 1 << 10  # TLV 1F55
_EVIDENCE = "supply_mv supply_min_mv supply_max_mv supply_low_mv supply_high_mv supply_sags supply_ripple_mv window_ms"


def supply_unstable(case):
    if case.locks & _LOW_BATTERY or case.codes.get(4):
        return case.locked(4, _LOW_BATTERY, HOLD)
    steady = case.snapshot.get("supply_ok", _MAX_AGE_MS)
    if steady is None:
        return lacks("supply")
    ripple = case.rule("max_ripple_mv")
    ripples = ripple is not None and (case.seen("supply_ripple_mv") or 0) > ripple
    if steady and not ripples:
        return FINE
    evidence = {"supply_ok": steady}
    for name in _EVIDENCE.split():
        evidence[name] = case.seen(name)
    if ripples:
        evidence["limit"] = ripple
    return HOLD, evidence


def power_lost_mid_refund(case):
    """A refund that was under way when the agent started and was not asked after yet; that which was is cause 54."""
    cut = case.history.cut
    if cut:
        refund = cut[0]
        return BLOCK, {"count": len(cut), "earlier_key": refund.key, "receipt": refund.receipt, "amount": refund.amount}
    return lacks("journal", {"journal_lost": case.lost}) if case.lost else FINE


CHECKS = ((4, supply_unstable), (5, power_lost_mid_refund))
ASKED = ()
