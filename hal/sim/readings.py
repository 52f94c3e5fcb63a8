"""Power, Network, Thermometer, Watchdog and Light ports over the simulated hardware's state."""


class Power:
    """A trace of millivolts: [[from_ms, millivolts], …]; the last one stays."""

    def __init__(self, hardware):
        self.hardware = hardware

    def millivolts(self):
        return self.hardware.now("power")

    def battery_percent(self):
        return self.hardware.now("battery")


class Network:
    """Link, address, round trip, name, certificate and signal as the state says."""

    def __init__(self, hardware):
        self.hardware = hardware

    async def probe(self):
        state = self.hardware.now("network")
        if state is None:
            return None
        get = state.get
        host_ms = get("host_ms", -1)
        # whoever wrote a state before there were names in it meant one that is resolved
        return (
            get("link", 0),
            get("address", 0),
            host_ms,
            get("dns", 1 if host_ms >= 0 else 0),
            get("tls"),
            get("signal"),
        )


class Thermometer:
    def __init__(self, hardware):
        self.hardware = hardware

    def degrees(self):
        return self.hardware.now("temperature")


class Watchdog:
    """Counts how often it was fed, and never bites."""

    fed = 0

    def __init__(self, hardware):
        self.hardware = hardware

    def feed(self):
        self.fed += 1

    def reset_reason(self):
        return self.hardware.now("reset_reason")


class Light:
    """Remembers the colour."""

    colour = "off"

    def show(self, colour):
        self.colour = colour
