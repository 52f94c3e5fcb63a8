"""A simulated till, for developers of terminals, of gates, and for demonstrations.

    python -m hal.sim.zvt_till --line /tmp/terminal sale 12.34, void 232, end-of-day
    python -m hal.sim.zvt_till --line 192.0.2.7:20007        # commands line by line on standard input

It registers once and shows what a till's display shows. Exit status: 0 approved or done, 2 wrong usage, 3 declined, held or
aborted, 5 no terminal, 6 the outcome is unknown; of several commands the highest.
"""

import argparse
import asyncio
import json
import sys
import threading

from .commands import Wrong, parse
from .plug import address
from .screen import Screen
from .till import NO_TERMINAL, STATUS, NoTerminal, Till

_CURRENCIES = {"CHF": 756, "EUR": 978, "GBP": 826, "PLN": 985, "SEK": 752, "USD": 840}
_WRONG = 2


def _milliseconds(text):
    if not text.isdecimal() or int(text) > 600_000:  # ten minutes: longer than any timer of the paper
        raise argparse.ArgumentTypeError("milliseconds are a number up to 600000, not " + text)
    return int(text)


def _count(text):
    if not text.isdecimal():
        raise argparse.ArgumentTypeError("a number is needed, not " + text)
    return int(text)


def _byte(text):
    try:
        return bytes.fromhex(text)[0] if len(text) == 2 else int("")
    except ValueError:
        raise argparse.ArgumentTypeError("a byte is two hex digits, not " + text) from None


def _password(text):
    if not text.isdecimal() or len(text) > 6:
        raise argparse.ArgumentTypeError("a password has at most six digits")
    return int(text)


def _arguments(argv):
    parser = argparse.ArgumentParser(
        prog="zvt_till",
        description="A simulated till (ECR) for a ZVT terminal.",
        epilog="Commands: sale AMOUNT, refund AMOUNT, void RECEIPT [AMOUNT], status, last, end-of-day, diagnosis, "
        "initialise, log-off, abort; parted by commas, or line by line on standard input. Exit status: 0 approved or done, "
        "2 wrong usage, 3 declined, held or aborted, 5 no terminal, 6 the outcome is unknown.",
    )
    parser.add_argument("--line", metavar="PATH|HOST:PORT", required=True, help="where the terminal is")
    parser.add_argument(
        "--json", action="store_true", help="one JSON document a command, nothing else on standard output"
    )
    parser.add_argument("--no-register", action="store_true", help="send no registration at the beginning")
    parser.add_argument(
        "--config", type=_byte, default=0x18, metavar="HH", help="configuration byte of it, in hex (18)"
    )
    parser.add_argument("--password", type=_password, default=0, help="six digits (000000)")
    parser.add_argument("--currency", choices=sorted(_CURRENCIES), default="EUR", help="of all amounts (EUR)")
    parser.add_argument("--baud", type=int, choices=(9600, 19200, 57600, 115200), default=9600, help="of a tty (9600)")
    for name, value, what in (
        ("t1", 200, "longest pause between two bytes"),
        ("t2", 5000, "wait for ACK or NAK"),
        ("t3", 5000, "wait for 80 00 00"),
        ("t4", 180000, "wait for the end of a command"),
    ):
        parser.add_argument("--%s-ms" % name, type=_milliseconds, default=value, help="%s (%d)" % (what, value))
    faults = parser.add_argument_group("faults")
    faults.add_argument("--send-twice", action="store_true", help="each 06 31 goes out two times")
    faults.add_argument(
        "--hang-up", metavar="MS", type=_milliseconds, help="close the line so long after a payment began, once"
    )
    faults.add_argument("--nak", metavar="N", type=_count, default=0, help="refuse the first N frames; serial alone")
    faults.add_argument("--dribble", metavar="MS", type=_milliseconds, help="send one byte at a time with this pause")
    faults.add_argument("--abort-after", metavar="MS", type=_milliseconds, help="press the stop key during a payment")
    parser.add_argument("commands", nargs="*", metavar="COMMAND", help="as below")
    return parser.parse_args(argv)


