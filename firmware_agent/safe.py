"""Safe mode: what runs when the agent crashed five times in a row. The link answers and the journal can be read; no refund is
begun, and every check says HOLD. It loads as little as it can, for whatever it loads may be what crashed."""

import asyncio
import sys

from .events import Ring
from .health import Health
from .link import Link
from .policy import ABSENT, Policy
from .service import Service
from .snapshot import Snapshot
from .watch.device import DeviceWatch
from .wire.errors import WireError
from .wire.messages import ACCEPT, APPROVE, ATTEST, FIND, GATE, HOLD, NEW, POLICY, POLICY_PUT, SETTLE

_REFUSED = (SETTLE, ACCEPT, ATTEST, APPROVE, POLICY, POLICY_PUT, GATE, FIND)


class Safe:
    """What a service, a link and a console ask of an Agent, as it looks in safe mode. It is made with what an Agent is
    made with; of the ports only link, flash, clock and watchdog are used, the others are absent."""

    keeper = None
    tasks = ()
    busy = False
    active = None

    def __init__(self, ports, settings, about, reason=0):
        self.about = about
        self.clock = ports.clock
        self.terminal = ports.terminal
        self.light = ports.light
        self.watchdog = ports.watchdog
        self.policy_flash = ports.policy_flash
        self.settings = {"link": {"reset": True}}  # a person who is there may start it anew
        self.policy = Policy({}, ABSENT)
        self.conductor = self
        self.snapshot = Snapshot(ports.clock)
        self.health = Health()
        try:
            from .history import History

            self.history = History(ports.flash, ports.clock, reason)
            self.journal = self.history.journal
        except Exception as error:
            self.history = self.journal = _Unread(ports.flash)
            fault = repr(error)[:60]
        else:
            fault = None
        self.events = Ring(ports.clock, self.history.boot)
        self.events.add("boot", {"safe_mode": 1, "agent_version": about["version"], "reset_reason": reason})
        if fault:
            self.events.add("fault", {"missing": fault})
        self.device = DeviceWatch(self.history, reason, self.snapshot, self.events, ports.clock)
        self.device.boot()
        self.device.sample()
        for name, value in (("agent_version", about["version"]), ("safe_mode", 1)):
            self.snapshot.put(name, value)
        self.link = Link(ports.link, _Service(self), self)

    async def run(self):
        """Never returns."""
        await asyncio.gather(self._forever(self.link.run), self._forever(self._pulse))

    async def _forever(self, task):
        while True:
            try:
                await task()
            except Exception as error:
                self.health.fell(self, error)
                await asyncio.sleep(1)

    async def _pulse(self):
        while True:
            self.clock.uptime_ms()  # or it would lose count: a board's ticks turn over after days
            self.health.look()
            self.health.turned()
            self.watchdog.feed()
            await asyncio.sleep(1)

    # ---- what may be asked ----
    def check(self, request):
        return _Held(self.snapshot.get("crashes"))

    async def preflight(self, request):
        return self.check(request)

    async def refund(self, request):
        """{name: value} of REFUND_ANSWER: held. WireError: it was begun before, and what became of it cannot be told now."""
        if self.history.find(request["key"]) is not None:
            raise WireError("safe_mode", "key")
        answer = {"key": request["key"], "state": NEW, "final": True, "earlier": False}
        for name, fact in (("amount", "amount"), ("currency", "currency"), ("sale_receipt", "receipt")):
            answer[name] = request[fact]
        answer.update(self.check(request).as_message())
        return answer

    def answer_of(self, *asked, **more):
        raise WireError("safe_mode")

    def told_time(self, asked):
        """Nothing is held against another clock here."""

    def status(self, asked=None):
        from . import report

        sys.modules.pop(report.__name__, None)
        return report.status(self)


class _Held:
    """The Verdict on everything."""

    colour = "red"
    worst = HOLD
    goes = False

    def __init__(self, crashes):
        self.findings = [{"cause": 7, "status": HOLD, "evidence": {"safe_mode": 1, "crashes": crashes}}]

    def as_message(self, every=False):
        message = {"verdict": HOLD, "findings": self.findings}
        if every:
            message["passed"] = b""
        return message


class _Service(Service):
    async def _ours(self, header, body):
        if header.command in _REFUSED:
            raise WireError("safe_mode")
        return await Service._ours(self, header, body)


class _Undamaged:
    count = 0
    places = ()


class _Unread:
    """A history and its journal that could not be opened: the region can still be pulled, byte for byte."""

    boot = refunds = lost = written = sequence = 0
    newest = -1
    oldest = 0
    sectors = 1
    agent_id = "00000000"
    digest = bytes(8)
    latest = boots = ()

    def __init__(self, flash):
        self.flash = flash
        self.size = flash.size
        self.open = {}
        self.counters = {}
        self.journal = self
        self.damage = _Undamaged

    def find(self, key):
        raise WireError("safe_mode", "key")

    def note(self, record):
        raise OSError(19)

    def count(self, counter, value):
        raise OSError(19)
