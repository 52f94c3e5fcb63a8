"""The link: bytes of a heartbeat, what a saturated line carries, how fast a laptop reads it, what an event costs a board."""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import cbor2

from boards import compiled
from boards.scene import Clock
from firmware_agent.events import Ring
from firmware_agent.snapshot import Snapshot
from firmware_agent.stream import Stream

from . import link_device, link_line
from .link_minute import FIELDS, MENDED_AT, SAGS_AT, minute
from .link_peers import PEERS, shown, there

BODY, FRAMES, PIECE, ROUNDS = 256, 2000, 4096, 9  # of what a laptop decodes
A_SECOND = link_line.BAUD // 10  # bytes
_START = "import sys; from micropython_unix import main; sys.exit(main())"


class Measured:
    """heartbeats: {kind of minute: {peer: bytes a heartbeat}}; all_changed: bytes of one whose fields all changed, by peer;
    decoded: {peer: [bodies' bytes a second]}; missing: peers that are not installed; saturated, pull: of link_line;
    idle, flooded: seconds of pre-flights; events: {runtime: of link_device.measure}."""

    def __init__(self):
        self.peers = [peer for peer in PEERS if there(peer)]
        self.missing = [peer.name for peer in PEERS if peer not in self.peers]
        still, moved = minute(), noisy(minute())
        self.heartbeats = {
            "of the demonstration": self._heartbeats(still),
            "the same, with a noisy supply": self._heartbeats(moved),
        }
        self.all_changed = {peer.name: self._all_changed(peer, moved) for peer in self.peers}
        self.decoded = self._decode()
        self.saturated = link_line.run(link_line.saturated)
        self.pull = link_line.run(link_line.pull)
        self.idle, self.flooded = (
            median(link_line.run(lambda bench, flooded=flooded: link_line.preflights(bench, flooded)))
            for flooded in (False, True)
        )
        self.events = {"CPython": link_device.found(), "MicroPython": on_micropython()}

    # ---- bytes ----
    def _heartbeats(self, told):
        beats = len(told) - 1
        found = {"our stream": len(streamed(told)) / beats}
        for peer in self.peers:
            found[peer.name] = sum(len(peer.frame(peer.body(*one))) for one in told[1:]) / beats
        return found

    def _all_changed(self, peer, told):
        """Mean bytes of a heartbeat in which every field is told, and there is none that is absent."""
        sizes = []
        for uptime_ms, values in told[1:]:
            values = {name: 231 if value is None else value for name, value in values.items()}
            sizes.append(len(peer.frame(peer.body(uptime_ms, values))))
        return sum(sizes) / len(sizes)

    # ---- speed of a laptop ----
    def _decode(self):
        chance = random.Random(6)
        bodies = [_body(chance) for _ in range(FRAMES)]
        pieces, work = {}, {}
        for peer in self.peers:
            if peer.name == "JSON lines":
                continue  # it frames nothing
            data = b"".join(peer.frame(body) for body in bodies)
            pieces[peer.name] = [data[at : at + PIECE] for at in range(0, len(data), PIECE)]
            work[peer.name] = peer
        found = {name: [] for name in work}
        for _ in range(ROUNDS):
            for name, peer in work.items():
                feed, read = peer.decoder(), []
                begun = time.perf_counter()
                for piece in pieces[name]:
                    read += feed(piece)
                spent = time.perf_counter() - begun
                if [bytes(body) for body in read] != bodies:
                    raise RuntimeError(f"{name} does not read what it wrote")
                found[name].append(FRAMES * BODY / spent)
        return found

    def times(self, name):
        """How many times as fast as this peer we decode: the median of the rounds' ratios."""
        rounds = zip(self.decoded["our frames"], self.decoded[name], strict=True)
        return median(ours / theirs for ours, theirs in rounds)

    # ---- told ----
    def ratios(self):
        """As Report.ratios: [(what, value, aim)]."""
        aims = {"smp": "> 1.00", "pigweed": ">= 30.00"}
        lines = []
        for peer in self.peers[1:]:
            name = "pw_hdlc" if peer.name == "pigweed" else peer.name
            if peer.name != "JSON lines":
                what = f"frames of {BODY} bytes decoded a second on a laptop, ours : {name}"
                lines.append((what, self.times(peer.name), aims.get(peer.name, "")))
            beats = self.heartbeats["of the demonstration"]
            lines.append((f"bytes of a heartbeat, {name} : our stream", beats[peer.name] / beats["our stream"], ""))
        lines.append(("a pre-flight in a flood of ten times the line : without", self.flooded / self.idle, "<= 2.00"))
        return lines

    def plain(self):
        """[(value, what, aim)] of what is no ratio."""
        for kind, found in self.heartbeats.items():
            size = found["our stream"]
            yield size, f"bytes of a heartbeat of {len(FIELDS)} fields, a minute {kind}", "<= 46"
            yield A_SECOND / size, f"of them a second at {link_line.BAUD} baud", ">= 250"
        yield self.all_changed["our frames"], f"bytes of a heartbeat of {len(FIELDS)} fields that all changed", ""
        yield 100 * self.saturated[0], "percent of a saturated line are frames of the stream", ">= 95"
        yield 100 * self.pull[0], "percent of the line in use while events are pulled by cursor", ">= 90"

    def markdown(self):
        """Lines of results.md, and tables as (head, rows)."""
        from firmware_agent.stream import _BATCH

        lines = ["", "## Link", ""]
        lines += [
            f"A heartbeat: {len(FIELDS)} fields ({', '.join(FIELDS)}) once a second over a minute of the demonstration's "
            f"hardware at a real agent: well, from second {SAGS_AT // 1000} to {MENDED_AT // 1000} a supply that sags again "
            "and again, four pre-flights. Noisy: the supply moves by up to 20 mV, the host's round trip by 5 ms, each "
            "second. Our stream tells what changed, everything each ten seconds, and each five seconds that it lives; what "
            "that takes on the line is divided by sixty. The others, and our frames beside it, tell every field each "
            "second: CBOR with numbers for names, as we have it, but for JSON lines, which have neither number nor "
            f"checksum. So many would go over a line of {link_line.BAUD} baud each second.",
            "",
        ]
        head = ["", *(f"bytes, a minute {kind}" for kind in self.heartbeats), "a second", "bytes, every field moves"]
        first, second = self.heartbeats.values()
        rows = []
        for name in first:
            peer = next((peer for peer in self.peers if peer.name == name), None)
            every = self.all_changed.get(name, self.all_changed["our frames"])
            rows.append(
                [
                    shown(peer) if peer else name,
                    f"{first[name]:.1f}",
                    f"{second[name]:.1f}",
                    f"{A_SECOND / first[name]:,.0f}",
                    f"{every:.1f}",
                ]
            )
        lines.append((head, rows))
        if self.missing:
            lines += ["", "Not installed: " + ", ".join(self.missing) + "."]
        lines += [
            "",
            f"Decoding {FRAMES:,} frames of {BODY} bytes of CBOR, which come in pieces of {PIECE:,}: {ROUNDS} rounds, taking "
            "turns. `cobs` and `pw_hdlc` have their checksums by zlib, `cobs` its stuffing in C.",
            "",
            (
                ("", "MB a second, median", "lowest", "highest"),
                [
                    [shown(next(peer for peer in self.peers if peer.name == name))]
                    + [f"{value / 1e6:,.1f}" for value in (median(speeds), min(speeds), max(speeds))]
                    for name, speeds in self.decoded.items()
                ],
            ),
        ]
        share, payload, happened, read, dropped = self.saturated
        lines += [
            "",
            f"An agent's own link at {link_line.BAUD} baud, both ends on this machine: what is computed takes its time, the "
            f"line is waited for without waiting. A flood of ten times what the line carries: {happened:,} events in 20 s, "
            f"{read:,} of them read, {dropped:,} told as dropped, the rest in the ring. {share:.1%} of what the line can "
            f"carry are frames of the stream, {payload:.1%} are the events in them (batches of {_BATCH} bytes). A pre-flight "
            f"with all its findings takes {self.idle * 1000:.0f} ms, in that flood {self.flooded * 1000:.0f} ms: it waits "
            f"for one frame. Pulled by cursor in pieces of 2,048 bytes, {self.pull[0]:.1%} of the line is in use, "
            f"{self.pull[1]:.1%} are events: base64 takes a third more.",
            "",
            f"Encoding one event into the ring, and one frame of changes: best of {link_device.ROUNDS} rounds of "
            f"{link_device.TIMES}, collections left out.",
            "",
        ]
        found = {runtime: what for runtime, what in self.events.items() if what}
        head = ["fields", *(f"µs, {what}, {runtime}" for runtime in found for what in ("event", "frame"))]
        rows = []
        for at, count in enumerate(link_device.FIELDS):
            row = [str(count)]
            for what in found.values():
                row += [f"{what[kind][at][1]:.1f}" for kind in ("event", "frame")]
            rows.append(row)
        lines.append((head, rows))
        if "MicroPython" in found:
            few, many = (found["MicroPython"]["event"][at] for at in (1, -1))
            lines += ["", f"Under MicroPython each field more takes {(many[1] - few[1]) / (many[0] - few[0]):.1f} µs."]
        return lines


