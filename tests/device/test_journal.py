"""The journal on honest NOR flash: what was acknowledged survives every cut, damage hides nothing but itself, and a sector
whose turn has come is given up only when what is kept of it stands elsewhere."""

import struct
from binascii import crc32

from firmware_agent.journal import Full, Journal, JournalError
from firmware_agent.wire.region import CARRIED, FRAME, HEADER, SEAL, header, record
from firmware_agent.wire.survey import Survey
from hal.said import PowerCut
from hal.sim.flash import Flash

from .chance import Chance

SIZE, SECTOR = 768, 256


def new_flash(unit=4, size=SIZE):
    return Flash(None, size, SECTOR, unit)


def memory(flash):
    return b"".join(flash.read(at, flash.sector) for at in range(0, flash.size, flash.sector))


def of(flash, data):
    """A flash of the same shape that holds `data`."""
    return Flash(None, flash.size, flash.sector, flash.unit, memory=bytearray(data))


def copy(flash):
    return of(flash, memory(flash))


def altered(flash, address, data):
    """A flash that no longer holds what was programmed: the array's own fault, no operation does it."""
    before = memory(flash)
    return of(flash, before[:address] + data + before[address + len(data) :])


def keeping(journal):
    """The journal carries every body that begins with k."""

    def carry(leaving, room):
        if leaving >= 0:
            for body in journal.bodies(leaving):
                if body[:1] == b"k":
                    yield 0, body
        yield SEAL, b"counts"

    journal.carry = carry
    return journal


def opened(flash):
    """(journal, bodies read)."""
    found = []
    journal = keeping(Journal(flash, lambda flags, body: None if flags & SEAL else found.append(body)))
    return journal, found


def bodies(flash):
    """What a fresh boot reads."""
    return opened(flash)[1]


def places(flash):
    """[(address, size, body)] of the records that were appended."""
    journal = Journal(copy(flash))
    found = []
    for generation in range(journal.oldest, journal.newest + 1):
        for at, flags, _, body, _ in journal.sector(generation):
            if flags == 0:
                found.append((at, journal.room(body), body))
    return found


def filled(unit=4, records=8):
    """(flash, bodies) of a journal that takes two sectors of three."""
    flash = new_flash(unit)
    journal = Journal(flash)
    kept = []
    for number in range(records):
        kept.append(b"record %02d " % number + b"x" * (number * 3 % 17))
        journal.append(kept[-1])
    return flash, kept


def refused(flash):
    """What the JournalError says; the region is as it was."""
    before = memory(flash)
    try:
        Journal(flash)
    except JournalError as error:
        assert memory(flash) == before
        return str(error)
    raise AssertionError("not refused")


# ---- what it is for ----
def test_what_was_appended_is_read_in_order_after_a_boot():
    for unit in (1, 4, 8, 16):
        flash, kept = filled(unit, 6)
        assert bodies(flash) == kept
        journal = Journal(flash)
        assert journal.damage.places == [] and journal.sequence >= len(kept)
        journal.append(b"after the boot")
        assert bodies(flash) == kept + [b"after the boot"]


def test_reading_changes_nothing():
    flash, _ = filled()
    before = memory(flash)
    journal = Journal(flash)
    list(journal.look_through())
    assert memory(flash) == before and journal.damage.places == []
    assert flash.erased == [0] * 3  # nor does a boot wear a sector


def test_a_checksum_that_ends_like_erased_flash_is_not_written_over_after_a_boot():
    for unit in (1, 4):
        flash = new_flash(unit)
        journal = Journal(flash)
        journal.append(b"first")
        number = 0
        while True:
            body = b"%05d" % number + b"x" * (unit - 1 and 2)  # with unit 4 the last byte stands alone in its unit
            data, _ = record(0, journal.sequence + 1, body, journal.digest)
            if data[-1] == 0xFF:
                break
            number += 1
        at = journal.end
        journal.append(body)
        assert flash.read(at, 64).rstrip(b"\xff") == data.rstrip(b"\xff")
        Journal(flash).append(b"later")
        assert bodies(flash) == [b"first", body, b"later"]


def test_what_is_looked_for_is_found_wherever_it_stands():
    journal = Journal(Flash(None, 3 * 2048, 2048, 1))
    kept = [b"<%02d>" % number + b"x" * (number % 29) for number in range(95)]
    for body in kept:
        journal.append(body)
    assert journal.newest == 1
    for body in kept:
        assert list(journal.holding(body[:4], 0)) == [(0, body)], body
    assert list(journal.holding(b"<95>", 0)) == []


