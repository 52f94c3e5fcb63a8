"""What people attest, approve and are led through, and the story of a refund: refundctl against a fake agent."""

import hashlib
import io
import json
import os
import pty
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from rich.cells import cell_len

from firmware_agent.history import History, Refund
from firmware_agent.wire import bodies, errors, messages
from firmware_agent.wire.messages import (
    APPROVE,
    APPROVED,
    ATTEST,
    BLOCK,
    DECLINED,
    HOLD,
    IN_DOUBT,
    PASS,
    PREFLIGHT,
    REFUND,
    REQUESTED,
    SENT,
    STATUS,
    UNKNOWN,
    WARN,
)
from hal.said import Receipt
from hal.sim.flash import Flash
from host_tools import follow, link, refundctl
from host_tools.texts import Texts

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
    assert "cap in the policy: 26" in out and "who asks (--operator): 49" in out and "not said: 5" in out
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


# ---- a person's word ----
def recorded(agent, number=17, wall_s=1795502309):
    """The agent takes every word and approval, and numbers its records."""
    count = iter(range(number, 1000))
    take = lambda asked: {"number": next(count), "wall_s": wall_s}  # noqa: E731
    agent.answers[ATTEST] = agent.answers[APPROVE] = take


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("what", ["damage", "noise", "account_details"])
def test_a_word_on_the_shop_is_recorded(agent, on, what, language):
    recorded(agent)
    for answer, value in (("--yes", 1), ("--no", 0)):
        status, out, err = on("--lang", language, "attest", what, answer, *WHO)
        assert (status, err) == (0, "") and Texts(language)("attest_says", what)[1 - value] in out
        assert "Ann (supervisor)" in out and "2026-11-24 06:38:29" in out
        assert agent.requests(ATTEST)[-1] == {
            "what": bodies.ATTESTATIONS.index(what),
            "value": value,
            "by": "Ann",
            "role": "supervisor",
        }


def test_a_word_on_a_sale_goes_with_its_receipt_and_what_shows_it(agent, on, tmp_path):
    recorded(agent)
    folder = tmp_path / "20261204120004"  # a name may look like a card number
    folder.mkdir()
    for name, text in (("b-20261204120004.pdf", b"letter"), ("a.txt", b"chat")):
        (folder / name).write_bytes(text)
    files = [word for path in sorted(folder.iterdir(), reverse=True) for word in ("--file", path)]
    words = ["attest", "evidence", "--yes", "--receipt", "42", *WHO]
    status, out, err = on("--json", *words, "--text", "by letter", *files)
    document = json.loads(out)
    single = {name: hashlib.sha256(text) for name, text in (("a", b"chat"), ("b", b"letter"))}
    both = hashlib.sha256(single["a"].digest() + single["b"].digest())
    assert (status, err, document["digest"]) == (0, "", both.hexdigest())
    assert [row["digest"] for row in document["files"]] == [single["a"].hexdigest(), single["b"].hexdigest()]
    assert agent.requests(ATTEST)[0] == {
        "what": 4,
        "value": 1,
        "by": "Ann",
        "role": "supervisor",
        "receipt": 42,
        "text": "by letter",
        "digest": both.digest(),
    }
    keys = "what value receipt by role words digest files number wall_s time text"
    assert list(document) == keys.split() and document["time"] == "2026-11-24T06:38:29Z"
    for language in LANGUAGES:
        out = on("--lang", language, *words, f"--file={folder}/b-20261204120004.pdf")[1]
        assert single["b"].hexdigest() in out  # of one file, as sha256sum has it
        assert both.hexdigest() in on("--lang", language, *words, *files)[1]


def test_what_the_host_answered_is_recorded_and_taken_back(agent, on):
    recorded(agent)
    words = ["attest", "host_code", "--receipt", "42", *WHO]
    assert "NOTENOUGH" in on(*words, "--text", "NOTENOUGH")[1] and on(*words, "--no")[0] == 0
    asked = agent.requests(ATTEST)
    assert [(one["value"], one.get("text")) for one in asked] == [(1, "NOTENOUGH"), (0, None)]


