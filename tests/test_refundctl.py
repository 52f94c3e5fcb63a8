"""refundctl against an agent on a real pseudo-terminal: what others script against, and what a bad line does to it."""

import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import cbor2
import pytest

from firmware_agent.health import VERSION
from firmware_agent.wire import errors, messages, report_messages, smp
from firmware_agent.wire.messages import BLOCK, EVENTS_SINCE, HOLD, PASS, PREFLIGHT, REFUND, STATUS, UNKNOWN, WARN
from host_tools import find, follow, link, refundctl, request, watching

from .fake_agent import PULL, FakeAgent

SALE = ["--receipt", "42", "--amount", "12.34", "--currency", "EUR"]
WHO = ["--by", "Ann", "--role", "supervisor"]
CARD = "4111111111111111"


def finding(cause, status, **evidence):
    return {"cause": cause, "status": status, "evidence": evidence}


def outcome(asked, state, final=True, **more):
    return {
        "key": asked["key"],
        "state": messages.STATES.index(state),
        "final": final,
        "earlier": False,
        "amount": asked["amount"],
        "currency": asked["currency"],
        "sale_receipt": asked["receipt"],
        **more,
    }


def script(*steps):
    """An answer that takes the steps one after the other and stays with the last."""
    left = list(steps)

    def answer(asked):
        step = left.pop(0) if len(left) > 1 else left[0]
        return step(asked) if callable(step) else step

    return answer


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """A silence costs a test 0.9 s instead of 7.5 s."""
    monkeypatch.setattr(link, "ANSWER_S", 0.3)
    monkeypatch.setattr(link, "REOPEN_S", 0.01)
    monkeypatch.setattr(follow, "AGAIN_S", 0.01)
    monkeypatch.setattr(watching, "INTERVAL_S", 0.01)


@pytest.fixture
def agent(tmp_path):
    with FakeAgent(tmp_path) as fake:
        yield fake


@pytest.fixture
def ctl(capsys, monkeypatch, tmp_path):
    """Runs a command line: (exit status, stdout, stderr)."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("REFUNDCTL_PORT", raising=False)

    def run(*words, **environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        status = refundctl.run([str(word) for word in words], {"XDG_RUNTIME_DIR": str(tmp_path), **environment})
        out, err = capsys.readouterr()
        assert "Traceback" not in err and "\x1b" not in out
        return status, out, err

    return run


@pytest.fixture
def on(ctl, agent):
    """Runs a command on the fake agent's port."""
    return lambda *words: ctl("--port", agent.port, *words)


def one_line(text):
    return text.startswith("refundctl: ") and text.count("\n") == 1 and text.endswith("\n")


# ---- the contract of --json ----
def test_a_verdict_is_one_document_of_the_promised_shape(agent, on):
    agent.answers[PREFLIGHT] = lambda asked: {
        "verdict": HOLD,
        "findings": [
            finding(1, PASS, terminal_code=0),
            finding(15, UNKNOWN, missing="network"),
            finding(4, HOLD, supply_mv=4120, supply_low_mv=4500),
        ],
    }
    status, out, err = on("--json", "preflight", *SALE, "--card", "1111", "--sale-date", "2025-12-31")
    assert (status, err, out.count("\n")) == (3, "", 1)
    document = json.loads(out)
    assert document["verdict"] == "HOLD"
    assert [row["cause"] for row in document["findings"]] == [4, 15]
    assert document["findings"][0] == {
        "cause": 4,
        "key": "supply_unstable",
        "status": "HOLD",
        "evidence": {"supply_mv": 4120, "supply_low_mv": 4500},
        "text": "The power supply is unstable.",
        "remedy": document["findings"][0]["remedy"],
        "who": "merchant",
        "people": ["merchant"],
    }
    assert "could not be checked" in document["findings"][1]["text"]
    assert (document["amount"], document["amount_text"], document["currency"]) == (1234, "12.34 EUR", "EUR")
    asked = agent.requests(PREFLIGHT)[0]
    assert abs(asked.pop("wall_s") - time.time()) < 60
    assert asked == {"receipt": 42, "amount": 1234, "currency": "EUR", "card": "1111", "sale_date": 20251231}


def test_all_shows_what_passes_and_asks_the_agent_for_it(agent, on):
    agent.answers[PREFLIGHT] = lambda asked: {"verdict": PASS, "findings": [finding(4, PASS, supply_mv=5000)]}
    _, out, _ = on("--json", "preflight", *SALE, "--all")
    assert json.loads(out)["findings"][0]["text"] == "Supply voltage: in order."
    assert agent.requests(PREFLIGHT)[0]["all"] is True
    _, out, _ = on("--json", "preflight", *SALE)
    assert json.loads(out)["findings"] == []


@pytest.mark.parametrize(
    ("verdict", "word", "exit_status"),
    [(PASS, "GO", 0), (WARN, "WARN", 0), (UNKNOWN, "HOLD", 3), (HOLD, "HOLD", 3), (BLOCK, "BLOCK", 4)],
)
def test_preflight_ends_with_its_verdict(agent, on, verdict, word, exit_status):
    agent.answers[PREFLIGHT] = lambda asked: {"verdict": verdict, "findings": []}
    status, out, _ = on("--json", "preflight", *SALE)
    assert (status, json.loads(out)["verdict"]) == (exit_status, word)


