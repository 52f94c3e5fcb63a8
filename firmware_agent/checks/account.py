"""Causes 18 to 21: the merchant's account, and whether acquirer and terminal know each other."""

from .. import dates
from ..case import FINE, lacks
from ..wire.messages import BLOCK, HOLD, UNKNOWN
from ..wire.names import WAITS_FOR_TILL

_ACTIVATION = 1 << 11  # TLV 1F55


def settlement_balance_low(case):
    if case.codes.get(18):
        return case.coded(18, HOLD)
    rule = case.rule
    balance = rule("balance")
    at = rule("balance_at")
    home = rule("currency")
    if balance is None or home is None or not case.recent(at, rule("account_days")):
        return lacks("clock" if case.wall_s is None else "policy: balance")
    currency = case.request["currency"]
    if currency != home:
        return lacks("policy: balance in " + currency)
    # what was refunded since: whole days, for sums are kept by the day
    spent = 0
    for day in range(at // dates.DAY_S, case.wall_s // dates.DAY_S + 1):
        spent += case.history.sums.of(currency, day)[1]
    left = max(0, balance - spent)
    amount = case.request["amount"]
    return FINE if amount <= left else (HOLD, {"value": left, "amount": amount, "at": at})


def account_frozen(case):
    state = case.rule("account_state")
    at = case.rule("account_at")
    if case.codes.get(19):
        return case.coded(19, BLOCK)
    if state is not None and state != "open":  # until somebody says that it is open again
        return BLOCK, {"value": state, "at": at}
    if state is None or not case.recent(at, case.rule("account_days")):
        return lacks("clock" if state and case.wall_s is None else "policy: account_state")
    return FINE


def account_details_wrong(case):
    told = case.attested("account_details")
    if case.codes.get(20):
        return case.coded(20, HOLD)
    if told and not told[3]:
        return HOLD, {"at": told[4], "person": told[5]}
    return FINE if case.within(told, case.rule("details_days")) else lacks("attest: account_details")


def not_registered(case):
    found, evidence = case.locked(21, _ACTIVATION, BLOCK)
    if found == BLOCK:
        return found, evidence
    registered = case.fact("terminal_registered")
    if registered == 0:
        return BLOCK, {"terminal_registered": 0}
    if registered == WAITS_FOR_TILL and case.request and "wish" not in case.request:
        return HOLD, {"terminal_registered": registered}  # it would be declined; what the till itself asks for tells
    ours = case.seen("terminal_id")
    known = case.rule("terminals")
    if found == UNKNOWN or ours is None or known is None:
        return lacks("terminal" if found == UNKNOWN else "policy: terminals" if known is None else "terminal_id")
    return FINE if ours in known else (BLOCK, {"terminal_id": ours})


CHECKS = ((19, account_frozen), (20, account_details_wrong), (21, not_registered))
ASKED = ((18, settlement_balance_low),)
