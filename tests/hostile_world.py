"""A laptop's link and a whole agent at the two ends of a line, in virtual time: refundctl's own classes here, the agent's own
there, and both directions of the line as hostile as one likes."""

import asyncio
import contextlib

import cbor2
import serial

from firmware_agent.agent import Agent
from firmware_agent.service import Service
from firmware_agent.wire import messages, smp, tool_messages
from hal.said import Receipt
from host_tools import link, stream
from host_tools.failures import Failure
from host_tools.link_reader import Reader

from . import virtual_time
from .device import cable
from .device.bench import ABOUT, SETTINGS, WALL_S, Paged, Ports
from .device.card_terminal import CardTerminal
from .hostile import BYTE_S, Line

POLL_S = 0.05  # as refundctl opens its ports
SALE = {"receipt": 231, "amount": 1234, "currency": "EUR"}
PERSON = {"by": "ann", "role": "owner", "reason": "the receipt"}
QUICK = {"power": {**SETTINGS["power"], "every_ms": 500}, "policy": SETTINGS["policy"]}

# Each command of group 82, with what it is asked here; some are refused, which is an answer like any other.
ASKED = {
    messages.STATUS: {"wall_s": WALL_S},
    messages.PREFLIGHT: SALE,
    messages.REFUND: {**SALE, "key": "r-1"},
    messages.EVENTS_SINCE: {"cursor": 0, "max_bytes": 1024},
    messages.SETTLE: {"key": "r-1", "done": True, **PERSON},
    messages.JOURNAL: {},
    messages.ACCEPT: PERSON,
    messages.ATTEST: {"what": 1, "value": 1, "by": "ann", "role": "owner"},
    messages.APPROVE: {"key": "r-1", "receipt": 231, "amount": 1234, "by": "ann", "pin": "2468"},
    messages.POLICY: {},
    messages.POLICY_PUT: {"size": 100, "digest": bytes(32), "offset": 0},
    messages.GATE: {},
    tool_messages.SUBSCRIBE: {"lease_s": 0, "credit": 1},
    tool_messages.LINK: {},
    messages.FIND: {"key": "r-1"},
    tool_messages.CAUSES: {"number": 4, "lang": "zh"},
    tool_messages.MANIFEST: {},
}


class Pulled(serial.SerialException):
    pass


class Clock:
    """Clock port that goes by the loop; it stays the same time of day, as at the terminal."""

    def __init__(self, loop):
        self._loop = loop

    def uptime_ms(self):
        return int(self._loop.time() * 1000)

    def wall_s(self):
        return WALL_S


class SlowFlash(Paged):
    """read_s: seconds that a read takes."""

    read_s = 0.0

    def __init__(self, loop, size):
        super().__init__(size)
        self._loop = loop

    def read(self, address, size):
        self._loop.spend(self.read_s)
        return super().read(address, size)


class Way:
    """One direction. written: [bytes of each write]; arrived: all that came out at the other end. cut_after: so many more
    bytes come out; then `cut` is called, and nothing does any more."""

    def __init__(self, loop, come):
        self.line = Line()
        self.written = []
        self.arrived = bytearray()
        self.cut_after = self.cut = None
        self._loop = loop
        self._come = come  # of the other end
        self._free = 0.0  # when the last byte is through
        self.byte_s = 0.0  # seconds that a byte takes

    def write(self, data):
        self.written.append(data)
        self._free = max(self._free, self._loop.time()) + len(data) * self.byte_s
        for line in data.splitlines(keepends=True) if data[:1] != b"~" else (data,):
            for piece in self.line.harm(line):
                if piece:
                    self._free = max(self._free, self._loop.time()) + self.line.pause()
                    if self._free > self._loop.time():
                        self._loop.call_at(self._free, self._through, piece)
                    else:
                        self._through(piece)

    def _through(self, piece):
        if self.cut_after is not None:
            piece, self.cut_after = piece[: self.cut_after], self.cut_after - len(piece)
        if piece:
            self.arrived += piece
            self._come(piece)
        if self.cut_after is not None and self.cut_after <= 0:
            self.cut_after = 0
            cut, self.cut = self.cut, None
            if cut:
                cut()

    def whole(self, frames):
        """Those of `frames` (bytes) that came out in one piece, in order."""
        found, at = [], 0
        for frame in frames:
            begin = self.arrived.find(frame, at)
            if begin >= 0:
                found.append(frame)
                at = begin + len(frame)
        return found


class AgentEnd:
    """Serial port of the agent. byte_s: seconds that a byte which is written takes; whoever writes waits so long."""

    def __init__(self, world):
        self.world = world
        self.data = b""
        self.come = asyncio.Event()
        self.byte_s = 0.0

    def take(self, data):
        if self.world.plugged:
            self.data += data
            self.come.set()

    async def read(self, timeout_ms):
        if not self.data and self.world.plugged and timeout_ms:
            self.come.clear()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self.come.wait(), timeout_ms / 1000)
        if not self.world.plugged:
            raise OSError(5)
        data, self.data = self.data, b""
        return data

    async def write(self, data):
        if not self.world.plugged:
            raise OSError(5)
        if self.byte_s:
            await asyncio.sleep(len(data) * self.byte_s)
        self.world.to_laptop.write(data)


