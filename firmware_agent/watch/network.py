"""Watches the way to the acquirer's host. Hysteresis: two failures in a row make it down, two successes up again."""

_IN_A_ROW = 2
_PROBES = 20  # that the loss is counted over
_FACTS = (
    "network_link network_address network_host_ms network_dns network_tls network_signal network_failures network_loss"
)


class NetworkWatch:
    def __init__(self, network, settings, snapshot, events):
        self.network = network
        self.every_ms = settings.get("every_ms", 5000)
        self.snapshot = snapshot
        self.events = events
        self._up = None
        self._against = 0  # readings in a row that speak against the present state
        self._failures = 0
        self._lost = (
            1  # a bit for each of the last probes, 1 it failed; in front of them a 1 that marks how many there are
        )

    async def sample(self):
        try:
            reading = await self.network.probe()
        except OSError:
            reading = (0, 0, -1, 0, None, None)
        snapshot = self.snapshot
        if reading is None or reading[2] is None:
            for at, name in enumerate(_FACTS.split()):
                snapshot.put(name, reading[at] if reading and at < len(reading) else None)
            snapshot.put("network_ok", None)
            self._up = None
            self._failures = 0
            self._lost = 1
            return
        link, address, host_ms = reading[:3]
        up = 1 if link and address and host_ms >= 0 else 0
        self._failures = 0 if up else self._failures + 1
        self._lost = self._lost << 1 | (1 - up)
        if self._lost >> _PROBES + 1:
            self._lost = self._lost & ((1 << _PROBES) - 1) | 1 << _PROBES
        if up == self._up:
            self._against = 0
        else:
            self._against += 1
        if self._up is None or self._against >= _IN_A_ROW:
            self._against = 0
            if self._up is not None or not up:
                self.events.add("network_up" if up else "network_down", {"network_host_ms": host_ms})
            self._up = up
        probes = bin(self._lost)[3:]
        values = reading + (self._failures, probes.count("1") * 100 // len(probes))
        for at, name in enumerate(_FACTS.split()):
            snapshot.put(name, values[at])
        snapshot.put("network_ok", self._up)
        # a reading that speaks against the present state is looked at again soon
        return 1000 if self._against else None
