"""What people see of the gate between till and terminal: refundctl against a fake agent, copies of journals, real agents."""

import asyncio
import csv
import io
import json
import re
import time

import cbor2
import pytest
from rich.cells import cell_len

from firmware_agent import gate, wishes
from firmware_agent.case import Case
from firmware_agent.history import History, Refund
from firmware_agent.policy import Policy
from firmware_agent.preflight import check
from firmware_agent.snapshot import Snapshot
from firmware_agent.wire import bodies, errors, messages
from firmware_agent.wire.messages import ATTEST, GATE, HOLD, REFUND, REQUESTED, SENT, STATUS
from hal.linux.tty import Serial
from hal.said import Receipt
from hal.sim.flash import Flash
from hal.sim.terminal import Terminal
from hal.terminals.zvt import serve
from hal.terminals.zvt.cashier import Cashier
from hal.terminals.zvt.line import SerialLine
from host_tools import arguments, follow, gate_keys, link, policy_layout, refundctl, terminal_documents
from host_tools.texts import Texts

from . import running
from .fake_agent import FakeAgent

LANGUAGES = ("en", "zh")
WHO = ["--by", "Ann", "--role", "supervisor"]
TOKEN = bytes.fromhex("4111111111111111")  # as digits it would be a card's number, and it is none


@pytest.fixture(autouse=True)
def quick(request, monkeypatch):
    if "agent" in request.fixturenames:
        monkeypatch.setattr(link, "ANSWER_S", 0.3)
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
        assert max(map(cell_len, out.splitlines()), default=0) <= 80 or "--json" in words or "export" in words
        return status, out, err

    return run


@pytest.fixture
def on(ctl, agent):
    return lambda *words: ctl("--port", agent.port, *words)


def together(text):
    """Without line ends and blanks of a screen."""
    return "".join(text.replace("\\\n", "").split())


def both(on, *words):
    """(document, {language: screen}) of a command that ends well."""
    status, out, err = on("--json", *words)
    assert (status, err, out.count("\n")) == (0, "", 1)
    screens = {}
    for language in LANGUAGES:
        status, screens[language], _ = on("--lang", language, *words)
        assert status == 0
    return json.loads(out), screens


# ---- the gate ----
WISH = {"ago_ms": 65000, "kind": 1, "amount": 1234, "currency": "EUR", "receipt": 231, "became": 2, "cause": 0}
WISH |= {"key": "till-4-1"}
COUNTS = {"commands": 1412, "answers": 5230, "lost": 0, "sales": 305, "wishes": 9, "held": 3, "done": 4, "not_done": 1}
COUNTS |= {"unknown": 1, "failed": False, "talking": False}


def answers(agent, *rows, **counts):
    agent.answers[GATE] = lambda asked: {**COUNTS, **counts, "rows": [{**WISH, **row} for row in rows]}
    agent.answers[STATUS] = lambda asked: {**agent.status(), "wall_s": 1_795_388_400}


def test_what_passed_and_what_was_held_is_one_document(agent, on):
    answers(agent, {}, {"kind": 2, "became": 1, "cause": 9, "key": "", "amount": 0, "currency": "", "receipt": 0})
    document, screens = both(on, "gate")
    assert {name: document[name] for name in COUNTS} == COUNTS and document["port"] == agent.port
    assert document["agent_id"] == "5eed1234" and document["text"] == "The till has nothing under way."
    done, held = document["rows"]
    assert done == {
        "ago_ms": 65000,
        "time": "2026-11-22T22:58:55Z",
        "kind": "refund",
        "amount": 1234,
        "currency": "EUR",
        "amount_text": "12.34 EUR",
        "sale_receipt": 231,
        "fits": [],
        "became": "done",
        "became_text": "done",
        "key": "till-4-1",
        **dict.fromkeys(("cause", "cause_key", "text", "remedy", "who", "people", "command")),
    }
    assert (held["kind"], held["became"], held["cause"], held["cause_key"]) == ("reversal", "held", 9, "update_running")
    assert [held[name] for name in ("amount", "amount_text", "currency", "sale_receipt", "key")] == [None] * 5
    assert held["text"] == Texts("en").cause(9).text and held["remedy"] and held["people"]
    for language, out in screens.items():
        says = Texts(language)
        for text in ("12.34 EUR", "till-4-1", "1,412", "5,230", "305", says.cause(9).text, says("gate", "held")):
            assert text in out
        assert out.index("till-4-1") < out.index(says.cause(9).text)  # oldest first
        assert says("gate", "lost") not in out and together(says.cause(9).remedy) in together(out)
    assert json.loads(on("--json", "--lang", "zh", "gate")[1])["rows"][0]["became_text"] == "已完成"


