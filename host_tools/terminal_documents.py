"""What `refundctl terminal` prints with --json and shows on the screen: the terminal in words, from a STATUS_ANSWER."""

from firmware_agent import causes
from hal.terminals.zvt import codes

from . import measures

# Facts of the snapshot that are about the terminal, in the order in which they are shown.
FACTS = (
    *("terminal_model", "terminal_version", "terminal_id", "terminal_registered", "terminal_code", "terminal_state"),
    *("terminal_locks", "terminal_fault_s", "terminal_receipt", "terminal_offline", "batch_closed"),
    *("temperature_c", "battery_percent", "line_frames", "line_errors"),
)
_SILENT = 2  # enquiries in a row without an answer: one may have been a till's turn
_BUSY = (0x9C, 0xA0)  # please wait; receiver not ready
# The cause that each lock (bit of TLV 1F55) and each state (1F43) leads to, as the agent's checks have it.
LOCK_CAUSES = (12, 47, 17, 1, 1, 13, 47, 33, 10, 10, 4, 21, 56, 1, 10, 14)
STATE_CAUSES = {1: 47, 2: 12, 3: 12}
_FROM_HOST = 0x63  # codes up to this one are the host's
_NO_TABLE = 1  # the cause that speaks of a code no table lists


def terminal(texts, answer, port):
    """The document of a STATUS_ANSWER. A value that nobody told is null, its age too if nobody ever looked."""
    told = {name: answer["values"].get(name, (None, None)) for name in FACTS}
    code, state, locks = (told["terminal_" + name][0] for name in ("code", "state", "locks"))
    silent = answer["values"].get("terminal_silent", (0, None))[0] or 0
    ready = answer["values"].get("terminal_ok", (None, None))[0]
    if silent >= _SILENT:
        condition = "silent"
    elif ready is None:
        condition = "unknown"
    elif ready:
        condition = "ready"
    else:
        condition = "busy" if code in _BUSY and not state and not locks else "fault"
    status = None if code is None else _status(texts, code)
    device = None if state is None else {"state": state, **_about(texts, STATE_CAUSES.get(state))}
    found = None if locks is None else [_lock(texts, bit) for bit in range(16) if locks >> bit & 1]
    numbers = [one["cause"] for one in (status, device, *(found or ())) if one and one["cause"]]
    return {
        "port": port,
        "agent_id": answer["agent_id"],
        "condition": condition,
        "silent": silent,
        "text": texts("terminal", "says_" + condition, n=silent),
        "status": status,
        "state": device,
        "locks": found,
        "causes": [_cause(texts, number) for number in dict.fromkeys(numbers)],
        "values": {
            name: {"value": value, "age_ms": age, "text": _text(texts, name, value, condition)}
            for name, (value, age) in told.items()
        },
    }


def _status(texts, code):
    """The status byte: what it means and the cause it leads to."""
    key = f"{code:02X}"
    name = key if texts.has("zvt_code", key) else "host" if 0 < code <= _FROM_HOST else "none"
    cause = (codes.cause(code) or _NO_TABLE) if code else None
    return {"code": code, "hex": key, "text": texts("zvt_code", name), **_about(texts, cause)}


def _lock(texts, bit):
    return {"bit": bit, "name": texts.table("zvt_list")["locks"][bit], **_about(texts, LOCK_CAUSES[bit])}


def _about(texts, number):
    return {"cause": number, "cause_key": causes.cause(number).key if number else None}


def _cause(texts, number):
    about, cause = texts.cause(number), causes.cause(number)
    words = {"cause": number, "key": cause.key, "text": about.text, "remedy": about.remedy}
    return {**words, "who": texts.people(cause.who), "people": list(cause.who)}


def _text(texts, name, value, condition):
    """The value in words; null where it was not told."""
    if value is None:
        # of a fault that outlived a restart nobody knows since when it stands
        return texts("terminal", "no_fault") if name == "terminal_fault_s" and condition == "ready" else None
    if name == "terminal_code":
        about = _status(texts, value)
        words = texts("terminal", "code", code=about["hex"], text=about["text"])
        return words if not about["cause"] else _leads(texts, words, about["cause"])
    if name == "terminal_state":
        words = measures.value(texts, name, value)
        return _leads(texts, words, STATE_CAUSES[value]) if value in STATE_CAUSES else words
    if name == "terminal_locks":
        names = [texts.table("zvt_list")["locks"][bit] for bit in range(16) if value >> bit & 1]
        return texts.join(names) or texts("terminal", "no_locks")
    if name == "terminal_fault_s":
        return measures.duration(texts, value)
    if name in ("temperature_c", "battery_percent"):
        return texts("terminal", "temperature" if name == "temperature_c" else "percent", n=value)
    return measures.value(texts, name, value)


def _leads(texts, words, cause):
    return texts("zvt_code", "cause", words=words, cause=cause, name=texts.cause(cause).name)