@pytest.mark.parametrize(
    ("state", "verdict", "exit_status"),
    [
        ("APPROVED", PASS, 0),
        ("DECLINED", None, 4),
        ("IN_DOUBT", None, 6),
        ("NOT_EXECUTED", None, 4),
        ("NEW", HOLD, 3),
        ("NEW", BLOCK, 4),
        ("NEW", None, 4),
        ("SENT", None, 6),
    ],
)
def test_a_refund_ends_with_its_state(agent, on, state, verdict, exit_status):
    more = {"receipt": 77, "trace": 123456, "result_code": 0} if state == "APPROVED" else {}
    agent.answers[REFUND] = lambda asked: outcome(asked, state, verdict=verdict, findings=[], **more)
    status, out, err = on("--json", "refund", *SALE)
    document = json.loads(out)
    assert (status, document["state"], err) == (exit_status, state, "")
    assert document["key"] == agent.requests(REFUND)[0]["key"]
    assert {"verdict", "findings", "final", "earlier", "receipt", "trace", "result_code", "cause"} <= document.keys()
    assert document["receipt"] == (77 if state == "APPROVED" else None)
    for words in ([], ["--lang", "zh"]):
        assert on(*words, "refund", *SALE)[0] == exit_status


def test_status_holds_every_field_of_the_answer(agent, on):
    status, out, _ = on("--json", "status")
    document = json.loads(out)
    assert status == 0
    assert {row[1] for row in messages.fields(report_messages.STATUS_ANSWER)} <= document.keys()
    assert document["values"]["supply_mv"] == {"value": 4982, "age_ms": 100}
    assert document["values"]["terminal_version"]["value"] is None
    assert document["wall_s"] is None and document["verdict"] == "GO"
    _, out, _ = on("status")
    assert "4,982 mV" in out and "0.1 s ago" in out and "absent" in out and "unreachable" in out


def test_a_refund_declined_for_a_cause_says_what_to_do(agent, on):
    agent.answers[REFUND] = lambda asked: outcome(asked, "DECLINED", result_code=0x6E, cause=41)
    _, out, _ = on("--json", "refund", *SALE)
    document = json.loads(out)
    assert (document["cause"], document["cause_key"], document["result_code"]) == (41, "card_status", 0x6E)
    _, out, _ = on("refund", *SALE)
    assert "DECLINED" in out and "result code 6E" in out and "speak to the issuer" in out


def test_a_refund_in_doubt_tells_people_not_to_pay_again(agent, on):
    agent.answers[REFUND] = lambda asked: outcome(asked, "IN_DOUBT")
    _, out, _ = on("refund", *SALE)
    assert "OUTCOME UNKNOWN" in out and "Do not refund it again" in out


# ---- idempotency and bad lines ----
def test_the_same_key_is_asked_until_the_answer_is_final(agent, on):
    agent.answers[REFUND] = script(
        lambda asked: outcome(asked, "REQUESTED", final=False),
        lambda asked: outcome(asked, "SENT", final=False),
        lambda asked: outcome(asked, "SENT", final=False),
        lambda asked: outcome(asked, "APPROVED", earlier=True, receipt=77),
    )
    status, out, _ = on("--json", "refund", *SALE)
    asked = [{**one, "wall_s": None} for one in agent.requests(REFUND)]
    assert status == 0 and len(asked) == 4 and all(one == asked[0] for one in asked)
    assert json.loads(out)["earlier"] is False  # to this run it was its own


def test_the_key_is_on_the_screen_before_the_refund_is_asked_for(agent, on):
    agent.answers[REFUND] = lambda asked: None
    _, out, err = on("refund", *SALE, "--timeout", "0")
    key = agent.requests(REFUND)[0]["key"]
    assert out.startswith(f"Key {key} ") and f"--key {key}" in err


def test_the_answer_to_another_refund_is_not_taken_for_this_one(agent, on):
    agent.answers[REFUND] = lambda asked: {**outcome(asked, "APPROVED"), "key": "other"}
    assert on("--json", "refund", *SALE)[:2] == (6, "")


def test_an_answer_to_an_earlier_run_is_called_earlier(agent, on):
    agent.answers[REFUND] = lambda asked: outcome(asked, "APPROVED", earlier=True, receipt=77)
    assert json.loads(on("--json", "refund", *SALE, "--key", "till-3:0815")[1])["earlier"] is True
    assert agent.requests(REFUND)[0]["key"] == "till-3:0815"


def test_a_pulled_cable_in_a_refund_is_survived_with_the_same_key(agent, on):
    agent.answers[REFUND] = script(
        lambda asked: outcome(asked, "SENT", final=False),
        PULL,
        lambda asked: outcome(asked, "APPROVED", receipt=77),
    )
    status, out, err = on("--json", "refund", *SALE)
    assert (status, json.loads(out)["state"], err) == (0, "APPROVED", "")
    assert len({asked["key"] for asked in agent.requests(REFUND)}) == 1