def test_what_is_looked_for_by_its_term_is_found_while_the_ring_turns_and_the_flash_refuses_to_be_read():
    """Terms: the number in a body. Few sectors make few buckets, so many a number shares one."""
    flash = Moody(None, SIZE, SECTOR, 4)
    asked = []

    def terms(body):
        asked.append(body)
        return (int(body[1:4]),) if body[:1] in b"k-" else ()

    journal = Journal(flash, terms=terms)
    keeping(journal)
    for number in range(120):
        journal.append(b"%s%03d" % (b"-" if number % 50 else b"k", number))
        if number % 7 == 0:
            flash.refuses = 3 + number % 11  # in the midst of what is read for a question
            try:
                list(journal.holding(b"k", 0))
            except OSError:
                pass
            flash.refuses = None
        if number % 5 == 0 or number > 100:
            there = [body for body in bodies(copy(flash)) if body[1:4].isdigit()]
            for body in there:
                assert [found for _, found in journal.holding(body, int(body[1:4]))] == [body], (number, body)
    assert journal.newest > 6
    asked.clear()
    assert list(journal.holding(b"-000", 1000)) == [] and asked == []  # what was entered is not read again


class Moody(Flash):
    """Flash that cannot be read any more after `refuses` reads; None: it can."""

    refuses = None

    def read(self, address, size):
        if self.refuses is not None:
            self.refuses -= 1
            if self.refuses < 0:
                raise OSError(5)
        return super().read(address, size)


