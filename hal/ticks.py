"""Milliseconds for measuring spans, alike on CPython and MicroPython. Differences only: the counter wraps on boards."""

try:
    from time import ticks_add, ticks_diff, ticks_ms
except ImportError:
    from .linux.ticks import ticks_add, ticks_diff, ticks_ms


def deadline(timeout_ms):
    return ticks_add(ticks_ms(), timeout_ms)  # pyright: ignore[reportArgumentType]  of two clocks


def left(until):
    """Milliseconds until a deadline, 0 when it has passed: on a board for the next six days, then it seems to lie ahead."""
    return max(0, ticks_diff(until, ticks_ms()))


def kept(until):
    """A deadline that is looked at after days; once it has passed it is now. To be called at least once in six days."""
    return until if left(until) else ticks_ms()
