"""What people attest, approve and are led through, and the story of a refund: refundctl against a fake agent."""

import json
import time

import pytest
from rich.cells import cell_len

from firmware_agent.wire.messages import BLOCK, HOLD, PASS, PREFLIGHT, REFUND, STATUS, UNKNOWN, WARN
from host_tools import follow, link, refundctl

from .fake_agent import FakeAgent

SALE = ["--receipt", "42", "--amount", "12.34", "--currency", "EUR"]
WHO = ["--by", "Ann", "--role", "supervisor"]
CARD = "4111111111111111"
LANGUAGES = ("en", "zh")


def finding(cause, status, **evidence):
    return {"cause": cause, "status": status, "evidence": evidence}


def held(asked, *findings, verdict=HOLD):
    """A REFUND_ANSWER of a refund that the checks held."""
    told = {"key": asked["key"], "state": 0, "final": True, "earlier": False, "verdict": verdict}
    sale = {"amount": asked["amount"], "currency": asked["currency"], "sale_receipt": asked["receipt"]}
    return {**told, **sale, "findings": list(findings)}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(link, "ANSWER_S", 0.3)
    monkeypatch.setattr(link, "REOPEN_S", 0.01)
    monkeypatch.setattr(follow, "AGAIN_S", 0.01)


@pytest.fixture
def agent(tmp_path):
    with FakeAgent(tmp_path) as fake:
        yield fake


