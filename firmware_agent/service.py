"""Answers SMP requests: our group 82 and echo here, SMP's other groups in groups.py and files.py. Message bytes in, message
bytes out. What few ever ask is loaded when somebody does, and let go: a board's heap is small."""

import sys

from .wire import cbor, smp
from .wire.errors import WireError
from .wire.messages import (
    ACCEPT,
    APPROVE,
    ATTEST,
    EVENTS_SINCE,
    GATE,
    GROUP,
    JOURNAL,
    POLICY,
    PREFLIGHT,
    READ,
    REFUND,
    SETTLE,
    STATUS,
    WRITE,
    declared,
    pack,
    unpack,
)
from .wire.steps import worked
from .wire.tool_messages import SUBSCRIBE

_OS_GROUP, _ECHO = 0, 0
_FILES_GROUP = 8
_GROUPS = (0, 1, 2, 3, 10)  # of groups.py
_EINVAL = 3  # SMP's own error codes
_NOT_SUPPORTED = 8

_OURS = b"\x00\x52"  # group 82
_WORDS = bytes((ATTEST,)), bytes((APPROVE,)), bytes((SETTLE,)), bytes((ACCEPT,))
_ONCE_MS = 30000  # longer than a client waits for an answer


class Service:
    """`agent`: Agent."""

    def __init__(self, agent):
        self.agent = agent
        self._told = None, 0, b""  # the last word of a person that was taken, when, what was answered

    async def answer(self, message):
        """The answer to one SMP message (bytes), None where there is nothing to answer: a damaged header, an answer. A
        person's word that comes once more, because its answer was lost, gets the same answer and is not taken twice."""
        if message[4:6] != _OURS or message[7:8] not in _WORDS:
            return await self._answer(message)
        now = self.agent.clock.uptime_ms()
        said, at, answer = self._told
        if message != said or now - at > _ONCE_MS:
            answer = await self._answer(message)
            self._told = message, now, answer
        return answer

    async def _answer(self, message):
        try:
            header, body = smp.unpack(message)
        except ValueError:
            return None
        if header.op not in (READ, WRITE):
            return None
        try:
            body = cbor.decode(body) if body else {}
            if header.group == GROUP:
                answer = await self._ours(header, body)
                await self.agent.link.at_work()
                encoded = cbor.encode(answer)
                while len(encoded) > smp.MAX_MESSAGE - 8:
                    _shorten(answer)
                    encoded = cbor.encode(answer)
                answer = encoded
            elif header.group == _OS_GROUP and header.command == _ECHO:
                text = body.get("d") if isinstance(body, dict) else None
                answer = cbor.encode({"r": text} if isinstance(text, str) else {"rc": _EINVAL})
            elif header.group == _FILES_GROUP:
                from . import files

                answer = cbor.encode(await files.answer(self.agent, header, body))
                if header.command == files.CLOSE:
                    sys.modules.pop(files.__name__, None)
            elif header.group in _GROUPS:
                from . import groups

                answer = cbor.encode(await groups.answer(self.agent, header, body))
                sys.modules.pop(groups.__name__, None)
            else:
                answer = cbor.encode({"rc": _NOT_SUPPORTED})
        except WireError as error:
            answer = cbor.encode(_error(header, error))
        except Exception as error:
            self.agent.events.add("fault", {"missing": repr(error)[:60]})
            answer = cbor.encode(_error(header, WireError("agent_fault")))
        return smp.pack(header.answer(), answer)

    async def _ours(self, header, body):
        row = declared(header.command)
        if not row or header.op != row[1]:
            raise WireError("no_command")
        request, answer = row[2:]
        if not isinstance(body, dict):
            raise WireError("bad_message")
        asked = unpack(request, body)
        agent = self.agent
        if header.command != SUBSCRIBE:  # which is asked again and again, beside a stream that tells as much
            await agent.link.begun()
        if header.command == STATUS:
            values = agent.status(asked)
        elif header.command == PREFLIGHT:
            values = (await agent.preflight(asked)).as_message(asked.get("all"))
        elif header.command == REFUND:
            if "key" not in asked:
                raise WireError("missing", "key")
            values = await agent.refund(asked)
        elif header.command == EVENTS_SINCE:
            from . import report

            values = report.events_since(agent, asked)
            sys.modules.pop(report.__name__, None)
        elif header.command == SETTLE:
            values = await agent.settle(asked)
        elif header.command in (JOURNAL, ACCEPT, GATE):
            from . import audit

            if header.command == GATE:
                values = audit.gate(agent)
            else:
                values = await (audit.look_through(agent) if header.command == JOURNAL else audit.accept(agent, asked))
            sys.modules.pop(audit.__name__, None)
        elif header.command in (ATTEST, APPROVE):
            from . import people

            if header.command == ATTEST:
                values = people.attest(agent, asked)
            else:
                values = await worked(people.approving(agent, asked), agent.link.at_work)
            sys.modules.pop(people.__name__, None)
        elif header.command == SUBSCRIBE:
            from . import stream

            try:
                values = stream.subscribe(agent, asked)
            finally:
                if not agent.link.stream:
                    stream.let_go()
        elif header.command > SUBSCRIBE:
            from . import tools

            values = await tools.answer(agent, header.command, asked)
            sys.modules.pop(tools.__name__, None)
        else:
            from . import policy_store  # kept between the pieces of a policy

            if header.command == POLICY:
                values = policy_store.answer(agent.policy_flash, agent)
            else:
                values = await worked(
                    policy_store.putting(agent.policy_flash, agent.keys, agent, asked), agent.link.at_work
                )
            if values.get("have") in (None, asked.get("size")):
                policy_store.let_go()
        await agent.link.at_work()
        return pack(answer, values)


def _shorten(answer):
    """Leave the evidence of the last finding out that has any. WireError too_long: nothing can be left out."""
    for items in answer.values():
        if isinstance(items, list):
            for item in reversed(items):
                if isinstance(item, dict) and isinstance(item.get(2), dict) and item[2]:
                    item[2] = {}
                    return
    raise WireError("too_long")


def _error(header, error):
    if header.group != GROUP or header.version == 0:
        return {"rc": _EINVAL}
    body = {"err": {"group": GROUP, "rc": error.rc}}
    if error.field:
        body["field"] = error.field
    return body
