"""Pre-flight: every check over one case, and the verdict: the worst of the findings.

A check is a pure function (Case) -> (status, evidence), or FINE. What it found counts as the catalogue says, or as the policy
says where that is stricter. What it lacks is UNKNOWN, and the policy says how much that counts.
"""

from .case import FINE
from .checks import (
    account,
    bank,
    card,
    device,
    dispute,
    doubt,
    limit,
    network,
    people,
    power,
    sale,
    security,
    software,
    storage,
)
from .wire.messages import HOLD, PASS, UNKNOWN, WARN
from .wire.steps import finished

_FAMILIES = (
    (doubt.CHECKS, doubt.ASKED),
    (sale.CHECKS, sale.ASKED),
    (dispute.CHECKS, dispute.ASKED),
    (limit.CHECKS, limit.ASKED),
    (card.CHECKS, card.ASKED),
    (power.CHECKS, power.ASKED),
    (device.CHECKS, device.ASKED),
    (software.CHECKS, software.ASKED),
    (storage.CHECKS, storage.ASKED),
    (network.CHECKS, network.ASKED),
    (account.CHECKS, account.ASKED),
    (bank.CHECKS, bank.ASKED),
    (security.CHECKS, security.ASKED),
    (people.CHECKS, people.ASKED),
)

# Of findings that are equally bad these come first, in this order: what makes the others idle (the money went already, or
# nobody knows) before what can be mended.
_FIRST = b"\x36\x05\x23\x35\x20\x17\x0c\x1f\x22\x24\x27\x1b\x21\x30"


class Verdict:
    """worst: PASS (GO), WARN, HOLD or BLOCK; findings: [{"cause", "status", "evidence"}] of what does not pass, the one to
    mend first on top; counting: how many of them, from the top, make it worse than GO; passed: the causes that PASS, a byte
    each."""

    def __init__(self, findings, passed, policy):
        worst = PASS
        counting = 0
        ranked = {}
        for finding in findings:
            weight = status = finding["status"]
            cause = finding["cause"]
            if status == UNKNOWN:
                weight = policy.unknown_is(cause)
            if weight:
                counting += 1
                worst = max(worst, weight)
            place = _FIRST.find(bytes((cause,))) if cause in _FIRST else cause + 60
            ranked[place - weight * 1024 - status * 128] = finding
        self.findings = [ranked[rank] for rank in sorted(ranked)]
        self.worst = worst
        self.counting = counting
        self._passed = passed

    @property
    def passed(self):
        return bytes(sorted(self._passed))

    @property
    def goes(self):
        return self.worst < HOLD

    @property
    def colour(self):
        return "green" if self.worst == PASS else "amber" if self.worst == WARN else "red"

    def as_message(self, every=False):
        """{name: value} of PREFLIGHT_ANSWER; `every`: the causes that PASS too."""
        message = {"verdict": self.worst, "findings": self.findings}
        if every:
            message["passed"] = self.passed
        return message


def checking(case):
    """In steps (wire/steps.py), the Verdict of a case. Without a request: of the hardware, the policy and the shop alone."""
    findings = []
    passed = bytearray()
    policy = case.policy
    for always, asked in _FAMILIES:
        for checks in (always, asked) if case.request else (always,):
            for cause, one in checks:
                found = one(case)
                if found is FINE:
                    passed.append(cause)
                    continue
                status, evidence = found
                if status != UNKNOWN:
                    status = policy.found(cause, status)
                if status == PASS:
                    passed.append(cause)
                else:
                    findings.append({"cause": cause, "status": status, "evidence": evidence})
        yield
    return Verdict(findings, passed, policy)


def check(case):
    """The Verdict of a case, without a pause."""
    return finished(checking(case))
