"""Random histories of a shop (tests/device/shop.py), held against the model (tests/device/model.py).

A failure prints the steps that lead to it, and a line that replays them; SHRINK=1 looks for fewer steps.
"""

import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from .device.shop import FATES, KINDS, Shop

DEEP = bool(os.environ.get("DEEP"))
HISTORIES = int(os.environ.get("HISTORIES", "3000" if DEEP else "300"))
STEPS = 100
PARTS = 4  # each with a seed of its own, so that two cores have something to do

# Bytes until the power goes; a refund programs about 250.
CUT = st.one_of(st.none(), st.none(), st.integers(0, 250))
STEP = st.tuples(st.sampled_from(KINDS), st.integers(0, 10**6), st.sampled_from(FATES), CUT, CUT)
SHAPE = st.tuples(st.integers(3, 5), st.sampled_from([1536, 1536, 2048, 4096]), st.sampled_from([1, 4, 16]))

_counted = {"histories": 0, "cuts": 0, "turns": 0}


@settings(
    max_examples=-(-HISTORIES // PARTS),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
    database=None,
    phases=[Phase.generate, *([Phase.shrink] if os.environ.get("SHRINK") else [])],
)
@given(SHAPE, st.lists(STEP, min_size=STEPS, max_size=STEPS))
def _play(shape, steps):
    shop = Shop(*shape)
    for step in steps:
        shop.play(*step)
    shop.closes()
    _counted["histories"] += 1
    _counted["cuts"] += shop.cuts
    _counted["turns"] += shop.life.history.journal.newest


def _part(number):
    seed(number)(_play)()
    return _counted


def test_random_histories_agree_with_the_model(record_count):
    begin = int(os.environ.get("SEED") or int.from_bytes(os.urandom(4), "big"))
    print(f"SEED={begin}")
    with ProcessPoolExecutor(os.cpu_count(), max_tasks_per_child=1) as pool:
        parts = list(pool.map(_part, range(begin, begin + PARTS)))
    counted = {name: sum(part[name] for part in parts) for name in _counted}
    record_count("random histories", f"{counted['histories']:,} of {STEPS} steps, all as the model says")
    record_count("random histories: power cuts", f"{counted['cuts']:,}")
    record_count("random histories: sectors begun", f"{counted['turns']:,}")
    assert counted["histories"] >= HISTORIES
    assert counted["cuts"] > 5 * HISTORIES and counted["turns"] > HISTORIES


def test_the_model_is_short():
    assert len((Path(__file__).parent / "device" / "model.py").read_text().splitlines()) <= 60
