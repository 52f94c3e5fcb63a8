"""The command `refund-agent`: runs an agent in the foreground, or a simulated terminal for whoever needs one."""

import fcntl
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import tty
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from firmware_agent import starts, trusted
from firmware_agent.health import VERSION

from .compiled import ROOT, CannotCompile, compiled, located
from .process import dies_with_parent
from .simulated import NotReady, SimulatedTerminal

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Watches a card terminal and answers before every refund: will it go through, if not why, and who can mend it.",
)

# Of the agent under MicroPython on this machine, whose objects are twice the size of a board's: 128 kB there.
_HEAP = "256k"

_MADE = "till.made"  # in the state directory: which link for the till was made, and where it leads


# What the child runs. Once the agent stands, boot and board data are let go: on MicroPython their heap is needed elsewhere.
_RUN = """
import asyncio, sys
agent = at = None
try:
    import {boot} as boot, {board} as board
    agent = boot.start(board, {options!r})
    del boot, board
    sys.modules.pop("{boot}")
    sys.modules.pop("{board}")
    asyncio.run(agent.run())
except KeyboardInterrupt:
    pass
except SystemExit as end:
    if agent:
        from {starts} import Starts
        Starts({state!r}).ended()
    raise end
except Exception as error:
    if agent:
        at = agent.health.at(agent)
    agent = None
    asyncio.new_event_loop()
    text = "the agent fell: %r" % error
    if isinstance(error, MemoryError):
        text = "the heap is too small for the agent"
    try:
        from {starts} import Starts
        from {crash} import keep, places
        keep(Starts({state!r}), error, at)
        text += ", in " + ", ".join(["%s:%d %s" % tuple(place) for place in places(error)])
    except MemoryError:
        pass
    sys.stderr.write("refund-agent: " + text + "\\n")
    sys.exit(1)
"""


class Runtime(StrEnum):
    cpython = "cpython"
    micropython = "micropython"


class Wrong(Exception):
    """Ends the command with one clear line."""

    def __init__(self, text, status=1):
        super().__init__(text)
        self.status = status


def _default_state(board):
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "refund-agent" / board


