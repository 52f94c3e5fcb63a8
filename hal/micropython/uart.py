"""Serial port over a UART of a board: terminal, till, or link. What comes while nobody reads waits in `rxbuf`; what
does not fit there is lost, and counted."""

from asyncio import sleep

from machine import UART, Pin

_AT_ONCE = 256  # bytes a read takes
_PIECE = 8  # bytes a write takes where the port has no buffer for them: 9 ms at 9600 baud, in which nobody else works
_LOOK_S = 0.002
_PATIENCE = 500  # looks: nobody took it for a second
# Error register of a PL011 in an RP2040, by the number of the UART; bit 3: its queue was full (RP2040 datasheet, 4.2.8). The
# port's driver stops to empty it while `rxbuf` is full, so this tells of every byte that was lost.
_ERRORS = (0x40034004, 0x40038004)
_OVERRUN = 8


class Serial:
    """`wiring`: {"id", "tx", "rx" (None where the id has pins of its own), "baud", "stop_bits", "rxbuf", "txbuf" (0: none)}.
    `waiting`: a Waiting for the tests. `registers`: machine.mem32 of an RP2040, None elsewhere. `overruns`: how often bytes
    were lost because nobody read them in time; where the part does not tell, how often `rxbuf` was full when it was read."""

    def __init__(self, wiring, waiting=None, registers=None):
        number = wiring["id"]
        self._room = wiring.get("rxbuf", 1024)
        more = {}
        if wiring.get("tx") is not None:
            more["tx"] = Pin(wiring["tx"])
            more["rx"] = Pin(wiring["rx"])
        if wiring.get("txbuf"):
            more["txbuf"] = wiring["txbuf"]
        try:
            self._uart = UART(
                number,
                baudrate=wiring["baud"],
                bits=8,
                parity=None,
                stop=wiring["stop_bits"],
                rxbuf=self._room,
                timeout=0,
                timeout_char=0,
                **more,
            )
        except (ValueError, MemoryError) as error:  # no such UART, or none with these pins; no room for its buffers
            raise OSError(19, "UART %s cannot be opened: %s" % (number, error))
        self._piece = wiring.get("txbuf") or _PIECE
        if waiting is None:
            from .waiting import Waiting as waiting
        self._waiting = waiting(self._uart)
        self._buffer = memoryview(bytearray(_AT_ONCE))
        self._registers = registers
        self._error = _ERRORS[number] if registers is not None else 0
        self._full = False
        self.overruns = 0

    def _count(self, there):
        if self._registers is not None:
            if self._registers[self._error] & _OVERRUN:
                self._registers[self._error] = 0  # any write clears it
                self.overruns += 1
            return
        full = there >= self._room - 1  # the buffer is a ring, which keeps one place free
        self.overruns += full and not self._full
        self._full = full

    async def read(self, timeout_ms):
        there = self._uart.any()
        if not there:
            if timeout_ms <= 0 or not await self._waiting.readable(timeout_ms):
                return b""
            there = self._uart.any()
        self._count(there)
        size = self._uart.readinto(self._buffer, min(there, _AT_ONCE)) if there else 0
        return bytes(self._buffer[: size or 0])

    async def write(self, data):
        patience = _PATIENCE
        while data:
            count = self._uart.write(data[: self._piece])
            if count:
                data = data[count:]
                patience = _PATIENCE
                if data:
                    await sleep(0)
            else:
                patience -= 1
                if not patience:
                    raise OSError(110)  # ETIMEDOUT
                await sleep(_LOOK_S)

    def close(self):
        self._uart.deinit()
