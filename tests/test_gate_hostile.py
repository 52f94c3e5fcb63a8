"""Bad tills, bad terminals, bad lines: what the gate does about them, in virtual time, over serial and over TCP.

Whatever comes, no error without a type, nothing invented: what comes out at the terminal came in from the till in the same
order, or is the agent's own; and not one byte of a refund that was not let go.
"""

import asyncio
import os
from concurrent.futures import ProcessPoolExecutor

import pytest

from firmware_agent.audit import gate as audit
from firmware_agent.history import Refund
from firmware_agent.wire import cbor
from firmware_agent.wire.messages import APPROVED, IN_DOUBT, REQUESTED, SENT, event
from hal.terminals.zvt import apdu, tcp_line
from hal.terminals.zvt.cashier import Cashier
from hal.terminals.zvt.frame import ACK, NAK, Receiver, pack
from hal.terminals.zvt.scan import FramedScan
from hal.terminals.zvt.tcp_scan import BareScan
from hal.ticks import deadline, left

from . import virtual_time
from .device.bench import keeps
from .device.chance import Chance
from .device.gate_world import COMPLETED, OK, REAL, Shop

DEEP = bool(os.environ.get("DEEP"))
AMOUNT = 1234
SALE, VOID, REFUND, STATUS, REPEAT = 0x0601, 0x0630, 0x0631, 0x0501, 0x0620
HELD_AS_DUPLICATE = 0x83
REFUND_APDU = apdu.pack(REFUND, b"\0\0\0\x04" + apdu.bcd(AMOUNT, 6) + b"\x49\x09\x78")
SALE_APDU = apdu.pack(SALE, b"\x04" + apdu.bcd(AMOUNT, 6) + b"\x49\x09\x78")


class Day:
    """A shop that has sold for 12.34 once. `till`: Cashier; `wires`: [(who wrote, bytes), …] since then."""

    def __init__(self, bare, rules=None):
        self.shop = Shop(bare, rules=rules)
        self.bare = bare
        self.terminal = self.shop.terminal
        self.till = Cashier(self.shop.line(), REAL)
        self.wires = []

    async def begin(self, sales=1):
        asyncio.get_running_loop().set_exception_handler(self._fault)
        self.terminal.start()
        self.shop.boot()
        assert await self.till.register()
        for _ in range(sales):
            assert (await self.till.sale(AMOUNT, "EUR")).accepted
        await asyncio.sleep(12)
        for end in self.shop.ends():
            end.passes = lambda name, data: self.wires.append((name, bytes(data)))
        return self

    def _fault(self, loop, context):
        self.wires.append(("fault", repr(context).encode()))

    def framed(self, message):
        return message if self.bare else pack(message)

    async def write(self, data):
        await self.shop.till.write(data)

    async def hear(self, ms=1000):
        """What the till hears meanwhile, raw."""
        data = b""
        while True:
            more = await self.shop.till.read(ms)
            if not more:
                return data
            data += more

    async def converse(self, ms):
        """Answer the terminal for so long, as a till does; what it said."""
        line = self.shop.line()
        said = []
        until = deadline(ms)
        while left(until):
            try:
                message = await line.receive(left(until))
                said.append(message)
                if message[0] < 0x80:
                    await line.send(OK)
            except OSError:
                await asyncio.sleep(0.05)
        return said

    def heard_by_terminal(self):
        """All bytes that came to the terminal since the day began."""
        return b"".join(data for name, data in self.wires if name == "gate to terminal")

    def done(self, kind=REFUND):
        return len(self.terminal.done(kind))

    async def refund(self, amount=AMOUNT):
        """True, a code, or None for silence."""
        try:
            outcome = await self.till.refund(amount, "EUR")
        except OSError:
            return None
        return outcome.accepted or outcome.code

    def look(self):
        """No fault anywhere, and the journal says what the terminal did."""
        agent = self.shop.agent
        faults = [data for name, data in self.wires if name == "fault"]
        assert not faults and not agent.keeper.failed
        assert not faults_of(agent), faults_of(agent)
        states = [state for key, state in self.shop.states().items() if key.startswith("till-")]
        done = self.done()
        assert states.count(APPROVED) <= done <= states.count(APPROVED) + states.count(IN_DOUBT), (states, done)

    async def still_works(self):
        """Whatever was before: a status enquiry and a sale go, once, and the agent learns of it."""
        await self.hear()
        assert await self.till.register()
        assert (await self.till.enquire()).version == "2.14"
        before = self.done(SALE)
        assert (await self.till.sale(777, "EUR")).accepted
        assert self.done(SALE) == before + 1
        assert self.shop.agent.history.sale(self.terminal.rows[-1].receipt)[3] == 777
        self.look()


