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

_WINDOW = 256  # bytes read at once where much is searched: a board has little heap in one piece
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
    """Reads what is in `flash` (Flash port; reading is all it does). `newest`: generation written last, -1 if there is
    none. `unsealed`: a generation after it was begun and never sealed. `terms(body)`: the integers by which a record is
    looked for (see `holding`). JournalError: not ours, of another version, or made for a flash of another shape."""

    def __init__(self, flash, terms=None):
        self.flash = flash
        self.sectors = flash.size // flash.sector
        self.newest = -1
        self.unsealed = False
        self.tip = 0, b"\0" * DIGEST, 0  # after `walk`: number and digest of the last record, address behind it
        self.terms = terms
        # the index: for each remainder of terms a bit for each sector, up to the generation `_entered`, that has such a one
        self._row = (self.sectors + 7) // 8
        self._bits = bytearray(self._row * _INDEX[self.sectors > 64])
        self._entered = -1
        for index in range(self.sectors):
            found = self.header(index)
            if found and found[0] % self.sectors == index:
                self.newest = max(self.newest, found[0])
        if self.newest < 0:
            # nothing, a first header that was cut, or a damaged one of a single sector
            if self.records_in(0):
                self.newest = 0
            elif self.used(HEADER, flash.size) != HEADER:
                raise JournalError("the flash region holds something that is no journal of ours; it was left as it is")
            return
        # a header may be damaged: the sector behind the newest is the next generation if its records are younger
        behind = self.records_in(self.newest + 1)
        number = (self.header(self.newest % self.sectors) or (0, 0))[1]
        if behind and behind[0] > number:
            last = number - 1
            for _, _, its, _, _ in self.sector(self.newest, number):
                last = max(last, its)
            if not self._unsealed(self.newest + 1, last + 1):
                self.newest += 1
                return
        if self._unsealed(self.newest, number):
            self.newest -= 1
            self.unsealed = True

    def _unsealed(self, generation, number):
        """True if a generation whose first record is `number` was begun and never sealed: then the sector that it carries
        from is still there, or it is one of the first, which carry nothing. Else it counts, though it may have lost its
        seal. The very first counts without one: were it erased, and that cut, what is left could be anybody's."""
        if not generation or self.sealed(generation, number):
            return False
        inside = self.records_in(generation)
        if generation >= self.sectors - 1:
            at = self.base(generation + 1)
            last = self.header(at // self.flash.sector)
            # where the header is damaged the record behind it tells
            here = self.at(at + self.padded(HEADER), at + self.flash.sector)
            if last:
                here = last[0] == generation + 1 - self.sectors
            return here and not (inside and inside[1])
        base = self.base(generation)
        return not inside and self.used(base, base + self.flash.sector) <= base + HEADER + FRAME + LONGEST

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

    def header(self, index):
        """(generation, number of its first record, digest before it) of a sector; None if its header is not whole."""
        flash = self.flash
        data = flash.read(index * flash.sector, HEADER)
        if data[:3] != b"RFJ" or struct.unpack(">I", data[28:])[0] != crc32(data[:28]):
            return None
        version, sector, sectors, unit = struct.unpack(">BHHB", data[3:9])
        if version != VERSION:
            raise JournalError(
                "the journal is of version %d, this agent reads version %d; it was left as it is: install the agent it "
                "belongs to, or give this one a region of its own" % (version, VERSION)
            )
        if (sector * 16, sectors, unit) != (flash.sector, self.sectors, flash.unit):
            raise JournalError(
                "the journal was made for %d sectors of %d bytes in units of %d, this board has %d of %d in units of %d; "
                "it was left as it is" % (sectors, sector * 16, unit, self.sectors, flash.sector, flash.unit)
            )
        generation, number = struct.unpack(">II", data[12:20])
        return generation, number, data[20:28]

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
            begin = max(at, end - _WINDOW)
            rest = self.flash.read(begin, end - begin).rstrip(b"\xff")
            if rest:
                return begin + len(rest)
            end = begin
        return at

    def blank(self, generation):
        """True if the sector of a generation is erased."""
        base = self.base(generation)
        return self.used(base, base + self.flash.sector) == base

    def _zeros(self, at, end):
        """True if nothing but zeros stand there: a record that was cut, and was made void."""
        while at < end:
            size = min(_WINDOW, end - at)
            if self.flash.read(at, size).strip(b"\0"):
                return False
            at += size
        return True

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

    def records_in(self, generation):
        """(number of the first whole record in a sector, True if one was added behind what was carried), or None."""
        first = 0
        for _, flags, number, _, _ in self.sector(generation):
            first = first or number
            if flags == 0:
                return first, True
        return (first, False) if first else None

    def sealed(self, generation, number):
        """True if all that was carried into a sector is whole: one record after the other from `number` to a seal."""
        for _, flags, its, _, _ in self.sector(generation, number):
            if its != number:
                return False
            if flags is None or flags & SEAL:
                return flags is not None
            number += 1
        return False

    def walk(self, damage):
        """Yields (address, flags, number, body) of every record that counts, oldest first, and calls damage(address, bytes,
        lost, number) for every place that is not as it was written: `lost` is how many records that counted are missing or
        altered there, `number` that of the first; lost is 0 for a record that was cut, a header, and bytes nobody needs."""
        expected = 0  # 0: unknown
        digest = None
        end = 0
        bad = None  # (address, bytes) that could not be read, until the next number tells what was there
        size = self.padded(HEADER)
        for generation in range(self.oldest, self.newest + 1):
            base = self.base(generation)
            found = self.header(base // self.flash.sector)
            if found is None or found[0] != generation:
                damage(base, HEADER, 0, 0)
            elif not expected:
                expected, digest = found[1:]
            end = base + size
            for at, flags, number, body, its in self.sector(generation, expected):
                if at > end and not self._zeros(end, at):
                    bad = bad or (end, at - end)
                if flags is None:
                    stop = self.used(at, base + self.flash.sector)
                    if not self._zeros(at, stop):
                        bad = bad or (at, stop - at)
                    continue
                # where no header tells the first number, what is broken before the first record was at least one
                lost = number - expected if expected else int(bad is not None)
                end = at + self.padded(FRAME + len(body))
                if lost or bad:
                    place, wrong = bad or (at, 0)
                    damage(place, wrong, lost, number - lost)
                    bad = None
                if not lost and digest and record(flags, number, body, digest)[1] != its:
                    damage(at, end - at, 1, number)
                digest = its
                expected = number + 1
                yield at, flags, number, body
        if bad:
            damage(bad[0], bad[1], 0, 0)
        self.tip = max(0, expected - 1), digest or b"\0" * DIGEST, end

    def holding(self, data, term):
        """Yields (flags, body) of the records that bear the term and hold the bytes `data`, oldest first; whole sectors
        without them are passed over. Without `terms` every record may bear it."""
        window = max(_WINDOW, min(self.flash.size >> 8, self.flash.sector))  # a large region has a large heap beside it
        self._index()
        begin = term * self._row % len(self._bits)  # whole rows
        found = list(range(max(self._entered + 1, self.oldest), self.newest + 1))
        for at, bits in enumerate(self._bits[begin : begin + self._row]):
            for sector in range(at * 8, at * 8 + 8) if bits else ():
                if bits >> (sector & 7) & 1:
                    found.append(self._entered - (self._entered - sector) % self.sectors)
        for generation in sorted([one for one in found if one >= self.oldest]):
            at = self.base(generation)
            end = at + self.flash.sector
            while at < end:
                if data in self.flash.read(at, min(window + len(data), end - at)):
                    for _, flags, _, body, _ in self.sector(generation):
                        if data in body and flags is not None:
                            yield flags, body
                    break
                at += window

    def _index(self):
        """Enters in the index every sector that is full, and was not asked for before."""
        bits = self._bits
        for generation in range(max(self._entered + 1, self.oldest), self.newest if self.terms else 0):
            sector, bit = generation % self.sectors >> 3, 1 << (generation % self.sectors & 7)
            for at in range(sector, len(bits), self._row):
                bits[at] &= ~bit
            for body in self.bodies(generation):
                for term in self.terms(body):
                    bits[term * self._row % len(bits) + sector] |= bit
            self._entered = generation  # only now: the flash may have refused to be read

    def bodies(self, generation):
        """Yields the bodies of a sector's records, oldest first."""
        for _, flags, _, body, _ in self.sector(generation):
            if flags is not None:
                yield body