def _default_link():
    """Where refundctl looks by itself, see host_tools/find.py."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    folder = Path(runtime) / "refund-agent" if runtime else Path(f"/tmp/refund-agent-{os.getuid()}")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / "link"


def _lock(state):
    """Holds the state directory for this process; the file stays open until it ends."""
    try:
        state.mkdir(parents=True, exist_ok=True)
        lock = (state / "lock").open("a+b", buffering=0)
    except OSError as error:
        raise Wrong(f"the state directory {state} cannot be used: {error.strerror}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.seek(0)
        owner = lock.read(20).decode("ascii", "replace").strip() or "unknown"
        raise Wrong(
            f"another agent (process {owner}) uses {state}: end it, or give this one a --state of its own"
        ) from None
    try:
        lock.truncate(0)
        lock.write(str(os.getpid()).encode())
    except OSError:
        pass  # a full disk: the lock holds, and a shop cannot wait for somebody to tidy up
    return lock


def _place(link, target):
    """Make `link` a symbolic link to `target`; only a symbolic link is ever replaced."""
    if link.is_symlink():
        link.unlink()
    elif link.exists():
        raise Wrong(f"{link} exists and is no symbolic link: choose another --link", 2)
    try:
        link.symlink_to(target)
    except OSError as error:
        raise Wrong(f"{link} cannot be made: {error.strerror}", 2) from None


def _interpreter(runtime):
    """How a runtime runs `-c CODE`: (command, environment, folder to run in, what it calls a module)."""
    environment = dict(os.environ)
    if runtime is Runtime.cpython:
        environment["PYTHONPATH"] = str(ROOT)
        return [sys.executable, "-P"], environment, ROOT, str
    try:
        import micropython_unix  # noqa: F401
    except ImportError:
        raise Wrong(
            "MicroPython is not installed here: pip install '.[micropython]' in a checkout (Linux, x86-64)"
        ) from None
    try:
        folder = compiled()
    except CannotCompile as error:
        raise Wrong(str(error)) from None
    environment["MICROPYPATH"] = ":.frozen"  # the folder itself is where it runs: long paths would cost heap
    heap = os.environ.get("REFUND_AGENT_HEAP", _HEAP)
    start = "import sys; from micropython_unix import main; sys.exit(main())"
    return [sys.executable, "-c", start, "-X", "heapsize=" + heap], environment, folder, located


def _version(wanted: bool):
    if wanted:
        print("refund-agent", VERSION)
        raise typer.Exit


@app.callback()
def _general(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
):
    pass


@app.command()
def run(
    board: Annotated[str, typer.Option(help="Board to run: a module in boards/.")] = "sim",
    runtime: Annotated[Runtime, typer.Option(help="Interpreter the agent runs on.")] = Runtime.cpython,
    link: Annotated[
        Path | None, typer.Option(help="Where the agent's serial line appears (default: where refundctl looks).")
    ] = None,
    state: Annotated[Path | None, typer.Option(help="Directory of the journal and the simulated hardware.")] = None,
    terminal: Annotated[
        str | None,
        typer.Option(
            help="Line of a ZVT terminal: a tty, or HOST:PORT; 'none' for no terminal. Board sim has a simulated one."
        ),
    ] = None,
    gate: Annotated[bool, typer.Option("--gate", help="Stand between a till and the terminal.")] = False,
    till: Annotated[
        str | None,
        typer.Option(
            help="Line of the till, with --gate: a tty, HOST:PORT to listen at, or where a pseudo-terminal shall appear "
            "(default: till in the state directory)."
        ),
    ] = None,
    scenario: Annotated[
        Path | None,
        typer.Option(
            help="What to begin with, on board sim: a scenario (docs/scenarios.md), or hardware alone as JSON."
        ),
    ] = None,
    trust: Annotated[
        list[Path] | None, typer.Option(help="Public key of whoever may sign policies, from refundctl policy key.")
    ] = None,
    change: Annotated[
        list[str] | None, typer.Option(help="Board data to change, like t2_ms=500 or minimum_version=3.0.")
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            help="File that says what this machine has, with board linux (docs/linux.md). Options go before it."
        ),
    ] = None,
):
    """Run an agent in the foreground; Ctrl-C ends it. It makes a pseudo-terminal at --link."""
    names = sorted(path.stem for path in (ROOT / "boards").glob("*.py") if "\nDRIVERS = " in path.read_text())
    if board not in names:
        raise Wrong(f"there is no board {board}: choose one of {', '.join(names)}", 2)
    told = _adapted(config, board)
    terminal, till = terminal or told.options.get("line"), till or told.options.get("till")
    gate = gate or "till" in told.options
    trust = [*(trust or []), *map(Path, told.options.get("trust", []))]
    state = Path(state or told.options.get("state") or _default_state(board)).absolute()
    link = Path(link or told.options.get("link") or _default_link()).absolute()
    changes = {**told.changes, **_changes(change or [])}
    lock = _lock(state)
    _trust(state, trust or [])
    staged = _stage(state, scenario, board)
    interpreter = _interpreter(runtime)
    beside = None
    try:
        ends = _Ends(state, terminal, till, gate)
        if terminal is None and board == "sim":
            where = "127.0.0.1:0" if isinstance(ends.till, tuple) else state / "terminal"
            beside = SimulatedTerminal(where, state / "turnover.db", ["--quiet", *staged])
            ends.terminal = _where(beside.link)
        ends.check()
        sys.exit(_supervise(interpreter, board, state, link, ends, changes))
    except NotReady as error:
        raise Wrong(str(error)) from None
    finally:
        if beside:
            beside.stop()
        lock.close()


def _adapted(config, board):
    """What a deployer's file says (linux_file.Adapted)."""
    from . import linux_file

    if config is None:
        return linux_file.Adapted()
    if board != "linux":
        raise Wrong("--config is for board linux: a board of its own is adapted in boards/", 2)
    try:
        told = linux_file.read(config)
    except (OSError, UnicodeDecodeError) as error:
        raise Wrong(f"{config} cannot be read: {getattr(error, 'strerror', 'it is no text')}", 2) from None
    if told.faults:
        from .doctor import fault_text

        more = f"; {len(told.faults) - 1} more: refund-agent doctor --config {config}" if told.faults[1:] else ""
        raise Wrong(f"{config}:{told.faults[0].line}: {fault_text('en', told.faults[0])}{more}", 2)
    return told


