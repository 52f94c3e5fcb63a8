"""The README's commands are run as they stand there, in both languages."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from . import running

# What a command of the README ends with where that is not 0: the page says so beside it.
_ENDS_WITH = {"till": [0, 3], "refund": [0, 4], "preflight": [0, 3]}


def commands(page):
    blocks = re.findall(r"^```sh\n(.*?)^```", (running.ROOT / page).read_text(), re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line]


def until(link, environment, verdict):
    """Wait, as a person would, until the agent has seen its hardware."""
    end = time.monotonic() + running.START_S
    command = [sys.executable, "-m", "host_tools.refundctl", "--port", str(link), "--json", "status"]
    while time.monotonic() < end:
        done = subprocess.run(command, cwd=running.ROOT, env=environment, capture_output=True, text=True)
        if done.returncode == 0 and json.loads(done.stdout)["verdict"] == verdict:
            return
    raise AssertionError(f"the hardware's verdict never was {verdict}")


def end(agent):
    """What Ctrl-C does."""
    agent.send_signal(signal.SIGINT)
    agent.wait()
    agent.stdout.close()


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_the_commands_of_the_readme_do_what_it_says(page, tmp_path):
    bin_folder = str(Path(sys.executable).parent)
    environment = {**os.environ, "PATH": bin_folder + os.pathsep + os.environ["PATH"], "HOME": str(tmp_path)}
    environment |= {"XDG_STATE_HOME": str(tmp_path / "state"), "XDG_RUNTIME_DIR": str(tmp_path)}
    statuses = {}
    agent = None
    try:
        for line in commands(page):
            line = line.replace("/tmp/agent", str(tmp_path / "agent"))
            if line.startswith("pip install"):
                continue  # make test has done that
            if line.startswith("refund-agent run"):
                if agent:
                    end(agent)
                agent = subprocess.Popen(
                    line.split(), cwd=running.ROOT, env=environment, stdout=subprocess.PIPE, text=True
                )
                assert agent.stdout.readline().startswith("agent ")
                until(tmp_path / "agent", environment, "GO")
                continue
            done = subprocess.run(
                line, shell=True, cwd=running.ROOT, env=environment, capture_output=True, text=True, timeout=60
            )
            assert done.stderr.count("\n") <= 1, (line, done.stderr)
            word = next((word for word in _ENDS_WITH if f" {word} " in line), None)
            statuses.setdefault(word, []).append(done.returncode)
            if line.endswith("power=4100"):
                until(tmp_path / "agent", environment, "HOLD")
    finally:
        if agent:
            end(agent)
    for word, expected in _ENDS_WITH.items():
        assert statuses.pop(word) == expected, word
    assert set(statuses.pop(None)) == {0}
    assert not statuses


def test_every_make_target_the_readme_names_exists():
    if not shutil.which("make"):
        pytest.skip("there is no make here")
    for page in ("README.md", "README.zh-CN.md"):
        targets = set(re.findall(r"(?:^    |`)make ([a-z-]+)", (running.ROOT / page).read_text(), re.MULTILINE))
        assert {"demo", "test"} <= targets
        for target in targets:
            done = subprocess.run(["make", "-n", target], cwd=running.ROOT, capture_output=True, text=True)
            assert done.returncode == 0, (target, done.stderr)
