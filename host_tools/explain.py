"""A refund's story in order: what was asked, what each check saw, what the hardware did around it, what the terminal said.

Pure: from a copy of the journal and, where an agent was asked, its events. What was not seen is not made up: a step without a
time has none.
"""

from collections import namedtuple

from firmware_agent.wire import messages

from . import gate_keys, money

AROUND_MS = 60_000  # what the hardware did a minute before counts: watchers need seconds to call a supply unstable
_CLOSE_MS = 1000  # a verdict is told as an event just before it is journaled
_OTHERS = ("verdict", "refund", "attested", "approved")  # events of records; those of this refund are in the journal
_CURRENCY_MISMATCH = 36
_OF_A_SALE = ("doubt_asked", "wrong_original")

# number: of the record in the journal, None for an event; boot, uptime_ms, wall_s: None where they are not known; entry: the
# document of the record (journal.Copy) or of the event (messages.EVENT, "name" beside).
Step = namedtuple("Step", "kind number boot uptime_ms wall_s entry")


class Now:
    """What an agent said beside its journal. events: [EVENT], dropped: how many before them it no longer has, boot: of both;
    offset_ms: its wall clock less its uptime, None if its clock was never set."""

    def __init__(self, events, dropped, boot, status):
        self.events = events
        self.dropped = dropped
        self.boot = boot
        wall_s = status.get("wall_s")
        self.offset_ms = None if wall_s is None else wall_s * 1000 - status["uptime_ms"]


def latest(copy):
    """The key of the refund with the latest record, None if there is none."""
    keys = [
        entry["key"] for entry in copy.entries if entry["kind"] in ("refund", "verdict") and not entry.get("carried")
    ]
    rows = copy.refunds()
    return keys[-1] if keys else rows[-1]["key"] if rows else None


