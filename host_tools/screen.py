"""Documents as people read them: calm, at 80 columns, with or without colour, in a terminal or a file."""

from datetime import UTC, datetime

from rich import box
from rich.cells import cell_len
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from . import hints, measures, unseen
from .documents import OUTCOME_UNKNOWN
from .lines import BETWEEN, filled, folded, typed

WIDTH = 80  # longer lines read badly, and the smallest terminals have this
COLOURS = {
    "GO": "green",
    "WARN": "yellow",
    "UNKNOWN": "yellow",
    "HOLD": "yellow",
    "BLOCK": "red",
    "PASS": "green",
    "APPROVED": "green",
    "DECLINED": "red",
    "REQUESTED": "yellow",
    "SENT": "yellow",
    "IN_DOUBT": "yellow",
    "NOT_EXECUTED": "yellow",
    "green": "green",
    "amber": "yellow",
    "red": "red",
    "warning": "yellow",
    "severe": "red",
}
_NUMBER = 4  # cells before a finding, its number in them
_LABEL = 11  # cells of the widest label
_TIME = 12  # cells of 123:45:56.789
_SEVERITY = 8


class Screen:
    """Prints documents on a rich Console in the language of `texts`."""

    def __init__(self, console, texts):
        self._console = console
        self._texts = texts
        self._width = min(console.width, WIDTH)

    def verdict(self, document):
        """A pre-flight's verdict and its findings."""
        word = document["verdict"]
        sale = self._word("sale", receipt=document["sale_receipt"])
        self._panel(
            word,
            self._texts("verdict", word),
            [self._texts("verdict_says", word), f"{document['amount_text']}{BETWEEN}{sale}"],
        )
        self._findings(document)
        waits = [one for one in document["findings"] if one["cause"] == hints.APPROVAL and one["status"] == "HOLD"]
        if waits and not document["key"]:
            self.note(self._word("approve_by_key"))

    def refund(self, document):
        """What became of a refund."""
        state = document["state"]
        if state == "NEW":
            word = document["verdict"] or "BLOCK"
            title, lines = self._texts("verdict", word), [self._texts("verdict_says", word), document["text"]]
        else:
            word, title, lines = state, self._texts("state", state).upper(), [document["text"]]
        details = [
            f"{self._word(name)} {document[name]}" for name in ("receipt", "trace") if document[name] is not None
        ]
        if document["result_code"]:
            details.append(f"{self._word('result_code')} {document['result_code']:02X}")
        key = f"{self._word('refund_key')} {measures.clean(document['key'])}"
        lines.append(filled([key, *details], self._panel_width(title)))
        if document["earlier"]:
            lines.append(self._word("earlier"))
            if document["attested_by"]:
                lines.append(self._word("attested_by", by=measures.clean(document["attested_by"])))
        self._panel(word, title, lines)
        if document["remedy"]:
            number = document["cause"] or OUTCOME_UNKNOWN
            self._finding(number, document["cause_text"], [], document["remedy"], document["who"])
        self._findings(document)

    def settled(self, document):
        """A refund that a person settled."""
        self.refund(document)
        if document["attested_by"]:
            fields = {name: measures.clean(document[name] or "?") for name in ("role", "reason")}
            text = self._word("attested", by=measures.clean(document["attested_by"]), **fields)
            self._console.print(Text(folded(text, self._width)))
        self.note(self._word("attested_note"))

    def status(self, document):
        """The agent, its hardware, its measurements."""
        word = document["verdict"]
        self._panel(word, self._texts("verdict", word), [self._texts("hardware_says", word)])
        if document["safe_mode"]:
            self.note(self._texts("health", "safe_mode"))
        self._findings(document)
        self._rows(self._about_agent(document))
        if document["values"]:
            self._console.print()
            self._console.print(Text(self._word("values"), style="bold"))
            self._values(document["values"])

    def watched(self, document):
        """One thing that was watched: one line in a file or a pipe, broken with care in a terminal."""
        if document["kind"] == "event":
            uptime, severity = _clock(document["uptime_ms"]), document["severity"]
            name, style = self._texts("severity", severity), COLOURS.get(severity, "")
            details = measures.pairs(self._texts, document["numbers"])
        elif document["kind"] == "values":
            uptime, name, style = _clock(document["uptime_ms"]), "", "dim"
            details = measures.pairs(self._texts, document["values"])
        else:
            uptime, name, style, details = "", "--", "bold", []
        if not self._console.is_terminal:
            line = f"{uptime:>{_TIME}} {name}  {BETWEEN.join([document['text'], *details])}"
            self._console.print(Text(line), soft_wrap=True)
            return
        grid = Table.grid(padding=(0, 1, 0, 0))
        grid.width = self._width
        grid.add_column(width=_TIME, justify="right", style="dim")
        grid.add_column(width=_SEVERITY)
        grid.add_column(ratio=1, overflow="fold")
        width = self._width - _TIME - _SEVERITY - 2
        text = Text(folded(document["text"], width), style=style)
        if details:
            text.append("\n" + filled(details, width), style="default not bold")
        grid.add_row(uptime, Text(name, style=style or "dim"), text)
        self._console.print(grid)

    def causes(self, documents):
        """The whole catalogue."""
        table = self._table(
            ("number", "right", 2), ("text", "left", None), ("who", "left", 22), ("found", "left", None)
        )
        table.columns[1].ratio = 1
        table.columns[3].no_wrap = True
        for document in documents:
            text = Text(document["text"])
            text.append("\n" + document["key"], style="dim")
            found = Text(self._texts("status", document["found"]), style=COLOURS[document["found"]])
            table.add_row(str(document["cause"]), text, document["who"], found)
        self._console.print(table)

    def cause(self, document):
        """One cause in full."""
        found = self._texts("status", document["found"])
        if document["weakenable"]:
            found = self._word("weakenable", found=found)
        self._console.print(Text(f"{document['cause']}  {document['text']}", style="bold"), width=self._width)
        self._rows(
            [
                (self._word("about"), document["name"]),
                (self._word("why"), document["why"]),
                (self._word("remedy"), document["remedy"]),
                (self._word("steps"), self._numbered(document["steps"])),
                (self._word("avoid"), Text(self._folded(document["not"]), style="bold")),
                (self._word("who"), document["who"]),
                (self._word("call"), document["call"]),
                (self._word("found"), Text(found, style=COLOURS[document["found"]])),
                (
                    self._word("known_from"),
                    self._texts.join(self._texts("source_letter", letter) for letter in document["sources"]),
                ),
                (self._word("key"), document["key"]),
            ]
        )

    def ports(self, documents):
        """The ports of this machine."""
        if not documents:
            self._console.print(Text(self._word("no_ports")), width=self._width)
            return
        table = self._table(("port", "left", None), ("description", "left", None), ("answer", "left", None))
        for document in documents:
            answer = Text(document["text"], style="green" if document["agent"] else "")
            table.add_row(Text(document["port"], overflow="fold"), Text(document["description"]), answer)
        self._console.print(table)

    def note(self, text):
        """A line that explains, and could be left out."""
        self._console.print(Text(text, style="dim"), width=self._width)

    def _word(self, key, **fields):
        return self._texts("word", key, **fields)

    def _panel(self, colour, title, lines):
        grid = Table.grid(padding=(0, 3, 0, 0))
        grid.add_column(no_wrap=True)
        grid.add_column(ratio=1, overflow="fold")
        text = folded("\n".join(line for line in lines if line), self._panel_width(title))
        grid.add_row(Text(title, style=f"bold {COLOURS[colour]}"), Text(text))
        self._console.print(Panel(grid, width=self._width, border_style=COLOURS[colour], box=box.ROUNDED))

    def _panel_width(self, title):
        return self._width - 4 - cell_len(title) - 3  # frame, title, gap

    def _findings(self, document):
        """Those that count one by one, then what could not be seen, then what passes."""
        full, gathered = unseen.split(document)
        passed = [one for one in full if one["status"] == "PASS"]
        for finding in full:
            if finding["status"] != "PASS":
                self._found(finding, document)
        if gathered:
            self._unseen(gathered)
        for finding in passed:
            self._found(finding, document)

    def _found(self, finding, document):
        self._finding(
            finding["cause"],
            finding["text"],
            measures.pairs(self._texts, finding["evidence"], document.get("currency")),
            finding["remedy"],
            finding["who"] if finding["remedy"] else "",
            finding["status"],
            hints.command(finding, document),
        )

    def _unseen(self, findings):
        status = self._texts("status", "UNKNOWN")
        width = self._width - _NUMBER - 3 - cell_len(status)
        body = Text(folded(self._word("unseen"), width), style="bold")
        for text in unseen.lines(self._texts, findings, width):
            body.append("\n" + text, style="not bold")
        self._row("", body, "UNKNOWN")

    def _finding(self, number, what, evidence, remedy, who, colour="", command=()):
        status = self._texts("status", colour) if colour else ""
        width = self._width - _NUMBER - 3 - cell_len(status)
        body = Text(folded(what, width), style="bold")
        for text, style in (
            (filled(evidence, width), "not bold"),
            (folded(remedy, width), "not bold"),
            (self._word("who_is", people=who) if who else "", "not bold dim"),
            (self._word("then") + "\n" + typed(command, width) if command else "", "not bold"),
        ):
            if text:
                body.append("\n" + text, style=style)
        self._row(str(number), body, colour)

    def _row(self, number, body, colour):
        status = Text(self._texts("status", colour) if colour else "", style=COLOURS.get(colour, ""))
        grid = Table.grid(padding=(0, 1, 0, 0))
        grid.width = self._width
        grid.add_column(width=_NUMBER, justify="right")
        grid.add_column(ratio=1, overflow="fold")
        grid.add_column(justify="right", no_wrap=True)
        grid.add_row(Text(number, style="bold"), body, status)
        self._console.print(grid)
        self._console.print()

    def _about_agent(self, document):
        clean = {
            name: measures.clean(document[name]) for name in ("agent_version", "board", "runtime", "runtime_version")
        }
        rows = [
            (self._word("agent"), self._word("agent_value", version=clean.pop("agent_version"), **clean)),
            (
                self._word("uptime"),
                self._word(
                    "uptime_value",
                    time=measures.duration(self._texts, document["uptime_ms"] / 1000),
                    boot=document["boot"],
                ),
            ),
            (self._word("clock"), self._wall_clock(document["wall_s"])),
            (self._word("memory"), self._memory(document)),
            (
                self._word("journal"),
                self._word(
                    "journal_value",
                    used=_kilobytes(document["journal_used"]),
                    size=_kilobytes(document["journal_size"]),
                ),
            ),
            (self._word("refunds"), self._refunds(document)),
        ]
        light = document["light"]
        if light:
            name = self._texts("light", light) if self._texts.has("light", light) else measures.clean(light)
            rows.append((self._word("light"), Text(name, style=COLOURS.get(light, ""))))
        crash = document["crash"]
        if crash:
            rows.append((self._word("last_crash"), " ".join([crash["text"], *crash["details"]])))
        return rows

    def _wall_clock(self, seconds):
        if seconds is None:
            return self._word("clock_never")
        try:
            return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        except (OverflowError, ValueError, OSError):
            return str(seconds)  # beyond the year 9999: the finding on the clock says the rest

    def _memory(self, document):
        parts = [
            self._word(word, kb=_kilobytes(document[name]))
            for word, name in (("memory_free", "heap_free"), ("memory_used", "heap_used"), ("memory_peak", "heap_peak"))
            if document[name] is not None
        ]
        return BETWEEN.join(parts) or self._word("unknown")

    def _refunds(self, document):
        doubt = document["in_doubt"]
        text = Text(self._word("refunds_value", n=document["refunds"]) + BETWEEN)
        text.append(
            self._word("in_doubt_some", n=doubt) if doubt else self._word("in_doubt_none"),
            style="bold yellow" if doubt else "",
        )
        return text

    def _rows(self, rows):
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.width = self._width
        grid.add_column(width=_LABEL + 2, justify="right", style="dim")
        grid.add_column(ratio=1, overflow="fold")
        for label, value in rows:
            text = value if isinstance(value, Text) else Text(self._folded(value))
            grid.add_row(label, text)
        self._console.print(grid)

    def _folded(self, text, indent=0):
        return folded(text, self._width - _LABEL - 4 - indent).replace("\n", "\n" + " " * indent)

    def _numbered(self, steps):
        return Text("\n".join(f"{number}  {self._folded(step, 3)}" for number, step in enumerate(steps, 1)))

    def _values(self, values):
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(width=24, justify="right", style="dim")
        grid.add_column(width=26, overflow="fold")
        grid.add_column(style="dim")
        for fact, sample in values.items():
            absent = sample["value"] is None
            grid.add_row(
                measures.label(self._texts, fact),
                Text(measures.value(self._texts, fact, sample["value"]), style="dim" if absent else ""),
                "" if absent else measures.ago(self._texts, sample["age_ms"] / 1000),
            )
        self._console.print(grid)

    def _table(self, *columns):
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", width=self._width)
        for key, justify, width in columns:
            table.add_column(self._word(key), justify=justify, width=width)
        return table


def _kilobytes(size):
    return f"{size // 1024:,}"


def _clock(milliseconds):
    seconds, milliseconds = divmod(milliseconds, 1000)
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}.{milliseconds:03}"
