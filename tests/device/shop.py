"""A shop by chance, held against the model after every step: sales, refunds, repeats, doubts and their settlement, power cuts
at any byte (in the recovery too), reboots, a clock that jumps by up to 50 years, a terminal that is replaced and counts anew.
"""

from firmware_agent.sums import periods
from firmware_agent.wire.messages import IN_DOUBT, NEW
from hal.said import PowerCut
from hal.sim.flash import Flash

from .lives import Life, World, drive
from .model import FINAL, OUTCOMES, Model

DAY = 86400
KINDS = ["refund"] * 8 + ["sale"] * 5 + ["repeat", "repeat", "settle", "count", "word", "pin"]
KINDS += ["reboot", "clock", "replaced"]
FATES = ["accept", "accept", "lost", "done, then silent", "slow", 0x6C, "dies", "foreign"]


class Shop:
    def __init__(self, sectors, sector, unit):
        self.flash = Flash(None, sectors * sector, sector, unit)
        self.world = World()
        self.model = Model()
        self.life = Life(self.flash, self.world)
        self.keys = {}  # key -> (receipt, amount, sale)
        self.amount = 0
        self.replaced = False
        self.boots = 1
        self.cuts = 0

    def play(self, kind, pick, fate, at, again):
        """One step: what (KINDS), which one (any number), what becomes of a refund (FATES), after how many bytes the power
        goes in it, and in the boot after that (None: it does not)."""
        getattr(self, "replaced_terminal" if kind == "replaced" else kind)(pick, fate, at, again)
        self.everything_told_is_true()

    # ---- what the power may do in any of it ----
    def powered(self, action, at, again=None):
        """`action`, in which the power may go after so many bytes; then the agent boots, and that may be cut as well."""
        for after in (at, again):
            self.flash.cut_after = after
            self.flash.half_erased = (after or 0) * 37 % self.flash.sector
            try:
                result = action()
                self.flash.cut_after = None
                return result
            except PowerCut:
                self.cuts += 1
            self.flash.cut_after = None
            action = self.boot
        self.boot()
        return None

    def boot(self):
        self.world.plan = []
        self.world.foreign = []
        self.world.misses = 0
        self.world.dies = False
        self.life = Life(self.flash, self.world)
        self.boots += 1
        drive(self.life.conductor.resolve())

    def paid(self, amount):
        return [done for done, _ in self.world.executed].count(amount)

    def asked(self, key, fate=None):
        """The till asks; what becomes of it is held against the model."""
        world = self.world
        receipt, amount, sale = self.keys[key]
        world.plan = ["done, then silent" if fate in ("dies", "foreign") else fate] if fate else []
        world.foreign = [self.next_amount()] if fate == "foreign" else []
        world.dies = fate == "dies"
        before = self.state(key)
        asked = world.asked
        state = self.life.ask(key, receipt, amount, sale)
        world.plan, world.foreign, world.misses, world.dies = [], [], 0, False
        if before in FINAL:
            assert world.asked == asked and state == before
        return before, state

    def state(self, key):
        refund = self.life.history.find(key)
        return refund.state if refund else NEW

    def forgotten(self, key):
        return self.life.history.forgotten.has(self.keys[key][0])

    def reused(self, receipt):
        return any(number == receipt and sale != self.model.sales[receipt] for number, _, sale in self.keys.values())

    def next_amount(self):
        self.amount += 1
        return 10_000 + self.amount  # of its own: it tells in the terminal's store which refund it was

    # ---- what may happen ----
    def sale(self, pick, fate, at, again):
        receipt = self.world.does(100_000 + self.next_amount())
        self.powered(lambda: self.life.history.record_sale(receipt), at)
        self.life.history.record_sale(receipt)
        self.model.sales[receipt.receipt] = receipt.amount

    def refund(self, pick, fate, at, again):
        if not self.model.sales:
            return
        receipts = sorted(self.model.sales)[-6:]
        receipt = receipts[pick % len(receipts)]
        room = self.model.remaining(receipt)
        amount = self.next_amount() + (60_000 if pick % 5 == 0 else 0)
        key = f"k{amount}"
        self.keys[key] = (receipt, amount, self.model.sales[receipt])
        held = room < amount or self.forgotten(key)
        doubts = len(self.life.history.open)
        told = self.powered(lambda: self.asked(key, fate), at, again)
        if told and not doubts and fate in OUTCOMES:
            expected = NEW if held else OUTCOMES[fate]
            # a new terminal repeats receipt and trace numbers: its last receipt may look like that of an earlier refund
            like_another = self.replaced and told[1] == IN_DOUBT and fate != "accept"
            namesake = self.reused(receipt) and told[1] == NEW
            assert told[1] == expected or like_another or namesake, (told, held, room)
        if held and not doubts:
            assert not self.paid(amount)

    def repeat(self, pick, fate, at, again):
        """An earlier request once more. Where its sale's number was given to another sale since, a till asks no more."""
        if self.keys:
            key = sorted(self.keys)[-1 - pick % min(8, len(self.keys))]
            receipt, _, sale = self.keys[key]
            if self.model.sales.get(receipt) == sale:
                self.powered(lambda: self.asked(key), at, again)

    def settle(self, pick, fate, at, again):
        """A person looks at the terminal's list and attests what it says; or, wrongly, what became of no doubt."""
        if self.keys:
            doubts = self.life.history.open
            key = min(doubts) if doubts else self.recent()[pick % len(self.recent())]
            done = bool(self.paid(self.keys[key][1])) == bool(doubts)
            self.powered(lambda: self.life.step(("settle", key, done)), at, again)

    def count(self, pick, fate, at, again):
        self.model.counter += 1
        self.powered(lambda: self.life.step(("count", self.model.counter)), at, again)
        self.life.step(("count", self.model.counter))

    def word(self, pick, fate, at, again):
        """Somebody attests something of the shop, and of a sale; the checks saw something."""
        what, value = 1 + pick % 3, pick // 3 % 2
        self.model.words[what] = value
        self.powered(lambda: self.life.step(("attest", what, 0, value)), at, again)
        for step in (("attest", what, 0, value), ("verdict", "k%d" % pick, 3)):
            self.life.step(step)
        receipt = max(self.model.sales or [1])
        self.powered(lambda: self.life.step(("attest", 7, receipt, pick)), again)
        self.life.step(("attest", 7, receipt, pick))
        assert self.life.history.words(receipt)[7][3] == pick

    def pin(self, pick, fate, at, again):
        who = "pqr"[pick % 3]
        self.model.tries[who] = self.model.tries.get(who, 0) + 1 if pick // 3 % 2 else 0
        step = "try", who, self.model.tries[who]
        self.powered(lambda: self.life.step(step), at, again)
        self.life.step(step)

    def reboot(self, pick, fate, at, again):
        self.powered(self.boot, at, again)

    def clock(self, pick, fate, at, again):
        years = (-50, 50, 0, 0)[pick % 4]
        self.world.wall = max(0, self.world.wall + (years * 365 + pick % 3 - 1) * DAY) % (150 * 365 * DAY)

    def replaced_terminal(self, pick, fate, at, again):
        """The new one counts receipts from 1 again; the old sales are none of its."""
        if self.life.history.open:
            return
        self.replaced = True
        self.world.last = None
        self.model.sales.clear()
        self.sale(pick, fate, at, again)

    # ---- what must be true after each step ----
    def everything_told_is_true(self):
        history = self.life.history
        model = self.model
        for key, (receipt, amount, sale) in self.keys.items():
            paid = self.paid(amount)
            assert paid <= 1, f"{key} was paid {paid} times"
            if model.told.get(key, (NEW,))[0] in FINAL and key not in self.recent():
                continue  # looked at until it ended, and among the last ones after that
            state = self.state(key)
            if state == NEW and model.told.get(key, (NEW,))[0] in FINAL:
                assert self.forgotten(key) or model.sales.get(receipt) != sale, f"{key} is lost"
                continue
            assert state in model.states(key, paid), f"{key} is {state}, paid {paid}, told {model.told.get(key)}"
            if state != NEW:
                wall = self.world.wall
                model.tell(key, state, sale, receipt, amount, periods(wall) if wall is not None else ())
        assert history.lost == 0, history.journal.damage.places
        assert history.counters.get(1, 0) == model.counter
        assert history.sums.rows == [["EUR"] + row for row in model.sums]
        assert history.boot >= self.boots
        assert history.tries == {who: count for who, count in model.tries.items() if count}
        for what in (1, 2, 3):
            assert history.words(0).get(what, [None] * 4)[3] == model.words.get(what)
        for receipt in sorted(model.sales)[-3:]:
            if history.sale(receipt) and not history.forgotten.has(receipt):
                found = history.earlier({"receipt": receipt, "amount": 1, "currency": "EUR"})
                sale = history.sale(receipt)
                remaining = sale[3] - found.approved - found.doubt
                # a refund whose sale the journal had not kept counts against every sale of that number: to be safe
                assert remaining <= model.remaining(receipt)
                assert remaining == model.remaining(receipt) or self.reused(receipt)

    def recent(self):
        return sorted(self.keys)[-4:]

    def closes(self):
        for key, (receipt, _, sale) in self.keys.items():
            told = self.model.told.get(key, (NEW,))[0]
            if told in FINAL:
                state = self.state(key)
                known = state == told or self.forgotten(key) or self.model.sales.get(receipt) != sale
                assert known, f"{key}: told {told}, and now {state}"
