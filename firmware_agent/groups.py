"""SMP's own groups, as far as an agent that lets nobody change it can answer them: 0 system, 1 images, 2 statistics,
3 settings, 10 enumeration. Loaded when asked for, and let go. Source of commands, fields and errors: Zephyr's pages on the
groups, and mcumgr.

Errors: a number of SMP's own is {"rc": …}; one of a group {"err": {"group": …, "rc": …}}, and in version 1 the number of SMP
that mcumgr has in its place.
"""

import asyncio

from .dates import DAY_S, date_of, day_of
from .wire import cbor, smp

_EINVAL, _TOO_LONG, _NOT_SUPPORTED, _BUSY, _DENIED = 3, 7, 8, 10, 11  # SMP's own error codes
_ENOENT = 5

# group, its name, its commands: what enumeration tells
_GROUPS = (
    (0, "os", 6),
    (1, "image", 4),
    (2, "statistics", 2),
    (3, "settings", 2),
    (8, "files", 5),
    (10, "enum", 4),
    (82, "refund", 18),
)

_WAITS, _DEAD, _RUNS = 2, 8, 128  # states of a Zephyr thread: pending, dead, queued
_PARTS = "power network terminal pulse gate"  # in the order of Agent.tasks
_INFO = "snrvbmpio"  # letters of "info", in the order in which "a" gives them

# What the watchers count, among the values they put.
_WATCHED = (
    "supply_sags network_failures network_loss terminal_silent line_frames line_errors "
    "crashes reboots wear_percent requests"
)


class Refused(Exception):
    """(error of the group or None, error of SMP instead of it)."""


async def answer(agent, header, body):
    """The answer's body; `header`: smp.Header, `body`: as decoded."""
    reading = header.op == 0
    group, command = header.group, header.command
    try:
        if not isinstance(body, dict):
            raise Refused(None, _EINVAL)
        if group == 0:
            return await _system(agent, command, reading, body)
        if group == 1:
            if command == 0 and reading:
                return await _images(agent)
            # confirmation denied, no free slot, invalid slot; a client of version 2 takes SMP's number for a success
            raise Refused(None if reading else {0: 32, 1: 9, 5: 14}.get(command), _NOT_SUPPORTED)
        if group == 2 and command < 2 and reading:
            return _statistics(agent, command, body)
        if group == 3:
            return _setting(agent, command, reading, body)
        if group == 10 and reading:
            return _enumeration(command, body)
        raise Refused(None, _NOT_SUPPORTED)
    except Refused as refused:
        its, smps = refused.args
        return {"err": {"group": group, "rc": its}} if its and header.version else {"rc": smps}


# ---- 0, system ----
async def _system(agent, command, reading, body):
    if command == 2 and reading:
        return {"tasks": _tasks(agent)}
    if command == 4:
        return _datetime(agent) if reading else _told(agent, body.get("datetime"))
    if command == 5 and not reading:
        return _reset(agent, body)
    if command == 6 and reading:
        return {"buf_size": smp.MAX_MESSAGE, "buf_count": 1}
    if command == 7 and reading:
        return _info(agent.about, body.get("format", "s"))
    raise Refused(None, _NOT_SUPPORTED)


def _tasks(agent):
    tasks = {"link": {"prio": 0, "tid": 0, "state": _RUNS}}
    number = 0
    for task in agent.tasks:
        number += 1
        state = _DEAD if task.done() else _WAITS
        tasks[_PARTS.split()[number - 1]] = {"prio": 0, "tid": number, "state": state}
    return tasks


