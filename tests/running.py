"""An agent and its simulated terminal as processes, for the tests that need the real thing."""

import atexit
import functools
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from boards.simulated import SimulatedTerminal
from firmware_agent.wire import messages
from host_tools import link, link_port, policy_sign, policy_source

ROOT = Path(__file__).resolve().parent.parent

# A tenth of the paper's timers, in the paper's proportions, so that a test of repeats and silences ends in time.
QUICK_TERMINAL = ("--quiet", "--t1-ms", "50", "--t2-ms", "400", "--t3-ms", "600")
QUICK_AGENT = ("t1_ms=50", "t2_ms=500", "t3_ms=1500")

ANSWER_S = 2.5  # on a busy machine
START_S = 20  # an agent starts within one or two seconds; many at once on two cores take longer


def micropython_here():
    """True where PyPI has the MicroPython interpreter for this machine."""
    import importlib.util

    return importlib.util.find_spec("micropython_unix") is not None


RUNTIMES = ("cpython", "micropython") if micropython_here() else ("cpython",)


class Agent:
    """A running agent. `folder`: its state and its link. `terminal`: path of a line, None for one of its own."""

    def __init__(
        self, folder, runtime="cpython", terminal=None, changes=QUICK_AGENT, options=(), heap=None, board="sim"
    ):
        self.folder = Path(folder)
        self.link = self.folder / "agent"
        # of a board without sensors the best that can be said is WARN
        self.best = messages.PASS if board == "sim" else messages.WARN
        command = [sys.executable, "-m", "boards.command", "run", "--board", board, "--runtime", runtime]
        command += ["--link", str(self.link), "--state", str(self.folder / "state"), *options]
        command += ["--terminal", str(terminal)] if terminal else []
        if board == "linux":  # it does no refund without a signed policy
            command += ["--trust", str(_signer())]
        for change in changes:
            command += ["--change", change]
        environment = {**os.environ, "XDG_RUNTIME_DIR": str(self.folder)}
        if heap:
            environment["REFUND_AGENT_HEAP"] = heap
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )
        said = self.process.stdout.readline()
        if not said.startswith("agent "):
            raise RuntimeError("the agent did not start: " + said + self.process.stderr.read())
        self.pid = int(said.split()[1])
        if board == "linux":
            self.put(signed())

    def put(self, envelope):
        """Put a signed policy on the agent, unless it is there."""
        asked = {"size": len(envelope), "digest": hashlib.sha256(envelope).digest(), "offset": 0}
        have = self.ask(messages.POLICY_PUT, asked)["have"]
        while have < len(envelope):
            piece = {**asked, "offset": have, "data": envelope[have : have + 512]}
            have = self.ask(messages.POLICY_PUT, piece)["have"]

    def ask(self, command, values=None):
        """One answer as host tools get it: {name: value}."""
        line = link.Link(str(self.link))
        end = time.monotonic() + START_S
        while True:
            try:
                line.open()
                break
            except link_port.PortBusy:  # a process that another thread of the test starts holds its lock until it runs
                if time.monotonic() > end:
                    raise
                time.sleep(0.01)
        try:
            return line.ask(command, values, ANSWER_S)
        finally:
            line.close()

    def ready(self):
        """Wait until the hardware's verdict is as good as it gets."""
        end = time.monotonic() + START_S
        while self.ask(messages.STATUS)["verdict"] != self.best:
            if time.monotonic() > end:
                raise RuntimeError("the agent is not ready")
            time.sleep(0.05)
        return self

    def refund(self, request):
        """Ask until the answer is final."""
        while True:
            answer = self.ask(messages.REFUND, request)
            if answer["final"]:
                return answer
            time.sleep(0.05)

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)
        self.process.wait()
        self._close()

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait()
        self._close()

    def _close(self):
        self.process.stdout.close()
        self.process.stderr.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


_POLICY = """
[policy]
id = "test"
version = 1
valid_from = 2020-01-01
expires = 2099-12-31
currency = "EUR"
[people]
procedure = "this test"
procedure_days = 1
[unknown]
default = "warn"
"""


_one_key = threading.Lock()


def _signer():
    """A key of this run, whose public part agents are told to trust; path of that. Shops are played in threads: one key."""
    with _one_key:
        return _made_once()


@functools.cache
def _made_once():
    key = policy_sign.new_key()
    folder = Path(tempfile.mkdtemp(prefix="refund-key-"))
    atexit.register(shutil.rmtree, folder, True)
    (folder / "key").write_bytes(key)
    (folder / "key.pub").write_text(policy_sign.public_line(key) + "\n")
    return folder / "key.pub"


@functools.cache
def signed(source=_POLICY):
    """A policy as an envelope that agents of board linux trust here."""
    return policy_sign.sign(policy_source.read(source).payload, _signer().with_suffix("").read_bytes())


def terminal(folder, *options):
    """A SimulatedTerminal with quick timers in `folder`."""
    return SimulatedTerminal(Path(folder) / "terminal", Path(folder) / "turnover.db", [*QUICK_TERMINAL, *options])


def turnovers(folder):
    """Rows of the terminal's own store."""
    import json

    command = [sys.executable, "-m", "hal.sim.zvt_terminal", "--store", str(Path(folder) / "turnover.db")]
    done = subprocess.run([*command, "--list", "--json"], cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["turnovers"]