def test_a_refund_that_a_second_person_must_approve_says_what_to_type(agent, on):
    answers(agent, {"became": 1, "cause": 51, "amount": 123456})
    document, screens = both(on, "gate")
    line = "refundctl approve till-4-1 --receipt 231 --amount 1234.56 --currency EUR --by NAME"
    assert document["rows"][0]["command"] == line
    assert all(together(line) in together(out) for out in screens.values())


def test_where_several_sales_fit_it_says_which_and_how_to_tell_the_agent(agent, on):
    answers(agent, {"became": 1, "cause": 34, "fits": [231, 233]})
    document, screens = both(on, "gate")
    row = document["rows"][0]
    assert (row["sale_receipt"], row["fits"]) == (None, [231, 233])
    assert row["text"] == "More than one sale fits: receipts 231, 233."
    assert row["command"] == "refundctl attest till_sale --receipt N --by NAME --role ROLE"
    for language, out in screens.items():
        assert "231" in out and "233" in out and together(row["command"]) in together(out)
        assert together(Texts(language)("gate", "say_which")) in together(out)
    # what else holds it stands before that
    answers(agent, {"became": 1, "cause": 4, "fits": [231, 233]})
    row = both(on, "gate")[0]["rows"][0]
    assert row["text"] == Texts("en").cause(4).text and row["fits"] == [231, 233] and row["command"] is None


def test_where_no_sale_fits_it_says_so(agent, on):
    answers(agent, {"became": 1, "cause": 34, "receipt": 0})
    document, screens = both(on, "gate")
    row = document["rows"][0]
    assert row["sale_receipt"] is None and "attest till_sale" in row["command"] and "No sale" in row["text"]
    for language, out in screens.items():
        assert Texts(language)("gate", "untied") in out
    # a sale that somebody named and nobody knows
    answers(agent, {"became": 1, "cause": 34, "receipt": 77})
    row = both(on, "gate")[0]["rows"][0]
    assert row["text"] == Texts("en").cause(34).text and row["command"] is None


def test_an_unknown_outcome_is_never_called_failed_and_leads_to_its_story(agent, on):
    answers(agent, {"became": 4, "cause": 54})
    document, screens = both(on, "gate")
    assert document["rows"][0]["command"] == "refundctl explain till-4-1"
    assert "unknown" in screens["en"] and "结果未明" in screens["zh"] and "fail" not in screens["en"].lower()


def test_what_was_held_and_then_done_says_what_to_do_no_more(agent, on):
    answers(agent, {"became": 1, "cause": 51}, {"became": 2})
    for language, out in both(on, "gate")[1].items():
        says = Texts(language)
        assert says.cause(51).text in out and together(says.cause(51).remedy) not in together(out)
        assert "refundctl approve" not in out


def test_twelve_wishes_with_all_that_can_be_said_fit_the_screen(agent, on):
    row = {"became": 1, "amount": 999999999999, "receipt": 9999, "key": "till-4294967295-4294967295", "cause": 0}
    rows = [{**row, "kind": 1 + at % 2, "cause": 5 * at + 1, "became": at % 5} for at in range(12)]
    answers(agent, *rows, lost=3, failed=True, talking=True, wishes=4294967296, commands=4294967296)
    for language, out in both(on, "gate")[1].items():
        says = Texts(language)
        assert together(says("gate", "failed")) in together(out) and says("gate", "lost") in out
        assert all(
            says.cause(5 * at + 1).text in out or together(says.cause(5 * at + 1).text) in together(out)
            for at in range(12)
        )


