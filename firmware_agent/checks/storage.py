"""Cause 14: the journal cannot take a refund or lacks records, or the terminal's own store is full or damaged."""

from ..case import lacks
from ..wire.messages import HOLD, UNKNOWN

_STORE = 1 << 15  # TLV 1F55, transaction log defective


def log_full(case):
    history = case.history
    found = case.locked(14, _STORE, HOLD)
    works = history.works() and not case.lost
    if works and found[0] != UNKNOWN:
        return found
    evidence = {"open_refunds": len(history.open)}
    if history.failing:
        evidence["journal_failing"] = 1
    if case.lost:  # the refund that is asked for may be among them
        evidence["journal_lost"] = case.lost
    return lacks("terminal", evidence) if works else (HOLD, evidence)


CHECKS = ((14, log_full),)
ASKED = ()
