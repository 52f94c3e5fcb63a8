"""A refund from its first asking to its final answer, through lost answers and pulled cables, always by one key."""

import time

from firmware_agent.wire import messages

from .capture_replay import CaptureOver, NotInCapture
from .failures import Failure, OutcomeUnknown
from .link import AgentError, LinkLost, NoAnswer
from .request import clock

AGAIN_S = 0.5  # quick for a cashier who waits; a poll takes 20 ms of the line

# Said before anything of a request is acted on. Any other error leaves the outcome open.
_NOTHING_DONE = (
    "bad_message",
    "no_command",
    "missing",
    "bad_field",
    "card_number",
    "currency",
    "busy",
    "journal_full",
    "key_reused",
    "reserved_key",
)


def follow(link, request, seconds, tell):
    """Asks for the refund until the answer is final, and returns that REFUND_ANSWER.

    `tell(what, state)` hears "asked", "under_way" with the state's name, "link". A Failure of the link before the
    request was sent passes as it is; after that it is OutcomeUnknown, unless the agent said that nothing was done.
    """
    tell("asked", None)
    before = link.ask(messages.STATUS)
    try:
        return _until_final(link, request, seconds, tell, before)
    except Failure:
        raise
    except KeyboardInterrupt:
        raise OutcomeUnknown("refund_interrupted", key=request["key"])
    except Exception as error:  # our own fault must not pass for "nothing happened"
        raise OutcomeUnknown("refund_unknown", key=request["key"]) from error


def _until_final(link, request, seconds, tell, before):
    key = request["key"]
    deadline = time.monotonic() + seconds
    lost = False  # since the last answer
    seen = False  # the agent has it
    while True:
        try:
            if lost:
                # the cable may have been plugged into another terminal, where this key would be a second refund
                if link.ask(messages.STATUS)["agent_id"] != before["agent_id"]:
                    raise OutcomeUnknown("other_agent", key=key, port=link.port)
                lost = False
            answer = link.ask(messages.REFUND, {**request, **clock()})
        except (LinkLost, NoAnswer):
            tell("link", None)
            lost = True
            if not link.reopen(deadline) or time.monotonic() >= deadline:
                raise OutcomeUnknown("refund_unknown", key=key)
            tell("asked", None)
            continue
        except AgentError as error:
            if not seen and error.name in _NOTHING_DONE:
                raise
            raise OutcomeUnknown("refund_unknown", key=key)
        except (OutcomeUnknown, NotInCapture, CaptureOver):  # behind a capture nobody can have done anything
            raise
        except Failure:
            raise OutcomeUnknown("refund_unknown", key=key)
        if answer["key"] != key:
            raise OutcomeUnknown("refund_unknown", key=key)
        if answer["final"]:
            # to the agent every repeat is a later request; to whoever asked once it is their own refund
            return {**answer, "earlier": answer["earlier"] and not seen}
        seen = True
        if time.monotonic() >= deadline:
            raise OutcomeUnknown("refund_under_way", key=key, seconds=seconds)
        tell("under_way", messages.STATES[answer["state"]])
        time.sleep(AGAIN_S)
