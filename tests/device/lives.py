"""Lives of a shop whose power may go at any byte: what is asked of it, what it may remember afterwards, and who was paid.

A life is a list of steps played on a recorded flash; `Cuts` plays every way in which the power may go in it. The terminal
keeps its own memory through every cut: `executed` is the truth. Every refund of a life has an amount of its own.
"""

import sys

from firmware_agent import conduct, refunding
from firmware_agent.history import History
from firmware_agent.wire.bodies import STATE, settled
from firmware_agent.wire.errors import WireError
from firmware_agent.wire.messages import APPROVED, DECLINED, HOLD
from hal.sim.cuts import Cutter, Tape
from hal.sim.flash import Flash

from .card_terminal import CardTerminal
from .chance import Chance

NOW = 1795000000
SHARED = {}  # bodies that many snapshots hold, once: on a board heap is short


def drive(task):
    """Run a coroutine that waits for nothing but its turn; a terminal at work is asked again at once."""
    pause, conduct._PAUSE_S = conduct._PAUSE_S, 0
    try:
        return _run(task)
    finally:
        conduct._PAUSE_S = pause


def _run(task):
    if sys.implementation.name == "micropython":
        import asyncio

        try:
            return asyncio.run(task)
        finally:
            asyncio.new_event_loop()
    try:
        while True:
            task.send(None)
    except StopIteration as end:
        return end.value


class World(CardTerminal):
    """The terminal, and the time. `dies`: it is silent for a while after the next refund. `wall`: Unix seconds."""

    dies = False
    wall = NOW
    _paid = ()

    def memory(self):
        if len(self._paid) != len(self.executed):
            self._paid = tuple(self.executed)  # shared by all who remember the same
        return self._paid, self.last, self.asked, self.slow, self.busy_for

    def remember(self, memory):
        self._paid, self.last, self.asked, self.slow, self.busy_for = memory
        self.executed = list(self._paid)
        return self

    def wall_s(self):
        return self.wall

    def uptime_ms(self):
        return 0

    async def refund(self, amount, currency, wish=None):
        try:
            return await super().refund(amount, currency)
        finally:
            if self.dies:
                self.misses = 1
                self.dies = False


class Nothing:
    """A snapshot of an agent without hardware."""

    values = {}

    def get(self, name, age_ms=None):
        return None

    def put(self, name, value):
        pass


NOTHING = Nothing()


class Watch:
    """Asks the terminal; silence is believed at once."""

    snapshot = NOTHING

    def __init__(self, world):
        self.world = world
        self.misses = 0

    async def sample(self):
        try:
            status = await self.world.enquire()
        except OSError:
            self.misses = 2
            return False
        self.misses = 0
        return not status.busy

    def heard(self, code):
        pass


if sys.implementation.name == "micropython":

    def goes(request, history, wall_s):
        """The same in few words: with the checks of the agent this world would not fit into a board's heap."""
        found = history.earlier(request)
        seen = history.sale(request["receipt"])
        left = (seen[3] if seen else request.get("sale_amount") or 0) - found.approved - found.doubt
        held = found.forgotten or found.same or found.doubt or history.lost
        return not held and history.works() and request["amount"] <= left

else:
    from firmware_agent.case import Case
    from firmware_agent.checks import doubt, sale, storage
    from firmware_agent.policy import Policy

    POLICY = Policy({})

    def goes(request, history, wall_s):
        """True if the checks of sale, doubt and storage let a request pass."""
        case = Case(request, NOTHING, POLICY, history, wall_s)
        for family in (sale, doubt, storage):
            for _, check in family.CHECKS + family.ASKED:
                if check(case)[0] >= HOLD:
                    return False
        return True


class Verdict:
    def __init__(self, goes):
        self.goes = goes


