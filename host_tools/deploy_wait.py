"""After a restart: until the agent on trial has said that it is healthy, or its place is another's again.

How long that takes nobody knows who does not know the board: what is waited for is a sign of life."""

import time

from firmware_agent.wire import messages

from .failures import NO_AGENT, OTHER, Failure
from .link import Link

# without a byte: an agent that hangs for its watchdog's eight seconds, and its start, on a board seven times as slow
SILENCE_S = 120
MOST_S = 600  # three such starts, and the agent before them
STARTS = 4  # three of the agent on trial (boards/slots.py), and of the one before it
ASK_S = 5  # a board that only just starts answers late, and what it was asked again it must answer too
AGAIN_S = 0.5
TRIAL_MS = 60000  # of the agent's own time: healthy it is after ten seconds without a fault
_BANNER = b"soft reboot"  # MicroPython says so at the start that follows an agent's end


class WentBack(Failure):
    """The new agent was not found healthy. Fields: number of it, now of the one that runs, why."""

    key, exit_status = "deploy_went_back", OTHER


class Silent(Failure):
    """After the restart nobody answered. Fields: port."""

    key, exit_status = "deploy_silent", NO_AGENT


class Unwell(Failure):
    """It answers, and stays on trial: a part of it fails again and again. Fields: number."""

    key, exit_status = "deploy_unwell", OTHER


def release(version):
    """(number, on trial) of an agent's version, "0.1.0+8.trial"; (None, False) of one that was not deployed."""
    number, _, trial = version.partition("+")[2].partition(".")
    return (int(number), trial == "trial") if number.isdigit() else (None, False)


class _Life:
    """What a link's recorder hears. at: when the last byte came (monotonic); starts: how often the board began anew."""

    def __init__(self):
        self.at = time.monotonic()
        self.starts = 0
        self._last = b""

    def came(self, data):
        self.at = time.monotonic()
        before, self._last = self._last, (self._last + data)[-len(_BANNER) + 1 :]
        self.starts += (before + data).count(_BANNER)

    def sent(self, data):
        pass

    def note(self, text):
        self.starts += text == "lost"  # its USB goes away with a reset


def until_healthy(port, number, tell):
    """The STATUS_ANSWER of the agent of release `number` once it is no longer on trial; None: another release answers.
    `tell(on trial)` hears how it is, None while nobody answers. Silent: no sign of life, or none but starts; Unwell."""
    life = _Life()
    link = Link(port, life)
    end = time.monotonic() + MOST_S
    while life.starts <= STARTS and time.monotonic() < min(end, life.at + SILENCE_S):
        try:
            link.open()
            while True:
                answer = link.ask(messages.STATUS, seconds=ASK_S)
                found, on_trial = release(answer["agent_version"])
                if found != number:
                    return None
                if not on_trial:
                    return answer
                if answer["uptime_ms"] > TRIAL_MS:
                    raise Unwell(number=number)
                tell(True)
                time.sleep(AGAIN_S)
        except Unwell:
            raise
        except Failure:  # a port that comes back after a reset, an agent that only just starts
            tell(None)
        finally:
            link.close()
        time.sleep(AGAIN_S)
    raise Silent(port=port)
