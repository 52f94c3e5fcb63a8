"""What `refundctl gate` prints with --json and shows on the screen: a plain dict, in the reader's language."""

from firmware_agent import causes

from . import hints, measures
from .export import moment

KINDS = {1: "refund", 2: "reversal"}  # of wire.messages.WISH
BECAME = ("under_way", "held", "done", "not_done", "unknown")
_HELD, _UNKNOWN = 1, 4
_NO_SALE = 34
_COUNTS = ("commands", "answers", "lost", "sales", "wishes", "held", "done", "not_done", "unknown")


def gate(texts, answer, port, status):
    """The document of a GATE_ANSWER; `status`: the STATUS_ANSWER of the same agent."""
    return {
        "port": port,
        "agent_id": status["agent_id"],
        "uptime_ms": status["uptime_ms"],
        **{name: answer[name] for name in _COUNTS},
        "failed": answer["failed"],
        "talking": answer["talking"],
        "text": texts("gate", "failed" if answer["failed"] else "talking" if answer["talking"] else "at_rest"),
        "rows": [_wish(texts, row, status.get("wall_s")) for row in answer["rows"]],
    }


def _wish(texts, row, wall_s):
    """One thing that the till wanted. null: amount and sale_receipt where nobody told or knows them, key where it never had
    one, cause, what belongs to it and command where nothing speaks against it."""
    amount, receipt, number = row["amount"] or None, row["receipt"] or None, row["cause"] or None
    fits = row.get("fits", [])
    became = BECAME[row["became"]]
    document = {
        "ago_ms": row["ago_ms"],
        "time": "" if wall_s is None else moment(wall_s - row["ago_ms"] // 1000),
        "kind": KINDS[row["kind"]],
        "amount": amount,
        "currency": row["currency"] or None,
        "amount_text": None if amount is None else measures.amount(texts, amount, row["currency"]),
        "sale_receipt": None if fits else receipt,
        "fits": fits,
        "became": became,
        "became_text": texts("gate", became),
        "key": row["key"] or None,
        "cause": number,
        **dict.fromkeys(("cause_key", "text", "remedy", "who", "people", "command")),
    }
    if number:
        cause, about = causes.cause(number), texts.cause(number)
        document.update(cause_key=cause.key, text=about.text, remedy=about.remedy)
        document.update(who=texts.people(cause.who), people=list(cause.who))
        if number == _NO_SALE and fits:
            document["text"] = texts("gate", "several", receipts=texts.join(str(one) for one in fits))
            document["remedy"] = texts("gate", "say_which")
        elif number == _NO_SALE and not receipt and row["kind"] == 1:
            document["text"] = texts("gate", "no_sale")
            document["remedy"] = texts("gate", "find_sale")
        document["command"] = " ".join(_command(document, row)) or None
    return document


def _command(document, row):
    """The words of what somebody may type about it, () for nothing."""
    if row["became"] == _UNKNOWN:
        return ("refundctl explain", measures.clean(row["key"])) if row["key"] else ()
    if row["became"] != _HELD:
        return ()
    if row["cause"] == _NO_SALE:
        said = document["fits"] or not document["sale_receipt"]
        return hints.TILL_SALE if said else ()
    if row["cause"] == hints.APPROVAL and not document["amount"]:
        return ()
    return hints.command({"cause": row["cause"], "status": "HOLD", "evidence": {}}, document)


def words_of(command_text):
    """The parts of a command, each an option with its value, as lines are broken between them."""
    first, *rest = command_text.split(" --")
    return [first, *("--" + part for part in rest)]