def test_a_till_that_asked_for_nothing_yet(agent, on):
    answers(agent, wishes=0, held=0, done=0, not_done=0, unknown=0)
    document, screens = both(on, "gate")
    assert document["rows"] == []
    assert all(Texts(language)("gate", "nothing_asked") in out for language, out in screens.items())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("more", [[], ["--json"]])
def test_without_a_gate_there_is_one_clear_line(agent, on, language, more):
    def no_gate(asked):
        raise errors.WireError("no_gate")

    agent.answers[GATE] = no_gate
    status, out, err = on("--lang", language, *more, "gate")
    assert (status, out, err.count("\n")) == (4, "", 1) and "refund-agent run --gate" in err


# ---- the terminal ----
TERMINAL = {
    "terminal_ok": 0,
    "terminal_code": 0xBF,
    "terminal_locks": 0x8404,
    "terminal_state": 1,
    "terminal_version": "2.14.15",
    "terminal_model": "H5000",
    "terminal_id": "52001233",
    "terminal_registered": 1,
    "terminal_receipt": 237,
    "terminal_silent": 0,
    "terminal_fault_s": 190,
    "temperature_c": -4,
    "battery_percent": 81,
    "terminal_offline": 2,
    "batch_closed": 1_795_388_400,
    "line_frames": 1200,
    "line_errors": 3,
}


def reads(agent, **values):
    """What the agent knows of its terminal; what is None is absent, what is not there was never looked for."""
    agent.answers[STATUS] = lambda asked: {
        **agent.status(),
        "values": {name: [value, 1000 * at] for at, (name, value) in enumerate(values.items(), 1)},
    }


def test_the_terminal_is_told_in_words(agent, on):
    reads(agent, **TERMINAL)
    document, screens = both(on, "terminal")
    assert document["condition"] == "fault" and document["silent"] == 0
    assert document["status"] == {
        "code": 0xBF,
        "hex": "BF",
        "text": "supply voltage too low",
        "cause": 4,
        "cause_key": "supply_unstable",
    }
    assert document["state"] == {"state": 1, "cause": 47, "cause_key": "setup_incomplete"}
    assert [(lock["bit"], lock["name"], lock["cause"]) for lock in document["locks"]] == [
        (2, "printer", 17),
        (10, "low battery", 4),
        (15, "transaction log defective", 14),
    ]
    assert [cause["cause"] for cause in document["causes"]] == [4, 47, 17, 14]
    values = document["values"]
    assert values["terminal_code"]["text"].startswith("BF supply voltage too low -> cause 4")
    assert values["terminal_model"] == {"value": "H5000", "age_ms": 6000, "text": "H5000"}
    assert values["terminal_locks"]["text"] == "printer, low battery, transaction log defective"
    assert [values[name]["text"] for name in ("temperature_c", "battery_percent")] == ["-4 °C", "81 %"]
    assert values["terminal_fault_s"]["text"] == "3 min" and values["terminal_registered"]["text"] == "yes"
    assert values["batch_closed"]["text"] == "2026-11-22 23:00 UTC"
    for language, out in screens.items():
        says = Texts(language)
        for text in ("2.14.15", "H5000", "52001233", "237", "81 %", "-4 °C", says("terminal", "fault")):
            assert text in out
        for cause in (4, 47, 17, 14):
            assert together(says.cause(cause).text) in together(out)
    assert "低电量" in screens["zh"] or "电池" in screens["zh"]


