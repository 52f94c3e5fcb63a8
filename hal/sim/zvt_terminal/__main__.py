"""A simulated ZVT card terminal, for developers of tills: a process of its own on a pseudo-terminal or a TCP port.

    python -m hal.sim.zvt_terminal --listen /tmp/terminal --store /tmp/terminal.db

It prints `ready WHERE` once the till can come, then one line for each APDU. Commands on standard input change what
happens next (console.py); what it executed is in the store (turnover.py) and outlives kill -9. What it does with each
command of the till, and what it chose where the paper leaves a choice, is in behaviour.py. docs/terminal.md is for people.
"""

import argparse
import os
import signal
import sys

from .behaviour import Behaviour
from .console import Console, Quit, listing
from .line import SerialLine
from .log import Log
from .rules import Rules
from .script import EMPTY, ScriptError, read
from .session import Session
from .settings import Faults, Settings
from .tcp_line import PORT, TcpLine
from .till_line import Times
from .turnover import StoreError, TurnoverStore, first_sale

_EXAMPLES = """examples:
  a till opens /tmp/terminal as if it were a serial port (9600 baud, 8N2):
    refund-agent terminal --listen /tmp/terminal --store /tmp/shop.db
  a till connects to port 20007, from this machine, or from any:
    refund-agent terminal --listen tcp --store /tmp/shop.db
    refund-agent terminal --listen 0.0.0.0: --store /tmp/shop.db
  the next transaction is declined, and the host is slow:
    refund-agent terminal --listen tcp --store /tmp/shop.db --set "decline 05" --set "slow 3000"
  a story in a file; what the terminal executed:
    refund-agent terminal --listen tcp --store /tmp/shop.db --script story.toml
    refund-agent terminal --store /tmp/shop.db --list

While it runs, type a command: `help` names them. docs/terminal.md explains them, and scripts.
"""


class _Wrong(Exception):
    """Wrong usage, in one line."""


class _StdIn:
    """Lines of standard input, in whatever pieces they come."""

    LONGEST = 4096  # no command is near it; a longer line is no command

    def __init__(self, console, end):
        self._console = console
        self._end = end  # called at the end of the input
        self._begun = b""

    def readable(self):
        data = os.read(0, 4096)
        if not data:
            self._end()
            return
        *lines, self._begun = (self._begun + data).split(b"\n")
        self._begun = self._begun[: self.LONGEST]
        for line in lines:
            say(self._console.answer(line.decode("ascii", "replace")))


def say(line):
    """One line on standard output, at once. A reader that has gone does not stop a terminal."""
    try:
        print(line, flush=True)
    except OSError:
        pass


