"""Random histories of a shop by our own dice, so that they run on both runtimes (tests/test_model.py has many more).

HEAP: the shop, its terminal and the model stand beside the agent, and their objects are twice the size of a board's here.
"""

import gc
import sys

from .chance import Chance
from .shop import FATES, KINDS, Shop

HEAP = "144k"

# what a shop has asked for fills a board's heap in a hundred steps
HISTORIES, STEPS = (9, 36) if sys.implementation.name == "micropython" else (20, 100)


def test_random_histories_agree_with_the_model():
    chance = Chance()
    cuts = turns = 0
    for _ in range(HISTORIES):
        shop = Shop(3, 1536, chance.one_of((1, 4, 16)))
        for _ in range(STEPS):
            at = chance.below(250) if chance.below(3) == 0 else None
            again = chance.below(250) if chance.below(3) == 0 else None
            shop.play(chance.one_of(KINDS), chance.below(10**6), chance.one_of(FATES), at, again)
        shop.closes()
        cuts += shop.cuts
        turns += shop.life.history.journal.newest
        shop = None
        gc.collect()
    assert cuts > 2 * HISTORIES and turns > HISTORIES // 2
