"""Watchdog port of a board. It starts with the first time it is fed: until then the agent opens its journal and verifies its
policy, which may take longer than the watchdog waits. Nothing stops it then, not even the end of the agent: where an
interpreter only starts anew (a deployment, an error), it runs on, and a timer feeds it for half a minute while the next agent
loads. No longer: who hangs there is bitten."""

from machine import WDT, Timer

LONGEST_MS = 8000  # a Pico's counts 8,388 ms at most
_LOADS_S = 30


class Watchdog:
    """`reason`: of this boot, as the port has it. `runs`: it runs since an earlier start."""

    def __init__(self, reason, runs=False):
        self._reason = reason
        self._wdt = self._timer = None
        self._left = _LOADS_S
        if runs:
            self.feed()
            self._timer = Timer(-1)
            self._timer.init(freq=1, mode=Timer.PERIODIC, callback=self._loads)

    def _loads(self, _):
        if self._left:
            self._left -= 1
            self._wdt.feed()  # pyright: ignore[reportOptionalMemberAccess]

    def feed(self):
        if self._timer:
            self._timer.deinit()
            self._timer = None
        if self._wdt is None:
            self._wdt = WDT(timeout=LONGEST_MS)
        self._wdt.feed()

    def reset_reason(self):
        return self._reason
