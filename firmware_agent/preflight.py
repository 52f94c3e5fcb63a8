"""Pre-flight: every check over one case, and the verdict: the worst of the findings."""

from .checks import device, doubt, network, power, sale, software, storage
from .wire.messages import HOLD, PASS, UNKNOWN, WARN


class Case:
    """What a check may look at: request ({name: value} of REFUND_REQUEST, None for the hardware alone), snapshot, policy,
    history, wall_s (Unix seconds or None), currency (ISO 4217 number of the request's, None if the terminal has none)."""

    def __init__(self, request, snapshot, policy, history, wall_s=None, currency=None):
        self.request = request
        self.snapshot = snapshot
        self.policy = policy
        self.history = history
        self.wall_s = wall_s
        self.currency = currency
        # Earlier refunds of the same sale, without the one this request is about
        self.earlier = None
        if request:
            self.earlier = history.earlier(request)


class Verdict:
    """worst: PASS (GO), WARN, HOLD or BLOCK; findings: [{"cause", "status", "evidence"}] with the worst first."""

    def __init__(self, findings, policy):
        self.findings = sorted(findings, key=_rank)
        self.worst = PASS
        for finding in findings:
            status = finding["status"]
            self.worst = max(self.worst, policy.unknown_is(finding["cause"]) if status == UNKNOWN else status)

    @property
    def goes(self):
        return self.worst < HOLD

    @property
    def colour(self):
        return "green" if self.worst == PASS else "amber" if self.worst == WARN else "red"

    def as_message(self, every=False):
        """{name: value} of PREFLIGHT_ANSWER; findings that PASS only with `every`."""
        return {"verdict": self.worst, "findings": [f for f in self.findings if every or f["status"] != PASS]}


def _rank(finding):
    return -finding["status"] * 100 + finding["cause"]


def check(case):
    """The Verdict of a case."""
    findings = []
    families = [device, power, software, storage, network]
    if case.request:
        families += [sale, doubt]
    for family in families:
        for cause, one in family.CHECKS:
            status, evidence = one(case)
            findings.append({"cause": cause, "status": status, "evidence": evidence})
    return Verdict(findings, case.policy)
