"""The journal on honest NOR flash: what was acknowledged survives every cut, and damage hides nothing but itself."""

import struct
from binascii import crc32

from firmware_agent.journal import Full, Journal, JournalError
from hal.said import PowerCut
from hal.sim.flash import Flash

from .chance import Chance

SIZE, SECTOR = 768, 256


def new_flash(unit=4):
    return Flash(None, SIZE, SECTOR, unit)


def bodies(flash):
    """What a fresh boot reads."""
    return list(Journal(flash).records())


def memory(flash):
    return flash.read(0, flash.size)


def copy(flash):
    twin = Flash(None, flash.size, flash.sector, flash.unit)
    for address in range(0, flash.size, flash.sector):
        twin.program(address, flash.read(address, flash.sector))
    return twin


def flip(flash, address, bit):
    """A bit that the flash no longer holds as it was programmed: the array's own fault, no operation does it."""
    flash._memory[address] ^= 1 << bit


def filled(unit=4, records=12):
    """(flash, acknowledged bodies) of a journal that takes more than one sector."""
    flash = new_flash(unit)
    journal = Journal(flash)
    kept = []
    for number in range(records):
        body = b"record %02d " % number + b"x" * (number * 3 % 17)
        journal.append(body)
        kept.append(body)
    return flash, kept


def test_what_was_appended_is_read_in_order_after_a_boot():
    for unit in (1, 4, 16):
        flash, kept = filled(unit)
        assert bodies(flash) == kept
        journal = Journal(flash)
        assert journal.damage == []
        journal.append(b"after the boot")
        assert bodies(flash) == kept + [b"after the boot"]


def test_reading_changes_nothing():
    flash, _ = filled()
    before = memory(flash)
    bodies(flash)
    assert memory(flash) == before


def test_a_checksum_that_ends_like_erased_flash_is_not_written_over_after_a_boot():
    for unit in (1, 4):
        number = 0
        while True:
            body = b"%05d" % number + b"x" * (unit - 1 and 2)  # with unit 4 the last byte stands alone in its unit
            record = struct.pack(">HI", len(body), 1) + body
            if crc32(record) & 0xFF == 0xFF:
                break
            number += 1
        flash = new_flash(unit)
        Journal(flash).append(body)
        assert flash.read(0, 64).rstrip(b"\xff")[-3:] == struct.pack(">I", crc32(record))[:3]
        Journal(flash).append(b"later")
        assert bodies(flash) == [body, b"later"]


def workload(flash, acknowledged):
    """Boots, appends, boots again; every body whose append returned is in `acknowledged`. PowerCut ends it."""
    journal = Journal(flash)
    for number in range(14):
        body = b"%02d" % number + b"abcdefghijklmnop"[: number * 5 % 17]
        journal.append(body)
        acknowledged.append(body)
        if number == 7:
            journal = Journal(flash)


def test_a_cut_after_any_byte_loses_no_acknowledged_record():
    whole = new_flash()
    workload(whole, [])
    total = whole.programmed + sum(whole.erased)
    assert total > 300 and whole.read(SECTOR, 1) != b"\xff"  # more than one sector
    cuts = 0
    for after in range(total):
        flash = new_flash()
        flash.cut_after = after
        acknowledged = []
        try:
            workload(flash, acknowledged)
        except PowerCut:
            cuts += 1
        flash.cut_after = None
        journal = Journal(flash)
        found = list(journal.records())
        assert found[: len(acknowledged)] == acknowledged, after
        assert len(found) <= len(acknowledged) + 1, after
        journal.append(b"goes on")
        assert bodies(flash) == found + [b"goes on"], after
    assert cuts == total


def test_recovery_may_be_cut_again_after_any_byte():
    for after in range(0, 330, 3):
        flash = new_flash()
        flash.cut_after = after
        acknowledged = []
        try:
            workload(flash, acknowledged)
        except PowerCut:
            pass
        flash.cut_after = None
        for again in range(40):
            twin = copy(flash)
            twin.cut_after = again
            try:
                Journal(twin).append(b"the second boot writes")
            except PowerCut:
                pass
            twin.cut_after = None
            journal = Journal(twin)
            found = list(journal.records())
            assert found[: len(acknowledged)] == acknowledged, (after, again)
            journal.append(b"goes on")
            assert bodies(twin) == found + [b"goes on"], (after, again)


def test_a_flipped_bit_is_reported_with_its_place_and_hides_no_other_record():
    flash, kept = filled()
    chance = Chance()
    for address in range(12, Journal(flash).used):
        before = flash.read(address, 1)
        if before == b"\xff":
            continue
        flip(flash, address, chance.below(8))
        journal = Journal(flash)
        found = list(journal.records())
        missing = [body for body in kept if body not in found]
        in_header = address % SECTOR < 12
        assert [body for body in kept if body in found] == found, address
        assert len(missing) <= (0 if in_header else 1), address
        if missing or in_header:
            assert any(begin <= address < begin + size for begin, size in journal.damage), (address, journal.damage)
        else:
            assert journal.damage == [], address  # a bit of the padding
        flash._memory[address] = before[0]
    assert bodies(flash) == kept


