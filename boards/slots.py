"""The two slots of a board: which agent starts. Files alone, no hardware; after a power cut they say the old or the new.

At the top of the file system stand the folders `a` and `b`, each an agent of flat .mpy files with `release`, "NUMBER BOARD",
which is written last: a folder without it is not whole and never started. The file `slot` is one line:

    a 7            release 7, in folder a, is the agent
    b 8 trial 1    release 8, in folder b, is on trial and was started once
    a 7 back 8     release 8 was started three times and never found healthy

It is replaced by renaming `slot.new`. Where a rename replaces in two steps (FAT), `slot.new` alone says the same.
"""

import os
import sys
import time

TRIES = 3  # starts of an agent on trial: two power cuts by accident must not send it back


class Slots:
    """`root`: the top of the file system, with a slash at its end. `system`, `opens`: what takes the place of os and open."""

    def __init__(self, root, system=os, opens=open):
        self.root = root
        self._os = system
        self._open = opens

    def _text(self, name):
        """What stands in a small file, without its line end; None if it is not there or was cut."""
        try:
            with self._open(self.root + name) as file:
                text = file.read(100)
        except (OSError, ValueError):  # UnicodeError is a ValueError
            return None
        return text[:-1] if text[-1:] == "\n" else None

    def _put(self, text):
        with self._open(self.root + "slot.new", "w") as file:
            file.write(text + "\n")
        self._os.rename(self.root + "slot.new", self.root + "slot")

    def read(self):
        """(slot, number, word or None, its number) as `slot` says; None if it says nothing."""
        for name in ("slot", "slot.new"):
            words = (self._text(name) or "").split()
            try:
                if words[0] in ("a", "b") and len(words) == 2:
                    return words[0], int(words[1]), None, 0
                if words[0] in ("a", "b") and words[2] in ("trial", "back"):
                    return words[0], int(words[1]), words[2], int(words[3])
            except (ValueError, IndexError):
                pass
        return None

    def release(self, slot):
        """(number, board) of the agent in a slot; None if it is not whole."""
        words = (self._text(slot + "/release") or "").split()
        try:
            return int(words[0]), words[1]
        except (ValueError, IndexError):
            return None

    def choose(self):
        """The slot to start now, None if no slot holds an agent. A start on trial is counted before this returns."""
        whole = []
        for slot in "ab":
            found = self.release(slot)
            if found:
                whole.append((found[0], slot))
        said = self.read()
        if not whole:
            return None
        if said is None or said[0] not in [slot for _, slot in whole]:
            return min(whole)[1]  # the older one has been seen to work
        slot, number, word, count = said
        before = whole[0] if whole[0][1] != slot else whole[-1]
        there_is_one = before[1] != slot
        try:
            if word == "trial" and count < TRIES:
                self._put("%s %d trial %d" % (slot, number, count + 1))
            elif word == "trial" and there_is_one:
                self._put("%s %d back %d" % (before[1], before[0], number))
                return before[1]
        except OSError:  # a full or worn-out file system: what cannot be counted is not tried
            return before[1]
        return slot

    def on_trial(self):
        said = self.read()
        return said is not None and said[2] == "trial"

    def confirm(self):
        """The agent that runs was found healthy: it stays."""
        said = self.read()
        if said and said[2] == "trial":
            self._put("%s %d" % said[:2])

    def note(self, error):
        """Keep why an agent on trial ended, for who deployed it."""
        try:
            with self._open(self.root + "slot.why", "w") as file:
                if hasattr(sys, "print_exception"):
                    sys.print_exception(error, file)
                else:
                    file.write(repr(error) + "\n")
        except OSError:
            pass  # a full file system: the agent goes back all the same


def run():
    """What main.py calls. Never returns, but where no slot holds an agent; KeyboardInterrupt (Ctrl-C) ends it."""
    root = os.getcwd()
    slots = Slots(root if root[-1:] == "/" else root + "/")
    slot = slots.choose()
    if slot is None:
        print("refund-agent: no slot holds an agent; refundctl deploy brings one")
        return
    try:
        _run_agent(slots, slot)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        if slots.on_trial():
            slots.note(error)
        sys.print_exception(error)
        time.sleep(1)  # in which Ctrl-C reaches whoever wants the board
        sys.exit()  # out of main.py: a soft reset


def _run_agent(slots, slot):
    import asyncio

    sys.path.insert(0, slots.root + slot)
    from . import boot

    number, name = slots.release(slot)
    try:
        os.mkdir(slots.root + "state")
    except OSError:
        pass  # it is there
    version = "+%d" % number

    def healthy():
        slots.confirm()
        about = agent.about  # pyright: ignore[reportOptionalMemberAccess]
        about["version"] = about["version"].split("+")[0] + version

    options = {"state": slots.root + "state", "link": None, "release": "%d" % number, "healthy": healthy}
    agent = None
    try:
        agent = boot.start(__import__("boards_" + name), options)
        agent.about["version"] += version + (".trial" if slots.on_trial() else "")
        # once the agent stands these are let go: their heap is needed elsewhere
        del boot
        for module in ("boards_boot", "boards_" + name):
            sys.modules.pop(module)
        asyncio.run(agent.run())
    except BaseException as error:
        at = agent and agent.health.at(agent)
        agent = None  # its heap is needed to say how it ended
        asyncio.new_event_loop()
        _note_end(options, error, at)
        raise error


def _note_end(options, error, at):
    """Leave word for the next start. `at`: as crash.keep has it."""
    try:
        starts = __import__("starts").Starts(options["state"], options["release"])
        if isinstance(error, Exception):
            __import__("crash").keep(starts, error, at)
        else:
            starts.ended()  # by Ctrl-C, or by SMP's reset
    except Exception:
        pass  # not even heap for this: the next start counts it all the same where it is told of a watchdog
