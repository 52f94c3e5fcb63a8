"""What drivers hand back: what a terminal said, that it said nothing, and that the power went."""


class TerminalSilent(OSError):
    """No answer, a line that failed, or an answer that proves nothing. For a refund it means: the outcome is unknown."""


class PowerCut(BaseException):
    """Simulated hardware alone: the power went in the midst of this very operation."""


class TerminalStatus:
    """code: status byte, 0 ready. busy: at work for somebody, ask again. version: text or None. locks: 16 bits or None
    (TLV 1F55). state: int or None (1F43). more: what it tells besides, {name: value} by the names the agent has for facts:
    terminal_model, terminal_id (text), terminal_offline, temperature_c, battery_percent."""

    def __init__(self, code, busy, version=None, locks=None, state=None, more=None):
        self.busy = busy
        self.code = code
        self.version = version
        self.locks = locks
        self.state = state
        self.more = more or {}


class Receipt:
    """What a terminal says of one transaction. Numbers are int, None where it does not say.

    receipt 1..9999, trace, amount in minor units, currency (ISO 4217 number), date MMDD, time HHMMSS, code (0 success),
    reversal (True where it names an original trace), last_four (text), original (that trace), card_name (text of at most 16
    characters: "VISA"), terminal_id (text of eight digits), card_token (bytes, where it
    tells the card's number and there is a key for it).
    """

    def __init__(
        self,
        receipt,
        trace,
        amount,
        currency,
        date,
        time,
        code,
        reversal,
        last_four,
        original=None,
        card_name=None,
        terminal_id=None,
        card_token=None,
    ):
        self.receipt = receipt
        self.trace = trace
        self.amount = amount
        self.currency = currency
        self.date = date
        self.time = time
        self.code = code
        self.reversal = reversal
        self.last_four = last_four
        self.original = original
        self.card_name = card_name
        self.terminal_id = terminal_id
        self.card_token = card_token


class Outcome:
    """The terminal's final word on a refund: accepted (bool), code (0, or why not: int, or text of its host), receipt
    (Receipt or None)."""

    def __init__(self, accepted, code, receipt):
        self.accepted = accepted
        self.code = code
        self.receipt = receipt
