"""What is kept of a crash: a file at once, a CRASH record of the journal with the next start. Loaded when one happens, or
when somebody asks for the last one, and let go."""

import gc
import io
import sys

from .journal import Full
from .wire import cbor
from .wire.bodies import CRASH, CRASHES, REASONS
from .wire.errors import WireError
from .wire.pan import looks_like_pan

_FILE = "crash"
_TEXT = 120  # bytes; with _PLACES places of two names of _NAME bytes a record has room for all
_PLACES = 6
_NAME = 24


def record(error, boot=0, wall_s=None, uptime_ms=None):
    """The items of a CRASH record about an exception. `boot`: 0 where the journal was not open yet."""
    reason = "out_of_memory" if isinstance(error, MemoryError) else "fault"
    text = cut(repr(error), _TEXT)
    return [CRASH, boot, wall_s, uptime_ms, REASONS.split().index(reason), text, places(error)]


def cut(text, most):
    """At most so many bytes of a text, no digit of it if it may hold a card number."""
    if looks_like_pan(text):
        text = "".join(["*" if "0" <= char <= "9" else char for char in text])
    text = text[:most]
    while len(text.encode()) > most:
        text = text[:-1]
    return text


def places(error):
    """[[module, line, function], …] where an exception came from, innermost last; line 0: this build does not know lines."""
    found = []
    if hasattr(sys, "print_exception"):
        told = io.StringIO()
        sys.print_exception(error, told)  # pyright: ignore[reportArgumentType]
        for row in told.getvalue().split("\n"):  # pyright: ignore[reportAttributeAccessIssue]
            # File "journal.mpy", line 1, in append
            parts = row.split('"')
            if len(parts) == 3 and row.strip()[:4] == "File":
                line, _, function = parts[2][7:].partition(", in ")
                found.append((parts[1], int(line) if line.isdigit() else 0, function))
    else:
        at = error.__traceback__
        while at:
            found.append((at.tb_frame.f_code.co_filename, at.tb_lineno, at.tb_frame.f_code.co_name))
            at = at.tb_next
    rows = []
    for path, line, function in found[-_PLACES:]:
        module, _, kind = path.rpartition("/")[2].rpartition(".")
        rows.append([cut(module or kind, _NAME), 0 if kind == "mpy" else line, cut(function or "<module>", _NAME)])
    return rows


def keep(starts, error, at=None):
    """An exception ends the agent or its start: note it where the next start finds it. `starts`: Starts; `at`: (boot, wall_s,
    uptime_ms) of an agent that stood. The reason, a word."""
    if hasattr(gc, "mem_free"):
        gc.collect()
    body = record(error, *(at or ()))
    reason = REASONS.split()[body[4]]
    starts.put(_FILE, cbor.encode(body))
    starts.crashed(reason, body[3] is None or body[3] < 60000)
    return reason


def move(starts, history):
    """Put what the last start left into the journal; a journal that takes nothing gets it with the next start."""
    data = starts.text(_FILE)
    if not data:
        return
    try:
        body = cbor.decode(data)
        if not isinstance(body, list) or body[:1] != [CRASH] or len(body) != 7:
            raise ValueError
        if body != last(history.journal):  # the power went when it was in the journal, and the file still there
            history.note(body)
    except (WireError, ValueError):
        pass  # cut while it was written
    except (Full, OSError):
        return
    starts.drop(_FILE)


def of_part(history, error, clock):
    """A part of the agent fell and starts anew: count it, and journal where."""
    try:
        history.count(CRASHES, history.counters.get(CRASHES, 0) + 1)
        history.note(record(error, history.boot, clock.wall_s(), clock.uptime_ms()))
    except (Full, OSError):
        pass  # the event tells of it


def last(journal):
    """The items of the last CRASH record, None if the journal has none."""
    for generation in range(journal.newest, max(0, journal.oldest) - 1, -1):
        found = None
        for body in journal.bodies(generation):
            if body[1] == CRASH:
                found = body
        if found:
            return cbor.decode(found)
    return None


def answer(agent):
    """{name: value} of CRASH_ANSWER."""
    values = {"faults": agent.health.faults, "crashes": agent.snapshot.get("crashes")}
    found = last(agent.journal) if agent.journal else None
    if found:
        names = ("boot", "wall_s", "uptime_ms", "reason", "text")
        values.update(zip(names, found[1:6]))
        values["places"] = [dict(zip(("module", "line", "function"), place)) for place in found[6]]
    return values


def told(journal):
    """The lines that the console shows of the last crash."""
    found = last(journal)
    if found:
        _, boot, _, uptime_ms, reason, text, places = found
        after = "" if uptime_ms is None else " after %d s" % (uptime_ms // 1000)
        yield "last crash: boot %d%s, %s: %s\n" % (boot, after, REASONS.split()[reason], text)
        for module, line, function in places:
            yield "  %s%s %s\n" % (module, ":%d" % line if line else "", function)


def let_go():
    sys.modules.pop(__name__, None)