def _where(text):
    """(host, port) of HOST:PORT, else the path."""
    found = re.fullmatch(r"([^/:]*|\[[0-9A-Fa-f:]+\]):([0-9]{1,5})", text)
    if found:
        if int(found[2]) > 65535:
            raise Wrong(f"{text} is no place: a port is at most 65535", 2)
        return found[1].strip("[]") or "0.0.0.0", int(found[2])
    return os.path.abspath(text)


class _Ends:
    """What is at the two ends of a gate, or the terminal alone: a path, or (host, port). `till` may be made: a
    pseudo-terminal, then `till_link` is where it appears."""

    def __init__(self, state, terminal, till, gate):
        if till and not gate:
            raise Wrong("--till is the line of a gate: give --gate too", 2)
        self.terminal = None if terminal in (None, "none") else _where(terminal)
        self.till = self.till_link = None
        if gate:
            where = _where(till) if till else str(state / "till")
            self.till = where
            if isinstance(where, tuple):
                _free(where)
            elif not till or _made_here(state, where) or not (os.path.exists(where) or where.startswith("/dev/")):
                self.till_link = Path(where)
            elif os.path.exists(where) and not Path(where).is_char_device():
                raise Wrong(f"{where} is no line: give --till a tty, HOST:PORT or a new path", 2)

    def check(self):
        if self.till is None:
            return
        if self.terminal is None:
            raise Wrong("a gate needs a terminal: give --terminal", 2)


def _free(where):
    """Wrong where nobody can listen."""
    try:
        socket.create_server(where, family=socket.AF_INET6 if ":" in where[0] else socket.AF_INET).close()
    except OSError as error:
        raise Wrong(f"the till cannot come to {_shown(where)}: {error.strerror}") from None


def _made_here(state, place):
    """True for a link that an agent of this state directory made and left behind; any other leads to a line."""
    try:
        return (state / _MADE).read_text() == f"{place} {os.readlink(place)}"
    except (OSError, TypeError):
        return False


def _changes(pairs):
    changes = {}
    for pair in pairs:
        name, found, value = pair.partition("=")
        if not found or not name:
            raise Wrong(f"--change takes NAME=VALUE, not {pair}", 2)
        changes[name] = int(value) if value.lstrip("-").isdigit() else value
    return changes


def _trust(state, files):
    """Add the public keys in `files` to those this agent trusts."""
    path = state / "trusted"
    for file in files:
        try:
            line = file.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise Wrong(f"{file} cannot be read: {getattr(error, 'strerror', 'it is no text')}", 2) from None
        try:
            key = re.fullmatch("[0-9a-f]{16} [0-9a-f]{128}( .*)?", line) and trusted.keys(str(file))
        except OSError:
            key = None  # a digit is another: with such a line the agent would not start
        if not key:
            raise Wrong(f"{file} is no public key: give the FILE.pub that refundctl policy key wrote", 2)
        known = path.read_text().splitlines() if path.exists() else []
        if line not in known:
            fresh = path.with_suffix(".new")
            try:
                fresh.write_text("\n".join([*known, line]) + "\n")
                fresh.replace(path)  # whole: a full disk takes no key that was trusted before
            except OSError as error:
                fresh.unlink(missing_ok=True)
                raise Wrong(f"{path} cannot take the key of {file}: {error.strerror}") from None


def _stage(state, file, board):
    """Put a scenario where the agent looks for it; options for the simulated terminal beside it."""
    if file is None:
        return []
    if board != "sim":
        raise Wrong("--scenario is for board sim: on real hardware nothing can be set", 2)
    if file.suffix != ".toml":
        try:
            text = file.read_text()
            if not isinstance(json.loads(text), dict):
                raise ValueError("not an object")
        except (OSError, ValueError) as error:
            raise Wrong(f"the scenario {file} cannot be read: {error}", 2) from None
        (state / "hardware.json").write_text(text)
        return []
    from . import scenario, staged

    try:
        scene, _ = scenario.read(file)
    except scenario.Wrong as error:
        raise Wrong(str(error), 2) from None
    if (state / "journal.flash").exists():
        raise Wrong(f"{state} has a journal already, and a scenario begins with its own: give it a new --state", 2)
    from .sim import FLASH

    staged.journal(scene, state / "journal.flash", FLASH)
    (state / "hardware.json").write_text(json.dumps(staged.hardware(scene)) + "\n")
    if "policy" in scene:
        (state / "scenario.policy").write_bytes(bytes.fromhex(scene["policy"]))
    return staged.terminal_options(scene["terminal"])


