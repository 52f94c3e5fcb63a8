"""Watches the way to the acquirer's host. Hysteresis: two failures in a row make it down, two successes up again."""

_IN_A_ROW = 2


class NetworkWatch:
    def __init__(self, network, settings, snapshot, events):
        self.network = network
        self.every_ms = settings.get("every_ms", 5000)
        self.snapshot = snapshot
        self.events = events
        self._up = None
        self._against = 0  # readings in a row that speak against the present state
        self._failures = 0

    async def sample(self):
        try:
            reading = await self.network.probe()
        except OSError:
            reading = (0, 0, -1)
        snapshot = self.snapshot
        if reading is None:
            for name in ("network_ok", "network_link", "network_address", "network_host_ms"):
                snapshot.put(name, None)
            self._up = None
            return
        link, address, host_ms = reading
        up = 1 if link and address and host_ms >= 0 else 0
        self._failures = 0 if up else self._failures + 1
        if up == self._up:
            self._against = 0
        else:
            self._against += 1
        if self._up is None or self._against >= _IN_A_ROW:
            self._against = 0
            if self._up is not None or not up:
                self.events.add("network_up" if up else "network_down", {"network_host_ms": host_ms})
            self._up = up
        snapshot.put("network_link", link)
        snapshot.put("network_address", address)
        snapshot.put("network_host_ms", host_ms)
        snapshot.put("network_failures", self._failures)
        snapshot.put("network_ok", self._up)
        # a reading that speaks against the present state is looked at again soon
        return 1000 if self._against else None