class LaptopEnd:
    """As much of pyserial's port as the link uses, and what opens it."""

    def __init__(self, world):
        self.world = world
        self.data = b""
        self.come = asyncio.Event()
        self.baudrate = link.BAUD

    def open(self, baud):
        if not self.world.plugged:
            raise link.NoAnswer(port="hostile")
        self.data = b""
        return self

    def take(self, data):
        if self.world.plugged:
            self.data += data
            self.come.set()

    @property
    def in_waiting(self):
        self._there()
        return len(self.data)

    def _there(self):
        if not self.world.plugged:
            raise Pulled()

    def read(self, size):
        self._there()
        if not self.data:
            self.world.loop.run_until_complete(self._wait())
            self._there()
        data, self.data = self.data[:size], self.data[size:]
        return data

    async def _wait(self):
        self.come.clear()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self.come.wait(), POLL_S)

    def write(self, data):
        self._there()
        self.world.to_agent.write(data)

    def close(self):
        pass


class Time:
    """The laptop's clock, in place of the module time."""

    def __init__(self, loop):
        self.monotonic = self.perf_counter = self.time = loop.time
        self.sleep = lambda seconds: loop.run_until_complete(asyncio.sleep(seconds))


class Witness(Service):
    """heard: [messages that the agent acted on]; told: [its answers]."""

    def __init__(self, agent):
        super().__init__(agent)
        self.heard, self.told = [], []

    async def answer(self, message):
        self.heard.append(message)
        answer = await super().answer(message)
        if answer is not None:
            self.told.append(answer)
        return answer


class Signs:
    """A recorder of a link. at: when the last frame came by which the agent says that it is at work."""

    def __init__(self, loop):
        self.at = 0
        self._loop = loop
        self._reader = Reader()

    def came(self, data):
        before = self._reader.at_work
        self._reader.feed(data)
        if self._reader.at_work > before:
            self.at = self._loop.time()

    def sent(self, data):
        pass

    note = sent


class World:
    """link: of the laptop, open; agent; flash: of its journal; to_agent, to_laptop: the line's Ways; sent: messages that the
    laptop's link made. Use as a context manager."""

    def __init__(self, journal=16384):
        """`journal`: bytes of its region."""
        self._journal = journal

    def __enter__(self):
        self._stack = contextlib.ExitStack()
        self.loop = self._stack.enter_context(virtual_time.loop())
        for module in (link, stream):
            self._stack.callback(setattr, module, "time", module.time)
            module.time = Time(self.loop)
        self.plugged = True
        self.near, self.far = LaptopEnd(self), AgentEnd(self)
        self.to_agent, self.to_laptop = Way(self.loop, self.far.take), Way(self.loop, self.near.take)
        self.terminal = CardTerminal()
        self.terminal.last = Receipt(500, 900, 2500, 978, 1122, 120000, 0, False, "4711")
        self.flash = SlowFlash(self.loop, self._journal)
        ports = Ports(self.terminal, self.flash, self.far)
        ports.clock = Clock(self.loop)
        self.agent = Agent(ports, QUICK, ABOUT)
        self.witness = self.agent.link.service = Witness(self.agent)
        self.agent.snapshot.put("terminal_version", "2.14")
        self.task = self.loop.create_task(self.agent.run())
        self.pass_s(3)
        self.signs = Signs(self.loop)
        self.link = link.Link("hostile", self.signs)
        self.link._device, self.link._sequence = self.near, 0
        self.link.open()
        return self

    def __exit__(self, *_):
        self._stack.close()

    def pass_s(self, seconds):
        self.loop.run_until_complete(asyncio.sleep(seconds))

    def hostile(self, kind, seed=0):
        """Both directions become lines of this kind."""
        self.to_agent.line, self.to_laptop.line = kind(f"{seed} to the agent"), kind(f"{seed} to the laptop")

    def pull(self):
        self.plugged = False
        self.near.come.set()
        self.far.come.set()

    def plug(self):
        self.plugged = True
        for way, end in ((self.to_agent, self.far), (self.to_laptop, self.near)):
            way.cut_after = way.cut = None
            end.data = b""

    @property
    def sent(self):
        return [message for data in self.to_agent.written for message in cable.messages(data)[0]]

    def at_115200_baud(self):
        """From now on the line takes its time, both ways."""
        self.far.byte_s = self.to_agent.byte_s = BYTE_S

    def forget(self):
        """What went over the line so far is of no interest."""
        for way in (self.to_agent, self.to_laptop):
            way.written.clear()
            way.arrived.clear()
        self.witness.heard.clear()
        self.witness.told.clear()

    def ask(self, command, values=None):
        """(what was answered, the Failure, seconds it took), one of the first two None; of a Failure the seconds since the
        last sign of life."""
        begun = self.loop.time()
        try:
            answer, failure = self.link.ask(command, ASKED[command] if values is None else values), None
        except Failure as raised:
            answer, failure, begun = None, raised, max(begun, self.signs.at)
        return answer, failure, self.loop.time() - begun

    def answers(self, command):
        """What the agent answered to this command: [{name: value}, or the number of an error]."""
        found = []
        for message in self.witness.told:
            header, body = smp.unpack(message)
            if (header.group, header.command) == (messages.GROUP, command):
                body = cbor2.loads(body)
                error = body.get("err")
                found.append(error["rc"] if error else messages.unpack(link.COMMANDS[command][3], body))
        return found

    def typed(self, text, seconds=0.3):
        """What a person who types this is told."""
        before = len(self.to_laptop.arrived)
        self.near.write(text)
        self.pass_s(seconds)
        self.near.data = b""
        return bytes(self.to_laptop.arrived[before:])
