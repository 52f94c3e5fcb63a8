"""The agent's crashes and starts as documents: from its journal, or from its own answer."""

from firmware_agent.wire import bodies, tool_messages

from . import measures
from .export import moment
from .link import AgentError

_REASONS = bodies.REASONS.split()


def reason_text(texts, word):
    return texts("health", word) if texts.has("health", word) else word


def asked(link, status):
    """The agent's CRASH_ANSWER, None if its status tells of no crash, or it knows no such question."""
    told = status["values"].get("crashes") or [None]
    if not told[0]:
        return None
    try:
        return link.ask(tool_messages.CRASH)
    except AgentError:
        return None


def crash(texts, told):
    """The document of a crash: an entry of the journal, or a CRASH_ANSWER; None if there is none."""
    if not told or told.get("reason") is None:
        return None
    word = told["reason"]
    if isinstance(word, int):
        word = _REASONS[word] if word < len(_REASONS) else f"reason_{word}"
    places = told.get("places") or []
    after = measures.duration(texts, told["uptime_ms"] / 1000) if told.get("uptime_ms") is not None else None
    key = "crash_before" if not told["boot"] else "crash_after" if after else "crash"
    spots = ", ".join(_spot(place) for place in reversed(places))
    details = [texts("health", "said", text=measures.clean(told["text"]))] if told["text"] else []
    details += [texts("health", "spots", spots=spots)] if spots else []
    return {
        "boot": told["boot"],
        "time": moment(told.get("wall_s")) or None,
        "wall_s": told.get("wall_s"),
        "uptime_ms": told.get("uptime_ms"),
        "reason": word,
        "said": told["text"],
        "places": places,
        "text": texts("health", key, boot=told["boot"], time=after, reason=reason_text(texts, word)),
        "details": details,
    }


def last_of(texts, copy):
    """The document of the last crash in a Copy of a journal."""
    entries = [entry for entry in copy.entries if entry["kind"] == "crash"]
    return crash(texts, entries[-1]) if entries else None


def safe_mode(status):
    """True if a STATUS_ANSWER says that the agent is in safe mode."""
    return bool((status["values"].get("safe_mode") or [None])[0])


def _spot(place):
    line = f":{place['line']}" if place["line"] else ""
    return measures.clean(f"{place['module']}{line} {place['function']}")
