"""Light port over one LED, or over a red, a green and a blue one. The colour can be told without seeing it: green is
steady, amber goes on and off once a second, red five times. It blinks by the loop: a light that stands still in amber
or red is an agent that hangs."""

from asyncio import create_task, sleep

from machine import Pin

_HALF_S = {"amber": 0.5, "red": 0.1}
_PARTS = {"green": (0, 1, 0), "amber": (1, 1, 0), "red": (1, 0, 0)}


class Light:
    """`wiring`: {"pins": (one) or (red, green, blue), "low": True where a LED is lit by a low pin}."""

    def __init__(self, wiring):
        self._low = 1 if wiring.get("low") else 0
        self._pins = [Pin(pin, Pin.OUT, value=self._low) for pin in wiring["pins"]]
        self._task = None
        self.colour = "off"

    def show(self, colour):
        if colour == self.colour:
            return
        self.colour = colour
        if self._task:
            self._task.cancel()
            self._task = None
        self._set(colour != "off")
        if colour in _HALF_S:
            self._task = create_task(self._blink(_HALF_S[colour]))

    def _set(self, lit):
        parts = _PARTS.get(self.colour, (0, 0, 0)) if len(self._pins) > 1 else (1,)
        for pin, part in zip(self._pins, parts):
            pin.value(part & lit ^ self._low)

    async def _blink(self, half_s):
        lit = True
        while True:
            await sleep(half_s)
            lit = not lit
            self._set(lit)
