"""A deployment: what a board has, what it lacks, and the steps from one to the other.

The steps are in an order that leaves a whole agent to start wherever they end (boards/slots.py reads what is there):
the slot that does not run loses `release`, so it is not started; its files are made right one by one; it gets its `release`;
and at last `slot` says that it is on trial. Whoever begins again finds by the hashes what is there already. In a slot `files`
lists what a deployment made there: nothing else is ever removed.
"""

import re
from hashlib import sha256

from . import deploy_check
from .deploy_repl import Refused
from .failures import REFUSED, Failure

SLOTS = ("a", "b")
MAIN = """# refundctl deploy made this file: it starts the refund agent of the slot that counts (docs/deploy.md).
import os

try:
    import slots
except ImportError:  # the power was cut while FAT replaced it
    os.rename("slots.mpy.new", "slots.mpy")
    import slots
slots.run()
"""
_OURS = MAIN.split("\n")[0].encode()
_SLOT = re.compile(r"([ab]) (\d+)(?: (trial|back) (\d+))?\n")
_RELEASE = re.compile(r"(\d+) (\w+)\n")
# What stands at the top, and whether it is a folder.
_KINDS = {
    **dict.fromkeys((*SLOTS, "state"), True),
    **dict.fromkeys((name + end for name in ("main.py", "slots.mpy", "slot") for end in ("", ".new")), False),
}
_NO_ROOM = 28  # ENOSPC
_SPARE = 4  # blocks that a file system needs to turn round in


class NoRoom(Failure):
    """Fields: needed, free, in bytes."""

    key, exit_status = "deploy_no_room", REFUSED


class Foreign(Failure):
    """Files that no deployment made stand in the way. Fields: file."""

    key, exit_status = "deploy_foreign", REFUSED


class Slot:
    """What a slot holds: `files` {name: (size, hash)}, `made` the names that a deployment made there, `release` (number,
    board) or None where it is not whole."""

    def __init__(self, board, name):
        self.name = name
        self.files = board.folder(name) or {}
        # while FAT replaces the list, only the new one is there
        listed = next((file for file in ("files", "files.new") if file in self.files), None)
        self.made = set(_text(board, f"{name}/{listed}").split()) if listed else set()
        found = _RELEASE.fullmatch(_text(board, f"{name}/release")) if "release" in self.files else None
        self.release = (int(found[1]), found[2]) if found else None
        if self.files and not listed:
            raise Foreign(file=board.about.root + name)


class Plan:
    """What will be done.

    `slot`: the Slot that is written, `target` its name; `copy`: names of files in the order they go; `stale`: names that
    go; `top`: {name: text or bytes} beside the slots; `keep_main`: under which name a foreign main.py is kept; `before`:
    what `slot` says first, or None; `number` of the release; `went_back`: number of one that did not stay. `nothing`: the
    board runs it already; `waits`: it does, but is on trial yet; `starts`: all is there but the line that starts it.
    `needed`, `free`, `room` (that the agent takes) and `bytes` (to copy) are bytes."""


