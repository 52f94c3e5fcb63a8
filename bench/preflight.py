"""A pre-flight of all sixty checks: against libraries that know rules, with a growing journal, and under MicroPython."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from boards import compiled, scenario, scene
from firmware_agent.case import Case
from firmware_agent.policy import ABSENT, Policy
from firmware_agent.preflight import check

from .facts import Facts
from .growth import Lazy
from .peers import PEERS, chosen
from .preflight_device import Shop
from .reasons import REASONS
from .rules import RULES
from .whole import told as told_alike
from .whole import verdict

SCENARIOS = Path(__file__).parent.parent / "tests" / "scenarios"
OURS = "our pre-flight"
READY = "its checks and verdict alone, the case put together before"
CASE = "the case alone: journal, lists of the policy, sale"
FLAT = "the libraries' facts alone, of a case put together before"
WHOLE = ", the whole job"
ROUNDS = 31
AT_ONCE = 10  # pre-flights, then it is the next one's turn
SIZE = 1 << 20  # of the journal, as the board `linux` has it
COUNTS = (10, 100, 1_000, 10_000)  # refunds, and as many sales; a MiB holds the last 1,600
RING_COUNTS = (10, 100, 1_000)  # the last turn a ring of 64 KB more than four times
HEAP = "256k"

_START = "import sys; from micropython_unix import main; sys.exit(main())"


class Measured:
    """`rounds`: {name: [µs of a pre-flight]}, ours, parts of it, then PEERS, over facts that are handed to them and, with
    WHOLE behind their names, from the agent's state to the verdict; `unknown`: the same of the whole job without a policy,
    where `unknowns` causes say UNKNOWN; `played`: how many scenarios all of them judged alike; `growth`: {refunds: [µs]};
    `first`: {refunds: ms of the first pre-flight after a start}; `device`: as preflight_device.measure prints, with "used",
    None where there is no MicroPython."""

    def __init__(self, folder):
        self.peers = [peer(RULES, chosen(REASONS)) for peer in PEERS]
        self.played = agree(self.peers)
        told, _ = scenario.read(SCENARIOS / "base.toml")
        folder = folder / "preflight"
        folder.mkdir()
        shop = Shop(told, Lazy(folder / "shop", SIZE))
        facts = Facts(shop.agent.policy, shop.agent.terminal)
        case = shop.case()
        known = facts(case)
        work = {
            OURS: shop.decide,
            READY: lambda: check(case),
            CASE: shop.case,
            FLAT: lambda: facts(case),
            **{peer.package: lambda decide=peer.decide: decide(known) for peer in self.peers},
        }
        self.rounds = interleaved({**work, **whole_jobs(self.peers, shop)})
        shop.agent.policy = Policy({}, ABSENT)
        self.unknowns = sum("missing" in one["evidence"] for one in shop.decide().findings)
        self.unknown = interleaved({OURS: shop.decide, **whole_jobs(self.peers, shop)})
        self.growth, self.first = growing(told, folder)
        self.device = on_micropython(told, folder)

    def ratio(self, peer, whole="", rounds=None):
        """How many times as fast our pre-flight is: the median of the rounds' ratios."""
        rounds = rounds or self.rounds
        return median(theirs / ours for theirs, ours in zip(rounds[peer.package + whole], rounds[OURS], strict=True))

    @property
    def grown(self):
        """How many times as long a pre-flight takes with the longest history as with the shortest."""
        few, *_, many = self.growth.values()
        return median(a / b for a, b in zip(many, few, strict=True))


def whole_jobs(peers, shop):
    """{name: function} of peers that do what our pre-flight does, in a Shop as it is now."""
    facts = Facts(shop.agent.policy, shop.agent.terminal)
    return {peer.package + WHOLE: lambda peer=peer: verdict(peer, facts, shop.case()) for peer in peers}


def agree(peers):
    """How many scenarios there are in which every peer, doing the whole job, says what we say: which causes pass, are found
    or UNKNOWN, for want of what, in what order, and the verdict. RuntimeError: not in all of them."""
    paths = sorted(SCENARIOS.rglob("*.toml"))
    for path in paths:
        told, _ = scenario.read(path)
        agent, _ = asyncio.run(scene.play(told))
        case = Case(told["request"], agent.snapshot, agent.policy, agent.history, agent.clock.wall_s(), agent.terminal)
        ours = told_alike(check(case))
        facts = Facts(agent.policy, agent.terminal)
        for peer in peers:
            theirs = told_alike(verdict(peer, facts, case))
            if theirs != ours:
                raise RuntimeError(f"{path}: {peer.package} says {theirs}, our checks say {ours}")
    return len(paths)


def interleaved(work):
    """{name: [µs of one, in each round]} of {name: function}, taking turns so that all see the same machine."""
    spans = {name: [] for name in work}
    names = list(work)
    for one in work.values():
        one()
    for _ in range(ROUNDS):
        for name in names:
            one = work[name]
            one()  # what the one before left in the caches is not this one's
            begin = time.perf_counter()
            for _ in range(AT_ONCE):
                one()
            spans[name].append((time.perf_counter() - begin) / AT_ONCE * 1e6)
        names.append(names.pop(0))
    return spans


def growing(told, folder):
    """({refunds: [µs]}, {refunds: ms of the first after a start}) with so many refunds and their sales journaled before."""
    path = folder / "growing"
    flash = Lazy(path, SIZE)
    filled = Shop(told, flash)
    work, first = {}, {}
    for count in COUNTS:
        filled.fill(count)
        shutil.copy(path, f"{path}-{count}")
        shop = Shop.__new__(Shop)
        shop.__dict__.update(filled.__dict__)
        shop.start(Lazy(f"{path}-{count}", SIZE))
        begin = time.perf_counter()
        if not shop.decide().goes:
            raise RuntimeError(f"the refund does not go with {count} refunds in the journal")
        first[count] = (time.perf_counter() - begin) * 1e3
        work[count] = shop.decide
    return interleaved(work), first


def on_micropython(told, folder):
    try:
        import micropython_unix  # noqa: F401
    except ImportError:
        return None
    told_path = folder / "scene.json"
    told_path.write_text(json.dumps(told))
    with tempfile.TemporaryDirectory() as beside:
        compiled.compile_beside(beside, {"bench.preflight_device": Path(__file__).with_name("preflight_device.py")})
        module = compiled.flat("bench.preflight_device")

        def run(heap, call):
            done = subprocess.run(
                [sys.executable, "-c", _START, "-X", "heapsize=" + heap, "-c", f"import {module}; {module}.{call}"],
                cwd=compiled.compiled(),
                env={**os.environ, "MICROPYPATH": f":{beside}:.frozen"},
                capture_output=True,
                text=True,
            )
            if done.returncode:
                raise RuntimeError("pre-flights on MicroPython: " + done.stdout + done.stderr)
            return json.loads(done.stdout)

        path, ring = str(told_path), str(folder / "ring")
        found = run(HEAP, f"measure({path!r}, {ring!r}, {RING_COUNTS!r})")
        found["used"] = run("8M", f"uncollected({path!r}, {ring + '-2'!r})")
        return found
