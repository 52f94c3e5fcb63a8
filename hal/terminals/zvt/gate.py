"""A gate on the line between a till (ECR) and its terminal (PT), serial or TCP.

Every byte passes as it comes, both ways, but for the commands that the keeper (ports.Keeper) stops: serve.py carries those.
What passes is read along, so that the keeper learns of sales. While the till has nothing under way, the agent may ask the
terminal by the driver that it always uses.
"""

import asyncio
import sys

from ...said import TerminalSilent
from ...ticks import deadline, left
from . import apdu
from .terminal import Terminal

REFUND, VOID, SALE, OTHER, DAY_CLOSED = 1, 2, 3, 4, 5  # what a till asks for; the last one is only seen
KINDS = {0x0631: REFUND, 0x0630: VOID, 0x0601: SALE, 0x0650: DAY_CLOSED}

_ACK, _NAK = 0x06, 0x15
_UNREGISTERED = 0xFF  # configuration byte: as if every bit were set, until a till registers
_QUIET_MS = 300  # without a byte, and nothing under way: then the agent may ask
_T4_MS = 180000
_TURN_MS = 2000  # the agent gives up asking while a till talks
_BACKLOG = 2048  # bytes of one side that wait for us; a till sends one command and then waits


class _Own:
    """Serial port over what the gate read from one side, while we talk there ourselves."""

    def __init__(self, write):
        self.write = write
        self.gone = False
        self._data = b""
        self._come = asyncio.Event()

    def put(self, data):
        """False: too much waits already."""
        if len(self._data) + len(data) > _BACKLOG:
            return False
        self._data += data
        self._come.set()
        return True

    def hang_up(self):
        self.gone = True
        self._come.set()

    def take(self):
        data, self._data = self._data, b""
        self._come.clear()
        return data

    @property
    def come(self):
        return bool(self._data)

    async def read(self, timeout_ms):
        if not self._data and not self.gone and timeout_ms > 0:
            try:
                await asyncio.wait_for(self._come.wait(), timeout_ms / 1000)
            except asyncio.TimeoutError:
                pass
        if self.gone and not self._data:
            raise OSError(104)  # ECONNRESET
        return self.take()


class _Turn:
    """The lock of the terminal's driver: the agent's turn begins when the till has nothing under way."""

    def __init__(self, gate):
        self._gate = gate
        self._lock = asyncio.Lock()

    def locked(self):
        return self._lock.locked() or (self._gate.talking() and not self._gate.serving)

    async def __aenter__(self):
        gate = self._gate
        await self._lock.acquire()
        try:
            until = deadline(_TURN_MS)
            while gate.talking() and not gate.serving:
                if not left(until):
                    raise TerminalSilent("the till has the line")
                await asyncio.sleep(0.02)
        except BaseException:
            self._lock.release()
            raise
        gate.own = True

    async def __aexit__(self, *error):
        self._lock.release()
        self._gate.give_back()


