"""Cause 14: the journal cannot take a refund, or lacks records that counted."""

from ..wire.messages import HOLD, PASS


def log_full(case):
    history = case.history
    evidence = {"open_refunds": len(history.open)}
    works = history.works()
    lost = history.lost
    if history.failing:
        evidence["journal_failing"] = 1
    if lost:  # the refund that is asked for may be among them
        evidence["journal_lost"] = lost
    return PASS if works and not lost else HOLD, evidence


CHECKS = ((14, log_full),)