def test_what_the_terminal_does_not_tell_is_not_told(agent, on):
    reads(agent, terminal_ok=1, terminal_code=0, terminal_locks=None, terminal_silent=0, terminal_fault_s=None)
    document, screens = both(on, "terminal")
    assert (document["condition"], document["locks"], document["state"]) == ("ready", None, None)
    assert document["status"]["text"] == "no error" and document["status"]["cause"] is None and document["causes"] == []
    assert set(document["values"]) == set(terminal_documents.FACTS)
    untold = [name for name, sample in document["values"].items() if sample["text"] is None]
    assert len(untold) == len(terminal_documents.FACTS) - 2
    assert document["values"]["terminal_model"] == {"value": None, "age_ms": None, "text": None}
    assert document["values"]["terminal_fault_s"]["text"] == "no fault stands"
    assert screens["en"].count("not told") == len(untold) == screens["zh"].count("未告知")


@pytest.mark.parametrize(
    ("values", "condition"),
    [
        ({}, "unknown"),
        ({"terminal_silent": 1}, "unknown"),
        ({"terminal_silent": 2, "terminal_ok": 0, "terminal_code": 0}, "silent"),
        ({"terminal_silent": 1, "terminal_ok": 1, "terminal_code": 0}, "ready"),
        ({"terminal_silent": 0, "terminal_ok": 0, "terminal_code": 0x9C, "terminal_locks": 0}, "busy"),
        ({"terminal_silent": 0, "terminal_ok": 0, "terminal_code": 0xA0, "terminal_locks": 4}, "fault"),
        ({"terminal_silent": 0, "terminal_ok": 0, "terminal_code": 0x05}, "fault"),
        ({"terminal_silent": 0, "terminal_ok": 0, "terminal_code": 0xAA}, "fault"),
        ({"terminal_silent": 0, "terminal_ok": 0, "terminal_code": 0, "terminal_state": 9}, "fault"),
    ],
)
def test_each_condition_has_its_words_and_the_exit_status_of_status(agent, on, values, condition):
    reads(agent, **values)
    document, screens = both(on, "terminal")
    assert document["condition"] == condition
    for language, out in screens.items():
        assert Texts(language)("terminal", condition) in out
        assert together(Texts(language)("terminal", "says_" + condition, n=2)) in together(out.replace("│", ""))


def test_a_code_no_table_lists_is_said_so_with_cause_1(agent, on):
    reads(agent, terminal_ok=0, terminal_code=0xAA)
    status = both(on, "terminal")[0]["status"]
    assert (status["hex"], status["cause"], status["text"]) == ("AA", 1, "a code no table lists")


def test_each_lock_and_state_leads_to_the_cause_that_the_checks_find(tmp_path):
    shop = Shop(tmp_path)
    shop.sale(231, 5000)
    request = {"key": "k", "receipt": 231, "amount": 1234, "currency": "EUR"}

    def causes(**values):
        snapshot = Snapshot(Clock())
        for name, value in {"terminal_code": 0, "terminal_locks": 0, "terminal_state": 0, **values}.items():
            snapshot.put(name, value)
        found = check(Case(request, snapshot, Policy({}), shop.history, 0, Terminal({}))).findings
        return [
            one["cause"] for one in found if set(one["evidence"]) & values.keys() and one["status"] != messages.UNKNOWN
        ]

    for bit in range(16):
        assert causes(terminal_locks=1 << bit) == [terminal_documents.LOCK_CAUSES[bit]], bit
    for state in (1, 2, 3):
        assert causes(terminal_state=state) == [terminal_documents.STATE_CAUSES[state]]


# ---- a person's word for a till ----
@pytest.mark.parametrize(("said", "value"), [([], 1), (["--yes"], 1), (["--no"], 0)])
def test_somebody_says_of_which_sale_the_tills_next_refund_is(agent, on, said, value):
    agent.answers[ATTEST] = lambda asked: {"number": 12, "wall_s": 1_795_388_400}
    for language in LANGUAGES:
        status, out, _ = on("--lang", language, "attest", "till_sale", "--receipt", 233, *said, *WHO)
        assert status == 0 and Texts(language)("attest_says", "till_sale")[1 - value] in out and "233" in out
        asked = agent.requests(ATTEST)[-1]
        assert asked == {"what": bodies.TILL_SALE, "value": value, "receipt": 233, "by": "Ann", "role": "supervisor"}
    status, out, err = on("attest", "till_sale", *WHO)
    assert (status, out, err.count("\n")) == (2, "", 1) and "--receipt" in err
    assert on("attest", "dispute", "--receipt", 233, *WHO)[0] == 2  # others still need a yes or a no