def faults_of(agent):
    """What the agent's log says of faults of its own."""
    rows = [cbor.decode(row.data) for row in agent.events.since(0, 10**6)[0]]
    return [row for row in rows if row[2] == event("fault")]


def day(story):
    """A test of a story in virtual time: story(Day), over both lines, or over the one that its name ends with."""

    @pytest.mark.parametrize("bare", [False, True], ids=["serial", "tcp"])
    def test(bare):
        async def told():
            await story(Day(bare))

        virtual_time.run(told())

    test.__name__ = story.__name__
    test.__doc__ = story.__doc__
    test.story = story
    return test


# ---- bytes that follow no paper ----
@day
async def test_a_refund_with_a_wrong_length_byte_is_refused_and_the_terminal_never_hears_of_it(day):
    await day.begin()
    for wrong in (-1,) if day.bare else (-3, -1, 1, 40):  # on a stream 1 is a message whose end has not come
        message = bytearray(REFUND_APDU)
        message[2] += wrong
        await day.write(day.framed(bytes(message)))
        said = await day.hear(7000)
        assert said and b"\x06\x0f" not in said, said
        assert b"\x06\x31" not in day.heard_by_terminal() and not day.done()
        if day.bare:  # what lies behind its end is taken for the next message
            day.shop.till.close()
    await day.still_works()
    assert await day.refund() is True and day.done() == 1


@day
async def test_a_refund_that_is_damaged_is_refused_with_a_nak_and_may_be_repeated(day):
    await day.begin()
    if day.bare:
        return
    frame = bytearray(pack(REFUND_APDU))
    frame[10] ^= 1
    await day.write(bytes(frame))
    assert await day.hear(100) == bytes((NAK,))
    assert not day.heard_by_terminal()
    assert await day.refund() is True and day.done() == 1
    await day.still_works()


@day
async def test_a_till_that_dribbles_its_refund_never_lets_a_byte_of_it_through(day):
    """250 ms between bytes is more than T1 allows on a serial line; a stream may be as slow as it likes."""
    await day.begin()
    for pause in (0.25, 0.7, 1.5):
        for byte in day.framed(REFUND_APDU):
            await day.write(bytes((byte,)))
            await asyncio.sleep(pause)
        await day.hear(8000)
        if not day.bare:
            allowed = [name for name, _ in day.wires if name == "gate to terminal"]
            assert not day.done() and own_words_alone(day), allowed
        if day.done():
            break
    assert day.done() <= 1
    await day.still_works()


@day
async def test_a_till_that_dribbles_a_sale_is_answered_as_the_terminal_answers(day):
    await day.begin()
    for byte in day.framed(SALE_APDU):
        await day.write(bytes((byte,)))
        await asyncio.sleep(0.25)
    await day.converse(3000)
    assert day.done(SALE) == (2 if day.bare else 1)
    if not day.bare:
        assert own_words_alone(day) or pack(SALE_APDU) in day.heard_by_terminal()
    await day.still_works()


def agents_own(message):
    """An enquiry, a repeat receipt, with whatever password the till last registered with; 80 00 00 or 84 83 00."""
    asks = message[:3], message[6:]
    return message in (OK, b"\x84\x83\x00") or asks in ((b"\x05\x01\x05", b"\3\4"), (b"\x06\x20\x05", b"\3\3"))