def test_a_word_without_a_date_says_so(agent, on):
    recorded(agent, wall_s=None)
    assert "has no date" in on("attest", "damage", "--yes", *WHO)[1]
    assert json.loads(on("--json", "attest", "damage", "--yes", *WHO)[1])["time"] == ""


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["attest"], "refundctl attest --help"),
        (["attest", "what"], "one of: damage, noise, account_details"),
        (["attest", "approval", "--yes", "--receipt", "42"], "one of: damage"),
        (["attest", "damage", "--yes", "--receipt", "42", *WHO], "leave --receipt out"),
        (["attest", "noise", "--yes", "--receipt", "42", *WHO], "leave --receipt out"),
        (["attest", "account_details", "--no", "--receipt", "42", *WHO], "leave --receipt out"),
        *((["attest", what, "--yes", *WHO], "--receipt") for what in ("dispute", "evidence", "legal", "fx_consent")),
        (["attest", "host_code", "--text", "51", *WHO], "--receipt"),
        (["attest", "host_code", "--receipt", "42", *WHO], "--text"),
        (["attest", "host_code", "--receipt", "42", "--text", "51", "--no", *WHO], "--text"),
        (["attest", "damage", *WHO], "--yes"),
        (["attest", "damage", "--yes"], "--by"),
        (["attest", "damage", "--yes", "--by", "Ann"], "--role"),
        (["attest", "damage", "--yes", "--by", "x" * 25, "--role", "r"], "--by"),
        (["attest", "damage", "--yes", *WHO, "--text", "x" * 81], "--text"),
        (["attest", "damage", "--yes", *WHO, "--text", ""], "--text"),
        (["attest", "damage", "--yes", *WHO, "--text", "card " + CARD], "--text"),
        (["attest", "damage", "--yes", *WHO, "--file", CARD], "--file"),
        (["attest", CARD, "--yes", *WHO], "card"),
        (["attest", "dispute", "--yes", "--receipt", "0", *WHO], "--receipt"),
        (["approve"], "refundctl approve --help"),
        (["approve", "k1"], "--receipt"),
        (["approve", "k1", *SALE], "--by"),
        (["approve", "k1", *SALE, "--by", "Bob", "--pin", "4711"], "--pin"),
        (["approve", "k1", *SALE, "--by", "Bob", "4711"], "refundctl approve --help"),
        (["approve", "x" * 37, *SALE, "--by", "Bob"], "KEY"),
        (["approve", CARD, *SALE, "--by", "Bob"], "card"),
        (["approve", "k1", *SALE, "--by", CARD], "--by"),
        (["approve", "k1", *SALE, "--amount", "1.234", "--by", "Bob"], "EUR"),
        (["approve", "k1", *SALE, "--currency", "EURO", "--by", "Bob"], "ISO 4217"),
        (["guide"], "refundctl guide --help"),
        (["guide", "61", *WHO], "1 "),
        (["guide", "four", *WHO], "1 "),
        (["guide", "49"], "--by"),
        (["guide", "49", *WHO, "--receipt", "x"], "--receipt"),
        (["guide", "49", *WHO, "--done", "0"], "--done"),
        (["guide", "49", *WHO, "--done", "4"], "--done"),
    ],
)
def test_wrong_usage_is_one_line_and_nothing_is_sent(agent, on, words, says):
    status, out, err = on(*words)
    assert (status, out, one_line(err)) == (2, "", True) and says in err and "4711" not in err and CARD not in err
    status, out, err = on("--json", "--lang", "zh", *words)
    assert (status, out, one_line(err)) == (2, "", True) and "4711" not in err and CARD not in err
    assert agent.asked == []


def test_a_file_that_cannot_be_read_is_named_and_nothing_is_sent(agent, on, tmp_path):
    for path in (tmp_path / "gone", tmp_path):
        status, out, err = on("attest", "damage", "--yes", *WHO, "--file", path)
        assert (status, out, one_line(err)) == (1, "", True) and str(path) in err
    assert agent.asked == []


