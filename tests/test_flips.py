"""Bits that turn over in a full journal of two sectors: reported with their place, or harmless. Never silent, never believed.

All 65,536 single bits are turned and the whole journal is read each time. Bursts of 2 to 32 bits, at every bit: no record
reads as whole with another body. Some of the bursts are read through the whole journal as well.
"""

import os
import random
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache

from firmware_agent.history import History, Refund
from firmware_agent.wire.messages import APPROVED, REQUESTED, SENT
from firmware_agent.wire.region import HEADER, JournalError
from firmware_agent.wire.survey import Survey
from hal.sim.flash import Flash

DEEP = bool(os.environ.get("DEEP"))
SECTOR = 4096
SHAPE = (3 * SECTOR, SECTOR, 4)  # two in use, the spare one erased
WALKED = 200_000 if DEEP else 5_000  # bursts read through the whole journal
CHUNKS = 16
STEP = int(os.environ.get("CUT_STEP", "1"))


class _Clock:
    def wall_s(self):
        return 1795000000


@lru_cache(maxsize=1)
def _full():
    """(memory, [(address, bytes taken, flags, number, body)])."""
    flash = Flash(None, *SHAPE)
    history = History(flash, _Clock())
    number = 0
    while history.journal.newest < 1 or SECTOR - history.journal.end % SECTOR > 200:
        number += 1
        refund = Refund(f"key {number}")
        request = {"receipt": number, "amount": 100 + number, "currency": "EUR", "operator": "anna"}
        history.record(refund, REQUESTED, request)
        history.record(refund, SENT, {"before": [number, 500, 5000, 978, 1122, 120000, 0, False]})
        history.record(refund, APPROVED, {"its_receipt": number + 1, "its_trace": 900, "code": 0})
    region = Survey(flash)
    rows = [(at, region.padded(18 + len(body)), *rest, body) for at, *rest, body in region.walk(_never)]
    assert region.newest == 1 and region.tip[2] > SECTOR + 3800
    return bytes(flash._memory), rows


def _never(*place):
    raise AssertionError(place)


def _turned(memory, bit, pattern):
    """A copy in which the bits of `pattern` (an integer of up to 32 bits) are turned, from `bit` on."""
    byte = bit // 8
    size = min(8, len(memory) - byte)
    mask = pattern << (size * 8 - 32 - bit % 8) if size == 8 else (pattern << 32 >> bit % 8) >> (64 - size * 8)
    copy = bytearray(memory)
    copy[byte : byte + size] = (int.from_bytes(copy[byte : byte + size], "big") ^ mask).to_bytes(size, "big")
    return copy


def _read(memory):
    """([(number, body)], [damage]) of a region."""
    region = Survey(Flash(None, *SHAPE, memory=memory))
    places = []
    return [(number, body) for _, _, number, body in region.walk(lambda *place: places.append(place))], places


def _wrong(memory, rows, first, last):
    """What is wrong with how a journal reads in which bits of the bytes first..last were turned; "" if nothing, and whether
    it was reported."""
    try:
        found, places = _read(memory)
    except JournalError:
        return "refused", True
    whole = [(number, body) for _, _, _, number, body in rows]
    if found == whole:
        return "", bool(places)
    hit = [(number, body) for at, _, _, number, body in rows if at <= last and first < at + 18 + len(body)]
    if found != [row for row in whole if row not in hit]:
        return "other records are gone, or altered", True
    # a record whose last bytes became erased ones is reported with its place, and without these bytes
    begins = [at for at, _, _, _, body in rows if at <= last and first < at + 18 + len(body)]
    if not any(at in begins or (at <= last and first < at + max(1, size)) for at, size, _, _ in places):
        return f"not reported: {places}", True
    if hit[-1] != whole[-1] and sum(lost for _, _, lost, _ in places) != len(hit):
        return f"not counted as lost: {places}", True
    return "", True


def _flip(chunk):
    memory, rows = _full()
    wrong = []
    reported = 0
    bits = range(chunk, 2 * SECTOR * 8, CHUNKS * STEP)
    for bit in bits:
        text, said = _wrong(_turned(memory, bit, 1 << 31), rows, bit // 8, bit // 8)
        reported += said
        if text:
            wrong.append(f"bit {bit}: {text}")
    return len(bits), reported, wrong


def _bursts(chunk):
    """Every burst that begins in a record or header of this chunk, against the record or header alone."""
    memory, rows = _full()
    places = [(at, size, body) for at, size, _, _, body in rows] + [(0, HEADER, None), (SECTOR, HEADER, None)]
    wrong = []
    tried = 0
    chance = random.Random(chunk)
    copy = bytearray(memory)
    region = Survey(Flash(None, *SHAPE, memory=copy))
    copy = region.flash._memory
    for at, size, body in places[chunk :: CHUNKS * STEP]:
        taken = size if body is None else 18 + len(body)
        for bit in range(at * 8, (at + taken) * 8):
            byte = bit // 8
            old = int.from_bytes(memory[byte : byte + 5], "big")
            for length in range(2, 33):
                pattern = (1 << (length - 1)) | 1 | (chance.getrandbits(length - 1) if length > 2 else 0)
                pattern <<= 40 - length - bit % 8
                copy[byte : byte + 5] = (old ^ pattern).to_bytes(5, "big")
                tried += 1
                if body is None:
                    believed = region.header(at // SECTOR)
                else:
                    found = region.at(at, (at // SECTOR + 1) * SECTOR)
                    believed = found and found[2] != body
                if believed:
                    wrong.append(f"a burst of {length} bits from bit {bit} is believed")
            copy[byte : byte + 5] = memory[byte : byte + 5]
    return tried, wrong


def _walk_bursts(seed):
    memory, rows = _full()
    chance = random.Random(seed)
    wrong = []
    count = WALKED // CHUNKS // STEP
    for _ in range(count):
        length = chance.randint(2, 32)
        bit = chance.randrange(2 * SECTOR * 8 - length)
        pattern = (1 << 31) | (1 << (32 - length)) | chance.getrandbits(length) << (32 - length)
        text, _ = _wrong(_turned(memory, bit, pattern), rows, bit // 8, (bit + length - 1) // 8)
        if text:
            wrong.append(f"a burst of {length} bits from bit {bit}, {pattern:#x}: {text}")
    return count, wrong


def test_every_single_bit_that_turns_over_is_reported_or_harmless(record_count):
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        done = list(pool.map(_flip, range(CHUNKS)))
    wrong = [text for _, _, texts in done for text in texts]
    flips = sum(count for count, _, _ in done)
    record_count("single bits turned over", f"{flips:,}")
    record_count("single bits turned over: reported", f"{sum(said for _, said, _ in done):,}, the others harmless")
    record_count("single bits turned over: silent or believed", len(wrong))
    assert flips >= 2 * SECTOR * 8 // STEP and not wrong, wrong[:5]


def test_no_burst_of_up_to_32_bits_is_believed(record_count):
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        done = list(pool.map(_bursts, range(CHUNKS)))
    wrong = [text for _, texts in done for text in texts]
    record_count("bursts of 2 to 32 bits", f"{sum(tried for tried, _ in done):,}")
    record_count("bursts: believed", len(wrong))
    assert not wrong, wrong[:5]


def test_bursts_are_reported_with_their_place_and_hide_no_other_record():
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        done = list(pool.map(_walk_bursts, range(CHUNKS)))
    wrong = [text for _, texts in done for text in texts]
    assert not wrong, wrong[:5]