class Gate:
    """`till`, `terminal`: Serial ports, both `framed` (serial) or both of bare APDUs (TCP); a till that hung up raises
    OSError in read. `settings`: the driver's (terminal.Terminal), and "t1_ms", "t2_ms". `card_key`: bytes for card tokens.

    `driver`: Terminal port for the agent. `run(keeper)` carries the line and never returns.
    """

    def __init__(self, till, terminal, framed, settings, card_key=None):
        if framed:
            from .frame import Receiver, pack
            from .line import SerialLine
            from .scan import FramedScan as Scan

            def line(port):
                return SerialLine(port, settings.get("t1_ms", 200), settings.get("t2_ms", 5000))
        else:
            from .scan import BareScan as Scan
            from .tcp_line import Receiver
            from .tcp_line import TcpLine as line

            pack = bytes
        self.till = till
        self.terminal = terminal
        self.card_key = card_key
        self.keeper = None
        self.own = self.serving = False
        self.lost = 0  # bytes that nobody took
        self.commands = self.answers = 0  # messages that passed
        self._freed = asyncio.Event()
        self._terminal_port = _Own(terminal.write)
        self.till_port = _Own(till.write)
        self.till_line = line(self.till_port)
        self.line = line(self._terminal_port)
        self._scan = Scan(self._stops)
        self._from_ecr = Receiver()
        self._from_pt = Receiver()
        self._pack = pack
        self._acks = framed
        self._swallow = False  # the terminal's ACK of what we passed on: the till has had ours
        self.driver = Terminal(self.line, settings, _Turn(self))
        self.driver.tills = True
        self._command = 0  # under way between till and terminal, 0 none
        self._info = None  # its last 04 0F
        self._registering = b""  # password and configuration byte
        self.config = _UNREGISTERED
        self._touched = self._until = deadline(0)  # quiet since; T4 of the command under way

    async def run(self, keeper):
        self.keeper = keeper
        other = asyncio.create_task(self._carry_answers())
        try:
            await self._carry_commands()
        finally:
            other.cancel()

    def talking(self):
        """True while the till has something under way with the terminal."""
        return bool(self.serving or left(self._touched) or (self._command and left(self._until)))

    def give_back(self):
        """Our turn with the terminal ends."""
        if not self.serving:
            self.own = False
            self._freed.set()

    def _stops(self, command):
        return self.keeper.stops(KINDS.get(command, OTHER))

    # ---- what passes ----
    async def _carry_commands(self):
        while True:
            try:
                data = await self.till.read(1000)
            except OSError:
                self.till_port.hang_up()
                data = b""
            if not data:
                self._scan.reset()
                continue
            while self.own and not self.serving:
                self._freed.clear()
                await self._freed.wait()
            self.till_port.gone = False
            if self.serving:
                if not self.till_port.put(data):
                    self.lost += len(data)
            else:
                await self._pass(data)

    async def _pass(self, data):
        """Pass on what may pass; where a command stops, serve it."""
        passes, stopped = self._scan.feed(data)
        self._touched = deadline(_QUIET_MS)
        if stopped:
            self.serving = True
        if passes:
            await self._to_terminal(passes)
            for token in self._from_ecr.feed(passes):
                if self._counts(token):
                    self._see_command(token)
        if stopped:
            self.own = True
            self._terminal_port.take()
            self.till_port.put(stopped)
            self._task = asyncio.create_task(self._serve())

    async def _to_terminal(self, data):
        try:
            await self.terminal.write(data)
        except OSError:
            self.lost += len(data)

    async def _carry_answers(self):
        while True:
            try:
                data = await self.terminal.read(1000)
            except OSError:
                self._terminal_port.hang_up()
                continue
            self._terminal_port.gone = False
            if self.own:
                if not self._terminal_port.put(data):
                    self.lost += len(data)
                continue
            if self._swallow and data:
                self._swallow = False
                if data[0] in (_ACK, _NAK):
                    data = data[1:]
            if not data:
                continue
            self._touched = deadline(_QUIET_MS)
            try:
                await self.till.write(data)
            except OSError:
                self.lost += len(data)
            for token in self._from_pt.feed(data):
                if self._counts(token):
                    self._see_answer(token)

    # ---- what is learned of what passes ----
    def _counts(self, token):
        """Count a frame for the quality of the line; True if it is an APDU."""
        if isinstance(token, int):
            return False
        self.line.frames += 1
        self.line.errors += token is None
        return token is not None

    def _see_command(self, message):
        if message[0] >= 0x80:
            return
        self.commands += 1
        command = message[0] << 8 | message[1]
        if command == 0x06B0:
            return  # of the command under way
        self._command = 0 if command == 0x0602 else command  # 80 00 00 is all that answers a log-off
        self._until = deadline(_T4_MS)
        self._info = None
        self._registering = message[3:7] if command == 0x0600 and len(message) > 6 else b""

    def _see_answer(self, message):
        self.answers += 1
        self._until = deadline(_T4_MS)
        kind = message[0] << 8 | message[1]
        if kind == 0x040F:
            self._info = message
            if self._command == 0x06C0:
                self._command = 0  # a card was read: nothing else follows
        if kind not in (0x060F, 0x061E) and message[0] != 0x84:
            return
        command, self._command = self._command, 0
        if kind != 0x060F:
            return
        if self._registering:
            self.config = self._registering[3]
            self.driver.told(self._registering[:3], self.config)
        seen = KINDS.get(command)
        try:
            if seen == DAY_CLOSED:
                self.keeper.saw(seen, None)
            elif seen and self._info:
                info = apdu.unpack_bitmaps(apdu.unpack(self._info)[1], 0, self.card_key)
                self.keeper.saw(seen, self.driver.receipt_of(info))
        except apdu.ApduError:
            self.keeper.saw(OTHER, None)

    # ---- commands that stop here ----
    async def _serve(self):
        from . import serve  # loaded for this, and let go: a board's heap is small

        try:
            await serve.Server(self).run()
        finally:
            sys.modules.pop(serve.__name__, None)
            rest = self.till_port.take()
            self.serving = False
            self.give_back()
        if rest:
            await self._pass(rest)

    async def release(self, message):
        """Let a command pass after all; the till has had our ACK for it."""
        self._see_command(message)
        self._swallow = self._acks
        self.own = False
        await self._to_terminal(self._pack(message))
