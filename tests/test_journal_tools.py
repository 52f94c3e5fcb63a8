"""The journal's commands: a journal that is whole, damaged, cut or altered, and one that grows while it is pulled."""

import csv
import io
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import cbor2
import pytest
from rich.cells import cell_len

from firmware_agent.history import History, Refund
from firmware_agent.wire import bodies, cbor, errors, messages, region, survey
from firmware_agent.wire.messages import (
    ACCEPT,
    APPROVED,
    DECLINED,
    IN_DOUBT,
    JOURNAL,
    NOT_EXECUTED,
    REQUESTED,
    SENT,
    SETTLE,
)
from hal.sim.flash import Flash
from host_tools import export, journal, journal_commands, link, pull, refundctl
from host_tools.failures import Failure

from . import running
from .fake_agent import PULL, FakeAgent

BIN = Path(sys.executable).parent
DOWNLOAD = 0
WHO = ["--by", "Ann", "--role", "supervisor", "--reason", "the acquirer's list"]


class Clock:
    now = 1_795_388_400

    def wall_s(self):
        self.now += 60
        return self.now

    def uptime_ms(self):
        return 1000


class Shop:
    """A journal in the flash of a board, written by the agent's own code."""

    def __init__(self, size=16 * 4096):
        self.flash = Flash(None, size, 4096, 4)
        self.history = History(self.flash, Clock())
        self.made = 0

    def refund(self, *states, key=None, amount=1234, **facts):
        """One refund through `states`; the facts come with the last."""
        self.made += 1
        refund = Refund(key or f"till-3/{self.made:05}")
        request = {"receipt": self.made % 5000 + 1, "amount": amount, "currency": "EUR", "operator": "Ann"}
        self.history.record(refund, REQUESTED, request)
        for state in states[:-1]:
            self.history.record(refund, state, {})
        self.history.record(refund, states[-1], facts)
        return refund

    def some(self, number):
        for _ in range(number):
            self.refund(SENT, APPROVED, its_receipt=self.made % 9999 + 1, its_trace=self.made, code=0)

    def answer(self, asked=None):
        """The JOURNAL_ANSWER, as firmware_agent/agent.py makes it."""
        its = self.history.journal
        list(its.look_through())
        return {
            "size": its.size,
            "sector": its.flash.sector,
            "unit": its.flash.unit,
            "oldest": its.oldest,
            "newest": its.newest,
            "end": its.end,
            "last": its.sequence,
            "digest": its.digest.hex(),
            "damaged": its.damage.count,
            "lost": self.history.lost,
            "places": [
                dict(zip(("address", "bytes", "lost", "number"), row, strict=True)) for row in its.damage.places
            ],
        }

    def accept(self, asked):
        self.history.accept(asked["by"], asked["role"], asked["reason"])
        return self.answer()

    @property
    def bytes(self):
        return self.flash.read(0, self.flash.size)


def day(shop):
    """The refunds of a day: approved, declined, in doubt, settled by a person, open."""
    shop.refund(SENT, APPROVED, key="approved", its_receipt=78, its_trace=4712, code=0)
    shop.refund(SENT, DECLINED, key="declined", amount=500, code=0x71)
    shop.refund(SENT, IN_DOUBT, key="doubt", amount=700)
    who = {"attested_by": "Ann", "role": "supervisor", "reason": "the buyer's receipt"}
    shop.refund(SENT, IN_DOUBT, APPROVED, key="attested", amount=900, **who)
    shop.refund(SENT, IN_DOUBT, NOT_EXECUTED, key="not-done", amount=901, **who)
    return shop


@pytest.fixture
def shop():
    return day(Shop())


@pytest.fixture
def agent(tmp_path, shop):
    """A fake agent with the journal of `shop`."""
    with FakeAgent(tmp_path) as fake:
        fake.flash = shop.flash
        fake.agent_id = shop.history.agent_id
        fake.answers[JOURNAL] = shop.answer
        fake.answers[ACCEPT] = shop.accept
        yield fake


@pytest.fixture(autouse=True)
def quick(request, monkeypatch):
    if "agent" not in request.fixturenames:
        return  # a real agent takes its time
    monkeypatch.setattr(link, "ANSWER_S", 0.3)
    monkeypatch.setattr(link, "REOPEN_S", 0.01)
    monkeypatch.setattr(pull, "PATIENCE_S", 1)


