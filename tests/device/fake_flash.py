"""Block devices as MicroPython's ports have them: rp2.Flash, esp32.Partition, pyb.Flash(start=, len=). Memory is NOR
flash: what is programmed can only clear bits, and says nothing where one would have to rise."""

BLOCK = 4096


class Device:
    """`page`: bytes that are programmed together, and whole: an RP2040's ROM takes nothing else (ports/rp2/rp2_flash.c
    has it 256). `once`: a page may be programmed once between two erases, as words with a check code of many STM32.
    `extended`: whether INIT was told so, without which an STM32's blocks have 512 bytes and erase does nothing.
    `negative`: errors are numbers below 0, no exceptions. `worn`: blocks that keep nothing any more."""

    def __init__(self, blocks, page=1, once=False, native=True, negative=False):
        self.memory = bytearray(b"\xff" * BLOCK * blocks)
        self.page = page
        self.once = once
        self.extended = native
        self.negative = negative
        self.worn = set()
        self.broken = False
        self.used = set()  # pages that were programmed
        self.erased = []

    def part(self, start, size):
        """pyb.Flash(start=, len=)"""
        if start % BLOCK or size % BLOCK or not 0 <= start < start + size <= len(self.memory):
            raise ValueError()
        part = Device(0, self.page, self.once, False, True)
        part.memory = memoryview(self.memory)[start : start + size]
        return part

    def _answer(self):
        if self.broken:
            if not self.negative:
                raise OSError(5)
            return -5
        return 0 if self.negative else None

    def readblocks(self, block, buffer, offset=0):
        at = block * BLOCK + offset
        if at + len(buffer) > len(self.memory):
            raise AssertionError("the port does not look, and reads what is there")
        buffer[:] = self.memory[at : at + len(buffer)]
        return self._answer()

    def writeblocks(self, block, buffer, offset=None):
        assert offset is not None, "that would erase first"
        at = block * BLOCK + offset
        assert at + len(buffer) <= len(self.memory)
        assert at % self.page == 0 == len(buffer) % self.page, (
            "the ROM programs whole pages, and what it finds behind the data"
        )
        if block not in self.worn and not self.broken:
            for number in range(at // self.page, (at + len(buffer)) // self.page):
                data = buffer[number * self.page - at : (number + 1) * self.page - at]
                if self.once and bytes(data) != b"\xff" * self.page:
                    assert number not in self.used, "its check code would be wrong"
                    self.used.add(number)
            for index in range(len(buffer)):
                self.memory[at + index] &= buffer[index]
        return self._answer()

    def ioctl(self, operation, argument):
        if operation == 1:
            self.extended = self.extended or argument == 1
            return 0
        if operation == 4:
            return len(self.memory) // (BLOCK if self.extended else 512)
        if operation == 5:
            return BLOCK if self.extended else 512
        if operation == 6:
            assert argument * BLOCK < len(self.memory)
            if self.extended and not self.broken:
                self.erased.append(argument)
                at = argument * BLOCK
                self.memory[at : at + BLOCK] = b"\xff" * BLOCK
                self.used = {page for page in self.used if not at <= page * self.page < at + BLOCK}
            return 0 if not self.broken else self._answer()
        if operation == 3:
            return 0
        return None
