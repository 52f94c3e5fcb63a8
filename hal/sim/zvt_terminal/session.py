"""The dialogue of the terminal with a till, one command at a time, over whatever line carries APDUs (till_line.py).

During a command the terminal is the master (PA00P015): what the till sends meanwhile is taken in, kept, and handled after
the command ends, in order; a status enquiry too. Only 06 B0 is looked at while the terminal waits.
"""

import time

from .steps import Send, Wait
from .till_line import is_answer


class Session:
    """`rules` (rules.py) sees each command before it is carried out."""

    def __init__(self, line, behaviour, t3, log, faults, rules):
        self._line = line
        self._behaviour = behaviour
        self._t3 = t3
        self._log = log
        self._faults = faults
        self._rules = rules
        self._held = []  # what should have been said to the command before

    def run(self):
        """For ever."""
        while True:
            self._drop_answers()
            if self._line.received:
                message = self._line.received.popleft()
                self._line.begin()
                self._rules.begins(message)
                self._carry_out(message)
            else:
                self._line.turn(None)

    def _take(self, wanted):
        """Take the oldest received APDU that is `wanted` out and leave the others; None if there is none."""
        for index, message in enumerate(self._line.received):
            if wanted(message):
                del self._line.received[index]
                return message
        return None

    def _drop_answers(self):
        while self._take(is_answer):
            pass

    def _carry_out(self, message):
        late, self._faults.late = self._faults.late, None
        held, self._held = self._held, []
        for said in held:
            self._send(said, False)
        steps = self._behaviour.handle(message)
        result = None
        while True:
            try:
                step = steps.send(result)
            except StopIteration:
                return
            if isinstance(step, Send):
                if late and not (late == "rest" and is_answer(step.apdu)):
                    self._held.append(step.apdu)
                    result = True
                else:
                    result = self._send(step.apdu, step.then_cut)
            elif isinstance(step, Wait):
                result = self._wait(time.monotonic() + step.seconds)
            else:
                self._line.cut_power()

    def _send(self, message, then_cut):
        """The till's answer, or True where there is none to wait for or none within T3: the terminal goes on. False: it
        never reached the till."""
        self._drop_answers()  # an answer from before answers nothing now
        if not self._line.send(message, drained=then_cut):
            return False
        if then_cut:
            self._line.cut_power()
        if is_answer(message):
            return True
        end = time.monotonic() + self._t3
        while True:
            answer = self._take(is_answer)
            if answer:
                return answer
            if not self._line.answering:
                return False
            if time.monotonic() >= end:
                self._log.note("no answer within T3")
                return True
            self._line.turn(end)

    def _wait(self, end):
        """True as soon as the till asks to abort."""
        while not (self._line.answering and self._take(_is_abort)):
            if time.monotonic() >= end:
                return False
            self._line.turn(end)
        return True


def _is_abort(apdu):
    return apdu[:2] == b"\x06\xb0"
