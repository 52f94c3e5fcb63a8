"""The power goes after many a byte of the lives, on both runtimes (tests/test_cuts.py: after every byte, in every way).

Every cut plays a life from its beginning on one flash, so that it nearly fits into a board's heap. HEAP: what watches over
the lives takes more than a board has beside the agent.
"""

import gc
import sys

from hal.said import PowerCut
from hal.sim.flash import Flash

from . import lives

HEAP = "192k"

STEP = 37 if sys.implementation.name == "micropython" else 23


class Played:
    """A life that is played until the power goes after `after` bytes of the steps behind the first `before`."""

    def __init__(self, shape, steps, before=0):
        self.shape = shape
        self.steps = steps
        self.before = before
        self.ended = {}
        self.number = 0
        self.flash = Flash(None, *shape)
        self.world = None

    def until(self, after):
        """True if the power went."""
        flash = self.flash
        flash.cut_after = None
        for address in range(0, flash.size, flash.sector):
            flash.erase(address)
        self.world = lives.World()
        self.ended = {}
        life = lives.Life(flash, self.world)
        flash.half_erased = after * 37 % flash.sector
        try:
            for number, step in enumerate(self.steps):
                self.number = number
                if number == self.before:
                    flash.cut_after = after
                lives.play(life, step, self.ended)
            flash.cut_after = None
            return False
        except PowerCut:
            flash.cut_after = None
            return True

    def boot(self):
        world = lives.World().remember(self.world.memory())
        return lives.Life(self.flash, world)


def cuts(name, step=STEP):
    played = Played(*(lives.LIVES[name]() if name in lives.LIVES else lives.random_life(int(name))))
    promises = lives.Cuts(name, played)
    after = 0
    while played.until(after):
        gc.collect()
        life = played.boot()
        assert life.history.lost == 0, (name, after)
        promises.goes_on(life, played.number, "%s after %d bytes" % (name, after))
        live = lives.snapshot(life.history, [])[0]
        life = None
        gc.collect()
        assert played.boot().history.found[0] == live, (name, after)
        after += step
    assert after >= 5 * step, name


def test_a_cut_in_a_refund_a_decline_or_a_silence_loses_nothing_and_pays_once():
    for name in ("refund", "decline", "lost", "silence", "slow", "counter"):
        cuts(name)


def test_a_cut_in_a_doubt_or_its_settlement_loses_nothing_and_pays_once():
    for name in ("settled-done", "settled-not-done"):
        cuts(name)


def test_a_cut_where_the_ring_turns_loses_nothing_and_pays_once():
    cuts("rounds", 2 * STEP)


def test_a_cut_where_a_doubt_is_carried_loses_nothing_and_pays_once():
    cuts("rounds-with-doubt", 4 * STEP)


def test_a_cut_where_peoples_words_are_carried_loses_none_of_them():
    cuts("rounds-with-words", 5 * STEP)


def test_a_cut_in_a_life_by_chance_loses_nothing_and_pays_once():
    cuts("%d" % lives.Chance().below(10**6), 4 * STEP)


def test_a_cut_in_the_recovery_loses_nothing_and_pays_once():
    played = Played(*lives.LIVES["silence"]())
    promises = lives.Cuts("silence", played)
    number = 0
    for after in range(0, 140, 2 * STEP):
        for again in range(0, 120, 29):
            assert played.until(after)
            memory = played.world.memory()
            played.flash.cut_after = again
            try:
                lives.drive(played.boot().conductor.resolve())
            except PowerCut:
                number += 1
            played.flash.cut_after = None
            played.world.remember(memory)
            life = played.boot()
            assert life.history.lost == 0
            promises.goes_on(life, played.number, "after %d and %d bytes" % (after, again))
    assert number > 4
