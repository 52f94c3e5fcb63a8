"""A till's and a terminal's end of a line, and what stands between them: nothing, socat, or an agent's gate.

All of them stand between the same pseudo-terminals, or the same sockets of this machine.
"""

import contextlib
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import tty
from importlib.util import find_spec
from pathlib import Path

from boards.process import dies_with_parent
from hal.terminals.zvt import frame, tcp_line

ROOT = Path(__file__).parent.parent
PSEUDO, SOCKETS = "pseudo-terminals", "TCP sockets"
DIRECT, SOCAT = "nothing", "socat"

_ENQUIRY = bytes.fromhex("0501050000000302")
_NOT_SUPPORTED = b"\x84\x83\x00"
_PATIENCE_S = 15


@contextlib.contextmanager
def undisturbed():
    """Before whatever else this machine does: ourselves, and whom we start. True if the system permits it."""
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except PermissionError:
        yield False
        return
    try:
        yield True
    finally:
        os.sched_setscheduler(0, *before)


def runtimes():
    """{runtime: its name} of those that are here."""
    names = {"cpython": "CPython", "micropython": "MicroPython"}
    return {name: names[name] for name in names if name == "cpython" or find_spec("micropython_unix")}


def gate(runtime, folder, *options):
    """An agent with a gate, as a process; its state in a new folder in `folder`."""
    state = tempfile.mkdtemp(prefix=runtime + "-", dir=folder)
    command = [sys.executable, "-m", "boards.command", "run", "--gate", "--runtime", runtime, *options]
    return subprocess.Popen(
        [*command, "--state", state, "--link", state + "/link"],
        cwd=ROOT,
        env={**os.environ, "XDG_RUNTIME_DIR": str(folder)},
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=dies_with_parent,
    )


def end(process):
    if process.poll() is None:
        process.terminate()
    process.wait()
    if process.stdout:
        process.stdout.close()


class Stuck(Exception):
    """What was written at one end did not come out at the other."""


class Socat:
    """socat as a package of the system has it, or fetched from Debian's into `folder`; `command` is None where neither is."""

    def __init__(self, folder):
        self.command = shutil.which("socat")
        self.environment = dict(os.environ)
        if not self.command:
            folder.mkdir(exist_ok=True)
            fetched = folder / "usr/bin/socat"
            if not fetched.exists():
                self._fetch(folder)
            libraries = sorted({str(path.parent) for path in (folder / "usr/lib").rglob("*.so.*")})
            self.environment["LD_LIBRARY_PATH"] = ":".join(libraries)
            self.command = str(fetched)
        self.version = self._version()
        if not self.version:
            self.command = None

    def _fetch(self, folder):
        for package in ("socat", "libwrap0"):
            with contextlib.suppress(OSError):
                subprocess.run(["apt-get", "download", package], cwd=folder, capture_output=True)
        for package in folder.glob("*.deb"):
            with contextlib.suppress(OSError):
                subprocess.run(["dpkg", "-x", package, folder], capture_output=True)

    def _version(self):
        try:
            said = subprocess.run([self.command, "-V"], env=self.environment, capture_output=True, text=True).stdout
        except OSError:
            return None
        return said.split(" version ")[1].split()[0] if " version " in said else None


class Line:
    """`till`, `terminal`: numbers of open files, the two ends. `kind`: PSEUDO or SOCKETS. `between`: DIRECT (the ends are
    those of one pseudo-terminal or connection), a runtime for a gate, or a Socat. Stuck: it does not carry."""

    def __init__(self, kind, between, folder):
        self.framed = kind == PSEUDO
        self.pack = frame.pack if self.framed else bytes
        self._between = between
        self._folder = folder
        self._process = None
        self._stack = contextlib.ExitStack()
        try:
            if self.framed:
                self._on_pseudo_terminals()
            else:
                self._on_sockets()
            if between != DIRECT:
                self._settle()
        except BaseException:
            self.close()
            raise

    def _on_pseudo_terminals(self):
        self.till, here = self._pseudo_terminal()
        if self._between == DIRECT:
            self.terminal = here
            return
        self.terminal, there = self._pseudo_terminal()
        here, there = os.ttyname(here), os.ttyname(there)
        self._start(here, there, "FILE:%s,raw,echo=0" % here, "FILE:%s,raw,echo=0" % there)

    def _pseudo_terminal(self):
        """(master, slave), both open here: whoever stands between may come later."""
        ends = os.openpty()
        for end in ends:
            self._stack.callback(os.close, end)
        tty.setraw(ends[1])
        return ends

    def _on_sockets(self):
        server = self._stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        server.settimeout(_PATIENCE_S)
        port = there = server.getsockname()[1]
        if self._between != DIRECT:
            with socket.create_server(("127.0.0.1", 0)) as free:
                port = free.getsockname()[1]
            here = "TCP-LISTEN:%d,bind=127.0.0.1,reuseaddr,nodelay" % port
            self._start("127.0.0.1:%d" % port, "127.0.0.1:%d" % there, here, "TCP:127.0.0.1:%d,nodelay" % there)
        till = self._connected(port)
        try:
            terminal = server.accept()[0]
        except TimeoutError:
            raise Stuck("the terminal is not called") from None
        for end in (till, terminal):
            self._stack.callback(end.close)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        terminal.setblocking(True)
        self.till, self.terminal = till.fileno(), terminal.fileno()

    def _connected(self, port):
        until = time.monotonic() + _PATIENCE_S
        while True:
            try:
                return socket.create_connection(("127.0.0.1", port))
            except OSError:
                self._look(until)
                time.sleep(0.05)

    def _start(self, here, there, socat_here, socat_there):
        """Start what stands between `here` and `there`; the other two say the same to socat."""
        if isinstance(self._between, Socat):
            self._process = subprocess.Popen(
                [self._between.command, socat_here, socat_there],
                env=self._between.environment,
                preexec_fn=dies_with_parent,
            )
        else:
            self._process = gate(self._between, self._folder, "--till", here, "--terminal", there)

    def _look(self, until):
        if time.monotonic() > until or self._process.poll() is not None:
            raise Stuck("nothing passes")

    def _settle(self):
        """Until what the till says comes out. An agent that has just started asks the terminal first; from then on the till
        has a command under way, and the agent asks no more."""
        receiver = frame.Receiver() if self.framed else tcp_line.Receiver()
        until = time.monotonic() + _PATIENCE_S
        heard = []
        while _ENQUIRY not in heard:
            self._look(until)
            if not select.select([self.terminal], [], [], 0.5)[0]:
                os.write(self.till, self.pack(_ENQUIRY))  # again: who opens a line may forget what came before
                continue
            heard = receiver.feed(os.read(self.terminal, 4096))
            for message in heard:
                if isinstance(message, bytes) and message != _ENQUIRY and message[0] < 0x80:
                    ack = bytes((frame.ACK,)) if self.framed else b""
                    os.write(self.terminal, ack + self.pack(_NOT_SUPPORTED))
        self.empty()

    def empty(self):
        """Take what still comes out at either end."""
        while ready := select.select([self.till, self.terminal], [], [], 0.2)[0]:
            for end in ready:
                os.read(end, 4096)

    def close(self):
        if self._process:
            end(self._process)
        self._stack.close()
