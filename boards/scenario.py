"""Scenario files: TOML that sets hardware, terminal, policy, history and request, read into a scene (boards/scene.py).

docs/scenarios.md describes the format. `base` names another file, beside this one, that it changes: tables are put together,
lists of tables are put one behind the other, everything else takes the place of what was there. `remove` lists what is
taken away before.
"""

import datetime
import tomllib
from decimal import Decimal
from pathlib import Path

from firmware_agent.wire import messages
from firmware_agent.wire.bodies import ATTESTATIONS
from host_tools import money, policy_documents, policy_source
from host_tools.texts import Texts

from . import scenario_keys
from .scenario_keys import LISTS, TABLES, Wrong

_NOW = 1795514400  # 2026-11-24T10:00:00Z
_FOR_S = 4  # long enough for the supply to count as steady
_CURRENCIES = {"EUR": 978, "USD": 840, "CNY": 156}
_OPEN = ("REQUESTED", "SENT", "IN_DOUBT")
_MOST_OPEN = 6  # refunds that the journal lets be open at once
_DEEPEST = 8  # files that a file may stand on


def read(path):
    """(scene, {"title", "expect"}) of a scenario file. Wrong: what is wrong with it."""
    path = Path(path)
    return built(merged(path), path)


def merged(path, depth=0):
    """What a file says, on top of what its base says."""
    told = parsed(path)
    base = told.pop("base", None)
    removed = told.pop("remove", [])
    try:
        scenario_keys.read("-", {"base": base or "none", "remove": removed}, "")
    except Wrong as wrong:
        raise Wrong(f"{path}: {wrong}") from None
    if base is None:
        if removed:
            raise Wrong(f"{path}: remove: there is no base to take it from")
        return told
    if depth == _DEEPEST:
        raise Wrong(f"{path}: base: more than {_DEEPEST} files stand on each other, or one on itself")
    below = merged(path.parent / base, depth + 1)
    for name in removed:
        try:
            below = without(below, name.split("."))
        except LookupError:
            raise Wrong(f"{path}: remove: there is no {name} in {base}") from None
    return over(below, told)


