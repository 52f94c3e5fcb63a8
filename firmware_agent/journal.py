"""The journal: appends records to the region (wire/region.py has its layout) so that they survive a power cut after any byte.

When the newest sector is full the spare one is begun: what is kept of the oldest sector is copied into it, sealed and
synced; then the oldest is erased and is the spare one. So every sector is erased once in a round, and wear is even.
"""

import sys

from .wire.region import CARRIED, FRAME, HEADER, LONGEST, SEAL, Region, header, record
from .wire.region import JournalError as JournalError  # for whoever opens one

_PLACES = 16  # damaged places that are held in RAM; the rest is counted


def _survey(flash, newest=None):
    """A Survey: few are ever made, and a board's heap is small."""
    from .wire import survey

    sys.modules.pop(survey.__name__, None)
    return survey.Survey(flash, newest)


class Full(Exception):
    """No room for this record."""


class Damage:
    """Places where the region is not as it was written. `places`: the first ones, (address, bytes, records lost, number of
    the first of them); `count`: how many there are."""

    def __init__(self):
        self.places = []
        self.count = 0
        self._more = 0  # records lost in places that are not listed
        self._last = 0  # number of the last of these

    def note(self, *place):
        self.count += 1
        if len(self.places) < _PLACES:
            self.places.append(place)
        else:
            self._more += place[2]
            self._last = max(self._last, place[3])

    def lost(self, accepted, up_to):
        """How many records that counted are missing or altered, without those that were accepted: by their first number, and
        beyond the listed ones up to a number."""
        lost = self._more if self._last > up_to else 0
        for _, _, more, number in self.places:
            if number not in accepted:
                lost += more
        return lost

    def numbers(self):
        """(the first numbers of what is lost, the number up to which there is more)."""
        return [number for _, _, lost, number in self.places if lost], self._last


class Journal(Region):
    """Opens `flash` at once, calls follow(flags, body) for every record, oldest first, and mends what a power cut left
    behind. `damage`: Damage found when it was last read through. `carry`(generation that is given up, room in bytes)
    yields (flags, body) of what is carried along; without it a journal takes what its sectors hold and is Full then.
    JournalError: see Survey."""

    def __init__(self, flash, follow=None, carry=None, terms=None):
        survey = _survey(flash)
        super().__init__(flash, terms)
        self.newest = survey.newest
        self.carry = carry
        self.damage = Damage()
        self.unsaid = None  # (address, bytes) that a failed append may have programmed
        if self.newest >= 0:
            for _, flags, _, body in survey.walk(self.damage.note):
                if follow:
                    follow(flags, body)
        self.sequence, self.digest, self.end = survey.tip
        if self.newest >= 0:
            self.unsaid = (self.end, self.used(self.end, self.base(self.newest) + flash.sector) - self.end)
            try:
                self.mend()
                # a cut may have left the erase of the spare sector half done; then nothing was appended yet
                if not self.blank(self.newest + 1) or (
                    self.oldest and not (survey.records_in(self.newest) or (0, False))[1]
                ):
                    flash.erase(self.base(self.newest + 1))
                    flash.sync()
            except OSError:
                pass  # what is in it can still be read; the next record and the next turn try it again

    def look_through(self):
        """Reads the whole region once more, for flash may change while it is not written; yields after every record. A region
        that was given up meanwhile is read again."""
        generation = None
        while generation != self.newest and self.newest >= 0:
            generation = self.newest
            fresh = Damage()
            for _ in _survey(self.flash, generation).walk(fresh.note):
                yield
                if generation != self.newest:
                    break
            else:
                self.damage = fresh

    @property
    def size(self):
        return self.flash.size

    @property
    def written(self):
        """Bytes programmed in a round: from the oldest sector that counts to the last record."""
        if self.newest < 0:
            return 0
        return (self.newest - self.oldest) * self.flash.sector + self.end - self.base(self.newest)

    def room(self, body):
        """Bytes that a body takes in the region."""
        return self.padded(FRAME + len(body))

    def append(self, body):
        """Write one record and sync; when this returns, it survives. Full: no room. OSError: the medium failed; the record
        was not written, or will be made void before the next one is."""
        if len(body) > LONGEST:
            raise ValueError("a record of %d bytes: at most %d" % (len(body), LONGEST))
        size = self.room(body)
        self.mend()
        if self.newest < 0 or self.end + size > self.base(self.newest) + self.flash.sector:
            self._turn()
            if self.end + size > self.base(self.newest) + self.flash.sector:
                raise Full()
        data, digest = record(0, self.sequence + 1, body, self.digest)
        self.unsaid = (self.end, size)
        self._program(self.end, data)
        self.flash.sync()
        self.unsaid = None
        self.end += size
        self.sequence += 1
        self.digest = digest

    def _program(self, address, data):
        self.flash.program(address, data + b"\xff" * (self.padded(len(data)) - len(data)))

    def mend(self):
        """Make void what was programmed of a record that does not count, so that it never reads as one: NOR flash takes zeros
        over anything, even where a word may be programmed only once."""
        if self.unsaid and self.unsaid[1]:
            begin, size = self.unsaid
            self.end = begin + self.padded(size)
            for at in range(begin, self.end, 256):
                self._program(at, b"\0" * min(256, self.end - at))
            self.flash.sync()
        self.unsaid = None

    def _turn(self):
        """Begin the next sector, and give up the oldest if it is its turn."""
        flash = self.flash
        generation = self.newest + 1
        leaving = generation - self.sectors + 1
        base = self.base(generation)
        if leaving >= 0 and not self.carry:
            raise Full()
        if not self.blank(generation):
            flash.erase(base)
            flash.sync()
        self._program(base, header(flash, generation, self.sequence + 1, self.digest))
        if not generation:
            flash.sync()  # the very first bytes must be known for ours
        number = self.sequence
        digest = self.digest
        at = base + self.padded(HEADER)
        keep = [(SEAL, b"")]
        if self.carry:
            keep = self.carry(leaving, base + flash.sector - at)
        for flags, body in keep:
            number += 1
            data, digest = record(CARRIED | flags, number, body, digest)
            if at + len(data) > base + flash.sector:
                raise Full()
            self._program(at, data)
            at += self.padded(len(data))
        flash.sync()
        self.newest = generation
        self.sequence = number
        self.digest = digest
        self.end = at
        if leaving >= 0:
            flash.erase(self.base(generation + 1))  # synced with the record that is appended next
