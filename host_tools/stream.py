"""A subscription to the agent's stream: frames in, what happened and was measured out. Renews lease and credit by itself.

Events go by their numbers alone. One that comes again is passed over; where some are missing that the agent did not say it
dropped, a frame was lost on the line, and the agent is asked to go on behind the last event that was read.
"""

import time

import cbor2

from firmware_agent.wire import messages, names, tool_messages

from .link import AgentError

LEASE_S = 10  # a reader that went away costs the line no more than this
CREDIT = 1000  # frames: four seconds of a saturated line at 115200 baud; renewed when half is used
EVERY_MS = 1000  # between two lots of values
FULL_S = 10
QUIET_S = 0.75  # after so long without a frame it is asked whether anybody is there
RENEW_ANSWER_S = 0.4  # so that silence is told within 2 s, three tries included
AGAIN_S = 0.3  # between two requests to send lost events again: what is under way comes first
_STOP_ANSWER_S = 0.3


class Stream:
    """Over an open Link. cursor: number of the last event read; boot: that it is of; lost: frames that did not arrive;
    unread: frames that were no frames of a stream."""

    def __init__(self, link, cursor, boot):
        """`cursor` of `boot`; None: of none, from the first that is kept."""
        self._link = link
        self.cursor = cursor
        self.boot = boot
        self.lost = self.unread = 0
        self._number = None  # of the stream, None: there is none
        self._frame = 0  # number of the last one
        self._credit = 0
        self._renewed = self._heard = 0.0
        self._missing = False  # events were lost, and are asked for again
        self._things = []
        self._kinds = {
            tool_messages.EVENTS: self._events,
            tool_messages.CHANGES: lambda *told: self._values(False, *told),
            tool_messages.FULL: lambda *told: self._values(True, *told),
            tool_messages.END: self._ended,
        }

    def begin(self):
        """Subscribes, from behind the cursor. AgentError no_command from an agent without a stream."""
        asked = {"cursor": self.cursor} if self.boot is None else {"cursor": self.cursor, "boot": self.boot}
        answer = self._ask(asked)
        self._link.forget_before_answer()  # frames of a subscription that somebody left behind
        if self.boot not in (None, answer["boot"]):
            self._things.append(("restarted", answer["boot"]))
            self.cursor = 0
        self.boot = answer["boot"]
        self._number, self._frame, self._missing = answer["stream"], 0, False
        self._goes_on(answer)

    def more(self, seconds):
        """What has come, waiting at most `seconds`: [("event", EVENT), ("dropped", how many events), ("values", (uptime_ms,
        {name: value}, whether it is all of them)), ("restarted", boot), ("taken_over", None)]. NoAnswer and LinkLost where
        nobody is there."""
        self._keep()
        if not self._things:
            for body in self._link.receive(min(seconds, QUIET_S)):
                self._heard = time.monotonic()
                self._read(body)
        things, self._things = self._things, []
        return things

    def end(self):
        """Unsubscribes, if anybody hears it."""
        if self._number is not None:
            asked = {"lease_s": 0, "credit": 1, "stream": self._number}
            self._number = None
            self._link.ask(tool_messages.SUBSCRIBE, asked, _STOP_ANSWER_S)

    def _keep(self):
        now = time.monotonic()
        if self._number is None:
            self.begin()
        elif self._missing and now - self._renewed > AGAIN_S:
            self._missing = False
            self._renew({"cursor": self.cursor, "boot": self.boot})
        elif now - self._heard > QUIET_S or now - self._renewed > LEASE_S / 2 or self._credit < CREDIT // 2:
            self._renew({})

    def _renew(self, more):
        try:
            answer = self._ask({**more, "stream": self._number})
        except AgentError as error:
            if error.name != "no_stream":
                raise
            self.begin()
        else:
            if more:
                self._goes_on(answer)

    def _goes_on(self, answer):
        if answer["dropped"]:
            self._things.append(("dropped", answer["dropped"]))
        self.cursor = answer["cursor"]

    def _ask(self, more):
        asked = {"lease_s": LEASE_S, "credit": CREDIT, "every_ms": EVERY_MS, "full_s": FULL_S, **more}
        answer = self._link.ask(tool_messages.SUBSCRIBE, asked, RENEW_ANSWER_S)
        self._renewed = self._heard = time.monotonic()
        self._credit = CREDIT
        return answer

    def _read(self, body):
        try:
            kind, number, *told = cbor2.loads(body)
            take = self._kinds[kind]
            lost = number - self._frame - 1
            take(*told)
        except Exception:  # cbor2 raises its own errors, and others from what it calls
            self.unread += 1
            return
        self._credit -= 1
        self._frame = number
        if lost > 0:
            self.lost += lost
            self._missing = True

    def _events(self, dropped, events):
        events = [messages.unpack(messages.EVENT, event) for event in events]
        for event in events:
            between = event["number"] - self.cursor - 1
            if between < 0:
                continue
            if between > dropped:
                self._missing = True
                return
            if between:
                self._things.append(("dropped", between))
            self._things.append(("event", event))
            self.cursor = event["number"]

    def _values(self, whole, uptime_ms, values):
        named = {names.fact_name(fact): value for fact, value in values.items()}
        if not all(isinstance(value, (int, str, type(None))) for value in named.values()):
            raise ValueError("a value that is none")
        self._things.append(("values", (int(uptime_ms), named, whole)))

    def _ended(self, reason):
        self._number = None
        if reason == tool_messages.TAKEN_OVER:
            self._things.append(("taken_over", None))
