"""What tools ask now and then: the link's counters, one refund, one cause, what is installed. Loaded when asked for, and let
go. Each function returns {name: value} of its answer in wire/tool_messages.py.
"""

import os
from binascii import hexlify
from hashlib import sha256

from . import causes
from .wire import messages
from .wire.errors import WireError
from .wire.messages import FIND
from .wire.tool_messages import CAUSES, CRASH, LINK

_CODE = (".mpy", ".py", ".txt")
_PIECE = 1024  # bytes read at once


async def answer(agent, command, asked):
    if command == LINK:
        return link(agent)
    if command == FIND:
        return find(agent, asked["key"])
    if command == CAUSES:
        return cause(asked["number"], asked.get("lang", "en"))
    if command == CRASH:
        from . import crash

        try:
            return crash.answer(agent)
        finally:
            crash.let_go()
    return await manifest(agent)


def link(agent):
    link = agent.link
    events = agent.events
    first, _, lost = events.since(0, 0)
    values = {
        "uptime_ms": link.heard,
        "wall_s": agent.clock.wall_s(),
        "boot": events.boot,
        "oldest": lost + 1 if first else 0,
        "last": events.last,
        "lost": link.lost,
    }
    for name in ("frames_in", "frames_out", "bytes_in", "bytes_out", "damaged", "dropped", "resyncs", "cuts"):
        values[name] = getattr(link, name)
    stream = link.stream
    if stream:
        values["lost"] += stream.lost
        values["stream"] = stream.id
        values["lease_ms"] = max(0, stream.until - agent.clock.uptime_ms())
        values["credit"] = stream.credit
        values["frames"] = stream.frames
    return values


def find(agent, key):
    """WireError no_refund."""
    refund = agent.history.find(key)
    if refund is None:
        raise WireError("no_refund")
    return agent.answer_of({"key": key}, refund, True, final=agent.conductor.active != key)


def cause(number, lang):
    """WireError bad_field: no such language."""
    if lang not in ("en", "zh"):
        raise WireError("bad_field", "lang")
    found = causes.cause(number)
    with open(causes.PATH[:-4] + "_" + lang + ".txt", encoding="utf-8") as rows:
        text = next(row for row in rows if row.startswith("%d " % number))
    return {
        "number": number,
        "key": found.key,
        "family": found.family,
        "found": messages.STATUSES.index(found.found),
        "weaker": found.weakenable,
        "sources": found.sources,
        "who": "+".join(found.who),
        "text": text.strip().partition(" ")[2],
    }


async def manifest(agent):
    about = agent.about
    snapshot = agent.snapshot
    policy = agent.policy
    values = {
        "agent_version": about["version"],
        "runtime": about["runtime"],
        "runtime_version": about["runtime_version"],
        "board": about["board"],
        "agent_id": agent.history.agent_id,
        "command": CRASH,
        "terminal_model": snapshot.get("terminal_model"),
        "terminal_version": snapshot.get("terminal_version"),
        "terminal_id": snapshot.get("terminal_id"),
        "policy_state": policy.state,
        "policy_id": policy.get("id"),
        "policy_version": policy.get("version"),
        "policy_size": policy.size,
        "policy_digest": policy.digest,
        "journal_size": agent.journal.size,
        "journal_last": agent.journal.sequence,
        "journal_digest": hexlify(agent.journal.digest).decode(),
    }
    values["files"], values["bytes"], values["digest"] = await code(agent)
    return values


async def code(agent):
    """(files, bytes, digest) of the agent's code, three times None where it is part of the firmware: what lies beside this
    module, and in the folders there. The digest is SHA-256 over name, NUL and SHA-256 of the content of each, in the order
    of their names, which are paths where they are in a folder."""
    folder = __file__.rpartition("/")[0] or "."
    try:
        names = sorted(_files(folder, ""))
    except OSError:
        names = ()
    whole = sha256()
    size = 0
    for name in names:
        one = sha256()
        with open(folder + "/" + name, "rb") as file:
            while True:
                data = file.read(_PIECE)
                if not data:
                    break
                one.update(data)
                size += len(data)
        whole.update(name.encode() + b"\0" + one.digest())
        await agent.link.at_work()  # the terminal does not wait while a board reads all this
    return (len(names), size, whole.digest()) if names else (None, None, None)


def _files(folder, before):
    """Names of the files of code in a folder and those below."""
    for name in os.listdir(folder):
        if name.endswith(_CODE) and name[0] != "_":
            yield before + name
        elif "." not in name and name[0] != "_":
            try:
                inside = os.listdir(folder + "/" + name)
            except OSError:
                continue  # a file
            if inside:
                for one in _files(folder + "/" + name, before + name + "/"):
                    yield one