def _arguments(argv):
    parser = argparse.ArgumentParser(
        prog="refund-agent terminal",
        description="A simulated ZVT card terminal to test a till against.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    where = parser.add_argument_group("where the till comes")
    where.add_argument(
        *("--listen", "--link"),
        metavar="WHERE",
        help="PATH: a symlink to make to a pseudo-terminal, serial ZVT. tcp, HOST: or HOST:PORT: bare APDUs over TCP, "
        "port %d unless told, 0 for a free one" % PORT,
    )
    where.add_argument("--t1-ms", type=int, default=200, metavar="MS", help="longest pause between two bytes (200)")
    where.add_argument("--t2-ms", type=int, default=5000, metavar="MS", help="wait for ACK or NAK (5000)")
    where.add_argument("--t3-ms", type=int, default=5000, metavar="MS", help="wait for 80 00 00 (5000)")
    store = parser.add_argument_group("what it has executed")
    store.add_argument("--store", metavar="FILE", required=True, help="turnover store, made if it is not there")
    store.add_argument("--empty", action="store_true", help="a new store starts without the sale of receipt 231")
    store.add_argument("--list", action="store_true", help="print the store and end")
    store.add_argument("--json", action="store_true", help="with --list: one JSON document")
    known = parser.add_argument_group("what it is")
    known.add_argument("--currency", type=int, help="ISO 4217 number (978)")
    known.add_argument("--terminal-id", type=int, metavar="ID", help="eight digits (52001233)")
    known.add_argument("--version", help="software version it reports (2.14.15)")
    known.add_argument("--model", help="model it says it is (SIMULATED)")
    known.add_argument("--serial", type=int, metavar="NUMBER", help="serial number, eight digits (52001233)")
    known.add_argument("--card", metavar="NUMBER", help="number of the simulated card (4111110000001111)")
    known.add_argument("--password", type=int, help="six digits (000000)")
    happens = parser.add_argument_group("what happens")
    happens.add_argument("--script", metavar="FILE", help="TOML: what it is, its store, and what happens when")
    happens.add_argument("--set", metavar="COMMAND", action="append", default=[], help="command to begin with")
    happens.add_argument("--quiet", action="store_true", help="no line for each APDU")
    happens.add_argument("--stdin-ends", action="store_true", help="end at the end of standard input")
    return parser.parse_args(argv)


def _settings(arguments, script):
    """What the command line says counts before what the script says."""
    if min(arguments.t1_ms, arguments.t2_ms, arguments.t3_ms) < 1:
        raise _Wrong("--t1-ms, --t2-ms and --t3-ms take at least 1")
    told = dict(script.settings)
    for name in ("currency", "terminal_id", "version", "model", "serial", "card", "password"):
        if getattr(arguments, name) is not None:
            told[name] = getattr(arguments, name)
    try:
        return Settings(**told)
    except ValueError as error:
        name, _, rest = str(error).partition(" ")
        raise _Wrong("--%s %s" % (name.replace("_", "-"), rest)) from None


def _address(where):
    """(host, port) of --listen, or None for a path."""
    if "/" in where or (":" not in where and where != "tcp"):
        return None
    host, _, port = ("127.0.0.1:" if where == "tcp" else where).rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    if not host or (port and not (port.isdecimal() and int(port) < 65536)):
        raise _Wrong("--listen takes PATH, tcp, HOST: or HOST:PORT, not %s" % where)
    return host, int(port) if port else PORT


def _print_store(arguments):
    if not os.path.exists(arguments.store):
        raise _Wrong("no store at %s" % arguments.store)
    store = TurnoverStore(arguments.store)
    if arguments.json:
        print(listing(store))
        return
    for done in store.all():
        words = ["receipt %04d" % done.receipt, "trace %06d" % done.trace, done.date, done.time, "%-8s" % done.kind]
        words += ["%9d.%02d" % (done.amount // 100, done.amount % 100), "%03d" % done.currency]
        words += [done.card.replace("E", "*"), "approved" if done.approved else "declined %02X" % done.result]
        if done.reversed_by is not None:
            words.append("reversed by %d" % done.reversed_by)
        print("  ".join(words))


def _make_link(path, target):
    """Point the symlink `path` at `target` in one step; what stands there is replaced only if it is a symlink."""
    if os.path.lexists(path) and not os.path.islink(path):
        raise _Wrong("%s is there and is not a symlink: not replaced" % path)
    beside = "%s.%d" % (path, os.getpid())
    try:
        os.symlink(target, beside)
        os.replace(beside, path)
    except OSError as error:
        raise _Wrong("cannot make %s: %s" % (path, error.strerror)) from None


def _interrupt(number, frame):
    raise KeyboardInterrupt


def _serve(arguments):
    script = read(arguments.script) if arguments.script else EMPTY
    settings, faults = _settings(arguments, script), Faults()
    address = _address(arguments.listen)
    seeds = script.seeds(settings)
    if seeds is None:
        seeds = [] if arguments.empty else [first_sale(settings.currency, settings.masked_card)]
    store = TurnoverStore(arguments.store, seeds)
    log = Log((lambda line: None) if arguments.quiet else say)
    behaviour = Behaviour(store, settings, faults)
    console = Console(behaviour, store, settings, faults)
    for command in script.do + arguments.set:
        answer = console.answer(command)
        if answer.startswith("error"):
            raise _Wrong("--set %s: %s" % (command, answer))
    times = Times(arguments.t1_ms / 1000, arguments.t2_ms / 1000, arguments.t3_ms / 1000)
    rules = Rules(script.rules, console, log)
    line = _line(arguments.listen, address, times, faults, log, rules)

    def stdin_ended():
        line.unwatch(0)
        if arguments.stdin_ends:
            raise Quit

    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)  # a signal that comes just before the line waits must end its waiting
    line.watch(woken, lambda: os.read(woken, 64))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)
    try:
        if address is None:
            _make_link(arguments.listen, line.path)
        line.watch(0, _StdIn(console, stdin_ended).readable)
        say("ready %s" % (arguments.listen if address is None else line.path))
        Session(line, behaviour, times.t3, log, faults, rules).run()
    except (KeyboardInterrupt, Quit):
        return
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        link = arguments.listen if address is None else None
        if link and os.path.islink(link) and os.readlink(link) == line.path:
            os.unlink(link)
        store.close()


def _line(where, address, times, faults, log, rules):
    if address is None:
        return SerialLine(times, faults, log, rules)
    try:
        return TcpLine(*address, times, faults, log, rules)
    except OSError as error:
        raise _Wrong("cannot listen on %s: %s" % (where, error.strerror or error)) from None


def main(argv=None):
    """Exit status: 0 ended as asked, 2 wrong usage, a wrong script or a file in the way, 9 the power cut of `die`."""
    arguments = _arguments(argv)
    try:
        if arguments.list:
            _print_store(arguments)
        elif not arguments.listen:
            raise _Wrong("--listen WHERE is needed: a path for a serial line, or tcp")
        else:
            _serve(arguments)
    except (_Wrong, ScriptError, StoreError, Quit) as error:
        print("terminal: %s" % error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
