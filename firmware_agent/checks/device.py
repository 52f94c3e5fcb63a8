"""Cause 1: the terminal reports a fault or a lock."""

from ..wire.messages import BLOCK, PASS, UNKNOWN

_BUSY = (0x9C, 0xA0, 0xE0)  # at work or being updated: not a fault (causes 9 and 15)


def terminal_fault(case):
    snapshot = case.snapshot
    code = snapshot.get("terminal_code", case.policy.max_age_ms)
    silent = snapshot.get("terminal_silent") or 0
    if code is None or silent:
        evidence = {"missing": "terminal", "terminal_silent": silent}
        age = snapshot.age_ms("terminal_code")
        if age is not None:
            evidence["age_ms"] = age
        return UNKNOWN, evidence
    evidence = {"terminal_code": code, "age_ms": snapshot.age_ms("terminal_code")}
    locks = snapshot.get("terminal_locks")
    state = snapshot.get("terminal_state")
    if locks:
        evidence["terminal_locks"] = locks
    if state:
        evidence["terminal_state"] = state
    if locks or state or (code and code not in _BUSY):
        return BLOCK, evidence
    return PASS, evidence


CHECKS = ((1, terminal_fault),)
