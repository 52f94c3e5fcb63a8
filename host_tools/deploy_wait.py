"""After a restart: until the agent on trial has said that it is healthy, or its place is another's again."""

import time

from firmware_agent.wire import messages

from .failures import NO_AGENT, OTHER, Failure
from .link import Link

PATIENCE_S = (
    120  # three starts of an agent that hangs for its watchdog's eight seconds, and ten seconds of the one before
)
AGAIN_S = 0.5


class WentBack(Failure):
    """The new agent was not found healthy. Fields: number of it, now of the one that runs, why."""

    key, exit_status = "deploy_went_back", OTHER


class Silent(Failure):
    """After the restart nobody answered. Fields: port."""

    key, exit_status = "deploy_silent", NO_AGENT


def release(version):
    """(number, on trial) of an agent's version, "0.1.0+8.trial"; (None, False) of one that was not deployed."""
    number, _, trial = version.partition("+")[2].partition(".")
    return (int(number), trial == "trial") if number.isdigit() else (None, False)


def until_healthy(port, number, tell, patience=PATIENCE_S):
    """The STATUS_ANSWER of the agent of release `number` once it is no longer on trial; None: another release answers.
    `tell(on trial)` hears how it is, None while nobody answers. Silent."""
    deadline = time.monotonic() + patience
    link = Link(port)
    while time.monotonic() < deadline:
        try:
            link.open()
            answer = link.ask(messages.STATUS)
        except Failure:  # a port that comes back after a reset, an agent that only just starts
            tell(None)
        else:
            found, on_trial = release(answer["agent_version"])
            if found != number:
                return None
            if not on_trial:
                return answer
            tell(True)
        finally:
            link.close()
        time.sleep(AGAIN_S)
    raise Silent(port=port)
