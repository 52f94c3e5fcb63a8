"""How long a till waits for a refund that an agent at the gate has checked, and for one that it holds."""

import asyncio
import time

from hal.linux.tty import Serial
from hal.said import TerminalSilent
from hal.terminals.zvt.cashier import Cashier
from hal.terminals.zvt.line import SerialLine

from .gate_lines import end, gate, runtimes

COUNT = 20
_PATIENCE_S = 30
_REFUND = b"\x06\x31"
_LAST_WORDS = (b"\x06\x0f", b"\x06\x1e")  # done, not done


class _Timed:
    """A line that notes how long a refund took: `span`, from the write of 06 31 until the terminal's last word is here."""

    def __init__(self, line):
        self._line = line
        self._began = None
        self.span = 0
        self.drain = line.drain

    async def send(self, message, *repeats):
        if message[:2] == _REFUND:
            self._began = time.perf_counter()
        await self._line.send(message, *repeats)

    async def receive(self, timeout_ms):
        message = await self._line.receive(timeout_ms)
        if message[:2] in _LAST_WORDS and self._began is not None:
            self.span = time.perf_counter() - self._began
            self._began = None
        return message


def measure(folder):
    """{runtime: (seconds of each refund that was done, seconds of each that was held)}, of COUNT each, with a simulated
    terminal that takes no time for its own work. A refund's sale was made before, at this till, and has an amount of its own;
    one that is held has no sale. Fewer: the others ended in another way."""
    return {runtime: asyncio.run(_at_a_till(runtime, folder)) for runtime in runtimes()}


async def _at_a_till(runtime, folder):
    process = gate(runtime, folder)
    try:
        said = [process.stdout.readline() for _ in range(2)][1]
        port = Serial(said.removeprefix("gate for the till at ").strip(), baud=9600, stop_bits=2)
        line = _Timed(SerialLine(port, 200, 5000))
        done, held = [], []
        try:
            await asyncio.wait_for(_refunds(line, done, held), _PATIENCE_S)
        except (TimeoutError, TerminalSilent):
            pass
        finally:
            port.close()
        return done, held
    finally:
        end(process)


async def _refunds(line, done, held):
    till = Cashier(line, {"currencies": {"EUR": 978}, "quiet_ms": 5})
    while not await till.register():
        await asyncio.sleep(0.1)
    for number in range(COUNT):
        await till.sale(1000 + 17 * number, "EUR")
        if (await till.refund(1000 + 17 * number, "EUR")).accepted:
            done.append(line.span)
        if not (await till.refund(900000 + number, "EUR")).accepted:
            held.append(line.span)