# ---- a second person ----
APPROVAL = ["approve", "till1-0001", *SALE, "--by", "Bob"]


@pytest.fixture
def typed(monkeypatch):
    return lambda text: monkeypatch.setattr("sys.stdin", io.StringIO(text))


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_approval_takes_the_pin_from_stdin_and_shows_it_nowhere(agent, on, typed, language):
    recorded(agent)
    typed("471199\nignored\n")
    status, out, err = on("--lang", language, *APPROVAL)
    assert (status, err) == (0, "") and "471199" not in out and "Bob" in out and "12.34 EUR" in out
    sale = "--receipt 42 --amount 12.34 --currency EUR --key till1-0001"
    assert together("refundctl refund " + sale) in together(out)
    asked = {"key": "till1-0001", "receipt": 42, "amount": 1234, "by": "Bob"}
    assert agent.requests(APPROVE) == [{**asked, "pin": "471199"}]
    typed("471199\r\n")
    status, out, err = on("--json", *APPROVAL)
    document = json.loads(out)
    keys = "key sale_receipt amount currency amount_text by number wall_s time text"
    assert (status, list(document), "471199" in out) == (0, keys.split(), False)


def test_what_a_till_asked_for_is_asked_for_at_the_till_once_it_is_approved(agent, on, typed):
    for language in LANGUAGES:
        recorded(agent)
        typed("471199\n")
        status, out, _ = on("--lang", language, "approve", "till-4-1", *SALE, "--by", "Bob")
        assert status == 0 and "refundctl" not in out
        assert together(Texts(language)("people", "approved_then_till")) in together(out)


@pytest.mark.parametrize("pin", ["", "\n", "123\n", "1" * 13 + "\n", "12a4\n", CARD + "\n", "１２３４\n", "x" * 200])
def test_what_is_no_pin_is_refused_here(agent, on, typed, pin):
    for language in LANGUAGES:
        typed(pin)
        status, out, err = on("--lang", language, *APPROVAL)
        assert (status, out, one_line(err)) == (2, "", True) and "4" in err
        assert not pin.strip() or pin.strip() not in err
    assert agent.requests(APPROVE) == []


@pytest.mark.parametrize("name", ["no_person", "not_allowed", "pin_wrong", "locked_out"])
def test_an_approval_that_the_agent_refuses(agent, on, typed, name):
    def refuse(asked):
        raise errors.WireError(name, "by")

    agent.answers[APPROVE] = refuse
    for language in LANGUAGES:
        typed("471199\n")
        status, out, err = on("--lang", language, *APPROVAL)
        assert (status, out, one_line(err)) == (4, "", True) and "471199" not in err
        assert err == "refundctl: " + Texts(language)("error", "agent_" + name) + "\n"


def test_no_pin_is_asked_for_where_nobody_answers(agent, on, typed):
    agent.answers[STATUS] = lambda asked: None
    typed("471199\n")
    assert on(*APPROVAL)[0] == 5 and sys.stdin.read() == "471199\n"


