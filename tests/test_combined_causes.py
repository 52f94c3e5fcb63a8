"""No cause hides another: whatever is wrong at the same time, all of it is said.

Every pair of the sixty found.toml that can be true together, and random threes of them. A failure prints its id;
COMBINATION=4+31+57 plays that one alone, SEED= the same random ones.
"""

import itertools
import os
import random

from boards import command
from boards.scene import verdict
from firmware_agent.wire import cbor
from firmware_agent.wire.messages import PASS, UNKNOWN

from . import combined
from .combined import APART, OF_MONEY, Conflict
from .running import micropython_here
from .scenes import CAUSES, Answer, played

DEEP = bool(os.environ.get("DEEP"))
AT_LEAST = 10_000 if DEEP else 2_000
THREES = 9_000 if DEEP else 350
ON_MICROPYTHON = 500 if DEEP else 50


def chosen():
    """(seed, combinations of causes: every pair, random threes; or those that COMBINATION names)."""
    seed = int(os.environ.get("SEED") or random.randrange(1 << 32))
    if os.environ.get("COMBINATION"):
        return seed, [tuple(int(number) for number in os.environ["COMBINATION"].split("+"))]
    chance = random.Random(seed)
    possible = list(itertools.combinations(CAUSES, 3))
    return seed, [*itertools.combinations(CAUSES, 2), *chance.sample(possible, THREES * 5 // 4)]


def scenes(combinations):
    """Yields (causes, scene) of those that can be true together."""
    shop = combined.Shop()
    changes = combined.changes()
    for causes in combinations:
        if combined.apart(causes):
            continue
        try:
            change = combined.together([changes[cause] for cause in causes])
        except Conflict:
            continue
        yield causes, shop.scene(change, name_of(causes))


def name_of(causes):
    return "+".join(map(str, causes))


def hidden(causes, answer):
    """Those of the causes that the answer does not speak of as it should."""
    lost = []
    for cause in causes:
        status = answer.statuses.get(cause, PASS)
        if status == PASS or (status == UNKNOWN and not (37 in causes and cause in OF_MONEY)):
            lost.append(cause)
    return lost


def test_no_cause_hides_another(record_count):
    seed, combinations = chosen()
    print(f"SEED={seed}")
    lost = {}
    count = 0
    for causes, scene in scenes(combinations):
        count += 1
        those = hidden(causes, played(scene))
        if those:
            lost[name_of(causes)] = those
    assert not lost, f"hidden, by combination (COMBINATION=… plays one; SEED={seed}): {lost}"
    assert count >= AT_LEAST or "COMBINATION" in os.environ
    record_count("combinations of causes, of two and of three", f"{count}, {len(lost)} hidden")


def test_what_is_apart_is_apart_for_its_reason():
    """Each pair that is left out does not say both; a pair that does has no place in the list."""
    shop = combined.Shop()
    changes = combined.changes()
    for causes in APART:
        try:
            scene = shop.scene(combined.together([changes[cause] for cause in causes]), name_of(causes))
        except Conflict:
            continue
        assert hidden(causes, played(scene)), causes


def test_money_in_another_currency_is_unknown():
    shop = combined.Shop()
    changes = combined.changes()
    for cause in OF_MONEY:
        answer = played(shop.scene(combined.together([changes[37], changes[cause]]), str(cause)))
        assert answer.statuses[cause] == UNKNOWN and answer.evidence[cause]["missing"].endswith(" in USD"), cause


def test_most_pairs_can_be_true_together():
    """What cannot is what sets the same thing to two values: a dispute's state."""
    changes = combined.changes()
    conflicts = set()
    for causes in itertools.combinations(CAUSES, 2):
        try:
            combined.together([changes[cause] for cause in causes])
        except Conflict:
            conflicts.add(causes)
    assert conflicts == {(22, 24)}


def test_micropython_finds_the_same(monkeypatch, record_count):
    if not micropython_here():
        return
    monkeypatch.setenv("REFUND_AGENT_HEAP", "256k")
    seed, combinations = chosen()
    print(f"SEED={seed}")
    random.Random(seed).shuffle(combinations)
    some = dict(itertools.islice(scenes(combinations), ON_MICROPYTHON))
    ours = [verdict(scene) for scene in some.values()]
    theirs = command.played(list(some.values()), command.Runtime.micropython)
    for causes, one, other in zip(some, ours, theirs, strict=True):
        assert cbor.encode(one) == cbor.encode(other), f"COMBINATION={name_of(causes)} SEED={seed}"
        assert not hidden(causes, Answer(other))
    record_count("combinations of causes played on both runtimes, with the same answers", len(some))
