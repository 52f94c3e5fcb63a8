"""The agent: watchers, checks, journal and link over the ports it is handed (composed.py). One asyncio loop."""

import asyncio
import sys

from .case import Case
from .preflight import checking
from .wire.errors import WireError
from .wire.messages import PASS
from .wire.steps import finished, worked

_FRESH_MS = 3000  # a terminal status older than this is asked anew before a pre-flight
_FRESHEN_MS = 800  # how long a pre-flight waits for it


class Agent:
    """`ports`: object with power, network, clock, flash, policy_flash, link, terminal, light, thermometer, watchdog and
    gate, None where there is none (hal/ports.py has their contracts). `settings`: {"power": …, "network": …, "terminal": …,
    "climate": …, "policy": the board's own rules, "keys": {key id: public key of whoever may sign policies}}, the board's
    data. `about`: {"version", "runtime", "runtime_version", "board"}. `reason`: of this boot, its place in REASONS.

    Raises journal.JournalError when the flash cannot hold a journal.
    """

    # what composed.py puts there
    clock: "Any"  # noqa: F821  # pyright: ignore[reportUndefinedVariable]
    terminal: "Any"  # noqa: F821  # pyright: ignore[reportUndefinedVariable]
    light: "Any"  # noqa: F821  # pyright: ignore[reportUndefinedVariable]
    snapshot: "Any"  # noqa: F821  # pyright: ignore[reportUndefinedVariable]
    history: "Any"  # noqa: F821  # pyright: ignore[reportUndefinedVariable]
    events: "Any"  # noqa: F821  # pyright: ignore[reportUndefinedVariable]
    policy: "Any"  # noqa: F821  # pyright: ignore[reportUndefinedVariable]
    health: "Any"  # noqa: F821  # pyright: ignore[reportUndefinedVariable]
    watchdog: "Any"  # noqa: F821  # pyright: ignore[reportUndefinedVariable]
    device: "Any"  # noqa: F821  # pyright: ignore[reportUndefinedVariable]
    climate: "Any"  # noqa: F821  # pyright: ignore[reportUndefinedVariable]
    reference: "Any"  # noqa: F821  # pyright: ignore[reportUndefinedVariable]
    line: "Any"  # noqa: F821  # pyright: ignore[reportUndefinedVariable]
    power: "Any"  # noqa: F821  # pyright: ignore[reportUndefinedVariable]
    network: "Any"  # noqa: F821  # pyright: ignore[reportUndefinedVariable]
    watch: "Any"  # noqa: F821  # pyright: ignore[reportUndefinedVariable]
    conductor: "Any"  # noqa: F821  # pyright: ignore[reportUndefinedVariable]
    link: "Any"  # noqa: F821  # pyright: ignore[reportUndefinedVariable]
    keeper: "Any"  # noqa: F821  # pyright: ignore[reportUndefinedVariable]

    def __init__(self, ports, settings, about, reason=0):
        self.about = about
        self.settings = settings
        self._asked = []  # uptime of the requests for a refund within the last minute
        self._nudge = asyncio.Event()
        self.tasks = ()  # of `run`; held, for the loop of CPython keeps none alive by itself
        from . import composed

        sys.modules.pop(composed.__name__, None)
        composed.compose(self, ports, settings, reason, self._let_pass)

    async def run(self):
        """Never returns. What it raises is the end of the agent."""
        parts = (self._watch_power, self._watch_network, self._watch_terminal, self._pulse)
        if self.keeper:
            parts += (self._keep_gate,)
        self.tasks = [asyncio.create_task(self._forever(part)) for part in parts]
        await asyncio.gather(self._forever(self.link.run), *self.tasks)

    async def _forever(self, task):
        while True:
            try:
                await task()
            except Exception as error:  # no fault of one part may end the others
                self.health.fell(self, error)
                await asyncio.sleep(1)

    async def _watch_power(self):
        while True:
            self.power.sample()
            await asyncio.sleep(self.power.every_ms / 1000)

    async def _watch_network(self):
        while True:
            soon = await self.network.sample()
            await asyncio.sleep((soon or self.network.every_ms) / 1000)

    async def _keep_gate(self):
        await self.keeper.gate.run(self.keeper)  # pyright: ignore[reportOptionalMemberAccess]

    async def _watch_terminal(self):
        while True:
            self._nudge.clear()  # also while the terminal is at work, or this would turn without a pause
            if not self.conductor.busy and not self.terminal.busy:
                idle = await self.watch.sample()
                if idle and (not self.history.open or await self.conductor.resolve()) and not self._sees_receipts():
                    try:
                        await self.watch.look_at_receipt()
                    except OSError:
                        pass  # it cannot tell now; the next round asks again
            # a terminal that did not answer is asked again soon: silence counts after two enquiries
            pause = 1000 if self.watch.misses else self.watch.every_ms
            try:
                await asyncio.wait_for(self._nudge.wait(), pause / 1000)
            except asyncio.TimeoutError:
                pass

    def _sees_receipts(self):
        """True where nothing is sold that does not pass our gate."""
        return self.keeper and self.terminal.alone and self.snapshot.get("terminal_receipt") is not None

    async def _pulse(self):
        turn = 0
        while True:
            if not turn % 60:
                self.device.sample()
            if not turn % 10:
                self.climate.sample()
                self.line.sample()
            turn += 1
            self.health.look()
            self.light.show(self.check(None).colour)
            self.health.turned()
            self.watchdog.feed()  # what feeds it must be what works: the loop, not a timer
            await asyncio.sleep(1)

    # ---- what may be asked ----
    def checking(self, request):
        """In steps (wire/steps.py), the Verdict now; request None: of the hardware alone."""
        asked = self._asked
        while asked and self.clock.uptime_ms() - asked[0] > 60000:
            asked.pop(0)
        self.snapshot.put("requests", len(asked))
        return checking(Case(request, self.snapshot, self.policy, self.history, self.clock.wall_s(), self.terminal))

    def check(self, request):
        return finished(self.checking(request))

    def _told(self, verdict, request):
        """The Verdict of a request, once it is an event and the light shows it."""
        self.light.show(verdict.colour)
        numbers = {"verdict": verdict.worst, "receipt": request["receipt"], "amount": request["amount"]}
        if not verdict.goes:
            numbers["cause"] = verdict.findings[0]["cause"]
        self.events.add("verdict", numbers)
        return verdict

    def told_time(self, asked):
        """The asking computer's clock is a reference for ours."""
        if asked.get("wall_s") and not getattr(self.clock, "own_time", False):
            self.reference.told(asked["wall_s"], True)

    def _let_pass(self, request):
        """The Verdict that a refund is begun by, or held; what speaks against it is journaled. As history.record."""
        self.told_time(request)
        verdict = self._told(self.check(request), request)
        if verdict.worst > PASS:
            self.history.record_verdict(request["key"], verdict.worst, verdict.findings[: verdict.counting], request)
        if verdict.goes:
            self._asked.append(self.clock.uptime_ms())
        return verdict

    def _refuse_currency(self, request):
        currencies = self.terminal.currencies  # empty: no terminal to ask, which cause 1 speaks of
        if currencies and request["currency"] not in currencies:
            raise WireError("currency", "currency")

    async def preflight(self, request):
        """The Verdict of a request ({name: value} of REFUND_REQUEST). WireError: a field is not right."""
        self._refuse_currency(request)
        age = self.snapshot.age_ms("terminal_code")
        if not self.conductor.busy and (age is None or age > _FRESH_MS):
            self._nudge.set()
            for _ in range(_FRESHEN_MS // 20):
                await asyncio.sleep(0.02)
                await self.link.at_work()
                age = self.snapshot.age_ms("terminal_code")
                if age is not None and age <= _FRESH_MS:
                    break
        self.told_time(request)
        await self.link.at_work()
        return self._told(await worked(self.checking(request), self.link.at_work), request)

    async def refund(self, request):
        """{name: value} of REFUND_ANSWER. The same key gets the same answer; while a refund is under way its answer is not
        final and the same request may be repeated until it is. WireError: refused, nothing was done."""
        self._refuse_currency(request)
        return await _refunding().refund(self, request)

    def answer_of(self, request, refund, earlier, final=True):
        """{name: value} of REFUND_ANSWER about a Refund, None for one that was never begun."""
        return _refunding().answer_of(self, request, refund, earlier, final)

    async def settle(self, asked):
        """{name: value} of REFUND_ANSWER after a person settled a doubt ({name: value} of SETTLE_REQUEST)."""
        return await _refunding().settle(self, asked)

    def status(self, asked=None):
        """{name: value} of STATUS_ANSWER; `asked`: of STATUS_REQUEST."""
        from . import report

        self.told_time(asked or {})
        sys.modules.pop(report.__name__, None)
        return report.status(self)


def _refunding():
    """Loaded when somebody asks, and let go: a board's heap is small."""
    from . import refunding

    sys.modules.pop(refunding.__name__, None)
    return refunding
