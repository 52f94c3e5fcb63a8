"""Power cuts in the way of one refund through the gate: played in virtual time, each by an id that replays it.

A case is WORKLOAD:LINE/STEP.BYTE.WHO, and once more /STEP.BYTE.WHO where the power goes again while the first cut is being
recovered from. STEP counts what happens from the till's wish on: each write to a line by anyone, each operation on the
agent's flash. BYTE: so many bytes of it are done. WHO: the agent "a", the terminal "t", both "b". LINE: serial or tcp.
"""

import asyncio
import sys

from firmware_agent.wire.bodies import ATTESTATIONS
from firmware_agent.wire.messages import APPROVED, DECLINED, IN_DOUBT, NOT_EXECUTED
from hal.said import PowerCut, TerminalSilent
from hal.terminals.zvt.cashier import Cashier

from . import virtual_time
from .device.bench import Paged
from .device.gate_world import Shop

AMOUNT = 1234
OFF_S = {"a": 2, "t": 4, "b": 3}  # how long the power is away; a terminal takes longer to start
SALE, VOID, REFUND = 0x0601, 0x0630, 0x0631
UNKNOWN = 0xFF  # the code of a refusal that says: nobody knows

# name: (what the till asks for, what becomes of it at the terminal, rules of the policy, how often a cashier tries,
# configuration byte of the till's registration)
WORKLOADS = {
    "refund": (REFUND, 0, {}, 1, 0x18),
    "decline": (REFUND, 0x05, {}, 1, 0x10),  # by the host: the terminal has a receipt of it
    "abort": (REFUND, ("abort", 0x6C), {}, 1, 0x10),  # by a key: it has none
    "void": (VOID, 0, {"gate_reversals": True}, 1, 0x18),
    "again": (REFUND, 0, {}, 3, 0x10),  # another sale of this amount was made, and its money stays
    "declined-again": (REFUND, 0x05, {}, 3, 0x10),
    # the terminal may start payments by itself: a new receipt proves nothing, and doubts stay
    "doubt": (REFUND, 0, {}, 1, 0x08),
    "doubt-again": (REFUND, 0, {}, 3, 0x08),
}


class Wrong(Exception):
    """A promise is broken; the text says which."""


class Wire(Paged):
    """The agent's flash: its operations are steps of the world, and without power nothing is done."""

    def __init__(self, step):
        super().__init__(32768, 4096)
        self.step = step
        self.on = True

    def _power(self, size):
        if not self.on:
            raise PowerCut()
        done = self.step("flash", bytes(size))
        return None if self.on else done

    def program(self, address, data):
        done = self._power(len(data))
        if done is None:
            super().program(address, data)
            return
        if done:
            super().program(address, data[: done - done % self.unit])
        raise PowerCut()

    def erase(self, address):
        done = self._power(1)
        if done is None or done:
            super().erase(address)
        if done is not None:
            raise PowerCut()


