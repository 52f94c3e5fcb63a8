"""Scenario files: TOML that sets hardware, terminal, policy, history and request, read into a scene (boards/scene.py).

docs/scenarios.md describes the format. `base` names another file, beside this one, that it changes; `remove` lists what it
takes away from that.
"""

import datetime
import tomllib
from decimal import Decimal
from pathlib import Path

from firmware_agent.wire import messages
from firmware_agent.wire.bodies import ATTESTATIONS
from host_tools import money, policy_source

_NOW = datetime.datetime(2026, 11, 24, 10, 0, tzinfo=datetime.UTC)
_FOR_S = 4  # long enough for the supply to count as steady
_KEYS = {
    "": "title base remove now for hardware terminal rules policy_state sale refund attest try journal since expect request",
    "hardware": "power battery temperature network reset_reason",
    "terminal": "silent code locks state version model terminal_id registered offline battery_percent temperature_c "
    "receipts receipt frames errors line currencies outcome",
    "request": "receipt amount currency key sale_amount sale_date card operator scheme settled expiry",
    "sale": "receipt trace amount currency card scheme ago at",
    "refund": "key receipt amount currency state code ago at wrong scheme",
    "attest": "what receipt value by role text ago at amount key",
    "try": "who count ago at",
    "journal": "damaged boots filled ago",
    "since": "requests reference_ahead_s facts",
    "expect": "verdict found unknown",
}
_DAYS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Wrong(Exception):
    """A scenario that cannot be read; the text says what is wrong with it, and where."""


def read(path):
    """(scene, {"title", "expect"}) of a scenario file. Wrong: what is wrong with it."""
    path = Path(path)
    told = _merged(path, ())
    _check_keys(told, path)
    return _Scenario(told, path).scene(), {"title": told.get("title", path.stem), "expect": told.get("expect", {})}