def test_an_agent_that_restarts_in_a_refund_is_asked_again(agent, on):
    def restart(asked):
        agent.restart()
        return PULL

    agent.answers[REFUND] = script(restart, lambda asked: outcome(asked, "IN_DOUBT"))
    status, out, _ = on("--json", "refund", *SALE)
    assert (status, json.loads(out)["state"], len(agent.requests(REFUND))) == (6, "IN_DOUBT", 2)


def test_another_agent_behind_the_cable_is_never_asked_for_the_refund(agent, on):
    def swap(asked):
        agent.agent_id = "0badcafe"
        return PULL

    agent.answers[REFUND] = script(swap, lambda asked: outcome(asked, "APPROVED"))
    status, out, err = on("--json", "refund", *SALE, "--key", "k1")
    assert (status, out, one_line(err)) == (6, "", True)
    assert len(agent.requests(REFUND)) == 1 and "another agent" in err and "--key k1" in err


def test_a_lost_answer_to_a_refund_is_asked_for_with_the_same_key(agent, on):
    agent.answers[REFUND] = script(None, lambda asked: outcome(asked, "APPROVED", receipt=77))
    assert on("--json", "refund", *SALE)[0] == 0
    assert len({asked["key"] for asked in agent.requests(REFUND)}) == 1 and len(agent.requests(REFUND)) == 2


def test_a_refund_that_never_answers_is_in_doubt_and_names_its_key(agent, on):
    agent.answers[REFUND] = lambda asked: None
    status, out, err = on("--json", "refund", *SALE, "--timeout", "0.1", "--key", "k1")
    assert (status, out, one_line(err)) == (6, "", True)
    assert "--key k1" in err and "outcome unknown" in err


def test_a_refund_still_under_way_at_the_end_of_the_wait_is_in_doubt(agent, on):
    agent.answers[REFUND] = lambda asked: outcome(asked, "SENT", final=False)
    status, out, err = on("--json", "refund", *SALE, "--timeout", "0.1", "--key", "k1")
    assert (status, out, one_line(err)) == (6, "", True) and "--key k1" in err


def test_a_cable_that_stays_out_leaves_the_refund_in_doubt(agent, on):
    agent.away_s = 1
    agent.answers[REFUND] = lambda asked: PULL
    status, _, err = on("refund", *SALE, "--timeout", "0.2", "--key", "k1")
    assert status == 6 and one_line(err) and "--key k1" in err


def test_a_refund_that_certainly_was_never_sent_is_not_in_doubt(agent, on):
    agent.answers[STATUS] = lambda asked: None
    status, _, err = on("refund", *SALE)
    assert status == 5 and one_line(err) and not agent.requests(REFUND)


@pytest.mark.parametrize(
    ("name", "exit_status"),
    [
        ("busy", 3),
        ("journal_full", 3),
        ("key_reused", 4),
        ("reserved_key", 2),
        ("currency", 2),
        ("bad_field", 2),
        ("missing", 2),
        ("card_number", 2),
        ("no_command", 1),
        ("bad_message", 1),
        ("agent_fault", 6),
        ("too_long", 6),
        ("from a newer agent", 6),
    ],
)
def test_an_error_of_the_agent_ends_with_what_it_means(agent, on, name, exit_status):
    rc = errors.WireError(name).rc if name in errors.CODES.split() else 99
    body = cbor2.dumps({"err": {"group": messages.GROUP, "rc": rc}, "field": "amount"})
    agent.answers[REFUND] = lambda asked: body
    for words in (["--json"], ["--lang", "zh"]):
        status, _, err = on(*words, "refund", *SALE)
        assert status == exit_status and one_line(err)


def test_a_field_the_agent_refuses_is_named_and_never_its_value(agent, on):
    def refuse(asked):
        raise errors.WireError("bad_field", "operator")

    agent.answers[PREFLIGHT] = refuse
    assert "operator" in on("preflight", *SALE)[2]
    agent.answers[PREFLIGHT] = lambda asked: cbor2.dumps({"err": {"group": 82, "rc": 4}, "field": CARD})
    assert CARD not in on("preflight", *SALE)[2]


def test_noise_console_text_and_cut_frames_beside_the_answers_do_no_harm(agent, on):
    def noisy(frame):
        return b"\x00\xff\x06\x09!!!!\n> help\r\nagent ready\r\n" + smp.GOES_ON + b"AAAA\n> " + frame + b"\x06\x09AA"

    agent.line = noisy
    assert on("--json", "status")[0] == 0


def test_an_answer_to_somebody_elses_request_is_not_taken_for_ours(agent, on):
    def after_a_stale_one(frame):
        assembler = smp.Assembler()
        message = [assembler.add(line) for line in frame.split(b"\n")[:-1]][-1]
        header, _ = smp.unpack(message)
        header.sequence ^= 0x80
        return smp.frame(smp.pack(header, cbor2.dumps({}))) + frame

    agent.line = after_a_stale_one
    assert on("status")[0] == 0


