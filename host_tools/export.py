"""The entries of a journal in a file for other programs: CBOR (a sequence of maps, RFC 8742), JSON lines or CSV.

CSV is for spreadsheets: a text that one would take for a formula has an apostrophe in front.
"""

import csv
import io
import json
import os
from datetime import UTC, datetime

import cbor2

from firmware_agent.wire import bodies

from .failures import Failure, WrongUsage

FORMATS = ("cbor", "jsonl", "csv")
_COLUMNS = ("number", "kind", "carried", "time", "wall_s", "key", "state")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def to_bytes(entries, form):
    """The entries of a Copy as one bytes object in one of FORMATS."""
    if form == "cbor":
        return b"".join(cbor2.dumps(entry, canonical=True) for entry in entries)
    if form == "jsonl":
        return "".join(json.dumps(_plain(entry), ensure_ascii=False) + "\n" for entry in entries).encode()
    return _csv(entries).encode()


def to_file(data, path):
    """Write whole or not at all; a copy of a journal is never replaced."""
    part = path + ".part"
    try:
        if os.path.isfile(path):
            with open(path, "rb") as file:
                if file.read(3) == b"RFJ":
                    raise WrongUsage("not_replaced_by_export", file=path)
        elif os.path.exists(path):  # a pipe, or a device
            with open(path, "wb") as file:
                file.write(data)
            return
        with open(part, "wb") as file:
            file.write(data)
        os.replace(part, path)
    except OSError as error:
        raise Failure("cannot_write", file=path, reason=error.strerror)


def moment(wall_s):
    """2026-11-22T14:03:05Z; "" where the clock was not set."""
    try:
        return "" if wall_s is None else datetime.fromtimestamp(wall_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return ""


def _plain(value):
    """JSON has no bytes and only texts as keys."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _csv(entries):
    facts = bodies.FACTS.split()
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow([*_COLUMNS, *facts, "more"])
    for entry in entries:
        entry = {**_plain(entry), "time": moment(entry.get("wall_s"))}
        its = entry.pop("facts", {})
        # a sale, a start, a count: what has no column of its own
        more = {name: entry[name] for name in entry if name not in _COLUMNS} | {
            name: its[name] for name in its if name not in facts
        }
        row = [entry.get(name) for name in _COLUMNS] + [its.get(name) for name in facts]
        row.append(more)
        table.writerow([_cell(value) for value in row])
    return out.getvalue()


def _cell(value):
    if value is None:
        return ""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False) if value else ""
    return "'" + value if isinstance(value, str) and value.startswith(_FORMULA) else value
