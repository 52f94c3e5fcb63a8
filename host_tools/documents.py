"""Answers of the agent as the documents that --json prints and the screen shows: plain dicts, in the reader's language.

Their shape is a contract: keys do not change or vanish. Amounts are integers of minor units, with a text beside.
"""

from firmware_agent import causes
from firmware_agent.wire import messages, report_messages

from . import health_documents, measures
from .failures import DONE, HELD, IN_DOUBT, REFUSED
from .link import BAUD

EXIT_BY_VERDICT = {"GO": DONE, "WARN": DONE, "HOLD": HELD, "BLOCK": REFUSED}
_EXIT_BY_STATE = {"APPROVED": DONE, "DECLINED": REFUSED, "IN_DOUBT": IN_DOUBT, "NOT_EXECUTED": REFUSED}
_TERMINAL = 1  # a cause; UNKNOWN where the terminal does not answer
_NOT_REGISTERED, _WAITS_FOR_TILL = 21, 2  # a cause, and what terminal_registered then is behind a gate
OUTCOME_UNKNOWN = 54  # the cause whose remedy stands beside a refund in doubt
_SEVERITIES = ("note", "warning", "severe")


def finding(texts, answer):
    """{"cause", "key", "status", "evidence", "text", "remedy", "who", "people"} of a FINDING."""
    cause = causes.cause(answer["cause"])
    about = texts.cause(cause.number)
    what, remedy = about.text, about.remedy
    status = messages.STATUSES[answer["status"]]
    if status == "PASS":
        what, remedy = texts("word", "pass_text", name=about.name), ""
    elif status == "UNKNOWN" and cause.number == _TERMINAL and answer["evidence"].get("terminal_silent"):
        what, remedy = texts("word", "silent_text"), texts("word", "silent_remedy")
    elif status == "UNKNOWN":
        what, remedy = texts("word", "unknown_text", name=about.name), texts("word", "unknown_remedy")
    elif cause.number == _NOT_REGISTERED and answer["evidence"].get("terminal_registered") == _WAITS_FOR_TILL:
        what, remedy = texts("gate", "not_logged_on"), texts("gate", "log_on")
    return {
        "cause": cause.number,
        "key": cause.key,
        "status": status,
        "evidence": answer["evidence"],
        "text": what,
        "remedy": remedy,
        "who": texts.people(cause.who),
        "people": list(cause.who),
    }


def findings(texts, answer, everything=False):
    """The findings of an answer, the worst first; those that PASS, which may come as bare numbers, only if `everything`."""
    shown = [one for one in answer.get("findings", ()) if everything or one["status"] != messages.PASS]
    if everything:
        for cause in answer.get("passed", b""):
            if 1 <= cause <= 60 and not any(one["cause"] == cause for one in shown):
                shown.append({"cause": cause, "status": messages.PASS, "evidence": {}})
    return [finding(texts, one) for one in sorted(shown, key=lambda one: -one["status"])]


def verdict(texts, answer, request):
    """The document of a PREFLIGHT_ANSWER."""
    return {
        "verdict": measures.verdict(answer["verdict"]),
        "findings": findings(texts, answer, request.get("all", False)),
        "key": request.get("key"),
        "sale_receipt": request["receipt"],
        "amount": request["amount"],
        "currency": request["currency"],
        "amount_text": measures.amount(texts, request["amount"], request["currency"]),
    }


def refund(texts, answer, request):
    """The document of a REFUND_ANSWER. verdict is null where an earlier answer carries none."""
    state = messages.STATES[answer["state"]]
    cause = answer.get("cause")
    amount = measures.amount(texts, answer["amount"], answer["currency"])
    about = cause or (OUTCOME_UNKNOWN if state in ("REQUESTED", "SENT", "IN_DOUBT") else None)
    return {
        "verdict": measures.verdict(answer["verdict"]) if "verdict" in answer else None,
        "findings": findings(texts, answer, request.get("all", False)),
        "key": answer["key"],
        "state": state,
        "final": answer["final"],
        "earlier": answer["earlier"],
        "receipt": answer.get("receipt"),
        "trace": answer.get("trace"),
        "result_code": answer.get("result_code"),
        "cause": cause,
        "cause_key": causes.cause(cause).key if cause else None,
        "sale_receipt": answer["sale_receipt"] or None,  # a till's refund may be tied to no sale
        "amount": answer["amount"],
        "currency": answer["currency"],
        "amount_text": amount,
        "text": texts("outcome", state, amount=amount),
        "cause_text": texts.cause(about).text if about else None,
        "remedy": texts.cause(about).remedy if about else None,
        "who": texts.people(causes.cause(about).who) if about else None,
        "attested_by": answer.get("attested_by"),
        "role": answer.get("role"),
        "reason": answer.get("reason"),
    }


