"""Causes 22 to 25: disputes, chargebacks, the evidence for them, and the law."""

from ..case import FINE, lacks
from ..wire.lists import CHARGEBACKS, LEGAL, OPEN
from ..wire.messages import BLOCK, HOLD, WARN


def dispute_open(case):
    told = case.told("dispute")
    row = case.disputed
    if told and not (row and row[2] == OPEN and told[3]):  # 0: there is one, 1: it is settled
        return FINE if told[3] else (HOLD, {"at": told[4], "person": told[5]})
    if row is None:
        return lacks("policy: disputes")
    return (HOLD, {"receipt": row[0], "sale_date": row[1]}) if row and row[2] == OPEN else FINE


def chargeback_paid(case):
    if case.codes.get(23):
        return case.coded(23, BLOCK)
    row = case.listed(CHARGEBACKS, "chargebacks_at")
    if row is None:
        return lacks("policy: chargebacks")
    return (BLOCK, {"receipt": row[0], "sale_date": row[1]}) if row else FINE


def evidence_missing(case):
    row = case.disputed
    kept = case.told("evidence")
    if kept and kept[3]:
        return FINE
    if row or case.told("dispute"):
        return WARN, {"receipt": case.request["receipt"]}
    return lacks("policy: disputes") if row is None else FINE


def legal_review(case):
    cleared = case.told("legal")
    if cleared:
        return FINE if cleared[3] else (HOLD, {"at": cleared[4], "person": cleared[5]})
    row = case.disputed
    if row and row[2] == LEGAL:
        return HOLD, {"receipt": row[0]}
    limit = case.rule("legal_amount")
    amount = case.request["amount"]
    evidence = {"amount": amount, "limit": limit}
    comparable = case.request["currency"] == case.rule("currency")
    if limit is not None and amount >= limit and comparable:
        return HOLD, evidence
    if limit is None or row is None:
        return lacks("policy: legal_amount" if limit is None else "policy: disputes", evidence)
    if not comparable:
        return lacks("policy: legal_amount in " + case.request["currency"], evidence)
    return FINE


CHECKS = ()
ASKED = ((22, dispute_open), (23, chargeback_paid), (24, evidence_missing), (25, legal_review))