def own_words_alone(day):
    """True if everything that came to the terminal is the agent's own, or an ACK."""
    for name, data in day.wires:
        if name != "gate to terminal" or data == bytes((ACK,)):
            continue
        messages = [data] if day.bare else Receiver().feed(data)
        if len(messages) != 1 or messages[0] is None or not agents_own(messages[0]):
            return False
    return True


@day
async def test_a_refund_cut_off_and_a_whole_one_behind_it_cannot_slip_past(day):
    """A frame that broke off in its CRC, or behind a byte 10: a terminal has forgotten it after T1."""
    if day.bare:
        return
    await day.begin()
    for begun in (
        pack(SALE_APDU)[:-2],
        pack(SALE_APDU)[:-1],
        b"\x10\x02\x06\x01\x0a\x04\x10",
        b"\x10",
        b"\x10\x02\x06",
    ):
        for pause in (0.15, 0.25, 1.5):
            await day.write(begun)
            await asyncio.sleep(pause)
            await day.write(pack(REFUND_APDU))
            await day.hear(8000)
            assert day.done() <= 1
            day.look()
    await day.still_works()


# ---- answers to nothing ----
@day
async def test_an_answer_to_a_command_never_sent_changes_nothing(day):
    await day.begin()
    answers = (OK, b"\x84\x83\x00", COMPLETED, b"\x06\x1e\x01\x6c", day.terminal.info(day.terminal.rows[0]))
    for message in answers:
        await day.terminal.end.write(day.framed(message))
        assert message in await day.hear(400)
        await day.write(bytes((ACK,)) if not day.bare else b"\x80\x00\x00")
        await asyncio.sleep(12)
        await day.write(day.framed(message) if message[0] >= 0x80 else day.framed(OK))
        await day.hear(12000)
    assert day.shop.agent.keeper.sales == 1
    assert await day.refund() is True and day.done() == 1
    await day.still_works()


@day
async def test_a_terminal_that_answers_the_previous_question_has_approved_nothing(day):
    await day.begin()
    terminal = day.terminal
    terminal.parrot = terminal.info(terminal.rows[0])  # the sale's, of the same amount
    told = await day.refund()
    await asyncio.sleep(30)
    assert day.done() == 0
    states = list(day.shop.states().values())
    assert APPROVED not in states and told is not True, (told, states)
    terminal.parrot = None
    day.look()
    await day.still_works()


# ---- lines on which nobody agrees ----
@day
async def test_a_terminal_that_refuses_every_frame_gets_one_refund_at_most(day):
    if day.bare:
        return
    await day.begin()
    day.terminal.naks = 10**6
    await asyncio.sleep(101)
    told = await day.refund()
    assert told is not True and day.done() == 0
    day.terminal.naks = 0
    await asyncio.sleep(30)
    day.look()
    assert pack(REFUND_APDU) not in day.heard_by_terminal() or day.heard_by_terminal().count(pack(REFUND_APDU)) == 1
    await day.still_works()


@day
async def test_a_refund_whose_acknowledgement_is_lost_goes_out_once(day):
    if day.bare:
        return
    await day.begin()
    day.terminal.end.passes = lambda name, data: 0 if data == bytes((ACK,)) and pack(REFUND_APDU) in sent() else None

    def sent():
        return day.heard_by_terminal()

    await day.refund()
    day.terminal.end.passes = None
    await asyncio.sleep(60)
    assert day.done() == 1 and sent().count(pack(REFUND_APDU)) == 1
    day.look()
    assert await day.refund() == HELD_AS_DUPLICATE
    await day.still_works()


@day
async def test_a_till_that_refuses_every_frame_is_refunded_once_and_the_journal_knows(day):
    if day.bare:
        return
    await day.begin()
    await day.write(pack(REFUND_APDU))
    for _ in range(400):
        if await day.shop.till.read(100):
            await day.write(bytes((NAK,)))
    assert day.done() == 1
    day.look()
    assert await day.refund() == HELD_AS_DUPLICATE
    await day.still_works()


