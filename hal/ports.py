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


class SamplingPower:
    """What a Power has besides that samples by itself, a thousand times a second or more, beside the loop."""

    def window(self):
        """(mean, lowest, highest, sags, longest) of the samples since the last call: millivolts, how often a sag began,
        and milliseconds of the longest, None where that is not known. None: no samples since. A sag: the supply fell
        below the board's limit."""


class Network:
    """The way to the acquirer's host."""

    async def probe(self):
        """(link, address, host_ms, dns, tls, signal): carrier 0/1, address 0/1, round trip of a connect to the host in ms
        or -1 where it is unreachable, None where no host is told, its name resolved 0/1, its certificate valid 1, invalid 0,
        not looked at None, signal of a radio 0..100 percent or None; at most 3,000 ms. None: absent, the terminal has
        a line of its own that the board cannot see."""


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


class SettableClock:
    """What the Clock of a board has besides, which forgets the time with its supply."""

    def set(self, wall_s):
        """It is `wall_s`, Unix seconds of 2024 to 2099."""


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
    a new receipt after a refund we sent can only be that refund. currencies: {"EUR": 978}, what it does. tills: True where a
    till logs on, and not we. unregistered: the code of a refund that was declined because nobody did. Both may be absent.
    """

    async def register(self):
        """Log on to the terminal. True: it let us; False: it refused; None: it is at work, ask again, or a till logs on.
        TerminalSilent."""

    async def enquire(self):
        """TerminalStatus. TerminalSilent: no answer."""

    async def last_receipt(self):
        """The terminal's last Receipt, None if it has none or cannot repeat one; nothing is printed. TerminalSilent: no
        answer, or not now."""

    async def refund(self, amount, currency, wish=None):
        """Ask for one refund: `amount` in minor units, `currency` in letters. The request goes out exactly once. Outcome,
        or TerminalSilent: sent, and the outcome is unknown. `wish`: of a till behind a gate (Gate): its own request goes out,
        and it hears what the terminal says."""

    async def abort(self):
        """Ask the terminal to give up what it is doing, as far as its host has not been asked."""

    def counters(self):
        """(frames, errors) since start: frames both ways, and those of them that came damaged, were refused or were not
        acknowledged in time. None: no serial line between us, or none that can be watched."""

    def cause(self, code):
        """The number in CAUSES.md that a code speaks of: int of this terminal, or text of its host, as field 39 of ISO 8583
        ("91") or a platform's word ("NOTENOUGH"). 0 for a code no table lists, and for one that is no refusal."""


class Gate:
    """A line between a till and its terminal that we sit on. driver: Terminal port, by which the agent asks the
    terminal while the till has nothing under way. commands, answers: messages that passed; lost: bytes that nobody
    took."""

    async def run(self, keeper):
        """Carry the line; never returns. `keeper`: Keeper."""


class Keeper:
    """What a gate asks whoever keeps it. Kinds of commands: REFUND 1, VOID 2 (a sale is reversed), SALE 3, OTHER 4,
    DAY_CLOSED 5 (end of day), LOGGED_ON 6, LOGGED_OFF 7 (the till, to and from the terminal)."""

    def stops(self, kind):
        """0 if a command of this kind passes; 1 if `asked` (SALE: `resolve`) comes first; 2 if it must not pass at all.
        At once; for every command."""

    async def asked(self, wish):
        """What becomes of a refund or void that a till wants: (state, cause, text). `wish`: kind, amount (minor units
        or None), currency (ISO 4217 number or None), receipt, last_four, card_token (None where the till does not say),
        and whatever the driver's `refund` needs of it. state: 1 held, the terminal never heard of it; 2 done; 3 not
        done, the terminal declined it or never did it; 4 nobody knows. cause: number in CAUSES.md that speaks against
        it, or 0. text: for the till's display, at most 120 bytes of UTF-8. May wait as long as it takes; the till is
        told to wait."""

    async def resolve(self):
        """A sale waits until this returns: what is open should be asked after before there is a newer receipt."""

    def saw(self, kind, receipt):
        """A command of this kind passed and was done; `receipt`: Receipt of what moved money, None with OTHER for one
        that could not be read."""
