"""A signed policy from this machine to the agent: only what is not there yet, through pulled cables.

The first piece has no data and says what comes; each answer says how much is there, and the first one the CRC-32 of it. With
its last byte the agent verifies the policy and puts it in force.
"""

import time
from binascii import crc32
from hashlib import sha256

from firmware_agent.wire import messages

from .failures import NO_AGENT, Failure
from .link import AgentError, LinkLost, NoAnswer

PATIENCE_S = 30  # how long a pulled cable is waited for
PIECE = 512  # bytes: with what stands around them they fit into one frame that every agent can hold
_STUCK = 5  # answers in a row after which nothing more is there


class PushLost(Failure):
    """The link stayed away, or leads to another agent. Fields: port."""

    key, exit_status = "push_lost", NO_AGENT


class _Push:
    def __init__(self, link, envelope, tell):
        self._link = link
        self._envelope = envelope
        self._tell = tell
        self._head = {"size": len(envelope), "digest": sha256(envelope).digest(), "offset": 0}
        self._agent_id = link.ask(messages.STATUS)["agent_id"]
        self.sent = 0

    def run(self, anew=False):
        size = len(self._envelope)
        answer = self._put({**self._head, "anew": True} if anew else self._head)
        have = answer.get("have", 0)
        if not anew and have < size and crc32(self._envelope[:have]) != answer.get("crc", 0):
            return self.run(anew=True)
        stuck = 0
        while answer.get("digest") != self._head["digest"]:
            self._tell(have, size)
            data = self._envelope[have : have + PIECE]
            if not data or stuck == _STUCK:
                raise Failure("push_stuck", port=self._link.port)
            piece = {**self._head, "offset": have, "data": data}
            self.sent += len(data)
            answer = self._put(piece)
            now = answer.get("have", have)
            stuck = 0 if now > have else stuck + 1
            have = now
        self._tell(size, size)
        return answer

    def _put(self, values):
        """The answer, asked again as often as the cable is pulled; a line that goes silent is not waited for."""
        deadline = time.monotonic() + PATIENCE_S
        lost = False
        while True:
            try:
                # the cable may have been plugged into another agent
                if lost and self._link.ask(messages.STATUS)["agent_id"] != self._agent_id:
                    raise PushLost("push_other_agent", port=self._link.port)
                return self._link.ask(messages.POLICY_PUT, values)
            except (LinkLost, NoAnswer) as failure:
                if not lost and isinstance(failure, NoAnswer):
                    raise PushLost(port=self._link.port)
                lost = True
                self._tell(None, None)
                if time.monotonic() >= deadline or not self._link.reopen(deadline):
                    raise PushLost(port=self._link.port)


def push(link, envelope, tell):
    """(POLICY_ANSWER with the policy in force, bytes that were sent). `tell(done, total)` hears how far it is; (None, None)
    while the link is lost. AgentError says why the agent refused it."""
    pushing = _Push(link, envelope, tell)
    try:
        return pushing.run(), pushing.sent
    except AgentError as error:
        if (error.name, error.fields.get("field")) != ("bad_policy", "digest"):
            raise
    return pushing.run(anew=True), pushing.sent  # what was there from an earlier push was damaged
