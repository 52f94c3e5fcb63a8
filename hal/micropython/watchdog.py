"""Watchdog port of a board. It starts with the first time it is fed: until then the agent opens its journal and verifies its
policy, which may take longer than the watchdog waits. Nothing stops it then, not even the end of the agent."""

from machine import WDT

LONGEST_MS = 8000  # a Pico's counts 8,388 ms at most


class Watchdog:
    """`reason`: of this boot, as the port has it. timer: what feeds it while an agent loads, see chip_rp2."""

    timer = None

    def __init__(self, reason):
        self._reason = reason
        self._wdt = None

    def feed(self):
        if self.timer:
            self.timer.deinit()
            self.timer = None
        if self._wdt is None:
            self._wdt = WDT(timeout=LONGEST_MS)
        self._wdt.feed()

    def reset_reason(self):
        return self._reason
