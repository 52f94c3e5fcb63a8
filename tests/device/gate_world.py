"""A shop in memory: lines, a ZVT terminal with a store that survives its power cuts, an agent at the gate, a till.

Every line has two ends, each a Serial port. Whoever has no power hears nothing, and nothing it does has any effect.
"""

import asyncio

from firmware_agent.agent import Agent
from hal import ticks
from hal.terminals.zvt import apdu
from hal.terminals.zvt.gate import Gate
from hal.terminals.zvt.line import SerialLine
from hal.terminals.zvt.tcp_line import TcpLine

from .bench import ABOUT, SETTINGS, WALL_S, Paged, Ports

PASSWORD = b"\x00\x00\x00"
CONFIG = 0x18  # intermediate status wanted; the terminal starts no payment by itself
CARD = "6725903800000417"
OK = b"\x80\x00\x00"
COMPLETED = b"\x06\x0f\x00"


async def for_ever():
    while True:
        await asyncio.sleep(3600)


class End:
    """Serial port at one end of a line. `client`: it connects (TCP); None on a serial line. `passes(name, data)`: how many
    bytes of what is written go out, None for all. `piece`: bytes that a read returns at most."""

    def __init__(self, name, client=None):
        self.name = name
        self.client = client
        self.other = None
        self.on = True
        self.connected = client is None
        self.passes = None
        self.piece = 4096
        self.said = b""  # all that went out
        self._data = b""
        self._hung_up = False
        self._next = b""  # of the connection after the one that is gone
        self._come = asyncio.Event()

    def take(self, data, late=False):
        """`late`: it was under way when the connection ended."""
        if self.on:
            if self._hung_up and not late:
                self._next += data
            else:
                self._data += data
            self._come.set()

    def hang_up(self):
        """TCP: this end closes the connection, or its owner falls; the other one is told behind what is under way."""
        if self.client is not None and self.connected:
            self.connected = self.other.connected = False
            self._data = b""
            self.other._next = b""
            self.other._hung_up = True
            self.other._come.set()

    def close(self):
        self.hang_up()

    def power(self, on):
        self.on = on
        self._data = self._next = b""
        self._hung_up = False
        if not on:
            self.hang_up()

    async def read(self, timeout_ms):
        if not self.on:
            await for_ever()
        if not self._data and not self._hung_up and timeout_ms > 0:
            self._come.clear()
            try:
                await asyncio.wait_for(self._come.wait(), timeout_ms / 1000)
            except asyncio.TimeoutError:
                pass
            if not self.on:
                await for_ever()
        if self._hung_up and not self._data:
            self._hung_up = False
            self._data, self._next = self._next, b""
            raise OSError(104)
        data = self._data[: self.piece]
        self._data = self._data[len(data) :]
        return data

    async def write(self, data):
        if not self.on:
            await for_ever()
        if not self.connected:
            if not self.client or not self.other.on:
                raise OSError(111)
            self.connected = self.other.connected = True
        if self.passes:
            size = self.passes(self.name, data)
            if size is not None:
                data = data[:size]
        if data:
            self.said += data
            self.other.take(data, not self.connected)
        if not self.on:
            await for_ever()


def line(near, far, bare):
    """(End near, End far); over TCP the near one connects."""
    ends = End(near, True if bare else None), End(far, False if bare else None)
    ends[0].other, ends[1].other = ends[1], ends[0]
    return ends


class Row:
    """One transaction in the terminal's store."""

    def __init__(self, kind, receipt, amount, result, original):
        self.kind = kind  # command
        self.receipt = receipt
        self.trace = 500 + receipt
        self.amount = amount
        self.result = result
        self.original = original