class Seen(History):
    """History that says what it found: `found`, a snapshot before it wrote anything."""

    found = None
    at_append = None  # called after every append that returned

    def __init__(self, flash, clock):
        self.finals = []
        super().__init__(flash, clock)

    def _read(self, flags, body):
        if body[1] == STATE and settled(body):
            self.finals.append(SHARED.get(body, body))
        super()._read(flags, body)

    def _append(self, body):
        if self.found is None:
            self.found = snapshot(self, self.finals)
        super()._append(body)
        if self.at_append:
            self.at_append()


def snapshot(history, finals):
    """(what must be as it was, {body: times} of how refunds ended, which sales are forgotten)."""
    opened = []
    for key in sorted(history.open):
        refund = history.open[key]
        opened.append((key, refund.state, refund.receipt, refund.amount, refund.currency, refund.before))
    counters = sorted(history.counters.items()), sorted(history.tries.items()), sorted(history.attests.items())
    rows = [list(row) for row in history.sums.rows]
    times = {}
    for body in finals:
        times[body] = times.get(body, 0) + 1
    pages = {page: bytes(bits) for page, bits in history.forgotten.pages.items()}
    return (opened, history.refunds, rows, counters), times, pages


def look(memory, shape):
    """What a boot finds in a copy of `memory`."""
    return Seen(Flash(None, *shape, memory=bytearray(memory)), World()).found


class Life:
    """A booted agent without hardware but a terminal and a flash."""

    def __init__(self, flash, world):
        self.world = world
        self.history = Seen(flash, world)
        self.conductor = conduct.Conductor(self.history, world, Watch(world), self, self.check, world)

    def add(self, name, numbers=None):
        """Events: nobody reads them here."""

    def check(self, request):
        return Verdict(goes(request, self.history, self.world.wall_s()))

    def step(self, step):
        """Play one step; the state of the refund it is about, or None."""
        kind = step[0]
        history = self.history
        if kind == "sale":
            history.record_sale(self.world.does(step[1]))
        elif kind == "count":
            if history.counters.get(1, 0) < step[1]:
                history.count(1, step[1])
        elif kind == "attest":
            history.attest(*step[1:], "eve", "boss", "slip 7", None)
        elif kind == "try":
            if history.tries.get(step[1], 0) != step[2]:
                history.count_try(step[1], not step[2])
        elif kind == "verdict":
            history.record_verdict(step[1], step[2], [{"cause": 4, "status": step[2], "evidence": {"supply_mv": 4321}}])
        elif kind == "settle":
            try:
                word = {"attested_by": "eve", "role": "boss", "reason": "slip 7"}
                drive(refunding.attest(self.conductor, step[1], step[2], word))
            except WireError:
                pass  # it was settled before the power went
            refund = history.find(step[1])
            return refund.state if refund else 0
        elif kind == "refund":
            return self.ask(step[1], step[2], step[3])
        return None

    def ask(self, key, receipt, amount, sale_amount=10**9):
        refund = self.history.find(key)
        if refund is None or refund.state not in (APPROVED, DECLINED):
            request = {"key": key, "receipt": receipt, "amount": amount, "currency": "EUR"}
            request["sale_amount"] = sale_amount
            drive(self.conductor.work(request))
            refund = self.history.find(key)
        return refund.state if refund else 0


def play(life, step, ended):
    """One step as its fate says; how a refund ended goes into `ended`, {key: state}."""
    world = life.world
    if step[0] == "refund":
        world.plan = [step[4]]
        world.foreign = list(step[5:])
        world.dies = "silent" in str(step[4]) or step[4] == "lost"
    state = life.step(step)
    if step[0] in ("refund", "settle"):
        ended[step[1]] = state


