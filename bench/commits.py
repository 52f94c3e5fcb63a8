"""Commits a second on one disk: our journal, the limit, and SQLite, taking turns so that all see the same disk."""

import itertools
import os
import sqlite3
import time
from statistics import median

from firmware_agent.history import History
from hal.linux.flash import Flash

from .refunds import Clock, bodies, refund

ROUNDS = 15
COMMITS = 200  # of each in a round
AT_ONCE = 20  # then it is the next one's turn: what else the machine does falls on all alike
WARM_UP = 600  # until SQLite has made its first checkpoint and all files have the size they keep

SIZE = 4 << 20  # nobody runs out of it


class Ours:
    """Our journal, a file of Linux that is not full yet."""

    name = "our journal"

    def __init__(self, folder):
        self.flash = Flash(folder / "journal", SIZE)
        self.journal = History(self.flash, Clock()).journal

    def commit(self, key, body):
        self.journal.append(body)

    def close(self):
        self.flash.close()


class OursFull:
    """Our journal in a ring that is full: most of each sector is what was carried out of the oldest one."""

    name = "our journal, ring full"

    def __init__(self, folder):
        self.flash = Flash(folder / "ring", 65536)
        history = History(self.flash, Clock())
        number = 0
        while history.journal.newest < 3 * history.journal.sectors:
            refund(history, number)
            number += 1
        self.journal = history.journal
        self.begun = self.journal.newest

    def commit(self, key, body):
        self.journal.append(body)

    def close(self):
        self.flash.close()


class Limit:
    """What the disk can do: the same number of bytes written into a file of fixed size and synced, and nothing else."""

    name = "pwrite and fdatasync"

    def __init__(self, folder):
        self.file = Flash(folder / "limit", SIZE)
        self.fd = self.file._fd
        self.at = 0

    def commit(self, key, body):
        data = body + b"\0" * 18
        os.pwrite(self.fd, data, self.at)
        os.fdatasync(self.fd)
        self.at += len(data)

    def close(self):
        self.file.close()


class Sqlite:
    """SQLite with the same records, by key, each committed and on the disk before the next."""

    def __init__(self, folder, mode):
        self.name = "SQLite, " + mode
        self.base = sqlite3.connect(folder / f"{mode}.db", isolation_level=None)
        self.base.execute(f"PRAGMA journal_mode={mode}")
        self.base.execute("PRAGMA synchronous=FULL")
        self.base.execute("CREATE TABLE record (number INTEGER PRIMARY KEY, key TEXT NOT NULL, body BLOB NOT NULL)")
        self.base.execute("CREATE INDEX record_key ON record (key)")

    def commit(self, key, body):
        self.base.execute("INSERT INTO record (key, body) VALUES (?, ?)", (key, body))  # a transaction of its own

    def close(self):
        self.base.close()


def measure(folder):
    """{name: [commits a second in each round]}."""
    contenders = [Ours(folder), Limit(folder), OursFull(folder), Sqlite(folder, "WAL"), Sqlite(folder, "DELETE")]
    records = itertools.cycle(bodies(9000))
    speeds = {one.name: [] for one in contenders}
    first = contenders[0].name
    for one in contenders:
        for key, body in itertools.islice(records, WARM_UP):
            one.commit(key, body)
    for _ in range(ROUNDS):
        spans = dict.fromkeys(speeds, 0.0)
        for _ in range(COMMITS // AT_ONCE):
            work = list(itertools.islice(records, AT_ONCE))  # the same for all
            for one in contenders:
                commit = one.commit
                begin = time.perf_counter()
                for key, body in work:
                    commit(key, body)
                spans[one.name] += time.perf_counter() - begin
            contenders.append(contenders.pop(0))  # nobody always follows the same one
            if contenders[0].name == first:
                contenders.reverse()
        for name, span in spans.items():
            speeds[name].append(COMMITS / span)
    for one in contenders:
        one.close()
    return speeds


def ratio(speeds, name, other):
    """How many times as fast `name` is as `other`: the median of the rounds, each compared with itself."""
    return median(a / b for a, b in zip(speeds[name], speeds[other], strict=True))
