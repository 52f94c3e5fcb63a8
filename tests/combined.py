"""Scenarios put together: what several found.toml change of the base, at once."""

import itertools

from boards import scenario

from .scenes import BASE, FOLDERS

# Pairs that cannot be true together, or of which one is not said by design.
APART = {
    (5, 13): "a restart is never advised while a refund is open",
    (13, 54): "a restart is never advised while a refund is in doubt",
    (22, 24): "a dispute stands alone only where its evidence is kept",
    (36, 37): "a refund is not in the sale's currency and in another one",
    (37, 53): "an earlier refund in euros is not the same as one in dollars",
}
# Limits of money hold in the policy's currency. The sale of cause 37 is in another: these say UNKNOWN then, never PASS.
OF_MONEY = (18, 25, 26, 30, 43, 51, 59)

_MASKS = ("locks",)
_ROWS = {"sale": ("receipt",), "rules.dispute": ("receipt", "date"), "rules.person": ("name",)}


class Conflict(Exception):
    """Two changes cannot be made at once."""


def changes():
    """{cause: (names that are removed, tables)} of the sixty found.toml."""
    found = {}
    for cause, folder in FOLDERS.items():
        told = scenario.parsed(folder / "found.toml")
        if told.pop("base") != "../base.toml":
            raise ValueError(f"{folder}: found.toml stands on another file than the base")
        removed = told.pop("remove", [])
        for name in ("title", "expect"):
            del told[name]
        found[cause] = (removed, told)
    return found


def apart(causes):
    """True if some of these cannot be found together."""
    return any(pair in APART for pair in itertools.combinations(sorted(causes), 2))


def together(parts):
    """What several changes do as one. Conflict: two of them set the same to different values."""
    removed, told = [], {}
    for names, tables in parts:
        removed += [name for name in names if name not in removed]
        told = _both(told, tables, "")
    return removed, told


def _both(one, other, where):
    told = dict(one)
    for name, value in other.items():
        there = told.get(name)
        place = f"{where}.{name}".strip(".")
        if there is None:
            told[name] = value
        elif isinstance(there, dict) and isinstance(value, dict):
            told[name] = _both(there, value, place)
        elif isinstance(there, list) and there and isinstance(there[0], dict):
            told[name] = _rows(there, value, _ROWS.get(place))
        elif name in _MASKS and isinstance(there, int) and isinstance(value, int):
            told[name] = there | value
        elif there != value:
            raise Conflict(place)
    return told


def _rows(there, more, identity):
    rows = list(there)
    for row in more:
        if identity and any(all(row[key] == other[key] for key in identity) for other in rows):
            if row in rows:
                continue
            raise Conflict(str(identity))
        rows.append(row)
    return rows


class Shop:
    """The base, and scenes of it with changes."""

    def __init__(self):
        self.told = scenario.merged(BASE)

    def scene(self, change, name):
        removed, tables = change
        told = self.told
        for path in removed:
            told = scenario.without(told, path.split("."))
        return scenario.built(scenario.over(told, tables), name)[0]