def test_a_refund_of_no_known_sale_answers_without_a_receipt(agent, on):
    told = {
        "key": "k",
        "state": 3,
        "final": True,
        "earlier": True,
        "amount": 1234,
        "currency": "EUR",
        "sale_receipt": 0,
    }
    agent.answers[REFUND] = lambda asked: told
    sale = ["--receipt", 231, "--amount", "12.34", "--currency", "EUR", "--key", "k"]
    document, screens = both(on, "refund", *sale)
    assert document["sale_receipt"] is None and all("12.34 EUR" in out for out in screens.values())


# ---- what the journal says of a till's refunds ----
class Clock:
    now = 1_795_388_400

    def wall_s(self):
        self.now += 1
        return self.now

    def uptime_ms(self):
        return (self.now - 1_795_388_000) * 1000


class Shop:
    """A journal written by the agent's own code, and a copy of it in a file."""

    def __init__(self, folder):
        self.flash = Flash(None, 16 * 4096, 4096, 4)
        self.history = History(self.flash, Clock())
        self._file = folder / "copy.journal"

    def sale(self, receipt, amount, token=None):
        receipt = Receipt(receipt, 4711, amount, 978, 1123, 120000, 0, False, "1111", card_token=token)
        self.history.record_sale(receipt)

    def held(self, key, receipt, cause, evidence, **asked):
        request = {"receipt": receipt, "amount": 777, "currency": "EUR", **asked}
        finding = {"cause": cause, "status": HOLD, "evidence": evidence}
        self.history.record_verdict(key, HOLD, [finding], request)

    def done(self, key, receipt, **facts):
        refund = Refund(key)
        request = {"receipt": receipt, "amount": 777, "currency": "EUR", **facts}
        self.history.record(refund, REQUESTED, request)
        self.history.record(refund, SENT, {"before": [233, 4713, 2000, 978, 1124, 120000, 0, 0]})
        self.history.record(refund, messages.APPROVED, {"its_receipt": 234, "its_trace": 4714, "code": 0})

    def passed(self, key, receipt, **facts):
        refund = Refund(key)
        refund.receipt, refund.amount, refund.currency = receipt, 777, "EUR"
        self.history.record(refund, messages.APPROVED, {"its_receipt": 235, "its_trace": 4715, "code": 0, **facts})

    @property
    def file(self):
        self._file.write_bytes(self.flash.read(0, self.flash.size))
        return str(self._file)


@pytest.fixture
def shop(tmp_path):
    shop = Shop(tmp_path)
    shop.sale(231, 5000, TOKEN)
    shop.sale(233, 2000)
    shop.done("till-1-1", 231, alone=1)
    shop.held("till-1-2", 231, 34, {"receipt": 231, "earlier_receipt": 233, "count": 2})
    shop.held("till-1-3", 0, 34, {"amount": 777, "missing": "sale"})
    shop.done("till-1-4", 233, void=1)
    shop.held("till-1-5", 233, 4, {"supply_mv": 4100}, void=1)
    shop.done("till-1-6", 0)
    shop.passed("passed-235-4715", 231, void=1)
    shop.passed("passed-236-4716", 0)
    shop.done("till-2-1", 231, operator="Ann")  # a key that somebody chose
    return shop