@day
async def test_a_till_that_asks_twice_is_refunded_once(day):
    await day.begin()
    await day.write(day.framed(REFUND_APDU) + day.framed(REFUND_APDU))
    await day.converse(20000)
    assert day.done() == 1
    for pause in (0, 1, 60, 800):
        await asyncio.sleep(pause)
        assert await day.refund() == HELD_AS_DUPLICATE
    assert day.done() == 1
    await day.still_works()


@day
async def test_a_till_that_repeats_its_refund_when_the_first_is_under_way_is_refunded_once(day):
    await day.begin()
    day.terminal.host_ms = 9000
    for _ in range(3):
        await day.write(day.framed(REFUND_APDU))
        await day.converse(3000)
    await day.converse(20000)
    assert day.done() == 1
    await day.still_works()


# ---- tills that go away ----
@day
async def test_a_till_that_hangs_up_or_falls_silent_in_the_midst_loses_no_refund_and_gets_no_second(day):
    """At each message of its refund."""
    for heard in range(8):
        day = Day(day.bare)
        await day.begin()
        task = asyncio.create_task(day.refund())
        while len([1 for name, _ in day.wires if name == "gate to till"]) < heard and not task.done():
            await asyncio.sleep(0.01)
        await virtual_time.end([task])
        if day.bare:
            day.shop.till.close()
        await asyncio.sleep(40)
        day.look()
        assert day.done() == (1 if heard else 0), heard
        await day.still_works()
        assert await day.refund() == (HELD_AS_DUPLICATE if heard else True)
        day.shop.cut("b")
        await virtual_time.end(day.shop.owned("b"))


@day
async def test_a_till_that_breaks_off_a_message_and_comes_again_is_heard_from_its_first_byte(day):
    """However far it had come: nothing of it is taken for the beginning of what it says then."""
    if not day.bare:
        return
    await day.begin()
    for message in (SALE_APDU, REFUND_APDU):
        for size in range(1, len(message)):
            await day.write(message[:size])
            await asyncio.sleep(0.2)
            day.shop.till.close()
            await asyncio.sleep(0.2 if size % 2 else 3)
            assert await day.till.register(), size
            assert (await day.till.enquire()).version == "2.14", size
    assert day.done(SALE) == 1 and day.done() == 0
    await day.still_works()
    assert await day.refund() is True


@day
async def test_a_till_that_falls_silent_in_a_message_and_comes_again_without_hanging_up_is_heard(day):
    if not day.bare:
        return
    await day.begin()
    for message in (SALE_APDU, REFUND_APDU):
        await day.write(message[:7])
        await asyncio.sleep(20)
        try:
            await day.write(message)
            await day.hear(20000)
        except OSError:
            pass  # the gate hung up, and the message before is on no connection any more
        assert await day.till.register()
    await day.still_works()
    assert await day.refund() in (True, HELD_AS_DUPLICATE) and day.done() == 1


# ---- card numbers ----
@day
async def test_a_card_number_in_clear_is_nowhere_but_on_the_line(day):
    await day.begin()
    await day.still_works()
    day.terminal.masks = False
    card = "4929123456781234"
    day.terminal.card = card
    assert (await day.till.sale(4321, "EUR")).accepted
    agent = day.shop.agent
    sale = agent.history.sale(day.terminal.rows[-1].receipt)
    assert sale[7] == "1234" and len(sale[8]) == 8
    wish = apdu.pack(REFUND, b"\0\0\0\x04" + apdu.bcd(4321, 6) + b"\x49\x09\x78\x22\xf0\xf8" + bytes.fromhex(card))
    await day.write(day.framed(wish))
    await day.converse(8000)
    assert day.done() == 1 and bytes.fromhex(card) in day.heard_by_terminal()  # the till's own bytes went on
    told = [cbor.encode(row) for row in agent.keeper.rows] + [row.data for row in agent.events.since(0, 10**6)[0]]
    told.append(repr(audit(agent)).encode() + repr(agent.status()).encode())
    for digits in (card.encode(), card[:12].encode(), bytes.fromhex(card), bytes.fromhex(card[:12]), card[4:].encode()):
        assert not keeps(agent.journal.flash, digits)
        assert not [one for one in told if digits in one]
    day.look()


