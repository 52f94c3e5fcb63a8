"""Flash port over a region of a block device: the last sectors of the flash that holds the file system, or a partition.

The device's extended protocol is used (MicroPython, vfs.AbstractBlockDev): writing with an offset programs and never
erases, ioctl 6 erases one block, 3 syncs. What was programmed is read again: flash that is worn out, and a bit that
would have to rise, do not fail, they only keep something else."""

_INIT, _SYNC, _BLOCK_COUNT, _BLOCK_SIZE, _ERASE = 1, 3, 4, 5, 6
_EXTENDED = 1
_CHECK = 64  # bytes that are compared at once


class Flash:
    """`device`: the block device; `first`: the block where the region begins; `size`, `sector`, `unit` as the port has them.
    `page`: bytes that the device programs at once, and whole: the rest of a page is filled with FF, which changes nothing.
    OSError: the device has other blocks, or ends before the region does."""

    def __init__(self, device, first, size, sector=4096, unit=4, page=1):
        self.size = size
        self.sector = sector
        self.unit = unit
        self._device = device
        self._first = first
        self._page = page
        self._done(device.ioctl(_INIT, _EXTENDED))
        blocks = device.ioctl(_BLOCK_COUNT, 0)
        if device.ioctl(_BLOCK_SIZE, 0) != sector or size % sector or sector % unit:
            raise OSError(22, "the journal's region must be whole sectors as the flash has them")
        if first < 0 or first + size // sector > blocks:
            raise OSError(28, "the journal's region ends behind the flash")
        self._seen = bytearray(_CHECK)

    def _done(self, code):
        if code:  # the ports answer None, 0 or True, and stm32 a negative number where it failed
            if code is not True and code < 0:
                raise OSError(-code, "the flash failed")

    def _check(self, address, size):
        if address < 0 or size < 0 or address + size > self.size:
            raise OSError(22, "beyond the end of the journal's region")

    def _read_into(self, address, data):
        sector = self.sector
        self._done(self._device.readblocks(self._first + address // sector, data, address % sector))

    def read(self, address, size):
        self._check(address, size)
        data = bytearray(size)
        view = memoryview(data)
        at = 0
        while at < size:
            count = min(size - at, self.sector - (address + at) % self.sector)
            self._read_into(address + at, view[at : at + count])
            at += count
        return bytes(data)

    def program(self, address, data):
        size = len(data)
        self._check(address, size)
        if address % self.unit or size % self.unit:
            raise OSError(22, "programming must begin and end on whole units")
        if address % self.sector + size > self.sector:
            raise OSError(22, "programming must stay within a sector")
        before = address % self._page
        after = -(before + size) % self._page
        padded = b"\xff" * before + data + b"\xff" * after if before or after else data
        block = self._first + address // self.sector
        self._done(self._device.writeblocks(block, padded, address % self.sector - before))
        at = 0
        while at < size:
            seen = memoryview(self._seen)[: min(_CHECK, size - at)]
            self._read_into(address + at, seen)
            if seen != memoryview(data)[at : at + len(seen)]:
                raise OSError(5, "the flash did not keep what was programmed")
            at += len(seen)

    def erase(self, address):
        self._check(address, self.sector)
        if address % self.sector:
            raise OSError(22, "erasing must begin on a sector")
        self._done(self._device.ioctl(_ERASE, self._first + address // self.sector))

    def sync(self):
        self._done(self._device.ioctl(_SYNC, 0))
