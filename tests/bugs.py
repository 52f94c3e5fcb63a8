"""Plants the bugs of tests/planted.py in a copy of the tree, one at a time, and runs the tests there: each must be caught.

`make bugs`, or `python -m tests.bugs [--proofs] [--list] [NAME …]`. The tree itself is never touched.
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from .planted import BUGS

ROOT = Path(__file__).resolve().parent.parent
COPIED = ("firmware_agent", "hal", "boards", "host_tools", "tests", "pyproject.toml")
PROOFS = ("tests/test_cuts.py", "tests/test_flips.py", "tests/test_model.py")
QUICK = ("journal", "history", "words", "settled", "life_cycle", "power_cuts", "refund_table", "checks", "lifetime")
TESTS = (*(f"tests/device/test_{name}.py" for name in QUICK), "tests/test_linux_flash.py", *PROOFS)
# Every seventh byte, some histories, and the same ones each time: a bug that shows at all shows at many of them.
SMALLER = {"CUT_STEP": "7", "HISTORIES": "60", "SEED": "1", "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "400"}
PATIENCE = 5  # times as long as the tests take without a bug

_running = set()


def copy(source, target):
    """A copy of what the tests need."""
    target.mkdir()
    for name in COPIED:
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source / name, target / name)
    return target


def applies(bug, tree):
    """How often the text of a bug occurs in its file."""
    path = tree / bug.file
    return path.read_text().count(bug.old) if path.is_file() else 0


def plant(bug, tree):
    path = tree / bug.file
    path.write_text(path.read_text().replace(bug.old, bug.new))
    compile(path.read_text(), bug.file, "exec")


def run(tree, tests, patience=None):
    """(exit status, None if it did not end; the test that failed first; everything that was said; seconds)."""
    begun = time.monotonic()
    environment = {name: value for name, value in os.environ.items() if name not in ("DEEP", "SHRINK", "PYTHONPATH")}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--tb=short"]
    command += ["--hypothesis-seed=1", f"--basetemp={tree / 'tmp'}", *tests]
    process = subprocess.Popen(
        command,
        cwd=tree,
        env={**environment, **SMALLER},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    _running.add(process)
    try:
        said = process.communicate(timeout=patience)[0]
        status = process.returncode
    except subprocess.TimeoutExpired:
        end(process)
        said = process.communicate()[0]
        status = None
    finally:
        _running.discard(process)
    failed = re.search(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", said, re.MULTILINE)
    return status, failed and failed[1], said, time.monotonic() - begun


def end(process):
    """The tests, and what they started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def try_bug(bug, clean, folder, tests, patience):
    """(bug, caught, by what, seconds)."""
    tree = copy(clean, folder / bug.name)
    try:
        plant(bug, tree)
        status, failed, said, seconds = run(tree, tests, patience)
    finally:
        shutil.rmtree(tree, ignore_errors=True)
    if status == 0:
        return bug, False, "nothing: " + bug.wrong, seconds
    if status is None:
        return bug, True, f"the tests did not end within {patience:.0f} s", seconds
    if status != 1 or not failed:
        return bug, False, f"pytest could not run it (exit status {status}):\n{said[-2000:]}", seconds
    return bug, True, failed.removeprefix("tests/"), seconds


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.bugs", description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these bugs; else all")
    parser.add_argument("--proofs", action="store_true", help="run the cuts, the flips and the model alone")
    parser.add_argument("--list", action="store_true", help="say what each bug breaks, and run nothing")
    asked = parser.parse_args()
    unknown = set(asked.names) - {bug.name for bug in BUGS}
    if unknown:
        parser.error("no such bug: " + ", ".join(sorted(unknown)))
    bugs = [bug for bug in BUGS if not asked.names or bug.name in asked.names]
    if asked.list:
        for bug in bugs:
            print(f"{bug.name:32} {bug.wrong} ({bug.file})")
        return 0
    with tempfile.TemporaryDirectory(prefix="bugs-") as folder:
        try:
            return check(bugs, Path(folder), PROOFS if asked.proofs else TESTS)
        finally:
            for process in list(_running):
                end(process)


def check(bugs, folder, tests):
    """The exit status."""
    clean = copy(ROOT, folder / "clean")
    begun = time.monotonic()
    stale = [(bug, applies(bug, clean)) for bug in bugs if applies(bug, clean) != 1]
    for bug, times in stale:
        print(f"{bug.name}: does not apply any more: its text occurs {times} times in {bug.file}, and must occur once")
    print("without a bug: ", end="", flush=True)
    status, failed, said, seconds = run(clean, tests)
    if status:
        print(f"not green, so no bug can show: {failed or 'pytest could not run it'}\n{said[-3000:]}")
        return 1
    print(f"green, {seconds:.0f} s")
    bugs = [bug for bug in bugs if bug not in [one for one, _ in stale]]
    caught = done = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        tasks = [pool.submit(try_bug, bug, clean, folder, tests, PATIENCE * seconds) for bug in bugs]
        try:
            for task in as_completed(tasks):
                bug, was_caught, by, took = task.result()
                caught += was_caught
                done += 1
                mark = "caught    " if was_caught else "NOT CAUGHT"
                progress(f"{mark} {took:5.1f} s  {bug.name:32} {by}\n")
                progress(f"{done} of {len(bugs)}, {time.monotonic() - begun:.0f} s")
        finally:
            for task in tasks:
                task.cancel()
            if done < len(tasks):
                for process in list(_running):
                    end(process)
    progress(f"{caught} of {len(bugs) + len(stale)} planted bugs caught, {time.monotonic() - begun:.0f} s\n")
    return int(caught < len(bugs) + len(stale))


def progress(text):
    """A whole line; or, on a terminal, one that the next takes the place of."""
    if sys.stdout.isatty():
        print("\r\033[K" + text, end="", flush=True)
    elif text.endswith("\n"):
        print(text, end="", flush=True)


if __name__ == "__main__":
    sys.exit(main())
