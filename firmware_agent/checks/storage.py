"""Cause 14: the journal cannot take a refund or lacks records, or the terminal's own store is full or damaged."""

from ..case import lacks
from ..wire.messages import HOLD, PASS, UNKNOWN

_STORE = 1 << 15  # TLV 1F55, transaction log defective


def log_full(case):
    history = case.history
    evidence = {"open_refunds": len(history.open)}
    works = history.works()
    lost = history.lost
    if history.failing:
        evidence["journal_failing"] = 1
    if lost:  # the refund that is asked for may be among them
        evidence["journal_lost"] = lost
    if not works or lost:
        return HOLD, evidence
    found, more = case.locked(14, _STORE, HOLD)
    if found == UNKNOWN:
        return lacks("terminal", evidence)
    return (HOLD, more) if found == HOLD else (PASS, evidence)


CHECKS = ((14, log_full),)
ASKED = ()
