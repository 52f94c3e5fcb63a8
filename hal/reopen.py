"""A serial line that comes back: a cable that was pulled, a terminal that was switched off, a path made anew."""

import asyncio

from .ticks import deadline, left

_PAUSE_MS = 500  # between tries to open: often enough for a person, rare enough for the log


class Reopening:
    """Serial port over `open(*where, **settings)`, which returns a Serial or raises OSError. After an error the line is
    opened again."""

    def __init__(self, open, *where, **settings):
        self._open_line = open
        self._where = where
        self._settings = settings
        self.line = None
        self._again = deadline(0)

    def _open(self):
        if self.line is None:
            if left(self._again):
                raise OSError(19)  # ENODEV
            self._again = deadline(_PAUSE_MS)
            self.line = self._open_line(*self._where, **self._settings)
        return self.line

    def _drop(self):
        line, self.line = self.line, None
        if line:
            try:
                line.close()
            except OSError:
                pass

    async def read(self, timeout_ms):
        try:
            return await self._open().read(timeout_ms)
        except OSError:
            self._drop()
            await asyncio.sleep(min(timeout_ms, 50) / 1000)  # whoever reads in a loop must not starve the others
            raise

    async def write(self, data):
        try:
            await self._open().write(data)
        except OSError:
            self._drop()
            raise
