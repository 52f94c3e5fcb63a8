"""A simulated ZVT card terminal, for developers of tills: a process of its own on a pseudo-terminal.

    python -m hal.sim.zvt_terminal --link /tmp/terminal --store /tmp/terminal.db

It prints `ready PATH` once the line can be opened, then one line for each APDU. Commands on standard input change what
happens next (console.py); what it executed is in the store (turnover.py) and outlives kill -9. What it does with each
command of the till, and what it chose where the paper leaves a choice, is in behaviour.py.
"""

import argparse
import os
import signal
import sys

from .behaviour import Behaviour
from .console import Console, Quit, listing
from .line import SerialLine, Times
from .log import Log
from .session import Session
from .settings import Faults, Settings, is_text
from .turnover import StoreError, TurnoverStore


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
    parser = argparse.ArgumentParser(prog="zvt_terminal", description="A simulated ZVT card terminal.")
    parser.add_argument("--link", metavar="PATH", help="symlink to make to the line the till opens")
    parser.add_argument("--store", metavar="FILE", required=True, help="turnover store, made if it is not there")
    parser.add_argument("--empty", action="store_true", help="a new store starts without the sale of receipt 231")
    parser.add_argument("--currency", type=int, default=978, help="ISO 4217 number (978)")
    parser.add_argument("--terminal-id", type=int, default=52001233, help="eight digits (52001233)")
    parser.add_argument("--version", default="2.14.15", help="software version it reports (2.14.15)")
    parser.add_argument("--model", default="SIMULATED", help="model it says it is (SIMULATED)")
    parser.add_argument("--serial", type=int, default=52001233, help="serial number, eight digits (52001233)")
    parser.add_argument("--card", default="4111110000001111", help="number of the simulated card")
    parser.add_argument("--t1-ms", type=int, default=200, help="longest pause between two bytes (200)")
    parser.add_argument("--t2-ms", type=int, default=5000, help="wait for ACK or NAK (5000)")
    parser.add_argument("--t3-ms", type=int, default=5000, help="wait for 80 00 00 (5000)")
    parser.add_argument("--set", metavar="COMMAND", action="append", default=[], help="command to begin with")
    parser.add_argument("--quiet", action="store_true", help="no line for each APDU")
    parser.add_argument("--stdin-ends", action="store_true", help="end at the end of standard input")
    parser.add_argument("--list", action="store_true", help="print the store and end")
    parser.add_argument("--json", action="store_true", help="with --list: one JSON document")
    return parser.parse_args(argv)


def _settings(arguments):
    if not (arguments.card.isdecimal() and 12 <= len(arguments.card) <= 19):
        raise _Wrong("--card takes 12 to 19 digits")
    if not 0 < arguments.currency < 1000 or not 0 < arguments.terminal_id < 10**8:
        raise _Wrong("--currency takes three digits, --terminal-id eight")
    if not 0 <= arguments.serial < 10**8 or not is_text(arguments.model):
        raise _Wrong("--serial takes eight digits, --model ASCII of at most 40 characters")
    if min(arguments.t1_ms, arguments.t2_ms, arguments.t3_ms) < 1:
        raise _Wrong("--t1-ms, --t2-ms and --t3-ms take at least 1")
    return Settings(
        arguments.currency, arguments.terminal_id, arguments.version, arguments.model, arguments.serial, arguments.card
    )


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
    settings, faults = _settings(arguments), Faults()
    store = TurnoverStore(arguments.store, None if arguments.empty else (settings.currency, settings.masked_card))
    log = Log((lambda line: None) if arguments.quiet else say)
    behaviour = Behaviour(store, settings, faults)
    console = Console(behaviour, store, settings, faults)
    for command in arguments.set:
        answer = console.answer(command)
        if answer.startswith("error"):
            raise _Wrong("--set %s: %s" % (command, answer))
    times = Times(arguments.t1_ms / 1000, arguments.t2_ms / 1000, arguments.t3_ms / 1000)
    line = SerialLine(times, faults, log)

    def stdin_ended():
        line.unwatch(0)
        if arguments.stdin_ends:
            raise Quit

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)
    try:
        _make_link(arguments.link, line.path)
        line.watch(0, _StdIn(console, stdin_ended).readable)
        say("ready %s" % arguments.link)
        Session(line, behaviour, times.t3, log).run()
    except (KeyboardInterrupt, Quit):
        return
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        if os.path.islink(arguments.link) and os.readlink(arguments.link) == line.path:
            os.unlink(arguments.link)
        store.close()


def main(argv=None):
    """Exit status: 0 ended as asked, 2 wrong usage or a file in the way, 9 the power cut of `die`."""
    arguments = _arguments(argv)
    try:
        if arguments.list:
            _print_store(arguments)
        elif not arguments.link:
            raise _Wrong("--link PATH is needed")
        else:
            _serve(arguments)
    except (_Wrong, StoreError, Quit) as error:
        print("zvt_terminal: %s" % error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