def _is_serial_port(link):
    """True for a line of the technician's, which is served itself; a link that an agent left behind leads to a
    pseudo-terminal."""
    where = os.path.realpath(link)
    if where.startswith("/dev/pts/"):
        return not link.is_symlink() and link.is_char_device()
    return link.is_char_device() and os.path.exists("/sys/class/tty/" + os.path.basename(where))


def _supervise(interpreter, board, state, link, ends, changes):
    """Run the agent as a child on a pseudo-terminal of ours; its exit status."""
    command, environment, folder, module_name = interpreter
    masters, slaves, places = [], [], []
    served = str(link)
    if not _is_serial_port(link):
        served, slave, name = _pseudo_terminal()
        masters, slaves, places = [served], [slave], [(link, name)]
    if ends.till_link:
        ends.till, its, its_name = _pseudo_terminal()
        masters.append(ends.till)
        slaves.append(its)
        places.append((ends.till_link, its_name))
        try:
            (state / _MADE).write_text(f"{ends.till_link} {its_name}")
        except OSError:
            pass  # a full disk; it is needed only where somebody else's terminal has this number after a cut
    options = {
        "state": str(state),
        "link": served,
        "terminal": ends.terminal,
        "till": ends.till,
        "changes": changes,
    }
    modules = {"boot": "boards.boot", "board": "boards." + board}
    modules |= {name: "firmware_agent." + name for name in ("starts", "crash")}
    names = {name: module_name(module) for name, module in modules.items()}
    code = _RUN.format(state=str(state), options=options, **names)
    if (
        places[:1] and places[0][0] == link != _default_link()
    ):  # refundctl finds an agent by itself wherever its link is
        places.append((_default_link().with_name(f"link-{os.getpid()}"), name))
    for place, target in places:
        _place(place, target)
    child = subprocess.Popen(
        [*command, "-c", code], env=environment, pass_fds=masters, cwd=folder, preexec_fn=dies_with_parent
    )
    for master in masters:  # the child alone holds them; the slaves stay open here, so that a client may come and go
        os.close(master)

    asked_to_end = []

    def end(number, frame):
        # not SIGINT, which a shell's background jobs ignore; the journal stands any end
        asked_to_end.append(number)
        if child.poll() is None:
            child.terminate()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    print(f"agent {child.pid} on {link}, state in {state}, terminal {_shown(ends.terminal)}", flush=True)
    if ends.till is not None:
        at = ends.till_link or _shown(ends.till)
        absent = not isinstance(ends.till, tuple) and isinstance(at, str) and not os.path.exists(at)
        print(f"gate for the till at {at}" + ", which is not there yet" * absent, flush=True)
    try:
        status = child.wait()
    finally:
        for place, target in places:
            if place.is_symlink() and os.readlink(place) == target:
                place.unlink()
        for slave in slaves:
            os.close(slave)
    if asked_to_end:
        starts.Starts(str(state)).ended()
        return 0
    return 128 - status if status < 0 else status


def _pseudo_terminal():
    """(master, slave, path of the slave), raw; the master does not block."""
    master, slave = os.openpty()
    tty.setraw(slave)
    os.set_blocking(master, False)
    return master, slave, os.ttyname(slave)


def _shown(where):
    return "%s:%d" % where if isinstance(where, tuple) else where or "none"


_PLAY = """
import json, sys
import {scene} as scene
from {cbor} import encode
from binascii import hexlify
with open({path!r}) as file:
    for line in file:
        print(hexlify(encode(scene.verdict(json.loads(line)))).decode())
"""


@app.command()
def simulate(
    file: Annotated[Path, typer.Argument(help="Scenario file (docs/scenarios.md).")],
    json_: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Show the checks that pass, too.")] = False,
    lang: Annotated[str | None, typer.Option(help="en or zh.")] = None,
    runtime: Annotated[Runtime, typer.Option(help="Interpreter that plays it.")] = Runtime.cpython,
):
    """Play a scenario in no time and print the verdict on its request; exit status as refundctl preflight has it."""
    from host_tools.simulated import show

    from . import scenario

    try:
        scene, _ = scenario.read(file)
    except scenario.Wrong as error:
        raise Wrong(str(error), 2) from None
    if "request" not in scene:
        raise Wrong(f"{file}: [request] is missing: what is asked?", 2)
    [answer] = played([scene], runtime)
    sys.exit(show(answer, scene["request"], json_, everything, lang))


