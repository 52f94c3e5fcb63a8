"""The verdict: the worst of the findings, the worst first."""

from firmware_agent.history import Earlier
from firmware_agent.policy import Policy
from firmware_agent.preflight import Case, Verdict, check
from firmware_agent.snapshot import Snapshot
from firmware_agent.wire.messages import BLOCK, HOLD, PASS, UNKNOWN, WARN

from .bench import Clock

KINDS = (PASS, WARN, UNKNOWN, HOLD, BLOCK)


def finding(cause, status):
    return {"cause": cause, "status": status, "evidence": {}}


def verdict(*statuses, **rules):
    findings = [finding(40 + index, status) for index, status in enumerate(statuses)]
    return Verdict(findings, Policy(rules))


def test_the_worst_finding_is_the_verdict():
    for one in (PASS, WARN, HOLD, BLOCK):
        for other in (PASS, WARN, HOLD, BLOCK):
            made = verdict(one, other, PASS)
            assert made.worst == max(one, other)
            assert made.goes == (made.worst in (PASS, WARN))


def test_unknown_is_never_go_and_the_policy_says_whether_it_warns_or_holds():
    assert verdict(UNKNOWN).worst == WARN
    assert verdict(UNKNOWN, unknown={40: "HOLD"}).worst == HOLD
    assert verdict(UNKNOWN, unknown={41: "HOLD"}).worst == WARN
    assert verdict(UNKNOWN, BLOCK).worst == BLOCK
    assert Verdict([finding(1, UNKNOWN)], Policy({})).worst == HOLD  # a terminal that does not answer refunds nothing


def test_the_light_is_green_amber_or_red():
    colours = [(verdict(status).colour) for status in (PASS, WARN, UNKNOWN, HOLD, BLOCK)]
    assert colours == ["green", "amber", "amber", "red", "red"]


def test_findings_come_worst_first_and_by_cause_within():
    made = verdict(PASS, BLOCK, WARN, HOLD, BLOCK, UNKNOWN)
    assert [(one["status"], one["cause"]) for one in made.findings] == [
        (BLOCK, 41), (BLOCK, 44), (HOLD, 43), (UNKNOWN, 45), (WARN, 42), (PASS, 40)
    ]  # fmt: skip


def test_a_message_leaves_out_what_passes_unless_all_is_asked_for():
    made = verdict(PASS, HOLD, PASS)
    assert [one["cause"] for one in made.as_message()["findings"]] == [41]
    assert len(made.as_message(True)["findings"]) == 3
    assert made.as_message()["verdict"] == HOLD


class Nothing:
    """A history without a record."""

    open = {}
    failing = False
    lost = 0

    def works(self):
        return True

    def sale(self, receipt):
        return None

    def earlier(self, request):
        return Earlier(False)


def causes(request):
    return sorted(one["cause"] for one in check(Case(request, Snapshot(Clock()), Policy({}), Nothing())).findings)


def test_every_check_speaks_in_a_verdict_exactly_once():
    assert causes(None) == [1, 4, 8, 14, 15]
    assert causes({"receipt": 1, "amount": 1, "currency": "EUR"}) == [1, 4, 8, 14, 15, 31, 32, 34, 53, 54]


def test_an_agent_that_knows_nothing_does_not_say_go():
    made = check(Case({"receipt": 1, "amount": 1, "currency": "EUR"}, Snapshot(Clock()), Policy({}), Nothing()))
    assert made.worst == HOLD
    for one in made.findings:
        if one["status"] == PASS:  # these ask the journal alone, and it is whole
            assert one["cause"] in (14, 32, 53, 54)
        else:
            assert one["evidence"]["missing"]
