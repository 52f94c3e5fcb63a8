"""The journal from the agent to this machine: only what is not here yet, through pulled cables, and while it goes on growing.

The agent is asked for the SHA-256 of the region, of its halves where that differs, and so on; only sectors that differ are
read. What is here already may be an earlier copy, or what an interrupted pull left behind.
"""

import io
import os
import time
from hashlib import sha256

from firmware_agent.wire import messages

from . import journal
from .failures import NO_AGENT, REFUSED, Failure, WrongUsage
from .link import LinkLost, NoAnswer

PATIENCE_S = 30  # how long a pulled cable is waited for by whoever wants a file,
MOMENT_S = 0.3  # and by whoever only reads: whoever waits is told within 2 s
_BLANK = b"\xff"  # erased flash: what was never written need not be read
_ROUNDS = 20  # a journal that changed in each of so many rounds is written by something that is not well
_STANDS = ("oldest", "newest", "end", "last", "digest")


class PullLost(Failure):
    """The link stayed away, or leads to another agent. Fields: port, and file if what came is kept there."""

    key, exit_status = "pull_lost", NO_AGENT


class NotContinued(Failure):
    """The agent's journal does not continue the earlier copy. Fields: file, number."""

    key, exit_status = "journal_rewritten", REFUSED


def to_memory(link, tell):
    """(Copy, JOURNAL_ANSWER) of the agent's journal as it is now. `tell(done, total)` hears how far it is, in bytes;
    (None, None) while the link is lost."""
    file = io.BytesIO()
    answer = _Pull(link, tell, None).into(file)
    return journal.Copy(file.getvalue(), link.port), answer


def to_file(link, path, tell):
    """(Copy, JOURNAL_ANSWER, bytes that were read) after the agent's journal was pulled into the file `path`. What is there
    is replaced only if it is an earlier copy of the same journal."""
    earlier = _earlier(path, link)
    part = path + ".part"
    try:
        if not os.path.exists(part):
            begin = b""
            if earlier is not None:
                with open(path, "rb") as file:
                    begin = file.read()
            with open(part, "xb") as file:
                file.write(begin)
        pull = _Pull(link, tell, part)
        with open(part, "r+b") as file:
            answer = pull.into(file)
            file.flush()
            os.fsync(file.fileno())
            file.seek(0)
            copy = journal.Copy(file.read(), link.port)
        if earlier is not None and not continues(copy, earlier.last, earlier.digest):
            os.unlink(part)
            raise NotContinued(file=path, number=earlier.last)
        os.replace(part, path)
    except OSError as error:
        raise Failure("cannot_write", file=path, reason=error.strerror)
    return copy, answer, pull.read


def continues(copy, number, digest):
    """False if the record with this number has another digest, or the journal ends before it."""
    return copy.last >= number and copy.digests.get(number, digest) == digest


def _earlier(path, link):
    """The Copy that is in the file already, None if there is no file. Failure: it may not be replaced."""
    if not os.path.lexists(path):
        return None
    try:
        earlier = journal.read(path)
    except journal.NoJournal:
        raise WrongUsage("not_replaced", file=path)
    agent_id = link.ask(messages.STATUS)["agent_id"]
    if earlier.agent_id != agent_id:
        raise WrongUsage("other_journal", file=path, there=earlier.agent_id or "?", here=agent_id)
    return earlier


class _Pull:
    """One pull over `link`. `part`: file that keeps what came, or None. `read`: bytes of the journal that were read."""

    def __init__(self, link, tell, part):
        self._link = link
        self._tell = tell
        self._part = part
        self._agent_id = link.ask(messages.STATUS)["agent_id"]
        self.read = 0
        self._done = self._total = 0

    def into(self, file):
        """Make `file` (seekable, of any contents) the journal's region; the JOURNAL_ANSWER that it agrees with."""
        now = self._ask(lambda: self._link.ask(messages.JOURNAL))
        size, sector = now["size"], now["sector"]
        _fit(file, size)
        self._total = size
        todo = [(0, size)]
        for _ in range(_ROUNDS):
            for begin, length in todo:
                self._range(file, begin, length, sector)
            before, now = now, self._ask(lambda: self._link.ask(messages.JOURNAL))
            if (now["size"], now["sector"]) != (size, sector):
                break
            if any(now[name] != before[name] for name in _STANDS):
                # the newest sector before, what was begun meanwhile, and the spare one behind, which was erased
                changed = range(before["newest"], min(now["newest"] + 2, before["newest"] + size // sector))
                todo = [(generation * sector % size, sector) for generation in changed]
            elif self._same(file, 0, size):
                self._ask(self._link.journal_done)
                return now
            else:
                todo = [(0, size)]
        raise Failure("pull_differs", port=self._link.port)

    def _range(self, file, begin, size, sector):
        if self._same(file, begin, size):
            self._tell_done(size)
        elif size <= sector:
            self._read(file, begin, begin + size)
        else:
            half = (size // sector + 1) // 2 * sector
            self._range(file, begin, half, sector)
            self._range(file, begin + half, size - half, sector)

    def _same(self, file, begin, size):
        file.seek(begin)
        return sha256(file.read(size)).digest() == self._ask(lambda: self._link.journal_hash(begin, size))

    def _read(self, file, at, end):
        while at < end:
            data = self._ask(lambda at=at: self._link.journal_bytes(at))[: end - at]
            file.seek(at)
            file.write(data)
            at += len(data)
            self.read += len(data)
            self._tell_done(len(data))

    def _tell_done(self, size):
        self._done = min(self._total, self._done + size)
        self._tell(self._done, self._total)

    def _ask(self, question):
        """The answer to `question`(), asked again as often as the cable is pulled; a silent line is not waited for."""
        deadline = time.monotonic() + (PATIENCE_S if self._part else MOMENT_S)
        lost = False
        while True:
            try:
                # the cable may have been plugged into another agent
                if lost and self._link.ask(messages.STATUS)["agent_id"] != self._agent_id:
                    raise PullLost("pull_other_agent", port=self._link.port)
                return question()
            except (LinkLost, NoAnswer) as failure:
                silent = not lost and isinstance(failure, NoAnswer)
                lost = True
                self._tell(None, None)
                if silent or time.monotonic() >= deadline or not self._link.reopen(deadline):
                    key = "pull_kept" if self._part else "pull_lost"
                    raise PullLost(key, port=self._link.port, file=self._part)


def _fit(file, size):
    """Cut to `size`, or filled up to it with erased bytes."""
    file.truncate(min(file.seek(0, os.SEEK_END), size))
    file.write(_BLANK * (size - file.seek(0, os.SEEK_END)))
