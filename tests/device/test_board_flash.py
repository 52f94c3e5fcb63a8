"""A board's journal flash: a region of a block device, or files; the rules of the Flash port on both, and the journal
over them."""

import os

from firmware_agent.history import History

from . import fake_flash, fake_machine
from .bench import Clock
from .fake_flash import BLOCK

fake_machine.install()

from hal.micropython.files import Flash as Files  # noqa: E402
from hal.micropython.region import Flash as Region  # noqa: E402
from hal.micropython.room import behind_files  # noqa: E402

HEAP = "384k"  # simulated flash lies in it


def raises(call, *arguments):
    try:
        call(*arguments)
    except OSError as error:
        return error.errno or True
    return False


class Kinds:
    """Fresh flash of 16 kB of each kind: (name, flash)."""

    def __iter__(self):
        yield "rp2.Flash", Region(fake_flash.Device(8, page=256), 4, 4 * BLOCK, page=256)
        yield "esp32.Partition", Region(fake_flash.Device(4), 0, 4 * BLOCK)
        whole = fake_flash.Device(8)
        yield "pyb.Flash", Region(whole.part(4 * BLOCK, 4 * BLOCK), 0, 4 * BLOCK)
        yield "words programmed once", Region(fake_flash.Device(4, page=16, once=True), 0, 4 * BLOCK, unit=16)
        yield "files", Files(fresh(), 4 * BLOCK)


def fresh():
    for name in os.listdir("."):
        if name.startswith("board_flash."):
            os.remove(name)
    return "board_flash"


def test_what_is_programmed_is_read_and_the_rest_is_erased():
    for name, flash in Kinds():
        flash.erase(0)
        assert flash.read(0, 64) == b"\xff" * 64, name
        flash.program(16, b"refundrefundrefu")
        assert flash.read(0, 48) == b"\xff" * 16 + b"refundrefundrefu" + b"\xff" * 16, name
        flash.program(BLOCK - 16, bytes(16))
        flash.erase(BLOCK)
        flash.program(BLOCK, b"sixteen more now")
        assert flash.read(BLOCK - 20, 40) == b"\xff" * 4 + bytes(16) + b"sixteen more now" + b"\xff" * 4, name
        flash.sync()
        flash.erase(0)
        assert flash.read(0, BLOCK + 16) == b"\xff" * BLOCK + b"sixteen more now", name


def test_programming_in_front_of_what_is_there_leaves_it():
    for name, flash in Kinds():
        flash.erase(0)
        flash.program(512, b"data of a policy")
        flash.program(0, b"head of a policy")
        assert flash.read(512, 16) == b"data of a policy" and flash.read(0, 16) == b"head of a policy", name
        assert flash.read(16, 496) == b"\xff" * 496, name


def test_a_bit_that_would_have_to_rise_is_an_error():
    for name, flash in Kinds():
        if name != "words programmed once":
            flash.erase(0)
            flash.program(0, b"\xf0" * 16)
            flash.program(0, b"\x30" * 16)
            assert raises(flash.program, 0, b"\x31" * 16), name
            assert flash.read(0, 16) == b"\x30" * 16, name


def test_what_the_port_does_not_allow_is_an_error():
    for name, flash in Kinds():
        assert raises(flash.program, 2, bytes(16)), name
        assert raises(flash.program, 0, bytes(15)), name
        assert raises(flash.program, BLOCK - 16, bytes(32)), name
        assert raises(flash.program, 4 * BLOCK, bytes(16)), name
        assert raises(flash.read, 4 * BLOCK - 1, 2), name
        assert raises(flash.read, -1, 2), name
        assert raises(flash.erase, 16), name
        assert raises(flash.erase, 4 * BLOCK), name


def test_worn_flash_and_a_device_that_fails_are_errors():
    for negative in (False, True):
        device = fake_flash.Device(4, negative=negative)
        flash = Region(device, 0, 4 * BLOCK)
        device.worn.add(1)
        flash.program(0, bytes(16))
        assert raises(flash.program, BLOCK, bytes(16))
        device.broken = True
        assert raises(flash.read, 0, 16) and raises(flash.erase, 0) and raises(flash.program, 0, bytes(16))


def test_a_region_never_reaches_out_of_its_own():
    device = fake_flash.Device(8, page=256)
    device.memory[: 4 * BLOCK] = b"f" * (4 * BLOCK)  # the file system
    flash = Region(device, 4, 2 * BLOCK, page=256)
    device.memory[6 * BLOCK :] = b"p" * (2 * BLOCK)  # the policies
    for sector in range(2):
        flash.erase(sector * BLOCK)
        for at in range(0, BLOCK, 64):
            flash.program(sector * BLOCK + at, bytes(64))
    assert device.memory[: 4 * BLOCK] == b"f" * (4 * BLOCK) and device.memory[6 * BLOCK :] == b"p" * (2 * BLOCK)
    assert bytes(device.memory[4 * BLOCK : 6 * BLOCK]) == bytes(2 * BLOCK)


def test_a_region_that_cannot_be_is_refused():
    device = fake_flash.Device(8)
    for first, size, sector in (
        (8, BLOCK, BLOCK),
        (5, 4 * BLOCK, BLOCK),
        (-1, BLOCK, BLOCK),
        (0, 100, BLOCK),
        (0, 4096, 2048),
    ):
        assert raises(Region, device, first, size, sector), (first, size, sector)


class System:
    """os of a board whose file system has so many blocks of 4 kB."""

    def __init__(self, blocks):
        self.blocks = blocks

    def getcwd(self):
        return "/flash"

    def statvfs(self, path):
        return 4096, 4096, self.blocks, 10, 10, 0, 0, 0, 0, 255


def test_a_region_over_files_is_refused():
    assert behind_files(448 * 4096, System(448)) == 448 * 4096
    assert raises(behind_files, 448 * 4096, System(449))
    assert raises(behind_files, 448 * 4096, System(512))


def test_files_are_found_again_and_only_those_programmed_take_room():
    path = fresh()
    flash = Files(path, 4 * BLOCK)
    flash.program(2 * BLOCK + 32, b"sixteen and more")
    flash.program(2 * BLOCK + 48, b"twelve bytes")
    again = Files(path, 4 * BLOCK)
    assert again.read(2 * BLOCK + 28, 36) == b"\xff" * 4 + b"sixteen and more" + b"twelve bytes" + b"\xff" * 4
    assert os.stat("board_flash.02")[6] == 60
    assert [name for name in os.listdir(".") if name.startswith("board_flash.")] == ["board_flash.02"]
    fresh()


def test_a_journal_lives_on_every_kind_and_is_found_again():
    for name, flash in Kinds():
        history = History(flash, Clock())
        for _ in range(300):  # some times round
            history.count(3, history.counters.get(3, 0) + 1)
        assert History(flash, Clock()).counters[3] == 300, name
    fresh()
