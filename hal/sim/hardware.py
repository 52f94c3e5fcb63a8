"""The simulated hardware's state: one JSON file that a person or a test changes while the agent runs.

{"power": [[0, 5000], [2000, 4100]],                      a trace: from that many ms on, so many millivolts
 "network": {"link": 1, "address": 1, "host_ms": 38},     host_ms -1: the host cannot be reached
 "wall_s": 1790000000}                                    Unix seconds at loading; "host": this machine's clock
A trace begins anew whenever the file changes; the last value stays. A key that is missing or null is absent hardware.
"""

import json

from ..ticks import ticks_diff, ticks_ms

HEALTHY = {"power": [[0, 5000]], "network": {"link": 1, "address": 1, "host_ms": 38}, "wall_s": "host"}
_LOOK_MS = 100  # how often the file is looked at


class Hardware:
    """`path`: the file, written with HEALTHY if it is not there; None: HEALTHY, or what `set` says (tests). OSError: what
    is there at the start is no such state."""

    def __init__(self, path=None, state=None):
        self.path = path
        self.text = None
        self.state = state or HEALTHY
        self._since = self._looked = ticks_ms()
        if path:
            try:
                self._load(path)
            except (ValueError, TypeError):
                raise OSError(22, path + " is not a state of simulated hardware")
            except OSError:
                with open(path, "w") as file:
                    file.write(json.dumps(self.state) + "\n")

    def _load(self, path):
        with open(path) as file:
            text = file.read()
        if text != self.text:
            state = json.loads(text)
            if not isinstance(state, dict) or not isinstance(state.get("network") or {}, dict):
                raise ValueError
            for step in state.get("power") or ():
                if not isinstance(step, list) or len(step) != 2:
                    raise ValueError
            self.state = state
            self.text = text
            self._since = ticks_ms()

    def set(self, state):
        self.state = state
        self._since = ticks_ms()

    def get(self, key):
        """(value or None, ms since this state was loaded)."""
        now = ticks_ms()
        if self.path and ticks_diff(now, self._looked) >= _LOOK_MS:
            self._looked = now
            try:
                self._load(self.path)
            except (OSError, ValueError, TypeError):
                pass  # being rewritten just now, or no such state: what was loaded stays
        return self.state.get(key), ticks_diff(now, self._since)
