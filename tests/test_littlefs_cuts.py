"""A journal in files of a littlefs (hal/micropython/files.py), under MicroPython, whose own littlefs it is: the power
goes in the midst of any operation of the flash below, and what was acknowledged is there when the board starts
again."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from boards.compiled import compiled

pytest.importorskip("micropython_unix")

CUTS = 4000 if os.environ.get("DEEP") else 400

# In one process: each life has a device of its own over a copy of the memory, and a dead device takes nothing any more.
_RUN = """
import sys, gc, os, vfs
import micropython_files as files

BLOCK, BLOCKS, PAGE = 4096, 24, 256

class Cut(Exception):
    pass

class Device:
    def __init__(self, memory, after, half):
        self.memory, self.after, self.half = memory, after, half
        self.dead = False
        self.done = 0

    def _dies(self):
        if self.dead:
            raise OSError(5)
        self.done += 1
        self.dead = self.after is not None and self.done > self.after
        return self.dead

    def readblocks(self, block, buffer, offset=0):
        if self.dead:
            raise OSError(5)
        at = block * BLOCK + offset
        buffer[:] = self.memory[at:at + len(buffer)]

    def writeblocks(self, block, buffer, offset=0):
        at = block * BLOCK + offset
        size = len(buffer)
        if self._dies():
            size = size * self.half // 100  # of the bytes of this very operation
            self.memory[at:at + size] = buffer[:size]
            raise OSError(5)
        self.memory[at:at + size] = buffer

    def ioctl(self, operation, argument):
        if operation == 4:
            return BLOCKS
        if operation == 5:
            return BLOCK
        if operation == 6:
            size = BLOCK
            dies = self._dies()
            if dies:
                size = size * self.half // 100
            self.memory[argument * BLOCK:argument * BLOCK + size] = b"\\xff" * size
            if dies:
                raise OSError(5)
        return 0

def life(memory, after, half, first):
    # records from `first` on, over two sectors of 1 kB in turn, until the power goes; the number of those acknowledged
    device = Device(memory, after, half)
    try:
        vfs.mount(vfs.VfsLfs2(device, progsize=PAGE), "/cut")
        flash = files.Flash("/cut/journal", size=2048, sector=1024, unit=4)
        number = first
        while number < first + 100:
            at = number % 32 * 64
            if at % 1024 == 0:
                flash.erase(at)
            flash.program(at, record(number))
            flash.sync()
            number += 1
    except OSError:
        if not device.dead:
            raise
    try:
        vfs.umount("/cut")
    except OSError:
        pass
    return number, device.done

def record(number):
    return (b"refund %07d " % number * 5)[:64]

def check(memory, told):
    # what stands there when the board starts again: all of the newest sector up to the last acknowledged record
    device = Device(memory, None, 0)
    vfs.mount(vfs.VfsLfs2(device, progsize=PAGE), "/cut")
    flash = files.Flash("/cut/journal", size=2048, sector=1024, unit=4)
    newest = told - 1
    if newest >= 0:
        for number in range(newest // 16 * 16, told):
            data = flash.read(number % 32 * 64, 64)
            # the sector of the newest may already be erased for the next but one only
            assert data == record(number), (told, number, data)
    next_one = flash.read(told % 32 * 64, 64)
    assert told % 16 == 0 or next_one in (b"\\xff" * 64, record(told)), (told, next_one)
    flash._close()
    vfs.umount("/cut")

memory = bytearray(b"\\xff" * BLOCK * BLOCKS)
device = Device(memory, None, 0)
vfs.VfsLfs2.mkfs(device, progsize=PAGE)
empty = bytes(memory)
_, operations = life(memory, None, 0, 0)
cuts = 0
step = max(1, operations * 3 // {cuts})
for after in range(0, operations, 1):
    for half in (0, 37, 100):
        cuts += 1
        if cuts % step:
            continue
        memory = bytearray(empty)
        told, _ = life(memory, after, half, 0)
        check(memory, told)
        told, _ = life(memory, (after * 7 + 3) % operations, half, told)  # and once more
        check(memory, told)
        gc.collect()
print("cuts", cuts // step * 2, operations)
"""


def test_a_cut_anywhere_in_littlefs_loses_no_acknowledged_record(tmp_path, record_count):
    for path in compiled().iterdir():
        shutil.copy(path, tmp_path)
    start = "import sys; from micropython_unix import main; sys.exit(main())"
    command = [sys.executable, "-c", start, "-X", "heapsize=2m", "-c", _RUN.replace("{cuts}", str(CUTS))]
    environment = {**os.environ, "MICROPYPATH": ":.frozen"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600)
    found = re.search(r"cuts (\d+) (\d+)", done.stdout)
    assert found, done.stdout[-2000:] + done.stderr[-2000:]
    record_count("cuts of a journal in files of a littlefs", f"{found[1]}, in {found[2]} operations of its flash")
    assert int(found[1]) >= CUTS