# key: (words of people_texts and gate_texts that tell who asked, receipt in the document, gate)
STORIES = {
    "till-1-1": ("asked_till", 231, "asked"),
    "till-1-2": ("asked_till_several", None, "asked"),
    "till-1-3": ("asked_till_untied", None, "asked"),
    "till-1-4": ("asked_till_void", 233, "asked"),
    "till-1-5": ("asked_till_void", 233, "asked"),
    "till-1-6": ("asked_till_untied", None, "asked"),
    "passed-235-4715": ("passed_void", 231, "passed"),
    "passed-236-4716": ("passed_untied", None, "passed"),
    "till-2-1": ("asked", 231, None),
}


@pytest.mark.parametrize("key", STORIES)
def test_the_story_of_a_tills_refund_says_that_a_till_asked_and_of_which_sale(ctl, shop, key):
    words, receipt, gate = STORIES[key]
    document, screens = both(ctl, "explain", key, "--from", shop.file)
    assert (document["sale_receipt"], document["gate"], document["complete"]) == (receipt, gate, True)
    fields = {"amount": "7.77 EUR", "receipt": receipt, "count": 2, "other": 233, "who": "Ann"}
    for language, out in screens.items():
        told = Texts(language)("explain", words, **{**fields, "receipt": receipt or 231})
        assert together(told) in together(out), out
    asked = [step for step in document["story"] if step["kind"] == "asked"]
    assert len(asked) == 1 and asked[0]["asked"].get("void", 0) == (words.endswith("_void"))


def test_the_story_of_a_held_refund_says_how_to_name_its_sale(ctl, shop):
    for key, words in (("till-1-2", "say_which"), ("till-1-3", "find_sale")):
        document, screens = both(ctl, "explain", key, "--from", shop.file)
        assert document["now"]["command"] == "refundctl attest till_sale --receipt N --by NAME --role ROLE"
        for language, out in screens.items():
            assert together(Texts(language)("gate", words)) in together(out)
            assert together(document["now"]["command"]) in together(out)
    assert both(ctl, "explain", "till-1-5", "--from", shop.file)[0]["now"]["command"] is None


def test_a_journal_lists_a_refund_of_no_sale_and_a_reversal_as_such(ctl, shop):
    document, screens = both(ctl, "journal", "list", shop.file)
    rows = {row["key"]: row for row in document["refunds"]}
    assert [rows[key]["sale_receipt"] for key in ("till-1-1", "till-1-6", "passed-236-4716")] == [231, None, None]
    assert [key for key in rows if rows[key]["void"]] == ["till-1-4", "passed-235-4715"]
    for language, out in screens.items():
        assert out.count(Texts(language)("kept", "void")) == 2


def test_a_journal_shows_what_only_a_gate_knows(ctl, shop):
    document, screens = both(ctl, "journal", "show", "till-1-1", shop.file)
    assert document["records"][0]["card_token"] == TOKEN.hex()
    assert document["records"][1]["facts"]["alone"] == 1 and document["void"] is False
    for language, out in screens.items():
        kept = Texts(language)("kept", "alone")
        assert together(kept) in together(out) and TOKEN.hex() in out
    document, screens = both(ctl, "journal", "show", "till-1-6", shop.file)
    assert document["sale_receipt"] is None and document["records"][0]["facts"]["receipt"] == 0
    for language, out in screens.items():
        label, unknown = Texts(language)("kept", "receipt"), Texts(language)("word", "unknown")
        assert f"{label} {unknown}" in out and f"{label} 0" not in out
    document, screens = both(ctl, "journal", "show", "till-1-5", shop.file)
    assert (document["state"], document["void"], document["sale_receipt"]) == ("NEW", True, 233)
    document, screens = both(ctl, "journal", "show", "passed-236-4716", shop.file)
    assert document["complete"] is True
    assert Texts("en")("journal", "begins_later") not in screens["en"]


