"""Flash port that behaves like NOR flash and can be cut at any byte.

Programming only clears bits; erasing works by sector; both refuse what the part could not do. With `path` the contents
live in a file and survive the process; without, in memory.
"""

from ..said import PowerCut


class Flash:
    """`cut_after`: None, or how many more bytes may be programmed (an erase counts as one) before PowerCut is raised.
    `half_erased`: how many bytes of a sector a cut erase has erased already. `endurance`: erases that a sector takes.
    `memory`: a bytearray to begin with."""

    def __init__(self, path=None, size=65536, sector=4096, unit=4, endurance=None, memory=None):
        if size % sector or sector % unit:
            raise ValueError("size must be whole sectors, a sector whole units")
        self.size = size
        self.sector = sector
        self.unit = unit
        self.endurance = endurance
        self.cut_after = None
        self.half_erased = 0
        self.erased = [0] * (size // sector)  # wear: erases a sector since start
        self.programmed = 0  # bytes since start
        self.file = _open(path, size, sector) if path else None
        self._memory = memory or bytearray(b"" if path else b"\xff" * size)

    def _check(self, address, size):
        if address < 0 or size < 0 or address + size > self.size:
            raise OSError(22, "beyond the end of the flash")

    def read(self, address, size):
        self._check(address, size)
        if self.file is None:
            return bytes(self._memory[address : address + size])
        self.file.seek(address)
        return self.file.read(size)

    def _store(self, address, data):
        if self.file is None:
            self._memory[address : address + len(data)] = data
        else:
            self.file.seek(address)
            self.file.write(data)
            self.file.flush()

    def program(self, address, data):
        self._check(address, len(data))
        if address % self.unit or len(data) % self.unit:
            raise OSError(22, "programming must begin and end on whole units")
        if address // self.sector != (address + len(data) - 1) // self.sector:
            raise OSError(22, "programming must stay within a sector")
        new = int.from_bytes(data, "big")
        if new & int.from_bytes(self.read(address, len(data)), "big") != new:
            raise OSError(5, "a bit cannot rise from 0 to 1 without an erase")
        if self.cut_after is not None:
            if len(data) > self.cut_after:
                self._store(address, data[: self.cut_after])
                self.cut_after = 0
                raise PowerCut()
            self.cut_after -= len(data)
        self._store(address, data)
        self.programmed += len(data)

    def erase(self, address):
        self._check(address, self.sector)
        if address % self.sector:
            raise OSError(22, "erasing must begin on a sector")
        if self.endurance is not None and self.erased[address // self.sector] >= self.endurance:
            raise OSError(5, "the sector is worn out")
        if self.cut_after is not None:
            if self.cut_after < 1:
                self._store(address, b"\xff" * self.half_erased)
                raise PowerCut()
            self.cut_after -= 1
        self.erased[address // self.sector] += 1
        self._store(address, b"\xff" * self.sector)

    def sync(self):
        pass  # every store goes to the file at once; a killed process loses nothing of it


def _open(path, size, sector):
    try:
        file = open(path, "r+b")
        file.seek(0, 2)
        have = file.tell()
    except OSError:
        file = open(path, "w+b")
        have = 0
    if have > size:
        raise OSError(22, "the flash file is larger than this board's flash")
    while have < size:  # a new part is erased; so is what a larger board adds
        file.seek(have)
        have += file.write(b"\xff" * min(sector, size - have))
    file.flush()
    return file
