"""Events as they happen, through pulled cables and restarts, by cursor: none is shown twice, what is missing is counted."""

import time

from firmware_agent.wire import messages

from .link import LinkLost, NoAnswer

INTERVAL_S = 0.5  # soon enough to watch by eye; an empty poll takes 10 ms of the line


def watch(link, deadline):
    """Yields ("event", boot, event) as EVENTS declares them, ("dropped", boot, number), ("link_lost", boot, None),
    ("link_back", boot, None), ("restarted", boot, None), until `deadline` (monotonic; infinity for ever)."""
    cursor, boot = 0, None
    while True:
        try:
            answer = link.ask(messages.EVENTS_SINCE, {"cursor": cursor})
        except (LinkLost, NoAnswer):
            if boot is None:
                raise  # it never answered: no link was lost
            yield "link_lost", boot, None
            if not link.reopen(deadline):
                return
            yield "link_back", boot, None
            continue
        if boot is not None and answer["boot"] != boot:
            cursor, boot = 0, answer["boot"]
            yield "restarted", boot, None
            continue
        boot = answer["boot"]
        if answer["dropped"]:
            yield "dropped", boot, answer["dropped"]
        for event in answer["events"]:
            yield "event", boot, event
        more = answer["next"] > cursor and answer["events"]
        cursor = answer["next"]
        if time.monotonic() >= deadline:
            return
        if not more:
            time.sleep(min(INTERVAL_S, max(0, deadline - time.monotonic())))
