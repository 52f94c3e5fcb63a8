"""The journal read through once more, and losses that somebody accepts. Loaded when asked for, and let go."""

from binascii import hexlify

from .journal import Full
from .wire.errors import WireError


async def look_through(agent):
    """{name: value} of JOURNAL_ANSWER."""
    journal = agent.journal
    for _ in journal.look_through():
        await agent.link.at_work()
    return {
        "size": journal.size,
        "sector": journal.flash.sector,
        "unit": journal.flash.unit,
        "oldest": journal.oldest,
        "newest": max(0, journal.newest),
        "end": journal.end,
        "last": journal.sequence,
        "digest": hexlify(journal.digest).decode(),
        "damaged": journal.damage.count,
        "lost": agent.history.lost,
        "places": [{"address": a, "bytes": b, "lost": c, "number": d} for a, b, c, d in journal.damage.places],
    }


async def accept(agent, asked):
    """Somebody looked into what the journal lacks ({name: value} of ACCEPT_REQUEST); as look_through."""
    try:
        agent.history.accept(asked["by"], asked["role"], asked["reason"])
    except (Full, OSError):
        raise WireError("journal_full")
    return await look_through(agent)


def gate(agent):
    """{name: value} of GATE_ANSWER. WireError no_gate."""
    keeper = agent.keeper
    if keeper is None:
        raise WireError("no_gate")
    now = agent.clock.uptime_ms()
    names = ("ago_ms", "kind", "amount", "currency", "receipt", "became", "cause", "key", "fits")
    rows = [dict(zip(names, [now - row[0]] + row[1:])) for row in keeper.rows]
    values = {"rows": rows, "failed": keeper.failed, "sales": keeper.sales, "talking": keeper.gate.talking()}
    values.update(zip(("wishes", "held", "done", "not_done", "unknown"), keeper.count))
    for name in ("commands", "answers", "lost"):
        values[name] = getattr(keeper.gate, name)
    return values
