"""A refund's story as a technician reads it: one column of times, one of what happened, and at the end what to do."""

from rich.table import Table
from rich.text import Text

from . import measures, unseen
from .lines import BETWEEN, filled, folded
from .screen import COLOURS, Screen

_TIME = 8  # cells of 14:03:05
_STYLES = {"event": "yellow", "boot": "yellow", "crash": "red", "in_doubt": "bold yellow", "asked": "bold"}


class ExplainScreen(Screen):
    def told(self, document):
        """The story of one refund."""
        say = self._texts
        receipt = document["sale_receipt"]
        sale = self._word("sale", receipt=receipt) if receipt else ""
        self._console.print(Text(measures.clean(document["key"]), style="bold"))
        head = [document["state_text"], document["amount_text"], sale]
        self._console.print(Text(BETWEEN.join(filter(None, head)), style=COLOURS.get(document["state"], "yellow")))
        day = None
        last = [step for step in document["story"] if step["kind"] == "checked"][-1:]
        for step in document["story"]:
            day = self._step(step, day)
            if step["kind"] == "checked":
                self._findings_of(step, step in last)
        if document["supply"]:
            self._line("", Text(folded(document["supply"]["text"], self._body)))
        for note in document["notes"]:
            self._console.print()
            self.note(note)
        if document["lost"]:
            text = folded(say("journal", "lost", n=document["lost"]), self._width)
            self._console.print(Text(text, style="bold red"))
        self._now(document["now"])

    @property
    def _body(self):
        return self._width - _TIME - 2

    def _step(self, step, day):
        when = step["when"]
        time = (when["time"] or "").rstrip("Z")
        today, _, clock = time.partition("T")
        if today and today != day:
            self._console.print()
            self._console.print(Text(today + " UTC", style="dim"))
        if not clock:
            seconds = None if when["uptime_ms"] is None else when["uptime_ms"] // 1000
            clock = "-" if seconds is None else f"+{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        body = Text(folded(step["text"], self._body), style=_STYLES.get(step["kind"], ""))
        for detail in step["details"]:
            body.append("\n" + folded(detail, self._body), style="not bold default")
        self._line(clock, body)
        return today or day

    def _findings_of(self, step, last):
        """What a check saw; what it could not see is much the same each time, and told in full only the last time."""
        width = self._body - 2
        full, gathered = unseen.split(step)
        for one in full:
            status = self._texts("status", one["status"])
            body = Text("  " + status, style=COLOURS.get(one["status"], ""))
            text = folded(f" {one['cause']}  {one['text']}", width - len(status))
            body.append(text.replace("\n", "\n  "), style="default")
            if one["evidence_text"]:
                lines = filled(one["evidence_text"].split(BETWEEN), width)
                body.append("\n  " + lines.replace("\n", "\n  "), style="default dim")
            self._line("", body)
        if gathered and not last:
            self._line("", Text("  " + self._texts("explain", "unseen", n=len(gathered)), style="dim"))
        elif gathered:
            lines = [self._word("unseen"), *unseen.lines(self._texts, gathered, width)]
            text = "\n".join(folded(line, width) for line in lines)
            self._line("", Text("  " + text.replace("\n", "\n  "), style="dim"))

    def _line(self, clock, body):
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.width = self._width
        grid.add_column(width=_TIME, justify="right", style="dim")
        grid.add_column(ratio=1, overflow="fold")
        grid.add_row(clock, body)
        self._console.print(grid)

    def _now(self, now):
        rows = [(self._texts("explain", "now"), Text(self._folded(now["text"] or now["remedy"]), style="bold"))]
        if now["cause"]:
            rows.append((self._texts("explain", "cause"), f"{now['cause']}  {self._texts.cause(now['cause']).text}"))
            if now["text"]:
                rows.append((self._word("remedy"), now["remedy"]))
            if now["command"]:
                rows.append((self._word("command"), Text(now["command"])))
            rows.append((self._word("steps"), self._numbered(now["steps"])))
            rows.append((self._word("avoid"), Text(self._folded(now["not"]), style="bold")))
            rows.append((self._word("who"), now["who"]))
            rows.append((self._word("call"), now["call"]))
        self._console.print()
        self._rows(rows)
