"""Events as they happen, through pulled cables and restarts, by cursor: none is shown twice, what is missing is counted.

By the agent's stream; where it has none, or another client took it over, by asking again and again.
"""

import time
from contextlib import suppress

from firmware_agent.wire import messages

from .capture_replay import CaptureOver
from .failures import Failure
from .link import AgentError, LinkLost, NoAnswer
from .stream import Stream

_A_MOMENT_S = 0.1  # what was written at once comes within
INTERVAL_S = 0.5  # soon enough to watch by eye; an empty poll takes 10 ms of the line
LATE_S = 2.0  # for what had happened before, but is still coming
VALUES_S = 1.0  # a status takes 130 ms of the line


def watch(link, deadline, values=False):
    """Yields (kind, boot, what) until `deadline` (monotonic; infinity for ever), or the end of a capture:

    ("event", boot, EVENT), ("dropped", boot, (how many events, the number before them)), ("restarted", boot, None),
    ("link_lost", boot, None), ("link_back", boot, number of the event behind which it goes on, or None), ("other_agent",
    None, its id), ("taken_over", boot, None), and with `values` ("values", boot, (uptime_ms, {name: value})): what changed.
    """
    watcher = _Watcher(link, values)
    try:
        while True:
            try:
                yield from watcher.more(deadline)
            except (LinkLost, NoAnswer):
                if watcher.boot is None:
                    raise  # it never answered: no link was lost
                if not watcher.lost:
                    watcher.lost = True
                    yield "link_lost", watcher.boot, None
                if not link.reopen(deadline):
                    return
            over = time.monotonic() - deadline
            if over >= LATE_S or (over >= 0 and not watcher.busy):
                return
    except CaptureOver:
        return
    finally:
        watcher.end()


class _Watcher:
    """cursor, boot: of the last event yielded; lost: whether the link is; busy: whether there may be more right now."""

    def __init__(self, link, values):
        self.cursor = 0
        self.boot = None
        self.lost = False
        self.busy = True
        self._link = link
        self._values = values
        self._known = {}  # values that were yielded
        self._agent = None  # whose events they are
        self._source = None
        self._streams = True  # for all that is known

    def more(self, deadline):
        """Yields what is new."""
        self.busy = True
        if self.lost or self._source is None:
            yield from self._begin()
        try:
            things = self._source.more(max(_A_MOMENT_S, deadline - time.monotonic()))
        except AgentError as error:
            if error.name != "no_command" or not self._streams:
                raise
            self._streams = False
            self._source = None
            return
        self.busy = any(kind == "event" for kind, _ in things)
        source = self._source
        if self.lost:
            self.lost = False
            anew = any(kind == "restarted" for kind, _ in things)
            yield "link_back", self.boot, None if anew else self.cursor
        for kind, what in things:
            if kind == "restarted":
                self.boot, self.cursor = what, 0
                yield kind, self.boot, None
                continue
            self.boot = source.boot
            if kind == "event":
                self.cursor = what["number"]
                yield kind, self.boot, what
            elif kind == "dropped":
                yield kind, self.boot, (what, self.cursor)
                self.cursor += what
            elif kind == "values":
                yield from self._changed(*what)
            else:
                self._streams = False
                self._source = None
                yield kind, self.boot, None
        if self.boot is None:
            self.boot = source.boot

    def end(self):
        """Unsubscribes."""
        if isinstance(self._source, Stream) and not self.lost:
            with suppress(Failure):  # its lease runs out by itself
                self._source.end()

    def _begin(self):
        agent = self._link.ask(messages.STATUS)["agent_id"]
        if self._agent not in (None, agent):
            # the cable was plugged into another one, whose events are other events
            self.lost = False
            self.cursor, self.boot, self._known = 0, None, {}
            yield "other_agent", self.boot, agent
        self._agent = agent
        kind = Stream if self._streams else _Polls
        self._source = kind(self._link, self.cursor, self.boot)
        if not self._streams and self._values:
            self._source.values_at = 0.0

    def _changed(self, uptime_ms, values, _):
        changed = {name: value for name, value in values.items() if self._known.get(name, None) != value}
        self._known.update(changed)
        if changed and self._values:
            yield "values", self.boot, (uptime_ms, changed)


class _Polls:
    """What Stream gives, by asking. values_at: when (monotonic) the values are asked for next, None: never."""

    def __init__(self, link, cursor, boot):
        self.boot = boot
        self.values_at = None
        self._link = link
        self._cursor = cursor
        self._asked = 0.0
        self._more = True

    def more(self, seconds):
        if not self._more:
            time.sleep(min(INTERVAL_S, seconds))
        answer = self._link.ask(messages.EVENTS_SINCE, {"cursor": self._cursor})
        if self.boot not in (None, answer["boot"]):
            self.boot, self._cursor, self._more = answer["boot"], 0, True
            return [("restarted", self.boot)]
        self.boot = answer["boot"]
        things = [("dropped", answer["dropped"])] if answer["dropped"] else []
        things += [("event", event) for event in answer["events"]]
        self._more = answer["next"] > self._cursor and bool(answer["events"])
        self._cursor = answer["next"]
        if self.values_at is not None and time.monotonic() >= self.values_at:
            self.values_at = time.monotonic() + VALUES_S
            told = self._link.ask(messages.STATUS)
            values = {name: value for name, (value, _) in told["values"].items()}
            things.append(("values", (told["uptime_ms"], values, True)))
        return things