def test_an_export_has_the_token_of_a_card_as_hexadecimal_text(ctl, shop, tmp_path):
    file = shop.file
    for form in ("jsonl", "cbor", "csv"):
        assert ctl("journal", "export", tmp_path / ("x." + form), "--from", file)[0] == 0
    lines = [json.loads(line) for line in (tmp_path / "x.jsonl").read_text().splitlines()]
    sales = [entry for entry in lines if entry["kind"] == "sale"]
    assert [sale["card_token"] for sale in sales] == [TOKEN.hex(), None] and sales[0]["card"] == "1111"
    assert not [entry for entry in lines if entry["kind"] == "unreadable"]
    reader = io.BytesIO((tmp_path / "x.cbor").read_bytes())
    assert [cbor2.load(reader) for _ in lines] == lines
    rows = list(csv.DictReader(io.StringIO((tmp_path / "x.csv").read_text())))
    assert json.loads(next(row["more"] for row in rows if row["kind"] == "sale"))["card_token"] == TOKEN.hex()
    assert {(row["key"], row["void"]) for row in rows if row["void"]} == {("till-1-4", "1"), ("passed-235-4715", "1")}
    assert [row["key"] for row in rows if row["alone"]] == ["till-1-1"]
    assert {row["receipt"] for row in rows if row["key"] == "till-1-6"} == {"0", ""}


def test_the_page_on_the_gate_has_the_numbers_and_rules_of_the_code():
    page = (running.ROOT / "docs" / "gate.md").read_text()
    rules = set(re.findall(r"`(gate_[a-z_]+)", page))
    assert rules == set(policy_layout.PLACES["gate"]) and "`gate_repeat_s` (900)" in page
    assert Policy({}).get("gate_repeat_s") == 900
    assert (wishes._ROOM, gate._ROWS, gate._RESOLVE_MS) == (120, 12, 3000)
    assert "at most 120 bytes" in page and "last twelve wishes" in page and "up to 3 s" in page
    for command in re.findall("refundctl ([a-z]+)", page):
        assert command in arguments.COMMANDS
    codes = [serve._SYSTEM_ERROR, serve._PROTOCOL_ERROR]
    assert codes == [0xFF, 0x9A] and serve._NOT_READY.hex(" ").upper() in page and "06 1E FF" in page


def test_keys_of_a_gate_are_known_by_their_form():
    assert gate_keys.asked("till-1-1") and gate_keys.asked("till-12-4294967295")
    for key in ("till-1", "till-1-1-1", "till-3/00151", "till-1-1 ", "passed-1-1", "Till-1-1", "", None):
        assert not gate_keys.asked(key)
    assert (
        gate_keys.passed("passed-235-4715") and not gate_keys.passed("passed-235") and not gate_keys.passed("till-1-1")
    )


# ---- a real agent at a gate ----
class Till:
    """A till at the gate of a running agent: each command is one conversation of its own."""

    def __init__(self, path):
        self.path = str(path)
        self.said = []

    def __call__(self, command, *parameters):
        return asyncio.run(self._asked(command, parameters))

    async def _asked(self, command, parameters):
        self.said.clear()
        port = Serial(self.path, 9600, 2)
        try:
            line = SerialLine(port, 200, 5000)
            cashier = Cashier(line, {"currencies": {"EUR": 978}}, lambda *told: self.said.append(told))
            return await getattr(cashier, command)(*parameters)
        finally:
            port.close()


def document_of(ctl, agent, *words):
    status, out, err = ctl("--port", agent.link, "--json", *words)
    assert status == 0, err
    return json.loads(out)


