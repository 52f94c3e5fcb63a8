"""Performs the life-cycle of refunds: checks, journals each state before it acts, asks the terminal, resolves doubts."""

import asyncio

from .history import Refund
from .journal import Full
from .refund import compare, identity, step
from .wire.errors import WireError
from .wire.messages import REQUESTED, SENT

# How long a terminal may stay at work before its refund is left in doubt: T4 of ZVT, 180 s, and a little more.
_PATIENCE_MS = 200000
_MISSES = 2  # enquiries in a row without an answer until we stop waiting for the terminal
_PAUSE_S = 0.2
_TURNS = 10  # how often a terminal that is at work is looked at before its refund is held
_TELL_MS = 5000  # a verdict older than this is not told any more: who asks then wants a new one

_NEW = Refund("")

# Facts of a request that are journaled with REQUESTED.
_REQUEST = ("receipt", "amount", "currency", "sale_amount", "sale_date", "card", "operator", "scheme", "void")


class Conductor:
    """One refund at a time. `history`: History; `terminal`: Terminal port; `watch`: TerminalWatch; `events`: Ring;
    `check(request)`: the Verdict; `clock`: Clock port."""

    def __init__(self, history, terminal, watch, events, check, clock):
        self.history = history
        self.terminal = terminal
        self.watch = watch
        self.events = events
        self.check = check
        self.clock = clock
        self.lock = asyncio.Lock()
        self._done = asyncio.Event()
        self.task = None
        self.active = None  # key of the request under way
        self._held = None  # (key, Verdict or WireError, when): why the last request was not begun

    @property
    def busy(self):
        """True while a refund or the resolution of a doubt is under way."""
        return self.active is not None or self.lock.locked()

    def begin(self, request):
        """Start to work on a request ({name: value} of REFUND_REQUEST, with its key). Not while `busy`."""
        self.active = request["key"]
        self._held = None
        self._done.clear()
        self.task = asyncio.create_task(self._begun(request))

    async def _begun(self, request):
        await self.work(request)
        self.task = None  # it would keep the request, and a till's wish with the module that it came from

    async def settled(self, timeout_ms):
        """Wait until nothing is under way, at most `timeout_ms`."""
        if self.active is not None:
            try:
                await asyncio.wait_for(self._done.wait(), timeout_ms / 1000)
            except asyncio.TimeoutError:
                pass

    def held(self, key):
        """The Verdict or WireError that kept the request with this key from being begun; told once, else None."""
        held, self._held = self._held, None
        if held is None or held[0] != key or self.clock.uptime_ms() - held[2] > _TELL_MS:
            return None
        return held[1]

    def _hold(self, key, what):
        self._held = (key, what, self.clock.uptime_ms())

    async def work(self, request):
        """One request from its checks to its end; `begin` starts it as a task."""
        key = request["key"]
        try:
            async with self.lock:
                await self._resolve(key)
                refund = self.history.find(key) or Refund(key)
                # REQUESTED or SENT: as it was when the power went
                state, action = step(refund.state, "boot" if refund.state in (REQUESTED, SENT) else "ask")
                facts = {}
                if state == REQUESTED:
                    for _ in range(_TURNS):
                        if await self.watch.sample() or self.watch.misses:
                            break
                        await asyncio.sleep(_PAUSE_S)  # at work for somebody: that may be over soon
                    if not self._goes(key, request):
                        return
                    facts = {name: request[name] for name in _REQUEST if name in request}
                    if request.get("wish") and self.terminal.alone:
                        facts["alone"] = 1
                self.enter(refund, state, facts)
                refund.wish = request.get("wish")  # behind _enter, which begins a request with nothing
                await self._drive(refund, action)
        except (Full, OSError):  # what is open stays as it is journaled, and is resolved when there is room again
            self.events.add("journal_full")
            if self.history.open.get(key, _NEW).state != SENT:
                self._hold(key, WireError("journal_full"))
        except Exception as error:  # our own fault: what is journaled stays as it is, and is resolved like after a boot
            self.events.add("fault", {"missing": repr(error)[:60]})
            self._hold(key, WireError("agent_fault"))
        finally:
            self.active = None
            self._done.set()

    def _goes(self, key, request):
        """True if the checks let it pass. Apart from `work`, which would keep the verdict for as long as a refund takes."""
        verdict = self.check(request)
        if not verdict.goes:
            self._hold(key, verdict)
        return verdict.goes

    async def resolve(self):
        """Ask the terminal after every refund that is open. True if none is left open."""
        if not self.busy:
            async with self.lock:
                try:
                    await self._resolve(None)
                except (Full, OSError):
                    if not self.history.failing:
                        raise
        return not self.history.open

    async def _resolve(self, key):
        for refund in list(self.history.open.values()):
            if refund.key != key:
                state, action = step(refund.state, "boot")
                self.enter(refund, state, {})
                await self._drive(refund, action)

    def enter(self, refund, state, facts):
        """Journal a new state; `lock` is held meanwhile. As history.record."""
        if state != refund.state:
            self.history.record(refund, state, facts)
            self.events.add("refund", {"state": state, "receipt": refund.receipt, "amount": refund.amount})

    async def _drive(self, refund, action):
        while action != "answer":
            event, facts = await self._perform(refund, action)
            state, action = step(refund.state, event)
            self.enter(refund, state, facts)

    async def _perform(self, refund, action):
        """Do `action`; the event that came of it and {name: value} of what became known."""
        if action == "ask_baseline":
            try:
                return "baseline", {"before": identity(await self.terminal.last_receipt())}
            except OSError:
                return "no_baseline", {}
        if action == "send":
            try:
                outcome = await self.terminal.refund(refund.amount, refund.currency, refund.wish)
            except OSError:
                return "silence", {}
            self.watch.heard(outcome.code)
            if outcome.accepted:
                its = identity(outcome.receipt)
                if its and refund.before and its[0] is not None and its[:2] == refund.before[:2]:
                    return "silence", {}  # the last receipt from before: it answered another question
                return "accepted", self._facts(refund, outcome.receipt, outcome.code)
            refund.code = outcome.code  # believed only when the terminal's last receipt agrees
            return "refused", {}
        return await self._compare(refund)

    async def _compare(self, refund):
        self.events.add("doubt_asked", {"receipt": refund.receipt, "amount": refund.amount})
        until = self.clock.uptime_ms() + _PATIENCE_MS
        # "The same receipt as before" proves nothing until the terminal is idle: it may still be asking its host.
        while not await self.watch.sample():
            if self.watch.misses >= _MISSES or self.clock.uptime_ms() > until:
                return "silence", {}
            await asyncio.sleep(_PAUSE_S)
        try:
            now = await self.terminal.last_receipt()
        except OSError:
            return "silence", {}
        number = self.terminal.currencies.get(refund.currency)
        refused = refund.state == SENT  # in that state nothing but a refusal leads here
        alone = self.terminal.alone if refund.alone is None else bool(refund.alone)
        event = compare(refund.before, identity(now), refund.amount, number, alone, refused, bool(refund.void))
        if event == "found" and (self.history.is_ours(now) or self._is_sale(now)):
            event = "unclear"  # the terminal executed something, and it was another refund of ours, or a sale
        if event in ("found", "found_refused"):
            self.watch.heard(now.code)
            return event, self._facts(refund, now, now.code)
        if event == "same" and refund.code:
            return event, {"code": refund.code}
        return event, {}

    def _is_sale(self, receipt):
        """True if a gate saw the receipt pass as that of a sale."""
        sale = self.history.sale(receipt.receipt or 0)
        return bool(sale) and sale[2] == receipt.trace and sale[3] == receipt.amount

    def _facts(self, refund, receipt, code):
        facts = {"its_receipt": receipt.receipt, "its_trace": receipt.trace, "code": code}
        sale = self.history.sale(refund.receipt)
        if sale:
            for its, ours in ((receipt.original, sale[2]), (receipt.last_four, sale[7])):
                if its is not None and ours is not None and its != ours and not code:
                    facts["wrong"] = 1  # it names another sale, or another card, than the one meant
        if "wrong" in facts:
            self.events.add("wrong_original", {"receipt": refund.receipt, "amount": refund.amount})
        return facts
