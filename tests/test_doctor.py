"""refund-agent doctor and the file that adapts board linux: what a machine has is told by name and value, what it lacks
with how to get it; what is wrong in the file with its line and the nearest name."""

import json
import os
import re
import subprocess
import sys
import time

import pytest
from rich.cells import cell_len

from boards import doctor, doctor_en, doctor_look, doctor_zh, linux_file
from boards.compiled import ROOT
from boards.doctor_look import Machine
from boards.scene import verdict
from firmware_agent.wire import messages

from .test_texts import braces, flat


def refund_agent(*arguments, **environment):
    command = [sys.executable, "-m", "boards.command", *map(str, arguments)]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, env={**os.environ, **environment}
    )


@pytest.fixture
def config(tmp_path):
    def config(text):
        path = tmp_path / "refund-agent.toml"
        path.write_text(text)
        return path

    return config


# ---- the file ----

GOOD = """
trust = ["/etc/refund-agent/shop.key.pub"]
link = "/dev/refund-technician"
[power]
ina = "ina226"
address = 0x41
[network]
host = "acquirer.example:443"
tls = false
[terminal]
line = "192.0.2.7:20007"
currencies = ["EUR", "CHF"]
[gate]
till = ":20007"
lang = "zh"
[watchdog]
device = "/dev/watchdog0"
"""


def test_a_file_stands_for_options_and_for_changes_of_the_boards_data(config):
    told = linux_file.read(config(GOOD))
    assert told.faults == []
    assert told.options == {
        "trust": ["/etc/refund-agent/shop.key.pub"],
        "link": "/dev/refund-technician",
        "line": "192.0.2.7:20007",
        "till": ":20007",
    }
    assert told.changes == {
        **{"ina": "ina226", "address": 0x41, "host": "acquirer.example:443", "tls": False, "lang": "zh"},
        **{"currencies": {"EUR": 978, "CHF": 756}, "device": "/dev/watchdog0"},
    }


@pytest.mark.parametrize(
    "text, line, says, named",
    [
        ("[power]\nsuply = 'AC'", 2, "conf_no_key", "supply"),
        ("[powr]\nsupply = 'AC'", 1, "conf_no_section", "power"),
        ("\nsupply = 'AC'", 2, "conf_elsewhere", "[power]"),
        ("[network]\nbaud = 9600", 2, "conf_elsewhere", "[terminal]"),
        ("terminal = '/dev/ttyUSB0'", 1, "conf_section", "[terminal]"),
        ("[terminal]\nbaud = 9601", 2, "conf_one_of", "9600"),
        ("[terminal]\nbaud = true", 2, "conf_one_of", "9600"),
        ("[terminal]\nstop_bits = true", 2, "conf_one_of", "2"),
        ("[terminal]\nline = 'ttyUSB0'", 2, "conf_line", "/dev/"),
        ("[terminal]\nline = '192.0.2.7:70000'", 2, "conf_line", "HOST:PORT"),
        ("[terminal]\ncurrencies = ['EURO']", 2, "conf_currencies", "EUR"),
        ("[terminal]\ncurrencies = []", 2, "conf_currencies", "EUR"),
        ("[terminal]\ncurrencies = [['EUR']]", 2, "conf_currencies", "EUR"),
        ("[terminal]\ncurrencies = {EUR = 0}", 2, "conf_currencies", "EUR"),
        ("[network]\nhost = 'acquirer.example'", 2, "conf_place", "443"),
        ("[network]\ntls = 1", 2, "conf_truth", "true"),
        ("[network]\nca = 'ca.pem'\nhost = 'a:1'", 2, "conf_path", "/dev/"),
        ("[network]\nca = '/etc/ca.pem'", 2, "conf_ca_alone", "host"),
        ("[power]\nlow_mv = 6000", 2, "conf_order", "5500"),
        ("[power]\nlow_mv = 4600.5", 2, "conf_number", "60000"),
        ("[power]\nina = 'ina228'", 2, "conf_one_of", "ina226"),
        ("[power]\nina = 'ina226'\naddress = 0x90", 3, "conf_number", "119"),
        ("[power]\nina = 'ina226'\nsupply = 'AC'", 2, "conf_two_supplies", "one"),
        ("[power]\naddress = 0x40", 2, "conf_without_ina", "ina226"),
        ("[gate]\ntill = ':20007'", 2, "conf_gate_alone", "terminal"),
        ("[gate]\nlang = 'de'", 2, "conf_one_of", "en, zh"),
        ("[watchdog]\ntimeout_s = 30", 2, "conf_watchdog_alone", "device"),
        ("[watchdog]\ndevice = '/dev/watchdog'\ntimeout_s = 5", 3, "conf_number", "10"),
        ("trust = '/etc/key.pub'", 1, "conf_paths", "list"),
        ("[power]\nsupply = ' AC'", 2, "conf_text", "blanks"),
        ("[power]\nsupply = AC", 2, "toml_quotes", "quotation"),
        ("[power\nsupply = 'AC'", 1, "toml_header", "section"),
    ],
)
def test_a_fault_is_told_with_its_line_and_what_would_be_right(config, text, line, says, named):
    path = config(text + "\n")
    first = linux_file.read(path).faults[0]
    assert (first.line, first.says) == (line, says)
    for language in doctor.LANGUAGES:
        said = doctor.fault_text(language, first)
        assert "{" not in said.replace("{ EUR = 978 }", "")
    assert named in doctor.fault_text("en", first)