class Recorded:
    """A life played once: `tape`, and `acknowledged`: (operations done, snapshot) after every append that returned. The first
    `before` steps are played before the tape begins."""

    def __init__(self, shape, steps, before=0):
        self.shape = shape  # size, sector, unit
        SHARED.clear()
        self.steps = steps
        self.number = 0
        self.ended = {}  # key -> state
        world = World()
        flash = Flash(None, *shape)
        if before:
            life = Life(flash, world)
            for step in steps[:before]:
                play(life, step, self.ended)
        self.tape = Tape(flash, lambda: (self.number, world.memory()))
        self.acknowledged = [(0, look(self.tape.begun, shape))]
        self.number = before
        life = Life(self.tape, world)
        self._acknowledge()
        life.history.at_append = self._acknowledge
        for number in range(before, len(steps)):
            self.number = number
            play(life, steps[number], self.ended)
        # what the agent holds in RAM is what a boot would find
        live = snapshot(life.history, [])[0]
        assert live == self.acknowledged[-1][1][0], (live, self.acknowledged[-1][1][0])
        # whoever asks for any of its refunds again gets the same answer, or is held
        for step in steps:
            if step[0] == "refund" and self.ended[step[1]] in (APPROVED, DECLINED):
                refund = life.history.find(step[1])
                assert refund.state == self.ended[step[1]] if refund else life.history.forgotten.has(step[2]), step

    def _acknowledge(self):
        tape = self.tape
        found = look(tape._memory, self.shape)
        for body in found[1]:
            SHARED[body] = body
        self.acknowledged.append((len(tape.operations), found))


def around(acknowledged, operation):
    """(the last snapshot acknowledged before an operation was done, the next one)."""
    before = None
    for done, found in acknowledged:
        if done > operation:
            return before, found
        before = found
    return before, before


class Wrong(Exception):
    """A promise was broken; what, and where."""


