"""A policy as a person writes it, in TOML with comments, compiled into the payload that a device takes (wire/rules.py).

All faults are found, not only the first, each with its line and column. policy_layout.py says where what stands.
"""

import re
import unicodedata
from datetime import UTC, date, time

from firmware_agent.wire import messages, rules
from firmware_agent.wire.pan import looks_like_pan

from . import policy_layout, policy_payload, policy_pin, policy_values
from .policy_layout import ANY, DEFAULT, ONE, PLACES, ROWS, SECTIONS
from .policy_toml import Document, Fault
from .policy_values import Frame, Wrong
from .policy_windows import windows

_BOUNDS = {field[1]: field[5] for field in messages.fields(rules.RULES) if field[3] == "l"}  # most rows of a rule
_SEVERITY = {name: number for number, name in enumerate(messages.STATUSES)}
_UNREADABLE = object()  # a PIN that was reported
# What makes two rows of a section the same one.
_IDENTITY = {
    "rate": ("currency", "date"),
    "person": ("name",),
    "sale": ("receipt", "date"),
    "dispute": ("receipt", "date"),
    "chargeback": ("receipt", "date"),
}
_LISTS = {"sale": rules.SALES, "dispute": rules.DISPUTES, "chargeback": rules.CHARGEBACKS}
_OF_THE_FRAME = (("policy", "utc"), ("policy", "currency"))  # read first, for all the rest is read by them
# A rule that says nothing without another one: (section, key; None: any row) -> (section, key).
_NEEDS = {
    ("account", "account_state"): ("account", "account_at"),
    ("account", "balance"): ("account", "balance_at"),
    ("dispute", None): ("disputes", "disputes_at"),
    ("chargeback", None): ("disputes", "chargebacks_at"),
    ("rate", None): ("limits", "rate_tolerance_bp"),
    ("bank", "announced_version"): ("bank", "rules_version"),
    ("people", "procedure"): ("people", "procedure_days"),
}
# Faults that what could not be read may be the reason of.
_MISSING = ("missing", "missing_section", "no_currency", "no_approver", "no_role", "pin_half", "window_form")


class Faults(Exception):
    """What is wrong with a source: [Fault(line, column, says, fields), …] in the order of the lines. `name`: the file."""

    def __init__(self, name, faults):
        super().__init__(f"{len(faults)} faults in {name}")
        self.name = name
        self.faults = faults

    def __iter__(self):
        return iter(self.faults)

    def __len__(self):
        return len(self.faults)


class Source:
    """A policy without faults. rules: {name: value as on the wire}; sales, disputes, chargebacks, people: rows as tuples;
    contents: all of these; payload: bytes; warnings: [Fault, …] that do not keep it from being built."""

    def __init__(self, contents, warnings):
        self.contents = contents
        self.rules, self.sales, self.disputes, self.chargebacks, self.people = contents
        self.payload = policy_payload.write(contents)
        self.warnings = warnings


def read(text, name="policy"):
    """The Source in the text of a TOML file. Faults if there are any."""
    document = Document(text)
    compiler = _Compiler(document.tables, document, None)
    faults = [fault for fault in compiler.faults if not document.doubtful or fault.says not in _MISSING]
    return _source(compiler, name, [*_card_numbers(text), *document.faults, *faults])


def read_tables(tables, currency=None, name="policy"):
    """The Source in TOML that was read already, Faults (without places) if there are any. What stands in [policy] may stand
    beside the other sections as well. `currency`: of money where the policy names none."""
    top = {key: value for key, value in tables.items() if key in PLACES["policy"]}
    tables = {key: value for key, value in tables.items() if key not in top}
    if top and isinstance(tables.setdefault("policy", {}), dict):
        tables["policy"] = {**top, **tables["policy"]}
    compiler = _Compiler(tables, None, currency)
    return _source(compiler, name, compiler.faults)


def _source(compiler, name, faults):
    kept = {}
    cards = {fault.line for fault in faults if fault.says == "card_number"} - {None}
    for fault in faults:
        # one fault for one place; and a card number is no mere wrong number
        if fault.line not in cards:
            place = (fault.line, fault.column) if fault.line else (fault.says, fault.fields["where"])
        else:
            place = (fault.line,)
        kept.setdefault(place, fault)
    if kept:
        raise Faults(name, sorted(kept.values(), key=lambda fault: (fault.line or 0, fault.column or 0)))
    return Source(compiler.contents, compiler.warnings)


def _card_numbers(text):
    """A fault for each line that holds one, in comments too."""
    for number, line in enumerate(text.split("\n"), 1):
        if is_card_number(line):
            column = next((at for at in range(len(line), 0, -1) if is_card_number(line[at - 1 :])), 1)
            yield Fault(number, column, "card_number", {})