class CardTerminal:
    """ZVT terminal at `end`. `rows`: what it did, oldest first; it survives every cut, the registration does not.

    `host_ms`: how long its host takes. `plan`: what becomes of the next refunds and voids: a code that it declines with, or
    ("abort", code) before it asks its host. `slow`: {command: ms that it works at one}. `card`: digits of its cards, which
    it `masks`; `tells_amount`. `naks`: it refuses so many frames. `code`: its status. `parrot`: 04 0F that it answers a
    refund with, and does nothing.
    """

    def __init__(self, end, settings):
        self.end = end
        self.settings = settings
        self.rows = []
        self.host_ms = settings.get("host_ms", 300)
        self.plan = []
        self.slow = {}
        self.card = CARD
        self.masks = True
        self.tells_amount = True
        self.naks = 0
        self.code = 0
        self.parrot = None
        self.heard = []  # commands that arrived
        self.config = None
        self._task = None

    def start(self):
        """The power is there."""
        self.config = None
        self._later = []
        self.end.power(True)
        if self.end.client is None:
            self._line = SerialLine(self.end, self.settings["t1_ms"], self.settings["t2_ms"])
        else:
            self._line = TcpLine(self.end)
        self._task = asyncio.create_task(self._run())

    def done(self, kind):
        """Rows of this command that were approved."""
        return [row for row in self.rows if row.kind == kind and not row.result]

    async def _run(self):
        while True:
            try:
                while self.naks:
                    if await self.end.read(100):
                        self.naks -= 1
                        await self.end.write(b"\x15")
                message = self._later.pop(0) if self._later else await self._line.receive(100000)
                if message[0] < 0x80:
                    self.heard.append(message)
                    await self._do(message)
            except (OSError, apdu.ApduError, IndexError, KeyError):
                pass  # it makes no sense, or nobody is there any more: it is carried out all the same

    async def _do(self, message):
        command, data = apdu.unpack(message)
        handler = {
            0x0600: self._register,
            0x0601: self._pay,
            0x0630: self._pay,
            0x0631: self._pay,
            0x0620: self._repeat,
            0x0501: self._status,
            0x0650: self._close,
        }.get(command)
        if command == 0x0602:
            self.config = None
        if command in (0x0602, 0x06B0):
            await self._line.send(OK)
        elif handler is None:
            await self._line.send(b"\x84\x83\x00")
        else:
            try:
                await self._line.send(OK)
            except OSError:
                if command not in (0x0601, 0x0630, 0x0631):
                    raise
            await asyncio.sleep(self.slow.get(command, 0) / 1000)
            await handler(command, data)

    async def _say(self, message):
        """Say something and wait for the answer, T3 at most."""
        await self._line.send(message)
        try:
            while True:
                answer = await self._line.receive(self.settings["t3_ms"])
                if answer[0] >= 0x80:
                    return
                self._later.append(answer)  # a command waits until this one has ended
        except OSError:
            pass

    async def _register(self, command, data):
        self.config = data[3]
        await self._say(COMPLETED)

    async def _status(self, command, data):
        await self._say(b"\x06\x0f\x08\xf0\xf0\xf42.14" + bytes((self.code,)))

    async def _close(self, command, data):
        await self._say(COMPLETED)

    async def _repeat(self, command, data):
        if not self.rows:
            await self._say(b"\x06\x1e\x01\x83")
            return
        await self._say(self.info(self.rows[-1]))
        await self._say(COMPLETED)

    async def _pay(self, command, data):
        given = apdu.unpack_bitmaps(data, 0 if command == 0x0601 else 3)
        if self.parrot:
            await self._say(self.parrot)
            await self._say(COMPLETED)
            return
        fate = 0
        if command != 0x0601 and self.plan:
            fate = self.plan.pop(0)
        if self.config is None:
            fate = ("abort", 0x6B)
        sale = None
        if command == 0x0630:
            sale = self._sale(given.get("receipt"))
            if sale is None:
                fate = ("abort", 0xB5)
        try:
            if self.config and self.config & 8:
                await self._say(b"\x04\xff\x01\x0a")
        except OSError:
            pass
        await asyncio.sleep(self.host_ms / 1000)
        if isinstance(fate, tuple):
            await self._say(bytes((0x06, 0x1E, 1, fate[1])))
            return
        amount = sale.amount if sale else given["amount"]
        row = Row(command, len(self.rows) + 1, amount, fate, sale and sale.trace)
        self.rows.append(row)
        await self._say(self.info(row))
        await self._say(bytes((0x06, 0x1E, 1, fate)) if fate else COMPLETED)

    def _sale(self, receipt):
        taken_back = [row.original for row in self.done(0x0630)]
        for row in self.done(0x0601):
            if row.receipt == receipt and row.trace not in taken_back:
                return row
        return None

    def info(self, row):
        """04 0F of a transaction."""
        digits = self.card
        if self.masks:
            digits = digits[:6] + "E" * (len(digits) - 10) + digits[-4:]
        number = bytes(int(digits[at : at + 2], 16) for at in range(0, len(digits), 2))
        data = b"\x27" + bytes((row.result,))
        if self.tells_amount:
            data += b"\x04" + apdu.bcd(row.amount, 6)
        data += b"\x49\x09\x78"
        data += b"\x0b" + apdu.bcd(row.trace, 3) + b"\x87" + apdu.bcd(row.receipt, 2) + b"\x0c\x12\x00\x00\x0d\x11\x22"
        data += b"\x22\xf0" + bytes((0xF0 | len(number),)) + number
        if row.original:
            data += b"\x37" + apdu.bcd(row.original, 3)
        return apdu.pack(0x040F, data)


