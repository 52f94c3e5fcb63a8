"""Scripts of the simulated terminal: the stories of docs/terminal play as they say; a mistake is one line with its place."""

import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from boards.simulated import NotReady, SimulatedTerminal
from hal.sim.zvt_terminal.behaviour import COMMANDS
from hal.sim.zvt_terminal.script import ScriptError, read
from hal.sim.zvt_terminal.settings import LOCKS

from .paper_till import ACCEPTED, COMPLETED, LINES, PATIENCE, ROOT, TcpTill, TerminalProcess

STORIES = ROOT / "docs" / "terminal"
REGISTER = "06 00 06 00 00 00 10 09 78"
REGISTER_FOR_MORE = "06 00 06 00 00 00 18 09 78"
REFUND = "06 31 0D 00 00 00 04 00 00 00 00 12 34 49 09 78"
SALE = "06 01 0A 04 00 00 00 00 25 00 49 09 78"
REPEAT = "06 20 05 00 00 00 03 03"
END_OF_DAY = "06 50 03 00 00 00"


@pytest.fixture
def start(tmp_path):
    started = []

    def start(script, *options, line="tcp", register=REGISTER):
        if "\n" in str(script) or "=" in str(script):
            (tmp_path / "script.toml").write_text(script)
            script = tmp_path / "script.toml"
        started.append(TerminalProcess(tmp_path, "--script", str(script), *options, line=line))
        if register:
            assert started[-1].till.ask(register)[-1].startswith("06 0F")
        return started[-1]

    yield start
    for process in started:
        if not process.process.stdin.closed:
            process.end()


# -- stories -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", LINES)
def test_lost_power_happens_at_the_second_refund(start, line):
    terminal = start(STORIES / "lost_power.toml", line=line)
    assert [(t["receipt"], t["amount"]) for t in terminal.turnovers()] == [(231, 5000), (232, 1990)]
    assert terminal.till.ask(REFUND)[-1] == COMPLETED
    terminal.till.send(REFUND)
    assert terminal.till.receive() == ACCEPTED
    assert terminal.died()
    assert [t["kind"] for t in terminal.turnovers()] == ["sale", "sale", "refund", "refund"]
    terminal.end()
    again = start(STORIES / "lost_power.toml", line=line, register=None)
    assert " 87 02 34 0B 00 47 14 " in again.till.ask(REPEAT)[1]
    assert len(again.turnovers()) == 4  # the sales of the script are those of a new store


def test_batch_open_refuses_until_the_end_of_day(start):
    terminal = start(STORIES / "batch_open.toml", register=REGISTER_FOR_MORE)
    assert terminal.till.ask(REFUND) == [ACCEPTED, "06 1E 01 F0"]
    apdus = terminal.till.ask(END_OF_DAY)
    assert apdus[1:4] == ["04 FF 01 04"] * 3 and apdus[-1] == COMPLETED
    assert terminal.till.ask(REFUND)[-1] == COMPLETED


def test_saturday_noon_on_a_serial_line(start):
    terminal = start(STORIES / "saturday_noon.toml", line="serial", register=REGISTER_FOR_MORE)
    till = terminal.till
    declined = till.ask(SALE)
    assert declined[1:4] == ["04 FF 02 0A 05", "04 FF 02 04 05", "04 FF 02 04 05"]
    assert declined[-1].endswith(b"Insufficient funds".hex(" ").upper())
    assert till.ask(REFUND)[-1] == "06 1E 01 6C"
    till.send(REFUND)
    with pytest.raises(AssertionError):  # CRC
        till.frame()
    till.write(b"\x15")
    assert till.rest()[-1] == COMPLETED
    till.send(REPEAT)
    assert till.receive() == ACCEPTED
    late = till.ask(REPEAT)
    assert late[0].startswith("04 0F") and late[-1] == COMPLETED
    assert till.rest()[0] == ACCEPTED
    till.ask(REFUND)
    for _ in range(2):
        with pytest.raises(AssertionError):  # NAK
            till.send(REFUND)
    assert till.ask(REFUND)[-1] == COMPLETED


# -- what a script can say -----------------------------------------------------------------------------------------


def test_a_script_says_what_the_terminal_is_and_the_command_line_says_it_better(start):
    script = """
        do = "receipt_lines 3"
        [terminal]
        model = "H5"
        version = "1.2"
        serial = "00000007"
        terminal_id = 11223344
        currency = "CHF"
        password = "123456"
        [state]
        status = "9C"
        locks = ["printer", "service"]
        device_state = 2
    """
    terminal = start(script, "--version", "9.9", register=None)
    till = terminal.till
    assert till.ask("06 00 06 12 34 56 10 07 56")[1] == "06 0F 0A 19 00 29 11 22 33 44 49 07 56"
    status = till.ask("05 01 05 12 34 56 03 04")[1]
    assert status.startswith("06 0F") and " F0 F0 F3 39 2E 39 9C 06 " in status
    assert "1F 40 02 48 35" in status and "1F 42 04 00 00 00 07 1F 43 01 02 1F 55 02 14 00" in status


