"""Decoded ZVT messages as a technician reads them: a line for each message, its fields below it."""

from rich.cells import cell_len
from rich.text import Text

from .lines import BETWEEN, folded
from .screen import Screen

_PLACE = 6  # cells of the offset or the line
_LABEL = 28
_STEP = 2  # cells for each container around a field


class ZvtScreen(Screen):
    def decoded(self, document):
        """All messages, and at the end how many could be read."""
        for entry in document["messages"]:
            self._head(entry)
            if entry["or"]:
                self._aside("either")
            self._fields(entry["fields"] or ())
            if entry["or"]:
                self._aside("or")
                self._fields(entry["or"])
            if entry["error"]:
                self._console.print(Text(folded(entry["error"]["text"], self._width), style="bold red"))
        style = "bold red" if document["damaged"] else "dim"
        self._console.print(Text(folded(document["text"], self._width), style=style))

    def _head(self, entry):
        if not entry["command"]:
            return
        place = entry["at"] if entry["line"] is None else entry["line"]
        head = Text(f"{place:>{_PLACE}}  ", style="dim")
        head.append(f"{entry['command']}  ", style="not dim")
        room = self._width - _PLACE - 9
        name = BETWEEN.join(filter(None, (entry["name"], self._answered(entry))))
        head.append(folded(name, room).replace("\n", "\n" + " " * (_PLACE + 9)), style="not dim bold")
        self._console.print(head)

    def _answered(self, entry):
        return self._texts("zvt", "nak") if entry["answered"] == "NAK" else ""

    def _aside(self, key):
        self._console.print(Text(" " * (_PLACE + 2) + self._texts("zvt", key), style="yellow"))

    def _fields(self, fields, depth=0):
        for field in fields:
            indent = " " * (_PLACE + 2 + depth * _STEP)
            room = max(_LABEL - depth * _STEP, 8)
            label = folded(field["label"], room).split("\n")
            if "items" in field:
                for line in label:
                    self._console.print(Text(indent + line, style="dim"))
                self._fields(field["items"], depth + 1)
                continue
            text = folded(field["text"], self._width - len(indent) - room - 2).split("\n")
            for at in range(max(len(label), len(text))):
                left = label[at] if at < len(label) else ""
                line = Text(indent + left + " " * (room - cell_len(left) + 2), style="dim")
                line.append(text[at] if at < len(text) else "", style="not dim")
                self._console.print(line)