def refund_exit(document):
    """The exit status of a refund's document: by its state; held by the checks: by their verdict."""
    if document["state"] in _EXIT_BY_STATE:
        return _EXIT_BY_STATE[document["state"]]
    if document["state"] == "NEW":
        return EXIT_BY_VERDICT.get(document["verdict"]) or REFUSED  # not begun in spite of GO: refused all the same
    return IN_DOUBT  # final, yet under way: only a broken agent says so


def status(texts, answer, port, crash=None):
    """The document of a STATUS_ANSWER: all its fields, null where it left one out. `crash`: its agent's CRASH_ANSWER."""
    document = {row[1]: answer.get(row[1]) for row in messages.fields(report_messages.STATUS_ANSWER)}
    document["verdict"] = measures.verdict(answer["verdict"])
    document["findings"] = findings(texts, answer)
    document["values"] = {
        name: {"value": value, "age_ms": age} for name, (value, age) in sorted(answer["values"].items(), key=_order)
    }
    document["port"] = port
    document["safe_mode"] = health_documents.safe_mode(answer)
    document["crash"] = health_documents.crash(texts, crash)
    return document


def _order(item):
    facts = messages.FACTS.split()
    return facts.index(item[0]) if item[0] in facts else len(facts)


def watched(texts, kind, boot, what, port):
    """The document of one thing that watching yields, as watching.watch lists them."""
    document = {"kind": kind, "boot": boot}
    if kind == "event":
        name, severity = messages.event_name(what["code"])
        document.update(
            number=what["number"],
            uptime_ms=what["uptime_ms"],
            code=what["code"],
            event=name,
            severity=_SEVERITIES[severity],
            numbers=what["numbers"],
            text=texts("event", name if texts.has("event", name) else "unknown", code=what["code"]),
        )
    elif kind == "dropped":
        n, after = what
        document.update(dropped=n, after=after, text=texts("word", "dropped", n=n, first=after + 1, last=after + n))
    elif kind == "values":
        document.update(uptime_ms=what[0], values=what[1], text=texts("word", "new_values"))
    elif kind == "link_back":
        word = "link_back" if what is None else "link_back_after"
        document.update(after=what, text=texts("word", word, after=what))
    else:
        document["text"] = texts("word", kind, boot=boot, port=port, agent=what)
    return document


def cause(texts, row):
    """The document of one row of the catalogue."""
    about = texts.cause(row.number)
    return {
        "cause": row.number,
        "key": row.key,
        "family": row.family,
        "sources": list(row.sources),
        "found": row.found,
        "weakenable": row.weakenable,
        "name": about.name,
        "text": about.text,
        "why": about.why,
        "remedy": about.remedy,
        "steps": list(about.steps),
        "not": about.avoid,
        "who": texts.people(row.who),
        "people": list(row.who),
        "call": about.call,
    }


def port(texts, candidate, failure, baud):
    """One row of the ports: "why" is null where an agent answers; "baud" where that is not so, or the port has no speed."""
    says = texts("word", "port_agent_baud", baud=baud) if baud not in (None, BAUD) else texts("word", "port_agent")
    return {
        "port": candidate.port,
        "description": texts("word", "made_by_agent") if candidate.what is None else candidate.what,
        "usb": candidate.usb,
        "agent": failure is None,
        "baud": baud,
        "why": failure.key if failure else None,
        "text": why(texts, failure) if failure else says,
    }


def why(texts, failure):
    """Why no agent answers on a port, in a few words."""
    key = "why_" + failure.key if texts.has("word", "why_" + failure.key) else "why_cannot_open"
    return texts("word", key, **failure.fields)


def error_line(texts, failure):
    """What a Failure says, as one line."""
    fields = dict(failure.fields)
    if "tried" in fields:
        tried = [f"{device}: {why(texts, error)}" for device, error in fields["tried"]]
        fields["tried"] = "; ".join(tried) or texts("error", "nothing_tried")
    if "nearest" in fields:
        fields["nearest"] = texts("error", "nearest", nearest=fields["nearest"]) if fields["nearest"] else ""
    fields = {name: texts.join(value) if isinstance(value, (list, tuple)) else value for name, value in fields.items()}
    return " ".join(texts("error", failure.key, **fields).split())
