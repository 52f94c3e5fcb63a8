"""The verdict: the worst of the findings, the worst first."""

from firmware_agent.case import Case
from firmware_agent.history import History
from firmware_agent.policy import ABSENT, Policy
from firmware_agent.preflight import Verdict, check
from firmware_agent.snapshot import Snapshot
from firmware_agent.wire.messages import BLOCK, HOLD, PASS, UNKNOWN, WARN

from .bench import Clock, Paged

HEAP = "256k"

KINDS = (PASS, WARN, UNKNOWN, HOLD, BLOCK)


def finding(cause, status):
    return {"cause": cause, "status": status, "evidence": {}}


def verdict(*statuses, **rules):
    findings = [finding(40 + index, status) for index, status in enumerate(statuses)]
    passed = [one["cause"] for one in findings if one["status"] == PASS]
    return Verdict([one for one in findings if one["status"] != PASS], passed, Policy(rules))


def test_the_worst_finding_is_the_verdict():
    for one in (PASS, WARN, HOLD, BLOCK):
        for other in (PASS, WARN, HOLD, BLOCK):
            made = verdict(one, other, PASS)
            assert made.worst == max(one, other)
            assert made.goes == (made.worst in (PASS, WARN))


def test_unknown_is_never_go_and_the_policy_says_whether_it_warns_or_holds():
    assert verdict(UNKNOWN).worst == WARN
    assert verdict(UNKNOWN, unknown={40: HOLD}).worst == HOLD
    assert verdict(UNKNOWN, unknown={41: HOLD}).worst == WARN
    assert verdict(UNKNOWN, unknown={0: HOLD}).worst == HOLD
    assert verdict(UNKNOWN, unknown={0: HOLD, 40: PASS}).worst == PASS
    assert verdict(UNKNOWN, BLOCK).worst == BLOCK
    assert (
        Verdict([finding(1, UNKNOWN)], (), Policy({})).worst == HOLD
    )  # a terminal that does not answer refunds nothing
    assert Verdict([finding(1, UNKNOWN)], (), Policy({"unknown": {0: PASS}})).worst == HOLD


def test_what_is_found_counts_as_the_catalogue_says_or_stricter_and_weaker_only_where_that_allows_it():
    policy = Policy({"found": {4: BLOCK, 1: WARN, 8: WARN, 17: WARN, 12: BLOCK}})
    for cause, status, expected in (
        (4, HOLD, BLOCK),
        (1, BLOCK, BLOCK),
        (8, BLOCK, WARN),
        (17, HOLD, WARN),
        (12, BLOCK, BLOCK),
        (6, HOLD, HOLD),
    ):
        assert policy.found(cause, status) == expected, cause


def test_the_light_is_green_amber_or_red():
    colours = [(verdict(status).colour) for status in (PASS, WARN, UNKNOWN, HOLD, BLOCK)]
    assert colours == ["green", "amber", "amber", "red", "red"]


def test_findings_come_worst_first_and_then_what_makes_the_others_idle():
    made = verdict(PASS, BLOCK, WARN, HOLD, BLOCK, UNKNOWN)
    assert [(one["status"], one["cause"]) for one in made.findings] == [
        (BLOCK, 41), (BLOCK, 44), (HOLD, 43), (UNKNOWN, 45), (WARN, 42)
    ]  # fmt: skip
    assert made.passed == bytes((40,))
    causes = [
        one["cause"] for one in Verdict([finding(c, BLOCK) for c in (1, 8, 31, 32, 53, 54)], (), Policy({})).findings
    ]
    assert causes == [54, 53, 32, 31, 1, 8]


def test_an_unknown_that_the_policy_accepts_comes_behind_what_counts():
    made = verdict(UNKNOWN, WARN, unknown={40: PASS})
    assert [one["cause"] for one in made.findings] == [41, 40] and made.worst == WARN
    assert made.findings[1]["status"] == UNKNOWN  # accepted, and told all the same


def test_a_message_leaves_out_what_passes_unless_all_is_asked_for():
    made = verdict(PASS, HOLD, PASS)
    assert [one["cause"] for one in made.as_message()["findings"]] == [41]
    assert "passed" not in made.as_message()
    assert [one["cause"] for one in made.as_message(True)["findings"]] == [41]
    assert made.as_message(True)["passed"] == bytes((40, 42))
    assert made.as_message()["verdict"] == HOLD


ASKED = {"receipt": 1, "amount": 1, "currency": "EUR"}


def of_nothing(request):
    """The Verdict of an agent that knows nothing: no hardware, no terminal, no policy, an empty journal."""
    clock = Clock()
    return check(Case(request, Snapshot(clock), Policy({}, ABSENT), History(Paged(), clock)))


def checked(made):
    return [one["cause"] for one in made.findings] + list(made.passed)


def test_every_cause_is_checked_exactly_once():
    assert sorted(checked(of_nothing(ASKED))) == list(range(1, 61))


def test_what_needs_no_request_is_checked_without_one():
    alone = checked(of_nothing(None))
    assert len(alone) == len(set(alone)) == 30
    for cause in (1, 4, 5, 8, 14, 15, 16, 19, 44, 55, 57, 60):
        assert cause in alone
    for cause in (18, 26, 31, 39, 51, 53, 54, 59):
        assert cause not in alone


def test_an_agent_that_knows_nothing_does_not_say_go():
    made = of_nothing(ASKED)
    assert made.worst == HOLD
    assert made.passed == bytes((5, 32, 35, 53, 54))  # these ask the journal alone, and it is whole
    for one in made.findings:
        if one["status"] == HOLD:  # no policy, and a clock that was never set, are found
            assert one["cause"] in (16, 57), one
        else:
            assert one["evidence"]["missing"]