# ---- what cannot be decided ----
@day
async def test_two_sales_that_fit_are_named_and_neither_is_refunded(day):
    await day.begin(sales=2)
    said = []
    day.till._said = lambda kind, code, text: said.append((kind, code, text))
    assert await day.refund() == 0xB5
    assert day.done() == 0 and b"\x06\x31" not in day.heard_by_terminal()
    assert [text for kind, _, text in said if kind == "refused" and "1" in text and "2" in text], said
    await day.still_works()


class Refusing:
    """Makes the agent's flash refuse every write from now on."""

    def __init__(self, flash):
        self.flash = flash
        self._program = flash.program

    def __enter__(self):
        def program(address, data):
            raise OSError(5)

        self.flash.program = program

    def __exit__(self, *error):
        self.flash.program = self._program


@day
async def test_an_agent_that_fails_holds_refunds_and_lets_all_else_pass(day):
    await day.begin()
    with Refusing(day.shop.flash):
        assert (await day.till.sale(500, "EUR")).accepted
        for _ in range(2):
            assert await day.refund() not in (True, None)
        assert (await day.till.enquire()).version == "2.14"
    assert day.done() == 0 and b"\x06\x31" not in day.heard_by_terminal() and day.done(SALE) == 2
    await asyncio.sleep(30)
    await day.still_works()
    assert await day.refund() is True and day.done() == 1


@day
async def test_an_agent_that_fails_lets_refunds_pass_where_the_policy_keeps_the_line_open(day):
    day = Day(day.bare, {"gate_open": True})
    await day.begin()
    with Refusing(day.shop.flash):
        await day.till.sale(500, "EUR")
        assert await day.refund() is True and day.done() == 1
    assert day.framed(REFUND_APDU) in day.heard_by_terminal()


@day
async def test_an_agent_that_fails_lets_nothing_pass_where_the_policy_shuts_the_line(day):
    day = Day(day.bare, {"gate_open": False})
    await day.begin()
    with Refusing(day.shop.flash):
        await day.till.sale(500, "EUR")  # with it the agent learns that its memory fails
        before = day.done(SALE)
        assert await day.refund() == 0xA0
        assert not (await day.till.sale(501, "EUR")).accepted
        assert day.done() == 0 and day.done(SALE) == before


# ---- a till and an agent that want the terminal at once ----
@day
async def test_a_sale_that_meets_a_slow_question_of_the_agent_is_made_once_or_refused(day):
    """A till repeats a frame that nobody acknowledges within T2: three of them would be three sales."""
    await day.begin()
    for slow in (1500, 4000, 8000, 14000):
        day.terminal.slow = {STATUS: slow}
        before = day.done(SALE)
        await asyncio.sleep(30)
        day.till._t3 = 30000
        while not day.shop.gate.own:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        line = day.shop.line()
        try:
            await line.send(SALE_APDU, 2)
            answer = await line.receive(5000)
            while answer[0] < 0x80:
                await line.send(OK)
                answer = await line.receive(5000)
        except OSError:
            answer = None
        await day.converse(60000)
        made = day.done(SALE) - before
        assert made == (1 if answer == OK else 0), (slow, made, answer)
    day.terminal.slow = {}
    await asyncio.sleep(30)
    await day.still_works()


@day
async def test_a_frame_that_began_before_the_agents_turn_goes_on_in_its_order(day):
    if day.bare:
        return
    await day.begin()
    day.terminal.slow = {STATUS: 8000}
    await asyncio.sleep(30)
    gate = day.shop.gate
    while gate.turn.taken:
        await asyncio.sleep(0.01)
    await day.write(pack(SALE_APDU)[:2])
    while not gate.turn.taken:
        await asyncio.sleep(0.01)
    await day.write(pack(SALE_APDU)[2:])
    await day.converse(30000)
    day.terminal.slow = {}
    await day.still_works()
    assert not list(invented(day)) and pack(SALE_APDU)[:2] + b"\x10\x02" not in day.heard_by_terminal()


