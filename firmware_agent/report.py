"""What the agent says of itself: STATUS and EVENTS_SINCE. Loaded when asked for, and let go; of an Agent or a Safe."""

from .wire.messages import IN_DOUBT


def status(agent):
    """{name: value} of STATUS_ANSWER."""
    health, journal, history = agent.health, agent.journal, agent.history
    health.look()
    values = agent.check(None).as_message()
    for name in ("runtime", "runtime_version", "board"):
        values[name] = agent.about[name]
    for name in ("heap_free", "heap_used", "heap_peak"):
        values[name] = getattr(health, name)
    doubtful = sum(1 for refund in history.open.values() if refund.state == IN_DOUBT)
    values.update(
        {
            "agent_version": agent.about["version"],
            "boot": history.boot,
            "agent_id": history.agent_id,
            "uptime_ms": agent.clock.uptime_ms(),
            "wall_s": agent.clock.wall_s(),
            "values": agent.snapshot.every(),
            "journal_used": journal.written,
            "journal_size": journal.size,
            "refunds": history.refunds,
            "in_doubt": doubtful,
            "light": agent.light.colour,
            "last_event": agent.events.last,
        }
    )
    return values


def events_since(agent, asked):
    """{name: value} of EVENTS_ANSWER; `asked`: of EVENTS_REQUEST."""
    events, cursor, dropped = agent.events.since(asked["cursor"], asked.get("max_bytes", 512))
    return {
        "events": events,
        "next": cursor,
        "dropped": dropped,
        "boot": agent.events.boot,
        "uptime_ms": agent.clock.uptime_ms(),
    }
