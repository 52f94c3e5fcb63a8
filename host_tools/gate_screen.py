"""What passed the gate and what was held, as people read it."""

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from . import measures
from .gate_documents import words_of
from .lines import filled, folded, typed
from .screen import Screen

_NUMBER = 4  # cells before a wish, its cause in them
_COLOURS = {"held": "yellow", "done": "green", "not_done": "red", "unknown": "yellow", "under_way": ""}


class GateScreen(Screen):
    def told(self, document):
        """What a gate tells."""
        colour = "bold yellow" if document["failed"] else "bold"
        self._console.print(Text(folded(document["text"], self._width), style=colour))
        self._rows(list(self._about(document)))
        if not document["rows"]:
            self.note(self._say("nothing_asked"))
            return
        self._console.print()
        self._console.print(Text(self._say("last"), style="bold"))
        for at, row in enumerate(document["rows"]):
            self._console.print()
            later = [one for one in document["rows"][at + 1 :] if row["key"] and one["key"] == row["key"]]
            self._wish(row, bool(later))

    def _about(self, document):
        say = self._say
        yield say("since"), say("since_value", age=measures.duration(self._texts, document["uptime_ms"] / 1000))
        numbers = {name: f"{document[name]:,}" for name in ("commands", "answers", "sales", "wishes", "lost")}
        yield say("passed"), say("passed_value", **numbers)
        yield say("sales"), say("sales_value", **numbers)
        became = [f"{document[name]:,} {say(name)}" for name in ("held", "done", "not_done", "unknown")]
        yield say("wanted"), filled([say("wanted_value", **numbers), *became], self._width - 20)
        if document["lost"]:
            yield say("lost"), say("lost_value", **numbers)

    def _wish(self, row, again):
        """`again`: it was asked for anew, and what to do stands there."""
        word = self._say(row["became"])
        colour = _COLOURS[row["became"]]
        width = self._width - _NUMBER - 4 - cell_len(word)
        fields = [self._say(row["kind"], amount=row["amount_text"] or self._say("no_amount"))]
        if row["fits"]:
            fields.append(self._say("fits", receipts=self._texts.join(map(str, row["fits"]))))
        elif row["sale_receipt"]:
            fields.append(self._word("sale", receipt=row["sale_receipt"]))
        else:
            fields.append(self._say("untied"))
        fields.append(measures.ago(self._texts, row["ago_ms"] / 1000))
        body = Text(filled(fields, width), style="bold")
        lines = []
        if row["cause"]:
            lines.append((folded(row["text"], width), "not bold"))
            if not again:
                lines.append((folded(row["remedy"], width), "not bold"))
                lines.append((self._word("who_is", people=row["who"]), "not bold dim"))
        if row["key"]:
            lines.append((f"{self._word('refund_key')} {measures.clean(row['key'])}", "not bold dim"))
        if row["command"] and not again:
            lines.append((self._word("then") + "\n" + typed(words_of(row["command"]), width), "not bold"))
        for text, style in lines:
            body.append("\n" + text, style=style)
        grid = Table.grid(padding=(0, 1, 0, 0))
        grid.width = self._width
        grid.add_column(width=_NUMBER, justify="right")
        grid.add_column(ratio=1, overflow="fold")
        grid.add_column(justify="right", no_wrap=True)
        grid.add_row(Text(str(row["cause"] or ""), style="bold"), body, Text(word, style=colour))
        self._console.print(grid)

    def _say(self, key, **fields):
        return self._texts("gate", key, **fields)