@day
async def test_the_agent_asks_nothing_in_the_midst_of_a_message(day):
    """A till on a stream may be as slow as it likes; the agent's own questions wait."""
    if not day.bare:
        return
    await day.begin()
    for byte in SALE_APDU:
        await day.write(bytes((byte,)))
        await asyncio.sleep(3)
    await day.converse(8000)
    assert day.done(SALE) == 2
    assert b"".join(data for name, data in day.wires if name == "gate to terminal").count(SALE_APDU) == 1
    await day.still_works()


def doubt(day):
    """Journal a refund in doubt that no question to the terminal settles."""
    history = day.shop.agent.history
    refund = Refund("stuck")
    history.record(refund, REQUESTED, {"receipt": 1, "amount": 99, "currency": "EUR"})
    history.record(refund, SENT, {"before": [7000, 1, 1, 978, None, None, 0, False]})
    history.record(refund, IN_DOUBT, {})


@day
async def test_a_sale_that_waits_for_a_doubt_is_made_once_also_where_the_terminal_refuses_its_first_frames(day):
    await day.begin()
    doubt(day)
    for naks in (0,) if day.bare else (0, 1, 2):
        before = day.done(SALE)
        left_over = [naks]

        def passes(name, data, left_over=left_over):
            if b"\x06\x01" in data and left_over[0]:
                left_over[0] -= 1
                return len(data) - 1  # a byte is lost, and the terminal answers NAK
            return None

        day.shop.terminal_side.passes = passes
        assert (await day.till.sale(300 + naks, "EUR")).accepted and day.done(SALE) == before + 1
        sale = day.shop.agent.history.sale(day.terminal.rows[-1].receipt)
        assert sale[3] == 300 + naks
        await asyncio.sleep(30)
    assert await day.refund(99) is not True  # in doubt


@day
async def test_a_sale_that_waits_for_a_doubt_never_hears_what_the_agent_asked(day):
    """However slowly the terminal answers that: a till that hears of another sale takes it for its own."""
    await day.begin()
    doubt(day)
    for slow in (500, 2500, 3500, 6000, 20000):
        day.terminal.slow = {REPEAT: slow}
        await asyncio.sleep(60)
        del day.wires[:]
        before = day.done(SALE)
        await day.write(day.framed(apdu.pack(SALE, SALE_APDU[3:-5] + b"\x77" + SALE_APDU[-4:])))
        said = await day.converse(9000)
        made = day.done(SALE) - before
        infos = [one for one in said if one[:2] == b"\x04\x0f"]
        assert made == (1 if OK in said else 0), (slow, made, said)
        assert OK in said or b"\x84\xa0\x00" in said
        assert infos == ([day.terminal.info(day.terminal.rows[-1])] if made else []), slow
    day.terminal.slow = {}
    await asyncio.sleep(60)
    assert (await day.till.enquire()).version == "2.14"


@day
async def test_a_sale_made_while_a_refund_is_in_doubt_is_never_taken_for_it(day):
    """The terminal is not ready to tell when the sale comes, so the doubt stays; then the agent loses its power before it
    hears what became of the sale, of the same amount."""
    await day.begin()
    shop = day.shop
    # the refund never arrives, for the terminal loses its power
    task = asyncio.create_task(day.refund())
    while b"\x06\x20" not in day.heard_by_terminal():
        await asyncio.sleep(0.001)
    shop.terminal_side.passes = lambda name, data: cut() if b"\x06\x31" in data else None

    def cut():
        shop.cut("t")
        return 0

    await task
    await virtual_time.end(shop.owned("t"))
    assert day.done() == 0 and shop.agent.history.open
    for end in shop.ends():
        end.passes = None
    shop.terminal.start()
    shop.terminal.config = 0x18
    shop.terminal.code = 0x9C  # please wait
    line = shop.line()
    await day.write(day.framed(SALE_APDU))
    while day.done(SALE) < 2:
        try:
            message = await line.receive(100)
            if message[0] < 0x80:
                await line.send(OK)
        except OSError:
            pass
        assert asyncio.get_running_loop().time() < 2000
    assert shop.agent.history.open
    shop.cut("a")
    await virtual_time.end(shop.owned("a"))
    shop.terminal.code = 0
    await asyncio.sleep(30)
    shop.boot()
    day.till = Cashier(shop.line(), REAL)
    for _ in range(20):
        try:
            if await day.till.register():
                break
        except OSError:
            pass
    await asyncio.sleep(60)
    states = list(shop.states().values())
    assert APPROVED not in states, states


