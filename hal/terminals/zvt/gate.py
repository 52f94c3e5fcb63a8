"""A gate on the line between a till (ECR) and its terminal (PT), serial or TCP.

Every byte passes as it comes, both ways, but for the commands that the keeper (ports.Keeper) stops: serve.py carries those.
What passes is read along, so that the keeper learns of sales. While the till has nothing under way, the agent may ask the
terminal by the driver that it always uses.
"""

import asyncio
import gc
import sys

from ...ticks import deadline, kept, left
from . import apdu
from .terminal import Terminal
from .turns import Own, Turn, close

REFUND, VOID, SALE, OTHER = 1, 2, 3, 4  # what a till asks for
DAY_CLOSED, LOGGED_ON, LOGGED_OFF = 5, 6, 7  # what is only seen
KINDS = {0x0631: REFUND, 0x0630: VOID, 0x0601: SALE, 0x0650: DAY_CLOSED}

_ACK, _NAK = 0x06, 0x15
_QUIET_MS = 300  # without a byte, and nothing under way: then the agent may ask
_T4_MS = 180000
_GAP_MS = 90  # two such gaps are less than T1, after which a terminal has forgotten a frame
_LET_MS = 2000  # a till waits so long for the agent's turn to end; it repeats a frame after 5 s (T2)
_FREE_MS = 1500  # and so long besides, once it has our ACK: 80 00 00 must come within 5 s (T3)
_AGAIN = 2  # a terminal may refuse a frame twice (PA00P016)
_BROKEN_MS = 5000  # T3: an APDU on a stream that does not go on for so long is given up


