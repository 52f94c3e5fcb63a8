"""Flash port over files of a littlefs, one for each sector: for boards whose firmware leaves no flash beside its file system.

littlefs keeps of a file what was last synced, whole, after a power cut at any byte, and spreads the wear by itself. A
file holds its sector up to the last byte that was programmed; what lies behind is FF. A sector that was erased is a
file of no bytes."""

_FILL = 64


class Flash:
    """`path`: of the files, without the number at their end; `size`, `sector`, `unit` as the port has them. They are
    made with the first use."""

    def __init__(self, path, size=65536, sector=4096, unit=4):
        if size % sector or sector % unit:
            raise OSError(22, "the journal must be whole sectors, and they whole units")
        self.size = size
        self.sector = sector
        self.unit = unit
        self._path = path
        self._file = None
        self._number = -1  # of the sector whose file is open

    def _open(self, number):
        if number != self._number:
            self._close()
            try:
                self._file = open(self._name(number), "r+b")
            except OSError as error:
                if error.errno != 2:  # ENOENT
                    raise
                return None
            self._number = number
        return self._file

    def _close(self):
        file, self._file = self._file, None
        self._number = -1
        if file:
            file.close()

    def _name(self, number):
        return "%s.%02d" % (self._path, number)

    def _check(self, address, size):
        if address < 0 or size < 0 or address + size > self.size:
            raise OSError(22, "beyond the end of the journal")

    def read(self, address, size):
        self._check(address, size)
        found = b""
        while size:
            at = address % self.sector
            count = min(size, self.sector - at)
            file = self._open(address // self.sector)
            piece = b""
            if file:
                file.seek(at)
                piece = file.read(count)
            found += piece + b"\xff" * (count - len(piece))
            address += count
            size -= count
        return found

    def program(self, address, data):
        size = len(data)
        self._check(address, size)
        if address % self.unit or size % self.unit:
            raise OSError(22, "programming must begin and end on whole units")
        at = address % self.sector
        if at + size > self.sector:
            raise OSError(22, "programming must stay within a sector")
        there = self.read(address, size)
        for index in range(size):
            if data[index] & there[index] != data[index]:
                raise OSError(5, "a bit cannot rise from 0 to 1 without an erase")
        number = address // self.sector
        if self._open(number) is None:
            open(self._name(number), "wb").close()
        file = self._open(number)
        if file is None:
            raise OSError(5, "the journal's file was taken away")
        file.seek(0, 2)
        end = file.tell()
        while end < at:  # littlefs would fill it with zeros
            end += file.write(b"\xff" * min(_FILL, at - end))
        file.seek(at)
        file.write(data)
        file.flush()

    def erase(self, address):
        self._check(address, self.sector)
        if address % self.sector:
            raise OSError(22, "erasing must begin on a sector")
        self._close()
        open(self._name(address // self.sector), "wb").close()

    def sync(self):
        pass  # each program is flushed, and with littlefs that is the commit
