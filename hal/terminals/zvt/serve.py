"""A command of the till that stops at the gate: we are the terminal for the till and the till for the terminal until it has
ended.

The till's own bytes go on to the terminal, by the driver, and whatever the terminal says comes back to the till, one
message after the other. Only its last word, completion or abort, waits until we know that it is true. Source: PA00P015 for
80 00 00, 04 FF, 06 1E.
"""

import asyncio

from ...ticks import deadline, left
from . import apdu
from .gate import KINDS, OTHER, REFUND, SALE, VOID

DONE, NOT_DONE, UNKNOWN = 2, 3, 4  # what became of a wish, as the keeper says
_SHUT = 2  # of a command, as the keeper says

_ACCEPTED = b"\x80\x00\x00"
_NOT_READ = b"\x84\x9a\x00"  # protocol error
_NOT_READY = b"\x84\xa0\x00"  # receiver not ready
_COMPLETED = b"\x06\x0f\x00"
_PLEASE_WAIT = b"\x04\xff\x01\x0e"
_ABORT = b"\x06\xb0\x00"
_PROTOCOL_ERROR = 0x9A
_SYSTEM_ERROR = 0xFF
_WANTS_STATUS = 0x08  # configuration byte of 06 00: intermediate status wanted

_ANSWERS_MS = 3000  # a till has so long to answer a message: the terminal itself waits 5 s (T3) for that
_WHOLE_MS = 6000  # for the rest of a command, with its repeat after T2
_STATUS_MS = 2000  # between two words to a till that waits
_LISTEN_MS = 300
_LATER = 4  # commands that a till may send while another is under way


class Wish:
    """What a till asks for: kind (REFUND, VOID), amount (minor units or None), currency (ISO 4217 number or None), receipt
    (of BMP 87, None in a refund by the paper), last_four and card_token where it sends a card. ApduError: it cannot be
    read."""

    def __init__(self, server, kind, message, data):
        self.kind = kind
        self.message = message
        given = apdu.unpack_bitmaps(data, 3, server.gate.card_key)
        self.amount = given.get("amount")
        self.currency = given.get("currency")
        self.receipt = given.get("receipt")
        self.last_four = given.get("last_four")
        self.card_token = given.get("card_token")
        self.aborted = False  # the till wants to break it off
        self.informed = False  # the till was told the result (04 0F)
        self.completion = _COMPLETED  # the terminal's last word, not told yet
        self.refusal = None
        self._server = server

    async def relay(self, message):
        """Hand a message of the terminal on to the till; what the terminal is answered."""
        if message[:2] == b"\x06\x1e":
            self.refusal = message
            return _ACCEPTED
        if message[:2] == b"\x06\x0f":
            self.completion = message
            return _ACCEPTED
        answer = await self._server.say(message)
        if message[:2] == b"\x04\x0f":
            self.informed = True
        if self.aborted:
            self.aborted = False
            await self._server.gate.line.send(_ABORT, 0)
        return answer


class Server:
    """Serves one command of the till, and those it sends meanwhile. `gate`: Gate."""

    def __init__(self, gate):
        self.gate = gate
        self._saying = asyncio.Lock()
        self._later = []

    async def run(self):
        line = self.gate.till_line
        while True:
            try:
                self._later.append(await line.receive(_WHOLE_MS))
            except OSError:
                self.gate.give_up()
            while self._later:
                await self._decide(self._later.pop(0))
            if not line.pending:
                break

    async def _decide(self, message):
        try:
            command, data = apdu.unpack(message)
        except apdu.ApduError:
            await self.say(_NOT_READ)
            return
        kind = KINDS.get(command, OTHER)
        stops = self.gate.keeper.stops(kind)
        if stops == _SHUT:
            await self.say(_NOT_READY)
            return
        if stops and kind == SALE:
            await self.gate.keeper.resolve()  # what is open has to be asked after before there is a newer receipt
        if not stops or kind not in (REFUND, VOID):
            if not await self.gate.release(message):
                await self.say(_NOT_READY)
            return
        await self.say(_ACCEPTED)
        # a till that missed our ACK has sent it once more
        self.gate.till_line.inbox = [one for one in self.gate.till_line.inbox if one != message]
        try:
            wish = Wish(self, kind, message, data)
        except apdu.ApduError:
            await self._refuse(_PROTOCOL_ERROR, "")
            return
        over = []
        waiting = asyncio.create_task(self._keep_waiting(wish, over))
        try:
            state, cause, text = await self.gate.keeper.asked(wish)
        finally:
            over.append(True)
            await waiting  # which takes so long that a till with one read for one message has 80 00 00 alone
        if state == DONE:
            if not wish.informed and self.gate.driver.last_info:
                await self.say(self.gate.driver.last_info)
            await self.say(wish.completion)
        elif state == NOT_DONE and wish.refusal:
            await self.say(wish.refusal)
        elif state == UNKNOWN:
            await self._refuse(_SYSTEM_ERROR, text)
        else:
            from . import codes

            code = codes.code_of(cause)
            codes.let_go()
            await self._refuse(code, text)

    async def _keep_waiting(self, wish, over):
        """Tell the till to wait, and hear whether it wants to break off."""
        said = deadline(_STATUS_MS // 2)
        while not over:
            await asyncio.sleep(0.05)
            if self._saying.locked():
                said = deadline(_STATUS_MS)
            elif self.gate.till_port.come:
                async with self._saying:
                    try:
                        self._meanwhile(await self.gate.till_line.receive(_LISTEN_MS), wish)
                    except OSError:
                        pass
            elif not left(said) and self.gate.config & _WANTS_STATUS:
                await self.say(_PLEASE_WAIT)

    def _meanwhile(self, message, wish=None):
        if message[:2] == b"\x06\xb0":
            if wish:
                wish.aborted = True
        elif len(self._later) < _LATER and message[0] < 0x80:
            self._later.append(message)

    async def say(self, message):
        """Say something to the till; its answer, _ACCEPTED where it gives none in time."""
        async with self._saying:
            try:
                return await asyncio.wait_for(self._say(message), _ANSWERS_MS / 1000)
            except (OSError, asyncio.TimeoutError):
                return _ACCEPTED

    async def _say(self, message):
        line = self.gate.till_line
        line.inbox = [one for one in line.inbox if one[0] < 0x80]  # an answer that came too late answers nothing now
        await line.send(message)
        while message[0] < 0x80:
            answer = await self.gate.till_line.receive(_ANSWERS_MS)
            if answer[0] >= 0x80:
                return answer
            self._meanwhile(answer)

    async def _refuse(self, code, text):
        """06 1E with a code, and the reason as extended error text (TLV 1F17)."""
        data = bytes((code,))
        text = text.encode()
        if text:
            data += bytes((0x06, len(text) + 3, 0x1F, 0x17, len(text))) + text
        await self.say(apdu.pack(0x061E, data))
