"""One run of refundctl: its language, its port, and the two streams it speaks on."""

import json
import os
import sys
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from . import find
from .deploy_screen import DeployScreen
from .explain_screen import ExplainScreen
from .gate_screen import GateScreen
from .journal_screen import JournalScreen
from .link import BAUD
from .link_screen import LinkScreen
from .people_screen import PeopleScreen
from .policy_screen import PolicyScreen
from .screen import Screen
from .terminal_screen import TerminalScreen
from .zvt_screen import ZvtScreen


class ReaderGone(Exception):
    """Whoever read stdout has closed it; nothing more can be said there."""


class Session:
    """stdout carries documents (or the screen) alone, stderr errors, notes and progress."""

    def __init__(self, texts, environment):
        self.texts = texts
        self.json = False
        self.port = None
        self.exit_status = 0  # known before anything is printed: a closed pipe must not hide it
        self._environment = environment
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")  # a terminal that cannot show a character shows another
        # not highlighted: numbers in odd colours are not calm
        self._console = Console(file=sys.stdout, highlight=False, markup=False)
        self.screen = Screen(self._console, texts)
        self.journal = JournalScreen(self._console, texts)
        self.about_link = LinkScreen(self._console, texts)
        self.policy = PolicyScreen(self._console, texts)
        self.deploy = DeployScreen(self._console, texts)
        self.explain = ExplainScreen(self._console, texts)
        self.people = PeopleScreen(self._console, texts)
        self.gate = GateScreen(self._console, texts)
        self.terminal = TerminalScreen(self._console, texts)
        self.zvt = ZvtScreen(self._console, texts)
        self._progress = Console(file=sys.stderr, highlight=False, markup=False)

    def show(self, document, draw):
        """Prints a document, or a text to explain: as JSON on one line, or as `draw` does. ReaderGone ends it."""
        with _reader_may_go():
            self._print(document, draw)

    def note_aside(self, text):
        """A line on stderr that explains what stdout has."""
        self._progress.print(text, soft_wrap=True)

    def write(self, data):
        """Bytes on stdout as they are. ReaderGone ends it."""
        with _reader_may_go():
            sys.stdout.flush()
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()

    def _print(self, document, draw):
        if self.json:
            plain = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
            print(json.dumps(document, ensure_ascii=plain), flush=True)
        elif self._console.is_terminal:
            draw(document)
        else:
            with self._console.capture() as drawn:
                draw(document)
            # a file or a pipe has no use for the blanks that fill a line up
            print("\n".join(line.rstrip() for line in drawn.get().split("\n")), end="", flush=True)

    @contextmanager
    def link(self):
        """The open link to --port, or to the one agent found; closed afterwards, come what may."""
        link = find.named(self.port) if self.port else find.the_agent(self._environment)
        try:
            if not self.json and (not self.port or link.baud != BAUD):
                word = "using" if link.baud == BAUD else "using_baud"
                self._progress.print(self.texts("word", word, port=link.port, baud=link.baud), soft_wrap=True)
            yield link
        finally:
            link.close()

    def ports(self):
        return find.every_port(self._environment)

    @contextmanager
    def progress(self):
        """A function that shows, where somebody watches stderr, what is waited for: (what, state)."""
        if not self._watched:
            yield lambda what, state: None
            return
        with self._progress.status(self.texts("word", "waiting_asked")) as line:

            def tell(what, state):
                word = {"asked": "waiting_asked", "under_way": "waiting_under_way", "link": "waiting_link"}[what]
                line.update(self.texts("word", word, state=self.texts("state", state) if state else ""))

            yield tell

    @contextmanager
    def deploying(self):
        """A function that shows, where somebody watches stderr, how an agent on trial is: True it answers, None nobody
        does."""
        if not self._watched:
            yield lambda on_trial: None
            return
        with self._progress.status(self.texts("word", "deploying_start")) as line:
            yield lambda on_trial: line.update(self.texts("word", "deploying_trial" if on_trial else "deploying_start"))

    @contextmanager
    def transfer(self, what="pulling"):
        """A function that shows, where somebody watches stderr, how far a transfer is: (bytes, of so many); (None,
        None) while the link is lost. `what`: the word for it."""
        if not self._watched:
            yield lambda done, total: None
            return
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(binary_units=True),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self._progress, transient=True) as bar:
            task = bar.add_task(self.texts("word", what), total=None)

            def tell(done, total):
                if done is None:
                    bar.update(task, description=self.texts("word", "pulling_lost"))
                else:
                    bar.update(task, description=self.texts("word", what), completed=done, total=total)

            yield tell

    @property
    def press_reset(self):
        """What tells somebody who watches stderr to press the board's reset button; None where nobody watches."""
        return (lambda: self.note_aside(self.texts("word", "press_reset"))) if self._watched else None

    @property
    def _watched(self):
        return self._progress.is_terminal and os.environ.get("TERM") != "dumb"


@contextmanager
def _reader_may_go():
    try:
        yield
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains once more at its end
        raise ReaderGone
