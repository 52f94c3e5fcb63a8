"""Power, Network and Light ports over the simulated hardware's state."""


class Power:
    """A trace of millivolts: [[from_ms, millivolts], …]; the last one stays."""

    def __init__(self, hardware):
        self.hardware = hardware

    def millivolts(self):
        trace, elapsed = self.hardware.get("power")
        value = None
        for begin, millivolts in trace or ():
            if begin <= elapsed:
                value = millivolts
        return value


class Network:
    """Link, address and round trip as the state says."""

    def __init__(self, hardware):
        self.hardware = hardware

    async def probe(self):
        state, _ = self.hardware.get("network")
        if state is None:
            return None
        return state.get("link", 0), state.get("address", 0), state.get("host_ms", -1)


class Light:
    """Remembers the colour."""

    colour = "off"

    def show(self, colour):
        self.colour = colour