def test_sales_and_refunds_of_a_new_store_are_told_by_time(start):
    script = """
        [[refund]]
        amount = 3
        days_ago = 0
        [[sale]]
        amount = 12.5
        receipt = 9999
        trace = 999999
        date = 2026-01-02
        card = "5500000000000004"
        [[sale]]
        amount = 0.05
        days_ago = 1
        result = "05"
        currency = 840
    """
    terminal = start(script)
    told = [(t["kind"], t["receipt"], t["trace"], t["amount"], t["currency"]) for t in terminal.turnovers()]
    assert told == [("sale", 9999, 999999, 1250, 978), ("sale", 1, 1, 5, 840), ("refund", 2, 2, 300, 978)]
    assert terminal.turnovers()[0]["date"] == "2026-01-02" and terminal.turnovers()[0]["card"] == "550000******0004"
    assert not terminal.turnovers()[1]["approved"]
    assert " 87 00 03 " in terminal.till.ask(REFUND)[1]


def test_a_rule_without_a_number_is_for_each_and_a_rule_can_be_for_any_command(start):
    script = """
        [[on]]
        command = "payment"
        do = "decline 05"
        [[on]]
        command = "06 50"
        nth = 2
        do = "abort 77"
        [[on]]
        command = "any"
        nth = 6
        do = "negative A0"
    """
    till = start(script).till
    for command in (SALE, REFUND):
        assert till.ask(command)[-1] == "06 1E 01 05"
    assert till.ask(END_OF_DAY)[-1] == COMPLETED
    assert till.ask(END_OF_DAY)[-1] == "06 1E 01 77"
    assert till.ask(REFUND) == ["84 A0 00"]
    assert till.ask(REFUND)[-1] == "06 1E 01 05"


def test_a_rule_that_spoils_the_line_hits_its_command_itself(start):
    terminal = start('[[on]]\ncommand = "refund"\nnth = 2\ndo = ["silent 1", "slow 700"]')
    assert terminal.till.ask(REFUND)[-1] == COMPLETED
    terminal.till.send(REFUND)
    assert terminal.until("-- an APDU was swallowed")
    assert terminal.till.ask(REFUND)[-1] == COMPLETED  # now it is the second
    assert [t["kind"] for t in terminal.turnovers()] == ["sale", "refund", "refund"]
    terminal = start('[[on]]\ncommand = "refund"\nnth = 1\ndo = "die received 1"')
    terminal.till.send(REFUND)
    assert terminal.died()


def test_a_command_for_the_second_refund_does_not_hit_the_first_that_still_runs(start):
    terminal = start('[[on]]\ncommand = "refund"\nnth = 2\ndo = "decline 05"', "--set", "slow 600")
    terminal.till.send(REFUND)
    assert terminal.till.receive() == ACCEPTED
    terminal.till.send(REFUND)
    assert terminal.till.rest()[-1] == COMPLETED
    assert terminal.till.rest()[-1] == "06 1E 01 05"


# -- mistakes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[terminal\n", "line 1"),
        ("\nwhat = 1", ":2: what: there is no such key; there are do, terminal"),
        ("[terminals]\n", ":1: terminals: there is no such key; did you mean terminal?"),
        ('[terminal]\nmodell = "x"', ":2: terminal.modell: there is no such key; did you mean model?"),
        ("[terminal]\nmodel = 5", ":2: terminal.model: a text is needed"),
        ("[terminal]\nserial = 123456789", ":2: terminal.serial: serial takes eight digits"),
        ('[terminal]\npassword = "geheim"', ":2: terminal.password: a number is needed"),
        ('[terminal]\ncurrency = "XXX"', ":2: terminal.currency: a number of ISO 4217"),
        ('[terminal]\ncard = "1"', ":2: terminal.card: card takes 12 to 19 digits"),
        ("terminal = 5", "terminal: a table is needed, [terminal]"),
        ("[sale]\namount = 5", ":1: sale: a list of tables is needed, [[sale]]"),
        ('\n[state]\nlocks = ["printr"]', ":3: state.locks: there is no lock printr; did you mean printer?"),
        ("[state]\nrefuse = 1", ":2: state.refuse: true or false"),
        ("[state]\nstatus = 9", ":2: state.status: a code is two hex digits"),
        ('[state]\nstatus = "9"', ":2: state.status: status 9: a code is two hex digits"),
        ("[state]\ndevice_state = 4", ":2: state.device_state: device_state 4: a number from 0 to 3"),
        ("[[sale]]\namount = 1\n[[sale]]\nreceipt = 5", ":3: sale 2: amount is missing"),
        ("[[sale]]\namount = 1.234", ":2: sale 1.amount: an amount like 12.34"),
        ("[[sale]]\namount = nan", ":2: sale 1.amount: an amount like 12.34"),
        ("[[sale]]\namount = -1", ":2: sale 1.amount: amount out of range"),
        ("[[sale]]\namount = 1\nreceipt = 10000", ":3: sale 1.receipt: a number from 1 to 9999"),
        ('[[sale]]\namount = 1\ncard = "5500"', ":3: sale 1.card: 12 to 19 digits"),
        ('[[sale]]\namount = 1\ndate = "2026-01-01"', ":3: sale 1.date: a date is needed"),
        ("[[sale]]\namount = 1\ndate = 2026-01-01\ndays_ago = 1", ":4: sale 1.days_ago: either date or days_ago"),
        ("[[refund]]\namount = 1\nresult = 5", ":3: refund 1.result: a code"),
        ('[[on]]\ndo = "list"', ":1: on 1: command is missing"),
        ('[[on]]\ncommand = "refund"', ":1: on 1: do is missing"),
        ('[[on]]\ncommand = "refnd"\ndo = "list"', ":2: on 1.command: there is no command refnd; did you mean refund?"),
        ('[[on]]\ncommand = 5\ndo = "list"', ":2: on 1.command: the name of a command"),
        ('[[on]]\ncommand = "refund"\nnth = 0\ndo = "list"', ":3: on 1.nth: a number from 1 on"),
        ('[[on]]\ncommand = "refund"\ndo = "declin 05"', ":3: on 1.do: declin 05: unknown command; known: abort"),
        ('[[on]]\ncommand = "refund"\n\ndo = ["slow 5", "die now"]', ":4: on 1.do: die now: die takes"),
        ('[[on]]\ncommand = "refund"\ndo = 5', ":3: on 1.do: a command or a list of commands is needed"),
        ('do = "quit"', ":1: do: quit: a script cannot quit"),
    ],
)
def test_a_mistake_is_one_line_with_its_place_and_nothing_starts(tmp_path, text, said):
    (tmp_path / "s.toml").write_text(text)
    with pytest.raises(ScriptError) as wrong:
        read(tmp_path / "s.toml")
    assert said in str(wrong.value) and "\n" not in str(wrong.value)
    assert str(wrong.value).startswith(str(tmp_path / "s.toml"))


