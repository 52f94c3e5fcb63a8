"""`refund-agent doctor`: what this machine has for an agent of board linux, what it lacks and how to get it."""

import json
import os
import sys
from pathlib import Path

from rich.cells import cell_len

from host_tools.lines import filled, folded
from host_tools.policy_documents import fault_text as toml_text
from host_tools.texts import Texts, language_of

from . import doctor_en, doctor_zh, linux_file
from .doctor_look import Machine, Row

LANGUAGES = {"en": doctor_en.TABLE, "zh": doctor_zh.TABLE}
CONFIG = Path("/etc/refund-agent.toml")  # of the service, as packaging/linux has it
STATE = Path("/var/lib/refund-agent")
_NAMES = 24  # cells of status and port
_WIDTH = 80  # cells of a line


def main(state, config, default_state, as_json, language, root=""):
    """Print it; the exit status: 0 an agent could run, 1 something is missing. `config`: path or None."""
    language = language or language_of(os.environ)
    row, told = _config(config)
    state = state or told.options.get("state") or default_state
    rows = [row, *Machine(Path(state).absolute(), told, root).rows()]
    texts = _Words(language)
    document = texts.document(rows, config, state)
    sys.stdout.reconfigure(errors="replace")  # of a terminal without Chinese, and of names that are no text
    if as_json:
        print(json.dumps(document, ensure_ascii=False))
    else:
        print(texts.screen(document))
    return 0 if document["ready"] else 1


def fault_text(language, fault):
    """What is wrong with a file, without its place."""
    table = LANGUAGES[language]["fault"]
    if fault.says not in table:
        return toml_text(Texts(language), fault)
    fields = dict(fault.fields)
    fields["near"] = table["near"].format(near=fields["near"]) if fields.get("near") else ""
    if fields.get("section") == "-":
        fields["section"] = table["top"]
    return table[fault.says].format(**fields)


def _config(path):
    """(Row, Adapted) of a deployer's file. What stands in one with faults is used as far as it is right."""
    row, told = Row("config"), linux_file.Adapted()
    row.values = {"file": path and str(path), "faults": []}
    if path is None:
        row.lacks("absent", "config_none", "config")
        return row, told
    try:
        told = linux_file.read(path)
    except (OSError, UnicodeDecodeError) as error:
        row.lacks("missing", "config_unread", file=str(path), why=getattr(error, "strerror", None) or "UTF-8?")
        return row, told
    if not told.faults:
        row.say("config_good", file=str(path))
    for fault in told.faults:
        row.lacks("missing", "fault", file=str(path), line=fault.line, fault=fault)
    row.values["faults"] = [{"line": fault.line, "fault": fault.says} for fault in told.faults]
    return row, told


class _Words:
    def __init__(self, language):
        self.language = language
        self.table = LANGUAGES[language]
        self.texts = Texts(language)

    def _text(self, section, key, fields):
        fields = dict(fields)
        if "fault" in fields:
            fields["text"] = fault_text(self.language, fields["fault"])
        for name, value in fields.items():
            word = value[1:-1] if isinstance(value, str) and value[:1] == "{" and value[-1:] == "}" else None
            ours = self.table["answer"].get(word) or self.table["line"].get(word)
            if ours:
                fields[name] = ours.format(ms=fields.get("ms"))
        return self.table[section][key].format(**fields)

    def document(self, rows, config, state):
        ports = [
            {
                "port": row.port,
                "status": row.status,
                "found": [self._text("line", *one) for one in row.line],
                "how": [self._text("how", *one) for one in row.how],
                "unknown": [{"cause": one, "name": self.texts.cause(one).name} for one in row.unknown],
                "values": row.values,
            }
            for row in rows
        ]
        missing = [row.port for row in rows if row.status == "missing"]
        return {
            "ready": not missing,
            "missing": missing,
            "board": "linux",
            "config": config and str(config),
            "state": str(state),
            "ports": ports,
        }

    def screen(self, document):
        words = self.table["word"]
        lines = [words["title"], ""]
        for row in document["ports"]:
            names = self.table["status"][row["status"]], self.table["port"][row["port"]]
            text = [*row["found"], *("> " + one for one in row["how"])]
            body = [line for one in text for line in _hung(one)]
            if row["unknown"]:
                causes = [f"{one['cause']} {one['name']}" for one in row["unknown"]]
                head = words["unknown"].format(causes=causes[0])
                body += filled([head, *causes[1:]], _WIDTH - _NAMES).split("\n")
            lines += [(_padded(names) if not at else " " * _NAMES) + line for at, line in enumerate(body)]
        ports = words["list"].join(self.table["port"][one] for one in document["missing"])
        end = words["good"] if document["ready"] else words["bad"].format(ports=ports)
        return "\n".join([*lines, "", *folded(end, _WIDTH).split("\n")])


def _hung(text):
    """Lines of a text; what follows the first of an advice stands under its words."""
    under = "  " if text.startswith("> ") else ""
    first, *rest = folded(text, _WIDTH - _NAMES - len(under)).split("\n")
    pieces = []
    for line in [first, *(under + line for line in rest)]:
        while len(line) > _WIDTH - _NAMES:  # a path without blanks
            pieces.append(line[: _WIDTH - _NAMES])
            line = under + line[_WIDTH - _NAMES :]
        pieces.append(line)
    return pieces


def _padded(names):
    status, port = names
    text = " " + status + " " * (9 - cell_len(status)) + port
    return text + " " * (_NAMES - cell_len(text))
