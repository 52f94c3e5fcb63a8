"""For every test: coroutines are run, and the closing lines of a run say what was counted."""

import asyncio
import inspect

import pytest

_PATIENCE_S = 30  # for a coroutine; none takes longer than three
_COUNTS = pytest.StashKey()


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


def pytest_terminal_summary(terminalreporter, config):
    passed = [report.nodeid for report in terminalreporter.stats.get("passed", ()) if report.when == "call"]
    lines = dict(config.stash[_COUNTS])
    for runtime, place in (("CPython", "/device/"), ("MicroPython", "::test_on_micropython[")):
        if any(place in item.nodeid for item in getattr(terminalreporter._session, "items", ())):
            lines[f"device tests passed under {runtime}"] = sum(place in nodeid for nodeid in passed)
    if lines:
        terminalreporter.section("counts")
        for name, value in lines.items():
            terminalreporter.write_line(f"{name}: {value}")