class World:
    """One case. `cuts`: [(step, byte, who), …] in the order of their steps. `steps`: [(who wrote, bytes), …] that happened;
    `recovered`: how many had when the first cut was recovered from."""

    def __init__(self, workload, bare, cuts=(), off_s=None):
        self.kind, self.fate, rules, self.tries, config = WORKLOADS[workload]
        self.cuts = list(cuts)
        self.off_s = off_s or OFF_S
        self.steps = None
        self.recovered = 0
        self.told = []  # (what the till was told: True, a code or None; refunds at the terminal before and after)
        self._back = []  # tasks that bring the power back
        self.shop = Shop(bare, rules=rules, flash=Wire(self._step))
        settings = {"config": config}
        settings.update(self.shop.settings)
        self.till = Cashier(self.shop.line(), settings)

    # ---- steps and cuts ----
    def _step(self, name, data):
        if self.steps is None:
            return None
        self.steps.append((name, bytes(data)))
        if not self.cuts or len(self.steps) - 1 != self.cuts[0][0]:
            return None
        _, byte, who = self.cuts.pop(0)
        if not 0 < byte < len(data):
            self._cut(who)
            return byte
        # so many bytes are heard, and looked at for a millisecond; of one whose two ends live on, the rest comes then
        loop = asyncio.get_running_loop()
        loop.call_later(0.001, self._cut, who)
        end = next(end for end in self.shop.ends() if end.name == name)
        loop.call_later(0.002, lambda: end.on and end.connected and end.other.take(data[byte:]))
        return byte

    def _cut(self, who):
        """The power goes now; it comes back by itself."""
        self.shop.cut(who)
        if who != "t":
            self.shop.flash.on = False
        self._back.append(asyncio.get_running_loop().create_task(self._power_back(who)))

    async def _power_back(self, who):
        await virtual_time.end(self.shop.owned(who))
        await asyncio.sleep(self.off_s[who])
        if who != "a":
            self.shop.terminal.start()
        if who != "t":
            self.shop.flash.on = True
            try:
                self.shop.boot()
            except PowerCut:
                pass  # again, while it boots

    async def _whole(self):
        """Until everybody has power."""
        while self._back:
            await self._back.pop(0)

    # ---- the till's day ----
    async def play(self):
        """Wrong: a promise is broken."""
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)  # tasks end by PowerCut
        shop = self.shop
        for end in shop.ends():
            end.passes = self._step
        shop.terminal.start()
        shop.boot()
        await self._register()
        for _ in range(2 if self.tries > 1 else 1):
            self._must((await self.till.sale(AMOUNT, "EUR")).accepted, "the first sale did not go")
        if self.tries > 1:  # of two sales that fit somebody says which
            shop.agent.history.attest(ATTESTATIONS.index("till_sale"), 1, 1, "eve", "boss", "slip 7", None)
        await asyncio.sleep(12)
        shop.terminal.plan = [self.fate]
        self.steps = []
        for _ in range(self.tries):
            await self._try()
            self.recovered = self.recovered or len(self.steps)
        await self._settle()
        self._look()
        await self._try()  # somebody tries once more: a refund that was made or is in doubt is held
        await self._settle()
        self._look()
        await self._goes_on()

    def _must(self, true, what):
        if not true:
            raise Wrong(what)

    def _done(self):
        return len(self.shop.terminal.done(self.kind))

    async def _register(self):
        """The till logs on, as often as it needs to."""
        for _ in range(60):
            await self._whole()
            try:
                if await self.till.register():
                    return
            except OSError:
                pass
            await asyncio.sleep(1)
        raise Wrong("the till cannot log on any more")

    async def _try(self):
        """The till asks once, and is ready for the next time."""
        before = self._done()
        told = None
        try:
            if self.kind == VOID:
                outcome = await self.till.void(1, AMOUNT)
            else:
                outcome = await self.till.refund(AMOUNT, "EUR")
            told = True if outcome.accepted else outcome.code
        except TerminalSilent:
            pass
        except OSError:
            pass
        await self._register()
        await self._settle()
        done = self._done() - before
        self.told.append((told, done))
        if told is True:
            self._must(done == 1, "the till was told that it is done, and it was done %d times" % done)
        elif told not in (None, UNKNOWN):
            self._must(not done, "the till was told %02X, and it was done" % told)

    async def _settle(self):
        """Until nothing is open, or nobody will ask any more."""
        await self._whole()
        for _ in range(30):
            if not self.shop.agent.history.open and not self.shop.agent.conductor.busy:
                return
            await asyncio.sleep(1)
            await self._whole()

    def _look(self):
        """What the journal says is what the terminal did."""
        states = list(self.shop.states().values())
        done, approved, doubt = self._done(), states.count(APPROVED), states.count(IN_DOUBT)
        self._must(done <= 1, "%d refunds were made" % done)
        self._must(set(states) <= {APPROVED, DECLINED, NOT_EXECUTED, IN_DOUBT}, "something is under way for ever")
        self._must(approved <= done <= approved + doubt, "done %d times, journaled: %s" % (done, states))
        self.doubt = doubt

    async def _goes_on(self):
        """Whatever happened, the till's other commands reach the terminal, and the agent learns of them."""
        status = await self.till.enquire()
        self._must(status.code == 0 and status.version == "2.14", "a status enquiry went wrong")
        outcome = await self.till.sale(555, "EUR")
        self._must(outcome.accepted, "a sale was refused")
        rows = [row for row in self.shop.terminal.done(SALE) if row.amount == 555]
        self._must(len(rows) == 1, "a sale was made %d times" % len(rows))
        sale = self.shop.agent.history.sale(rows[0].receipt)
        self._must(sale and sale[3] == 555, "the agent has not seen a sale")


def play(name, cuts=(), off_s=None):
    """The World after it was played. Wrong: a promise is broken; the text begins with the id of the case."""
    workload, line = name.split(":")
    worlds = []

    async def life():
        worlds.append(World(workload, line == "tcp", cuts, off_s))
        await worlds[0].play()

    try:
        virtual_time.run(life())
    except Wrong as wrong:
        raise Wrong("%s: %s; the till was told %s" % (identity(name, cuts), wrong, worlds[0].told)) from None
    except Exception as error:
        raise Wrong("%s: %s: %s" % (identity(name, cuts), type(error).__name__, error)) from error
    return worlds[0]


def identity(name, cuts):
    return "/".join([name] + ["%d.%d.%s" % cut for cut in cuts])


def cases(steps, first=0, last=None, after=True, inside=1):
    """Yields (step, byte, who): before and `after` each step, and after every `inside`th byte of a refund's command."""
    for number in range(first, len(steps) if last is None else last):
        data = steps[number][1]
        bytes_of = [0, len(data)] if after else [0]
        if any(data.find(command) >= 0 for command in (b"\x06\x31\x0d", b"\x06\x30\x0d")):
            bytes_of += range(1, len(data), inside)
        for byte in bytes_of:
            for who in "atb":
                yield number, byte, who


if __name__ == "__main__":  # replays a case by its id, and prints what went over the lines
    name, *given = sys.argv[1].split("/")
    parts = [cut.split(".") for cut in given]
    cuts = [(int(step), int(byte), who) for step, byte, who in parts]
    try:
        world = play(name, cuts)
    except Wrong as wrong:
        print("WRONG", wrong)
