"""The device tests once more, under real MicroPython, from .mpy and within a board's heap.

Each module of tests/device runs in an interpreter of its own. A module whose own code needs more heap than the agent
leaves it says so in its header: HEAP = "192k".
"""

import ast
import os
import platform
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from boards.compiled import compile_beside, compiled, flat

DEVICE = Path(__file__).parent / "device"
_HEAP = "128k"
_PATIENCE_S = 400  # a module takes seconds, on a busy machine minutes; this one ends what hangs

# What the interpreter runs. It prints "run NAME", what the test prints, then "ok" or a traceback; at the end the highest use
# of the heap seen between tests.
_RUN = """
import sys, gc
gc.threshold(1024)
import {module} as tests
gc.threshold(4096)
peak = 0
for name in sorted(dir(tests)):
    if not name.startswith("test_"):
        continue
    print("run", name)
    try:
        result = getattr(tests, name)()
        if hasattr(result, "send"):
            import asyncio
            try:
                asyncio.run(asyncio.wait_for(result, 30))
            finally:
                asyncio.new_event_loop()
        result = None
        print("ok")
    except BaseException as error:
        sys.print_exception(error, sys.stdout)
    gc.collect()
    peak = max(peak, gc.mem_alloc())
print("heap", peak)
"""


def _functions(path):
    return [
        node.name
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    ]


MODULES = {path.stem: path for path in sorted(DEVICE.glob("test_*.py"))}
TESTS = [(module, name) for module, path in MODULES.items() for name in _functions(path)]


@pytest.fixture(scope="session")
def runs(request, tmp_path_factory):
    """Futures of {module: (lines, exit status)}, of the modules that have a test selected; two interpreters at a time."""
    try:
        import micropython_unix  # noqa: F401
    except ImportError:
        if sys.platform == "linux" and platform.machine() == "x86_64":
            pytest.fail("MicroPython is not installed: pip install '.[micropython]'")
        pytest.skip(f"there is no MicroPython wheel for {sys.platform} on {platform.machine()}")
    folder = tmp_path_factory.mktemp("mpy")
    for path in compiled().iterdir():
        shutil.copy(path, folder)
    compile_beside(folder, {f"device.{path.stem}": path for path in DEVICE.glob("*.py") if path.stat().st_size})
    wanted = {
        item.callspec.params["module"] for item in request.session.items if item.name.startswith("test_on_micropython[")
    }
    with ThreadPoolExecutor(2) as pool:
        yield {module: pool.submit(_run, folder, module) for module in MODULES if module in wanted}
        pool.shutdown(cancel_futures=True)


def _run(folder, module):
    heap = re.search(r'^HEAP = "(\w+)"', MODULES[module].read_text(), re.MULTILINE)
    start = "import sys; from micropython_unix import main; sys.exit(main())"
    command = [sys.executable, "-c", start, "-X", "heapsize=" + (heap[1] if heap else _HEAP)]
    command += ["-c", _RUN.format(module=flat("device." + module))]
    environment = {**os.environ, "MICROPYPATH": ":.frozen"}
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_PATIENCE_S,
            text=True,
            errors="replace",
        )
        return done.stdout.splitlines(), done.returncode
    except subprocess.TimeoutExpired as error:
        return [*(error.stdout or b"").decode(errors="replace").splitlines(), "it did not end"], -1


def _block(lines, name):
    """What was printed by this test; everything if it never began."""
    if "run " + name not in lines:
        return lines
    block = lines[lines.index("run " + name) + 1 :]
    for at, line in enumerate(block):
        if line.startswith(("run ", "heap ")):
            return block[:at]
    return block


@pytest.mark.parametrize(("module", "name"), TESTS)
def test_on_micropython(runs, module, name):
    lines, status = runs[module].result()
    block = _block(lines, name)
    if "run " + name not in lines or block[-1:] != ["ok"]:
        text = "\n".join(block) or "it printed nothing"
        pytest.fail(f"{module} under MicroPython, exit status {status}:\n{text}", pytrace=False)


def test_an_hour_of_a_busy_shop_leaves_the_heap_as_it_was(runs, record_count):
    """What tests/device/test_hour.py saw, for the closing lines."""
    if "test_hour" not in runs:
        pytest.skip("it was not played")
    [line] = [line for line in runs["test_hour"].result()[0] if line.startswith("in use after")]
    seen = [int(number) for number in re.findall("[0-9]+", line)]
    record_count(
        "heap in use in an hour of a busy shop, bytes", f"{seen[1]:,} to {seen[-1]:,}, at most {max(seen[1:]):,}"
    )


def test_the_device_tests_leave_heap_free(runs, record_count):
    """Each module ended, and said how much heap was in use at most between two of its tests."""
    used = {}
    for module, run in runs.items():
        lines, status = run.result()
        assert status == 0, (module, status, lines[-5:])
        used[module] = int(lines[-1].split()[1])
    assert used
    most = max(used, key=used.get)
    record_count("heap in use between device tests, at most", f"{used[most]} bytes in {most}")
