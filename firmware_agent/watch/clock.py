"""Holds our clock against others, as they tell the time: the host computer's, the terminal's."""

_WRONG_S = 120  # more is wrong: a receipt's time and a till's differ by that much in ordinary use
_FIRST, _END = 1704067200, 4102444800  # 2024 to 2099: the years that a board's clock can be set to


class ClockWatch:
    def __init__(self, clock, snapshot, events):
        self.clock = clock
        self.snapshot = snapshot
        self.events = events
        self._wrong = False

    def told(self, wall_s):
        """It is `wall_s`, Unix seconds, by a reference, just now. A clock that was never set and can be is set by it: a board
        without network and battery has no other way to know the time. One that was set is only held against it."""
        ours = self.clock.wall_s()
        if ours is None and hasattr(self.clock, "set") and _FIRST <= wall_s < _END:
            self.clock.set(wall_s)
            ours = self.clock.wall_s()
        drift = None if ours is None else ours - wall_s
        self.snapshot.put("clock_drift_s", drift)
        wrong = drift is not None and not -_WRONG_S <= drift <= _WRONG_S
        if wrong and not self._wrong:
            self.events.add("clock_wrong", {"clock_drift_s": drift})
        self._wrong = wrong
