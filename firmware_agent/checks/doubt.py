"""Causes 53 to 55: asked before, outcome unknown, and what the terminal has not handed in."""

from ..case import FINE, lacks
from ..wire.messages import BLOCK, HOLD, IN_DOUBT, SENT, STATES, WARN


def duplicate_request(case):
    request = case.request
    refund = case.earlier.same
    if case.earlier.forgotten:  # this very request may have been one of them
        return HOLD, {"receipt": request["receipt"], "amount": request["amount"], "forgotten": 1}
    if case.codes.get(53):
        return case.coded(53, BLOCK)
    if refund is None:
        if case.lost:
            return lacks("journal", {"receipt": request["receipt"], "amount": request["amount"]})
        return FINE
    evidence = {"earlier_key": refund.key, "earlier_state": STATES[refund.state], "amount": refund.amount}
    if refund.its_receipt:
        evidence["earlier_receipt"] = refund.its_receipt
    if case.wall_s is not None and refund.wall_s is not None and case.wall_s >= refund.wall_s:
        ago = case.wall_s - refund.wall_s
        evidence["earlier_ago_s"] = ago
        if ago > case.rule("duplicate_window_s") and not refund.open:
            return FINE
    return BLOCK, evidence


def outcome_unknown(case):
    history = case.history
    own = case.request.get("key")
    cut = history.cut  # these are cause 5 until the terminal was asked
    doubtful = [r for r in history.open.values() if r.state in (SENT, IN_DOUBT) and r.key != own and r not in cut]
    if not doubtful:
        if case.codes.get(54):
            return case.coded(54, BLOCK)
        return lacks("journal", {"in_doubt": 0}) if case.lost else FINE
    of_this_sale = [r for r in doubtful if r.receipt == case.request["receipt"]]
    first = (of_this_sale or doubtful)[0]
    evidence = {"in_doubt": len(doubtful), "earlier_key": first.key, "receipt": first.receipt, "amount": first.amount}
    # a doubt about another sale is no reason to refuse this customer, but somebody has to look at it
    return BLOCK if of_this_sale else WARN, evidence


def offline_backlog(case):
    found = case.coded(55, HOLD)
    if found == FINE:
        count = case.fact("terminal_offline")
        if count is None:
            return lacks("terminal_offline")
        if count:
            return HOLD, {"count": count}
    return found


CHECKS = ((55, offline_backlog),)
ASKED = ((53, duplicate_request), (54, outcome_unknown))