def test_run_says_the_first_fault_in_one_line_and_doctor_all_of_them(config, tmp_path):
    path = config("[power]\nsuply = 'AC'\n[terminal]\nbaud = 1\n")
    done = refund_agent("run", "--board", "linux", "--config", path, "--state", tmp_path / "state")
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert f"{path}:2: there is no setting suply here; do you mean supply?; 1 more: refund-agent doctor" in done.stderr
    done = refund_agent("doctor", "--config", path, "--state", tmp_path / "state", "--json")
    document = json.loads(done.stdout)
    assert done.returncode == 1 and document["missing"] == ["config"]
    assert [fault["line"] for fault in document["ports"][0]["values"]["faults"]] == [2, 4]


@pytest.mark.parametrize("text", [b"\xff\xfe", None])
def test_a_file_that_cannot_be_read_is_told_in_one_line(tmp_path, text):
    path = tmp_path / "config.toml"
    if text:
        path.write_bytes(text)
    done = refund_agent("run", "--board", "linux", "--config", path)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "cannot be read" in done.stderr
    assert refund_agent("doctor", "--config", path).returncode == 1
    assert refund_agent("run", "--board", "sim", "--config", path).returncode == 2


def test_a_technician_on_a_real_serial_line_is_served_there(tmp_path, config):
    master, slave = os.openpty()
    path = config(f'link = "{os.ttyname(slave)}"\n')
    command = [sys.executable, "-m", "boards.command", "run", "--board", "linux", "--config", str(path)]
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}
    agent = subprocess.Popen(
        [*command, "--state", str(tmp_path / "state")], cwd=ROOT, stdout=subprocess.PIPE, env=environment
    )
    try:
        assert os.ttyname(slave).encode() in agent.stdout.readline()
        os.set_blocking(master, False)
        seen, end = b"", time.monotonic() + 20
        while b"status" not in seen.replace(b"help", b"") and time.monotonic() < end:
            os.write(master, b"help\r")
            time.sleep(0.5)
            try:
                seen += os.read(master, 4096)
            except BlockingIOError:
                pass
        assert b"status" in seen
    finally:
        agent.terminate()
        agent.wait()
        agent.stdout.close()
        os.close(master)
        os.close(slave)


# ---- a machine, from files as the kernel has them ----


class Root:
    def __init__(self, folder):
        self.folder = folder / "root"
        self.state = folder / "state"
        self.state.mkdir()

    def put(self, path, text=""):
        path = self.folder / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def row(self, port, connect=None, options=None, **changes):
        told = linux_file.Adapted()
        told.options, told.changes = options or {}, changes
        machine = Machine(self.state, told, str(self.folder), connect)
        return {row.port: row for row in machine.rows()}[port]


