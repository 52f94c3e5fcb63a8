"""The documents of the policy commands as people read them."""

from itertools import groupby

from rich.table import Table
from rich.text import Text

from . import measures, policy_parts
from .lines import folded
from .screen import Screen

_KEY = 22  # cells of the longest key of a cause
_VALUE = 21
_ROWS = 12  # of sales and the like; --json has them all
_MANY = ("sale", "dispute", "chargeback")
_COLOURS = {"added": "green", "removed": "red", "changed": "yellow"}


class PolicyScreen(Screen):
    def checked(self, document):
        """What checking found: a line for each fault."""
        for fault in [*document["faults"], *document["warnings"]]:
            self._fault(fault, fault in document["warnings"])
        self._said(document["text"], "green" if document["good"] else "red")
        if document["good"]:
            self._sizes(document)

    def made(self, document):
        """A file that was written, and what to do with it."""
        self._said(document["text"], "")
        for note in document["notes"]:
            self.note(note)

    def built(self, document):
        """A policy that was built."""
        for fault in document["warnings"]:
            self._fault(fault, True)
        self._said(document["text"], "green")
        self._rows(
            [
                (self._texts("policy", "valid"), self._valid(document)),
                (self._texts("policy", "signer"), document["signer"]),
                (self._texts("policy", "digest"), document["digest"]),
                (self._texts("policy", "size"), self._texts("policy", "bytes", n=f"{document['size']:,}")),
            ]
        )
        self.note(self._texts("policy", "built_note", file=document["file"]))

    def pin(self, document):
        """Lines to paste."""
        print_ = self._console.print
        print_(Text(f'salt = "{document["salt"]}"'), soft_wrap=True)
        print_(Text(f'pin_hash = "{document["pin_hash"]}"'), soft_wrap=True)

    def shown(self, document):
        """All that a policy says, section by section."""
        rows = [(self._texts("policy", "valid"), self._valid(document))]
        if document["size"] is not None:
            rows.append((self._texts("policy", "signer"), document["signer"] or self._texts("policy", "nobody")))
            rows.append((self._texts("policy", "digest"), document["digest"]))
        title = self._texts("policy", "title", id=measures.clean(document["id"]), version=document["version"])
        self._console.print(Text(title, style="bold"))
        self._rows(rows)
        for section, parts in groupby(document["parts"], key=lambda part: part["section"]):
            if section in _MANY:
                self._many(list(parts))
                continue
            for header, settings in groupby(parts, key=lambda part: part["header"]):
                self._console.print()
                self._console.print(Text(header, style="bold"))
                self._settings(list(settings))
        self._console.print()
        self._sizes(document)

    def compared(self, document):
        """What differs between two policies."""
        for change in document["changes"]:
            grid = self._grid(2, None)
            sign = {"added": "+", "removed": "-", "changed": "~"}[change["change"]]
            style = _COLOURS[change["change"]]
            grid.add_row(Text(sign, style=f"bold {style}"), Text(folded(change["text"], self._width - 3)))
            self._console.print(grid)
        self._said(document["text"], "")

    def there(self, document):
        """What policy an agent has."""
        self._said(document["text"], "green" if document["state"] == "good" else "yellow")
        rows = []
        if document["version"] is not None:
            value = self._texts("policy", "title", id=measures.clean(document["id"]), version=document["version"])
            rows.append((self._texts("policy", "name"), value))
            if document["expires"]:
                rows.append((self._texts("policy", "valid"), self._valid(document)))
        if document["digest"]:
            rows.append((self._texts("policy", "signer"), document["signer"] or self._texts("policy", "nobody")))
            rows.append((self._texts("policy", "digest"), document["digest"]))
        if any(document["rows"].values()):
            rows.append((self._texts("policy", "lists"), self._lists(document["rows"])))
        rows.append(
            (self._texts("policy", "counter"), self._texts("policy", "counter_value", n=document["counter"] + 1))
        )
        size = self._texts("policy", "room_value", size=f"{document['size'] or 0:,}", room=f"{document['room']:,}")
        rows.append((self._texts("policy", "room"), size))
        self._rows(rows)

    def pushed(self, document):
        """A policy that was put on an agent."""
        self.there(document)
        if document["already"]:
            self.note(self._texts("policy", "already"))

    def _fault(self, fault, warning):
        text = fault["line_text"]
        if warning:
            text = self._texts("policy", "warning", text=text)
        # one line: programs that jump to FILE:LINE:COLUMN read it
        self._console.print(Text(text, style="yellow" if warning else ""), soft_wrap=True)

    def _said(self, text, colour):
        self._console.print(Text(text, style=f"bold {colour}".strip()), soft_wrap=True)

    def _sizes(self, document):
        size, room = document["rules_bytes"], document["rules_room"]
        self.note(
            self._texts("policy", "sizes", size=f"{size:,}", room=f"{room:,}", rows=self._lists(document["rows"]))
        )

    def _lists(self, rows):
        return self._texts.join(self._texts("policy", f"n_{name}", n=n) for name, n in rows.items())

    def _valid(self, document):
        return self._texts("policy", "from_to", begin=_minute(document["valid_from"]), end=_minute(document["expires"]))

    def _settings(self, settings):
        for row, parts in groupby(settings, key=lambda part: part["row"]):
            if row and not policy_parts.has_name(settings[0]["section"]):
                self._console.print(Text(folded(row, self._width)))
            grid = self._grid(_KEY, _VALUE)
            for part in parts:
                if part["key"]:
                    grid.add_row(measures.clean(part["key"]), Text(folded(part["value"], _VALUE)), part["text"])
            if grid.row_count:
                self._console.print(grid)

    def _many(self, parts):
        """Rows of one section, a line each."""
        self._console.print()
        self._console.print(Text(parts[0]["header"], style="bold"))
        rows = [list(row) for _, row in groupby(parts, key=lambda part: part["row"])]
        for row in rows[:_ROWS]:
            told = [f"{part['key']} {part['value']}" for part in row if part["key"]]
            grid = self._grid(_KEY, None)
            grid.add_row(row[0]["row"], ", ".join(told))
            self._console.print(grid)
        if len(rows) > _ROWS:
            self.note(self._texts("policy", "more_rows", n=len(rows) - _ROWS))

    def _grid(self, first, second):
        grid = Table.grid(padding=(0, 1, 0, 0))
        grid.width = self._width
        grid.add_column(width=first, overflow="fold")
        if second:
            grid.add_column(width=second, overflow="fold")
            grid.add_column(ratio=1, overflow="fold", style="dim")
        else:
            grid.add_column(ratio=1, overflow="fold")
        return grid


def _minute(moment):
    return (moment or "?").replace("T", " ").rstrip("Z")[:16]
