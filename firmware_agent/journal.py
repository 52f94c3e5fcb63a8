"""The journal: append-only records on a Flash port, which survive a power cut after any byte.

Region: sectors, each with a header (magic, sector number, CRC-32) and records behind it, aligned to the flash's unit.
Record: length of the body (2 bytes), sequence number (4), body, CRC-32 over all of it (4); big endian. It counts only
when its last byte is right. Damaged bytes are reported with their place and never passed over in silence; what follows
them is found again at the next unit where a whole record with a later number stands.
A body is one CBOR value. The last RESERVE bytes are kept for refunds that are under way: new ones are refused before.
"""

import struct
from binascii import crc32

_MAGIC = b"RFJ1"
_HEADER = 12
_FRAME = 10  # length, sequence number, CRC
LONGEST = 512  # bytes of a body: a request with every field takes 150

RESERVE = 1024  # a refund needs at most four records of about 100 bytes to come to its end


class JournalError(Exception):
    """The region cannot be used; the text says why."""


class Full(Exception):
    """No room for this record."""


class Journal:
    """Opens `flash` at once; `damage` lists (address, bytes) of what could not be read. JournalError: no flash, or the
    region holds something that is not ours (it is left as it is)."""

    def __init__(self, flash):
        self._flash = flash
        self.damage = []
        self.sequence = 0
        if flash.size < 2 * flash.sector:
            raise JournalError("no flash for the journal")
        self._sectors = flash.size // flash.sector
        self._sector = -1
        self._end = 0
        for index in range(self._sectors):
            state = self._header(index)
            if state == "ours":
                self._sector = index
            elif state != "erased":
                if self._sector < 0 and index == 0 and not self._torn(index):
                    raise JournalError("the flash region holds something that is no journal of ours")
                break
        if self._sector < 0:
            self._begin(0)
        else:
            for _ in self._records(self.damage):
                pass
            self._end = self._first_free()

    # ---- reading ----
    def records(self):
        """The bodies, oldest first."""
        return self._records([])

    def _records(self, damage):
        flash = self._flash
        unit = flash.unit
        sequence = 0
        for index in range(self._sector + 1):
            base = index * flash.sector
            data = flash.read(base, flash.sector)
            at = self._padded(_HEADER)
            bad = None
            while at + _FRAME <= flash.sector:
                size = data[at] << 8 | data[at + 1]
                if size == 0xFFFF and bad is None and self._blank(data, at):
                    break
                number = self._whole(data, at, size)
                if number <= sequence:
                    if bad is None:
                        bad = at
                    at += unit
                    continue
                if bad is not None:
                    damage.append((base + bad, at - bad))
                    bad = None
                sequence = number
                self.sequence = max(self.sequence, sequence)
                body = data[at + 6 : at + 6 + size]
                at += self._padded(_FRAME + size)
                yield body
            if bad is not None:
                end = flash.sector
                while end > bad and data[end - 1] == 0xFF:
                    end -= 1
                damage.append((base + bad, end - bad))

    def _whole(self, data, at, size):
        """The sequence number of the record at `at`, 0 if no whole record stands there."""
        end = at + 6 + size
        if size > LONGEST or end + 4 > len(data):
            return 0
        if struct.unpack(">I", data[end : end + 4])[0] != crc32(data[at:end]):
            return 0
        return struct.unpack(">I", data[at + 2 : at + 6])[0]

    def _blank(self, data, at):
        return data[at:] == b"\xff" * (len(data) - at)

    def _header(self, index):
        data = self._flash.read(index * self._flash.sector, _HEADER)
        if data == b"\xff" * _HEADER:
            return "erased"
        if data[:4] == _MAGIC and struct.unpack(">II", data[4:]) == (index, crc32(data[:8])):
            return "ours"
        return "other"

    def _torn(self, index):
        """True if the header could be one of ours whose writing was cut."""
        data = self._flash.read(index * self._flash.sector, self._flash.sector)
        return self._blank(data, _HEADER)

    def _first_free(self):
        """The first address of the last sector behind everything that was ever programmed there."""
        flash = self._flash
        data = flash.read(self._sector * flash.sector, flash.sector)
        end = len(data)
        while end and data[end - 1] == 0xFF:
            end -= 1
        return self._sector * flash.sector + self._padded(end)

    # ---- writing ----
    def _padded(self, size):
        return (size + self._flash.unit - 1) // self._flash.unit * self._flash.unit

    def _begin(self, index):
        flash = self._flash
        address = index * flash.sector
        if flash.read(address, flash.sector) != b"\xff" * flash.sector:
            flash.erase(address)
        head = _MAGIC + struct.pack(">I", index)
        self._program(address, head + struct.pack(">I", crc32(head)))
        flash.sync()
        self._sector = index
        self._end = address + self._padded(_HEADER)

    def _program(self, address, data):
        self._flash.program(address, data + b"\xff" * (self._padded(len(data)) - len(data)))

    @property
    def size(self):
        return self._flash.size

    @property
    def used(self):
        return self._end

    @property
    def free(self):
        return self._flash.size - self._end

    def append(self, body):
        """Write one record and sync; when this returns, it survives. Full: no room."""
        size = self._padded(_FRAME + len(body))
        if len(body) > LONGEST:
            raise ValueError("a record of %d bytes: at most %d" % (len(body), LONGEST))
        if self._end + size > (self._sector + 1) * self._flash.sector:
            if self._sector + 1 >= self._sectors:
                raise Full()
            self._begin(self._sector + 1)
        record = struct.pack(">HI", len(body), self.sequence + 1) + body
        address = self._end
        self._end += size  # even if this is cut or fails: bytes once programmed are never programmed again
        self._program(address, record + struct.pack(">I", crc32(record)))
        self._flash.sync()
        self.sequence += 1