@pytest.fixture
def root(tmp_path):
    return Root(tmp_path)


def said(row):
    return [key for key, _ in row.line], [key for key, _ in row.how]


def test_an_empty_machine_can_run_an_agent_and_everything_else_is_absent(root):
    for port in ("terminal", "power", "thermometer", "network", "watchdog", "policy", "keys", "link"):
        row = root.row(port)
        assert row.status == ("partly" if port == "link" else "absent") and row.how, port
    assert root.row("journal").status == "ready"


def test_supplies_sensors_and_interfaces_are_told_by_name_with_what_they_say_now(root):
    root.put("sys/class/power_supply/AC/voltage_now", "5012345\n")
    root.put("sys/class/hwmon/hwmon0/name", "board\n")
    root.put("sys/class/hwmon/hwmon0/in1_input", "3312\n")
    root.put("sys/class/thermal/thermal_zone0/type", "cpu-thermal\n")
    root.put("sys/class/thermal/thermal_zone0/temp", "41000\n")
    root.put("sys/class/net/eth7/carrier", "1\n")
    row = root.row("power")
    assert row.status == "absent" and row.values["supplies"] == ["AC (5,012 mV)", "board/in1 (3,312 mV)"]
    assert ("supply", {"name": "AC"}) in row.how and row.unknown == (4,)
    assert root.row("power", supply="AC").values["supply_mv"] == 5012
    assert root.row("power", supply="board/in1").values["supply_mv"] == 3312
    assert root.row("power", supply="other").status == "missing"
    assert root.row("power", ina="ina226", i2c="/dev/i2c-none").status == "missing"
    assert root.row("thermometer").values["temperature_c"] == 41
    assert root.row("thermometer", sensor="attic").status == "missing"
    assert root.row("network").values["interfaces"] == {"eth7": {"carrier": 1, "address": 0, "used": False}}
    assert root.row("network", interface="eth9").status == "missing"
    row = root.row("network", interface="eth7", host="127.0.0.1:1")
    assert row.status == "missing" and row.values["answer"] == "no_link"
    assert root.row("network", host="127.0.0.1:1", tls=True, ca="/no/such").status == "missing"


def test_a_line_that_is_not_there_or_none_or_in_somebodys_hands_is_told_with_what_to_do(root):
    line = {"line": "/dev/ttyUSB0"}
    assert said(root.row("terminal", options=line)) == (["tty_gone", "seen_none"], ["tty_gone"])
    path = root.put("dev/ttyUSB0")
    assert said(root.row("terminal", options=line)) == (["tty_other"], ["tty_gone"])
    path.unlink()
    master, slave = os.openpty()
    path.symlink_to(os.ttyname(slave))
    assert root.row("terminal", options=line).status == "ready"
    root.put("proc/17/comm", "minicom\n")
    (root.folder / "proc/17/fd").mkdir()
    (root.folder / "proc/17/fd/3").symlink_to(os.ttyname(slave))
    row = root.row("terminal", options=line)
    assert said(row) == (["tty_good", "tty_held"], ["tty_held"]) and row.status == "missing"
    assert row.line[1][1]["process"] == 17
    (root.folder / "proc/17/fd/3").unlink()
    root.put("proc/18/comm", "ModemManager\n")
    assert said(root.row("terminal", options=line)) == (["tty_good", "modem"], ["modem"])
    os.close(master)
    os.close(slave)


def test_a_line_of_a_group_that_we_are_not_in_names_the_group(root, mocker):
    master, slave = os.openpty()
    (root.folder / "dev").mkdir(parents=True)
    (root.folder / "dev/ttyUSB0").symlink_to(os.ttyname(slave))
    can = os.access
    mocker.patch.object(doctor_look.os, "access", lambda path, how: "tty" not in str(path) and can(path, how))
    row = root.row("terminal", options={"line": "/dev/ttyUSB0"})
    assert said(row) == (["tty_denied"], ["dialout"]) and row.how[0][1]["group"]
    os.close(master)
    os.close(slave)