@pytest.fixture
def ctl(capsys, monkeypatch):
    """Runs a command line: (exit status, stdout, stderr)."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("REFUNDCTL_PORT", raising=False)

    def run(*words):
        status = refundctl.run([str(word) for word in words], {})
        out, err = capsys.readouterr()
        assert "Traceback" not in err and "\x1b" not in out
        assert max(map(cell_len, out.splitlines()), default=0) <= 80 or "--json" in words
        return status, out, err

    return run


@pytest.fixture
def on(ctl, agent):
    return lambda *words: ctl("--port", agent.port, *words)


def one_line(text):
    return text.startswith("refundctl: ") and text.count("\n") == 1 and text.endswith("\n")


def together(text):
    """Without the line ends, frames and blanks of a screen."""
    return "".join(text.replace("\\\n", "").replace("│", "").split())


# ---- what is asked ----
def test_what_is_known_of_the_sale_goes_with_the_request(agent, on):
    agent.answers[PREFLIGHT] = lambda asked: {"verdict": PASS, "findings": []}
    on("preflight", *SALE, "--scheme", "visa", "--not-settled", "--expiry", "2027-09", "--key", "k1")
    asked = agent.requests(PREFLIGHT)[0]
    assert abs(asked.pop("wall_s") - time.time()) < 5
    sale = {"receipt": 42, "amount": 1234, "currency": "EUR"}
    assert asked == {**sale, "scheme": "visa", "settled": False, "expiry": 2709, "key": "k1"}
    agent.answers[REFUND] = lambda asked: held(asked, verdict=BLOCK)
    on("refund", *SALE, "--settled")
    assert agent.requests(REFUND)[0]["settled"] is True and agent.requests(REFUND)[0]["wall_s"]
    on("status")
    assert agent.requests(STATUS)[-1]["wall_s"]


def test_a_clock_that_cannot_be_right_is_not_told(agent, on, monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 12.0)
    assert on("status")[0] == 0 and agent.requests(STATUS) == [{}]


@pytest.mark.parametrize("expiry", ["09/27", "2027-13", "2027-00", "27-09", "1999-01", "2027-9", ""])
def test_an_expiry_is_a_year_and_a_month(agent, on, expiry):
    for more in ([], ["--lang", "zh"]):
        status, out, err = on(*more, "preflight", *SALE, "--expiry", expiry)
        assert (status, out, one_line(err)) == (2, "", True) and "2027-09" in err
    assert agent.asked == []


@pytest.mark.parametrize("scheme", ["x" * 17, "", "a\tb", "x" + CARD])
def test_a_scheme_is_a_short_name(agent, on, scheme):
    status, _, err = on("refund", *SALE, "--scheme", scheme)
    assert status == 2 and one_line(err) and "--scheme" in err and CARD not in err and agent.asked == []


# ---- what passes, and what cannot be seen ----
def test_what_passes_is_shown_when_it_comes_as_bare_numbers(agent, on):
    answer = {"verdict": HOLD, "findings": [finding(4, HOLD, supply_mv=4100)], "passed": bytes([15, 4, 0, 61])}
    agent.answers[PREFLIGHT] = lambda asked: answer
    rows = json.loads(on("--json", "preflight", *SALE, "--all")[1])["findings"]
    assert [(row["cause"], row["status"]) for row in rows] == [(4, "HOLD"), (15, "PASS")]
    assert rows[1]["text"] == "Network: in order." and rows[1]["evidence"] == {} and rows[1]["remedy"] == ""
    assert [row["cause"] for row in json.loads(on("--json", "preflight", *SALE)[1])["findings"]] == [4]
    agent.answers[REFUND] = lambda asked: {**held(asked), "passed": bytes([15])}
    assert json.loads(on("--json", "refund", *SALE, "--all")[1])["findings"][0]["status"] == "PASS"


LACKING = [
    finding(4, HOLD, supply_mv=4100),
    finding(1, UNKNOWN, missing="terminal", terminal_silent=2),
    *(finding(cause, UNKNOWN, missing="terminal") for cause in (9, 10, 12, 13, 17, 21, 43, 48, 56)),
    *(finding(cause, UNKNOWN, missing=f"policy: rule{cause}") for cause in range(22, 32)),
    finding(11, UNKNOWN, missing="attest: damage"),
    finding(24, WARN, receipt=42),
]


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_cannot_be_seen_stands_in_one_block_behind_what_is_found(agent, on, language):
    agent.answers[PREFLIGHT] = lambda asked: {"verdict": HOLD, "findings": LACKING, "passed": bytes([15])}
    _, out, _ = on("--lang", language, "preflight", *SALE, "--all")
    block = {"en": "Cannot be seen", "zh": "无法检查：缺少"}[language]
    found, _, rest = out.partition(block)
    numbers = [line.split()[0] for line in found.splitlines() if line[:4].strip().isdigit()]
    assert numbers == ["4", "1", "24"]  # a silent terminal stays in full
    assert rest.count("UNKNOWN" if language == "en" else "未知") == 1
    for number in (9, 10, 12, 13, 17, 21, 43, 48, 56, *range(22, 32), 11):
        assert f" {number} " in rest.replace("\n", " ").replace("：", " ")
    source = {"en": "the policy: 22 Open dispute", "zh": "策略：22"}[language]
    assert source in rest and "rule22" not in rest
    word = {"en": "a person's word: no visible damage: 11", "zh": "人工确认：外观无损坏：11"}[language]
    assert word in rest
    assert rest.index("11 ") < rest.index({"en": "Network: in order", "zh": "网络：正常"}[language])
    # the document stays as it was
    rows = json.loads(on("--json", "--lang", language, "preflight", *SALE)[1])["findings"]
    assert len(rows) == len(LACKING) and rows[2]["evidence"] == {"missing": "terminal"}


def test_what_is_unknown_and_holds_the_refund_stays_in_full(agent, on):
    rows = [finding(32, UNKNOWN, missing="journal"), finding(6, UNKNOWN, missing="temperature")]
    agent.answers[PREFLIGHT] = lambda asked: {"verdict": HOLD, "findings": rows}
    found, _, rest = on("preflight", *SALE)[1].partition("Cannot be seen")
    assert "  32 " in found and "missing: the journal" in found and "a thermometer: 6 Temperature" in rest
    agent.answers[PREFLIGHT] = lambda asked: {"verdict": WARN, "findings": rows}
    found, _, rest = on("preflight", *SALE)[1].partition("Cannot be seen")
    assert "  32 " not in found and "the journal: 32" in rest


def test_one_rule_that_is_missing_is_named(agent, on):
    rows = [finding(26, UNKNOWN, missing="policy: cap"), finding(49, UNKNOWN, missing="operator"), finding(5, UNKNOWN)]
    agent.answers[PREFLIGHT] = lambda asked: {"verdict": WARN, "findings": rows}
    out = on("preflight", *SALE)[1]
    assert "cap in the policy: 26" in out and "who asks (--operator): 49" in out and "unknown: 5" in out
    assert "策略中的 cap：26" in on("--lang", "zh", "preflight", *SALE)[1]


# ---- what to type next ----
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_refund_that_waits_for_an_approval_says_what_the_second_person_types(agent, on, language):
    agent.answers[REFUND] = lambda asked: held(asked, finding(51, HOLD, amount=123456, limit=100000))
    words = ["--receipt", "42", "--amount", "1234.56", "--currency", "EUR"]
    status, out, _ = on("--lang", language, "refund", *words, "--key", "till1-0001")
    assert status == 3 and together("refundctl approve till1-0001 " + " ".join(words) + " --by NAME") in together(out)
    assert "1,000.00 EUR" in out  # the limit is money
    agent.answers[PREFLIGHT] = lambda asked: {"verdict": HOLD, "findings": [finding(51, HOLD, amount=123456)]}
    assert "refundctl refund" in on("--lang", language, "preflight", *words)[1]
    assert "approve k2" in on("--lang", language, "preflight", *words, "--key", "k2")[1]


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (finding(59, HOLD, amount=1), "refundctl guide 59 --receipt 42 --by NAME --role ROLE"),
        (finding(11, HOLD, person="Ann"), "refundctl attest damage --yes --by NAME --role ROLE"),
        (finding(25, HOLD, amount=1), "refundctl attest legal --receipt 42 --yes --by NAME --role ROLE"),
        (finding(22, HOLD, person="Ann"), "refundctl attest dispute --receipt 42 --yes"),
        (finding(22, HOLD, receipt=42), None),  # the policy says so: a person's word does not clear it
        (finding(51, PASS, person="Ann"), None),
        (finding(4, HOLD), None),
    ],
)
def test_what_a_person_can_clear_names_its_command(agent, on, found, words):
    agent.answers[PREFLIGHT] = lambda asked: {"verdict": HOLD, "findings": [found]}
    out = together(on("preflight", *SALE, "--all")[1])
    assert together(words) in out if words else "refundctlattest" not in out and "Then:" not in out


def test_moments_days_and_months_are_shown_as_such(agent, on):
    rows = [finding(27, BLOCK, sale_date=20261101, limit=30, value=40), finding(40, HOLD, expiry=2611, at=1795502309)]
    agent.answers[PREFLIGHT] = lambda asked: {"verdict": BLOCK, "findings": [*rows, finding(57, HOLD, policy_state=1)]}
    out = on("preflight", *SALE)[1]
    assert "2026-11-01" in out and "limit 30 " in out and "2026-11" in out and "2026-11-24 06:38 UTC" in out
    assert "policy state absent" in out