class Story:
    """The Steps of the refund with this key; `now`: Now, or None for a journal alone. `found`: False if there is no such
    refund. `asked`: {fact: value} of what was asked; `state`: of the refund, NEW if the checks held it; `verdict`: the last
    VERDICT of it or None. `eventless`: True if the agent has started anew since; `dropped`: events it no longer has."""

    def __init__(self, copy, key, now=None):
        self.key = key
        self._copy = copy
        self._now = now
        self._boots = {}  # place of an entry -> boot it was written in
        self._offsets = {}
        self._place()
        mine = [
            entry for entry in _once(copy.entries) if entry.get("key") == key and entry["kind"] in ("refund", "verdict")
        ]
        self.found = bool(mine)
        if not self.found:
            return
        states = [entry for entry in mine if entry["kind"] == "refund"]
        self.verdict = next((entry for entry in reversed(mine) if entry["kind"] == "verdict"), None)
        self.state = states[-1]["state"] if states else "NEW"
        self.facts = {}
        for entry in states:
            if entry["state"] == "REQUESTED":  # perhaps anew: nothing is known of this time yet
                self.facts = {}
            self.facts.update(entry["facts"])
        self.asked = self._what_was_asked(mine)
        self.sale = self._its_sale(mine)
        self._say_currency()
        records = self._timed([*mine, *self._words(mine), *self._starts(mine)])
        first = "APPROVED" if gate_keys.passed(key) else "REQUESTED"
        self.complete = self.state == "NEW" or any(entry["state"] == first and not entry["carried"] for entry in states)
        self.dropped = now.dropped if now else 0
        self.eventless = bool(now) and not any(step.boot == now.boot for step in records)
        self.steps = self._with_events(records)

    def _place(self):
        """Where each boot begins, and how the clocks of a boot stood to each other."""
        boot = None
        for at, entry in enumerate(self._copy.entries):
            if entry["kind"] == "boot" and not entry["carried"]:
                boot = entry["boot"]
            self._boots[at] = None if entry.get("carried") else boot
            if entry["kind"] == "verdict" and entry["wall_s"] is not None and not entry["carried"]:
                self._offsets[boot] = entry["wall_s"] * 1000 - entry["uptime_ms"]
        self._at = {id(entry): at for at, entry in enumerate(self._copy.entries)}
        if self._now and self._now.offset_ms is not None:
            self._offsets[self._now.boot] = self._now.offset_ms

    def _boot(self, entry):
        return self._boots[self._at[id(entry)]]

    def _what_was_asked(self, mine):
        names = ("receipt", "amount", "currency", "sale_amount", "sale_date", "card", "operator", "scheme", "void")
        asked = {name: self.facts[name] for name in names if self.facts.get(name) is not None}
        for entry in mine:  # held before anything of the request was journaled: what the checks looked at
            for name, value in entry.get("asked", {}).items():
                asked.setdefault(name, value)
            for finding in entry.get("findings", ()):
                for name in ("receipt", "amount", "operator", "scheme"):
                    if name in finding["evidence"]:
                        asked.setdefault(name, finding["evidence"][name])
        if self._now and not {"receipt", "amount"} <= asked.keys():
            for entry in mine:
                for name, value in self._verdict_event(entry).items():
                    asked.setdefault(name, value)
        return asked

    def _verdict_event(self, entry):
        """{"receipt", "amount"} of the event that tells of this verdict."""
        if entry["kind"] != "verdict" or self._boot(entry) != self._now.boot:
            return {}
        told = [event for event in self._now.events if event["name"] == "verdict"]
        told.sort(key=lambda event: abs(event["uptime_ms"] - entry["uptime_ms"]))
        if not told or abs(told[0]["uptime_ms"] - entry["uptime_ms"]) > _CLOSE_MS:
            return {}
        return {name: told[0]["numbers"][name] for name in ("receipt", "amount") if name in told[0]["numbers"]}

    def _its_sale(self, mine):
        """The entry of the sale it refers to, None if the terminal never showed it."""
        wanted, receipt = self.facts.get("sale_id"), self.asked.get("receipt")
        last = self._at[id(mine[-1])]
        sale = None
        for entry in self._copy.entries[:last]:
            if entry["kind"] == "sale" and (entry["sale_id"] == wanted if wanted else entry["receipt"] == receipt):
                sale = entry
        return sale

    def _say_currency(self):
        """A refund that was held has left none: it was the sale's, unless the checks said otherwise."""
        letters = self.sale and money.LETTERS.get(self.sale["currency"])
        if letters and self.verdict and not any(one["cause"] == _CURRENCY_MISMATCH for one in self.verdict["findings"]):
            self.asked.setdefault("currency", letters)

    def _words(self, mine):
        """Approvals of this refund, and what people attested of its sale before it ended."""
        begin = self._at[id(self.sale)] if self.sale else -1
        end = self._at[id(mine[-1])] if self.state in ("APPROVED", "DECLINED") else len(self._copy.entries)
        receipt = self.asked.get("receipt")
        for entry in _once(self._copy.entries):
            if entry["kind"] == "attested" and begin < self._at[id(entry)] < end and receipt is not None:
                approves = entry["what"] == "approval"
                if entry["text"] == self.key if approves else entry["receipt"] == receipt:
                    yield entry

    def _starts(self, mine):
        """Each start of the agent while the refund was not at its end, and each crash."""
        first, last = (self._at[id(entry)] for entry in (mine[0], mine[-1]))
        seen = {self._boot(mine[0])}
        for entry in self._copy.entries[first:last]:
            if entry["kind"] == "boot" and not entry["carried"] and entry["boot"] not in seen:
                seen.add(entry["boot"])
                yield entry
            elif entry["kind"] == "crash":
                yield entry

    def _timed(self, entries):
        """Records as Steps in the order of the journal, each with its uptime as well as that is known."""
        entries.sort(key=lambda entry: self._at[id(entry)])
        refunds = [event for event in self._now.events if event["name"] == "refund"] if self._now else []
        steps = []
        for entry in entries:
            boot, wall_s = self._boot(entry), entry.get("wall_s")
            uptime = None if entry["kind"] == "crash" else entry.get("uptime_ms")  # that is of another boot
            if uptime is None and entry["kind"] == "refund" and self._now and boot == self._now.boot:
                uptime = self._of_event(refunds, entry)
            if entry["kind"] == "crash":
                pass
            elif uptime is None and wall_s is not None and boot is not None and boot in self._offsets:
                uptime = max(0, wall_s * 1000 - self._offsets[boot])
            if steps and steps[-1].boot == boot and uptime is not None and steps[-1].uptime_ms is not None:
                uptime = max(uptime, steps[-1].uptime_ms)  # the journal's order is right, a clock may jump
            steps.append(Step(entry["kind"], entry["number"], boot, uptime, wall_s, entry))
        return steps

    def _of_event(self, refunds, entry):
        """The uptime of the event that tells of this record; each tells of one."""
        for event in refunds:
            numbers = event["numbers"]
            told = tuple(numbers.get(name) for name in ("state", "receipt", "amount"))
            if told == (_number(entry["state"]), self.asked.get("receipt"), self.asked.get("amount")):
                refunds.remove(event)
                return event["uptime_ms"]
        return None

    def _with_events(self, records):
        if not self._now:
            return records
        here = [step for step in records if step.boot == self._now.boot]
        moments = [step.uptime_ms for step in here if step.uptime_ms is not None and step.kind in ("refund", "verdict")]
        steps = [step for step in records if step.boot != self._now.boot]
        starts = any(step.kind == "boot" for step in here)
        events = []
        for event in self._now.events:
            at = event["uptime_ms"]
            if any(abs(at - moment) <= AROUND_MS for moment in moments) and self._tells(event, starts):
                offset = self._now.offset_ms
                wall_s = None if offset is None else (offset + at) // 1000
                events.append(Step("event", None, self._now.boot, at, wall_s, event))
        for step in here:
            while events and step.uptime_ms is not None and events[0].uptime_ms < step.uptime_ms:
                steps.append(events.pop(0))
            steps.append(step)
        return steps + events

    def _tells(self, event, starts):
        name, numbers = event["name"], event["numbers"]
        if name in _OTHERS or (name == "boot" and starts):
            return False
        return name not in _OF_A_SALE or numbers.get("receipt") == self.asked.get("receipt")


def supply(steps):
    """{"points": millivolts in the order of the story, "low", "high": limits or None} of the supply."""
    points, limits = [], {}
    for step in steps:
        told = [step.entry["numbers"]] if step.kind == "event" and step.entry["name"].startswith("supply_") else []
        told += [one["evidence"] for one in step.entry.get("findings", ())] if step.kind == "verdict" else []
        for numbers in told:
            millivolts = numbers.get("supply_min_mv", numbers.get("supply_mv"))
            if isinstance(millivolts, int):
                points.append(millivolts)
                if isinstance(numbers.get("supply_mv"), int) and numbers["supply_mv"] != millivolts:
                    points.append(numbers["supply_mv"])
            for limit in ("low", "high"):
                limits[limit] = numbers.get(f"supply_{limit}_mv", limits.get(limit))
    return {"points": points, "low": limits.get("low"), "high": limits.get("high")}


def _number(state):
    return messages.STATES.index(state) if state in messages.STATES else None


def _once(entries):
    """Entries without copies of earlier ones that were carried into a new sector."""
    seen = set()
    for entry in entries:
        same = tuple(str(entry.get(name)) for name in ("kind", "key", "state", "what", "receipt", "value", "wall_s"))
        if not (entry.get("carried") and same in seen):
            seen.add(same)
            yield entry