def test_a_pin_typed_at_a_terminal_is_not_echoed_and_in_no_process_list(agent):
    asked = threading.Event()

    def take(request):
        asked.set()
        time.sleep(0.2)
        return {"number": 17, "wall_s": 1795502309}

    agent.answers[APPROVE] = take
    child, terminal = pty.fork()
    if not child:
        os.execv(sys.executable, [sys.executable, "-m", "host_tools.refundctl", "--port", agent.port, *APPROVAL])
    shown = b""
    while b"not shown" not in shown:
        shown += os.read(terminal, 1024)
    # getpass has switched the echo off before it prompts
    os.write(terminal, b"471199\n")
    assert asked.wait(10)
    command = Path(f"/proc/{child}/cmdline")
    assert not command.exists() or b"471199" not in command.read_bytes()
    try:
        while block := os.read(terminal, 1024):
            shown += block
    except OSError:
        pass  # the other end is closed
    _, status = os.waitpid(child, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 0 and b"471199" not in shown and b"Bob approves" in shown
    assert agent.requests(APPROVE)[0]["pin"] == "471199"


# ---- step by step ----
def test_a_guide_asks_for_each_step_and_records_it(agent, on, typed):
    recorded(agent)
    for language, words in (("en", "y\nwhat\n Yes\ny\n"), ("zh", "好\n是\n\ny\n")):
        agent.asked.clear()
        typed(words)
        status, out, err = on("--lang", language, "guide", "49", "--receipt", "42", *WHO)
        steps = Texts(language).cause(49).steps
        assert (status, err) == (0, "") and all(together(step) in together(out) for step in steps)
        assert out.count("[y/n]") == 4 and Texts(language)("people", "guide_done", of=3) in out
        said = {"what": bodies.ATTESTATIONS.index("guide"), "by": "Ann", "role": "supervisor", "receipt": 42}
        assert agent.requests(ATTEST) == [{**said, "value": step, "text": "3 49"} for step in (1, 2, 3)]


@pytest.mark.parametrize("answers", ["y\nn\n", "y\n", "y\n否\n"])
def test_a_guide_that_stops_has_recorded_what_was_done(agent, on, typed, answers):
    recorded(agent)
    for language in LANGUAGES:
        agent.asked.clear()
        typed(answers if language == "zh" else answers.replace("否", "no"))
        status, out, _ = on("--lang", language, "guide", "49", *WHO)
        assert status == 3 and Texts(language)("people", "guide_stopped", n=1, of=3) in out
        assert [asked["value"] for asked in agent.requests(ATTEST)] == [1]
        assert "receipt" not in agent.requests(ATTEST)[0]


def test_ctrl_c_stops_a_guide_and_says_what_was_done(agent):
    recorded(agent)
    with subprocess.Popen(
        [sys.executable, "-m", "host_tools.refundctl", "--port", agent.port, "guide", "49", *WHO],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "COLUMNS": "80"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as running:
        running.stdin.write("y\n")
        running.stdin.flush()
        shown = ""
        while "2/3" not in shown:
            shown += running.stdout.readline()
        time.sleep(0.2)
        running.send_signal(signal.SIGINT)
        rest, err = running.communicate(timeout=10)
    assert (running.returncode, err) == (3, "") and "1 of 3 steps are done" in rest


def test_a_guide_for_scripts_records_up_to_a_step(agent, on):
    recorded(agent)
    status, out, err = on("--json", "guide", "49", *WHO, "--done", "2")
    document = json.loads(out)
    assert (status, err, document["done"], document["of"], document["complete"]) == (3, "", 2, 3, False)
    assert [step["done"] for step in document["steps"]] == [True, True, False]
    assert [asked["value"] for asked in agent.requests(ATTEST)] == [1, 2]
    assert on("guide", "49", *WHO, "--done", "3")[0] == 0
    status, out, err = on("--json", "guide", "49", *WHO)
    assert (status, out, one_line(err)) == (2, "", True) and "--done" in err


def test_every_word_that_may_be_attested_has_its_texts():
    for language in LANGUAGES:
        texts = Texts(language)
        assert set(texts.table("attest")) == {*bodies.ATTESTATIONS} - {""}
        assert set(texts.table("attest_says")) == {*bodies.ATTESTATIONS} - {"", "approval", "guide"}
    assert messages.declared(ATTEST)[0] == "attest"


# ---- the story of a refund ----
class Clock:
    """Wall clock and uptime of an agent that has run for `up` ms."""

    begun = 1795502300

    def __init__(self):
        self.up = 5000

    def wall_s(self):
        return self.begun + self.up // 1000

    def uptime_ms(self):
        return self.up


class Shop:
    """A journal written by the agent's own code, and the events beside it."""

    def __init__(self, sectors=16):
        self.flash = Flash(None, sectors * 4096, 4096, 4)
        self.clock = Clock()
        self.events = []
        self.start()

    def start(self):
        """The agent starts, perhaps anew."""
        self.clock.begun += self.clock.up // 1000
        self.clock.up = 5000
        self.events.clear()
        self.history = History(self.flash, self.clock)
        self.event("boot", in_doubt=0)

    def event(self, name, **numbers):
        self.clock.up += 700
        row = {"number": len(self.events) + 1, "uptime_ms": self.clock.up, "code": messages.event(name)}
        self.events.append({**row, "numbers": numbers})

    def sale(self, receipt=42, amount=5000):
        self.history.record_sale(Receipt(receipt, 4711, amount, 978, 1123, 120000, 0, False, "1111"))

    def checked(self, key, worst, *findings, receipt=42, amount=1234):
        self.clock.up += 1100
        self.history.record_verdict(key, worst, list(findings))
        self.event("verdict", verdict=worst, receipt=receipt, amount=amount)

    def refund(self, key, *states, receipt=42, amount=1234, **facts):
        """One refund through `states`; the facts come with the last."""
        refund = self.history.find(key) or Refund(key)
        asked = {"receipt": receipt, "amount": amount, "currency": "EUR", "operator": "Anna"}
        for state in states:
            self.clock.up += 1100
            more = asked if state == REQUESTED else facts if state == states[-1] else {}
            self.history.record(refund, state, {"before": [42, 7, 1, 978, 1, 1, 0, 0]} if state == SENT else more)
            self.event("refund", state=state, receipt=receipt, amount=amount)
        return refund

    def attest(self, what, value, text="", digest=None, receipt=42):
        self.clock.up += 1100
        self.history.attest(bodies.ATTESTATIONS.index(what), receipt, value, "Ann", "supervisor", text, digest)


@pytest.fixture
def shop(agent):
    shop = Shop()
    agent.flash, agent.agent_id = shop.flash, shop.history.agent_id

    def journal_answer(asked):
        its = shop.history.journal
        list(its.look_through())
        told = {"size": its.size, "sector": its.flash.sector, "unit": its.flash.unit, "oldest": its.oldest}
        told |= {"newest": its.newest, "end": its.end, "last": its.sequence, "digest": its.digest.hex()}
        return {**told, "damaged": 0, "lost": 0, "places": []}

    def events(asked):
        new = [event for event in shop.events if event["number"] > asked["cursor"]][:3]
        following = new[-1]["number"] if new else asked["cursor"]
        return {"events": new, "next": following, "dropped": 0, "boot": shop.history.boot, "uptime_ms": shop.clock.up}

    def status(asked):
        times = {"uptime_ms": shop.clock.up, "wall_s": shop.clock.wall_s(), "boot": shop.history.boot}
        return {**agent.status(), **times, "agent_id": shop.history.agent_id}

    agent.answers |= {messages.JOURNAL: journal_answer, messages.EVENTS_SINCE: events, STATUS: status}
    return shop


def kinds(document):
    return [step.get("event") or step["kind"] for step in document["story"]]


SAG = {"supply_mv": 4050, "supply_min_mv": 4050, "supply_max_mv": 5000, "supply_low_mv": 4600}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_story_of_a_refund_is_told_in_order(shop, on, language):
    shop.sale()
    shop.event("supply_unstable", supply_mv=4100, supply_min_mv=4100, supply_max_mv=5000)
    lacking = [finding(cause, UNKNOWN, missing="policy: cap") for cause in (26, 27)]
    shop.checked("k1", HOLD, finding(4, HOLD, **SAG), *lacking)
    shop.event("supply_stable", supply_mv=5000, supply_min_mv=4900, supply_max_mv=5020)
    shop.checked("k1", WARN, *lacking)
    shop.refund("k1", REQUESTED, SENT, APPROVED, its_receipt=43, its_trace=4713, code=0)
    shop.refund("other", REQUESTED, SENT, APPROVED, receipt=77, its_receipt=44, its_trace=4714, code=0)
    status, out, err = on("--json", "--lang", language, "explain", "k1")
    document = json.loads(out)
    assert (status, err, out.count("\n")) == (0, "", 1)
    order = "boot supply_unstable asked checked supply_stable checked recorded sent terminal"
    assert kinds(document) == order.split()
    assert (document["state"], document["amount_text"], document["sale_receipt"]) == ("APPROVED", "12.34 EUR", 42)
    held = document["story"][3]
    assert held["verdict"] == "HOLD" and [row["cause"] for row in held["findings"]] == [4, 26, 27]
    assert "4,050 mV" in held["findings"][0]["evidence_text"]
    times = [step["when"]["time"] for step in document["story"]]
    assert times == sorted(times) and document["story"][-1]["when"]["uptime_ms"] == shop.events[-4]["uptime_ms"]
    assert document["supply"]["points"] == [4100, 4050, 4900, 5000] and document["supply"]["plot"][0] == "▁"
    assert document["now"]["cause"] is None and document["notes"] == [] and document["complete"] is True
    out = on("--lang", language, "explain", "k1")[1]
    says = Texts(language)
    for text in ("executed", "recorded", "sent", "now_approved"):
        assert together(says("explain", text)) in together(out)
    assert says.cause(4).text in out and "12.34 EUR" in out and "50.00 EUR" in out and "Anna" in out
    assert "4,050" in out and "4,600 mV" in out and says("word", "unseen") in out
    assert "k1" in out.splitlines()[0] and "other" not in out and "44" not in out


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_refused_refund_says_why_and_what_to_do(shop, on, language):
    shop.sale()
    shop.refund("k1", REQUESTED, SENT, DECLINED, code=0x6E)
    document = json.loads(on("--json", "--lang", language, "explain", "last")[1])
    assert document["key"] == "k1" and document["story"][-1]["cause"] == 41
    about = Texts(language).cause(41)
    assert document["now"]["cause"] == 41 and document["now"]["steps"] == list(about.steps)
    out = together(on("--lang", language, "explain", "last")[1])
    assert "6E" in out and together(about.text) in out and together(about.remedy) in out
    shop.refund("k2", REQUESTED, SENT, DECLINED, code=0xEE)
    assert "EE" in on("--lang", language, "explain", "k2")[1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_refund_in_doubt_is_never_to_be_repeated(shop, on, language):
    shop.sale()
    shop.refund("k1", REQUESTED, SENT)
    shop.start()
    shop.refund("k1", IN_DOUBT)
    shop.event("doubt_asked", receipt=42, amount=1234)
    shop.event("doubt_asked", receipt=77, amount=1)
    document = json.loads(on("--json", "--lang", language, "explain", "k1")[1])
    assert kinds(document) == ["asked", "recorded", "sent", "boot", "in_doubt", "doubt_asked"]
    assert document["now"]["cause"] == 54 and document["notes"] == []
    out = on("--lang", language, "explain", "k1")[1]
    assert {"en": "Do not repeat it", "zh": "不要重复退款"}[language] in out
    shop.start()
    who = {"attested_by": "Ann", "role": "supervisor", "reason": "the acquirer's list"}
    shop.refund("k1", APPROVED, **who)
    shop.start()
    document = json.loads(on("--json", "--lang", language, "explain", "k1")[1])
    assert document["story"][-1]["kind"] == "settled" and "the acquirer's list" in document["story"][-1]["details"][0]
    assert document["notes"] == [Texts(language)("explain", "events_gone")]
    assert kinds(document) == ["asked", "recorded", "sent", "boot", "in_doubt", "boot", "settled"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_people_said_of_a_refund_is_in_its_story(shop, on, language):
    shop.attest("dispute", 0, "before this sale")
    shop.sale()
    shop.checked("k1", HOLD, finding(51, HOLD, amount=1234, limit=1000, receipt=42))
    shop.attest("dispute", 1, "by letter", bytes(32))
    shop.attest("guide", 2, "3 49")
    shop.attest("approval", 1234, "k1")
    shop.attest("approval", 1234, "another")
    shop.attest("dispute", 1, "of another sale", receipt=77)
    document = json.loads(on("--json", "--lang", language, "explain", "k1")[1])
    assert kinds(document)[-5:] == ["asked", "checked", "attested", "attested", "approved"]
    assert document["state"] == "NEW" and document["amount_text"] == "12.34 EUR"  # the currency is the sale's
    assert document["now"]["cause"] == 51 and document["story"][-3]["details"][0] == "by letter"
    out = on("--lang", language, "explain", "k1")[1]
    assert together(Texts(language)("attest_says", "dispute")[0]) in together(out) and "0" * 64 in out
    assert Texts(language).cause(49).name in out
    shop.refund("k1", REQUESTED, SENT, APPROVED, its_receipt=43, its_trace=9, code=0)
    shop.attest("dispute", 0, "afterwards")
    document = json.loads(on("--json", "--lang", language, "explain", "k1")[1])
    assert kinds(document)[-6:] == ["attested", "attested", "approved", "recorded", "sent", "terminal"]


def test_a_held_refund_whose_currency_nobody_kept_is_told_in_minor_units(shop, on):
    shop.sale()
    shop.checked("k1", BLOCK, finding(36, BLOCK, sale_currency=978, amount=1234, receipt=42))
    assert json.loads(on("--json", "explain", "k1")[1])["amount_text"] == "1234 (minor units)"
    shop.checked("k2", BLOCK, finding(34, BLOCK), receipt=99, amount=500)
    document = json.loads(on("--json", "explain", "last")[1])  # only the event tells what was asked
    assert (document["sale_receipt"], document["amount"], document["currency"]) == (99, 500, None)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_pulled_journal_tells_the_story_without_events(shop, ctl, tmp_path, language):
    copy = tmp_path / "copy-20261204120004.rfj"
    shop.sale()
    shop.refund("k0", REQUESTED, SENT, APPROVED, its_receipt=43, its_trace=4713, code=0)
    shop.checked("k1", HOLD, finding(4, HOLD, **SAG))
    copy.write_bytes(shop.flash.read(0, shop.flash.size))
    for words in (["last"], ["k1"]):
        status, out, err = ctl("--json", "--lang", language, "explain", *words, "--from", copy)
        document = json.loads(out)
        assert (status, err, document["key"], document["file"]) == (0, "", "k1", str(copy))
        assert kinds(document) == ["asked", "checked"]
        assert document["notes"] == [Texts(language)("explain", "no_events_in_file")]
    assert "4,050" in ctl("--lang", language, "explain", "last", "--from", copy)[1]
    assert Texts(language)("explain", "executed") in ctl("--lang", language, "explain", "k0", f"--from={copy}")[1]


def test_what_made_room_is_said(shop, on):
    for number in range(700):
        shop.refund(f"k{number}", REQUESTED, SENT, APPROVED, receipt=number + 1, its_receipt=1, its_trace=1, code=0)
    rows = json.loads(on("--json", "journal", "list")[1])["refunds"]
    document = json.loads(on("--json", "explain", rows[0]["key"])[1])
    assert document["complete"] is False and "made room" in document["notes"][0]
    assert document["state"] == "APPROVED" and json.loads(on("--json", "explain", "last")[1])["key"] == "k699"


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_to_explain_is_one_line(shop, on, tmp_path, language):
    for words in (["last"], ["nobody"]):
        status, out, err = on("--lang", language, "explain", *words)
        assert (status, out, one_line(err)) == (4, "", True)
    for words, exit_status in (
        ([], 2),
        ([CARD], 2),
        (["x" * 37], 2),
        (["k1", "k2"], 2),
        (["k1", "--from"], 2),
        (["k1", "--from", CARD], 2),
        (["k1", "--from", tmp_path / "gone"], 1),
        (["k1", "--from", tmp_path], 1),
    ):
        status, out, err = on("--lang", language, "explain", *words)
        assert (status, out, one_line(err)) == (exit_status, "", True) and CARD not in err