def parsed(path):
    """The TOML of one file. Wrong: it cannot be read."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except OSError as error:
        raise Wrong(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Wrong(f"{path}: {error}") from None


def without(told, names):
    """`told` without what the names lead to; of a list of tables a name is the first value of
    one. LookupError: there is none."""
    first, *rest = names
    if isinstance(told, list):
        for at, table in enumerate(told):
            if isinstance(table, dict) and str(next(iter(table.values()), "")) == first:
                return told[:at] + ([without(table, rest)] if rest else []) + told[at + 1 :]
        raise LookupError(first)
    if not isinstance(told, dict):
        raise LookupError(first)
    left = {name: value for name, value in told.items() if name != first}
    return {**left, first: without(told[first], rest)} if rest else left if first in told else _none(first)


def _none(name):
    raise LookupError(name)


def over(below, above):
    """`above` on top of `below`."""
    told = dict(below)
    for name, value in above.items():
        there = told.get(name)
        if isinstance(value, dict) and isinstance(there, dict):
            value = over(there, value)
        elif _rows(value) and _rows(there):
            value = there + value
        told[name] = value
    return told


def _rows(value):
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


def built(told, name):
    """(scene, {"title", "expect"}) of what a file says. Wrong: what is wrong with it; the text begins with `name`."""
    try:
        return _Scenario(told).scene(), {
            "title": told.get("title", Path(name).stem),
            "expect": scenario_keys.read("expect", told.get("expect", {}), "expect"),
        }
    except Wrong as wrong:
        raise Wrong(f"{name}: {wrong}") from None


class _Scenario:
    """told: the file's own keys; each section: {key: value} as scenario_keys has read it, of LISTS a list of these."""

    def __init__(self, told):
        self.told = scenario_keys.read("-", told, "")
        self.sections = {}
        for section in TABLES:
            if section in told:
                self.sections[section] = scenario_keys.read(section, told[section], section)
        for section in LISTS:
            rows = told.get(section, [])
            if not isinstance(rows, list):
                raise Wrong(f"{section}: a list of tables is needed, [[{section}]]")
            self.sections[section] = [
                scenario_keys.read(section, row, f"{section} {number}") for number, row in enumerate(rows, 1)
            ]
        self.now = self.told.get("now", _NOW)
        self.ended = _NOW if self.now is None else self.now  # when the request is made

    def _get(self, section):
        return self.sections.get(section, {})

    def scene(self):
        told = self.told
        scene = {
            "wall_s": self.now,
            "for_ms": told.get("for", _FOR_S) * 1000,
            "hardware": self._hardware(),
            "terminal": self._terminal(),
            "history": self._history(),
        }
        if "rules" in told:
            scene["policy"] = self._policy(told["rules"])
        if "policy_state" in told:
            if "rules" in told:
                raise Wrong("policy_state: a policy that is not in force has no rules")
            scene["policy_state"] = told["policy_state"]
        if "request" in self.sections:
            scene["request"] = self._request(self.sections["request"])
        return scene

    def _hardware(self):
        return self._get("hardware")

    def _terminal(self):
        state = dict(self.sections.get("terminal", {"silent": True}))
        if "receipt" in state:
            state["receipts"] = state.pop("receipt")
        return state

    def _policy(self, rules):
        if not isinstance(rules, dict):
            raise Wrong("rules: a table is needed")
        try:
            return policy_source.read_tables(rules).payload.hex()
        except policy_source.Faults as faults:
            first = next(iter(faults))
            where = ".".join(filter(None, ("rules", first.fields.get("where"))))
            raise Wrong(f"{where}: {policy_documents.fault_text(Texts('en'), first)}") from None

    def _currency(self, where, table):
        try:
            return money.currency(table.get("currency", "EUR"))
        except money.WrongUsage as wrong:
            near = wrong.fields.get("nearest")
            hint = f", did you mean {near}?" if near else ""
            raise Wrong(f"{where}.currency: there is no such currency{hint}") from None

    def _money(self, where, value, currency):
        try:
            return money.parse(str(value), currency, where)
        except money.WrongUsage:
            raise Wrong(f"{where}: {value} is no amount in {currency}") from None

    def _at(self, step):
        """Unix seconds of a step, None for a time when the clock was not set: `at` a moment, or so long `ago`."""
        if "at" in step:
            return step["at"]
        ago = step.get("ago", 86400)
        return None if ago is None else self.ended - ago

    def _history(self):
        steps = [self._sale(f"sale {number}", row) for number, row in enumerate(self.sections["sale"], 1)]
        steps += [self._refund(f"refund {number}", row) for number, row in enumerate(self.sections["refund"], 1)]
        if sum(step.get("state") in _OPEN for step in steps) > _MOST_OPEN:
            raise Wrong(f"refund: at most {_MOST_OPEN} are REQUESTED, SENT or IN_DOUBT at once")
        steps += [self._attest(f"attest {number}", row) for number, row in enumerate(self.sections["attest"], 1)]
        for row in self.sections["try"]:
            steps.append({"do": "try", "who": row["who"], "count": row.get("count", 1), "wall_s": self._at(row)})
        journal = self._get("journal")
        for do in ("filled", "crashes"):
            if journal.get(do):
                steps.append({"do": do, "count": journal[do], "wall_s": self._at(journal)})
        steps += [{"do": "boot", "wall_s": self._at(journal)} for _ in range(journal.get("boots", 0))]
        steps.sort(key=lambda step: self.ended if step["wall_s"] is None else step["wall_s"])
        if journal.get("damaged"):
            steps.append({"do": "damage", "wall_s": self.ended})
        since = self._get("since")
        if "requests" in since:
            steps.append({"do": "requests", "count": since["requests"], "at_ms": 0})
        if "reference_ahead_s" in since:
            steps.append({"do": "reference", "ahead_s": since["reference_ahead_s"], "at_ms": 0})
        facts = since.get("facts", {})
        if not isinstance(facts, dict):
            raise Wrong("since.facts: a table is needed")
        for name, value in facts.items():
            steps.append({"do": "fact", "name": name, "value": self._fact(name, value), "at_ms": 0})
        return steps

    def _fact(self, name, value):
        try:
            messages.fact(name)
        except ValueError:
            raise Wrong(f"since.facts.{name}: there is no such fact") from None
        if isinstance(value, datetime.datetime):
            return scenario_keys.read("sale", {"receipt": 1, "amount": 1, "at": value}, f"since.facts.{name}")["at"]
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise Wrong(f"since.facts.{name}: a whole number, a text or a moment is needed")
        return value

    def _sale(self, where, sale):
        currency = self._currency(where, sale)
        at = self._at(sale)
        if at is None:
            raise Wrong(f"{where}.ago: a sale has a time")
        numbers = self._get("terminal").get("currencies", _CURRENCIES)
        if currency not in numbers:
            raise Wrong(f"{where}.currency: the terminal knows {', '.join(numbers)}")
        when = datetime.datetime.fromtimestamp(at, datetime.UTC)
        receipt = [
            sale["receipt"],
            sale.get("trace", sale["receipt"]),
            self._money(f"{where}.amount", sale["amount"], currency),
            numbers[currency],
            when.month * 100 + when.day,
            when.hour * 10000 + when.minute * 100 + when.second,
            0,
            False,
            sale.get("card"),
        ]
        return {"do": "sale", "receipt": receipt, "wall_s": at}

    def _refund(self, where, refund):
        currency = self._currency(where, refund)
        amount = self._money(f"{where}.amount", refund["amount"], currency)
        facts = {"receipt": refund["receipt"], "amount": amount, "currency": currency}
        if "scheme" in refund:
            facts["scheme"] = refund["scheme"]
        step = {"do": "refund", "key": refund.get("key", f"earlier-{refund['receipt']}-{amount}"), "facts": facts}
        step["state"] = refund.get("state", "APPROVED")
        step["ends"] = {name: refund[name] for name in ("code", "wrong") if name in refund}
        step["wall_s"] = self._at(refund)
        return step

    def _attest(self, where, word):
        what = word["what"]
        if what not in ATTESTATIONS:
            raise Wrong(f"{where}.what: one of {', '.join(filter(None, ATTESTATIONS))} is needed")
        value = word.get("value", 1)
        if "amount" in word:
            value = self._money(f"{where}.amount", word["amount"], self._currency(where, word))
        words = [
            list(ATTESTATIONS).index(what),
            word.get("receipt", 0),
            value,
            word.get("by", "anna"),
            word.get("role", "supervisor"),
            word.get("text", word.get("key", "")),
            None,
        ]
        return {"do": "attest", "words": words, "wall_s": self._at(word)}

    def _request(self, told):
        currency = self._currency("request", told)
        fields = {**told, "currency": currency}
        for name in ("amount", "sale_amount"):
            if name in fields:
                fields[name] = self._money(f"request.{name}", fields[name], currency)
        try:
            return messages.unpack(messages.REFUND_REQUEST, messages.pack(messages.REFUND_REQUEST, fields))
        except messages.WireError as error:
            raise Wrong(f"request.{error.field}: {error.name}") from None