def test_an_answer_damaged_once_is_asked_for_again(agent, on):
    frames = []

    def first_damaged(frame):
        frames.append(frame)
        return frame[:9] + b"x" + frame[10:] if len(frames) == 1 else frame

    agent.line = first_damaged
    assert on("status")[0] == 0 and len(frames) == 2


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (lambda frame: frame[:20] + b"?" + frame[21:], "damaged"),
        (lambda frame: b"login: \n", "no refund agent"),
        (lambda frame: frame[:-10], "nobody answers"),
        (lambda frame: b"", "nobody answers"),
    ],
)
def test_what_comes_instead_of_an_answer_is_said(agent, on, line, says):
    agent.line = line
    status, out, err = on("--json", "status")
    assert (status, out, one_line(err)) == (5, "", True) and says in err


@pytest.mark.parametrize(
    "body",
    [
        b"\xff",
        b"",
        cbor2.dumps([1]),
        cbor2.dumps({0: 77}),
        cbor2.dumps({0: 0, 1: [{0: 4, 1: 0, 2: {"a": 1}}]}),
        cbor2.dumps({0: 0, 1: [{0: 4, 1: 0, 2: {1: [1]}}]}),
        cbor2.dumps({0: 0, 1: [{0: 61, 1: 0, 2: {}}]}),
        cbor2.dumps({"err": 5}),
    ],
)
def test_a_malformed_answer_is_a_clear_error(agent, on, body):
    agent.answers[PREFLIGHT] = lambda asked: body
    status, out, err = on("--json", "preflight", *SALE)
    assert (status, out, one_line(err)) == (1, "", True) and "matching versions" in err


def test_an_smp_device_that_is_no_agent_is_called_so(agent, on):
    agent.answers[STATUS] = lambda asked: cbor2.dumps({"rc": 8})
    status, _, err = on("status")
    assert status == 5 and "no refund agent" in err


def test_facts_and_events_of_a_newer_agent_are_shown_by_number(agent, on):
    agent.answers[PREFLIGHT] = lambda asked: cbor2.dumps({0: 1, 1: [{0: 4, 1: 1, 2: {200: 7}}], 99: 1})
    assert json.loads(on("--json", "preflight", *SALE)[1])["findings"][0]["evidence"] == {"fact_200": 7}
    assert "fact_200 7" in on("preflight", *SALE)[1]


def test_a_state_is_shown_in_words_whether_it_comes_as_number_or_as_name(agent, on):
    for state in (3, "APPROVED"):
        agent.answers[PREFLIGHT] = lambda asked, state=state: {
            "verdict": BLOCK,
            "findings": [finding(53, BLOCK, earlier_state=state)],
        }
        assert "earlier refund: refunded" in on("preflight", *SALE)[1]


def test_control_characters_from_the_agent_do_not_reach_the_screen(agent, on):
    agent.answers[STATUS] = lambda asked: {**agent.status(), "board": "\x1b[2Jsim\r"}
    assert "\x1b" not in on("status")[1]


# ---- ports ----
def test_a_port_that_is_not_there(ctl, tmp_path):
    status, out, err = ctl("--json", "--port", tmp_path / "gone", "status")
    assert (status, out, one_line(err)) == (5, "", True) and "no port" in err


def test_a_file_and_a_device_that_are_no_serial_ports(ctl, tmp_path):
    (tmp_path / "file").write_text("")
    for port in (tmp_path / "file", tmp_path, "/dev/null"):
        status, _, err = ctl("--port", port, "status")
        assert status == 5 and one_line(err) and "not a serial port" in err


def test_a_port_in_use_by_another_program(agent, on):
    holder = link.Link(agent.port).open()
    status, _, err = on("status")
    holder.close()
    assert status == 5 and one_line(err) and "in use" in err
    assert on("status")[0] == 0


def test_a_port_without_permission_names_the_group_to_join(agent, on, mocker):
    denied = PermissionError(13, "denied")
    mocker.patch("serial.serial_for_url", side_effect=denied)
    mocker.patch("host_tools.link_port.os.stat", return_value=os.stat_result((0o020660, 0, 0, 1, 0, 20, 0, 0, 0, 0)))
    mocker.patch("host_tools.link_port.grp.getgrgid", return_value=mocker.Mock(gr_name="dialout"))
    status, _, err = on("status")
    assert status == 5 and one_line(err) and "sudo usermod -aG dialout $USER" in err


def test_a_port_reached_over_tcp(agent, ctl):
    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        connection, _ = server.accept()
        line = connection.makefile("rwb")
        message = smp.Assembler().add(line.readline().rstrip(b"\n"))
        header, _ = smp.unpack(message)
        body = cbor2.dumps(messages.pack(report_messages.STATUS_ANSWER, agent.status()))
        line.write(smp.frame(smp.pack(header.answer(), body)))
        line.flush()
        line.read()

    threading.Thread(target=serve, daemon=True).start()
    url = f"socket://127.0.0.1:{server.getsockname()[1]}"
    assert ctl("--port", url, "status")[0] == 0
    server.close()
    status, _, err = ctl("--port", url, "status")
    assert status == 5 and one_line(err) and "nobody listens" in err


