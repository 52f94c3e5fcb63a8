"""Waiting for a stream to have something to read, under MicroPython's asyncio."""

from asyncio import core, create_task, sleep_ms  # pyright: ignore[reportAttributeAccessIssue]  the stubs lack core

from ..ticks import deadline, left


class Waiting:
    """One reader of one stream. asyncio's wait_for_ms makes two tasks and 1 kB for each wait, and a line brings its bytes in
    small pieces: here one task, which lasts as long as somebody reads, ends the wait that is too long."""

    def __init__(self, stream):
        self._stream = stream
        self._until = None  # of the wait under way; None: there is none, or it was too long
        self._timer = None  # the task, asleep until then

    def _come(self):
        # what asyncio.StreamReader does; its module alone would cost a board 2 kB
        yield core._io_queue.queue_read(self._stream)

    async def readable(self, timeout_ms):
        """True once there is something to read, or the end of it; False after `timeout_ms`, None for no limit."""
        if timeout_ms is not None:
            self._until = until = deadline(timeout_ms)
            if self._timer:
                core._task_queue.remove(self._timer)
                core._task_queue.push(self._timer, until)
            else:
                self._timer = create_task(self._watch())
        try:
            await self._come()  # pyright: ignore[reportGeneralTypeIssues]  MicroPython awaits generators
            return timeout_ms is None or self._until is not None
        finally:
            self._until = None

    async def _watch(self):
        while self._until is not None:
            rest = left(self._until)
            if rest:
                await sleep_ms(rest)
            elif self.end():
                self._until = None
            else:
                break  # it has something to read, and its turn comes
        self._timer = None

    def end(self):
        """End a wait. False if there is none, or its task is only to run yet."""
        waits = core._io_queue.map.get(id(self._stream))
        task = waits and waits[0]
        if task:
            core._io_queue.remove(task)
            core._task_queue.push(task)
        return bool(task)
