"""Terminal port in memory, without a line or a protocol: says what its state says. For scenes on both runtimes.

{"silent": true,                                     no answer to anything
 "code": 0, "locks": 0, "state": 0, "version": "2.14", "model": "X", "terminal_id": "52001233",
 "offline": 0, "temperature_c": 24, "battery_percent": 80,
 "registered": true,                                 false: it refuses to let us log on; null: it is at work
 "receipts": [{"receipt": 231, "trace": 4711, "amount": 5000, "currency": 978, …}],  the last one is repeated; a number is the
                                                     receipt that has no more to it
 "frames": 900, "errors": 0,                         of the line; without frames there is no line
 "outcome": {"accepted": true, "code": 0},           of refunds; null: they stay unanswered
 "currencies": {"EUR": 978}}
A key that is missing is what the terminal does not tell.
"""

from ..said import Outcome, Receipt, TerminalSilent, TerminalStatus

_RECEIPT = "receipt trace amount currency date time code reversal last_four original card_name terminal_id"
_MORE = ("model", "terminal_model", "terminal_id", "terminal_id", "offline", "terminal_offline")


class Terminal:
    busy = False
    alone = False

    def __init__(self, state):
        self.state = state
        self.currencies = state.get("currencies", {"EUR": 978, "USD": 840, "CNY": 156})
        self.refunds = []  # the truth of whoever plays a scene: [(amount, currency), …]

    def _answers(self):
        if self.state.get("silent"):
            raise TerminalSilent("no answer")

    async def register(self):
        self._answers()
        registered = self.state.get("registered", True)
        self.alone = bool(registered)
        return registered

    async def enquire(self):
        self._answers()
        get = self.state.get
        more = {}
        for at in range(0, len(_MORE), 2):
            more[_MORE[at + 1]] = get(_MORE[at])
        for name in ("temperature_c", "battery_percent"):
            more[name] = get(name)
        more = {name: value for name, value in more.items() if value is not None}
        code = get("code", 0)
        return TerminalStatus(code, code in (0x9C, 0xA0), get("version"), get("locks"), get("state"), more)

    async def last_receipt(self):
        self._answers()
        told = self.state.get("receipts")
        if isinstance(told, list):
            told = told[-1] if told else None
        if told is None:
            return None
        if isinstance(told, int):
            told = {"receipt": told}
        fields = [told.get(name) for name in _RECEIPT.split()]
        fields[6] = fields[6] or 0
        fields[7] = fields[9] is not None or bool(fields[7])
        return Receipt(*fields)

    async def refund(self, amount, currency, wish=None):
        self._answers()
        outcome = self.state.get("outcome", {"accepted": True})
        if not outcome:
            raise TerminalSilent("no final word")
        if not outcome.get("accepted"):
            return Outcome(False, outcome.get("code", 0xFF), None)
        self.refunds.append((amount, currency))
        last = await self.last_receipt()
        number = (last.receipt or 0) % 9999 + 1 if last else 1
        trace = (last.trace or 0) % 999999 + 1 if last else 1
        self.state["receipts"] = {
            "receipt": number,
            "trace": trace,
            "amount": amount,
            "currency": self.currencies[currency],
        }
        return Outcome(True, outcome.get("code", 0), await self.last_receipt())

    async def abort(self):
        pass

    def counters(self):
        frames = self.state.get("frames")
        return None if frames is None else (frames, self.state.get("errors", 0))

    def cause(self, code):
        from ..terminals.zvt.codes import cause

        return cause(code)