class _Told:
    """As much of an agent as a Stream looks at."""

    def __init__(self, clock):
        self.clock = clock
        self.snapshot = Snapshot(clock)
        self.events = Ring(clock, 1)


def streamed(told):
    """All bytes of our stream from the second value on: whoever reads had the first."""
    clock = Clock(None)
    agent = _Told(clock)
    stream = Stream(agent, 1)
    data = b""
    for turn, (uptime_ms, values) in enumerate(told):
        clock.now = uptime_ms
        for name, value in values.items():
            agent.snapshot.put(name, value)
        if turn == 0:
            stream.renew({"lease_s": 600, "credit": 65535})
        frame = stream.next()
        while frame:
            data += frame if turn else b""
            frame = stream.next()
    return data


def noisy(told):
    chance = random.Random(7)
    moved = []
    for uptime_ms, values in told:
        values = dict(values)
        for name in ("supply_mv", "supply_min_mv", "supply_max_mv", "supply_ripple_mv"):
            values[name] = abs(values[name] + chance.randint(-20, 20))
        values["network_host_ms"] += chance.randint(-5, 5)
        moved.append((uptime_ms, values))
    return moved


def _body(chance):
    """CBOR of 256 bytes, as a batch of events looks."""
    body = b""
    number = chance.randrange(1000, 60000)
    while len(body) < BODY:
        number += 1
        event = {
            0: number,
            1: chance.randrange(1 << 24),
            2: chance.randrange(30),
            3: {27: chance.randrange(100000), 40: 3},
        }
        body += cbor2.dumps(event)
    return body[:BODY]


def on_micropython():
    """As link_device.found, under MicroPython; None where there is none."""
    try:
        import micropython_unix  # noqa: F401
    except ImportError:
        return None
    with tempfile.TemporaryDirectory() as beside:
        compiled.compile_beside(beside, {"bench.link_device": Path(__file__).with_name("link_device.py")})
        module = compiled.flat("bench.link_device")
        done = subprocess.run(
            [sys.executable, "-c", _START, "-X", "heapsize=1M", "-c", f"import {module}; {module}.tell()"],
            cwd=compiled.compiled(),
            env={**os.environ, "MICROPYPATH": f":{beside}:.frozen"},
            capture_output=True,
            text=True,
        )
    if done.returncode:
        raise RuntimeError("events on MicroPython: " + done.stdout + done.stderr)
    return json.loads(done.stdout)