class Deployment:
    """`name` of the board, its `data` {name: value}, `files` {name: bytes} of a slot, `slots` the bytes of slots.mpy."""

    def __init__(self, name, data, files, slots):
        self.name = name
        self.data = data
        self.files = files
        self.slots = slots
        self.hashes = {file: _about(data) for file, data in files.items()}
        self.bytes = sum(len(data) for data in files.values())

    def plan(self, board, replace_main=False):
        """The Plan for a Board. Failure: it must not or cannot be deployed to; nothing was changed."""
        about = board.about
        deploy_check.firmware(about, self.data, self.files)
        if about.refused:
            raise about.refused
        deploy_check.region(about, self.data, board.partition)
        plan = Plan()
        top = board.folder("", ["main.py", "slots.mpy"])
        for name, is_folder in _KINDS.items():
            if name in top and (top[name] is False) != is_folder:
                raise Foreign(file=about.root + name)
        slots = {name: Slot(board, name) for name in SLOTS}
        said = _SLOT.fullmatch(_text(board, "slot")) or _SLOT.fullmatch(_text(board, "slot.new"))
        plan.went_back = int(said[4]) if said and said[3] == "back" else None
        self._plan_top(plan, board, top, slots, replace_main)
        whole = sorted((slot.release[0], name) for name, slot in slots.items() if slot.release)
        numbers = [number for number, _ in whole] + (
            [int(said[2]), int(said[4] or 0) * (said[3] == "back")] if said else []
        )
        plan.number = max(numbers, default=0) + 1
        current = said[1] if said and slots[said[1]].release else whole[0][1] if whole else None
        on_trial = said is not None and said[3] == "trial"
        other = {"a": "b", "b": "a"}.get(current)
        plan.before = None
        plan.nothing = plan.waits = plan.starts = False
        if current and self._same(slots[current]):
            plan.target = current
            plan.number = slots[current].release[0]
            plan.waits = on_trial
            plan.starts = said is None  # cut between its last two steps
            plan.nothing = not plan.waits and not plan.starts and not plan.top
        elif current is None:
            plan.target = "a"
        elif on_trial and slots[other].release:
            plan.before = f"{other} {slots[other].release[0]}\n"  # what is on trial was never confirmed: it makes room
            plan.target = current
        else:
            plan.target = other
        self._plan_slot(plan, about, slots[plan.target])
        return plan

    def _same(self, slot):
        return slot.release and slot.release[1] == self.name and self._missing(slot) == [] and not self._stale(slot)

    def _missing(self, slot):
        return [name for name in sorted(self.files) if slot.files.get(name) != self.hashes[name]]

    def _stale(self, slot):
        gone = slot.made - set(self.files)
        begun = {name + ".new" for name in {*slot.made, *self.files, "files", "release"}} - set(self.files)
        return sorted(name for name in gone | begun if name in slot.files)

    def _plan_top(self, plan, board, top, slots, replace_main):
        began = any(slot.made for slot in slots.values())  # what stands at the top comes after a slot
        plan.top = {}
        plan.keep_main = None
        if top.get("main.py") != _about(MAIN.encode()):
            plan.top["main.py"] = MAIN
            main = board.read("main.py")
            if main is not None and not main.startswith(_OURS):
                if not replace_main and not _only_comments(main):
                    raise Foreign("deploy_foreign_main", file=board.about.root + "main.py")
                names = ["main.py.before", *(f"main.py.before{n}" for n in range(2, 99))]
                plan.keep_main = next(name for name in names if name not in top)
        if top.get("slots.mpy") != _about(self.slots):
            plan.top["slots.mpy"] = self.slots
        for name in ("slots.mpy", "slot"):
            if name in top and not began and (name == "slot" or name in plan.top):
                raise Foreign(file=board.about.root + name)

    def _plan_slot(self, plan, about, slot):
        plan.slot = slot
        plan.copy = self._missing(slot)
        plan.stale = self._stale(slot)
        plan.bytes = sum(len(self.files[name]) for name in plan.copy)

        def blocks(sizes):
            return sum(-(-size // about.block) for size in sizes) * about.block

        old = [slot.files[name][0] for name in {*plan.copy, *plan.stale} if slot.files.get(name)]
        largest = max((len(self.files[name]) for name in plan.copy), default=0)
        new = [len(self.files[name]) for name in plan.copy] + [len(text) for text in plan.top.values()]
        # the old file stays until the new one is whole
        plan.needed = max(blocks(new) - blocks(old) + blocks([largest]) + _SPARE * about.block, 0) if new else 0
        plan.free = about.free
        plan.room = blocks(len(data) for data in self.files.values())

    def carry_out(self, board, plan, tell):
        """Does what the Plan says, up to the agent that is on trial with the next start. `tell(bytes, of so many)`. Failure:
        it ended in the midst; a whole agent starts all the same, and the next plan goes on from there."""
        if plan.nothing or (plan.waits and not plan.top):
            return
        if plan.needed > plan.free:
            raise NoRoom(needed=plan.needed, free=plan.free)
        done = 0

        def gone_over(count):
            nonlocal done
            done += count
            tell(done, plan.bytes)

        tell(0, plan.bytes)
        try:
            self._fill(board, plan, gone_over)
        except Refused as error:
            if error.errno == _NO_ROOM:
                raise NoRoom(needed=plan.needed, free=board.room())
            raise

    def _fill(self, board, plan, gone_over):
        slot = plan.slot
        changes = plan.copy or plan.stale or not slot.release or slot.release != (plan.number, self.name)
        if changes:
            if plan.before:
                board.put("slot", plan.before)
            board.make_folder(slot.name)
            if "release" in slot.files:
                board.remove(f"{slot.name}/release")
            for name in plan.stale:
                board.remove(f"{slot.name}/{name}")
            board.put(f"{slot.name}/files", "".join(f"{name}\n" for name in sorted(self.files)))
            for name in plan.copy:
                board.write(f"{slot.name}/{name}", self.files[name], gone_over)
            there = board.folder(slot.name) or {}
            for name in self.files:
                if there.get(name) != self.hashes[name]:
                    raise Failure("deploy_not_whole", file=f"{slot.name}/{name}")
        self._fill_top(board, plan)
        if changes:
            board.put(f"{slot.name}/release", f"{plan.number} {self.name}\n")
        if changes or plan.starts:
            board.remove("slot.why")
            board.put("slot", f"{slot.name} {plan.number} trial 0\n")

    def _fill_top(self, board, plan):
        if "slots.mpy" in plan.top:
            board.write("slots.mpy", self.slots, lambda count: None)
        if plan.keep_main:
            board.copy("main.py", plan.keep_main)
        if "main.py" in plan.top:
            board.write("main.py", MAIN.encode(), lambda count: None)


def go_back(board):
    """(number, slot) of the agent in the other slot, which is on trial from the next start on. Failure: there is none."""
    slots = {name: Slot(board, name) for name in SLOTS}
    said = _SLOT.fullmatch(_text(board, "slot"))
    other = slots["b" if said and said[1] == "a" else "a"]
    if not said or not other.release:
        raise Failure("deploy_nothing_before")
    board.put("slot", f"{other.name} {other.release[0]} trial 0\n")
    return other.release[0], other.name


def why(board):
    """Where a board is after a trial: (its `slot` as (slot, number, word, its number), the traceback of what ended the agent
    on trial, "" if it is not known)."""
    said = _SLOT.fullmatch(_text(board, "slot"))
    return said and (said[1], int(said[2]), said[3], int(said[4] or 0)), _text(board, "slot.why").strip()


def _text(board, path):
    """A small text, "" if it is not there or none."""
    return (board.read(path) or b"").decode("utf-8", "replace")


def _about(data):
    return len(data), sha256(data).hexdigest()


def _only_comments(data):
    return data is not None and all(not line.strip() or line.strip().startswith(b"#") for line in data.splitlines())