@pytest.mark.parametrize("runtime", running.RUNTIMES)
def test_a_tills_refund_that_fits_two_sales_is_told_named_and_then_made(tmp_path, ctl, runtime):
    with running.Agent(tmp_path, runtime, options=("--gate",)) as agent:
        agent.ready()
        till = Till(tmp_path / "state" / "till")
        end = time.monotonic() + running.START_S
        while not till("register"):
            assert time.monotonic() < end
        for _ in range(2):
            assert till("sale", 1234, "EUR").accepted
        assert not till("refund", 1234, "EUR").accepted  # of two sales: the text says which
        [(_, _, text)] = [told for told in till.said if told[0] == "refused"]
        document = document_of(ctl, agent, "gate")
        [row] = document["rows"]
        assert (document["sales"], document["wishes"], document["held"]) == (2, 1, 1) and document["commands"] >= 3
        assert (row["became"], row["cause"], row["amount_text"], len(row["fits"])) == ("held", 34, "12.34 EUR", 2)
        assert all(str(receipt) in text and str(receipt) in row["text"] for receipt in row["fits"])
        for language in LANGUAGES:
            status, out, _ = ctl("--port", agent.link, "--lang", language, "gate")
            assert status == 0 and "attest till_sale" in out
        story = document_of(ctl, agent, "explain", row["key"])
        assert (story["gate"], story["state"], story["sale_receipt"]) == ("asked", "NEW", None)

        second = row["fits"][1]
        ctl("--port", agent.link, "attest", "till_sale", "--receipt", second, *WHO)
        assert till("refund", 1234, "EUR").accepted
        last = {"became": "under_way"}  # the till hears it from the terminal, a moment before it is journaled
        while last["became"] == "under_way" and time.monotonic() < end + running.START_S:
            last = document_of(ctl, agent, "gate")["rows"][-1]
        assert (last["became"], last["sale_receipt"], last["cause"]) == ("done", second, None)
        story = document_of(ctl, agent, "explain", last["key"])
        assert (story["gate"], story["state"], story["sale_receipt"]) == ("asked", "APPROVED", second)
        terminal = document_of(ctl, agent, "terminal")
        assert terminal["condition"] == "ready" and terminal["values"]["terminal_model"]["text"]
        assert terminal["values"]["terminal_receipt"]["value"]


def test_a_tills_refund_is_approved_by_what_the_screen_says_and_keeps_its_key(tmp_path, ctl, monkeypatch):
    policy = _POLICY.replace("[people]", "[people]\napproval_from = 10.00\npin_rounds = 1")
    source, key = tmp_path / "shop.toml", tmp_path / "shop.key"
    source.write_text(policy)
    assert ctl("--json", "policy", "key", key)[0] == 0
    with running.Agent(tmp_path, options=("--gate", "--trust", f"{key}.pub")) as agent:
        status, _, err = ctl("--port", agent.link, "--json", "policy", "push", source, "--key", key)
        assert status == 0, err
        agent.best = messages.WARN  # what this policy says nothing of is not known
        agent.ready()
        till = Till(tmp_path / "state" / "till")
        while not till("register"):
            pass
        assert till("sale", 1234, "EUR").accepted
        assert not till("refund", 1234, "EUR").accepted
        [row] = document_of(ctl, agent, "gate")["rows"]
        assert (row["became"], row["cause"]) == ("held", 51)
        line = row["command"].replace("NAME", "Ann").split()[1:]
        monkeypatch.setattr("sys.stdin", io.StringIO("2580\n"))
        status, _, err = ctl("--port", agent.link, "--json", *line)
        assert status == 0, err
        assert till("refund", 1234, "EUR").accepted
        rows = document_of(ctl, agent, "gate")["rows"]
        assert [one["key"] for one in rows] == [row["key"]] * 2
        status, out, _ = ctl("--port", agent.link, "gate")
        assert status == 0 and "refundctl approve" not in out
        story = document_of(ctl, agent, "explain", row["key"])
        assert {"asked", "checked", "approved", "sent"} <= {step["kind"] for step in story["story"]}


_POLICY = """
[policy]
id = "gate"
version = 1
valid_from = 2020-01-01
expires = 2099-12-31
currency = "EUR"
[people]
procedure = "this test"
procedure_days = 1
[role.supervisor]
approves = true
[[person]]
name = "Ann"
role = "supervisor"
pin = "2580"
[unknown]
default = "warn"
"""


def test_a_real_agent_without_a_gate_says_so(tmp_path, ctl):
    with running.Agent(tmp_path) as agent:
        status, out, err = ctl("--port", agent.link, "gate")
        assert (status, out, err.count("\n")) == (4, "", 1) and "no till" not in err and "--gate" in err