def test_a_terminal_over_tcp_is_called(root):
    def refused(where):
        assert where == ("192.0.2.7", 20007)
        raise ConnectionRefusedError(111, "refused")

    options = {"line": "192.0.2.7:20007"}
    assert root.row("terminal", refused, options).status == "missing"
    assert root.row("terminal", lambda where: None, options).status == "ready"


def test_a_journal_that_would_not_open_is_told_before_it_is_tried(root):
    (root.state / "journal").write_bytes(b"\xff" * 100)
    row = root.row("journal")
    assert row.status == "missing" and said(row)[1] == ["journal_size"]
    assert (root.state / "journal").read_bytes() == b"\xff" * 100


def test_keys_that_are_none_are_told(root):
    (root.state / "trusted").write_text("# shop\n" + "a" * 16 + " " + "b" * 128 + " anna\n")
    assert root.row("keys").values["keys"] == 1
    (root.state / "trusted").write_text("rubbish\n")
    assert root.row("keys").status == "missing"
    (root.state / "trusted").unlink()
    assert root.row("keys", options={"trust": ["/no/such.pub"]}).status == "missing"


def test_a_key_that_is_not_there_yet_is_to_be_brought_and_one_that_is_there_twice_counts_once(root, tmp_path):
    path = tmp_path / "shop.key.pub"
    options = {"trust": [str(path)]}
    assert said(root.row("keys", options=options)) == (["key_file"], ["key_gone"])
    path.write_text("a" * 16 + " " + "b" * 128 + " anna\n")
    (root.state / "trusted").write_text(path.read_text())
    assert root.row("keys", options=options).values["keys"] == 1


def test_the_state_of_a_service_that_we_may_not_see_sends_us_to_sudo(root, mocker):
    can = os.access
    mocker.patch.object(doctor_look.os, "access", lambda path, how: path != root.state and can(path, how))

    def closed(path, *arguments):
        raise PermissionError(13, "Permission denied", str(path))

    mocker.patch.object(doctor_look.Path, "read_text", closed)
    for port, says in (("journal", "state_not"), ("keys", "key_file"), ("policy", "policy_unread")):
        row = root.row(port)
        assert (row.status, *said(row)) == ("missing", [says], ["sudo"]), port


def test_a_line_whose_rules_keep_modem_manager_away_is_no_fault(root):
    master, slave = os.openpty()
    (root.folder / "dev").mkdir(parents=True)
    (root.folder / "dev/refund-terminal").symlink_to(os.ttyname(slave))
    root.put("proc/18/comm", "ModemManager\n")
    device = os.fstat(slave).st_rdev
    noted = root.put(f"run/udev/data/c{os.major(device)}:{os.minor(device)}", "I:123\nE:ID_MM_DEVICE_IGNORE=1\n")
    options = {"line": "/dev/refund-terminal"}
    assert said(root.row("terminal", options=options)) == (["tty_good"], [])
    noted.write_text("E:ID_MM_CANDIDATE=1\n")
    assert said(root.row("terminal", options=options)) == (["tty_good", "modem"], ["modem"])
    os.close(master)
    os.close(slave)


def test_garbage_of_the_kernel_and_names_that_are_words_of_ours_end_no_doctor(root, config, tmp_path):
    root.put("sys/class/power_supply/AC/voltage_now", "\u00b2\n")
    root.put("sys/class/power_supply/BAT/voltage_now", "9" * 5000)
    root.put("sys/class/net/{yes}/carrier", "1\n")
    assert root.row("power").values["supplies"] == ["AC (-)", "BAT (-)"]
    path = config('[climate]\nsensor = "{yes or no}"\n[power]\nsupply = "{x}"\n')
    for language in ("en", "zh"):
        environment = {**os.environ, "PYTHONIOENCODING": "latin-1", "XDG_RUNTIME_DIR": str(tmp_path)}
        command = [sys.executable, "-m", "boards.command", "doctor", "--lang", language, "--config", str(path)]
        done = subprocess.run(
            [*command, "--state", str(tmp_path / "s")], cwd=ROOT, env=environment, capture_output=True
        )
        assert (done.returncode, done.stderr) == (1, b"") and b"{yes or no}" in done.stdout


