"""The simulated hardware's state: one JSON file that a person or a test changes while the agent runs.

{"power": [[0, 5000], [2000, 4100]],                      a trace: from that many ms on, so many millivolts
 "battery": 80,                                           percent
 "temperature": 24,                                       degrees Celsius; or a trace
 "network": {"link": 1, "address": 1, "host_ms": 38,      host_ms -1: the host cannot be reached
             "dns": 1, "tls": 1, "signal": 80},           tls 0: its certificate is not valid; signal in percent
 "reset_reason": "power_on",                              or reset, watchdog, brown_out, crash; read at the start
 "wall_s": 1790000000}                                    Unix seconds at loading; "host": this machine's clock
A trace begins anew whenever the file changes; the last value stays. A key that is missing or null is absent hardware.
"""

import json

from ..ticks import ticks_diff, ticks_ms

HEALTHY = {
    "power": [[0, 5000]],
    "battery": None,
    "temperature": 24,
    "network": {"link": 1, "address": 1, "host_ms": 38, "dns": 1, "tls": 1, "signal": 80},
    "reset_reason": "power_on",
    "wall_s": "host",
}
_RESETS = (None, "power_on", "reset", "watchdog", "brown_out", "crash")
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
            except (ValueError, TypeError, AttributeError):
                raise OSError(22, path + " is not a state of simulated hardware")
            except OSError:
                with open(path, "w") as file:
                    file.write(json.dumps(self.state) + "\n")

    def _load(self, path):
        with open(path) as file:
            text = file.read()
        if text != self.text:
            state = json.loads(text)
            if not _right(state):
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
            except (OSError, ValueError, TypeError, AttributeError):
                pass  # being rewritten just now, or no such state: what was loaded stays
        return self.state.get(key), ticks_diff(now, self._since)

    def now(self, key):
        """The value now of a key that may be a trace; None before its first step."""
        value, elapsed = self.get(key)
        if isinstance(value, list):
            trace, value = value, None
            for begin, step in trace:
                if begin <= elapsed:
                    value = step
        return value


def _right(state):
    """True if each key of a state is of its kind. TypeError, AttributeError: it is not."""
    numbers = [state.get("battery")]
    numbers.extend((state.get("network") or {}).values())
    traces = [state.get("power") or []]
    if state.get("wall_s") != "host":
        numbers.append(state.get("wall_s"))
    temperature = state.get("temperature")
    (traces if isinstance(temperature, list) else numbers).append(temperature)
    for trace in traces:
        for begin, value in trace:
            numbers.extend((begin, value))
    for number in numbers:
        if number is not None and not isinstance(number, int):
            return False
    return state.get("reset_reason") in _RESETS
