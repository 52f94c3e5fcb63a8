"""What the agent knows now: named values, each with its age. Names are those of wire.messages.FACTS."""


class Snapshot:
    """`clock` is a Clock port. A value of None means absent: somebody looked and there is nothing."""

    def __init__(self, clock):
        self.clock = clock
        self.values = {}
        self.times = {}

    def put(self, name, value):
        self.values[name] = value
        self.times[name] = self.clock.uptime_ms()

    def get(self, name, max_age_ms=None):
        """The value, None if absent, never seen, or older than `max_age_ms`."""
        value = self.values.get(name)
        if value is None or (max_age_ms is not None and self.clock.uptime_ms() - self.times[name] > max_age_ms):
            return None
        return value

    def age_ms(self, name):
        """Milliseconds since the value was put; None if it never was."""
        if name not in self.times:
            return None
        return self.clock.uptime_ms() - self.times[name]

    def every(self):
        """{name: (value, age_ms)}."""
        now = self.clock.uptime_ms()
        return {name: (value, now - self.times[name]) for name, value in self.values.items()}
