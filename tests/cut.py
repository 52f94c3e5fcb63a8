"""Replays one power cut by the id that a failing test printed: `make cut ID=rounds/17.3.g`.

An id is LIFE/OPERATION.BYTE.WAY, and once more /OPERATION.BYTE.WAY where recovery was cut; hal/sim/cuts.py has the ways.
"""

import re
import sys

from firmware_agent.wire import cbor
from firmware_agent.wire.region import JournalError
from firmware_agent.wire.survey import Survey
from hal.sim.cuts import Cutter
from hal.sim.flash import Flash

from .device import lives


def told(memory, shape):
    """Prints what stands in a region."""
    try:
        region = Survey(Flash(None, *shape, memory=bytearray(memory)))
    except JournalError as error:
        print(f"  {error}")
        return
    print(f"  sectors {region.oldest} to {region.newest} count" + (", the next was begun" if region.unsealed else ""))
    places = []
    for at, flags, number, body in region.walk(lambda *place: places.append(place)):
        print(f"  {at:5} {number:4} {'carried' if flags else '       '} {cbor.decode(body)}")
    for address, size, lost, number in places:
        print(f"  {address:5} {size} bytes are not as they were written, {lost} records lost from {number} on")


def cut(tape, shape, what):
    """(Cutter at the operation, byte, way) of OPERATION.BYTE.WAY; prints what is on the flash before and after."""
    operation, byte, way = what
    if int(operation) >= len(tape.operations):
        sys.exit(f"there are {len(tape.operations)} operations, from 0 on")
    cutter = Cutter(tape).at(int(operation))
    if (int(byte), way) not in cutter.cases():
        sys.exit(f"operation {operation} cannot be cut like {byte}.{way}")
    address, data, _, synced = tape.operations[int(operation)]
    done = "erase" if data is None else f"program {len(data)} bytes"
    print(f"operation {operation}: {done} at {address}; {synced} operations before it were synced; before it:")
    told(cutter._before, shape)
    print("after the cut:")
    told(cutter.memory(int(byte), way), shape)
    return cutter, int(byte), way


def main(identity):
    name, *cuts = identity.split("/")
    try:
        recorded = lives.record(name)
    except KeyError:
        sys.exit(f"there is no life {name}: random-NUMBER, or one of {', '.join(lives.LIVES)}")
    played = lives.Cuts(name, recorded)
    first = cut(recorded.tape, recorded.shape, cuts[0].split("."))
    number, world = recorded.tape.operations[first[0].operation][2]
    print(f"in step {number}: {recorded.steps[number]}; the terminal had paid {[amount for amount, _ in world[0]]}")
    try:
        if len(cuts) == 1:
            played.one(*first, 1, identity)
        else:
            print("the boot after it:")
            tape, acknowledged = played.recovery(first[0].memory(*first[1:]), world)
            again, byte, way = cut(tape, recorded.shape, cuts[1].split("."))
            played.second_cut(again, acknowledged, byte, way, number, identity)
    except lives.Wrong as wrong:
        print(f"WRONG {wrong}")
        return 1
    print("all promises hold")
    return 0


if __name__ == "__main__":
    if not re.fullmatch(r"[a-z0-9:-]+(/\d+\.-?\d+\.[pgtalo]){1,2}", "".join(sys.argv[1:])):
        sys.exit("usage: make cut ID=LIFE/OPERATION.BYTE.WAY, as a failing test prints it")
    sys.exit(main(sys.argv[1]))
