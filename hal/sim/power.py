"""Power port over a trace of millivolts: [[from_ms, millivolts], …]."""


class Power:
    def __init__(self, hardware):
        self._hardware = hardware

    def millivolts(self):
        trace, elapsed = self._hardware.get("power")
        value = None
        for begin, millivolts in trace or ():
            if begin <= elapsed:
                value = millivolts
        return value