@pytest.mark.parametrize("url", ["socket://nowhere", "what://x", "socket://h:99999999"])
def test_an_address_of_no_known_kind_is_wrong_usage(ctl, url):
    status, _, err = ctl("--port", url, "status")
    assert status == 2 and one_line(err)


def test_nothing_is_sent_on_opening_and_closing(agent):
    port = link.Link(agent.port).open()
    port.close()
    assert agent.asked == []


# ---- finding the agent ----
@pytest.fixture
def ports(mocker):
    """What the machine's list of serial ports holds."""
    listed = []
    mocker.patch("host_tools.find.list_ports.comports", lambda: listed)
    return lambda *devices: listed.extend(mocker.Mock(device=device, description="n/a") for device in devices)


def test_the_only_agent_is_found_and_named(agent, ctl, ports):
    ports(agent.port)
    status, _, err = ctl("status")
    assert status == 0 and err == f"Using the agent on {agent.port}\n"
    assert ctl("--json", "status")[2] == ""


def test_an_agent_of_this_machine_is_found_by_its_link(tmp_path, ctl, ports):
    (tmp_path / "refund-agent").mkdir()
    with FakeAgent(tmp_path / "refund-agent", "link"):
        assert ctl("status")[0] == 0


def test_a_folder_of_somebody_else_is_not_trusted(tmp_path, mocker):
    (tmp_path / "refund-agent").mkdir()
    (tmp_path / "refund-agent/link").symlink_to("/dev/null")
    assert find.links_of_this_machine({"XDG_RUNTIME_DIR": str(tmp_path)})
    mocker.patch("host_tools.find.os.getuid", return_value=os.getuid() + 1)
    assert find.links_of_this_machine({"XDG_RUNTIME_DIR": str(tmp_path)}) == []


def test_the_service_of_this_machine_is_found_whoever_it_runs_as(tmp_path, monkeypatch):
    (tmp_path / "link").symlink_to("/dev/null")
    monkeypatch.setattr(find, "SERVICE", str(tmp_path))
    os.chown(tmp_path, os.getuid() if os.getuid() else 4242, -1)
    assert str(tmp_path / "link") in find.links_of_this_machine({"XDG_RUNTIME_DIR": "/none"})


def test_what_a_killed_agent_left_behind_is_not_opened(tmp_path):
    folder = tmp_path / "refund-agent"
    folder.mkdir()
    for name in (f"link-{os.getpid()}", "link-4194305", "link-x", "other"):  # no process has a number above 4194304
        (folder / name).symlink_to("/dev/null")
    found = find.links_of_this_machine({"XDG_RUNTIME_DIR": str(tmp_path)})
    assert found == [str(folder / f"link-{os.getpid()}")]


def test_no_agent_says_what_was_tried(agent, ctl, ports, tmp_path):
    agent.echoes = False
    ports(agent.port, str(tmp_path / "gone"))
    status, out, err = ctl("--json", "status")
    assert (status, out, one_line(err)) == (5, "", True)
    assert f"{agent.port}: nobody answers" in err and "gone: not there" in err and "--port" in err


def test_several_agents_are_listed(agent, ctl, ports, tmp_path):
    (tmp_path / "second").mkdir()
    with FakeAgent(tmp_path / "second") as second:
        ports(agent.port, second.port)
        status, _, err = ctl("status")
        assert status == 2 and one_line(err) and agent.port in err and second.port in err


def test_ports_says_where_an_agent_answers_and_why_not_elsewhere(agent, ctl, ports, tmp_path):
    ports(agent.port, str(tmp_path / "gone"))
    status, out, _ = ctl("--json", "ports")
    rows = {row["port"]: row for row in json.loads(out)["ports"]}
    assert status == 0 and rows[agent.port]["agent"] is True and rows[agent.port]["why"] is None
    assert rows[str(tmp_path / "gone")]["why"] == "no_such_port"
    assert "agent answers" in ctl("ports")[1]


# ---- wrong usage ----
@pytest.mark.parametrize(
    "words",
    [
        ["preflight", "--receipt", CARD, "--amount", "1", "--currency", "EUR"],
        ["preflight", *SALE, "--card", CARD],
        ["preflight", *SALE, "--card", "4111-1111-1111-1111"],
        ["preflight", *SALE, "--card", "4111", "1111", "1111", "1111"],
        ["preflight", *SALE, "--card=4111", "1111", "1111", "1111"],
        ["preflight", *SALE, "--operator", "x" + CARD],
        ["preflight", *SALE, "--operator", "４１１１１１１１１１１１１１１１"],
        ["refund", *SALE, "--key", CARD],
        ["refund", *SALE, f"--sale-amount={CARD}"],
        ["refund", *SALE, "--amount", CARD],
        ["refund", *SALE, "--sale-date", CARD],
        ["refund", *SALE, "--timeout", CARD],
        ["refund", *SALE, "--" + CARD],
        ["causes", CARD],
        ["settle", CARD, "--done", *WHO, "--reason", "x"],
        ["settle", "k1", "--done", *WHO, "--reason", "card " + CARD],
        ["settle", "k1", "--done", "--by", CARD, "--role", "r", "--reason", "x"],
        ["journal", "show", CARD],
        ["journal", "show", "k" + CARD, "copy.rfj"],
        ["journal", "list", CARD],
        ["journal", "list", "4111 1111 1111 1111"],
        ["journal", "export", "-", "--format", CARD],
        ["journal", "export", "-", "--from", CARD],
        ["journal", "verify", "--known", CARD],
        ["journal", "accept", *WHO, "--reason", CARD],
        [CARD],
        ["--port", CARD, "status"],
        ["--lang", CARD, "status"],
    ],
)
def test_a_full_card_number_in_any_option_is_refused_and_never_echoed(agent, on, words):
    for more in ([], ["--json"], ["--lang", "zh"]):
        status, out, err = on(*more, *words)
        assert (status, out, one_line(err)) == (2, "", True)
        assert "411" not in err.replace(agent.port, "") and "４１１" not in err
    assert agent.asked == []