def _merged(path, seen):
    if path in seen:
        raise Wrong(f"{path}: it is its own base")
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except OSError as error:
        raise Wrong(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Wrong(f"{path}: {error}") from None
    base = told.pop("base", None)
    if base is not None:
        below = _merged(path.parent / str(base), (*seen, path))
        for name in told.pop("remove", ()):
            _remove(below, name, path)
        told = _over(below, told)
    return told


def _remove(told, name, path):
    *folders, last = name.split(".")
    for folder in folders:
        told = told.get(folder) if isinstance(told, dict) else None
    if not isinstance(told, dict) or last not in told:
        raise Wrong(f"{path}: remove: there is no {name} in the base")
    del told[last]


def _over(below, above):
    merged = dict(below)
    for name, value in above.items():
        both = isinstance(value, dict) and isinstance(below.get(name), dict)
        merged[name] = _over(below[name], value) if both else value
    return merged


def _check_keys(told, path):
    for name, value in [("", told), *told.items()]:
        known = _KEYS.get(name, "").split()
        for table in value if isinstance(value, list) else [value]:
            if name in _KEYS and not isinstance(table, dict):
                raise Wrong(f"{path}: [{name}] must be a table")
            for key in table if name in _KEYS else ():
                if key not in known:
                    where = f"[{name}] " if name else ""
                    raise Wrong(f"{path}: {where}{key}: no such key; there are {', '.join(known)}")


class _Scenario:
    def __init__(self, told, path):
        self.told = told
        self.path = path
        now = told.get("now", _NOW)
        self.never = now == "never"
        self.now = int((_NOW if self.never else now).timestamp())

    def wrong(self, where, what):
        return Wrong(f"{self.path}: {where}: {what}")

    def scene(self):
        told = self.told
        scene = {
            "wall_s": None if self.never else self.now,
            "for_ms": int(told.get("for", _FOR_S) * 1000),
            "hardware": self._hardware(told.get("hardware", {})),
            "terminal": self._terminal(told.get("terminal", {"silent": True})),
            "history": self._history(),
        }
        if "rules" in told:
            try:
                scene["policy"] = policy_source.read_tables(told["rules"]).payload.hex()
            except policy_source.Faults as faults:
                raise self.wrong("rules", str(faults)) from None
        if "policy_state" in told:
            scene["policy_state"] = told["policy_state"]
        if "request" in told:
            scene["request"] = self._request(told["request"])
        return scene

    def _hardware(self, told):
        state = {}
        for name, value in told.items():
            if name == "power" and isinstance(value, int):
                value = [[0, value]]
            state[name] = value
        return state

    def _terminal(self, told):
        state = dict(told)
        for name in ("receipt",):
            if name in state:
                state["receipts"] = state.pop(name)
        return state

    def _money(self, where, value, currency):
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise self.wrong(where, "an amount like 12.34 is needed")
        try:
            return money.parse(str(value), currency, where)
        except Exception as error:
            raise self.wrong(where, f"{value} is no amount in {currency}") from error

    def _at(self, step):
        """Unix seconds of a step: "at" a moment, or "ago" like "90s", "15m", "2h", "3d"."""
        if "at" in step:
            return int(step["at"].timestamp())
        ago = str(step.get("ago", "1d"))
        if ago == "never":
            return None
        if not ago[:-1].isdigit() or ago[-1] not in _DAYS:
            raise self.wrong("ago", f"{ago}: a number and s, m, h or d")
        return self.now - int(ago[:-1]) * _DAYS[ago[-1]]

    def _history(self):
        told = self.told
        steps = []
        for sale in told.get("sale", ()):
            steps.append(self._sale(sale))
        for refund in told.get("refund", ()):
            steps.append(self._refund(refund))
        for word in told.get("attest", ()):
            steps.append(self._attest(word))
        for one in told.get("try", ()):
            steps.append({"do": "try", "who": one["who"], "count": one.get("count", 1), "wall_s": self._at(one)})
        journal = told.get("journal", {})
        for _ in range(journal.get("boots", 0)):
            steps.append({"do": "boot", "wall_s": self._at({"ago": journal.get("ago", "1d")})})
        if journal.get("filled"):
            steps.append(
                {"do": "fill", "count": journal["filled"], "wall_s": self._at({"ago": journal.get("ago", "1d")})}
            )
        steps.sort(key=lambda step: self.now if step["wall_s"] is None else step["wall_s"])
        if journal.get("damaged"):
            steps.append({"do": "damage", "wall_s": self.now})
        since = told.get("since", {})
        if "requests" in since:
            steps.append({"do": "requests", "count": since["requests"], "at_ms": 0})
        if "reference_ahead_s" in since:
            steps.append({"do": "reference", "ahead_s": since["reference_ahead_s"], "at_ms": 0})
        for name, value in since.get("facts", {}).items():
            steps.append({"do": "fact", "name": name, "value": value, "at_ms": 0})
        return steps

    def _sale(self, sale):
        currency = sale.get("currency", "EUR")
        numbers = self.told.get("terminal", {}).get("currencies", {"EUR": 978, "USD": 840, "CNY": 156})
        at = self._at(sale)
        when = datetime.datetime.fromtimestamp(at, datetime.UTC)
        receipt = [
            sale["receipt"],
            sale.get("trace", sale["receipt"]),
            self._money("sale.amount", sale["amount"], currency),
            numbers.get(currency),
            when.month * 100 + when.day,
            when.hour * 10000 + when.minute * 100 + when.second,
            0,
            False,
            sale.get("card"),
        ]
        return {"do": "sale", "receipt": receipt, "wall_s": at}

    def _refund(self, refund):
        currency = refund.get("currency", "EUR")
        facts = {
            "receipt": refund["receipt"],
            "amount": self._money("refund.amount", refund["amount"], currency),
            "currency": currency,
        }
        ends = {name: refund[name] for name in ("code", "wrong") if name in refund}
        state = refund.get("state", "APPROVED").upper()
        if state not in messages.STATES[1:]:
            raise self.wrong("refund.state", f"{state}: one of {', '.join(messages.STATES[1:])}")
        key = refund.get("key", f"earlier-{refund['receipt']}-{facts['amount']}")
        return {"do": "refund", "key": key, "facts": facts, "state": state, "ends": ends, "wall_s": self._at(refund)}

    def _attest(self, word):
        if word["what"] not in ATTESTATIONS:
            raise self.wrong("attest.what", f"{word['what']}: one of {', '.join(filter(None, ATTESTATIONS))}")
        value = word.get("value", 1)
        if "amount" in word:
            value = self._money("attest.amount", word["amount"], "EUR")
        words = [
            list(ATTESTATIONS).index(word["what"]),
            word.get("receipt", 0),
            int(value),
            word.get("by", "anna"),
            word.get("role", "supervisor"),
            str(word.get("text", word.get("key", ""))),
            None,
        ]
        return {"do": "attest", "words": words, "wall_s": self._at(word)}

    def _request(self, told):
        currency = told.get("currency", "EUR")
        fields = {**told, "currency": currency}
        for name in ("amount", "sale_amount"):
            if name in fields:
                fields[name] = self._money(f"request.{name}", fields[name], currency)
        date = fields.get("sale_date")
        if isinstance(date, datetime.date):
            fields["sale_date"] = date.year * 10000 + date.month * 100 + date.day
        try:
            return messages.unpack(messages.REFUND_REQUEST, messages.pack(messages.REFUND_REQUEST, fields))
        except messages.WireError as error:
            raise self.wrong("request", f"{error.field}: {error.name}") from None
