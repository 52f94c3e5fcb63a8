"""Puts what was measured into results.md, and its ratios into a few plain lines."""

import platform
import sqlite3
from statistics import median

from . import commits, growth, lifetime, peers, preflight, programmed


class Report:
    """`speeds`: of commits.measure; `flash`: of programmed.measure; `rows`: [(records, growth.Costs)], the ring last;
    `preflights`: preflight.Measured; `gate`: gate.Measured; `link`: link.Measured."""

    def __init__(self, speeds, flash, rows, preflights, gate, link):
        self.gate = gate
        self.link = link
        self.preflights = preflights
        self.speeds = speeds
        self.flash = flash
        self.rows = rows

    def ratios(self):
        """[(what, value, aim)], none of which depends much on the machine."""
        ours, limit, full, wal, delete = self.speeds
        lines = []
        for name in (ours, full):
            lines.append((f"commits a second, {name} : {limit}", commits.ratio(self.speeds, name, limit), ""))
        lines[0] = (*lines[0][:2], ">= 0.80")
        better = max((wal, delete), key=lambda name: median(self.speeds[name]))
        for name in (wal, delete):
            aim = ">= 1.50" if name == better else ""
            lines.append((f"commits a second, {ours} : {name}", commits.ratio(self.speeds, ours, name), aim))
        lines.append((f"commits a second, {limit} : {better}", commits.ratio(self.speeds, limit, better), ""))
        for port, found in self.flash.items():
            for ring in ("new", "full"):
                if "littlefs" in found:
                    value = found[ring][0] / found["littlefs"][0]
                    lines.append((f"bytes programmed a refund, {port}, ring {ring} : littlefs", value, "<= 0.10"))
        few, many = self.rows[0], self.rows[-2]
        for name, what in (("computing", "computing"), ("whole", "in all")):
            value = getattr(many[1], name) / getattr(few[1], name)
            lines.append((f"an append at {many[0]:,} records : at {few[0]:,}, {what}", value, "flat"))
        return lines + self._preflight_ratios() + self.gate.ratios() + self.link.ratios()

    def _preflight_ratios(self):
        its = self.preflights
        lines = []
        for whole, rounds, what in (
            (preflight.WHOLE, its.rounds, "a whole pre-flight, everything passes"),
            (preflight.WHOLE, its.unknown, f"a whole pre-flight, {its.unknowns} causes UNKNOWN"),
            ("", its.rounds, "sixty true or false, facts handed over"),
        ):
            ratios = {peer: its.ratio(peer, whole, rounds) for peer in peers.PEERS}
            best = min((peer for peer in ratios if not peer.compiled), key=ratios.get)
            for peer, value in ratios.items():
                name = peer.package + (", compiled from Rust" if peer.compiled else "")
                lines.append((f"µs of {what}, {name} : of our pre-flight", value, ">= 10.00" if peer is best else ""))
        few, *_, many = its.growth
        lines.append((f"a pre-flight after {many:,} refunds : after {few:,}", its.grown, "flat"))
        if its.device:
            few, many = its.device["growth"][0], its.device["growth"][-1]
            name = f"a pre-flight under MicroPython, after {many[0]:,} refunds (64 KB, full) : after {few[0]:,}"
            lines.append((name, median(many[1]) / median(few[1]), "flat"))
        return lines

    def programmed(self):
        """Bytes a refund, of a full ring, where the flash takes few bytes at once: what is left of a page is no wear."""
        return self.flash[programmed.PORTS[0][0]]["full"][0]

    def plain(self):
        """Lines for a terminal."""
        for what, value, aim in self.ratios():
            yield f"{value:8.2f}  {what}" + (f"  (aim {aim})" if aim else "")
        if self.preflights.device:
            yield f"{self.preflights.device['kept']:8.0f}  bytes of heap kept after a pre-flight under MicroPython  (aim 0)"
        for value, what, aim in (*self.gate.plain(), *self.link.plain()):
            yield f"{value:8.2f}  {what}" + (f"  (aim {aim})" if aim else "")
        yield f"{lifetime.years(self.programmed()):8.0f}  years of a flash, {lifetime.TERMS}  (aim >= 10)"

    def markdown(self):
        """The text of results.md."""
        lines = [
            "# Benchmarks of journal, pre-flight, gate and link",
            "",
            f"Written by `make bench` (`python -m bench`), {platform.python_implementation()} {platform.python_version()}, "
            f"SQLite {sqlite3.sqlite_version}, {platform.system()} on {platform.machine()}. All of it comes from one run on "
            "one disk. What is measured, and how, is in the folder `bench/`, a module for each part.",
            "",
            "## Ratios",
            "",
            "These depend little on the machine.",
            "",
        ]
        lines += _table(("what", "ratio", "aim"), [(what, f"{value:.2f}", aim) for what, value, aim in self.ratios()])
        lines += self._commits() + self._flash() + self._growth() + self._lifetime() + self._preflight()
        for line in self.gate.markdown() + self.link.markdown():
            lines += [line] if isinstance(line, str) else _table(*line)
        return "\n".join(lines) + "\n"

    def _commits(self):
        rows = []
        for name, speeds in self.speeds.items():
            rows.append((name, *(f"{value:,.0f}" for value in (median(speeds), min(speeds), max(speeds)))))
        return [
            "",
            "## Commits a second",
            "",
            f"{commits.ROUNDS} rounds of {commits.COMMITS} commits of each, {commits.AT_ONCE} at once, in changing order. "
            "The records are those of refunds, and each is on the disk before the next. The ratios above are the medians of "
            "the rounds' ratios.",
            "",
            *_table(("", "median", "lowest", "highest"), rows),
            "",
            "SQLite has one table with an index by key, `synchronous=FULL`, one INSERT a transaction. The limit writes the "
            "same number of bytes into a file of fixed size. The full ring is one of 64 KB that has gone round: besides what "
            "is appended it copies what is kept of the oldest sector.",
        ]

    def _flash(self):
        rows = []
        for port, found in self.flash.items():
            for name, what in (
                ("new", "our journal, not yet full"),
                ("full", "our journal, full"),
                ("littlefs", "littlefs"),
            ):
                if name in found:
                    rows.append((port, what, f"{found[name][0]:,.0f}", f"{found[name][1]:.2f}"))
        ports = "; ".join(f"{name}: pages of {page} bytes, progsize {size}" for name, page, size in programmed.PORTS)
        return [
            "",
            "## Flash programmed for a refund",
            "",
            "Three records: REQUESTED, SENT, APPROVED; blocks of 4096 bytes. littlefs (VfsLfs2 of MicroPython on a block "
            "device that counts) has the bodies alone in one file, which grows, and a flush after each. Ours is a ring of "
            f"64 KB, with headers, checksums, and, once it is full, what it carries. {ports}.",
            "",
            *_table(("", "", "bytes", "erases"), rows),
        ]

    def _growth(self):
        rows = []
        for at, (records, costs) in enumerate(self.rows):
            name = f"{records:,}" + (", a ring of 64 KB that turned 50 times" if at == len(self.rows) - 1 else "")
            rows.append(
                (
                    name,
                    f"{costs.computing:.1f}",
                    f"{costs.whole:.0f}",
                    f"{costs.opening:,.0f}",
                    f"{costs.ram / 1024:.1f}",
                    f"{costs.search:.1f}",
                )
            )
        head = ("records", "append, computing, µs", "append with sync, µs", "open, ms", "RAM, KB", "search, ms")
        return [
            "",
            "## With more records",
            "",
            f"A journal of {growth.SIZE >> 20} MB, and the ring. Opening reads every record once; a search (is this key "
            "new?) goes through the region. Best of several rounds: whatever else the machine does only adds.",
            "",
            *_table(head, rows),
        ]

    def _lifetime(self):
        size = self.programmed()
        return [
            "",
            "## Lifetime",
            "",
            "years = region × cycles / (refunds a day × bytes programmed a refund × 365), of a full ring.",
            f"With {lifetime.TERMS}, and {size:,.0f} bytes: **{lifetime.years(size):.0f} years**.",
        ]

    def _preflight(self):
        its = self.preflights
        packages = {peer.package: peer for peer in peers.PEERS}

        def rows(rounds, whole):
            """Of our pre-flight and of those libraries' whose job is this."""
            for name, spans in rounds.items():
                package, is_whole, _ = name.partition(preflight.WHOLE)
                peer = packages.get(package)
                if peer and bool(is_whole) != whole:
                    continue
                what = "Python" if not peer or not peer.compiled else "Rust"
                shown = peers.version(peer) if peer else name
                yield (shown, what, *(f"{value:,.0f}" for value in (median(spans), min(spans), max(spans))))

        head = ("", "is in", "µs, median", "lowest", "highest")
        lines = [
            "",
            "## Pre-flight",
            "",
            f"{preflight.ROUNDS} rounds of {preflight.AT_ONCE} pre-flights of each, taking turns; the ratios above are the "
            f"medians of the rounds' ratios. Before that each library judged all {its.played} scenario files (every cause "
            "found, nearly found, and with its data missing), and said what our pre-flight says: which causes pass, which "
            "are found, which are UNKNOWN and for want of what, in what order, and the verdict. A library in Rust is "
            "faster where its facts are handed over ready-made, and where it has to put them together it is not.",
            "",
            "**The whole job.** Both sides begin with the same agent: its snapshot, a journal of 1 MiB (a file, as an agent "
            "on Linux has it), its policy, and the request. Both put together the same case, by the same code of ours, which "
            "asks the journal for the sale, its earlier refunds and what people said of it, and the policy's lists. We then "
            "run our sixty checks. A library's side flattens the case into one dictionary (`bench/facts.py`; what only the "
            "policy says is in it beforehand), asks sixty rules whether there is something to find (`bench/rules.py`), and "
            "of those that say so asks one expression more, why: found, or what is missing (`bench/reasons.py`). Both rank "
            "by the same code. Ours builds the evidence of what it finds besides; theirs do not. Here everything passes, so "
            "no library is asked why, and we build no evidence:",
            "",
            *_table(head, list(rows(its.rounds, True))),
            "",
            f"Without a policy {its.unknowns} causes are UNKNOWN, each with what is missing:",
            "",
            *_table(head, list(rows(its.unknown, True))),
            "",
            "**Sixty times true or false.** A library gets the flat dictionary ready-made, and nobody counts what that took; "
            "its answers are sixty times true or false. Ours is the whole pre-flight, as above:",
            "",
            *_table(head, list(rows(its.rounds, False))),
            "",
            "Rules are parsed once where a library can; json-logic in Python cannot. A library in Rust gets the sixty as one "
            "expression that makes a list, so that the facts are converted once. cel-python is not here: it cannot compare a "
            "number with null.",
            "",
            f"With more refunds and their sales in a journal of {preflight.SIZE >> 20} MiB in sectors of 4 KB, none of "
            "them of the sale that is asked for. The first pre-flight after a start enters every full sector in the "
            "index.",
            "",
            *_table(
                ("refunds journaled", "µs, median", "lowest", "first after a start, ms"),
                [
                    (f"{count:,}", f"{median(spans):,.0f}", f"{min(spans):,.0f}", f"{its.first[count]:,.1f}")
                    for count, spans in its.growth.items()
                ],
            ),
        ]
        return lines + self._preflight_on_micropython()

    def _preflight_on_micropython(self):
        device = self.preflights.device
        if not device:
            return []
        rows = [("none", device["us"]), *((f"{count:,}", spans) for count, spans in device["growth"])]
        return [
            "",
            f"Under MicroPython on this machine, from .mpy, with {preflight.HEAP}B of heap and a ring of 64 KB in sectors of "
            f"4 KB, collections included. One pre-flight takes {device['used']:,} bytes of heap on the way, if nothing is "
            f"collected (objects are twice the size of a board's here), and keeps **{device['kept']}**: what is taken after "
            "one and a collection is what is taken after a hundred more.",
            "",
            *_table(
                ("refunds journaled", "µs, median", "lowest"),
                [(name, f"{median(spans):,.0f}", f"{min(spans):,.0f}") for name, spans in rows],
            ),
        ]


def _table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]