def test_a_damaged_header_of_any_sector_hides_no_record_and_costs_none_later():
    for sector in range(2):
        for offset in (0, 5, 11):
            flash, kept = filled()
            flip(flash, sector * SECTOR + offset, 0)
            journal = Journal(flash)
            assert list(journal.records()) == kept, (sector, offset)
            assert any(begin <= sector * SECTOR + offset < begin + size for begin, size in journal.damage)
            journal.append(b"goes on" * 9)
            assert bodies(flash) == kept + [b"goes on" * 9], (sector, offset)


def test_a_damaged_header_hides_nothing_in_a_journal_of_one_sector():
    flash, kept = filled(records=3)
    flip(flash, 6, 0)
    journal = Journal(flash)
    assert list(journal.records()) == kept and journal.damage == [(0, 12)]
    journal.append(b"goes on")
    assert bodies(flash) == kept + [b"goes on"]


def test_a_later_sector_damaged_at_its_beginning_keeps_the_records_behind_that():
    flash, kept = filled()
    for address in range(SECTOR, SECTOR + 30):
        flash._memory[address] = 0
    found = bodies(flash)
    assert len(found) >= len(kept) - 2 and [body for body in kept if body in found] == found
    assert found[-1] == kept[-1]
    Journal(flash).append(b"goes on" * 9)
    assert bodies(flash) == found + [b"goes on" * 9]


def test_appending_goes_on_behind_damage():
    flash, kept = filled(records=4)
    used = Journal(flash).used
    for address in range(used - 8, used):
        flash._memory[address] = 0
    journal = Journal(flash)
    journal.append(b"goes on")
    assert bodies(flash) == kept[:-1] + [b"goes on"]
    assert Journal(flash).damage


def test_a_foreign_region_is_refused_and_left_as_it_is():
    for begin, data in (
        (0, b"a file system of some other firmware..."),
        (128, b"not at the beginning"),
        (300, b"late"),
    ):
        flash = new_flash()
        flash.program(begin, data + b"\xff" * (-len(data) % 4))
        before = memory(flash)
        try:
            Journal(flash)
        except JournalError:
            pass
        else:
            assert False, begin
        assert memory(flash) == before


def test_a_region_without_two_sectors_is_refused():
    for size in (0, SECTOR):
        try:
            Journal(Flash(None, size, SECTOR, 4))
        except JournalError:
            continue
        assert False, size


def test_a_full_journal_says_so_and_keeps_everything():
    flash = new_flash()
    journal = Journal(flash)
    kept = []
    try:
        while True:
            journal.append(b"%04d" % len(kept))
            kept.append(b"%04d" % len(kept))
    except Full:
        pass
    assert len(kept) == 3 * ((SECTOR - 12) // 16)
    before = memory(flash)
    for _ in range(3):
        try:
            journal.append(b"more")
        except Full:
            continue
        assert False
    assert memory(flash) == before
    assert bodies(flash) == kept


def test_a_body_beyond_the_bound_is_refused_before_anything_is_written():
    journal = Journal(Flash(None, 8192, 4096, 4))
    used = journal.used
    try:
        journal.append(b"x" * 513)
    except ValueError:
        assert journal.used == used
        journal.append(b"x" * 512)
        return
    assert False


class Tired(Flash):
    """Flash whose sync fails when told: the medium reports an error although the bytes may be there."""

    fails = 0

    def sync(self):
        if self.fails:
            self.fails -= 1
            raise OSError(5)


def test_a_record_acknowledged_after_a_failed_sync_is_not_lost():
    flash = Tired(None, SIZE, SECTOR, 4)
    journal = Journal(flash)
    journal.append(b"one")
    flash.fails = 1
    try:
        journal.append(b"not acknowledged")
        assert False
    except OSError:
        pass
    journal.append(b"two")
    found = bodies(flash)
    assert found[0] == b"one" and found[-1] == b"two", found


def test_a_torn_record_that_reads_as_whole_another_day_hides_no_later_one():
    """Cells that lost power in the midst of programming may read one way now and the other way tomorrow."""
    flash, kept = filled(records=3)
    address = Journal(flash).used
    whole = copy(flash)
    Journal(whole).append(b"torn")
    flash.cut_after = 13
    try:
        Journal(flash).append(b"torn")
        assert False
    except PowerCut:
        flash.cut_after = None
    Journal(flash).append(b"acknowledged")
    flash._memory[address : address + 14] = whole.read(address, 14)
    found = bodies(flash)
    assert [body for body in found if body != b"torn"] == kept + [b"acknowledged"]


def test_a_cut_in_the_midst_of_an_erase_loses_nothing_that_was_acknowledged():
    for half in (0, 1, 3, 4, 6, 11, 12, 200, SECTOR):
        flash = new_flash()
        # a header whose writing was cut: the sector has to be erased before it can be used
        flash.program(SECTOR, b"RFJ1\0\0\0\0")
        journal = Journal(flash)
        kept = []
        while journal.used + 60 <= SECTOR:
            kept.append(b"%d" % len(kept) * 40)
            journal.append(kept[-1])
        flash.cut_after = 0
        flash.half_erased = half
        try:
            journal.append(b"y" * 60)
            raise AssertionError(half)
        except PowerCut:
            flash.cut_after = None
        assert bodies(flash) == kept, half
        Journal(flash).append(b"z" * 60)
        assert bodies(flash) == kept + [b"z" * 60], half