def test_a_receipt_that_looks_like_a_card_number_is_called_so(on):
    _, _, err = on("refund", "--receipt", CARD, "--amount", "1", "--currency", "EUR")
    assert "--receipt looks like a full card number" in err


def test_a_port_with_a_long_serial_number_is_no_card_number(ctl, tmp_path):
    status, _, err = ctl("--port", tmp_path / f"usb-{CARD}-if00", "status")
    assert status == 5 and "no port" in err


def test_a_file_named_by_date_and_time_is_no_card_number(ctl, tmp_path):
    from firmware_agent.wire.pan import looks_like_pan

    name = tmp_path / "journal-20261204120004.rfj"
    assert looks_like_pan(str(name))
    for words in (["list", name], ["show", "k1", name], ["verify", name], ["export", "x.csv", "--from", name]):
        status, out, err = ctl("journal", *words)
        assert (status, out, one_line(err)) == (1, "", True) and "cannot be read" in err
    # nor is a digest
    status, _, err = ctl("journal", "verify", name, "--known", "12:" + CARD)
    assert status == 1 and "cannot be read" in err
    assert "cannot be read" in ctl("journal", "verify", name, "--known=12:" + CARD)[2]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "say what to do"),
        (["pay"], "no such command"),
        (["stats"], "did you mean status"),
        (["status", "--nope"], "no such option --nope"),
        (["status", "extra"], "wrong arguments"),
        (["refund"], "missing: --receipt, --amount, --currency"),
        (["refund", "--receipt"], "--receipt needs a value"),
        (["journal"], "say what to do: list, show, verify, pull, export, accept (refundctl journal --help"),
        (["journal", "lst"], "did you mean list"),
        (["journal", "burn"], "there are: list"),
        (["journal", "pull"], "refundctl journal pull --help"),
        (["journal", "show"], "refundctl journal show --help"),
        (["journal", "show", "k\x1b"], "KEY must have 1 to 36"),
        (["journal", "list", "a", "b"], "refundctl journal list --help"),
        (["journal", "list", "--nope"], "no such option --nope; refundctl journal list --help"),
        (["journal", "verify", "--known"], "--known needs a value"),
        (["journal", "verify", "--known", "12"], "--known must be a note"),
        (["journal", "verify", "--known", "12:00c0ffee"], "--known must be a note"),
        (["journal", "export", "out"], "--format must be one of: cbor, jsonl, csv"),
        (["journal", "export", "out.csv", "--format", "xml"], "--format must be one of"),
        (["journal", "accept"], "missing: --by, --role, --reason"),
        (["settle"], "refundctl settle --help"),
        (["settle", "k1"], "--done (it was executed) or --not-done"),
        (["settle", "k1", "--done", "--not-done"], "--done (it was executed) or --not-done"),
        (["settle", "k1", "--done"], "missing: --by, --role, --reason"),
        (["settle", "k1", "--done", "--by", "Ann", "--role", "", "--reason", "x"], "missing: --role"),
        (["settle", "k1", "--done", *WHO, "--reason", "x" * 81], "--reason must have 1 to 80"),
        (["settle", "k1", "--done", *WHO, "--reason", "a\nb"], "--reason must have"),
        (["settle", "k1", "--done", "--by", "x" * 25, "--role", "r", "--reason", "x"], "--by must have 1 to 24"),
        (["settle", "x" * 37, "--done", *WHO, "--reason", "x"], "KEY must have 1 to 36"),
        (["preflight", *SALE, "--receipt", "12a"], "--receipt must be a whole number from 1 to 9999"),
        (["preflight", *SALE, "--receipt", "0"], "--receipt must be"),
        (["preflight", *SALE, "--receipt", "10000"], "--receipt must be"),
        (["preflight", *SALE, "--receipt", "-1"], "--receipt must be"),
        (["preflight", *SALE, "--receipt", "١٢"], "--receipt must be"),
        (["preflight", *SALE, "--amount", "-5"], "must not be negative"),
        (["preflight", *SALE, "--amount", "0"], "must not be zero"),
        (["preflight", *SALE, "--amount", "12.345"], "EUR has 2"),
        (["preflight", *SALE, "--amount", "99999999999999"], "too large"),
        (["preflight", *SALE, "--amount", "12,34"], "like 12.34"),
        (["preflight", *SALE, "--sale-amount", "ten"], "--sale-amount must be an amount"),
        (["preflight", *SALE, "--currency", "EURO"], "did you mean EUR"),
        (["preflight", *SALE, "--currency", "12"], "ISO 4217"),
        (["preflight", *SALE, "--sale-date", "31.12.2025"], "--sale-date"),
        (["preflight", *SALE, "--sale-date", "2025-02-30"], "--sale-date"),
        (["preflight", *SALE, "--sale-date", "0001-01-01"], "--sale-date"),
        (["preflight", *SALE, "--card", "12345"], "last four digits"),
        (["preflight", *SALE, "--operator", "x" * 25], "--operator"),
        (["preflight", *SALE, "--operator", "a\x1bb"], "--operator"),
        (["refund", *SALE, "--key", ""], "--key"),
        (["refund", *SALE, "--key", "x" * 37], "--key"),
        (["refund", *SALE, "--timeout", "soon"], "--timeout"),
        (["watch", "--for", "-1"], "--for"),
        (["causes", "61"], "1 to 60"),
        (["causes", "four"], "1 to 60"),
        (["--lang", "fr", "causes"], "en or zh"),
        (["--lang"], "--lang needs a value"),
        (["causes", "--lang"], "--lang needs a value"),
    ],
)
def test_wrong_usage_is_one_line_that_says_what_is_wrong(agent, on, words, says):
    status, out, err = on(*words)
    assert (status, out, one_line(err)) == (2, "", True) and says in err
    assert agent.asked == []
    status, out, err = on("--json", *(["--lang", "zh"] if "--lang" not in words else []), *words)
    assert (status, out, one_line(err)) == (2, "", True)


