"""What a gate between till and terminal costs: time of an APDU, delay of a byte on a slow line, a till's wait for refunds."""

from statistics import median

from . import gate_apdus, gate_pace, gate_refunds
from .gate_lines import DIRECT, PSEUDO, SOCAT, SOCKETS, Socat, Stuck, runtimes, undisturbed

CHARACTER_MS = gate_pace.CHARACTER_S * 1000
AIM_CHARACTERS = {"cpython": 1, "micropython": 2}  # of the time added to an APDU, p99
_FETCHED = "socat"  # folder, in that of what is built


class Measured:
    """`apdus`: {kind of line: {between: gate_apdus.Spans}}; `pace`: of gate_pace.measure; `refunds`: of gate_refunds.measure;
    `socat`: its version, None where there is none; `alone`: True if nothing else of the machine was in the way; `missing`:
    what did not work."""

    def __init__(self, folder, built):
        socat = Socat(built / _FETCHED)
        self.socat = socat.version
        self.runtimes = runtimes()
        self.apdus, self.pace, self.refunds, self.missing = {}, {}, {}, []
        with undisturbed() as self.alone:
            for kind in (PSEUDO, SOCKETS):
                found = self._try(f"APDUs over {kind}", lambda kind=kind: gate_apdus.measure(kind, folder, socat))
                self.apdus[kind] = {between: gate_apdus.Spans(spans, found[DIRECT]) for between, spans in found.items()}
            self.pace = self._try("the paced line", lambda: gate_pace.measure(folder, socat))
        self.refunds = self._try("refunds", lambda: gate_refunds.measure(folder))

    def _try(self, what, measure):
        try:
            return measure()
        except (Stuck, OSError) as error:
            self.missing.append(f"{what}: {error}")
            return {}

    def ratios(self):
        """As Report.ratios: [(what, value, aim)]."""
        lines = []
        for kind, found in self.apdus.items():
            for runtime in found.keys() & self.runtimes.keys():
                if SOCAT in found:
                    name = f"time of an APDU through the gate, {self.runtimes[runtime]}, {kind} : through socat"
                    lines.append((name, found[runtime].through / found[SOCAT].through, "<= 4.00"))
        return sorted(lines)

    def plain(self):
        """[(value, what, aim)] of what is no ratio."""
        for kind, found in self.apdus.items():
            for runtime in self.runtimes.keys() & found.keys():
                aim = AIM_CHARACTERS[runtime] * CHARACTER_MS
                name = f"ms added to an APDU by the gate, p99, {self.runtimes[runtime]}, {kind}"
                yield found[runtime].p99 * 1000, name, f"<= {aim:.2f}"
        for runtime in self.runtimes.keys() & self.pace.keys():
            first, rest = self.pace[runtime]
            name = f"characters of delay on a line of 9600 baud, {self.runtimes[runtime]}, "
            yield _p99(first), name + "first four bytes of a command, p99", "<= 2.00"
            yield _p99(rest), name + "all others, p99", "<= 2.00"
        for runtime, (done, held) in self.refunds.items():
            for spans, what in ((done, "that is done"), (held, "that is held")):
                if spans:
                    yield median(spans) * 1000, f"ms a till waits for a refund {what}, {self.runtimes[runtime]}", ""

    def markdown(self):
        """Lines of results.md."""
        its = self.runtimes
        names = {DIRECT: "nothing", SOCAT: f"socat {self.socat}", **{name: f"the gate, {its[name]}" for name in its}}
        turns = gate_apdus.TURNS * gate_apdus.AT_ONCE
        lines = ["", "## Gate", ""]
        lines += [
            f"An agent (`refund-agent run --gate`) between till and terminal, and in its place {names[SOCAT]}, or nothing."
            if self.socat
            else "An agent (`refund-agent run --gate`) between till and terminal, or nothing. socat was not there.",
            f"{turns} conversations over each, {gate_apdus.AT_ONCE} in turn: {self._sizes()}; each goes out as soon as the "
            "one before has come, in frames with an ACK for each over pseudo-terminals, bare over sockets. Measured from "
            "the write of a message until its last byte comes out. What is added is that, less the median of the same "
            "message with nothing between. "
            + (
                "All of it ran before whatever else the machine does (SCHED_FIFO)."
                if self.alone
                else "Other work of the machine was in the way: the system does not let this go before it."
            ),
            "",
        ]
        rows = []
        for kind, found in self.apdus.items():
            for between, spans in found.items():
                ratio = f"{spans.through / found[SOCAT].through:.1f}" if SOCAT in found else ""
                times = (spans.through, spans.added, spans.p99, spans.most)
                rows.append((kind, names[between], *(f"{span * 1e6:,.0f}" for span in times), ratio))
        head = ("over", "between", "µs, median", "added, median", "p99", "most", "median : socat's")
        lines += [(head, rows), ""]
        lines += ["Added to each message, µs, median:", ""]
        rows = []
        for kind, found in self.apdus.items():
            for between in found.keys() - {DIRECT}:
                by = found[between].by_message
                cells = [f"{by[name] * 1e6:,.0f}" if name in by else "" for name in gate_apdus.MESSAGES]
                rows.append((kind, names[between], *cells))
        lines += [(("over", "between", *gate_apdus.MESSAGES), sorted(rows)), ""]
        lines += [
            f"A line of 9600 baud, 8N2, whose bytes are written one each {CHARACTER_MS:.3f} ms: how long each is kept, in "
            "characters. Of a command's frame the first four bytes wait until the fourth tells whether it may pass: the "
            "first one three characters. On a real line, which takes them no faster than they came, all of such a frame is "
            "three characters late; answers of the terminal are not.",
            "",
        ]
        rows = []
        for between, (first, rest) in self.pace.items():
            for spans, what in ((first, "first four of a command"), (rest, "all others")):
                cells = (f"{value:.2f}" for value in (median(spans), _p99(spans), max(spans)))
                rows.append((names[between], what, f"{len(spans):,}", *cells))
        lines += [(("between", "bytes", "count", "median", "p99", "most"), rows), ""]
        lines += [
            "Refunds at a till, with all checks, the question after the terminal's last receipt, and the journal; the "
            "terminal is simulated and takes no time. From 06 31 until 06 0F, and until 06 1E where it is held (there is no "
            f"such sale); {gate_refunds.COUNT} of each were asked for.",
            "",
        ]
        rows = []
        for runtime, both in self.refunds.items():
            for spans, what in zip(both, ("done", "held"), strict=True):
                cells = [f"{value * 1000:,.0f}" for value in (median(spans), max(spans))] if spans else ["", ""]
                rows.append((its[runtime], what, str(len(spans)), *cells))
        lines += [(("", "a refund that is", "count", "ms, median", "most"), rows)]
        for missing in self.missing:
            lines += ["", f"Not measured: {missing}."]
        return lines

    def _sizes(self):
        return "; ".join(f"{name}, {len(message)} bytes" for name, message in gate_apdus.MESSAGES.items())


def _p99(spans):
    return sorted(spans)[int(len(spans) * 0.99)]
