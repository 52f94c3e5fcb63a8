"""How many years a flash lasts."""

from .refunds import A_DAY

SIZE = 65536
CYCLES = 100_000  # erases a sector that makers of NOR flash promise
TERMS = f"{SIZE // 1024} KB of NOR flash, {CYCLES:,} cycles, {A_DAY} refunds a day"


def years(programmed):
    """`programmed`: bytes a refund, with what is carried. Wear is even (tests/device/test_lifetime.py), so every byte of the
    region is programmed as often as it may be erased."""
    return SIZE * CYCLES / (A_DAY * programmed * 365)