def _till(arguments, screen):
    settings = {
        "currencies": {arguments.currency: _CURRENCIES[arguments.currency]},
        "password": arguments.password,
        "config": arguments.config,
        "t3_ms": arguments.t3_ms,
        "t4_ms": arguments.t4_ms,
    }
    line = {"baud": arguments.baud, "t1_ms": arguments.t1_ms, "t2_ms": arguments.t2_ms}
    faults = {
        "naks": arguments.nak,
        "twice": arguments.send_twice,
        "dribble_ms": arguments.dribble,
        "hang_up_ms": arguments.hang_up,
    }
    registers = not arguments.no_register
    return Till(arguments.line, arguments.currency, settings, line, faults, screen, registers, arguments.abort_after)


class _Lines:
    """Lines of standard input, whatever it is, while the till works; None at the end."""

    def __init__(self):
        self._queue = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in sys.stdin:
            self._loop.call_soon_threadsafe(self._queue.put_nowait, line.strip())
        self._loop.call_soon_threadsafe(self._queue.put_nowait, None)

    async def get(self):
        return await self._queue.get()


class _Run:
    def __init__(self, till, as_json):
        self._till = till
        self._json = as_json
        self.status = 0

    async def one(self, command):
        if not self._json:
            say("> " + command.text)
        self._tell(await self._till.carry_out(command))

    def _tell(self, document):
        self.status = max(self.status, STATUS[document["outcome"]])
        if self._json:
            say(json.dumps(document))

    def complain(self, error, status):
        self.status = max(self.status, status)
        print("zvt_till: %s" % error, file=sys.stderr)

    async def from_input(self):
        """Each line is a command; `abort` breaks off the one under way at once, any other waits for its turn."""
        lines = _Lines()
        waiting = []
        line = asyncio.create_task(lines.get())
        running = None
        while running or waiting or line:
            if running is None and waiting:
                running = asyncio.create_task(self.one(waiting.pop(0)))
            idle = running or asyncio.create_task(self._till.listen())
            await asyncio.wait([task for task in (idle, line) if task], return_when=asyncio.FIRST_COMPLETED)
            if idle is not running:
                await idle
            elif running.done():
                running = running.result()  # None
            if line and line.done():
                text = line.result()
                line = None if text is None else asyncio.create_task(lines.get())
                if text:
                    waiting += await self._taken(text, running)

    async def _taken(self, text, running):
        try:
            command = parse(text)
        except Wrong as error:
            self.complain(error, _WRONG)
            return []
        if command.name == "abort" and running:
            self._tell(await self._till.break_off(command))
            return []
        return [command]


def say(text):
    """Text on standard output, at once. A reader that has gone does not stop a till in the midst of a payment."""
    try:
        print(text, flush=True)
    except OSError:
        pass


async def _main(arguments, commands):
    till = _till(arguments, Screen((lambda box: None) if arguments.json else say))
    run = _Run(till, arguments.json)
    try:
        await till.plug_in()
    except NoTerminal as error:
        run.complain(error, error.status)
        for command in commands if arguments.json else ():
            say(json.dumps(till.not_begun(command, error)))
        return run.status
    try:
        if commands:
            for command in commands:
                await run.one(command)
        else:
            await run.from_input()
    finally:
        till.unplug()
    return run.status


def main(argv=None):
    arguments = _arguments(argv)
    try:
        commands = [parse(text) for text in " ".join(arguments.commands).split(",")] if arguments.commands else []
        if arguments.nak and address(arguments.line):
            raise Wrong("--nak is for serial lines: TCP has no NAK")
    except Wrong as error:
        print("zvt_till: %s" % error, file=sys.stderr)
        return _WRONG
    try:
        return asyncio.run(_main(arguments, commands))
    except KeyboardInterrupt:
        return STATUS[NO_TERMINAL]


if __name__ == "__main__":
    sys.exit(main())
