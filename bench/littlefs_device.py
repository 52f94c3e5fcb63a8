"""Runs on MicroPython: records appended to a file of littlefs on a block device in memory that counts what is done to it.

    micropython littlefs_device.py PROGSIZE FILE_OF_SIZES

FILE_OF_SIZES: a JSON list of the sizes of the records. Prints bytes programmed and blocks erased by all of them together.
"""

import json
import sys

import vfs

BLOCK = 4096
BLOCKS = 128


class Device:
    """Block device with the extended interface; `programmed`: bytes, `erased`: blocks."""

    def __init__(self):
        self.memory = bytearray(BLOCK * BLOCKS)
        self.programmed = self.erased = 0

    def readblocks(self, block, data, offset=0):
        at = block * BLOCK + offset
        data[:] = self.memory[at : at + len(data)]

    def writeblocks(self, block, data, offset=0):
        at = block * BLOCK + offset
        self.memory[at : at + len(data)] = data
        self.programmed += len(data)

    def ioctl(self, operation, argument):
        if operation == 4:
            return BLOCKS
        if operation == 5:
            return BLOCK
        if operation == 6:
            self.erased += 1
        return 0


def main(progsize, path):
    with open(path) as file:
        sizes = json.load(file)
    device = Device()
    vfs.VfsLfs2.mkfs(device, progsize=progsize)
    vfs.mount(vfs.VfsLfs2(device, progsize=progsize), "/flash")
    device.programmed = device.erased = 0
    with open("/flash/journal", "ab") as journal:
        for size in sizes:
            journal.write(b"\x5a" * size)
            journal.flush()  # littlefs syncs: the record survives a power cut from here on
    print(device.programmed, device.erased)


main(int(sys.argv[1]), sys.argv[2])
