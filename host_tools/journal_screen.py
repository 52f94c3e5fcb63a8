"""The documents of the journal commands as people read them."""

from rich.table import Table
from rich.text import Text

from . import journal_documents, measures
from .lines import BETWEEN, filled, folded
from .screen import COLOURS, Screen

_NUMBER = 6  # cells of a record's number, # in front
_TIME = 19  # of 2026-11-22 14:03:05
_STATE = 15  # of "outcome unknown"
_AMOUNTS = ("amount", "sale_amount")
_SAID = ("void", "alone")  # by their name alone


class JournalScreen(Screen):
    def refunds(self, document):
        """Every refund, the last one at the end."""
        if not document["refunds"]:
            self.note(self._texts("journal", "no_refunds"))
        else:
            table = self._table(
                ("time", "left", 16),
                ("sale_column", "right", None),
                ("amount", "right", None),
                ("state", "left", None),
                ("refund_key", "left", None),
            )
            table.columns[3].max_width = _STATE
            table.columns[1].no_wrap = table.columns[2].no_wrap = True
            table.columns[4].ratio = 1
            table.columns[4].overflow = "fold"
            for row in document["refunds"]:
                table.add_row(
                    _minute(row["time"]) or "-",
                    str(row["sale_receipt"] or "-"),
                    row["amount_text"] or "-",
                    Text(row["state_text"], style=COLOURS.get(row["state"], "")),
                    self._key_and_end(row),
                )
            self._console.print(table)
        crash = document["crash"]
        if crash:
            self._rows([(self._word("last_crash"), " ".join([crash["text"], *crash["details"]]))])
        self._lost(document)

    def story(self, document):
        """One refund, record by record."""
        head = [document["state_text"], document["amount_text"], self._sale(document)]
        self._console.print(Text(measures.clean(document["key"]), style="bold"))
        self._console.print(Text(BETWEEN.join(filter(None, head)), style=COLOURS.get(document["state"], "")))
        self._console.print()
        if not document["complete"]:
            self.note(self._texts("journal", "begins_later"))
        told = {}
        for entry in document["records"]:
            self._entry(entry, document["currency"], told)
        self._lost(document)

    def verified(self, document):
        """What verifying found."""
        colour = "red" if journal_documents.bad(document) else "yellow" if document["damaged"] else "green"
        text = folded(document["text"], self._width)
        self._console.print(Text(text, style=f"bold {colour}"))
        rows = [(self._word("agent_id"), document["agent_id"] or "?")]
        if document["records"] is not None:
            value = self._texts(
                "journal", "records", n=document["records"], first=document["first"], last=document["last"]
            )
            rows.append((self._word("records"), value))
        sectors = document["size"] // document["sector"]
        fields = {
            "n": sectors,
            "size": f"{document['sector']:,}",
            "oldest": document["oldest"],
            "newest": document["newest"],
        }
        rows.append((self._word("sectors"), self._texts("journal", "sectors", **fields)))
        fields = {"number": document["last"], "digest": document["digest"]}
        rows.append((self._word("last_record"), self._texts("journal", "last", **fields)))
        places = "\n".join(self._place(place) for place in document["places"])
        more = document["damaged"] - len(document["places"])
        if more > 0:
            places += "\n" + self._texts("journal", "more_places", n=more)
        rows.append((self._word("damage"), places or self._texts("journal", "no_damage")))
        known = document["known"]
        if known:
            text = self._texts("journal", "known_" + known["found"], number=known["number"])
            rows.append((self._word("known"), text))
        self._rows(rows)
        self.note(self._texts("journal", "note", note=document["note"]))

    def pulled(self, document):
        """A copy that was pulled."""
        self.verified(document)
        fields = {"file": document["file"], "read": f"{document['read']:,}", "size": f"{document['size']:,}"}
        self._console.print(Text(self._texts("journal", "pulled", **fields)), soft_wrap=True)

    def exported(self, document):
        """A file that was written."""
        text = self._texts("journal", "exported", n=document["records"], file=document["file"])
        self._console.print(Text(text), soft_wrap=True)

    def _key_and_end(self, row):
        text = Text(measures.clean(row["key"]))
        end = [self._texts("kept", "void")] if row["void"] else []
        if row["receipt"] is not None:
            end.append(f"{self._word('receipt')} {row['receipt']}")
        if row["attested_by"]:
            end.append(self._word("attested_by", by=measures.clean(row["attested_by"])))
        if end:
            text.append("\n" + BETWEEN.join(end), style="dim")
        return text

    def _sale(self, document):
        return self._word("sale", receipt=document["sale_receipt"]) if document["sale_receipt"] else ""

    def _entry(self, entry, currency, told):
        """`told`: facts that are on the screen already."""
        if entry["kind"] == "verdict":
            word = entry["verdict"]
            verdict = self._texts("verdict", word) if self._texts.has("verdict", word) else word
            what, style = self._texts("explain", "checked", verdict=verdict), COLOURS.get(word, "")
            facts = {}
        elif entry["kind"] == "attested":
            who = {"by": measures.clean(entry["by"]), "role": measures.clean(entry["role"])}
            amount = measures.amount(self._texts, entry["value"], currency)
            what, style = self._texts("explain", "approved", amount=amount, **who), ""
            facts = {}
        elif entry["kind"] == "sale":
            what, style = self._texts("journal", "sale_seen"), ""
            facts = {
                name: entry[name] for name in ("receipt", "trace", "amount", "mmdd", "hhmmss", "card", "card_token")
            }
        else:
            what, style = journal_documents.state(self._texts, entry["state"]), COLOURS.get(entry["state"], "")
            facts = {name: value for name, value in entry["facts"].items() if told.get(name) != value}
            told.update(facts)
        grid = Table.grid(padding=(0, 1, 0, 0))
        grid.width = self._width
        grid.add_column(width=_NUMBER, justify="right", style="dim")
        grid.add_column(width=_TIME, style="dim")
        grid.add_column(ratio=1, overflow="fold")
        width = self._width - _NUMBER - _TIME - 3
        body = Text(what, style=style)
        lines = [
            self._fact(name, value, currency)
            for name, value in facts.items()
            if value is not None and name not in ("currency", "sale_id")
        ]
        if lines:
            body.append("\n" + filled(lines, width), style="default not bold")
        for line in self._findings(entry.get("findings", ()), width):
            body.append("\n" + line, style="default not bold")
        when = _second(entry.get("time")) if entry["kind"] != "sale" else ""
        grid.add_row(f"#{entry['number']}", when or "-" * (entry["kind"] != "sale"), body)
        self._console.print(grid)

    def _findings(self, findings, width):
        """Yields a text for each; of those that lacked what they need, how many there are."""
        seen = [one for one in findings if one["status"] != "UNKNOWN"]
        for one in seen:
            text = f"{self._texts('status', one['status'])} {one['cause']}  {self._texts.cause(one['cause']).text}"
            yield folded(text, width)
        if len(seen) < len(findings):
            yield folded(self._texts("explain", "unseen", n=len(findings) - len(seen)), width)

    def _fact(self, name, value, currency):
        label = self._texts("kept", name) if self._texts.has("kept", name) else name
        if name in _SAID and value == 1:
            return label
        if name in _AMOUNTS:
            text = measures.amount(self._texts, value, currency)
        elif name == "receipt" and value == 0:
            text = self._word("unknown")
        elif name == "code":
            text = f"{value:02X}" if isinstance(value, int) else measures.clean(value)
        elif name in ("mmdd", "hhmmss") and isinstance(value, int):
            digits = f"{value:0{len(name)}}"
            text = ("-" if name == "mmdd" else ":").join(digits[at : at + 2] for at in range(0, len(name), 2))
        elif name == "before":
            text = str(value["receipt"]) if isinstance(value, dict) and value.get("receipt") is not None else "-"
        else:
            text = measures.clean(value)
        return self._texts("word", "pair", label=label, value=text)

    def _place(self, place):
        key = "place_lost" if place["lost"] else "place_cut"
        if place["lost"] and place["accepted"]:
            key = "place_accepted"
        return self._texts("journal", key, **{**place, "address": f"{place['address']:,}"})

    def _lost(self, document):
        if document["lost"]:
            text = folded(self._texts("journal", "lost", n=document["lost"]), self._width)
            self._console.print(Text(text, style="bold red"))


def _second(moment):
    return (moment or "").replace("T", " ").rstrip("Z")


def _minute(moment):
    return _second(moment)[:16]