@day
async def test_a_terminal_that_breaks_off_its_answer_is_understood_again_from_its_next_first_byte(day):
    """At any byte of the result of a sale."""
    await day.begin()
    info = day.framed(day.terminal.info(day.terminal.rows[0]))
    for size in range(1, len(info), 1 if DEEP else 7):

        def passes(name, data, size=size):
            if name == "terminal" and b"\x04\x0f" in data:
                asyncio.get_running_loop().call_later(0.001, day.shop.cut, "t")
                return size
            return None

        day.terminal.end.passes = passes
        try:
            await day.till.sale(600, "EUR")
        except OSError:
            pass
        day.terminal.end.passes = None
        await virtual_time.end(day.shop.owned("t"))
        day.terminal.start()
        await asyncio.sleep(12)
        await day.still_works()
    assert await day.refund() is True


# ---- frames altered by chance ----
FRAMES = 2_000_000 if DEEP else 200_000  # through what the gate decides by
DAYS = 300 if DEEP else 16  # of FRAMES_A_DAY each, through a whole gate, on each line
FRAMES_A_DAY = 60
A_CHUNK = 5_000
STOCK = [
    apdu.pack(command, data)
    for command, data in (
        (0x0600, bytes.fromhex("000000180978")),
        (SALE, SALE_APDU[3:]),
        (REFUND, REFUND_APDU[3:]),
        (REFUND, REFUND_APDU[3:] + bytes.fromhex("22f0f84929123456781234")),
        (VOID, bytes.fromhex("000000870001")),
        (STATUS, bytes.fromhex("0000000304")),
        (0x0650, bytes.fromhex("000000")),
        (0x06D1, bytes.fromhex("0010021002063110031003")),
        (0x06D3, bytes(300)),
        (0x8000, b""),
        (0x8483, b""),
        (0x060F, b""),
    )
]


def altered(chance, data):
    """A frame or message with so many bytes altered, lost, doubled or put in, those that matter most often."""
    for _ in range(chance.one_of((0, 0, 1, 1, 2, 4))):
        how, at = chance.below(7), chance.below(len(data) + 1)
        if how == 0:
            data = data[:at] + bytes(byte ^ 1 << chance.below(8) for byte in data[at : at + 1]) + data[at + 1 :]
        elif how == 1:
            data = (
                data[:at]
                + chance.one_of((b"\x10", b"\x02", b"\x03", b"\x06", b"\x31", b"\x15", b"\xff", b"\0"))
                + data[at:]
            )
        elif how == 2:
            data = data[:at] + data[at + 1 + chance.below(3) :]
        elif how == 3:
            data = data[:at]
        elif how == 4:
            data = data[:at] + data[: 1 + chance.below(7)] + data[at:]
        elif how == 5:
            data = data[:at] + b"\x10\x02\x06\x31"[chance.below(3) :] + data[at:]
        else:
            data = data[:at] + b"\x10\x03" + data[at:]
    return data


def pieces(chance, data):
    while data:
        size = 1 + chance.below(len(data))
        yield data[:size]
        data = data[size:]


