"""The power goes at every step of a refund through the gate: of the agent, of the terminal, of both, and again while that is
being recovered from.

tests/gate_world.py has the world, what must hold after each cut, and how a case is replayed by the id that a failure names:
python -m tests.gate_world ID. DEEP=1 plays every case; a plain run every one of some workloads over TCP, and of the others
one of so many, of each workload others. Serial lines wait longer for an answer, so there it is few.
"""

import os
from concurrent.futures import ProcessPoolExecutor

import pytest

from . import gate_world

DEEP = bool(os.environ.get("DEEP"))
NAMES = [f"{workload}:{line}" for workload in gate_world.WORKLOADS for line in ("tcp", "serial")]
WHOLE = ("refund:tcp", "void:tcp", "doubt:tcp")
TCP_ONE_OF, SERIAL_ONE_OF = (1, 1) if DEEP else (3, 11)
TWICE = ("refund:tcp", "again:tcp", "doubt:tcp") if DEEP else ("refund:tcp",)
TWICE_ONE_OF = 1 if DEEP else 10
AT_LEAST = 20_000 if DEEP else 2_000


def _once(name):
    """Cases (tuples of cuts) with one cut."""
    world = gate_world.play(name)
    cases = [(cut,) for cut in gate_world.cases(world.steps, 0, world.recovered)]
    step = 1 if name in WHOLE else SERIAL_ONE_OF if name.endswith("serial") else TCP_ONE_OF
    return cases[NAMES.index(name) // 2 % step :: step]


def _twice(name):
    """(name, first cut, which of the second ones) for each first cut."""
    world = gate_world.play(name)
    firsts = gate_world.cases(world.steps, 0, world.recovered, after=False, inside=5)
    return [(name, first, number % TWICE_ONE_OF) for number, first in enumerate(firsts)]


def _play(name, cuts):
    """(1, refunds left in doubt, what was wrong or None)."""
    try:
        return 1, gate_world.play(name, cuts).doubt, None
    except gate_world.Wrong as wrong:
        return 1, 0, str(wrong)


def _play_after(name, first, part):
    """The same of one first cut and every so many second ones, added up."""
    world = gate_world.play(name, [first])
    seconds = gate_world.cases(world.steps, first[0] + 1, world.recovered, after=False, inside=5)
    played = [_play(name, [first, second]) for second in list(seconds)[part::TWICE_ONE_OF]]
    return len(played), sum(doubt for _, doubt, _ in played), next((wrong for _, _, wrong in played if wrong), None)


@pytest.fixture(scope="module")
def played():
    """{(name, cuts in a row): (cases, left in doubt, texts of what was wrong)}; on all cores."""
    found = {}
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for depth, names in ((1, NAMES), (2, TWICE)):
            for name in names:
                if depth == 1:
                    cases = _once(name)
                    answers = pool.map(_play, [name] * len(cases), cases, chunksize=8)
                else:
                    answers = pool.map(_play_after, *zip(*_twice(name), strict=True))
                found[name, depth] = answers
        for case, answers in found.items():
            counts, doubts, wrong = zip(*answers, strict=True)
            found[case] = sum(counts), sum(doubts), [text for text in wrong if text]
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_cut_at_any_step_makes_no_second_refund_and_the_journal_says_which(played, name):
    count, _, wrong = played[name, 1]
    assert count and not wrong, wrong[:3]


@pytest.mark.parametrize("name", TWICE)
def test_a_second_cut_while_the_first_is_recovered_from_does_not_either(played, name):
    count, _, wrong = played[name, 2]
    assert count and not wrong, wrong[:3]


def test_as_many_cuts_at_the_gate_as_promised(played, record_count):
    count, doubts = (sum(one[column] for one in played.values()) for column in (0, 1))
    wrong = [text for one in played.values() for text in one[2]]
    record_count("power cuts at the gate", f"{count:,}")
    record_count("power cuts at the gate: second refunds", sum("refunds were made" in text for text in wrong))
    record_count("power cuts at the gate: the journal or the till told wrong", len(wrong))
    record_count("power cuts at the gate: refunds left in doubt", doubts)
    assert count >= AT_LEAST and not wrong


def test_where_a_terminal_proves_nothing_the_doubt_stays_and_holds_the_next_one(played):
    """Otherwise the promise that a doubt holds the next refund would be kept by having none."""
    assert all(played[f"doubt:{line}", 1][1] > 3 for line in ("tcp", "serial"))
