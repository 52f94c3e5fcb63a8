"""The dialogue of the terminal with a till, one command at a time, over whatever line carries APDUs.

A line has `received` (a deque of APDUs), `turn(until)`, `send(apdu, drained)` and `drain()`, as in line.py.

During a command the terminal is the master (PA00P015): what the till sends meanwhile is acknowledged on the line, kept,
and handled after the command ends, in order; a status enquiry too. Only 06 B0 is looked at while the terminal waits.
"""

import os
import time

from .behaviour import Send, Wait
from .line import is_answer


class Session:
    def __init__(self, line, behaviour, t3, log):
        self._line = line
        self._behaviour = behaviour
        self._t3 = t3
        self._log = log

    def run(self):
        """For ever."""
        while True:
            self._drop_answers()
            if self._line.received:
                self._carry_out(self._line.received.popleft())
            else:
                self._line.turn(None)

    def _take(self, wanted):
        """Take the oldest received APDU that is `wanted` and leave the others. True if there was one."""
        for index, message in enumerate(self._line.received):
            if wanted(message):
                del self._line.received[index]
                return True
        return False

    def _drop_answers(self):
        while self._take(is_answer):
            pass

    def _carry_out(self, message):
        steps = self._behaviour.handle(message)
        result = None
        while True:
            try:
                step = steps.send(result)
            except StopIteration:
                return
            if isinstance(step, Send):
                result = self._send(step.apdu, step.then_cut)
            elif isinstance(step, Wait):
                result = self._wait(time.monotonic() + step.seconds)
            else:
                self._power_cut()

    def _send(self, message, then_cut):
        """False: never acknowledged. An answer that does not come in T3 is missed, and the terminal goes on."""
        self._drop_answers()  # an answer from before answers nothing now
        if not self._line.send(message, drained=then_cut):
            return False
        if then_cut:
            self._power_cut()
        end = time.monotonic() + self._t3
        while not is_answer(message) and not self._take(is_answer):
            if time.monotonic() >= end:
                self._log.note("no answer within T3")
                break
            self._line.turn(end)
        return True

    def _wait(self, end):
        """True as soon as the till asks to abort."""
        while not self._take(_is_abort):
            if time.monotonic() >= end:
                return False
            self._line.turn(end)
        return True

    def _power_cut(self):
        """Nothing is tidied up and nothing more is sent: that is what a power cut is."""
        self._log.note("power cut")
        self._line.drain()
        os._exit(9)


def _is_abort(apdu):
    return apdu[:2] == b"\x06\xb0"