@pytest.fixture
def ctl(capsysbinary, monkeypatch):
    """Runs a command line: (exit status, stdout, stderr)."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("REFUNDCTL_PORT", raising=False)

    def run(*words):
        status = refundctl.run([str(word) for word in words], {})
        out, err = capsysbinary.readouterr()
        assert b"Traceback" not in err and b"\x1b" not in out
        return status, out.decode(), err.decode()

    return run


@pytest.fixture
def on(ctl, agent):
    return lambda *words: ctl("--port", agent.port, *words)


def one_line(text):
    return text.startswith("refundctl: ") and text.count("\n") == 1 and text.endswith("\n")


def flipped(data, address, mask=1):
    changed = bytearray(data)
    changed[address] ^= mask
    return bytes(changed)


# ---- list, show, export ----
def test_list_shows_every_refund_newest_last(shop, on, tmp_path):
    status, out, err = on("--json", "journal", "list")
    document = json.loads(out)
    assert (status, err, out.count("\n")) == (0, "", 1) and document["agent_id"] == shop.history.agent_id
    rows = {row["key"]: row for row in document["refunds"]}
    assert list(rows) == ["approved", "declined", "doubt", "attested", "not-done"]
    states = [row["state"] for row in document["refunds"]]
    assert states == ["APPROVED", "DECLINED", "IN_DOUBT", "APPROVED", "NOT_EXECUTED"]
    first = rows["approved"]
    assert (first["sale_receipt"], first["amount"], first["currency"], first["receipt"]) == (2, 1234, "EUR", 78)
    assert first["time"].endswith("Z") and first["amount_text"] == "12.34 EUR" and first["operator"] == "Ann"
    assert rows["declined"]["result_code"] == 0x71
    assert (rows["attested"]["attested_by"], rows["doubt"]["attested_by"]) == ("Ann", None)
    (tmp_path / "copy").write_bytes(shop.bytes)
    assert json.loads(on("--json", "journal", "list", tmp_path / "copy")[1])["refunds"] == document["refunds"]
    _, out, _ = on("journal", "list")
    assert "attested by Ann" in out and "7.00 EUR" in out and out.index("approved") < out.index("not-done")
    assert "由 Ann 确认" in on("--lang", "zh", "journal", "list")[1]


def test_show_tells_a_refund_record_by_record(shop, on):
    status, out, err = on("--json", "journal", "show", "attested")
    document = json.loads(out)
    assert (status, err) == (0, "") and document["complete"] is True and document["amount"] == 900
    assert [entry["state"] for entry in document["records"]] == ["REQUESTED", "SENT", "IN_DOUBT", "APPROVED"]
    assert document["records"][-1]["facts"]["reason"] == "the buyer's receipt"
    numbers = [entry["number"] for entry in document["records"]]
    assert numbers == list(range(numbers[0], numbers[0] + 4))
    _, out, _ = on("journal", "show", "attested")
    assert "9.00 EUR" in out and "outcome unknown" in out and "attested by Ann" in out and f"#{numbers[3]}" in out
    assert "确认人 Ann" in on("--lang", "zh", "journal", "show", "attested")[1]
    status, out, err = on("journal", "show", "nobody")
    assert (status, out, one_line(err)) == (4, "", True) and "journal list" in err


def test_show_tells_what_the_checks_saw_and_who_approved_it_among_the_records(shop, on, tmp_path):
    low = {"cause": 4, "status": 3, "evidence": {"supply_mv": 4321}}
    unseen = {"cause": 26, "status": 2, "evidence": {"missing": "policy: cap"}}
    asked = {"receipt": 9, "amount": 321, "currency": "EUR", "operator": "Ann"}
    shop.history.record_verdict("late", 3, [low, unseen], asked)
    held = json.loads(on("--json", "journal", "show", "late")[1])
    assert (held["state"], held["sale_receipt"], held["amount"], held["complete"]) == ("NEW", 9, 321, True)
    assert [entry["findings"][0]["evidence"] for entry in held["records"]] == [{"supply_mv": 4321}]
    shop.history.attest(bodies.APPROVAL, 9, 321, "Eve", "manager", "late", None)
    shop.history.attest(bodies.APPROVAL, 9, 100, "Eve", "manager", "another", None)
    shop.history.attest(1, 0, 0, "Eve", "manager", "late", None)
    shop.history.record_verdict("late", 1, [unseen], asked)
    shop.history.count_try("Eve", False)
    shop.refund(SENT, APPROVED, key="late", amount=321, code=0)
    document = json.loads(on("--json", "journal", "show", "late")[1])
    told = [entry.get("state") or entry.get("verdict") or entry["what"] for entry in document["records"]]
    assert told == ["HOLD", "approval", "WARN", "REQUESTED", "SENT", "APPROVED"]
    for words in ([], ["--lang", "zh"]):
        _, out, _ = on(*words, "journal", "show", "late")
        assert "Eve" in out and "3.21 EUR" in out and " 4  " in out and "4321" not in out
        assert max(map(cell_len, out.splitlines())) <= 80
    lines = [json.loads(line) for line in on("journal", "export", "-", "--format", "jsonl")[1].splitlines()]
    assert {"attested", "tries", "verdict"} < {entry["kind"] for entry in lines}
    assert [(entry["by"], entry["count"]) for entry in lines if entry["kind"] == "tries"] == [("Eve", 1)]
    assert "policy: cap" in on("journal", "export", "-", "--format", "csv")[1]
    status, _, err = on("journal", "show", "another")
    assert status == 4 and one_line(err)  # approved, and never asked for


def test_kinds_of_records_that_a_newer_agent_writes_are_passed_over(shop, on):
    shop.history._append([23, "something new", 5])
    assert on("journal", "verify")[0] == 0 and len(json.loads(on("--json", "journal", "list")[1])["refunds"]) == 5
    lines = [json.loads(line) for line in on("journal", "export", "-", "--format", "jsonl")[1].splitlines()]
    assert lines[-1]["kind"] == "kind_23"
    assert History(shop.flash, Clock()).find("approved").state == APPROVED


def test_a_refund_asked_for_anew_does_not_keep_how_it_ended_before(shop, on):
    refund = shop.history.find("not-done")
    shop.history.record(refund, REQUESTED, {"receipt": 6, "amount": 901, "currency": "EUR"})
    shop.history.record(refund, SENT, {})
    shop.history.record(refund, APPROVED, {"its_receipt": 90, "its_trace": 9, "code": 0})
    row = json.loads(on("--json", "journal", "list")[1])["refunds"][-1]
    assert (row["key"], row["state"], row["receipt"], row["attested_by"]) == ("not-done", "APPROVED", 90, None)


def test_refunds_whose_first_records_made_room_are_listed_all_the_same(on, tmp_path):
    shop = Shop(size=4 * 4096)
    doubt = shop.refund(SENT, IN_DOUBT, key="doubt")
    shop.some(150)
    assert shop.history.journal.oldest > 0
    (tmp_path / "copy").write_bytes(shop.bytes)
    document = json.loads(on("--json", "journal", "list", tmp_path / "copy")[1])
    rows = {row["key"]: row for row in document["refunds"]}
    assert rows["doubt"]["state"] == "IN_DOUBT" and rows["doubt"]["amount"] == doubt.amount
    keys = [row["key"] for row in document["refunds"] if row["key"] != "doubt"]
    assert keys == sorted(keys) and keys[-1] == "till-3/00151"
    assert all(row["amount"] == 1234 and row["state"] == "APPROVED" for key, row in rows.items() if key != "doubt")
    assert json.loads(on("--json", "journal", "show", "doubt", tmp_path / "copy")[1])["complete"] is False
    assert "made room" in on("journal", "show", "doubt", tmp_path / "copy")[1]
    assert on("journal", "verify", tmp_path / "copy")[0] == 0


def test_every_format_of_export_holds_the_same_records(shop, on, tmp_path):
    lines = [json.loads(line) for line in on("journal", "export", "-", "--format", "jsonl")[1].splitlines()]
    assert [entry["number"] for entry in lines] == list(range(1, len(lines) + 1))
    assert {entry["kind"] for entry in lines} == {"boot", "counts", "refund"}
    status, out, _ = on("--json", "journal", "export", tmp_path / "out.cbor")
    assert status == 0 and json.loads(out)["records"] == len(lines)
    data = io.BytesIO((tmp_path / "out.cbor").read_bytes())
    assert [json.loads(json.dumps(cbor2.load(data))) for _ in lines] == lines and not data.read()
    status, out, _ = on("--lang", "zh", "journal", "export", tmp_path / "out.csv")
    assert status == 0 and "条记录" in out
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text())))
    assert [int(row["number"]) for row in rows] == [entry["number"] for entry in lines]
    for row, entry in zip(rows, lines, strict=True):
        assert row["kind"] == entry["kind"] and row["key"] == entry.get("key", "")
        assert row["amount"] == str(entry.get("facts", {}).get("amount", ""))
    assert not os.path.exists(tmp_path / "out.csv.part")


def test_export_takes_a_copy_and_never_replaces_one(shop, on, tmp_path):
    (tmp_path / "copy.rfj").write_bytes(shop.bytes)
    out = on("journal", "export", "-", "--format", "jsonl", "--from", tmp_path / "copy.rfj")[1]
    assert out == on("journal", "export", "-", "--format", "jsonl")[1]
    status, _, err = on("journal", "export", tmp_path / "copy.rfj", "--format", "csv")
    assert status == 2 and one_line(err) and (tmp_path / "copy.rfj").read_bytes() == shop.bytes
    status, out, err = on("--json", "journal", "export", "-", "--format", "csv")
    assert (status, out, one_line(err)) == (2, "", True)
    status, _, err = on("journal", "export", tmp_path / "no/such/place.csv")
    assert status == 1 and one_line(err)


def test_what_a_spreadsheet_takes_for_a_formula_is_no_formula(shop):
    shop.refund(SENT, DECLINED, key="=1+2", code=1, reason="@cmd")
    rows = list(csv.DictReader(io.StringIO(export.to_bytes(journal.Copy(shop.bytes, "x").entries, "csv").decode())))
    assert rows[-1]["key"] == "'=1+2" and rows[-1]["reason"] == "'@cmd"


def test_a_card_number_that_somebody_put_into_a_file_is_not_shown(shop, ctl, tmp_path):
    shop.refund(SENT, DECLINED, key="k 4111111111111111", code=1, reason="4111 1111 1111 1111")
    (tmp_path / "copy").write_bytes(shop.bytes)
    for words in (["list", tmp_path / "copy"], ["export", "-", "--format", "csv", "--from", tmp_path / "copy"]):
        _, out, _ = ctl("journal", *words)
        assert "4111" not in out and "****" in out


# ---- verify ----
def test_a_whole_journal_is_called_whole(shop, on, ctl, tmp_path):
    (tmp_path / "copy").write_bytes(shop.bytes)
    status, out, err = ctl("--json", "journal", "verify", tmp_path / "copy")
    document = json.loads(out)
    its = shop.history.journal
    assert (status, err, document["lost"], document["damaged"]) == (0, "", 0, 0)
    assert (document["records"], document["last"], document["digest"]) == (its.sequence, its.sequence, its.digest.hex())
    assert document["note"] == f"{its.sequence}:{its.digest.hex()}"
    there = json.loads(on("--json", "journal", "verify")[1])
    for name in ("agent_id", "size", "sector", "oldest", "newest", "last", "digest", "damaged", "lost", "note", "text"):
        assert there[name] == document[name], name
    assert there.keys() >= document.keys()
    assert document["note"] in on("journal", "verify")[1]
    assert "日志完整" in on("--lang", "zh", "journal", "verify")[1]


def test_a_flipped_bit_is_found_and_its_place_named(shop, ctl, tmp_path):
    data = shop.bytes
    address = next(entry["address"] for entry in journal.Copy(data, "x").entries if entry.get("key") == "declined")
    (tmp_path / "copy").write_bytes(flipped(data, address + 20))
    status, out, err = ctl("--json", "journal", "verify", tmp_path / "copy")
    document = json.loads(out)
    assert (status, err, document["lost"], len(document["places"])) == (4, "", 1, 1)
    place = document["places"][0]
    assert (place["address"], place["lost"], place["accepted"]) == (address, 1, False)
    _, out, _ = ctl("journal", "verify", tmp_path / "copy")
    assert f"address {address:,}" in out and "1 lost" in out
    assert "缺失 1 条" in ctl("--lang", "zh", "journal", "verify", tmp_path / "copy")[1]
    victim = place["number"]
    status, out, _ = ctl("--json", "journal", "verify", tmp_path / "copy", "--known", f"{victim}:{'0' * 16}")
    assert (status, json.loads(out)["known"]["found"]) == (4, "lost")
    # the other commands read what is left, and say that something is missing
    document = json.loads(ctl("--json", "journal", "list", tmp_path / "copy")[1])
    assert document["lost"] == 1 and len(document["refunds"]) == 5
    assert "missing or altered: 1" in ctl("journal", "list", tmp_path / "copy")[1]
    lines = ctl("journal", "export", "-", "--format", "jsonl", "--from", tmp_path / "copy")[1].splitlines()
    assert [json.loads(line)["address"] for line in lines if '"damage"' in line] == [address]


@pytest.mark.parametrize("seed", range(8))
def test_one_flipped_bit_anywhere_in_the_records_is_never_missed(shop, seed):
    chance = random.Random(seed)
    data = shop.bytes
    whole = journal.Copy(data, "x")
    records = [entry["address"] for entry in whole.entries]
    for _ in range(40):
        address = chance.choice(records)
        size = region.FRAME + (int.from_bytes(data[address : address + 2], "big") & 0xFFF)
        address += chance.randrange(size)  # behind it, up to the next unit, nothing is written
        copy = journal.Copy(flipped(data, address, 1 << chance.randrange(8)), "x")
        assert copy.damage or copy.last < whole.last, address
        missing = whole.records - copy.records
        assert copy.lost or missing <= 1, address  # the last one looks like one that was cut


def test_a_record_that_was_cut_is_named_and_nothing_is_lost(shop, ctl, tmp_path):
    end = shop.history.journal.end
    (tmp_path / "copy").write_bytes(flipped(shop.bytes, end, 0xA5))
    status, out, _ = ctl("--json", "journal", "verify", tmp_path / "copy")
    document = json.loads(out)
    assert (status, document["lost"], document["damaged"]) == (0, 0, 1)
    assert document["places"][0]["address"] == end
    assert "nothing that counted" in ctl("journal", "verify", tmp_path / "copy")[1]


def kinds_of_nonsense(data):
    return {
        "noise": random.Random(1).randbytes(65536),
        "zeros": bytes(65536),
        "erased": b"\xff" * 65536,
        "nothing": b"",
        "three bytes": b"RFJ",
        "text": b"This is no journal at all.\n" * 100,
        "cut": data[:-1],
        "cut in the first sector": data[:4000],
        "cut in the first header": data[:31],
        "long": data + b"\xff",
        "twice": data + data,
    }


@pytest.mark.parametrize("kind", kinds_of_nonsense(b""))
def test_a_file_that_is_no_whole_journal_is_one_clear_line(shop, ctl, tmp_path, kind):
    path = tmp_path / "copy"
    path.write_bytes(kinds_of_nonsense(shop.bytes)[kind])
    for words in (
        ["verify", path],
        ["list", path],
        ["show", "k", path],
        ["export", tmp_path / "o.csv", "--from", path],
    ):
        for more in ([], ["--json"], ["--lang", "zh"]):
            status, out, err = ctl(*more, "journal", *words)
            assert (status, out, one_line(err)) == (1, "", True) and str(path) in err, err
    if kind.startswith("cut in the first sector") or kind == "cut":
        assert f"of {len(shop.bytes)} bytes" in ctl("journal", "verify", path)[2]
    assert os.listdir(tmp_path) == ["copy"]


def test_a_journal_of_another_version_is_called_so(shop, ctl, tmp_path):
    path = tmp_path / "copy"
    version = region.VERSION
    try:
        region.VERSION = 7
        path.write_bytes(Shop().bytes)
    finally:
        region.VERSION = version
    assert "version 7" in ctl("journal", "verify", path)[2]
    assert "版本 7" in ctl("--lang", "zh", "journal", "list", path)[2]
    path.write_bytes(b"RFJ1" + bytes(8188))
    status, _, err = ctl("journal", "verify", path)
    assert status == 1 and "version 1" in err


def test_a_file_that_is_not_there_or_may_not_be_read(ctl, tmp_path):
    for path in (tmp_path / "gone", tmp_path):
        status, out, err = ctl("journal", "verify", path)
        assert (status, out, one_line(err)) == (1, "", True)


def altered(data, number):
    """The journal with the amount in one record altered and every later digest made anew, as a careful forger would."""
    copy = journal.Copy(data, "x")
    flash = journal._Flash(data, copy.sector, copy.unit)
    region_ = survey.Survey(flash)
    out = bytearray(data)
    digest = region_.header(0)[2]
    for address, flags, its, body in region_.walk(lambda *place: None):
        if its == number:
            items = cbor.decode(body)
            items[4][1] = 99999
            changed = cbor.encode(items)
            body = changed if len(changed) == len(body) else body
            assert changed == body
        record, digest = region.record(flags, its, body, digest)
        out[address : address + len(record)] = record
    return bytes(out)


def test_a_note_of_a_digest_finds_what_a_careful_forger_altered(shop, on, ctl, tmp_path):
    shop.refund(SENT, APPROVED, key="large", amount=90000, its_receipt=99, its_trace=5, code=0)
    copy = journal.Copy(shop.bytes, "x")
    victim = next(e["number"] for e in copy.entries if e.get("key") == "large" and e["state"] == "REQUESTED")
    path = tmp_path / "copy"
    path.write_bytes(altered(shop.bytes, victim))
    assert ctl("journal", "verify", path)[0] == 0  # by itself it is whole
    for number, status, found in (
        (victim - 1, 0, "same"),
        (victim, 4, "other"),
        (copy.last, 4, "other"),
        (copy.last + 1, 4, "missing"),
        (0, 0, "gone"),
    ):
        known = f"{number}:{copy.digests.get(number, '0' * 16)}"
        done = ctl("--json", "journal", "verify", path, "--known", known)
        assert (done[0], json.loads(done[1])["known"]["found"]) == (status, found)
        assert ctl("--lang", "zh", "journal", "verify", path, "--known", known)[0] == status
    # against the agent itself
    known = f"{victim}:{copy.digests[victim].upper()}"
    done = on("--json", "journal", "verify", "--known", known)
    assert (done[0], json.loads(done[1])["known"]["found"]) == (0, "same")
    assert "altered" in ctl("journal", "verify", path, "--known", known)[1]


def test_600_damaged_files_are_read_or_refused_and_never_break_a_command(shop):
    chance = random.Random(int(os.environ.get("SEED") or 5))
    shop.some(30)
    data = shop.bytes
    read = refused = 0
    for _ in range(600):
        changed = bytearray(data)
        for _ in range(chance.choice((1, 1, 3, 20))):
            at = chance.randrange(0, shop.history.journal.end + 200)
            size = chance.choice((1, 1, 8, 300))
            changed[at : at + size] = chance.choice((chance.randbytes(size), bytes(size), b"\xff" * size))
        if chance.randrange(5) == 0:
            changed = changed[: chance.randrange(len(changed))]
        try:
            copy = journal.Copy(bytes(changed), "x")
        except Failure:
            refused += 1
            continue
        read += 1
        for row in copy.refunds():
            copy.story(row["key"])
        for form in export.FORMATS:
            export.to_bytes(copy.entries, form)
    assert read > 300 and refused > 50


def test_a_record_of_a_newer_agent_is_shown_as_far_as_it_is_known(shop, ctl, tmp_path):
    for body in (
        [99, "later"],
        [bodies.STATE, "k9", 9, None, {0: 5, 77: "new"}],
        [bodies.STATE],
        [],
        ["x"],
        [bodies.BOOT, 1],
    ):
        shop.history.journal.append(cbor.encode(body))
    (tmp_path / "copy").write_bytes(shop.bytes)
    status, out, _ = ctl("journal", "export", "-", "--format", "jsonl", "--from", tmp_path / "copy")
    kinds = [json.loads(line)["kind"] for line in out.splitlines()][-6:]
    assert status == 0 and kinds == ["kind_99", "refund"] + ["unreadable"] * 4
    row = json.loads(ctl("--json", "journal", "list", tmp_path / "copy")[1])["refunds"][-1]
    assert (row["key"], row["state"], row["amount"], row["sale_receipt"]) == ("k9", "state_9", None, 5)
    for words in (["list", tmp_path / "copy"], ["show", "k9", tmp_path / "copy"], ["verify", tmp_path / "copy"]):
        assert ctl("journal", *words)[0] == 0


# ---- pull ----
def test_a_pulled_file_is_the_region_and_the_next_pull_reads_only_what_is_new(shop, agent, on, tmp_path):
    path = tmp_path / "copy"
    status, out, err = on("--json", "journal", "pull", path)
    document = json.loads(out)
    assert (status, err) == (0, "") and path.read_bytes() == shop.bytes
    assert document["read"] == 4096 and document["last"] == shop.history.journal.sequence
    assert json.loads(on("--json", "journal", "pull", path)[1])["read"] == 0
    shop.some(60)
    document = json.loads(on("--json", "journal", "pull", path)[1])
    assert path.read_bytes() == shop.bytes and document["read"] == (shop.history.journal.newest + 1) * 4096
    shop.some(1)
    assert json.loads(on("--json", "journal", "pull", path)[1])["read"] == 4096
    assert path.read_bytes() == shop.bytes and sorted(os.listdir(tmp_path)) == ["agent", "copy"]
    assert "本次读取 0 字节" in on("--lang", "zh", "journal", "pull", path)[1]


def test_a_pull_without_a_link_keeps_what_came_and_the_next_one_goes_on(shop, agent, on, tmp_path, monkeypatch):
    shop.some(60)
    wanted = (shop.history.journal.newest + 1) * 4096
    reads = []

    def once_lost(command, body):
        if command == DOWNLOAD:
            reads.append(body["off"])
            if len(reads) == 10:
                return PULL
        return False

    agent.reading = once_lost
    agent.away_s = 0.6
    monkeypatch.setattr(pull, "PATIENCE_S", 0.2)
    status, out, err = on("--json", "journal", "pull", tmp_path / "copy")
    assert (status, out, one_line(err)) == (5, "", True) and "copy.part" in err
    assert not (tmp_path / "copy").exists() and (tmp_path / "copy.part").exists()
    time.sleep(0.6)
    status, out, _ = on("--json", "journal", "pull", tmp_path / "copy")
    assert status == 0 and json.loads(out)["read"] <= wanted - 2 * 4096  # two sectors had come
    assert (tmp_path / "copy").read_bytes() == shop.bytes and not (tmp_path / "copy.part").exists()


def test_a_cable_pulled_for_a_moment_is_survived(shop, agent, on, tmp_path):
    shop.some(60)
    reads = []

    def lost_now_and_then(command, body):
        reads.append(command)
        return PULL if len(reads) in (1, 5, 9, 20) else False

    agent.reading = lost_now_and_then
    status, _, err = on("--json", "journal", "pull", tmp_path / "copy")
    assert (status, err) == (0, "") and (tmp_path / "copy").read_bytes() == shop.bytes
    agent.reading = lambda command, body, left=[True]: PULL if left and left.pop() else False
    assert on("journal", "list")[0] == 0


def test_another_agent_behind_the_cable_is_not_mixed_in(agent, on, tmp_path):
    def swap(command, body):
        agent.agent_id = "0badcafe"
        return PULL

    agent.reading = swap
    status, out, err = on("--json", "journal", "pull", tmp_path / "copy")
    assert (status, out, one_line(err)) == (5, "", True) and "another agent" in err
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize("size", [16 * 4096, 4 * 4096])
def test_a_journal_that_grows_while_it_is_pulled_is_pulled_as_it_is_at_the_end(agent, on, tmp_path, size):
    shop = Shop(size)
    shop.some(80 if size > 4 * 4096 else 20)
    agent.flash, agent.answers[JOURNAL], agent.agent_id = shop.flash, shop.answer, shop.history.agent_id
    reads = []

    def grows(command, body):
        reads.append(command)
        if len(reads) < 60 and len(reads) % 3 == 0:
            shop.some(2)
        return False

    agent.reading = grows
    begun = shop.history.journal.sequence, shop.history.journal.newest
    status, out, err = on("--json", "journal", "pull", tmp_path / "copy")
    assert (status, err) == (0, "") and (tmp_path / "copy").read_bytes() == shop.bytes
    assert json.loads(out)["last"] == shop.history.journal.sequence > begun[0]
    assert shop.history.journal.newest > begun[1]
    assert on("journal", "verify", tmp_path / "copy")[0] == 0


def test_a_journal_that_never_rests_is_given_up(shop, agent, on, tmp_path):
    def grows(asked):
        shop.some(1)
        return shop.answer()

    agent.answers[JOURNAL] = grows
    status, out, err = on("--json", "journal", "pull", tmp_path / "copy")
    assert (status, out, one_line(err)) == (1, "", True) and not (tmp_path / "copy").exists()


def test_a_file_of_somebody_else_is_never_replaced(shop, agent, on, tmp_path):
    other = day(Shop()).bytes
    for begin, says in (
        (b"my thesis", "no journal"),
        (b"", "no journal"),
        (other, "journal of agent"),
        (other[:-5], "no journal"),
    ):
        (tmp_path / "copy").write_bytes(begin)
        for more in ([], ["--lang", "zh"], ["--json"]):
            status, out, err = on(*more, "journal", "pull", tmp_path / "copy")
            assert (status, out, one_line(err)) == (2, "", True)
            assert says in err or "zh" in more
        assert (tmp_path / "copy").read_bytes() == begin
    for path in (tmp_path, tmp_path / "no/such/place"):
        status, out, err = on("journal", "pull", path)
        assert (status, out, one_line(err)) == (1, "", True)
    assert sorted(os.listdir(tmp_path)) == ["agent", "copy"]


def test_a_journal_that_was_rewritten_does_not_replace_the_copy_that_proves_it(shop, agent, on, tmp_path):
    path = tmp_path / "copy"
    on("journal", "pull", path)
    kept = path.read_bytes()
    for change in ("altered", "set back"):
        new = Shop()
        new.history.agent_id = shop.history.agent_id
        new.history.journal.append(cbor.encode([bodies.BOOT, 2, None, new.history.agent_id]))
        new.some(1 if change == "set back" else 30)
        agent.flash, agent.answers[JOURNAL] = new.flash, new.answer
        for more in ([], ["--lang", "zh"]):
            status, out, err = on(*more, "journal", "pull", path)
            assert (status, out, one_line(err)) == (4, "", True) and path.read_bytes() == kept
        assert "altered or set back" in on("journal", "pull", path)[2]
        assert sorted(os.listdir(tmp_path)) == ["agent", "copy"]
        assert on("journal", "pull", tmp_path / change)[0] == 0
        os.unlink(tmp_path / change)


def test_a_damaged_journal_can_be_pulled_and_the_damage_is_told(shop, agent, on, tmp_path):
    address = journal.Copy(shop.bytes, "x").entries[5]["address"]
    shop.flash._store(address + 9, b"\0\0")
    status, out, _ = on("--json", "journal", "pull", tmp_path / "copy")
    document = json.loads(out)
    assert status == 4 and document["lost"] == 1 and document["places"][0]["address"] == address
    assert (tmp_path / "copy").read_bytes() == shop.bytes
    assert on("--json", "journal", "verify")[0] == 4
    # the last record gone from the flash, which the agent still knows
    shop = Shop()
    shop.some(3)
    agent.flash, agent.answers[JOURNAL], agent.agent_id = shop.flash, shop.answer, shop.history.agent_id
    shop.flash._store(shop.history.journal.end - 6, b"\0\0")
    status, out, _ = on("--json", "journal", "pull", tmp_path / "second")
    assert (status, json.loads(out)["agrees"]) == (4, False)
    assert "the last records are gone" in on("journal", "pull", tmp_path / "second")[1]


def test_an_agent_too_old_for_journals_is_called_so(agent, on, tmp_path):
    agent.flash = None
    status, out, err = on("journal", "list")
    assert (status, out, one_line(err)) == (1, "", True) and "have its software updated" in err
    agent.answers[JOURNAL] = lambda asked: cbor2.dumps({"err": {"group": 82, "rc": 2}})
    for words in (["verify"], ["pull", tmp_path / "copy"], ["list"]):
        status, out, err = on("journal", *words)
        assert (status, out, one_line(err)) == (1, "", True) and "have its software updated" in err


@pytest.mark.parametrize(
    "answer", [{"off": 0}, {"off": 0, "data": b""}, {"off": 5, "data": b"x"}, {"off": 0, "data": "x"}]
)
def test_a_malformed_answer_to_a_download_is_a_clear_error(agent, on, answer):
    agent.reading = lambda command, body: answer if command == DOWNLOAD else False
    status, out, err = on("journal", "list")
    assert (status, out, one_line(err)) == (1, "", True) and "matching versions" in err


# ---- accept and settle ----
def test_missing_records_are_accepted_by_a_person_and_stay_named(shop, agent, on, tmp_path):
    status, out, _ = on("--json", "journal", "accept", *WHO)
    assert (status, json.loads(out)["accepted"]) == (0, False) and not agent.requests(ACCEPT)
    address = journal.Copy(shop.bytes, "x").entries[5]["address"]
    shop.flash._store(address + 9, b"\0\0")
    status, out, _ = on("--json", "journal", "accept", *WHO)
    document = json.loads(out)
    assert (status, document["accepted"], document["lost"], document["damaged"]) == (0, True, 0, 1)
    assert json.loads(on("--json", "journal", "verify")[1])["places"][0]["accepted"] is True
    assert agent.requests(ACCEPT) == [{"by": "Ann", "role": "supervisor", "reason": "the acquirer's list"}]
    on("journal", "pull", tmp_path / "copy")
    status, out, _ = on("--json", "journal", "verify", tmp_path / "copy")
    assert status == 0 and json.loads(out)["places"][0]["accepted"] is True
    assert "已核查确认" in on("--lang", "zh", "journal", "verify", tmp_path / "copy")[1]
    assert "Nothing is missing" in on("journal", "accept", *WHO)[1]


def settled(asked, **more):
    state = APPROVED if asked["done"] else NOT_EXECUTED
    who = {"attested_by": asked["by"], "role": asked["role"], "reason": asked["reason"]}
    return {
        **{"key": asked["key"], "state": state, "final": True, "earlier": False},
        **{"amount": 1234, "currency": "EUR", "sale_receipt": 5, **who, **more},
    }


def test_settle_says_who_attested_what_and_ends_well(agent, on):
    agent.answers[SETTLE] = settled
    for words, done, state in (["--done"], True, "APPROVED"), (["--not-done"], False, "NOT_EXECUTED"):
        status, out, err = on("--json", "settle", "till/7 x", *words, *WHO)
        document = json.loads(out)
        assert (status, err, document["state"], document["attested_by"]) == (0, "", state, "Ann")
        asked = agent.requests(SETTLE)[-1]
        assert asked == {
            "key": "till/7 x",
            "done": done,
            "by": "Ann",
            "role": "supervisor",
            "reason": "the acquirer's list",
        }
        _, out, _ = on("settle", "k1", *words, *WHO)
        assert "Attested by Ann (supervisor)" in out and "moved no money" in out
        assert "由 Ann（supervisor）人工确认" in on("--lang", "zh", "settle", "k1", *words, *WHO)[1]


def test_settle_asks_again_while_the_agent_is_busy_for_a_moment(agent, on, monkeypatch):
    answers = [errors.WireError("busy"), errors.WireError("busy"), None]

    def answer(asked):
        problem = answers.pop(0)
        if problem:
            raise problem
        return settled(asked)

    agent.answers[SETTLE] = answer
    assert on("settle", "k1", "--done", *WHO)[0] == 0 and not answers

    def always(asked):
        raise errors.WireError("busy")

    monkeypatch.setattr(journal_commands, "_BUSY_S", 0)
    agent.answers[SETTLE] = always
    assert on("settle", "k1", "--done", *WHO)[0] == 3


@pytest.mark.parametrize("name", ["no_refund", "not_in_doubt"])
def test_what_cannot_be_settled_is_one_line_and_status_4(agent, on, name):
    def refuse(asked):
        raise errors.WireError(name, "key")

    agent.answers[SETTLE] = refuse
    for more in ([], ["--json"], ["--lang", "zh"]):
        status, out, err = on(*more, "settle", "k1", "--done", *WHO)
        assert (status, out, one_line(err)) == (4, "", True)


# ---- on a screen ----
@pytest.mark.parametrize("language", ["en", "zh"])
def test_everything_fits_eighty_columns(shop, agent, on, tmp_path, language):
    shop.refund(
        SENT,
        IN_DOUBT,
        APPROVED,
        key="k" * 36,
        amount=999999999999,
        reason="w " * 40,
        attested_by="x" * 24,
        role="y" * 24,
    )
    address = journal.Copy(shop.bytes, "x").entries[5]["address"]
    shop.flash._store(address + 9, b"\0\0")
    agent.answers[SETTLE] = settled
    (tmp_path / "c").write_bytes(shop.bytes)
    os.chdir(tmp_path)
    for words in (
        ["journal", "list"],
        ["journal", "show", "k" * 36],
        ["journal", "verify"],
        ["journal", "verify", "c", "--known", "12:" + "0" * 16],
        ["journal", "pull", "c"],
        ["journal", "export", "o.csv"],
        ["settle", "k" * 36, "--done", *WHO],
        ["journal", "accept", *WHO],
    ):
        status, out, err = on("--lang", language, *words)
        assert status in (0, 4) and err == "" and max(cell_len(line) for line in out.splitlines()) <= 80, out
    for words in (["journal"], ["journal", "pull"], ["journal", "export"], ["settle"]):
        status, out, err = on("--lang", language, *words, "--help")
        assert status == 0 and err == "" and "Usage" in out


# ---- the real thing ----
def tool(name, agent, *words, cwd):
    return subprocess.run(
        [BIN / name, "--port", agent.link, *map(str, words)], capture_output=True, text=True, timeout=60, cwd=cwd
    )


@pytest.mark.parametrize("runtime", running.RUNTIMES)
def test_a_real_agents_journal_is_pulled_read_and_settled(runtime, tmp_path):
    terminal = running.terminal(tmp_path)
    with running.Agent(tmp_path, runtime, terminal.link) as agent:
        try:
            agent.ready()
            ctl = lambda *words: tool("refundctl", agent, *words, cwd=tmp_path)  # noqa: E731
            request = {"receipt": 231, "amount": 1234, "currency": "EUR"}
            assert agent.refund({**request, "key": "paid"})["state"] == APPROVED
            terminal.tell("decline 71")
            assert agent.refund({**request, "key": "refused", "amount": 500})["state"] == DECLINED
            terminal.tell("die after-execute")
            assert agent.refund({**request, "key": "doubt", "amount": 700})["state"] == IN_DOUBT
            assert agent.refund({**request, "key": "also", "amount": 100})["verdict"] == messages.BLOCK

            done = ctl("--json", "journal", "pull", "copy.rfj")
            assert done.returncode == 0 and done.stderr == "", done.stderr
            # what stock clients make of the same bytes
            stock = tool("smpmgr", agent, "file", "download", "/journal", "stock.rfj", cwd=tmp_path)
            assert stock.returncode == 0, stock.stdout + stock.stderr
            assert (tmp_path / "stock.rfj").read_bytes() == (tmp_path / "copy.rfj").read_bytes()
            stock = tool("smpmgr", agent, "file", "read-size", "/journal", cwd=tmp_path)
            assert stock.stdout.strip().endswith("262144"), stock.stdout + stock.stderr
            stock = tool("smpmgr", agent, "file", "get-hash", "/journal", cwd=tmp_path)
            assert "len=262144" in stock.stdout and "err" not in stock.stdout, stock.stdout + stock.stderr
            stock = tool("smpmgr", agent, "file", "get-supported-hash-types", cwd=tmp_path)
            assert stock.returncode == 0 and "sha256" in stock.stdout and "crc32" in stock.stdout

            for words in (["settle", "paid"], ["settle", "nobody"]):
                done = ctl(*words, "--done", *WHO)
                assert done.returncode == 4 and one_line(done.stderr), done.stderr
            done = ctl("--json", "settle", "doubt", "--done", *WHO)
            assert done.returncode == 0 and json.loads(done.stdout)["attested_by"] == "Ann", done.stderr
            # it counts as refunded: more than is left of 50.00 is refused, and the same key gets the same answer
            found = agent.ask(messages.PREFLIGHT, {**request, "amount": 3067})["findings"]
            assert [one["evidence"]["approved_amount"] for one in found if one["cause"] == 31] == [1934]
            assert agent.refund({**request, "key": "doubt", "amount": 700})["attested_by"] == "Ann"

            done = ctl("--json", "journal", "list")
            assert [(row["key"], row["state"], row["attested_by"]) for row in json.loads(done.stdout)["refunds"]] == [
                ("paid", "APPROVED", None),
                ("refused", "DECLINED", None),
                ("doubt", "APPROVED", "Ann"),
            ]
            states = [
                entry.get("state")
                for entry in json.loads(ctl("--json", "journal", "show", "doubt").stdout)["records"]
                if entry["kind"] != "verdict"
            ]
            assert states == [None, "REQUESTED", "SENT", "IN_DOUBT", "APPROVED"]  # the sale in front
            there = json.loads(ctl("--json", "journal", "verify").stdout)
            assert ctl("journal", "pull", "copy.rfj").returncode == 0
            here = json.loads(ctl("--json", "journal", "verify", "copy.rfj", "--known", there["note"]).stdout)
            assert here["known"]["found"] == "same" and here["lost"] == 0
            done = ctl("journal", "export", "-", "--format", "csv")
            assert done.returncode == 0 and "the acquirer's list" in done.stdout
            done = ctl("--json", "journal", "accept", *WHO)
            assert done.returncode == 0 and json.loads(done.stdout)["accepted"] is False
            events = agent.ask(messages.EVENTS_SINCE, {"cursor": 0})["events"]
            assert not [event for event in events if event["code"] == messages.event("fault")]
        finally:
            terminal.stop()
