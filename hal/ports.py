"""The ports: what the hardware layer promises to whoever uses it. This page is the contract; nobody imports it on a board.

A driver is a class with the methods of its port; it inherits nothing. Two rules hold for every port:
- absent hardware is a driver like any other (hal/none.py): readings are None, outputs do nothing, lines stay silent;
- whatever fails in hardware raises OSError (TerminalSilent is one), and nothing else may escape a driver. hal/said.py has it,
  and what terminals say.

Methods marked `async` may wait; all others return at once.
"""


class Power:
    """The supply of the terminal or board."""

    def millivolts(self):
        """int 0..60000, one sample now; None: absent."""

    def battery_percent(self):
        """int 0..100, charge of the battery; None: there is none, or none that can be read."""


class Network:
    """The way to the acquirer's host."""

    async def probe(self):
        """(link, address, host_ms, dns, tls, signal): carrier 0/1, address 0/1, round trip of a connect to the host in ms
        or -1 where it is unreachable, its name resolved 0/1, its certificate valid 1, invalid 0, not looked at None, signal
        of a radio 0..100 percent or None; at most 3,000 ms. None: absent, the terminal has a line of its own that the board
        cannot see."""


class Thermometer:
    """How warm it is where the terminal or board works."""

    def degrees(self):
        """int, whole degrees Celsius; None: absent."""


class Watchdog:
    """Starts the board anew when nobody feeds it."""

    def feed(self):
        """The agent lives: at least once in eight seconds, the longest a Pico's watchdog waits."""

    def reset_reason(self):
        """Why this boot happened: "power_on", "reset", "watchdog", "brown_out" or "crash"; None: absent, or nobody knows."""


class Clock:
    def uptime_ms(self):
        """int, milliseconds since this boot; never falls, never wraps (ask at least once in six days)."""

    def wall_s(self):
        """int, Unix seconds; None: never set. May jump at any time, both ways: order comes from sequence numbers."""


class Flash:
    """Memory that keeps: NOR flash, or a file that behaves like it.

    size: bytes. sector: bytes that are erased together. unit: bytes that are programmed together (alignment and multiple).
    An erased byte is FF; programming can only clear bits; what is programmed lasts only after sync.
    """

    def read(self, address, size):
        """bytes of length `size`. OSError: beyond the end, or the medium fails."""

    def program(self, address, data):
        """`address` and len(data) are multiples of `unit`, within one sector. OSError: a bit would have to rise from 0 to
        1, wrong alignment, worn out. The power may go after any byte of it."""

    def erase(self, address):
        """Erase the sector that begins at `address`."""

    def sync(self):
        """Returns when everything programmed and erased so far survives a power cut."""


class Serial:
    """A serial line, raw, 8 bits."""

    async def read(self, timeout_ms):
        """bytes, at least one as soon as there is one; b"" when `timeout_ms` ran out. OSError: the line is gone."""

    async def write(self, data):
        """All of `data`, in order. OSError: the line is gone, or nobody took it for a second."""


class Light:
    """One light for a person beside the terminal."""

    def show(self, colour):
        """ "off", "green", "amber" or "red"."""


class Terminal:
    """A card terminal. One conversation at a time: a second call waits for the first.

    busy: True while a conversation is under way. alone: True once the terminal agreed to start no payment by itself, so that
    a new receipt after a refund we sent can only be that refund. currencies: {"EUR": 978}, what it does.
    """

    async def register(self):
        """Log on to the terminal. True: it let us; False: it refused; None: it is at work, ask again. TerminalSilent."""

    async def enquire(self):
        """TerminalStatus. TerminalSilent: no answer."""

    async def last_receipt(self):
        """The terminal's last Receipt, None if it has none or cannot repeat one; nothing is printed. TerminalSilent: no
        answer, or not now."""

    async def refund(self, amount, currency):
        """Ask for one refund: `amount` in minor units, `currency` in letters. The request goes out exactly once. Outcome,
        or TerminalSilent: sent, and the outcome is unknown."""

    async def abort(self):
        """Ask the terminal to give up what it is doing, as far as its host has not been asked."""

    def counters(self):
        """(frames, errors) since start: frames both ways, and those of them that came damaged, were refused or were not
        acknowledged in time. None: no serial line between us, or none that can be watched."""

    def cause(self, code):
        """The number in CAUSES.md that a code speaks of: int of this terminal, or text of its host, as field 39 of ISO 8583
        ("91") or a platform's word ("NOTENOUGH"). 0 for a code no table lists, and for one that is no refusal."""