class Cuts:
    """Plays what may happen in a recorded life, cut at every `step` bytes; `again`: the ways in which recovery is cut. Counts
    in `played`, and the broken promises in `lost` (acknowledged facts), `second` (paid twice) and `altered` (amounts)."""

    def __init__(self, name, recorded, step=1, again="pgtalo"):
        self.name = name
        self.again = again
        self.recorded = recorded
        self.every = step
        self.played = self.lost = self.second = self.altered = 0

    def all(self, operations=None, depth=1):
        """Every cut of these operations (None: of all), `depth` 2: recovery is cut again as well. Wrong at the first
        broken promise, with its id."""
        tape = self.recorded.tape
        cutter = Cutter(tape)
        for operation in operations or range(len(tape.operations)):
            cutter.at(operation)
            for byte, way in cutter.cases(self.every):
                self.one(cutter, byte, way, depth, "%s/%d.%d.%s" % (self.name, operation, byte, way))

    def one(self, cutter, byte, way, depth, identity):
        recorded = self.recorded
        number, memory = recorded.tape.operations[cutter.operation][2]
        if depth == 1:
            before, after = around(recorded.acknowledged, cutter.operation)
            self.boots(cutter.memory(byte, way), number, memory, before, after, identity)
            return
        tape, acknowledged = self.recovery(cutter.memory(byte, way), memory)
        again = Cutter(tape)
        for operation in range(len(tape.operations)):
            again.at(operation)
            for byte, way in again.cases(self.every):
                if way in self.again:
                    its = "%s/%d.%d.%s" % (identity, operation, byte, way)
                    self.second_cut(again, acknowledged, byte, way, number, its)

    def recovery(self, held, memory):
        """(tape, acknowledged) of the boot after a cut, and of what it asks the terminal: a life of its own."""
        shape = self.recorded.shape
        world = World().remember(memory)
        tape = Tape(Flash(None, *shape, memory=held), world.memory)
        acknowledged = [(0, look(held, shape))]
        life = Life(tape, world)
        life.history.at_append = lambda: acknowledged.append((len(tape.operations), look(tape._memory, shape)))
        life.history.at_append()
        drive(life.conductor.resolve())
        return tape, acknowledged

    def second_cut(self, again, acknowledged, byte, way, number, identity):
        before, after = around(acknowledged, again.operation)
        memory = again.tape.operations[again.operation][2]
        self.boots(again.memory(byte, way), number, memory, before, after, identity)

    def boots(self, held, number, memory, before, after, identity):
        """The power is back: look at what is remembered, go on, and look at who was paid."""
        self.played += 1
        try:
            self._boots(held, number, memory, before, after, identity)
        except Wrong:
            raise
        except Exception as error:
            self.lost += 1
            raise Wrong("%s: %s: %s" % (identity, type(error).__name__, error))

    def _boots(self, held, number, memory, before, after, identity):
        recorded = self.recorded
        world = World().remember(memory)
        life = Life(Flash(None, *recorded.shape, memory=held), world)
        self._remembers(life.history, before, after, identity)
        if life.history.lost:
            self.lost += 1
            raise Wrong("%s: records that counted are missing: %s" % (identity, life.history.journal.damage.places))
        self.goes_on(life, number, identity)
        found = look(held, recorded.shape)[0]
        live = snapshot(life.history, [])[0]
        if found != live:
            self.lost += 1
            raise Wrong("%s: the next boot finds %s instead of %s" % (identity, found, live))

    def _remembers(self, history, before, after, identity):
        facts, finals, pages = history.found
        if facts != before[0] and facts != after[0]:
            self.lost += 1
            raise Wrong("%s: found %s, which is neither %s nor %s" % (identity, facts, before[0], after[0]))
        if pages != before[2] and pages != after[2]:
            self.lost += 1
            raise Wrong("%s: forgot which sales are forgotten" % identity)
        for body, times in finals.items():
            if times != 1 or (body not in before[1] and body not in after[1]):
                self.altered += 1
                raise Wrong("%s: %d times %s" % (identity, times, body))
        for body in before[1]:
            if body not in finals and (body in after[1] or not forgot(history, body)):
                self.lost += 1
                raise Wrong("%s: lost %s" % (identity, body))
        if facts == after[0] and facts != before[0]:
            for body in after[1]:
                if body not in finals:
                    self.lost += 1
                    raise Wrong("%s: lost %s" % (identity, body))

    def goes_on(self, life, number, identity):
        """After a boot: doubts are asked after, and the till repeats the step that was cut until it has an answer."""
        recorded = self.recorded
        drive(life.conductor.resolve())
        step = recorded.steps[number]
        if step[0] != "sale":
            life.step(step)
        history = life.history
        for key in list(history.open):  # what no question can settle, a person does, and rightly
            life.step(("settle", key, history.open[key].amount in [amount for amount, _ in life.world.executed]))
        for before in range(max(0, number - 3), number + 1):
            step = recorded.steps[before]
            if step[0] == "attest":
                told = history.words(step[2]).get(step[1])
                if told is None or told[3] != step[3]:
                    self.lost += 1
                    raise Wrong("%s: %s is %s" % (identity, step, told))
            if step[0] == "refund":
                state = 0
                for _ in range(3):
                    state = life.ask(step[1], step[2], step[3])
                    if state in (APPROVED, DECLINED):
                        break
                paid = [amount for amount, _ in life.world.executed].count(step[3])
                if paid != (state == APPROVED) or state not in (APPROVED, DECLINED):
                    self.second += 1
                    raise Wrong("%s: refund %s ended %d and was paid %d times" % (identity, step[1], state, paid))
                if before < number and recorded.ended[step[1]] in (APPROVED, DECLINED):
                    if state != recorded.ended[step[1]]:
                        self.lost += 1
                        raise Wrong("%s: refund %s had another answer before" % (identity, step[1]))
        wanted = [step[3] for step in recorded.steps if step[0] == "refund"]
        for amount, currency in life.world.executed:
            if amount not in wanted or currency != "EUR":
                self.altered += 1
                raise Wrong("%s: paid %d %s, which nobody asked for" % (identity, amount, currency))


def forgot(history, body):
    """True if the sale of a refund that is no longer known is remembered as forgotten."""
    from firmware_agent.wire import cbor

    return history.forgotten.has(cbor.decode(body)[4][0])


