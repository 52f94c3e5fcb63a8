"""The journal: append-only records on a Flash port, which survive a power cut after any byte.

Region: sectors, each with a header (magic, sector number, CRC-32) and records behind it, aligned to the flash's unit.
Record: length of the body (2 bytes), sequence number (4), body, CRC-32 over all of it (4); big endian. It counts only
when its last byte is right. Damaged bytes are reported with their place and never passed over in silence; what follows
them is found again at the next unit where a whole record stands, whose number is no earlier one.
A body is one CBOR value. The last RESERVE bytes are kept for refunds that are under way: new ones are refused before.
"""

import struct
from binascii import crc32

_MAGIC = b"RFJ1"
_HEADER = 12
_FRAME = 10  # length, sequence number, CRC
_WINDOW = 256  # bytes read at once when looking for the end: a board has little heap in one piece
_LONGEST = 512  # bytes of a body: a request with every field takes 150

RESERVE = 1024  # a refund needs at most four records of about 100 bytes to come to its end


class JournalError(Exception):
    """The region cannot be used; the text says why."""


class Full(Exception):
    """No room for this record."""


class Journal:
    """Opens `flash` at once; `damage` lists (address, bytes) of what could not be read. JournalError: no flash, or the
    region holds something that is not ours (it is left as it is)."""

    def __init__(self, flash):
        self.flash = flash
        self.damage = []
        self.sequence = 0
        if flash.size < 2 * flash.sector:
            raise JournalError("no flash for the journal")
        self._sectors = flash.size // flash.sector
        self._sector = -1
        self._end = 0
        foreign = False
        for index in range(self._sectors):
            base = index * flash.sector
            written = self._used(base, base + flash.sector) - base > _HEADER  # less may be a header that was cut
            # a sector with a damaged header is still ours: its records are read, and it is never erased
            if self._header(index) or (written and (self._sector >= 0 or self._record(*self._room(index))[0])):
                self._sector = index
            elif written:
                foreign = True
        if self._sector >= 0:
            for _ in self._records(self.damage):
                pass
            # behind everything that was ever programmed, and behind the last record, which may end in FF
            at, end = self._room(self._sector)
            self._end = max(self._end, at + self._padded(self._used(at, end) - at))
        elif foreign:
            raise JournalError("the flash region holds something that is no journal of ours")
        else:
            self._begin(0)

    # ---- reading ----
    def records(self):
        """The bodies, oldest first."""
        return self._records([])

    def _records(self, damage):
        flash = self.flash
        sequence = 1
        for index in range(self._sector + 1):
            at, end = self._room(index)
            if not self._header(index):
                damage.append((index * flash.sector, _HEADER))
            bad = None
            while at + _FRAME <= end:
                number, body = self._record(at, end)
                # the same number twice: a record that was cut, and read as whole another day
                if number < sequence:
                    if bad is None:
                        used = self._used(at, end)
                        if used == at:
                            break  # nothing but erased bytes up to the end of the sector
                        bad = at
                    at += flash.unit
                    continue
                if bad is not None:
                    damage.append((bad, at - bad))
                    bad = None
                sequence = number
                self.sequence = max(self.sequence, sequence)
                at += self._padded(_FRAME + len(body))
                self._end = max(self._end, at)
                yield body
            if bad is not None:
                damage.append((bad, self._used(bad, end) - bad))

    def _record(self, at, end):
        """(sequence number, body) of the record at `at`; (0, b"") if no whole record stands there."""
        head = self.flash.read(at, 6)
        size = head[0] << 8 | head[1]
        if size <= _LONGEST and at + _FRAME + size <= end:
            rest = self.flash.read(at + 6, size + 4)
            body = rest[:size]
            if struct.unpack(">I", rest[size:])[0] == crc32(body, crc32(head)):
                return struct.unpack(">I", head[2:])[0], body
        return 0, b""

    def _used(self, at, end):
        """The address behind the last byte between `at` and `end` that is not erased; `at` if all are."""
        while end > at:
            begin = max(at, end - _WINDOW)
            rest = self.flash.read(begin, end - begin).rstrip(b"\xff")
            if rest:
                return begin + len(rest)
            end = begin
        return at

    def _room(self, index):
        """(first address for records, address behind the last) of a sector."""
        base = index * self.flash.sector
        return base + self._padded(_HEADER), base + self.flash.sector

    def _header(self, index):
        """True if the header of a sector is whole."""
        data = self.flash.read(index * self.flash.sector, _HEADER)
        return data[:4] == _MAGIC and struct.unpack(">II", data[4:]) == (index, crc32(data[:8]))

    # ---- writing ----
    def _padded(self, size):
        return (size + self.flash.unit - 1) // self.flash.unit * self.flash.unit

    def _begin(self, index):
        flash = self.flash
        address = index * flash.sector
        if self._used(address, address + flash.sector) != address:
            flash.erase(address)
        head = _MAGIC + struct.pack(">I", index)
        self._program(address, head + struct.pack(">I", crc32(head)))
        flash.sync()
        self._sector = index
        self._end = address + self._padded(_HEADER)

    def _program(self, address, data):
        self.flash.program(address, data + b"\xff" * (self._padded(len(data)) - len(data)))

    @property
    def size(self):
        return self.flash.size

    @property
    def used(self):
        return self._end

    @property
    def free(self):
        return self.flash.size - self._end

    def append(self, body):
        """Write one record and sync; when this returns, it survives. Full: no room."""
        size = self._padded(_FRAME + len(body))
        if len(body) > _LONGEST:
            raise ValueError("a record of %d bytes: at most %d" % (len(body), _LONGEST))
        if self._end + size > (self._sector + 1) * self.flash.sector:
            if self._sector + 1 >= self._sectors:
                raise Full()
            self._begin(self._sector + 1)
        # even if this is cut or fails: bytes once programmed are never programmed again, nor is their number given again
        self.sequence += 1
        address = self._end
        self._end += size
        record = struct.pack(">HI", len(body), self.sequence) + body
        self._program(address, record + struct.pack(">I", crc32(record)))
        self.flash.sync()
