"""How long a gate keeps back each byte that passes, on a line whose bytes come one by one, as at 9600 baud."""

import gc
import os
import select
import time

from hal.terminals.zvt.apdu import pack
from hal.terminals.zvt.compose import pack_bitmaps

from .gate_apdus import MESSAGES, in_full
from .gate_lines import PSEUDO, SOCAT, Line, Stuck, runtimes

CHARACTER_S = 11 / 9600  # start bit, 8 bits, 2 stop bits
ROUNDS = 4
HELD = 4  # bytes: 10 02 06 and the instruction tell whether a command may pass

_COMMAND = pack(0x0601, pack_bitmaps([("amount", 1234), ("currency", 978), ("payment_type", 0x40)]))
_COMMANDS = 5  # in each round: they are short
_PATIENCE_S = 5


def measure(folder, socat):
    """{between: (delays of the first four bytes of a command's frame, delays of all other bytes)}, in characters; between is
    SOCAT where there is one, and the runtimes of gates."""
    found = {}
    for between in ([SOCAT] if socat.command else []) + list(runtimes()):
        line = Line(PSEUDO, socat if between == SOCAT else between, folder)
        try:
            found[between] = _delays(line)
        finally:
            line.close()
    return found


def _delays(line):
    first, rest = [], []
    for _ in range(ROUNDS):
        for name in MESSAGES:
            rest += paced(line.terminal, line.till, in_full(line, name))
            rest += paced(line.till, line.terminal, in_full(line, "ACK"))
        for _ in range(_COMMANDS):
            delays = paced(line.till, line.terminal, line.pack(_COMMAND))
            first += delays[:HELD]
            rest += delays[HELD:]
    return first, rest


def paced(begin, end, data):
    """[characters from the write of a byte at `begin` until it comes out at `end`]. Stuck: it does not."""
    sent, came = [], []
    got = b""
    gc.disable()
    due = time.perf_counter()
    try:
        while len(got) < len(data):
            now = time.perf_counter()
            if len(sent) < len(data) and now >= due:
                os.write(begin, data[len(sent) : len(sent) + 1])
                sent.append(now)
                due = max(due, now - CHARACTER_S / 2) + CHARACTER_S  # late once is not early the next time
                continue
            wait = due - now if len(sent) < len(data) else _PATIENCE_S
            if select.select([end], [], [], wait)[0]:
                now = time.perf_counter()
                got += os.read(end, 4096)
                came += [now] * (len(got) - len(came))
            elif len(sent) == len(data):
                raise Stuck("bytes are lost")
    finally:
        gc.enable()
    if got != data:
        raise Stuck("what comes out is not what went in")
    return [(out - put) / CHARACTER_S for put, out in zip(sent, came, strict=True)]