def shop(refunds, first=1, fate="accept"):
    """Steps: so many sales, each with a refund. Receipts count sales and refunds alike."""
    steps = []
    for number in range(refunds):
        steps.append(("sale", 5000))
        steps.append(("refund", "k%d" % (first + number), first + 2 * number, 100 + first + number, fate))
    return steps


SMALL = (3072, 1024, 4)
LARGER = (4608, 1536, 4)

# name -> what gives (shape of the flash, steps, how many of them are played before the tape begins)
LIVES = {
    "refund": lambda: (SMALL, shop(1)),
    "decline": lambda: (SMALL, shop(1, fate=0x6C)),
    "lost": lambda: (SMALL, shop(1, fate="lost")),
    "silence": lambda: (SMALL, shop(1, fate="done, then silent")),
    "slow": lambda: (SMALL, shop(1, fate="slow")),
    "settled-done": lambda: (
        SMALL,
        [("sale", 5000), ("refund", "k1", 1, 101, "done, then silent", 700), ("settle", "k1", True)],
    ),
    "settled-not-done": lambda: (
        SMALL,
        [
            ("sale", 5000),
            ("refund", "k1", 1, 101, "lost", 700),
            ("settle", "k1", False),
            ("refund", "k1", 1, 101, "accept"),
        ],
    ),
    "counter": lambda: (SMALL, [("count", 7)] + shop(1) + [("count", 8), ("count", 9)]),
    # the ring turns, and what does not fit any more is forgotten; what was forgotten first is remembered for many rounds
    "rounds": lambda: (SMALL, [("refund", "k0", 9000, 99, "accept")] + shop(43, 2), 83),
    # a doubt, a counter and sums are carried along for several rounds
    "rounds-with-doubt": lambda: (
        LARGER,
        [("sale", 5000), ("refund", "k0", 1, 99, "done, then silent", 700), ("count", 5)]
        + shop(41, 4)
        + [("count", 6), ("settle", "k0", True)],
        69,
    ),
    # so are people's words on the shop and wrong PINs; a word on a sale and a verdict are not
    "rounds-with-words": lambda: (
        LARGER,
        [("attest", 1, 0, 0), ("try", "eve", 1), ("try", "bob", 1), ("attest", 10, 0, 5)]
        + shop(36)
        + [("try", "eve", 2), ("attest", 1, 0, 1), ("attest", 7, 71, 136), ("verdict", "k37", 3), ("try", "bob", 0)]
        + shop(3, 37),
        66,
    ),
}


def random_life(seed):
    """(shape, steps, steps before the tape) of a life by chance, in a journal that has turned already."""
    chance = Chance(seed)
    fates = ("accept", "accept", "accept", "done, then silent", "lost", 0x6C)
    steps = shop(24 + chance.below(20))
    before = len(steps)
    receipt = before
    for number in range(100, 104 + chance.below(4)):
        steps.append(("sale", 5000))
        receipt += 1
        if chance.below(4) == 0:
            steps.append(("count", number))
        key = "k%d" % number
        fate = chance.one_of(fates)
        foreign = (700,) if fate != "accept" and chance.below(3) == 0 else ()
        steps.append(("refund", key, receipt, 100 + number, fate) + foreign)
        if fate in ("accept", "done, then silent"):
            receipt += 1
        receipt += len(foreign)
        if foreign:  # that somebody else used the terminal meanwhile leaves a doubt for a person
            steps.append(("settle", key, fate == "done, then silent"))
    return LARGER, steps, before


def record(name):
    """The Recorded life of this name, or random-SEED; NAME:UNIT is the same on a flash of another unit. KeyError: there is
    none."""
    name, _, unit = name.partition(":")
    if name[:7] == "random-" and name[7:].isdigit():
        return Recorded(*random_life(int(name[7:])))
    shape, *rest = LIVES[name]()
    return Recorded(shape[:2] + (int(unit or shape[2]),), *rest)