def _datetime(agent):
    now = agent.clock.wall_s()
    if now is None:
        raise Refused(4, _ENOENT)  # the clock was never set
    date = date_of(now // DAY_S)
    rest = now % DAY_S
    day = (date // 10000, date // 100 % 100, date % 100)
    return {"datetime": "%04d-%02d-%02dT%02d:%02d:%02d" % (day + (rest // 3600, rest // 60 % 60, rest % 60))}


def _told(agent, text):
    """Whoever sets the time is a reference that ours is held against; a board's clock may be set by it."""
    wall_s = _seconds(text)
    if wall_s is None or not 1000000000 <= wall_s <= 4294967295:
        raise Refused(None, _EINVAL)
    agent.told_time({"wall_s": wall_s})
    return {}


def _seconds(text):
    """Unix seconds of 2026-11-24T10:00:00, perhaps with a fraction and a zone (Z, +02:00, +0200; UTC without); None: it is no
    time."""
    if not isinstance(text, str) or not 19 <= len(text) <= 31:
        return None
    for at, mark in ((4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":")):
        if text[at] != mark:
            return None
    parts = [text[0:4], text[5:7], text[8:10], text[11:13], text[14:16], text[17:19]]
    rest = text[19:]
    if rest[:1] == ".":
        zone = rest[1:].lstrip("0123456789")
        if len(zone) == len(rest) - 1:
            return None
        rest = zone
    sign = 0
    if rest[:1] == "+" or rest[:1] == "-":
        sign = 1 if rest[0] == "+" else -1
        zone = rest[1:].replace(":", "", 1)
        if len(zone) != 4:
            return None
        parts += [zone[:2], zone[2:]]
    elif rest not in ("", "Z"):
        return None
    if not "".join(parts).isdigit():
        return None
    numbers = [int(part) for part in parts]
    year, month, day, hours, minutes, seconds = numbers[:6]
    date = year * 10000 + month * 100 + day
    number = day_of(date)
    if date_of(number) != date or hours > 23 or minutes > 59 or seconds > 59:
        return None
    if sign:
        if numbers[6] > 23 or numbers[7] > 59:
            return None
        seconds -= sign * (numbers[6] * 3600 + numbers[7] * 60)
    return number * DAY_S + hours * 3600 + minutes * 60 + seconds


def _reset(agent, body):
    """Only where the board allows it ("link": {"reset": True}): the agent ends, and what started it starts it anew."""
    if not agent.settings.get("link", {}).get("reset"):
        raise Refused(None, _DENIED)
    if (agent.conductor.busy or agent.terminal.busy) and body.get("force") != 1:
        raise Refused(None, _BUSY)
    agent.link.leaving = asyncio.create_task(_leave())
    return {}


async def _leave():
    await asyncio.sleep(0.3)  # the answer goes out first
    raise SystemExit(0)


def _info(about, letters):
    if not isinstance(letters, str) or not letters or letters.strip("a" + _INFO):
        raise Refused(2 if isinstance(letters, str) else None, _EINVAL)
    version, board, runtime = about["version"], about["board"], about["runtime"]
    words = ("refund-agent", board, version, version, "unknown", runtime, about["runtime_version"], board, runtime)
    return {"output": " ".join([words[at] for at in range(9) if "a" in letters or _INFO[at] in letters])}


# ---- 1, images ----
async def _images(agent):
    """The agent is the image that runs; the terminal's software another one, if it told its version."""
    from .tools import code

    image = {
        "image": 0,
        "slot": 0,
        "version": agent.about["version"],
        "active": True,
        "confirmed": True,
        "bootable": True,
    }
    digest = (await code(agent))[2]
    if digest:
        image["hash"] = digest
    images = [image]
    version = agent.snapshot.get("terminal_version")
    if version is not None:
        images.append({"image": 1, "slot": 1, "version": version, "active": True, "confirmed": True, "bootable": True})
    return {"images": images}


# ---- 2, statistics ----
def _statistics(agent, command, body):
    names = ["heap", "journal", "link", "watch"]
    if agent.keeper:
        names.append("gate")
    if command == 1:
        return {"stat_list": names}
    name = body.get("name")
    if not isinstance(name, str):
        raise Refused(None, _EINVAL)
    if name not in names:
        raise Refused(2, _ENOENT)
    if name == "link":
        from .tools import link

        values = link(agent)
    elif name == "watch":
        values = {fact: agent.snapshot.get(fact) for fact in _WATCHED.split()}
    elif name == "gate":
        from .audit import gate

        values = gate(agent)
    elif name == "heap":
        agent.health.look()
        values = {"free": agent.health.heap_free, "used": agent.health.heap_used, "peak": agent.health.heap_peak}
    else:
        journal, history = agent.journal, agent.history
        values = {
            "size": journal.size,
            "written": journal.written,
            "damaged": journal.damage.count,
            "lost": history.lost,
        }
        values["refunds"] = history.refunds
    return {"name": name, "fields": {key: int(value) for key, value in values.items() if isinstance(value, int)}}


# ---- 3, settings ----
def _setting(agent, command, reading, body):
    """Values of the board ("power/low_mv") and rules in force ("policy/currency"), as CBOR, for reading."""
    if command > 1 or (command and reading):
        raise Refused(None, _NOT_SUPPORTED)
    name = body.get("name")
    if not isinstance(name, str) or not name:
        raise Refused(None, _EINVAL)
    if len(name) > 64:
        raise Refused(2, _EINVAL)
    if not reading:
        raise Refused(7 if command else 6, _NOT_SUPPORTED)
    root, _, key = name.partition("/")
    values = agent.policy.rules if root == "policy" else agent.settings.get(root)
    if root == "keys" or not isinstance(values, dict):
        raise Refused(5, _ENOENT)
    if key not in values:
        raise Refused(3, _ENOENT)
    try:
        value = cbor.encode(values[key])
    except TypeError:  # a float, or what no message can carry
        raise Refused(4, _NOT_SUPPORTED)
    most = body.get("max_size", 1024)
    if not isinstance(most, int) or len(value) > min(most, 1024):
        raise Refused(None, _TOO_LONG)
    return {"val": value}


# ---- 10, enumeration ----
def _enumeration(command, body):
    if command == 0:
        return {"count": len(_GROUPS)}
    if command == 1:
        return {"groups": [row[0] for row in _GROUPS]}
    if command == 2:
        index = body.get("index", 0)
        if not isinstance(index, int) or isinstance(index, bool) or index < 0:
            raise Refused(None, _EINVAL)
        if index >= len(_GROUPS):
            raise Refused(4, _EINVAL)
        found = {"group": _GROUPS[index][0]}
        if index == len(_GROUPS) - 1:
            found["end"] = True
        return found
    if command == 3:
        wanted = body.get("groups", [row[0] for row in _GROUPS])
        if not isinstance(wanted, list):
            raise Refused(None, _EINVAL)
        return {"groups": [{"group": a, "name": b, "handlers": c} for a, b, c in _GROUPS if a in wanted]}
    raise Refused(None, _NOT_SUPPORTED)
