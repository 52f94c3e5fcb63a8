"""Findings that nobody could make, gathered by what they lack: none of sixty checks hides the one that holds."""

from . import measures
from .lines import filled

_LINES = 2  # of a group; names that do not fit give way to their numbers
_SILENT = 1  # this cause UNKNOWN means that the terminal does not answer: no refund can succeed


def split(document):
    """(findings to show in full, those to gather) of a document with "verdict" and "findings", each in its order."""
    findings = document["findings"]
    found = any(one["status"] in ("HOLD", "BLOCK") for one in findings)
    # nothing was found, and yet it is held: then by the first of what is unknown at least
    holds = document["verdict"] in ("HOLD", "BLOCK") and not found
    full, unseen = [], []
    for one in findings:
        first = holds and one is findings[0]
        gather = one["status"] == "UNKNOWN" and one["cause"] != _SILENT and not first
        (unseen if gather else full).append(one)
    return full, unseen


def lines(texts, findings, width):
    """A text for each source that is missing, in lines of at most `width`: its name, and the checks that need it."""
    groups = {}
    for one in findings:
        groups.setdefault(_kind(one), []).append(one)
    return [_group(texts, kind, group, width) for kind, group in groups.items()]


def _kind(finding):
    """What stands before the colon of "policy: cap"."""
    return str(finding["evidence"].get("missing", "")).partition(":")[0]


def _group(texts, kind, group, width):
    sources = {one["evidence"].get("missing", "") for one in group}
    label = measures.source(texts, sources.pop() if len(sources) == 1 else kind)
    named = [(one["cause"], texts.cause(one["cause"]).name) for one in sorted(group, key=lambda one: one["cause"])]
    text = ""
    for kept in range(len(named), 0, -1):
        parts = [f"{number} {name}" for number, name in named[:kept]]
        if named[kept:]:
            first, *others = [str(number) for number, _ in named[kept:]]
            parts += [texts("word", "and_more", number=first), *others]
        parts[0] = texts("word", "lacks", source=label, check=parts[0])  # the label is never a line of its own
        text = filled(parts, width)
        if text.count("\n") < _LINES:
            break
    return text