def test_general_options_may_stand_behind_the_command(agent, ctl):
    assert json.loads(ctl("status", "--port", agent.port, "--json")[1])["verdict"] == "GO"
    assert json.loads(ctl("status", "--json", "--lang=zh", REFUNDCTL_PORT=agent.port)[1])["verdict"] == "GO"


def test_a_new_key_is_never_taken_for_a_card_number(mocker):
    mocker.patch("secrets.token_hex", side_effect=[CARD, "0123456789abcdef"])
    assert request.new_key() == "r-0123456789abcdef"


# ---- watching ----
EVENTS = [
    {"number": 1, "uptime_ms": 12, "code": 1, "numbers": {}},
    {"number": 2, "uptime_ms": 5_012_345, "code": 2, "numbers": {"supply_mv": 4120}},
    {"number": 3, "uptime_ms": 5_012_400, "code": 200, "numbers": {}},
]


def since(agent, events, dropped=0):
    def answer(asked):
        new = [event for event in events if event["number"] > asked["cursor"]]
        return {
            "events": new,
            "next": new[-1]["number"] if new else asked["cursor"],
            "dropped": dropped if asked["cursor"] == 0 else 0,
            "boot": agent.boot,
            "uptime_ms": 0,
        }

    return answer


def test_watch_shows_every_event_once_and_what_was_dropped(agent, on):
    agent.answers[EVENTS_SINCE] = since(agent, EVENTS, dropped=7)
    status, out, _ = on("--json", "watch", "--for", "0.1")
    rows = [json.loads(line) for line in out.splitlines()]
    assert status == 0 and [row["kind"] for row in rows] == ["dropped", "event", "event", "event"]
    assert rows[0]["dropped"] == 7
    assert rows[2] == {
        "kind": "event",
        "boot": 4,
        "number": 2,
        "uptime_ms": 5_012_345,
        "code": 2,
        "event": "supply_unstable",
        "severity": "warning",
        "numbers": {"supply_mv": 4120},
        "text": "power supply unstable",
    }
    _, out, _ = on("--lang", "zh", "watch", "--for", "0")
    assert len(out.splitlines()) == 4
    assert "1:23:32.345" in out and "供电不稳定" in out and "4,120 mV" in out and "7 条" in out


def seen(agent, number):
    """The first `number` things that watching sees: event numbers, or what else it was."""
    port = link.Link(agent.port).open()
    try:
        things = itertools.islice(watching.watch(port, time.monotonic() + 5), number)
        return [what["number"] if kind == "event" else kind for kind, _, what in things]
    finally:
        port.close()


def test_watch_goes_on_at_its_cursor_after_a_pulled_cable(agent):
    agent.answers[EVENTS_SINCE] = script(since(agent, EVENTS[:2]), PULL, since(agent, EVENTS))
    assert seen(agent, 5) == [1, 2, "link_lost", "link_back", 3]


def test_watch_begins_anew_when_the_agent_restarted(agent):
    def restart(asked):
        agent.restart()
        return PULL

    agent.answers[EVENTS_SINCE] = script(since(agent, EVENTS), restart, since(agent, EVENTS[:1]))
    assert seen(agent, 7) == [1, 2, 3, "link_lost", "link_back", "restarted", 1]