def is_card_number(text):
    return looks_like_pan(unicodedata.normalize("NFKC", text))  # full-width digits are digits


class _Compiler:
    """Compiles tables: `contents` (None if there are faults), `faults`, `warnings`."""

    def __init__(self, tables, document, currency):
        self.faults = []
        self.warnings = []
        self._document = document
        self._tables = tables
        self._catalogue = policy_values.catalogue()
        self._frame = Frame(UTC, currency)
        self._rules = {}
        self._lists = {}
        self._compile()
        self.contents = None if self.faults else policy_payload.Contents(self._rules, *self._rows_in_order())
        size = policy_payload.rules_size(self._rules) if self.contents else 0
        if size > rules.RULES_MAX:
            self._fault((), "rules_too_large", False, size=size, high=rules.RULES_MAX)

    # ---- what is said ----
    def _fault(self, path, says, value=True, **fields):
        """`value`: the fault is in the value, else in its name."""
        self.faults.append(Fault(*self._place(path, value), says, {**fields, **self._where(path)}))

    def _wrong(self, path, wrong, value=True):
        if wrong.says:
            self._fault(path, wrong.says, value, **wrong.fields)

    def _warn(self, path, says, **fields):
        self.warnings.append(Fault(*self._place(path, False), says, {**fields, **self._where(path)}))

    def _twice(self, path, first):
        self._fault(path, "twice", False, line=self._place(first, False)[0] or 0)

    def _where(self, path):
        """What stands for a place where there is none; no key that could be a card number."""
        words = ["?" if is_card_number(str(word)) else str(word) for word in path]
        return {} if self._document else {"where": ".".join(words)}

    def _place(self, path, value):
        return self._document.place(path, value) if self._document else (None, None)

    def _unknown(self, path, says, name, known, **fields):
        shown = name if re.fullmatch(r"[\w.-]{1,30}", name) and not is_card_number(name) else "?"
        self._fault(path, says, False, name=shown, nearest=policy_values.nearest(name, known), **fields)

    # ---- the whole ----
    def _compile(self):
        self._find_card_numbers(self._tables, ())
        for section, value in self._tables.items():
            self._check_section(section, value)
        self._read_frame(self._table("policy"))
        for section, (shape, _, _) in SECTIONS.items():
            if shape == ONE:
                self._rules.update(self._fields(section, (section,), self._table(section)))
        if self._frame.currency:
            self._rules["currency"] = self._frame.currency
        self._missing("policy", ("policy",), self._table("policy"))
        self._rule("scheme", self._named("scheme"))
        self._rule("role", self._named("role"))
        self._rule("rate", [row for _, row in self._unlike("rate")])
        self._rule("maintenance", self._maintenance())
        self._rule("codes", self._codes())
        self._rule("unknown", self._by_cause("unknown"))
        self._rule("found", self._by_cause("found"))
        for section, which in _LISTS.items():
            names = [field[1] for field in messages.fields(rules.LISTS[which])]
            self._lists[which] = [tuple(map(row.get, names)) for _, row in self._unlike(section)]
        self._lists[rules.PEOPLE] = self._people()
        self._check_together()

    def _rule(self, section, rows):
        name = SECTIONS[section][1]
        if rows:
            self._rules[name] = rows
        if len(rows) > _BOUNDS.get(name, len(rows)):
            self._fault((section,), "too_many", False, high=_BOUNDS[name], n=len(rows))

    def _rows_in_order(self):
        """The lists; the rows of the rules are put in order as well: the same policy has the same bytes."""
        for name, keys in (
            ("schemes", ("name",)),
            ("roles", ("name",)),
            ("rates", _IDENTITY["rate"]),
            ("codes", ("code",)),
        ):
            if name in self._rules:
                self._rules[name] = sorted(self._rules[name], key=lambda row, keys=keys: [row[key] for key in keys])
        if "maintenance" in self._rules:
            self._rules["maintenance"].sort(key=lambda row: sorted(row.items()))
        return [sorted(self._lists[which], key=lambda row: row[:2]) for which in range(1, len(rules.LISTS))]

    def _table(self, section):
        """A section's table; {} if there is none, or something else, which was reported."""
        value = self._tables.get(section, {})
        return value if isinstance(value, dict) else {}

    def _rows(self, section):
        value = self._tables.get(section, [])
        return [(at, row) for at, row in enumerate(value) if isinstance(row, dict)] if isinstance(value, list) else []

    def _check_section(self, section, value):
        if section in SECTIONS:
            title = policy_layout.title(section)
            if SECTIONS[section][0] == ROWS:
                if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
                    self._fault((section,), "need_rows", False, title=title)
            elif not isinstance(value, dict):
                self._fault((section,), "need_table", False, title=title)
            return
        homes = policy_layout.sections_of(section)
        if homes and not isinstance(value, (dict, list)):
            self._fault((section,), "misplaced", False, name=section, section=policy_layout.title(homes[0]))
        else:
            self._unknown((section,), "unknown_section", section, SECTIONS)

    def _find_card_numbers(self, value, path):
        """Also such as the text does not show: with escapes, with underscores between the digits."""
        if isinstance(value, dict):
            for key, item in value.items():
                if is_card_number(key):
                    self._fault((*path, key), "card_number", False)
                self._find_card_numbers(item, (*path, key))
        elif isinstance(value, list):
            for at, item in enumerate(value):
                self._find_card_numbers(item, (*path, at))
        elif not isinstance(value, (bool, date, time)) and is_card_number(str(value)):
            self._fault(path, "card_number")

    def _read_frame(self, table):
        """What times and money are read by."""
        for key, name, read in (
            ("utc", "offset", policy_values.offset),
            ("currency", "currency", policy_values.currency),
        ):
            if key in table:
                try:
                    self._frame = self._frame._replace(**{name: read(table[key])})
                except Wrong as wrong:
                    self._wrong(("policy", key), wrong)
                    self._frame = self._frame._replace(**({"currency": ""} if key == "currency" else {}))

    def _fields(self, section, path, table, frame=None):
        """{name on the wire: value} of a table; what is wrong is reported and left out."""
        found = {}
        for key, value in table.items():
            place = PLACES[section].get(key)
            if place is None or place.kind == "name":
                self._unknown_key(section, (*path, key), key)
            elif (section, key) not in _OF_THE_FRAME:
                try:
                    found[place.name] = policy_values.read(place, value, frame or self._frame)
                except Wrong as wrong:
                    self._wrong((*path, key), wrong)
        return found

    def _unknown_key(self, section, path, key):
        homes = [other for other in policy_layout.sections_of(key) if other != section]
        if homes and SECTIONS[section][0] == ONE:
            self._fault(path, "misplaced", False, name=key, section=policy_layout.title(homes[0]))
        else:
            known = [name for name, place in PLACES[section].items() if place.kind != "name"]
            self._unknown(path, "unknown_key", key, known, section=policy_layout.title(section))

    def _missing(self, section, path, table):
        known = PLACES[section]
        meant = {policy_values.nearest(key, known) for key in table if key not in known}  # misspelt, and reported
        names = [key for key, place in known.items() if place.needed and key not in table and key not in meant]
        if names and path[0] not in self._tables:
            self._fault(path, "missing_section", False, section=policy_layout.title(section), names=names)
        elif names:
            self._fault(path, "missing", False, names=names)

    # ---- sections of another shape ----
    def _named(self, section):
        place = PLACES[section]["name"]
        found = {}
        for name, table in self._table(section).items():
            path = (section, name)
            if not isinstance(table, dict):
                self._fault(path, "need_table", False, title=policy_layout.title(section))
                continue
            fields = self._fields(section, path, table)
            wire_name = ANY[1] if section == "scheme" and name == ANY[0] else name
            try:
                policy_values.text(name, place.low, place.high)
            except Wrong as wrong:
                self._wrong(path, wrong, False)
            if wire_name in found:
                self._twice(path, (section, ANY[0] if name == ANY[1] else ANY[1]))
            found[wire_name] = {"name": wire_name, **fields}
        return list(found.values())

    def _unlike(self, section):
        """[(its number, {name: value})] of a list of tables, no two of them the same one."""
        found, seen = [], {}
        for at, table in self._rows(section):
            path = (section, at)
            fields = self._row(section, path, table)
            identity = tuple(fields.get(name) for name in _IDENTITY[section])
            if None not in identity:
                if identity in seen:
                    self._twice(path, (section, seen[identity]))
                seen.setdefault(identity, at)
            found.append((at, fields))
        return found

    def _row(self, section, path, table):
        frame = self._frame
        own = "currency" in table and "currency" in PLACES[section]
        if own:
            try:
                frame = frame._replace(currency=policy_values.currency(table["currency"]))
            except Wrong as wrong:
                self._wrong((*path, "currency"), wrong)
                frame = frame._replace(currency="")
        plain = {key: value for key, value in table.items() if not own or key != "currency"}
        fields = self._fields(section, path, plain, frame)
        self._missing(section, path, table)
        if own or section == "sale":
            fields["currency"] = frame.currency
        if "card" in fields and not re.fullmatch("[0-9]{4}", fields["card"]):
            self._fault((*path, "card"), "bad_card")
        return fields

    def _maintenance(self):
        found, seen = [], {}
        for at, table in self._rows("maintenance"):
            path = ("maintenance", at)
            fields = self._fields("maintenance", path, table)
            if len(fields) < len(table):
                continue  # something in it was reported
            try:
                its = windows(fields, self._frame)
            except Wrong as wrong:
                self._wrong(path, wrong, False)
                continue
            if str(its) in seen:
                self._twice(path, ("maintenance", seen[str(its)]))
            seen.setdefault(str(its), at)
            found += its
        return found

    def _codes(self):
        place = PLACES["codes"]["code"]
        found = []
        for code, value in self._table("codes").items():
            try:
                policy_values.text(code, place.low, place.high)
            except Wrong as wrong:
                self._wrong(("codes", code), wrong, False)
            try:
                found.append({"code": code, "cause": policy_values.cause(value, self._catalogue)})
            except Wrong as wrong:
                self._wrong(("codes", code), wrong)
        return found

    def _by_cause(self, section):
        found, keys = {}, {}
        others = (DEFAULT,) if section == "unknown" else ()
        for key, value in self._table(section).items():
            path = (section, key)
            try:
                number = 0 if key in others else policy_values.cause(key, self._catalogue, others)
            except Wrong as wrong:
                self._wrong(path, wrong, False)
                continue
            try:
                counts = policy_values.choice((section, None), value)
            except Wrong as wrong:
                self._wrong(path, wrong)
                continue
            if number in found:
                self._twice(path, (section, keys[number]))
            row = self._catalogue.get(number)
            if section == "found" and counts < _SEVERITY[row.found] and not row.weakenable:
                self._fault(path, "found_weaker", found=row.found.lower(), cause=row.key)
            found[number], keys[number] = counts, key
        return found

    # ---- people ----
    def _people(self):
        rounds = self._rules.get("pin_rounds", policy_pin.ROUNDS)
        roles = {row["name"]: row for row in self._rules.get("roles", ())}
        people = []
        self._approvers = 0
        for at, fields in self._unlike("person"):
            path, table = ("person", at), self._tables["person"][at]
            role = fields.get("role")
            if role is not None and role not in roles:
                self._fault((*path, "role"), "no_role", nearest=policy_values.nearest(role, roles))
            pin = self._pin(path, table, fields, rounds)
            if roles.get(role, {}).get("approves"):
                self._approvers += pin is not policy_pin.NONE
                if pin is policy_pin.NONE:
                    self._warn(path, "approves_without_pin")
            if pin is not _UNREADABLE:
                people.append((fields.get("name"), role, fields.get("trained_until", 0), *pin))
        if people:
            self._rules.setdefault("pin_rounds", policy_pin.ROUNDS)
        return people

    def _pin(self, path, table, fields, rounds):
        """(salt, hash) of a person; policy_pin.NONE, or _UNREADABLE."""
        if "pin" in table:
            plain = table["pin"]
            if "salt" in table or "pin_hash" in table:
                self._fault((*path, "pin"), "pin_both", False)
            elif isinstance(plain, str) and not policy_pin.is_pin(plain):
                self._fault((*path, "pin"), "bad_pin", low=policy_pin.DIGITS[0], high=policy_pin.DIGITS[1])
            elif isinstance(plain, str):
                self._warn((*path, "pin"), "plain_pin")
                if not self.faults:
                    salt = policy_pin.salt_of(self._rules["id"], fields["name"])
                    return salt, policy_pin.hashed(salt, plain, rounds)
            return _UNREADABLE
        if ("salt" in table) != ("pin_hash" in table):
            self._fault(path, "pin_half", False)
            return _UNREADABLE
        if "salt" not in table:
            return policy_pin.NONE
        return (fields["salt"], fields["pin"]) if "salt" in fields and "pin" in fields else _UNREADABLE

    # ---- what only shows together ----
    def _check_together(self):
        get = self._rules.get
        if None not in (get("valid_from"), get("expires")) and get("valid_from") >= get("expires"):
            self._fault(("policy", "expires"), "expires_first")
        low, high = get("min_temperature"), get("max_temperature")
        if None not in (low, high) and low > high:
            self._fault(("device", "min_temperature"), "temperatures")
        daily, monthly = get("daily_limit"), get("monthly_limit")
        if None not in (daily, monthly) and daily > monthly:
            self._warn(("limits", "daily_limit"), "daily_above_monthly")
        if get("approval_from") is not None and not self._approvers:
            self._fault(("people", "approval_from"), "no_approver", False)
        for (section, key), (other, needs) in _NEEDS.items():
            there = self._rows(section) if key is None else key in self._table(section)
            if there and needs not in self._table(other):
                name = key or f"[[{section}]]"
                self._warn((section, 0 if key is None else key), "needs", name=name, needs=needs, section=f"[{other}]")