def played(scenes, runtime):
    """The answers to scenes, as maps of PREFLIGHT_ANSWER."""
    if runtime is Runtime.cpython:
        from .scene import verdict

        return [verdict(scene) for scene in scenes]
    import cbor2

    command, environment, folder, module_name = _interpreter(runtime)
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.writelines(json.dumps(scene) + "\n" for scene in scenes)
        file.flush()
        code = _PLAY.format(
            scene=module_name("boards.scene"), cbor=module_name("firmware_agent.wire.cbor"), path=file.name
        )
        done = subprocess.run([*command, "-c", code], env=environment, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise Wrong(f"MicroPython could not play it: {done.stderr.strip() or done.stdout.strip()}")
    return [cbor2.loads(bytes.fromhex(line)) for line in done.stdout.split()]


@app.command()
def doctor(
    board: Annotated[str, typer.Option(help="Board to look at: linux.")] = "linux",
    state: Annotated[Path | None, typer.Option(help="Directory of the journal.")] = None,
    config: Annotated[Path | None, typer.Option(help="File that says what this machine has.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
    lang: Annotated[str | None, typer.Option(help="en or zh.")] = None,
):
    """Say what this machine has for the agent, what it lacks and how to get it; exit status 0 if an agent can run."""
    if board != "linux":
        raise Wrong("doctor looks at board linux alone: refundctl deploy --dry-run looks at boards", 2)
    if lang not in (None, "en", "zh"):
        raise Wrong("--lang is en or zh", 2)
    from . import doctor as looks

    default = _default_state(board)
    if config in (None, looks.CONFIG) and looks.CONFIG.exists():
        config, default = looks.CONFIG, looks.STATE
    sys.exit(looks.main(state, config, default, json_, lang))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True}, add_help_option=False)
def terminal(context: typer.Context):
    """A simulated ZVT terminal, serial or TCP, for developers of tills; --help says more."""
    os.execv(sys.executable, [sys.executable, "-m", "hal.sim.zvt_terminal", *context.args])


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True}, add_help_option=False)
def till(context: typer.Context):
    """A simulated till (ECR) for a ZVT terminal or a gate; --help says more."""
    os.execv(sys.executable, [sys.executable, "-m", "hal.sim.zvt_till", *context.args])


@app.command()
def hardware(
    values: Annotated[list[str], typer.Argument(help="power=4100 power=4100@0,5000@800 host_ms=-1 link=0 wall_s=none")],
    state: Annotated[Path | None, typer.Option(help="The running agent's state directory.")] = None,
    board: Annotated[str, typer.Option()] = "sim",
):
    """Change the simulated hardware of a running agent. power takes millivolts, or a trace MILLIVOLTS@MS,…"""
    path = (state or _default_state(board)) / "hardware.json"
    try:
        known = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise Wrong(f"{path} cannot be read: {error}; is this the state directory of a simulated board?", 2) from None
    for pair in values:
        name, _, value = pair.partition("=")
        try:
            _set(known, name, value)
        except ValueError:
            raise Wrong(f"{pair}: not a value of power, link, address, host_ms or wall_s", 2) from None
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(known) + "\n")
    fresh.replace(path)


def _set(known, name, value):
    if name == "power":
        trace = []
        for step in value.split(","):
            millivolts, _, begin = step.partition("@")
            trace.append([int(begin or 0), int(millivolts)])
        known["power"] = None if value == "none" else trace
    elif name in ("link", "address", "host_ms"):
        known.setdefault("network", {})[name] = int(value)
    elif name == "network" and value == "none":
        known["network"] = None
    elif name == "wall_s":
        known["wall_s"] = None if value == "none" else value if value == "host" else int(value)
    else:
        raise ValueError(name)


def main():
    try:
        app(standalone_mode=False)
    except Wrong as error:
        print("refund-agent: " + " ".join(str(error).split()), file=sys.stderr)
        sys.exit(error.status)
    except typer.Abort:
        sys.exit(1)
    except Exception as error:
        if type(error).__module__.startswith(("click", "typer")):  # wrong usage
            if str(error):  # else it was the help itself, for want of a command
                print(f"refund-agent: {error}; try refund-agent --help", file=sys.stderr)
            sys.exit(2)
        raise


if __name__ == "__main__":
    main()
