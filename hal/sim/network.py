"""Network port: link, address and round trip as the simulated hardware says."""


class Network:
    def __init__(self, hardware):
        self._hardware = hardware

    async def probe(self):
        state, _ = self._hardware.get("network")
        if state is None:
            return None
        return state.get("link", 0), state.get("address", 0), state.get("host_ms", -1)
