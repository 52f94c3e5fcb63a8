"""The terminal in words, as people read it."""

from rich.table import Table
from rich.text import Text

from . import measures
from .screen import Screen

_LABEL = 28  # cells of the widest name of a fact
_COLOURS = {"ready": "green", "busy": "amber", "fault": "red", "silent": "red", "unknown": "amber"}


class TerminalScreen(Screen):
    def told(self, document):
        """What is known of a terminal."""
        condition = document["condition"]
        self._panel(_COLOURS[condition], self._texts("terminal", condition), [document["text"]])
        for cause in document["causes"]:
            self._finding(cause["cause"], cause["text"], [], cause["remedy"], cause["who"])
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.width = self._width
        grid.add_column(width=_LABEL, justify="right", style="dim")
        grid.add_column(ratio=1, overflow="fold")
        grid.add_column(style="dim", justify="right", no_wrap=True)
        for fact, sample in document["values"].items():
            told = sample["text"] is not None
            age = "" if sample["value"] is None else measures.ago(self._texts, sample["age_ms"] / 1000)
            text = Text(sample["text"] if told else self._texts("terminal", "not_told"), style="" if told else "dim")
            grid.add_row(measures.label(self._texts, fact), text, age)
        self._console.print(grid)
