"""A supply that fails over and over: the power goes at any byte of a boot, in the journal's flash or in a small file, and the
next boot reaches its link, or safe mode.

Boards by chance, each with its seed, which a failure names: SEED=N plays that one alone.
"""

import os
import random

import pytest

from firmware_agent import crash
from firmware_agent.safe import Safe
from firmware_agent.service import Service
from firmware_agent.starts import MOST, Starts, stand, told
from firmware_agent.wire import cbor, messages, smp
from firmware_agent.wire.bodies import BOOT, REASONS
from hal import none
from hal.said import PowerCut, Receipt
from hal.sim.flash import Flash

from .board_files import Cut, Files
from .device.bench import ABOUT, SETTINGS, Ports, Watchdog
from .device.card_terminal import CardTerminal

BOOTS = 10_000
EACH = 250  # boots of a board
SEEDS = [int(os.environ["SEED"])] if os.environ.get("SEED") else range(BOOTS // EACH)
WORDS = REASONS.split()
SECTORS, SECTOR = 4, 2048
STATUS = smp.pack(smp.Header(messages.READ, messages.GROUP, messages.STATUS, 1, 1), cbor.encode({}))
# How a boot ends, and what the hardware says of it in the next one. None: it cannot tell.
POWER = ("brown_out", "brown_out", "power_on", "power_on", None)


class Disk(Files):
    """Counts how often a file is written."""

    writes = 0

    def open(self, path, mode="r", **more):
        if "w" in mode:
            self.writes += 1
        return super().open(path, mode, **more)


class Board:
    """boots: so many; cut: of these the power went before the link answered; linked: it answered; safe: in safe mode."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.disk = Disk(self.chance.choice(("littlefs", "fat")))
        self.disk.folders.add("/state")
        self.flash = Flash(None, SECTORS * SECTOR, SECTOR, self.chance.choice((1, 4, 16)))
        self.terminal = CardTerminal()
        self.knows = self.chance.random() < 0.8  # its hardware tells a brown-out from a watchdog
        self.reason = "power_on"
        self.receipt = 0
        self.boots = self.cut = self.linked = self.safe = 0

    def starts(self):
        return Starts("/state", "1", self.disk, self.disk.open)

    def ports(self, safe):
        ports = Ports(none.Terminal() if safe else self.terminal, self.flash)
        if safe:
            ports.light, ports.power = none.Light(), none.Power()
        return ports

    def boot(self, cuts=True):
        """One boot, until the power goes. False: it went before the link answered."""
        chance, flash = self.chance, self.flash
        self.boots += 1
        if cuts and chance.random() < 0.9:
            if chance.random() < 0.6:
                flash.cut_after = chance.randrange(60 if chance.random() < 0.8 else 4000)
                flash.half_erased = chance.randrange(SECTOR)
            else:
                self.disk.cut_at = self.disk.steps + chance.randrange(60)
        agent = None
        expected = self._left() or (self.reason if self.reason in WORDS else "unknown")
        try:
            watchdog = Watchdog()
            watchdog.reason = self.reason
            starts = self.starts()
            agent = stand(starts, told(watchdog), self.ports, SETTINGS, ABOUT)
            answer = _asked(agent)
            self.linked += 1
            self._looks_right(agent, starts, answer, expected)
            self._lives(agent)
        except (Cut, PowerCut):
            self.cut += agent is None
            self.reason = chance.choice(POWER) if self.knows else None
        flash.cut_after = None
        self.disk.power_on()
        return agent is not None

    def _left(self):
        """The word that a crash left for the next start, None if it left none."""
        words = self.disk.files.get("/state/starts", b"").decode().split()
        return words[2] if len(words) == 3 and words[2] in ("fault", "out_of_memory") else None

    def _looks_right(self, agent, starts, answer, expected):
        assert starts.reason == expected, (starts.reason, expected)
        journal = agent.journal
        last = range(max(journal.oldest, journal.newest - 1), journal.newest + 1)
        boots = [body for at in last for body in journal.bodies(at) if body[1] == BOOT]
        assert cbor.decode(boots[-1])[4] == WORDS.index(expected)
        assert agent.history.lost == 0
        safe = isinstance(agent, Safe)
        self.safe += safe
        assert safe == (starts.count >= MOST)
        assert (answer[9] == messages.HOLD and [one[0] for one in answer[10]] == [7]) or not safe

    def _lives(self, agent):
        """What happens until the power goes or it crashes."""
        chance = self.chance
        for _ in range(chance.choice((0, 5, 61))):
            agent.health.turned()
        if not isinstance(agent, Safe) and chance.random() < 0.3:
            self.receipt = self.receipt % 9999 + 1
            agent.history.record_sale(Receipt(self.receipt, self.receipt, 1000, 978, 1122, 120000, 0, False, "4711"))
        ends = chance.random()
        if ends < 0.15:
            at = agent.health.at(agent)
            word = crash.keep(self.starts(), MemoryError() if ends < 0.05 else ValueError("by chance"), at)
            assert word == self._left()
            self.reason = chance.choice(POWER) if self.knows else None
        elif ends < 0.3:
            self.reason = "watchdog" if self.knows else None
        else:
            raise PowerCut


def _asked(agent):
    """The agent's answer to STATUS over its link's service."""
    service = agent.link.service
    assert isinstance(service, Service)
    task = service.answer(STATUS)
    try:
        for _ in range(9):  # it lets the others work now and then
            task.send(None)
    except StopIteration as end:
        return cbor.decode(smp.unpack(end.value)[1])
    raise AssertionError("it waits")


@pytest.fixture(scope="module")
def boards():
    """{seed: Board} after all boots of the brown-out loop, and one boot whose power stays."""
    played = {}
    for seed in SEEDS:
        board = played[seed] = Board(seed)
        try:
            for _ in range(EACH):
                board.boot()
            assert board.boot(cuts=False)
        except Exception as error:
            raise AssertionError(f"SEED={seed}, boot {board.boots}: {type(error).__name__}: {error}") from error
    return played


def test_every_boot_whose_power_stays_reaches_its_link_or_safe_mode(boards, record_count):
    boots, cut, linked, safe = (
        sum(getattr(board, name) for board in boards.values()) for name in ("boots", "cut", "linked", "safe")
    )
    assert boots == cut + linked and boots > BOOTS * len(boards) // len(range(BOOTS // EACH))
    assert cut > boots // 5 and linked > boots // 5 and safe > boots // 100
    record_count("brown-out loop: boots", f"{boots:,}")
    record_count("brown-out loop: boots cut before the link answered", f"{cut:,}")
    record_count("brown-out loop: boots that reached safe mode", f"{safe:,}")


def test_the_wear_of_a_brown_out_loop_is_bounded(boards, record_count):
    """A turn of the ring that is cut erases its sector again with the next boot, so one sector may wear more than the others.
    A start writes two small files at most."""
    boots = sum(board.boots for board in boards.values())
    most = max(max(board.flash.erased) * 1000 / board.boots for board in boards.values())
    mean = sum(sum(board.flash.erased) for board in boards.values()) / SECTORS * 1000 / boots
    writes = max(board.disk.writes / board.boots for board in boards.values())
    told = f"{mean:.0f} on the mean, {most:.0f} at most"
    record_count(f"brown-out loop: erases of a sector of {SECTORS} of 2 KB in 1,000 boots", told)
    record_count("brown-out loop: writes of small files in 1,000 boots, at most", round(writes * 1000))
    assert mean < 30 and most < 60 and writes <= 2


@pytest.mark.parametrize("kind", ["littlefs", "fat"])
def test_power_cuts_alone_write_no_file_and_lead_nowhere(kind):
    board = Board(1)
    board.disk.kind = kind
    for number in range(300):
        board.reason = POWER[number % 4]
        board.flash.cut_after = number % 97
        try:
            watchdog = Watchdog()
            watchdog.reason = board.reason
            agent = stand(board.starts(), told(watchdog), board.ports, SETTINGS, ABOUT)
            assert not isinstance(agent, Safe)
        except PowerCut:
            pass
        board.flash.cut_after = None
    assert board.disk.writes == 0 and board.disk.files == {}