class Gate:
    """`till`, `terminal`: Serial ports, both `framed` (serial) or both of bare APDUs (TCP); one that hung up raises OSError
    in read, and `close`, where there is one, hangs up. `settings`: the driver's, t1_ms, t2_ms. `card_key`: for card tokens.
    `driver`: Terminal port for the agent. `run(keeper)` carries the line and never returns.
    """

    def __init__(self, till, terminal, framed, settings, card_key=None):
        if framed:
            from .frame import Receiver, pack
            from .line import SerialLine as Line
            from .scan import FramedScan as Scan

            timers = (settings.get("t1_ms", 200), settings.get("t2_ms", 5000))
        else:
            from .tcp_line import Receiver
            from .tcp_line import TcpLine as Line
            from .tcp_scan import BareScan as Scan

            pack = bytes
            timers = ()
        self.till = till
        self.terminal = terminal
        self.card_key = card_key
        self.own = self.serving = False
        self.lost = 0  # bytes that nobody took
        self.commands = self.answers = 0  # messages that passed
        self._freeing = asyncio.Event()
        self._waits = False  # the till, for that
        self.terminal_port = Own(terminal.write)
        self.till_port = Own(till.write)
        self.till_line = Line(self.till_port, *timers)
        self.line = Line(self.terminal_port, *timers)
        self._scan = Scan(lambda command: self.keeper.stops(KINDS.get(command, OTHER)))
        self._from_ecr = Receiver()
        self._from_pt = Receiver()
        self._pack = pack
        self._acks = framed
        self._released = b""  # a frame we passed on: the till has had our ACK, and does not need the terminal's
        self._again = 0
        self.turn = Turn(self)
        self.driver = Terminal(self.line, settings, self.turn)
        self.driver.tills = True
        self._command = 0  # under way between till and terminal, 0 none
        self._asked = self._info = b""  # that command whole, and its last 04 0F
        self.config = 0xFF  # configuration byte: as if every bit were set, until a till registers
        self._touched = self._until = self._gap = self._broken = deadline(0)  # quiet since; T4; of what a till began

    async def run(self, keeper):
        self.keeper = keeper
        other = asyncio.create_task(self._carry_answers())
        try:
            await self._carry_commands()
        finally:
            other.cancel()

    def talking(self):
        """True while the till has something under way with the terminal."""
        waits = left(self._touched) or (self._command and left(self._until))
        return bool(waits or self.serving or self._waits or self._scan.begun)  # begun: a message

    def give_back(self):
        """Our turn with the terminal ends, unless somebody of us is talking to it."""
        if not self.serving and not self.turn.taken:
            self.own = False
            self._freeing.set()

    # ---- what passes ----
    async def _carry_commands(self):
        while True:
            try:
                data = await self.till.read(1000)
            except OSError:
                self._till_is_gone()
                continue
            if not data:
                if self._scan.begun and not left(self._broken):
                    self.give_up()
                self._touched, self._until, self._gap = kept(self._touched), kept(self._until), kept(self._gap)
                continue
            self.give_back()
            if self.own and not self.serving and not await self._freed():
                self._stop(self._scan.take() + data)  # the till would send it again, and it would be done twice
                continue
            if self.serving:
                if not self.till_port.put(data):
                    self.lost += len(data)
            else:
                await self._pass(data)

    async def _freed(self):
        """Wait until the agent's turn ends; no other one begins meanwhile. False: that takes too long."""
        until = deadline(_LET_MS)
        self._waits = True
        while self.own and left(until):
            self._freeing.clear()
            try:
                await asyncio.wait_for(self._freeing.wait(), left(until) / 1000)
            except asyncio.TimeoutError:
                pass
        self._waits = False
        return not self.own

    def _till_is_gone(self):
        if self.serving:
            self.till_port.hang_up()
        if not self._acks:
            if self._scan.begun:
                close(self.terminal)  # or it would take the next till's bytes for the rest
            self._from_ecr.reset()
        self._scan.reset()

    def give_up(self):
        """What a till has begun does not go on. Of a frame that stopped here the rest must not pass; on a connection nobody
        could tell where the next message begins, and it is ended."""
        if self._acks:
            self._scan.skip()
        elif self.till_line.pending or self._scan.begun:
            close(self.till)
            self._till_is_gone()

    async def _pass(self, data):
        """Pass on what may pass; where a command stops, serve it."""
        if self._acks and not left(self._gap):
            self._scan.reset()
        self._gap = deadline(_GAP_MS)
        self._broken = deadline(_BROKEN_MS)
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
            self._stop(stopped)

    def _stop(self, data):
        """A command of the till is ours now."""
        self.serving = True
        if not self.own:
            self.own = True
            self.terminal_port.take()
        self.till_port.take()
        self.till_port.put(data)
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
                if self.own:
                    self.terminal_port.hang_up()
                self._from_pt.reset()
                continue
            if self.own:
                if data and not self.terminal_port.put(data):
                    self.lost += len(data)
                continue
            if self._released and data:
                if data[0] == _NAK and self._again:
                    self._again -= 1
                    await self._to_terminal(self._released)
                else:
                    self._released = b""
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
        self._command = command
        if command == 0x0602:
            self._command = 0  # 80 00 00 is all that answers a log-off
            self.keeper.saw(LOGGED_OFF, None)
        self._until = deadline(_T4_MS)
        self._asked, self._info = message, b""

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
        asked, self._asked = self._asked, b""
        if kind != 0x060F:
            return
        if command == 0x0600 and len(asked) > 6:
            self.config = asked[6]
            self.driver.told(asked[3:6], self.config)
            self.keeper.saw(LOGGED_ON, None)
        seen = KINDS.get(command)
        try:
            if seen == DAY_CLOSED:
                self.keeper.saw(seen, None)
            elif seen and self._info:
                info = apdu.unpack_bitmaps(apdu.unpack(self._info)[1], 0, self.card_key)
                if seen == SALE and "amount" not in info:  # some terminals tell it only where it is another
                    info["amount"] = apdu.unpack_bitmaps(apdu.unpack(asked)[1]).get("amount")
                self.keeper.saw(seen, self.driver.receipt_of(info))
        except apdu.ApduError:
            self.keeper.saw(OTHER, None)

    # ---- commands that stop here ----
    async def _serve(self):
        if hasattr(gc, "mem_alloc"):
            gc.collect()  # a refund takes more of a board's heap than anything else
        from . import serve  # loaded for this, and let go: a board's heap is small

        try:
            await serve.Server(self).run()
        finally:
            sys.modules.pop(serve.__name__, None)
            rest = self.till_port.take()
            self.serving = False
            self._task = None  # it would keep the module
            self.give_back()
        if rest:
            await self._pass(rest)

    async def release(self, message):
        """Let a command pass after all; the till has had our ACK for it. False: the agent's turn does not end in time."""
        until = deadline(_FREE_MS)
        while self.turn.taken:
            if not left(until):
                return False
            await asyncio.sleep(0.02)
        self._see_command(message)
        if self._acks:
            self._released = self._pack(message)
            self._again = _AGAIN
        self.own = False
        await self._to_terminal(self._pack(message))
        return True
