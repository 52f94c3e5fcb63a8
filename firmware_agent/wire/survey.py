"""What a region of the journal (region.py) holds, whatever happened to it. Loaded at a boot and when asked, and let go."""

import struct
from binascii import crc32

from .region import DIGEST, FRAME, HEADER, LONGEST, SEAL, VERSION, WINDOW, JournalError, Region, record


class Survey(Region):
    """`newest`: as Region; found out if it is None. `unsealed`: a generation after it was begun and never sealed.
    JournalError: not ours, of another version, or made for a flash of another shape."""

    def __init__(self, flash, newest=None):
        if not flash.size:
            raise JournalError("no flash for the journal")
        if flash.size < 2 * flash.sector or flash.unit > 255 or flash.sector % 16:
            raise JournalError(
                "%d bytes in sectors of %d and units of %d: a journal needs two sectors, of whole 16 bytes, and units of at "
                "most 255" % (flash.size, flash.sector, flash.unit)
            )
        super().__init__(flash)
        self.tip = 0, b"\0" * DIGEST, 0  # after `walk`: number and digest of the last record, address behind it
        self.unsealed = False
        if newest is None:
            self._find()
        else:
            self.newest = newest

    def _find(self):
        flash = self.flash
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

    def _zeros(self, at, end):
        """True if nothing but zeros stand there: a record that was cut, and was made void."""
        while at < end:
            size = min(WINDOW, end - at)
            if self.flash.read(at, size).strip(b"\0"):
                return False
            at += size
        return True

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