def _decide(seed, bare):
    """What slipped past the scan in one chunk of altered frames, None if nothing did; the terminal's receiver hears what
    passes. Now and then the line is quiet for so long that the gate, or the terminal too, gives up what was begun."""
    chance = Chance(seed)
    scan = BareScan(lambda command: command == REFUND) if bare else FramedScan(lambda command: command == REFUND)
    terminal = tcp_line.Receiver() if bare else Receiver()
    given = b""  # and has not passed yet
    skips = False
    for number in range(A_CHUNK):
        message = chance.one_of(STOCK)
        for piece in pieces(chance, altered(chance, message if bare else pack(message))):
            quiet = chance.below(40) == 0 if bare else chance.below(5)
            if bare and quiet:  # it hangs up; whatever is begun is begun for both
                terminal.reset()
                scan.reset()
                given = b""
            elif not bare and quiet > 2:
                scan.reset()
                if quiet == 4:
                    terminal.reset()
            given += piece
            passes, stopped = scan.feed(piece)
            at = given.find(passes)
            if at < 0 or (at and not skips) or not given.endswith(stopped):
                return "SEED=%d, frame %d: what passes is not what came" % (seed, number)
            given = given[at + len(passes) :]
            skips = skips and not passes
            heard = terminal.feed(passes)
            if any(isinstance(one, bytes) and one[:2] == b"\x06\x31" for one in heard):
                return "SEED=%d, frame %d: a refund slipped past" % (seed, number)
            if stopped:
                if bare:
                    terminal.reset()
                    scan.reset()
                elif chance.below(2):
                    scan.skip()
                    skips = True
                given = b""
                break
    return None


@pytest.mark.parametrize("bare", [False, True], ids=["serial", "tcp"])
def test_no_altered_frame_slips_past_and_no_byte_is_invented(bare, record_count):
    chunks = FRAMES // 2 // A_CHUNK
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        wrong = [text for text in pool.map(_decide, range(1, chunks + 1), [bare] * chunks) if text]
    record_count("mutated frames at the gate", f"{FRAMES:,}")
    assert not wrong, wrong[:3]


def invented(day):
    """What came to the terminal and is neither the agent's own nor came in from the till in this order."""
    said = b""
    at = 0
    for name, data in day.wires:
        if name == "till":
            said += data
        if name != "gate to terminal" or data in (bytes((ACK,)), bytes((NAK,))):
            continue
        tokens = [data] if day.bare else Receiver().feed(data)
        message = tokens[0] if len(tokens) == 1 and isinstance(tokens[0], bytes) else b""
        if agents_own(message) or (data in said and message[:2] in (b"\x06\x31", b"\x06\x01")):
            continue  # the last ones were let go
        found = said.find(data, at)
        if found < 0:
            yield data
        at = max(at, found + len(data))


def _live(seed, bare):
    """A day of altered frames at a whole gate; what was wrong, or None."""

    async def life():
        chance = Chance(seed)
        day = await Day(bare).begin()
        for _ in range(FRAMES_A_DAY):
            data = altered(chance, day.framed(chance.one_of(STOCK)))
            for piece in pieces(chance, data) if chance.below(3) == 0 else [data]:
                await day.write(piece)
                await asyncio.sleep(chance.one_of((0, 0, 0.01, 0.15, 0.25, 1.2)))
            if chance.below(2):
                await day.converse(chance.one_of((50, 400, 3000)))
            if bare and chance.below(6) == 0:
                day.shop.till.close()
        day.shop.till.close()
        await asyncio.sleep(400)
        day.look()
        assert not list(invented(day)), list(invented(day))
        await day.still_works()

    try:
        virtual_time.run(life())
    except Exception as error:
        return "seed %d: %s %s" % (seed, type(error).__name__, error)
    return None


@pytest.mark.parametrize("bare", [False, True], ids=["serial", "tcp"])
def test_a_gate_lives_through_days_of_altered_frames_and_the_journal_says_what_was_done(bare, record_count):
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        wrong = [text for text in pool.map(_live, range(1, DAYS + 1), [bare] * DAYS) if text]
    record_count("mutated frames through a whole gate with its agent", f"{2 * DAYS * FRAMES_A_DAY:,}")
    assert not wrong, wrong[:3]
