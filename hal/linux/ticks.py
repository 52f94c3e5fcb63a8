"""The tick functions of MicroPython's time module, for CPython."""

from time import monotonic


def ticks_ms():
    return int(monotonic() * 1000)


def ticks_add(ticks, delta):
    return ticks + delta


def ticks_diff(later, earlier):
    return later - earlier