def run(folder, *options):
    command = [sys.executable, "-m", "hal.sim.zvt_terminal", "--store", str(folder / "store.db"), *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL)


@pytest.mark.parametrize(
    "options",
    [
        ["--listen", "tcp", "--script", "there/is/none.toml"],
        ["--listen", "no.such.host.invalid:20007"],
        ["--listen", "127.0.0.1:70000"],
        ["--listen", "127.0.0.1:port"],
        ["--listen", ":20007"],
        ["--listen", "/no/such/folder/line"],
        ["--listen", "127.0.0.1:0", "--password", "1234567"],
        ["--listen", "127.0.0.1:0", "--set", "die in 0"],
    ],
)
def test_wrong_usage_is_one_line_and_2(tmp_path, options):
    refused = run(tmp_path, *options)
    assert refused.returncode == 2 and len(refused.stderr.splitlines()) == 1, refused.stderr
    assert "ready" not in refused.stdout and "Traceback" not in refused.stderr


def test_a_script_that_is_wrong_makes_no_store(tmp_path):
    (tmp_path / "s.toml").write_text("[[sale]]\nreceipt = 1")
    refused = run(tmp_path, "--listen", "127.0.0.1:0", "--script", str(tmp_path / "s.toml"))
    assert refused.returncode == 2 and "amount is missing" in refused.stderr
    assert not (tmp_path / "store.db").exists()


def test_a_port_that_is_taken_is_told(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused = run(tmp_path, "--listen", "127.0.0.1:%d" % taken.getsockname()[1])
    assert refused.returncode == 2 and "cannot listen on 127.0.0.1:" in refused.stderr


# -- for others ----------------------------------------------------------------------------------------------------


def test_a_board_starts_it_on_tcp_and_gets_its_address(tmp_path):
    terminal = SimulatedTerminal("127.0.0.1:0", tmp_path / "store.db", ["--quiet"])
    try:
        assert re.fullmatch(r"127\.0\.0\.1:[1-9]\d+", terminal.link)
        till = TcpTill(terminal.link)
        assert till.ask(REGISTER)[0] == ACCEPTED
        assert terminal.tell("decline 05") == "ok decline 05"
        assert till.ask(REFUND)[-1] == "06 1E 01 05"
        till.close()
        with pytest.raises(NotReady, match="cannot listen"):
            SimulatedTerminal(terminal.link, tmp_path / "other.db")
    finally:
        terminal.stop()


def test_the_page_names_every_command_lock_and_key(tmp_path):
    page = (ROOT / "docs" / "terminal.md").read_text()
    help_line = subprocess.run(
        [
            *(sys.executable, "-m", "hal.sim.zvt_terminal", "--listen", str(tmp_path / "line"), "--stdin-ends"),
            *("--store", str(tmp_path / "store.db")),
        ],
        cwd=ROOT,
        input="help\n",
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    ).stdout
    commands = re.search(r"ok commands: (.*) \(docs", help_line)[1].split()
    assert [name for name in commands if f"`{name}" not in page] == []
    assert [name for name in (*COMMANDS, *LOCKS) if not re.search(rf"\b{name}\b", page)] == []


def test_the_examples_of_the_help_are_commands_of_refund_agent():
    said = run(Path("/"), "--help").stdout
    assert "examples:" in said and "refund-agent terminal --listen tcp --store" in said
    assert max(map(len, said.splitlines())) <= 110