class Clock:
    """By hal.ticks, so that it runs in virtual time too."""

    def __init__(self, begun):
        self._begun = begun
        self._boot = ticks.ticks_ms()

    def uptime_ms(self):
        return 1000 + ticks.ticks_diff(ticks.ticks_ms(), self._boot)

    def wall_s(self):
        return WALL_S + ticks.ticks_diff(ticks.ticks_ms(), self._begun) // 1000


REAL = {"currencies": {"EUR": 978}, "t1_ms": 200, "t2_ms": 5000, "t3_ms": 5000, "t4_ms": 180000}


class Shop:
    """Lines between `till` (End), the agent and `terminal` (CardTerminal). `bare`: TCP. `settings`: of drivers and lines.
    `rules`: what the policy says besides the bench's."""

    def __init__(self, bare, settings=REAL, rules=None, flash=None):
        self.bare = bare
        self.settings = settings
        self.rules = rules or {}
        self.till, self.till_side = line("till", "gate to till", bare)
        self.terminal_side, far = line("gate to terminal", "terminal", bare)
        self.terminal = CardTerminal(far, settings)
        self.flash = flash or Paged(32768, 4096)
        self.begun = ticks.ticks_ms()
        self.agent = self.gate = None
        self.tasks = []

    def ends(self):
        return self.till, self.till_side, self.terminal_side, self.terminal.end

    def boot(self):
        """The agent's power is there."""
        for end in (self.till_side, self.terminal_side):
            end.power(True)
        self.gate = Gate(self.till_side, self.terminal_side, not self.bare, self.settings, b"key of the tests")
        ports = Ports(self.gate.driver, self.flash)
        ports.clock = Clock(self.begun)
        ports.gate = self.gate
        settings = {}
        settings.update(SETTINGS)
        settings["policy"] = {}
        settings["policy"].update(SETTINGS["policy"])
        settings["policy"].update(self.rules)
        self.agent = agent = Agent(ports, settings, ABOUT)
        for _ in range(4):
            agent.power.sample()
        self.tasks = [
            asyncio.create_task(agent._forever(part))
            for part in (agent._keep_gate, agent._watch_network, agent._watch_terminal)
        ]
        return agent

    def line(self, end=None):
        """The till's ZVT line."""
        end = end or self.till
        return TcpLine(end) if self.bare else SerialLine(end, self.settings["t1_ms"], self.settings["t2_ms"])

    def cut(self, who):
        """The power goes: of the agent "a", the terminal "t", both "b". They stop where they are; nothing follows."""
        if who != "t":
            self.till_side.power(False)
            self.terminal_side.power(False)
        if who != "a":
            self.terminal.end.power(False)

    def owned(self, who):
        """The tasks of those without power, to be ended; not from within one of them."""
        owned = []
        if who != "t":
            owned += self.tasks + [getattr(self.gate, "_task", None), self.agent.conductor.task]
        if who != "a":
            owned.append(self.terminal._task)
        return [task for task in owned if task and not task.done()]

    def states(self):
        """{key: state} of all refunds in the journal."""
        from firmware_agent.wire import cbor
        from firmware_agent.wire.bodies import STATE

        journal = self.agent.journal
        found = {}
        for generation in range(journal.oldest, journal.newest + 1):
            for body in journal.bodies(generation):
                if body[1] == STATE:
                    record = cbor.decode(body)
                    found[record[1]] = record[2]
        return found