def test_watch_says_on_the_screen_that_the_cable_was_pulled(agent, on):
    agent.answers[EVENTS_SINCE] = script(since(agent, EVENTS), PULL)
    _, out, _ = on("watch", "--for", "0.5")
    assert "link lost" in out


def test_watch_without_an_agent_is_an_error(agent, on):
    agent.answers[EVENTS_SINCE] = lambda asked: None
    assert on("watch", "--for", "5")[0] == 5


# ---- causes, and the program as a program ----
def test_causes_needs_no_port_and_knows_all_sixty(ctl):
    status, out, err = ctl("--json", "causes")
    rows = json.loads(out)["causes"]
    assert (status, err, len(rows)) == (0, "", 60) and rows[53]["key"] == "outcome_unknown"
    assert json.loads(ctl("--json", "causes", "4")[1])["found"] == "HOLD"
    assert "供电不稳定。" in ctl("--lang", "zh", "causes", "4")[1]
    assert "may weaken" in ctl("causes", "8")[1]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_cause_is_explained_in_full(ctl, language):
    for number in (33, 54):
        document = json.loads(ctl("--json", "--lang", language, "causes", str(number))[1])
        keys = "cause key family sources found weakenable name text why remedy steps not who people call"
        assert list(document) == keys.split() and 2 <= len(document["steps"]) <= 5
        shown = "".join(ctl("--lang", language, "causes", str(number))[1].split())
        for text in [document[name] for name in ("name", "text", "why", "remedy", "not", "who", "call")]:
            assert "".join(text.split()) in shown
        for count, step in enumerate(document["steps"], 1):
            assert f"{count}{''.join(step.split())}" in shown


@pytest.mark.parametrize("language", ["en", "zh"])
def test_everything_fits_eighty_columns(agent, on, ctl, language):
    from rich.cells import cell_len

    agent.answers[PREFLIGHT] = lambda asked: {
        "verdict": BLOCK,
        "findings": [finding(31, BLOCK, sale_amount=5000, approved_amount=4000, remaining_amount=1000, amount=1234)]
        + [finding(cause, BLOCK, supply_mv=4120) for cause in range(1, 60)],
    }
    for words in (
        ["causes"],
        *(["causes", str(number)] for number in (1, 8, 33, 54)),
        ["preflight", *SALE],
        ["status"],
        ["ports"],
    ):
        status, out, _ = on("--lang", language, *words)
        assert status in (0, 4) and max(cell_len(line) for line in out.splitlines()) <= 80
    assert "12.34 EUR" in on("--lang", language, "preflight", *SALE)[1]


@pytest.mark.parametrize("words", [["--help"], ["refund", "--help"], ["--lang", "zh", "refund", "--help"]])
def test_help_is_plain_text(ctl, words):
    status, out, err = ctl(*words)
    assert status == 0 and err == "" and "Usage" in out


def test_the_version_needs_no_command_and_no_agent(ctl):
    assert ctl("--version") == (0, f"refundctl {VERSION}\n", "")
    assert [json.loads(ctl(*words)[1]) for words in (["--json", "--version"], ["--version", "--json"])] == [
        {"version": VERSION}
    ] * 2
    done = subprocess.run([sys.executable, "-m", "boards.command", "--version"], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"refund-agent {VERSION}\n", "")
    done = subprocess.run([sys.executable, "-m", "boards.command"], capture_output=True, text=True)
    assert (done.returncode, "Usage" in done.stdout, done.stderr) == (2, True, "")


def program(*words, **environment):
    """A refundctl that Ctrl-C ends, also where this test runs as a shell's background job, which ignores SIGINT."""
    return subprocess.Popen(
        [sys.executable, "-m", "host_tools.refundctl", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **environment},
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def test_watch_ends_quietly_on_ctrl_c(agent):
    agent.answers[EVENTS_SINCE] = since(agent, EVENTS)
    with program("--port", agent.port, "watch") as running:
        for _ in EVENTS:
            running.stdout.readline()
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=5)
    assert (running.returncode, out, err) == (0, "", "")


def test_ctrl_c_in_a_refund_leaves_it_in_doubt_and_names_the_key(agent):
    asked = threading.Event()

    def under_way(request):
        asked.set()
        return outcome(request, "SENT", final=False)

    agent.answers[REFUND] = under_way
    with program("--port", agent.port, "refund", *SALE, "--key", "k1") as running:
        assert asked.wait(5)
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=5)
    assert running.returncode == 6 and one_line(err) and "--key k1" in err


def test_a_closed_pipe_does_not_hide_the_exit_status(agent):
    agent.answers[PREFLIGHT] = lambda asked: {"verdict": BLOCK, "findings": []}
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "host_tools.refundctl", "--port", agent.port, "preflight", *SALE],
        stdout=write,
        stderr=subprocess.PIPE,
        timeout=10,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (4, b"")


def test_an_ascii_terminal_gets_text_and_no_error(agent):
    with program("--port", agent.port, "--lang", "zh", "status", PYTHONIOENCODING="ascii") as running:
        _, err = running.communicate(timeout=10)
    assert (running.returncode, err) == (0, "")
