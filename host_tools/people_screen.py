"""What people attested, approved and were led through, as they read it."""

from rich.text import Text

from . import gate_keys, measures
from .lines import folded, typed
from .screen import Screen


class PeopleScreen(Screen):
    def attested(self, document):
        """A person's word that was recorded."""
        self._head(document["text"], "")
        rows = [*self._where(document)]
        if document["receipt"]:
            rows.append((self._word("receipt"), str(document["receipt"])))
        rows.append((self._word("by"), self._person(document)))
        if document["words"]:
            rows.append((self._word("words"), measures.clean(document["words"])))
        if document["digest"]:
            rows.append((self._word("digest"), document["digest"]))
        self._rows(rows)
        if len(document["files"]) > 1:
            self.note(self._texts("people", "digest_of_several", n=len(document["files"])))
        if document["digest"]:
            self.note(self._texts("people", "digest_note"))
        self._undated(document)
        self.note(self._word("attested_note"))

    def approved(self, document):
        """An approval that was recorded, and what to type next."""
        self._head(document["text"], "green")
        self._rows([*self._where(document), (self._word("refund_key"), measures.clean(document["key"]))])
        self._undated(document)
        if gate_keys.asked(document["key"]):  # it was asked for at a till, which alone can ask for it again
            self.note(self._texts("people", "approved_then_till"))
            return
        amount = document["amount_text"].replace(",", "").partition(" ")[0]
        again = [f"--receipt {document['sale_receipt']}", f"--amount {amount}", f"--currency {document['currency']}"]
        self.note(self._texts("people", "approved_then"))
        command = typed(["refundctl refund", *again, f"--key {document['key']}"], self._width - 2)
        self._console.print(Text("  " + command.replace("\n", "\n  ")), soft_wrap=True)

    def guide(self, document):
        """What the steps are about, before the first of them."""
        self._head(f"{document['cause']}  {document['cause_text']}", "")
        self.note(document["not"])
        self._console.print()

    def step(self, document):
        """One step, before it is done."""
        number = f"{document['step']}/{document['of']}  "
        text = folded(document["text"], self._width - len(number))
        self._console.print(Text(number + text.replace("\n", "\n" + " " * len(number))))

    def guided(self, document):
        """How far somebody got."""
        self._console.print()
        self._head(document["text"], "green" if document["complete"] else "yellow")
        for step in document["steps"]:
            mark = "x" if step["done"] else " "
            text = folded(step["text"], self._width - 8)
            style = "dim" if step["done"] else ""
            self._console.print(Text(f"[{mark}] {step['step']}  " + text.replace("\n", "\n" + " " * 7), style=style))
        if document["done"]:
            self._undated(document["steps"][document["done"] - 1])
            self.note(self._word("attested_note"))

    def _head(self, text, colour):
        self._console.print(Text(folded(text, self._width), style=f"bold {colour}".rstrip()))

    def _where(self, document):
        yield self._word("record"), f"#{document['number']}"
        yield self._word("when"), document["time"].replace("T", " ").rstrip("Z") or self._word("clock_never")

    def _person(self, document):
        return measures.clean(f"{document['by']} ({document['role']})")

    def _undated(self, document):
        if not document["time"]:
            self.note(self._texts("people", "undated"))