def test_a_full_journal_that_carries_nothing_says_so_and_keeps_everything():
    flash = new_flash()
    journal = Journal(flash)
    kept = []
    try:
        while True:
            journal.append(b"%04d" % len(kept))
            kept.append(b"%04d" % len(kept))
    except Full:
        pass
    assert len(kept) == 2 * ((SECTOR - HEADER - 20) // 24)  # 20: the seal; one sector is spare
    before = memory(flash)
    for _ in range(3):
        try:
            journal.append(b"more")
        except Full:
            continue
        raise AssertionError()
    assert memory(flash) == before
    assert bodies(flash) == kept


def test_a_body_beyond_the_bound_is_refused_before_anything_is_written():
    journal = Journal(Flash(None, 4096, 2048, 4))
    journal.append(b"x")
    end = journal.end
    try:
        journal.append(b"x" * 513)
    except ValueError:
        assert journal.end == end
        journal.append(b"x" * 512)
        return
    raise AssertionError()


# ---- what is no journal of ours ----
def test_a_foreign_region_is_refused_and_left_as_it_is():
    for begin, data in (
        (0, b"a file system of some other firmware..."),
        (128, b"not at the beginning"),
        (300, b"late"),
        (0, b"\0" * SIZE),
        (0, b"RFJ1" + struct.pack(">II", 0, crc32(b"RFJ1\0\0\0\0")) + b"a journal of version 1"),
        (0, Chance().bytes(SIZE)),
    ):
        flash = new_flash()
        data += b"\xff" * (-len(data) % 4)
        for at in range(0, len(data), SECTOR):
            flash.program(begin + at, data[at : at + SECTOR])
        assert "no journal of ours" in refused(flash), data[:10]


def test_a_region_without_two_sectors_is_refused():
    for size in (0, SECTOR):
        refused(Flash(None, size, SECTOR, 4))


def test_a_journal_of_another_version_is_refused_and_both_versions_are_named():
    flash, _ = filled()
    for sector in (0, SECTOR):
        data = flash.read(sector, 3) + b"\3" + flash.read(sector + 4, 24)
        text = refused(altered(flash, sector, data + struct.pack(">I", crc32(data))))
        assert "version 3" in text and "version 2" in text, text


def test_a_journal_made_for_another_shape_is_refused_and_both_shapes_are_named():
    flash, _ = filled()
    data = memory(flash)
    for other, said in (
        (Flash(None, SIZE + SECTOR, SECTOR, 4), "has 4 of 256 in units of 4"),
        (Flash(None, SIZE, SECTOR // 2, 4), "has 6 of 128 in units of 4"),
        (Flash(None, SIZE, SECTOR, 16), "has 3 of 256 in units of 16"),
    ):
        for at in range(0, SIZE, other.sector):
            other.program(at, data[at : at + other.sector])
        text = refused(other)
        assert "3 sectors of 256 bytes in units of 4" in text and said in text, text


# ---- cuts ----
def workload(flash, acknowledged):
    """Boots, appends, boots again; every body whose append returned is in `acknowledged`. PowerCut ends it."""
    journal = keeping(Journal(flash))
    for number in range(24):
        body = b"%s%02d" % (b"-" if number % 5 else b"k", number) + b"abcdefghijkl"[: number * 5 % 13]
        journal.append(body)
        acknowledged.append(body)
        if number in (7, 16):
            journal = keeping(Journal(flash))


def holds(found, acknowledged, where, more=1):
    """`found` after a boot: what is to be kept, each once, and the youngest records without a gap; `more` others at most."""
    assert len(found) == len(set(found)), where
    for body in acknowledged:
        assert body in found or body[:1] != b"k", (where, body)
    assert len([body for body in found if body not in acknowledged]) <= more, where
    rest = [body for body in found if body[:1] != b"k" and body in acknowledged]
    young = [body for body in acknowledged if body[:1] != b"k"]
    assert rest == young[len(young) - len(rest) :], where
    assert len(rest) >= min(len(young), 3), where


def goes_on(flash, where):
    """A journal that was cut does its work for more than a round: nothing kept is lost."""
    journal, found = opened(flash)
    for number in range(14):
        journal.append(b"%s after %02d" % (b"-" if number % 7 else b"k", number))
    later = bodies(flash)
    for body in found + [b"k after 00", b"k after 07", b"- after 13"]:
        assert body in later or body[:1] != b"k", (where, body)


def cut(after, half=0, unit=4):
    """(flash, acknowledged) of the workload that was cut after so many bytes."""
    flash = new_flash(unit)
    flash.cut_after = after
    flash.half_erased = half
    acknowledged = []
    try:
        workload(flash, acknowledged)
    except PowerCut:
        pass
    flash.cut_after = None
    return flash, acknowledged


class Noted(Flash):
    """`erases`: what was programmed and erased before each erase."""

    def erase(self, address):
        self.erases.append(self.programmed + sum(self.erased))
        super().erase(address)


def noted(unit=4):
    flash = Noted(None, SIZE, SECTOR, unit)
    flash.erases = []
    workload(flash, [])
    return flash


def test_a_cut_after_any_byte_loses_nothing_that_was_acknowledged():
    for unit, step in ((4, 1), (1, 7), (8, 13), (16, 13)):
        whole = noted(unit)
        total = whole.programmed + sum(whole.erased)
        assert len(whole.erases) >= 2 and total > 900  # the ring turns
        for after in range(0, total, step):
            flash, acknowledged = cut(after, unit=unit)
            journal, found = opened(flash)
            holds(found, acknowledged, (unit, after))
            journal.append(b"- goes on")
            assert bodies(flash)[-1:] == [b"- goes on"], (unit, after)
            if after % 5 == 0:
                goes_on(flash, (unit, after))


def test_a_cut_in_the_midst_of_an_erase_loses_nothing_that_was_acknowledged():
    for after in noted().erases:
        for half in (0, 1, 3, 4, 31, 32, 33, 60, 200, SECTOR):
            flash, acknowledged = cut(after, half)
            holds(bodies(flash), acknowledged, (after, half))
            goes_on(flash, (after, half))


def test_recovery_may_be_cut_again_after_any_byte():
    erases = noted().erases
    for after in list(range(3, 400, 37)) + list(range(erases[0] - 70, erases[0] + 40, 7)) + erases:
        flash, acknowledged = cut(after, 100)
        for again in range(0, 60, 3):
            twin = copy(flash)
            twin.cut_after = again
            twin.half_erased = 50
            try:
                keeping(Journal(twin)).append(b"- the second boot writes")
            except PowerCut:
                pass
            twin.cut_after = None
            holds(bodies(twin), acknowledged, (after, again), 2)
            goes_on(twin, (after, again))


def test_a_torn_record_is_made_void_and_can_never_be_read_as_whole():
    """Cells that lost power in the midst of programming may read one way now and the other way tomorrow; zeros do not."""
    flash, kept = filled(records=3)
    at = Journal(flash).end
    for after in range(1, FRAME + 4):
        twin = copy(flash)
        twin.cut_after = after
        try:
            Journal(twin).append(b"torn")
            raise AssertionError(after)
        except PowerCut:
            twin.cut_after = None
        journal = Journal(twin)
        assert twin.read(at, after) == b"\0" * after
        assert journal.damage.places in (
            [(at, after, 0, 0)],
            [(at, (after + 3) // 4 * 4, 0, 0)],
            [(at, after - 1, 0, 0)],
            [],
        )
        journal.append(b"acknowledged")
        assert bodies(twin) == kept + [b"acknowledged"]
        assert Journal(twin).damage.places == [] and Journal(twin).damage.lost([], 0) == 0


# ---- a medium that fails ----
class Tired(Flash):
    """Flash whose n-th operation from now fails: `fails_in`, None for never. Half of what it should program is there."""

    fails_in = None

    def _tired(self):
        if self.fails_in is None:
            return False
        self.fails_in -= 1
        if self.fails_in >= 0:
            return False
        self.fails_in = None
        return True

    def program(self, address, data):
        if self._tired():
            super().program(address, data[: len(data) // 2 // self.unit * self.unit])
            raise OSError(5)
        super().program(address, data)

    def erase(self, address):
        if self._tired():
            raise OSError(5)
        super().erase(address)

    def sync(self):
        if self._tired():
            raise OSError(5)


def test_a_record_acknowledged_after_a_failed_sync_is_not_lost_and_the_failed_one_is_void():
    flash = Tired(None, SIZE, SECTOR, 4)
    journal = Journal(flash)
    journal.append(b"one")
    flash.fails_in = 1
    try:
        journal.append(b"not acknowledged")
        raise AssertionError()
    except OSError:
        pass
    journal.append(b"two")
    assert bodies(flash) == [b"one", b"two"]
    assert Journal(flash).damage.places == []


def test_whatever_operation_of_a_turn_fails_it_is_done_again_and_nothing_is_lost():
    for unit in (1, 4, 16):
        for fails_in in range(70):
            flash = Tired(None, SIZE, SECTOR, unit)
            flash.fails_in = fails_in
            journal = keeping(Journal(flash))
            acknowledged = []
            failed = 0
            while len(acknowledged) < 24:
                body = b"%s%02d" % (b"-" if len(acknowledged) % 5 else b"k", len(acknowledged))
                try:
                    journal.append(body)
                    acknowledged.append(body)
                except OSError:
                    failed += 1
                    holds(bodies(copy(flash)), acknowledged + [body], (unit, fails_in)) if failed > 1 else None
            assert failed == 1 or fails_in > 60, (unit, fails_in)
            holds(bodies(flash), acknowledged, (unit, fails_in))
            assert Journal(flash).damage.lost([], 0) == 0


# ---- damage ----
def test_a_flipped_bit_is_reported_with_its_place_and_hides_no_other_record():
    flash, kept = filled()
    chance = Chance()
    end = Journal(flash).end
    seal = range(HEADER, HEADER + 20)
    for address in range(end):
        before = flash.read(address, 1)
        if SECTOR > address > Journal(flash).base(1) and before == b"\xff":
            continue
        twin = altered(flash, address, bytes([before[0] ^ 1 << chance.below(8)]))
        journal, found = opened(twin)
        in_header = address % SECTOR < HEADER
        missing = [body for body in kept if body not in found]
        assert [body for body in kept if body in found] == found, address
        assert len(missing) <= (0 if in_header or address % SECTOR in seal else 1), address
        if missing or in_header:
            place = [one for one in journal.damage.places if one[0] <= address < one[0] + one[1]]
            assert len(place) == 1 and journal.damage.count == 1, (address, journal.damage.places)
            assert place[0][2] == (1 if missing and missing != kept[-1:] else 0), address
        elif address % SECTOR not in seal:
            assert journal.damage.lost([], 0) == 0, address  # a bit of the padding


def test_a_damaged_header_of_any_sector_hides_no_record_and_costs_none_later():
    for sector in range(2):
        for offset in (0, 3, 5, 12, 19, 31):
            flash, kept = filled()
            at = sector * SECTOR + offset
            twin = altered(flash, at, bytes([flash.read(at, 1)[0] ^ 1]))
            journal, found = opened(twin)
            assert found == kept, (sector, offset)
            assert journal.damage.places == [(sector * SECTOR, HEADER, 0, 0)]
            journal.append(b"goes on")
            assert bodies(twin) == kept + [b"goes on"], (sector, offset)


def test_a_damaged_header_hides_nothing_in_a_journal_of_one_sector():
    flash, kept = filled(records=3)
    flash = altered(flash, 7, b"\0")
    journal, found = opened(flash)
    assert found == kept and journal.damage.places == [(0, HEADER, 0, 0)]
    journal.append(b"goes on")
    assert bodies(flash) == kept + [b"goes on"]


def test_a_damaged_header_of_any_sector_of_a_ring_hides_nothing_that_is_kept():
    flash, acknowledged = cut(100000)
    for sector in range(3):
        twin = altered(flash, sector * SECTOR, b"\0\0")
        holds(bodies(twin), acknowledged, sector)
        goes_on(twin, sector)


def test_a_damaged_header_of_the_oldest_sector_and_a_cut_in_its_turn_hide_nothing_that_is_kept():
    begins = noted().erases[0]  # what is carried is sealed here
    for after in range(begins - 130, begins, 3):
        flash, acknowledged = cut(after)
        for sector in range(3):
            if flash.read(sector * SECTOR, 1) == b"R":
                twin = altered(flash, sector * SECTOR + 4, b"\xaa")
                holds(bodies(twin), acknowledged, (after, sector))


def test_a_sector_that_lost_all_it_holds_opens_and_says_so():
    flash, _ = cut(noted().erases[-1] + 1)  # its turn is done, nothing was appended yet
    journal = Journal(copy(flash))
    for row in list(journal.sector(journal.newest)):
        flash = altered(flash, row[0] + 6, b"\x5a")
    journal, found = opened(flash)
    assert journal.damage.count and found
    journal.append(b"- goes on")
    assert bodies(flash) == found + [b"- goes on"]


def test_a_later_sector_damaged_at_its_beginning_keeps_the_records_behind_that():
    flash, kept = filled()
    for size in (30, 40, 60, 80):
        twin = altered(flash, SECTOR, b"\x55" * size)
        journal, found = opened(twin)
        assert len(found) >= len(kept) - 2 and [body for body in kept if body in found] == found, size
        assert found[-1] == kept[-1], size
        journal.append(b"goes on")
        assert bodies(twin) == found + [b"goes on"], size


def test_appending_goes_on_behind_damage_and_a_damaged_last_record_is_reported():
    flash, kept = filled(records=4)
    at, size, _ = places(flash)[-1]
    for begin, wrong in ((at, 1), (at + size - 12, 3), (at + 8, 8)):
        twin = altered(flash, begin, b"\x0a" * wrong)
        journal, found = opened(twin)
        assert found == kept[:-1]
        assert (
            len(journal.damage.places) == 1 and journal.damage.places[0][0] == at and journal.damage.places[0][2] == 0
        )
        journal.append(b"goes on")
        assert bodies(twin) == kept[:-1] + [b"goes on"]


def test_a_lost_record_is_counted_as_lost_with_its_number_and_a_torn_one_is_not():
    flash, kept = filled(records=6)
    there = places(flash)
    numbers = {}
    journal = Journal(copy(flash))
    for _, _, number, body in Survey(journal.flash).walk(lambda *place: None):
        numbers[body] = number
    for first, gone in ((1, 1), (2, 2), (0, 3)):
        at, _, body = there[first]
        size = there[first + gone][0] - at
        for noise in (b"\0", b"\x5a"):
            if at // SECTOR != (at + size) // SECTOR:
                continue
            twin = altered(flash, at, noise * size)
            journal, found = opened(twin)
            assert found == kept[:first] + kept[first + gone :]
            place = (at + size, 0) if noise == b"\0" else (at, size)
            assert journal.damage.places == [place + (gone, numbers[body])], (first, gone, noise)
            assert journal.damage.lost([], 0) == gone and journal.damage.lost([numbers[body]], 0) == 0
            journal.append(b"goes on")
            assert Journal(twin).damage.lost([], 0) == gone  # it does not go away by itself
    flash.cut_after = 20
    try:
        Journal(flash).append(b"torn")
        raise AssertionError()
    except PowerCut:
        flash.cut_after = None
    journal = Journal(flash)
    assert journal.damage.count == 1 and journal.damage.places[0][2] == 0 and journal.damage.lost([], 0) == 0


def test_an_altered_record_is_reported_even_when_its_checksum_was_mended():
    flash, kept = filled(records=5)
    at, _, body = places(flash)[1]
    data = flash.read(at, FRAME + len(body))
    wrong = data[:6] + b"RECORD" + data[12:-4]
    twin = altered(flash, at, wrong + struct.pack(">I", crc32(wrong)))
    journal, found = opened(twin)
    assert found[1][:6] == b"RECORD" and len(found) == len(kept)
    assert [(one[0], one[2]) for one in journal.damage.places] == [(at, 1)]
    # whoever makes its digest anew as well is found out by the next record
    journal = Journal(copy(flash))
    before = [its for address, _, _, _, its in journal.sector(0) if address < at][-1]
    _, number = struct.unpack(">HI", data[:6])
    twin = altered(flash, at, record(0, number, b"RECORD" + body[6:], before)[0])
    journal = Journal(twin)
    assert [(one[0], one[2]) for one in journal.damage.places] == [(places(flash)[2][0], 1)]
    assert Journal(flash).digest == journal.digest  # what was pulled before still tells them apart at that record


def test_a_record_that_is_damaged_after_the_boot_is_found_by_looking_through():
    flash, _ = filled()
    at, _, _ = places(flash)[2]
    journal = Journal(flash)
    assert journal.damage.count == 0
    journal.flash = altered(flash, at + 7, b"\0")
    list(journal.look_through())
    assert [(one[0], one[2]) for one in journal.damage.places] == [(at, 1)]


def test_sixteen_damaged_places_are_kept_and_the_rest_is_counted():
    flash = Flash(None, 4096, 2048, 4)
    journal = Journal(flash)
    for number in range(50):
        journal.append(b"record %02d" % number)
    data = bytearray(memory(flash))
    for number in range(1, 45, 2):
        data[places_at(flash, number) + 7] ^= 1
    twin = of(flash, bytes(data))
    journal = Journal(twin)
    assert (len(journal.damage.places), journal.damage.count, journal.damage.lost([], 0)) == (16, 22, 22)
    accepted = [row[3] for row in journal.damage.places]
    assert journal.damage.lost(accepted, 0) == 6


def places_at(flash, number):
    return 32 + 20 + number * 28


# ---- the ring ----
def test_many_rounds_keep_what_is_kept_give_up_the_rest_and_wear_every_sector_alike():
    for unit in (1, 8, 16):
        flash = new_flash(unit, 5 * SECTOR)
        journal = keeping(Journal(flash))
        for number in range(400):
            journal.append(b"k%03d" % number if number in (3, 200) else b"-%03d" % number)
            if number % 90 == 89:
                journal = keeping(Journal(flash))
        assert max(flash.erased) - min(flash.erased) <= 1 and min(flash.erased) > 7, flash.erased
        journal, found = opened(flash)
        assert sorted(body for body in found if body[:1] == b"k") == [b"k003", b"k200"]
        rest = [body for body in found if body[:1] == b"-"]
        assert rest == [b"-%03d" % number for number in range(400 - len(rest), 400)] and len(rest) >= 12
        assert journal.damage.places == [] and 0 < journal.written <= journal.size - SECTOR


def test_two_sectors_are_a_ring():
    flash = new_flash(size=2 * SECTOR)
    journal = keeping(Journal(flash))
    for number in range(60):
        journal.append(b"k%03d" % number if number == 3 else b"-%03d" % number)
    assert bodies(flash)[0] == b"k003" and bodies(flash)[-1] == b"-059"
    assert max(flash.erased) - min(flash.erased) <= 1


def test_what_was_carried_is_marked_and_what_was_appended_is_not():
    flash, _ = cut(100000)
    marks = {}
    Journal(flash, lambda flags, body: marks.update({body: flags}))
    assert marks[b"k00"] == CARRIED and marks[b"counts"] == CARRIED | SEAL
    assert marks[max(body for body in marks if body[:1] == b"-")] == 0


def test_a_carried_record_that_is_lost_is_counted_too():
    flash, _ = cut(100000)
    journal = Journal(copy(flash))
    at = next(row[0] for row in Survey(journal.flash).walk(lambda *place: None) if row[1] == CARRIED)
    journal = Journal(altered(flash, at + 7, b"\0"))
    assert journal.damage.lost([], 0) == 1 and journal.damage.places[0][0] == at


def test_the_header_is_as_long_as_its_constant():
    assert len(header(new_flash(), 0, 1, b"\0" * 8)) == HEADER
