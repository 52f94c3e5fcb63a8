"""Replays one power cut by the id that a failing test printed: `make cut ID=rounds/17.3.g`.

An id is LIFE/OPERATION.BYTE.WAY, and once more /OPERATION.BYTE.WAY where recovery was cut; hal/sim/cuts.py has the ways.
"""

import sys

from firmware_agent.wire import cbor
from firmware_agent.wire.region import Region
from hal.sim.cuts import Cutter
from hal.sim.flash import Flash

from .device import lives


def told(memory, shape):
    """Prints what stands in a region."""
    region = Region(Flash(None, *shape, memory=bytearray(memory)))
    print(f"  sectors {region.oldest} to {region.newest} count" + (", the next was begun" if region.unsealed else ""))
    places = []
    for at, flags, number, body in region.walk(lambda *place: places.append(place)):
        print(f"  {at:5} {number:4} {'carried' if flags else '       '} {cbor.decode(body)}")
    for address, size, lost, number in places:
        print(f"  {address:5} {size} bytes are not as they were written, {lost} records lost from {number} on")


def main(identity):
    name, *cuts = identity.split("/")
    recorded = lives.record(name)
    operation, byte, way = cuts[0].split(".")
    cutter = Cutter(recorded.tape).at(int(operation))
    address, data, (step, world), synced = recorded.tape.operations[int(operation)]
    what = "erase" if data is None else f"program {len(data)} bytes"
    print(f"operation {operation}: {what} at {address}; {synced} operations before it were synced")
    print(f"in step {step}: {recorded.steps[step]}; the terminal had paid {world[0][-3:]}")
    print("before:")
    told(cutter._before, recorded.shape)
    held = cutter.memory(int(byte), way)
    print("after the cut:")
    told(held, recorded.shape)
    played = lives.Cuts(name, recorded)
    try:
        if len(cuts) == 1:
            played.one(cutter, int(byte), way, 1, identity)
        else:
            played.only = identity
            played.one(cutter, int(byte), way, 2, "/".join([name, cuts[0]]))
    except lives.Wrong as wrong:
        print(f"WRONG {wrong}")
        return 1
    print(f"all promises held ({played.played} played)")
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1].count("/") < 1:
        sys.exit("usage: make cut ID=LIFE/OPERATION.BYTE.WAY, as a failing test prints it")
    sys.exit(main(sys.argv[1]))
