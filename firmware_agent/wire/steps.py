"""Work that takes a board seconds, as a generator that yields after each step and returns the result."""


def finished(steps):
    """What the generator returns, without a pause."""
    try:
        while True:
            next(steps)
    except StopIteration as end:
        return end.value


async def worked(steps, pause):
    """What the generator returns, with a `pause`() of others after each step."""
    try:
        while True:
            next(steps)
            await pause()
    except StopIteration as end:
        return end.value
