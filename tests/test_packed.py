"""Modules that are one file on a board (boards/packed.py): whoever imports one finds there what the sources have."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from boards import size, used
from boards.compiled import compile_beside, compile_to, flat
from boards.numbers import Numbers
from boards.packed import CannotPack, Packs

from .running import micropython_here

DEVICE = Path(__file__).parent / "device"
PACKS = {"both": ["p.one", "p.two"]}
ONE = "import gc\nfrom .low import put\nLIMIT = [1]\ndef _check(x):\n    return LIMIT, x, put\n"


def packs(one=ONE, two="", user="", low="put = 'low'\n"):
    modules = {"p.one": one, "p.two": two, "p.user": user, "p.low": low}
    return Packs(modules, PACKS, flat, modules.get, Numbers(lambda module: None))


def of(packs, user="p_user"):
    """What the packed modules and who uses them have in the end."""
    spaces = {}
    files = {"p_low": None, "both": None, user: None}

    def find(name, *_):
        module = type(sys)(name)
        vars(module).update(spaces[name] if name in spaces else vars(__import__(name)))
        return module

    for file in files:
        spaces[file] = {"__builtins__": {**vars(__import__("builtins")), "__import__": find}}
        exec(packs.source(file), spaces[file])
    return spaces[user]


TWO = [
    ("LIMIT = [2]\ndef _check(x):\n    return LIMIT, x\n", "from .two import _check\nsaid = _check(5)", ([2], 5)),
    (
        "from . import one\ndef tell(x):\n    return one._check(x)\n",
        "from .two import tell\nsaid = tell(5)[:2]",
        ([1], 5),
    ),
    ("from .one import _check as ask\nLIMIT = 3\n", "from . import two\nsaid = two.LIMIT, two._check(4)[0]", (3, [1])),
    ("put = 'two'\n", "from . import one, two\nsaid = one._check(0)[2], two.put", ("low", "two")),
    ("from .low import put\n", "from . import one, two\nsaid = one._check(0)[2], two.put", ("low", "low")),
    (
        "LIMIT = 0\ndef more():\n    global LIMIT\n    LIMIT += 1\n    return LIMIT\n",
        "from .two import more\nmore()\nsaid = more()",
        2,
    ),
    (
        "class LIMIT:\n    def one(self):\n        return LIMIT\n",
        "def late():\n    from .two import LIMIT as L\n    return L().one() is L\nsaid = late()",
        True,
    ),
    (
        "def late():\n    from .one import LIMIT\n    return LIMIT\nLIMIT = 9\n",
        "from . import two\nsaid = two.late()",
        [1],
    ),
]


@pytest.mark.parametrize(("two", "user", "said"), TWO)
def test_what_two_modules_of_a_pack_have_keeps_its_meaning(two, user, said):
    assert of(packs(two=two, user=user))["said"] == said


def test_what_both_import_is_imported_once():
    source = packs(two="import gc\nfrom .low import put\nx = gc, put\n").source("both")
    assert source.count("import gc") == 1 and source.count("import put") == 1


@pytest.mark.parametrize(
    "two",
    [
        "LIMIT = 2\ndef f(LIMIT):\n    return LIMIT\n",
        "LIMIT = 2\nclass A:\n    LIMIT = 3\n",
        "LIMIT = 2\ndef f():\n    def LIMIT():\n        pass\n    return LIMIT\n",
        "LIMIT = 2\ntry:\n    x = 1\nexcept OSError as LIMIT:\n    pass\n",
        "from . import one\nx = [one]\n",
        "from . import one\ndef f(one):\n    return one.LIMIT\n",
    ],
)
def test_a_name_that_cannot_be_followed_is_refused(two):
    with pytest.raises(CannotPack, match=r"p\.two: \w+ stands"):
        packs(two=two).source("both")


# ---- each board's own files ----
RUN = """
import asyncio, os, sys
import device_fake_flash, device_fake_machine as machine, device_fake_network as network
from device_fake_machine import bench
machine.install()[1].device = device_fake_flash.Device(512)
network.install()
import boards_{name} as board
bench.begin({port!r})
bench.divider, bench.top_mv = board.POWER["divider"], board.POWER["adc_mv"]
network.network.port({port!r})
network.air.begin()
class Ports: pass
class Room:  # what lies in front of a region is not simulated here
    def behind_files(start):
        return start
sys.modules["micropython_room"] = Room
async def play():
    for till in ("uart", "none"):
        from micropython_build import build, watchdog
        board.DRIVERS["till"] = till
        ports = Ports()
        ports.watchdog = watchdog(board.DRIVERS)
        build(board, ports, board.SETTINGS, "nowhere", lambda path: bytes(32))
        bench.advance(50000)
        assert abs(ports.power.window()[0] - 5000) < 60
        assert (ports.gate is not None) == (till == "uart")
        ports.light.show("red")
        await asyncio.sleep(0)
        ports.light.show("off")
        await ports.network.probe()
        ports.power.close()
asyncio.run(play())
sys.modules.pop("micropython_room")
for name in sorted(os.listdir()):
    if name[-4:] == ".mpy" and not name.startswith(("device_", "boards_")):
        __import__(name[:-4])
print("stands")
"""


@pytest.mark.skipif(not micropython_here(), reason="there is no MicroPython here")
@pytest.mark.parametrize("name", [name for name in used.names() if name != "unix_raw"])
def test_the_files_of_a_board_load_and_build_its_drivers(name, tmp_path):
    data = used.board(name)
    compile_to(tmp_path, used.modules(name, {**data, "DRIVERS": {**data["DRIVERS"], "till": "uart"}}))
    fakes = ("chance", "fake_flash", "fake_machine", "fake_network")
    compile_beside(tmp_path, {f"device.{fake}": DEVICE / f"{fake}.py" for fake in fakes})
    port = "stm32" if data["PLATFORM"] == "pyboard" else data["PLATFORM"]
    start = "import sys; from micropython_unix import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", start, "-X", "heapsize=8M", "-c", RUN.format(name=name, port=port)],
        cwd=tmp_path,
        env={**os.environ, "MICROPYPATH": ":.frozen"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.endswith("stands\n"), done.stdout + done.stderr


@pytest.mark.parametrize("name", used.names())
def test_the_files_of_a_board_are_for_every_chip_of_32_bits(name):
    """Byte 2: no code of a processor; byte 3: bits of a small int at most, 31 on every board, 63 where this test runs."""
    slot, top = used.files(name)
    for data in [top, *(data for file, data in slot.items() if file.endswith(".mpy"))]:
        assert data[:4] == b"M\x06\x00\x1f"


@pytest.mark.parametrize("name", used.names())
def test_what_stays_in_the_heap_keeps_its_budget(name, record_count):
    bytes_ = size.stays(name, False), size.stays(name, True)
    record_count(f"bytes of .mpy that stay in the heap of {name}, and with a gate", "%d, %d" % bytes_)
    assert max(bytes_) <= size.BUDGET
