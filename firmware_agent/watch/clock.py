"""Holds our clock against others, as they tell the time: the host computer's, the terminal's."""

_WRONG_S = 120  # more is wrong: a receipt's time and a till's differ by that much in ordinary use
_EXACT_S = 2  # less is how long a request takes
_FIRST, _END = 1704067200, 4102444800  # 2024 to 2099: the years that a board's clock can be set to


class ClockWatch:
    def __init__(self, clock, snapshot, events):
        self.clock = clock
        self.snapshot = snapshot
        self.events = events
        self._wrong = False

    def told(self, wall_s, computer=False):
        """It is `wall_s`, Unix seconds, by a reference, just now. A board's clock that was never set is set by a `computer`:
        without network and battery there is no other way to know the time. One that goes a little wrong is put right by it,
        for no crystal is exact for months; one that is wrong is left, and said."""
        ours = self.clock.wall_s()
        if computer and hasattr(self.clock, "set") and _FIRST <= wall_s < _END:
            if ours is None or _EXACT_S < abs(ours - wall_s) <= _WRONG_S:
                self.clock.set(wall_s)
                ours = self.clock.wall_s()
        drift = None if ours is None else ours - wall_s
        self.snapshot.put("clock_drift_s", drift)
        wrong = drift is not None and not -_WRONG_S <= drift <= _WRONG_S
        if wrong and not self._wrong:
            self.events.add("clock_wrong", {"clock_drift_s": drift})
        self._wrong = wrong
