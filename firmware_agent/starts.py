"""Starts that end badly, one after the other: counted in a small file before each start, put right once it runs well. Loaded
for that, and let go.

The file `starts` beside the journal is one line, RELEASE COUNT WORD. COUNT: starts in a row that ended within 60 s by a
crash, a watchdog, or nobody knows why. WORD:
    begun                     the last start is under way, or ended and left no word
    good                      it ran well for 60 s
    safe                      so did safe mode: the next start is tried in full once more
    ended                     somebody wanted it to end
    fault, out_of_memory      that ended it, and is counted already
Of another release than the one that starts it says nothing but `ended`. A start that follows nothing bad writes nothing,
so cuts of the power wear no flash here; any other start writes twice at most, and in safe mode once.
"""

import os
import sys

from .health import VERSION
from .wire.bodies import REASONS

MOST = 5  # then safe mode
GOOD_MS = 60000
_CRASHED = ("fault", "out_of_memory")
_BAD = ("unknown", "watchdog", "fault")


def told(watchdog):
    """Why this boot happened, a word of REASONS, as the hardware knows it."""
    try:
        reason = watchdog.reset_reason()
    except OSError:
        reason = None
    return "fault" if reason == "crash" else reason if reason in REASONS.split() else "unknown"


class Starts:
    """`state`: the folder of the agent's files. `release`: what starts, a word. `system`, `opens`: what takes the place of os
    and open. reason: of this boot; count: bad starts in a row before it."""

    def __init__(self, state, release=VERSION, system=os, opens=open):
        self.state = state
        self.place = state, release, system, opens
        self.release = release
        self._os = system
        self._open = opens
        self.reason = "unknown"
        self.count = 0

    def text(self, name):
        """The bytes of a small file, b"" if there is none."""
        try:
            with self._open(self.state + "/" + name, "rb") as file:
                return file.read(600)
        except OSError:
            return b""

    def put(self, name, data):
        """Write a small file. A cut leaves it as it was, or on FAT empty: then nothing is known, which does no harm."""
        try:
            with self._open(self.state + "/" + name, "wb") as file:
                file.write(data)
        except OSError:
            pass  # a full or worn-out file system: the agent starts all the same

    def drop(self, name):
        try:
            self._os.remove(self.state + "/" + name)
        except OSError:
            pass

    def _read(self):
        """(count, word), (0, "") where nothing is known."""
        words = self.text("starts").split()
        try:
            if len(words) == 3:
                word = words[2].decode()
                if words[0].decode() == self.release:
                    return min(MOST, int(words[1])), word
                return 0, word if word == "ended" else ""
        except ValueError:
            pass
        return 0, ""

    def _write(self, count, word):
        if self._read() != (count, word):
            self.put("starts", ("%s %d %s\n" % (self.release, count, word)).encode())

    def begin(self, reason):
        """Before a start. `reason`: what the hardware says (`told`). True: in safe mode."""
        count, word = self._read()
        if word in _CRASHED:
            reason = word  # an interpreter that starts anew is no reset that the hardware knows of
        elif word == "ended":
            reason = "reset"
        elif reason in _BAD and word != "safe" and (word or reason != "unknown"):
            count = min(MOST, count + 1)  # of a start that followed nothing bad nobody noted how long it ran
        if word not in ("", "good", "begun") or reason in _BAD:
            self._write(count, "begun")
        self.reason, self.count = reason, count
        return count >= MOST

    def good(self):
        """It has run well for 60 s."""
        count, word = self._read()
        if count >= MOST:
            self.retry()
        elif word and word != "safe":
            self._write(0, "good")

    def retry(self):
        """The next start is tried in full, also if safe mode is due."""
        self._write(min(self._read()[0], MOST - 1), "safe")

    def ended(self):
        """It ends because somebody wants it to."""
        count, word = self._read()
        if word:
            self._write(min(count, MOST - 1), "ended")

    def crashed(self, word, early):
        """It ends by a crash; `early`: within 60 s. In safe mode that leaves safe mode due."""
        count = self._read()[0]
        self._write(min(MOST, count + 1) if early or count >= MOST else 0, word)


def stand(starts, reason, build, settings, about):
    """The Agent, in safe mode a Safe. `reason`: what the hardware says (`told`); `build(safe)`: the Ports, of safe mode or
    all. What it raises goes to crash.keep."""
    safe = starts.begin(reason)
    ports = build(safe)
    if safe:
        from .safe import Safe as Agent
    else:
        from .agent import Agent
    agent = Agent(ports, settings, about, REASONS.split().index(starts.reason))
    agent.health.place = starts.place
    if starts.text("crash"):
        from . import crash

        crash.move(starts, agent.history)
        crash.let_go()
    return agent


def let_go():
    sys.modules.pop(__name__, None)
