"""What every line from the terminal to a till does with APDUs, whatever carries them: takes them in, lets them out, and loses
its power where somebody staged that. line.py is the serial one, tcp_line.py the one over TCP.
"""

import collections
import dataclasses
import os
import selectors
import time

# A till that waits for its turn has one command and one abort on the way; more waiting ones are a flood and dropped
MOST_RECEIVED = 8
DRAIN_SECONDS = 1.0  # so long the last bytes before a power cut wait for a reader; they are on the wire already
POWER_CUT = 9  # exit status


@dataclasses.dataclass(frozen=True)
class Times:
    """Seconds: T1 between two bytes, T2 for ACK or NAK, T3 from a command to its 80 00 00."""

    t1: float = 0.2
    t2: float = 5.0
    t3: float = 5.0


class TillLine:
    """`faults` is read with each message; `log` is told each APDU and what goes wrong; `rules` (rules.py) sees each APDU.

    `received`: APDUs taken in and not handled yet, oldest first. `path`: where a till finds the line.
    """

    answering = True  # False once the till whose command is carried out has gone

    def __init__(self, times, faults, log, rules):
        self.received = collections.deque()
        self._times = times
        self._faults = faults
        self._log = log
        self._rules = rules
        self._cut_end = None  # when what has begun to come counts as cut
        self._selector = selectors.PollSelector()  # poll takes files and pipes alike as standard input

    def watch(self, fd, readable):
        """Call `readable()` whenever `fd` can be read, also while the line waits for something."""
        self._selector.register(fd, selectors.EVENT_READ, readable)

    def unwatch(self, fd):
        self._selector.unregister(fd)

    def begin(self):
        """The command that was taken from `received` last is carried out from now on."""

    def turn(self, until=None):
        """Wait until something happens or `until` (monotonic seconds; None: for ever), and take in what came."""
        ends = [end for end in (until, self._cut_end) if end is not None]
        timeout = max(0.0, min(ends) - time.monotonic()) if ends else None
        for key, _ in self._selector.select(timeout):
            key.data()
        if self._cut_end is not None and time.monotonic() >= self._cut_end:
            self._cut_end = None
            self._was_cut()

    def send(self, apdu, drained=False):
        """True once the till has it; False where it is lost. `drained`: return once it is read, without its ACK."""
        raise NotImplementedError

    def drain(self):
        """Wait until the till has everything, at most DRAIN_SECONDS."""
        raise NotImplementedError

    def cut_power(self):
        """Nothing is tidied up and nothing more is sent: that is what a power cut is."""
        self._log.note("power cut")
        self.drain()
        os._exit(POWER_CUT)

    def _was_cut(self):
        raise NotImplementedError

    def _take_in(self, apdu):
        self._log.came(apdu)
        self.received.append(apdu)
        self._rules.taken(apdu)
        if self._faults.die_received:
            self._faults.die_received -= 1
            if not self._faults.die_received:
                self.cut_power()

    def _let_out(self, apdu):
        """The APDU as it goes on the line: once for each message, whatever the repeats."""
        if self._faults.die_messages:
            self._faults.die_messages -= 1
            if not self._faults.die_messages:
                self.cut_power()
        self._log.goes(apdu)
        if self._faults.length and not is_answer(apdu):
            self._faults.length -= 1
            self._log.note("its length byte is one too many, as asked")
            at = 3 if apdu[2] == 0xFF else 2
            # 254 and one is no length byte but FF: such an APDU says it is one shorter
            return apdu[:at] + bytes((apdu[at] + 1 if apdu[at] < 0xFE else apdu[at] - 1,)) + apdu[at + 1 :]
        return apdu

    def _before_the_cut(self, data):
        """(bytes that still go out, True where the power is cut behind them)."""
        left = self._faults.die_bytes
        if not left:
            return data, False
        self._faults.die_bytes = max(0, left - len(data))
        return data[:left], len(data) >= left


def is_answer(apdu):
    """True for 80 xx and 84 xx, which answer a message and are no command."""
    return apdu[:1] in (b"\x80", b"\x84")
