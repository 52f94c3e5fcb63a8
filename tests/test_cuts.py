"""The power goes after every byte of every flash operation, in every way a flash can fail, and in the midst of the recovery.

tests/device/lives.py has the lives and what must hold after each cut. An id that a failure names is replayed by
`make cut ID=…`.
"""

import os
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache

import pytest

from .device import lives

DEEP = bool(os.environ.get("DEEP"))
# The planted-bug runner looks at every so many bytes only: a bug shows at many of them.
STEP = int(os.environ.get("CUT_STEP", "1"))
# Every so many bytes of them: their records go the way of those in the other rounds.
SPARED = {"rounds-with-words": 13, "rounds-with-doubt": 4}
AT_LEAST = 5_000_000 if DEEP else 100_000

# Deep: on flashes of three units, and many a life by chance.
UNITS = ("", ":1", ":16") if DEEP else ("",)
ONCE = [name + unit for name in lives.LIVES for unit in UNITS]
ONCE += [f"random-{seed}" for seed in range(40)] if DEEP else []
# Recovery cut again. Deep: every life of one refund, and recovery too fails in every way, not only cleanly.
TWICE = [name for name in ONCE if not name.startswith(("rounds", "random"))] if DEEP else ["refund"]
AGAIN = "pgtalo" if DEEP else "p"


@lru_cache(maxsize=4)
def _recorded(name):
    return lives.record(name)


def _play(name, operation, depth):
    """(cuts played, acknowledged facts lost, second refunds, altered amounts, what was wrong) of one operation."""
    cuts = lives.Cuts(name, _recorded(name), STEP if DEEP else SPARED.get(name, 1) * STEP, AGAIN)
    try:
        cuts.all([operation], depth)
    except lives.Wrong as wrong:
        return cuts.played, cuts.lost, cuts.second, cuts.altered, str(wrong)
    return cuts.played, 0, 0, 0, None


@pytest.fixture(scope="module")
def played():
    """{(name, depth): sums of what was counted, texts of what was wrong}; on both cores."""
    tasks = [(name, at, 1) for name in ONCE for at in range(len(_recorded(name).tape.operations))]
    tasks += [(name, at, 2) for name in TWICE for at in range(len(_recorded(name).tape.operations))]
    found = {}
    names, operations, depths = zip(*tasks, strict=True)
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        answers = pool.map(_play, names, operations, depths)
        for (name, _, depth), (*counts, wrong) in zip(tasks, answers, strict=True):
            sums, texts = found.setdefault((name, depth), ([0, 0, 0, 0], []))
            sums[:] = [a + b for a, b in zip(sums, counts, strict=True)]
            texts.extend([wrong] if wrong else [])
    return found


@pytest.mark.parametrize("name", ONCE)
def test_a_cut_at_any_byte_loses_nothing_and_pays_once(played, name):
    counts, wrong = played[name, 1]
    assert counts[0] and not wrong, wrong[:3]


@pytest.mark.parametrize("name", TWICE)
def test_a_cut_in_the_recovery_from_a_cut_at_any_byte_loses_nothing_and_pays_once(played, name):
    counts, wrong = played[name, 2]
    assert counts[0] and not wrong, wrong[:3]


def test_as_many_cuts_as_promised(played, record_count):
    total = [sum(counts[column] for counts, _ in played.values()) for column in range(4)]
    record_count("power cuts", f"{total[0]:,}")
    record_count("power cuts: acknowledged facts lost", total[1])
    record_count("power cuts: second refunds", total[2])
    record_count("power cuts: altered amounts", total[3])
    assert total[0] >= AT_LEAST // STEP**2 and total[1:] == [0, 0, 0]


def test_the_lives_go_where_power_cuts_hurt():
    """Sectors are given up, refunds forgotten, a doubt, a counter and people's words carried, in the part that is cut."""
    for name in ("rounds", "rounds-with-doubt", "rounds-with-words"):
        recorded = _recorded(name)
        erased = [data is None for _, data, _, _ in recorded.tape.operations]
        assert any(erased), name
        before, after = recorded.acknowledged[0][1], recorded.acknowledged[-1][1]
        assert set(before[1]) - set(after[1]), name  # given up
    facts = _recorded("rounds-with-doubt").acknowledged[0][1][0]
    assert facts[0][0][0] == "k0" and facts[3][0] == [(1, 5)]
    words = _recorded("rounds-with-words").acknowledged
    before, after = words[0][1][0][3], words[-1][1][0][3]
    assert (len(before[2]), before[1], after[1]) == (2, [("bob", 1), ("eve", 1)], [("eve", 2)])
    assert before[2] != after[2]
