"""The simulated terminal as a process beside an agent: started, waited for, ended."""

import subprocess
import sys
import time

from .compiled import ROOT
from .process import dies_with_parent

_READY_S = 10  # a new process on a slow machine takes one or two


class NotReady(Exception):
    """The simulated terminal did not start; the text says what it said."""


class SimulatedTerminal:
    """`link`: path at which its serial line appears, or where it listens, `127.0.0.1:0`; then `.link` has the port it got.
    `store`: its turnover store. `options`: more of its command line."""

    def __init__(self, link, store, options=()):
        command = [sys.executable, "-m", "hal.sim.zvt_terminal", "--listen", str(link), "--store", str(store), *options]
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            bufsize=1,
            preexec_fn=dies_with_parent,
        )
        end = time.monotonic() + _READY_S
        said = ""
        while time.monotonic() < end and not said.startswith("ready"):
            line = self.process.stdout.readline()
            if not line:
                break
            said = line
        if not said.startswith("ready"):
            self.stop()
            raise NotReady("the simulated terminal does not start: " + (said.strip() or "it said nothing"))
        self.link = said.removeprefix("ready").strip()

    def tell(self, command):
        """One command, as on its own console; returns its answer line."""
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        while True:
            line = self.process.stdout.readline()
            if not line:
                raise NotReady("the simulated terminal has ended")
            if line.startswith(("ok", "error")):
                return line.strip()

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
