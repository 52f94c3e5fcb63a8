"""For every test: coroutines are run, and the closing lines of a run say what was counted.

`make test` runs three files at a time (pytest-xdist), for many of them mostly wait; the longest are begun first.
"""

import asyncio
import gc
import inspect

import pytest

_PATIENCE_S = 30  # for a coroutine; none takes longer than three
_COUNTS = pytest.StashKey()
_LONGEST_FIRST = (
    "test_device_on_micropython.py test_deploy.py test_cuts.py test_deploy_refusals.py test_some_cuts.py test_end_to_end.py "
    "test_flips.py test_killed_agent.py test_linux_package.py test_model.py test_combined_causes.py test_gate_cuts.py "
    "test_readme.py test_capture.py test_link_tools.py test_terminal_lines.py"
)


def pytest_configure(config):
    config.stash[_COUNTS] = {}


@pytest.fixture(scope="session")
def record_count(request):
    """record_count(name, value): one line of the closing summary; the last value of a name stays."""
    return request.config.stash[_COUNTS].__setitem__


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    wanted = pyfuncitem._fixtureinfo.argnames
    test = pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in wanted})
    asyncio.run(asyncio.wait_for(test, _PATIENCE_S))
    return True


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: _LONGEST_FIRST.find(item.path.name) % 1000)


def pytest_collection_finish():
    gc.collect()
    gc.freeze()  # the tests themselves need not be looked through at each collection


def pytest_sessionfinish(session):
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["counts"] = dict(session.config.stash[_COUNTS])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    node.config.stash[_COUNTS].update(getattr(node, "workeroutput", {}).get("counts", {}))


def pytest_terminal_summary(terminalreporter, config):
    passed = [report.nodeid for report in terminalreporter.stats.get("passed", ()) if report.when == "call"]
    lines = dict(sorted(config.stash[_COUNTS].items()))
    for runtime, place in (("CPython", "/device/"), ("MicroPython", "::test_on_micropython[")):
        count = sum(place in nodeid for nodeid in passed)
        if count:
            lines[f"device tests passed under {runtime}"] = count
    if lines:
        terminalreporter.section("counts")
        for name, value in lines.items():
            terminalreporter.write_line(f"{name}: {value}")
