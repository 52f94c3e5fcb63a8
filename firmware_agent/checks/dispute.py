"""Causes 22 to 25: disputes, chargebacks, the evidence for them, and the law."""

from ..case import lacks
from ..wire.lists import CHARGEBACKS, DISPUTES, LEGAL, OPEN
from ..wire.messages import BLOCK, HOLD, PASS, WARN


def _row(case, which, at):
    """The policy's row of this sale: a list, False if it has none, None if the list is absent or too old."""
    if not case.recent(case.rule(at), case.rule("lists_days")):
        return None
    for row in case.policy.rows(which, case.request["receipt"]):
        if case.sale.date is None or row[1] == case.sale.date:
            return row
    return False


def _told(case, what):
    return case.attested(what, case.request["receipt"])


def dispute_open(case):
    told = _told(case, "dispute")
    row = _row(case, DISPUTES, "disputes_at")
    if told and not (row and row[2] == OPEN and told[3]):  # 0: there is one, 1: it is settled
        return PASS if told[3] else HOLD, {"at": told[4], "person": told[5]}
    if row is None:
        return lacks("policy: disputes")
    return (HOLD, {"receipt": row[0], "sale_date": row[1]}) if row and row[2] == OPEN else (PASS, {})


def chargeback_paid(case):
    if case.codes.get(23):
        return case.coded(23, BLOCK)
    row = _row(case, CHARGEBACKS, "chargebacks_at")
    if row is None:
        return lacks("policy: chargebacks")
    return (BLOCK, {"receipt": row[0], "sale_date": row[1]}) if row else (PASS, {})


def evidence_missing(case):
    row = _row(case, DISPUTES, "disputes_at")
    kept = _told(case, "evidence")
    if kept and kept[3]:
        return PASS, {"at": kept[4], "person": kept[5]}
    if row or _told(case, "dispute"):
        return WARN, {"receipt": case.request["receipt"]}
    return lacks("policy: disputes") if row is None else (PASS, {})


def legal_review(case):
    limit = case.rule("legal_amount")
    cleared = _told(case, "legal")
    row = _row(case, DISPUTES, "disputes_at")
    amount = case.request["amount"]
    evidence = {"amount": amount, "limit": limit}
    if cleared:
        return PASS if cleared[3] else HOLD, {"at": cleared[4], "person": cleared[5]}
    if row and row[2] == LEGAL:
        return HOLD, {"receipt": row[0]}
    comparable = case.request["currency"] == case.rule("currency")
    if limit is not None and amount >= limit and comparable:
        return HOLD, evidence
    if limit is None or row is None:
        return lacks("policy: legal_amount" if limit is None else "policy: disputes", evidence)
    if not comparable:
        return lacks("policy: legal_amount in " + case.request["currency"], evidence)
    return PASS, evidence


CHECKS = ()
ASKED = ((22, dispute_open), (23, chargeback_paid), (24, evidence_missing), (25, legal_review))
