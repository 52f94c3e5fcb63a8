"""What the journal commands print with --json and show on the screen: plain dicts, in the reader's language."""

from . import gate_keys, health_documents, journal, measures
from .export import moment
from .failures import DONE, REFUSED

_PLACE = ("address", "bytes", "lost", "number")
_BAD = ("other", "missing", "lost")  # what may have become of a record that was noted down


def refund_row(texts, row):
    """One refund of a Copy."""
    document = {name: row[name] for name in row if name != "carried"}
    document["sale_receipt"] = row["sale_receipt"] or None  # a till's refund may be tied to no sale
    document["void"] = bool(row["void"])
    document["time"] = moment(row["wall_s"])
    document["state_text"] = state(texts, row["state"])
    document["amount_text"] = amount(texts, row["amount"], row["currency"])
    return document


def _first(key):
    """The state that the first record of a refund has."""
    return "APPROVED" if gate_keys.passed(key) else "REQUESTED"


def state(texts, name):
    return texts("state", name) if texts.has("state", name) else name


def amount(texts, minor, currency):
    return "" if minor is None else measures.amount(texts, minor, currency)


def listed(texts, copy, file):
    """Every refund of a Copy."""
    rows = [refund_row(texts, row) for row in copy.refunds()]
    crash = health_documents.last_of(texts, copy)
    return {"file": file, "agent_id": copy.agent_id, "lost": copy.lost, "crash": crash, "refunds": rows}


def story(texts, copy, file, key):
    """One refund of a Copy, record by record; None if there is none with this key."""
    records = copy.story(key)
    row = next((row for row in copy.refunds() if row["key"] == key), None)
    verdicts = [entry for entry in records if entry["kind"] == "verdict"]
    if row is None and not verdicts:
        return None
    row = row or journal.held(key, verdicts[-1])
    return {
        **refund_row(texts, row),
        "file": file,
        "agent_id": copy.agent_id,
        "lost": copy.lost,
        # what came before was given up for want of room, once it was settled
        "complete": row["state"] == "NEW"
        or any(entry.get("state") == _first(key) and not entry["carried"] for entry in records),
        "records": [{**entry, "time": moment(entry.get("wall_s"))} for entry in records],
    }


def verified(texts, copy, file, known=None, answer=None):
    """What verifying a Copy found. `known`: (number, digest) that somebody noted down; `answer`: the agent's JOURNAL_ANSWER
    if the copy was just pulled."""
    document = {
        "file": file,
        "agent_id": copy.agent_id,
        "size": copy.size,
        "sector": copy.sector,
        "unit": copy.unit,
        "oldest": copy.oldest,
        "newest": copy.newest,
        "records": copy.records,
        "first": min(copy.digests, default=None),
        "last": copy.last,
        "digest": copy.digest,
        "damaged": len(copy.damage),
        "lost": copy.lost,
        "places": [_place(place[:4], place[4]) for place in copy.damage],
        # the agent had written more than its flash still holds
        "agrees": answer is None or (answer["last"], answer["digest"]) == (copy.last, copy.digest),
    }
    document["known"] = None if known is None else _known(copy, *known)
    return _said(texts, document)


def verified_there(texts, answer, port, agent_id):
    """What the agent found when it read its journal (JOURNAL_ANSWER)."""
    accepted = None if answer["lost"] else True  # it does not say of each place whether it was accepted
    document = {
        "file": None,
        "port": port,
        "agent_id": agent_id,
        **{name: answer[name] for name in ("size", "sector", "unit", "oldest", "newest")},
        "records": None,
        "first": None,
        **{name: answer[name] for name in ("last", "digest", "damaged", "lost")},
        "places": [_place([row[name] for name in _PLACE], accepted) for row in answer["places"]],
        "agrees": True,
        "known": None,
    }
    return _said(texts, document)


def _place(place, accepted):
    return {**dict(zip(_PLACE, place, strict=True)), "accepted": accepted if place[2] else None}


def _known(copy, number, digest):
    if number > copy.last:
        found = "missing"
    elif number not in copy.digests:
        found = "gone" if number < min(copy.digests) else "lost"
    else:
        found = "same" if copy.digests[number] == digest else "other"
    return {"number": number, "digest": digest, "found": found}


def _said(texts, document):
    document["note"] = f"{document['last']}:{document['digest']}"
    known = document["known"]
    if document["lost"]:
        document["text"] = texts("journal", "lost", n=document["lost"])
    elif not document["agrees"]:
        document["text"] = texts("journal", "disagrees")
    elif known and known["found"] in _BAD:
        document["text"] = texts("journal", "known_" + known["found"], number=known["number"])
    elif any(place["lost"] for place in document["places"]):
        document["text"] = texts("journal", "lost_accepted")
    elif document["damaged"]:
        document["text"] = texts("journal", "damaged", n=document["damaged"])
    else:
        document["text"] = texts("journal", "whole")
    return document


def verify_exit(document):
    """0 if nothing that counted is lost or altered, else 4."""
    return REFUSED if bad(document) else DONE


def bad(document):
    """True if something that counted is lost or altered, and nobody looked into it."""
    known = document["known"]
    return bool(document["lost"] or not document["agrees"] or (known and known["found"] in _BAD))
