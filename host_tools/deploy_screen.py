"""The documents of deploying as people read them."""

from rich.table import Table
from rich.text import Text

from .screen import Screen

_ROWS = 12  # the largest files; --json has them all


class DeployScreen(Screen):
    def deployed(self, document):
        """Sizes against room, and what became of it."""
        say = self._table_text
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        table.add_column(say("file"))
        table.add_column(say("bytes"), justify="right")
        table.add_column("")
        files = document["files"]
        for row in files[:_ROWS]:
            table.add_row(row["file"], f"{row['bytes']:,}", say("copies" if row["copied"] else "same"))
        rest = files[_ROWS:]
        if rest:
            copied = sum(row["copied"] for row in rest)
            size = sum(row["bytes"] for row in rest)
            note = say("of_them", n=copied) if copied else ""
            table.add_row(say("others", n=len(rest)), f"{size:,}", note)
        self._console.print(table)
        self._rows(
            [
                (say("board"), f"{document['board']} · {document['machine']} · MicroPython {document['firmware']}"),
                (say("port"), document["port"]),
                (say("agent"), say("size", bytes=f"{document['bytes']:,}", kb=document["takes"] // 1024)),
                (say("room"), say("room_value", needed=_kb(document["needed"]), free=_kb(document["free"]))),
                (say("slot"), say("slot_value", slot=document["slot"], n=document["release"])),
                (say("keys"), say("keys_value", n=document["trusted"])),
            ]
        )
        if document["kept_main"]:
            self.note(say("kept_main", file=document["kept_main"]))
        if document["went_back"] and document["state"] == "planned":
            self.note(say("went_back", n=document["went_back"]))
        if not document["trusted"]:
            self.note(say("no_key"))
        self._said(document["text"], document["fits"])

    def back(self, document):
        """The other slot's agent is the one again."""
        self._said(document["text"], True)

    def _said(self, text, good):
        self._console.print(Text(text, style="bold green" if good else "bold red"), soft_wrap=True)

    def _table_text(self, key, **fields):
        return self._texts("deploy", key, **fields)


def _kb(size):
    return f"{-(-size // 1024):,}"