def test_a_watchdog_is_told_and_never_opened(root):
    root.put("dev/watchdog0")
    root.put("sys/class/watchdog/watchdog0/identity", "iTCO_wdt\n")
    row = root.row("watchdog")
    assert row.status == "absent" and row.values["devices"] == ["/dev/watchdog0"]
    row = root.row("watchdog", device="/dev/watchdog0")
    assert row.status == "ready" and row.line[0][1]["name"] == "iTCO_wdt"
    assert (root.folder / "dev/watchdog0").read_bytes() == b""
    assert root.row("watchdog", device="/dev/watchdog7").status == "missing"


# ---- what is said of it ----


def test_both_tables_say_the_same_things():
    english, chinese = dict(flat(doctor_en.TABLE)), dict(flat(doctor_zh.TABLE))
    assert english.keys() == chinese.keys()
    assert {path for path in english if braces(english[path]) != braces(chinese[path])} == set()
    assert all(text.strip() for text in [*english.values(), *chinese.values()])
    assert not [path for path, text in english.items() if re.search("[\u4e00-\u9fff]", text)]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_line_of_this_machine_fits_into_80_columns(language, tmp_path, config):
    path = config(GOOD.replace("192.0.2.7:20007", "127.0.0.1:1").replace("acquirer.example:443", "127.0.0.1:1"))
    for arguments in ((), ("--config", path)):
        done = refund_agent("doctor", "--lang", language, "--state", tmp_path / "s", *arguments)
        assert done.stderr == "" and done.returncode == bool(arguments)
        assert [line for line in done.stdout.splitlines() if cell_len(line) > 80] == []
        assert "{" not in done.stdout
        for port in doctor_look.UNKNOWN:
            assert doctor.LANGUAGES[language]["port"][port] in done.stdout


def test_the_document_says_what_the_screen_says(tmp_path):
    document = json.loads(refund_agent("doctor", "--json", "--state", tmp_path / "s").stdout)
    assert document["ready"] is True and document["board"] == "linux"
    ports = {row["port"]: row for row in document["ports"]}
    assert ports.keys() == doctor_en.TABLE["port"].keys() - {"till"}
    assert {cause["cause"] for cause in ports["terminal"]["unknown"]} == set(doctor_look.UNKNOWN["terminal"])


# ---- the causes that stay UNKNOWN are those that an agent calls so ----

FULL = {
    "power": 5000,
    "temperature": 20,
    "network": {"link": 1, "address": 1, "host_ms": 20, "dns": 1, "tls": 1},
    "reset_reason": "power_on",
}


def unknown(**hardware):
    scene = {"wall_s": 1795514400, "for_ms": 4000, "hardware": {**FULL, **hardware}}
    answer = messages.unpack(messages.PREFLIGHT_ANSWER, verdict(scene))
    return {one["cause"] for one in answer["findings"] if one["status"] == messages.UNKNOWN}


@pytest.mark.parametrize("port, lacking", [("power", "power"), ("thermometer", "temperature"), ("network", "network")])
def test_what_a_port_is_needed_for_is_what_an_agent_calls_unknown_without_it(port, lacking):
    assert unknown(**{lacking: None}) - unknown() == set(doctor_look.UNKNOWN[port])


@pytest.mark.parametrize("port, missing", [("terminal", "terminal"), ("policy", "policy")])
def test_what_terminal_and_policy_are_needed_for_is_what_an_agent_says_it_lacks(port, missing):
    request = {"key": "a", "receipt": 1, "amount": 100, "currency": "EUR"}
    scene = {"wall_s": 1795514400, "for_ms": 4000, "hardware": FULL, "request": request}
    answer = messages.unpack(messages.PREFLIGHT_ANSWER, verdict(scene))
    lacking = {
        one["cause"]
        for one in answer["findings"]
        if re.match(missing + "(:|_line$|$)", str(one["evidence"].get("missing")))
    }
    assert lacking == set(doctor_look.UNKNOWN[port])
