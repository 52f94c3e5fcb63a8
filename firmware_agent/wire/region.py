"""The journal's region of flash, bytes <-> records: how it is laid out, and how it is read whatever happened to it.

The region is a ring of sectors. Each begins with a header: "RFJ", version, sector size / 16 (2 bytes), number of sectors
(2), unit (1), 3 zeros, generation (4), number of its first record (4), digest before it (8), CRC-32 (4); big endian.
Generation g stands in sector g % sectors. All sectors but one are in use; the spare one is erased.
Record, aligned to the unit: length of the body with two flags (2 bytes), number (4), body, digest (8), CRC-32 over all of
it (4). It counts only when its last byte is right. The digest is the beginning of SHA-256 over the digest of the record
before, head and body: whoever alters, removes or inserts a record has to make all later ones anew, and then the last
digest differs from every copy that was pulled. A sector begins with what was CARRIED out of the oldest one, closed by a
SEAL; only then may the oldest be erased.
"""

import struct
from binascii import crc32
from hashlib import sha256

VERSION = 2
HEADER = 32
FRAME = 18  # length, number, digest, CRC
LONGEST = 512  # bytes of a body: a refund with every fact takes 250
CARRIED = 0x8000  # copied out of a sector that was given up, or made when it was
SEAL = 0x4000  # the last of these
DIGEST = 8

WINDOW = 256  # bytes read at once where much is searched: a board has little heap in one piece
_INDEX = (
    256,
    8192,
)  # remainders of terms in a small index and in a large one: half a KB of heap for 64 KB, 256 for 1 MiB


class JournalError(Exception):
    """The region cannot be used and is left as it is; the text says why and what to do."""


def header(flash, generation, number, digest):
    """The bytes of a sector's header."""
    data = struct.pack(">BHHB", VERSION, flash.sector // 16, flash.size // flash.sector, flash.unit)
    data = b"RFJ" + data + b"\0\0\0" + struct.pack(">II", generation, number) + digest
    return data + struct.pack(">I", crc32(data))


def record(flags, number, body, digest):
    """(the bytes of a record, its digest)."""
    data = struct.pack(">HI", flags | len(body), number) + body
    digest = sha256(digest + data).digest()[:DIGEST]
    data += digest
    return data + struct.pack(">I", crc32(data)), digest


class Region:
    """Reads records in `flash` (Flash port; reading is all it does). `newest`: generation written last, -1 if there is none.
    `terms(body)`: the integers by which a record is looked for (see `holding`). Survey finds out what there is."""

    def __init__(self, flash, terms=None):
        self.flash = flash
        self.sectors = flash.size // flash.sector
        self.newest = -1
        self.end = 0  # behind the last record
        self.terms = terms
        # the index: for each remainder of terms a bit for each sector, up to the generation `_entered`, that has such a one
        self._row = (self.sectors + 7) // 8
        self._bits = bytearray(self._row * (_INDEX[self.sectors > 64] if terms else 1))
        self._entered = -1

    @property
    def oldest(self):
        """The oldest generation that counts."""
        return max(0, self.newest - self.sectors + 2)

    def base(self, generation):
        """Address of a generation's sector."""
        return generation % self.sectors * self.flash.sector

    def padded(self, size):
        """`size` in whole units."""
        return -(-size // self.flash.unit) * self.flash.unit

    def at(self, at, end):
        """(flags, number, body, digest) of the record at an address; None if no whole record stands there."""
        head = self.flash.read(at, 6)
        size, number = struct.unpack(">HI", head)
        flags = size & 0xC000
        size -= flags
        if size > LONGEST or at + FRAME + size > end:
            return None
        rest = self.flash.read(at + 6, size + 12)
        if struct.unpack(">I", rest[size + 8 :])[0] != crc32(rest[: size + 8], crc32(head)):
            return None
        return flags, number, rest[:size], rest[size : size + 8]

    def used(self, at, end):
        """The address behind the last byte between `at` and `end` that is not erased; `at` if all are."""
        while end > at:
            begin = max(at, end - WINDOW)
            rest = self.flash.read(begin, end - begin).rstrip(b"\xff")
            if rest:
                return begin + len(rest)
            end = begin
        return at

    def blank(self, generation):
        """True if the sector of a generation is erased."""
        base = self.base(generation)
        return self.used(base, base + self.flash.sector) == base

    def sector(self, generation, expected=0):
        """Yields (address, flags, number, body, digest) of the whole records of a sector whose numbers rise from `expected`
        on; then (address, None, 0, b"", b"") if bytes behind the last one are neither erased nor a record."""
        end = self.base(generation) + self.flash.sector
        at = end - self.flash.sector + self.padded(HEADER)
        bad = 0
        while at + FRAME <= end:
            found = self.at(at, end)
            if found is None or found[1] < expected or not found[1]:
                if self.used(at, end) == at:
                    break
                bad = bad or at
                at += self.flash.unit
                continue
            bad = 0
            yield (at,) + found
            expected = found[1] + 1
            at += self.padded(FRAME + len(found[2]))
        at = bad or at
        if self.used(at, end) != at:
            yield at, None, 0, b"", b""

    def holding(self, data, term):
        """Yields (flags, body) of the records that bear the term and hold the bytes `data`, oldest first; whole sectors
        without them are passed over."""
        return self.within(self.bearing(data, term), data)

    def within(self, generations, data):
        """Yields (flags, body) of their records that hold the bytes `data`."""
        for generation in generations:
            for _, flags, _, body, _ in self.sector(generation):
                if data in body and flags is not None:
                    yield flags, body

    def bearing(self, data, term):
        """The generations, oldest first, that hold the bytes `data` and may have a record that bears the term. Without
        `terms` every record may bear it."""
        window = max(WINDOW, min(self.flash.size >> 7, self.flash.sector))  # a large region has a large heap beside it
        self._index()
        begin = term * self._row % len(self._bits)  # whole rows
        oldest = self.oldest
        found = list(range(max(self._entered + 1, oldest), self.newest + 1))
        row = self._bits[begin : begin + self._row]
        for at, bits in enumerate(row) if any(row) else ():
            for sector in range(at * 8, at * 8 + 8) if bits else ():
                if bits >> (sector & 7) & 1:
                    found.append(self._entered - (self._entered - sector) % self.sectors)
        bearing = []
        for generation in sorted([one for one in found if one >= oldest]):
            at = self.base(generation)
            end = at + self.flash.sector if generation < self.newest else self.end
            while at < end:
                if data in self.flash.read(at, min(window + len(data), end - at)):
                    bearing.append(generation)
                    break
                at += window
        return bearing

    def _index(self):
        """Enters in the index every sector that is full, and was not asked for before."""
        bits = self._bits
        terms = self.terms
        if not terms:
            return
        for generation in range(max(self._entered + 1, self.oldest), self.newest):
            sector, bit = generation % self.sectors >> 3, 1 << (generation % self.sectors & 7)
            for at in range(sector, len(bits), self._row):
                bits[at] &= ~bit
            for body in self.bodies(generation):
                for term in terms(body):
                    bits[term * self._row % len(bits) + sector] |= bit
            self._entered = generation  # only now: the flash may have refused to be read

    def bodies(self, generation):
        """Yields the bodies of a sector's records, oldest first."""
        for _, flags, _, body, _ in self.sector(generation):
            if flags is not None:
                yield body
