"""What a flash may hold after the power went, for every operation of a recorded run, every byte of it and every way to fail.

Ways to fail, with what `byte` means for them:
  p  the first `byte` bytes of the operation are done, the rest untouched; an erase likewise
  g  the same, and garbage in the rest: programming has cleared bits it should not, erasing has set some
  t  of an erase: the last `byte` bytes are done
  a  the first `byte` bytes of it are done, and of what was not synced before it nothing
  l  of what was not synced, only operation `byte` is there; -1: nothing of it
  o  of what was not synced, all but operation `byte` is there
"""

from hashlib import sha256

from .flash import Flash


class Tape(Flash):
    """Flash that notes what is done to it. `operations`: (address, data; None for an erase), what `witness()` said of the
    world just then, how many operations before it were synced)."""

    def __init__(self, flash, witness=lambda: None):
        super().__init__(None, flash.size, flash.sector, flash.unit, memory=bytearray(flash.read(0, flash.size)))
        self.begun = bytearray(self._memory)
        self.operations = []
        self.witness = witness
        self._synced = 0

    def _note(self, address, data):
        self.operations.append((address, data, self.witness(), self._synced))

    def program(self, address, data):
        self._note(address, bytes(data))
        super().program(address, data)

    def erase(self, address):
        self._note(address, None)
        super().erase(address)

    def sync(self):
        self._synced = len(self.operations)


class Cutter:
    """Goes through a Tape forward. `at(operation)` moves; `cases()` yields (byte, way) of that operation; `memory(byte, way)`
    is what the flash holds then."""

    def __init__(self, tape):
        self.tape = tape
        self._before = bytearray(tape.begun)  # all operations before the present one done
        self._synced = bytearray(tape.begun)
        self._count = 0  # operations done in _synced
        self.operation = 0

    def at(self, operation):
        operations = self.tape.operations
        while self.operation < operation:
            self._do(self._before, self.operation)
            self.operation += 1
        while self._count < operations[operation][3]:
            self._do(self._synced, self._count)
            self._count += 1
        return self

    def _do(self, memory, operation):
        address, data = self.tape.operations[operation][:2]
        if data is None:
            data = b"\xff" * self.tape.sector
        memory[address : address + len(data)] = data

    def cases(self, step=1):
        """`step`: every so many bytes of it."""
        data = self.tape.operations[self.operation][1]
        size = self.tape.sector if data is None else len(data)
        for way in "pg" if data else "pgt":
            for byte in range(0, size, step):
                yield byte, way
        yield size, "p"
        loose = range(self._count, self.operation + 1)
        if len(loose) > 1:
            for byte in range(0, size, step):
                yield byte, "a"
            yield -1, "l"
            for byte in loose:
                yield byte, "l"
                yield byte, "o"

    def memory(self, byte, way):
        address, data = self.tape.operations[self.operation][:2]
        if way in "lo":
            memory = bytearray(self._synced)
            for number in range(self._count, self.operation + 1):
                if (number == byte) == (way == "l"):
                    self._do(memory, number)
            return memory
        memory = bytearray(self._synced if way == "a" else self._before)
        done = data or b"\xff" * self.tape.sector
        end = address + len(done)
        if way == "t":
            memory[end - byte : end] = done[len(done) - byte :]
            return memory
        memory[address : address + byte] = done[:byte]
        if way == "g":
            rest = memory[address + byte : end]
            memory[address + byte : end] = _garbage(bytes(rest), data is None, b"%d %d" % (self.operation, byte))
        return memory


def _garbage(old, rises, seed):
    """Bytes that `old` may have become: bits have risen, or fallen."""
    noise = b""
    while len(noise) < len(old):
        seed = sha256(seed).digest()
        noise += seed
    bits = int.from_bytes(noise[: len(old)], "big")
    before = int.from_bytes(old, "big")
    return (before | bits if rises else before & bits).to_bytes(len(old), "big")
