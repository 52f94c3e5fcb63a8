"""Time that a gate adds to an APDU, beside socat in its place, and beside nothing in its place."""

import gc
import os
import select
import time
from statistics import median

from hal.terminals.zvt.apdu import pack
from hal.terminals.zvt.compose import pack_bitmaps, pack_tlv

from .gate_lines import DIRECT, SOCAT, Line, Stuck, runtimes

TURNS = 12
AT_ONCE = 15  # conversations, then it is the next one's turn
_PAUSE_S = 0.002  # between two conversations
_PATIENCE_MS = 5000

_TILL, _TERMINAL = 0, 1

_RESULT = [
    *(("result_code", 0), ("amount", 1234), ("currency", 978), ("trace", 42), ("time", 143059), ("date", 1124)),
    *(("expiry", 2712), ("card_sequence", 1), ("terminal_id", 52001233), ("contract_number", "4711-0815")),
    *(("card", "EEEEEEEEEEEE1111"), ("text", "approved, thank you for your payment"), ("receipt", 231)),
    *(("turnover", 17), ("card_type", 5), ("card_name", "MASTERCARD"), ("authorisation", b"12345678")),
]
_LINES = [(0x07, b"%-22d" % number) for number in range(12)]
MESSAGES = {
    "ACK": b"\x06",
    "80 00, positive answer": b"\x80\x00\x00",
    "05 01, status enquiry": pack(0x0501, bytes.fromhex("0000000302")),
    "04 0F, result": pack(0x040F, pack_bitmaps(_RESULT)),
    "06 D3, print block": pack(0x06D3, pack_bitmaps([("tlv", pack_tlv([(0x25, _LINES)]))])),
}
_ACK, _YES, _ENQUIRY, _INFO, _BLOCK = MESSAGES
# Who says what; each is an answer to the one before, and goes out as soon as that has come.
_CONVERSATION = [
    *((_TILL, _ENQUIRY), (_TERMINAL, _ACK), (_TERMINAL, _YES), (_TILL, _ACK)),
    *((_TERMINAL, _INFO), (_TILL, _ACK), (_TILL, _YES), (_TERMINAL, _ACK)),
    *((_TERMINAL, _BLOCK), (_TILL, _ACK), (_TILL, _YES), (_TERMINAL, _ACK)),
]


def measure(kind, folder, socat):
    """{between: {message: [seconds from the write of an APDU until its last byte has come out]}} for lines of a kind; between
    is DIRECT, SOCAT where there is one, and the runtimes of gates."""
    lines = {}
    found = {}
    try:
        for between in (DIRECT, *([SOCAT] if socat.command else []), *runtimes()):
            lines[between] = Line(kind, socat if between == SOCAT else between, folder)
            found[between] = {name: [] for name in MESSAGES if lines[between].framed or name != _ACK}
        names = list(lines)
        for _ in range(TURNS):
            for between in names:
                _converse(lines[between], found[between])
            names.append(names.pop(0))
    finally:
        for line in lines.values():
            line.close()
    return found


def _converse(line, spans):
    ends = line.till, line.terminal
    steps = []
    for who, name in _CONVERSATION:
        if name in spans:
            steps.append((ends[who], ends[1 - who], in_full(line, name), spans[name]))
    gc.disable()  # a collection of ours is no delay of theirs
    try:
        for turn in range(AT_ONCE + 1):
            for begin, end, data, into in steps:
                span = passing(begin, end, data)
                if turn:  # the first one only wakes everybody up
                    into.append(span)
            time.sleep(_PAUSE_S)
    finally:
        gc.enable()


def in_full(line, name):
    """The bytes that carry a message."""
    return MESSAGES[name] if name == _ACK else line.pack(MESSAGES[name])


def passing(begin, end, data):
    """Seconds from the write of `data` at `begin` until its last byte comes out at `end`. Stuck: it does not."""
    poll = select.poll()
    poll.register(end, select.POLLIN)
    came = b""
    started = time.perf_counter()
    os.write(begin, data)
    while len(came) < len(data):
        if not poll.poll(_PATIENCE_MS):
            raise Stuck("bytes are lost")
        came += os.read(end, 4096)
    span = time.perf_counter() - started
    if came != data:
        raise Stuck("what comes out is not what went in")
    return span


class Spans:
    """What was measured of one thing between till and terminal, in seconds. `direct`: the same with nothing between."""

    def __init__(self, spans, direct):
        every = [span for name in spans for span in spans[name]]
        added = sorted(span - median(direct[name]) for name in spans for span in spans[name])
        self.count = len(every)
        self.through = median(every)
        self.added = median(added)
        self.p99 = added[int(len(added) * 0.99)]
        self.most = added[-1]
        self.by_message = {name: median(spans[name]) - median(direct[name]) for name in spans}
