"""A corpus of 20,000 frames is read byte for byte alike by CPython, MicroPython of 64 bits and MicroPython of 32 bits."""

import io
import os
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from boards.compiled import compile_beside, compiled, flat

from .device import frame_reader
from .hostile_frames import corpus, written

DEVICE = Path(__file__).parent / "device"
SEED, FRAMES = 6, 20_000
PACKAGE = (
    "@micropython/micropython-webassembly-pyscript@1.27.0"  # 32-bit MicroPython as WebAssembly, by its own project
)
PAGES = ("refund", "report", "seldom", "tool")
MODULES = ("wire", "wire_hdlc", *(f"wire_{page}_messages" for page in PAGES), flat("device.frame_reader"))
PATIENCE_S = 120
HEAP = "128k"

# That MicroPython's own binascii is written in Python and raises plain Exceptions, where every other raises ValueError.
EXCEPTIONS = """
import binascii
decode = binascii.a2b_base64
def a2b_base64(text):
    try:
        return decode(text)
    except Exception as error:
        raise ValueError(str(error))
binascii.a2b_base64 = a2b_base64
"""

RUN = f"""
import sys
import {flat("device.frame_reader")} as reader
with open("corpus", "rb") as file:
    for digest in reader.digests(file):
        print("digest", digest)
print("small integers", sys.maxsize)
"""

NODE = """
import fs from "node:fs";
const [package_, run, ...modules] = process.argv.slice(2);
const { loadMicroPython } = await import(package_);
const said = [];
const mp = await loadMicroPython({ heapsize: 262144, linebuffer: true, stdout: (line) => console.log(line) });
for (const name of modules) mp.FS.writeFile(name, fs.readFileSync(name));
try { mp.runPython(run); } catch (error) { console.log(error.message); process.exit(1); }
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the compiled readers and the corpus."""
    folder = tmp_path_factory.mktemp("corpus")
    for path in compiled().iterdir():
        if path.stem in MODULES:
            shutil.copy(path, folder)
    compile_beside(folder, {"device.frame_reader": DEVICE / "frame_reader.py"})
    (folder / "corpus").write_bytes(written(corpus(SEED, FRAMES)))
    return folder


@pytest.fixture(scope="module")
def digests(folder):
    """What CPython reads, of each block of frames."""
    found = list(frame_reader.digests(io.BytesIO((folder / "corpus").read_bytes())))
    assert len(found) == FRAMES // frame_reader.BLOCK
    return found


def told(command, folder, **environment):
    """(digests, the largest small integer) that an interpreter prints."""
    environment = {**os.environ, **environment}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S, env=environment)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    lines = [line.split(" ") for line in done.stdout.splitlines()]
    return [line[1] for line in lines if line[0] == "digest"], int(lines[-1][-1])


def same(found, digests):
    differ = [at for at, (one, other) in enumerate(zip(found, digests, strict=True)) if one != other]
    assert not differ, f"blocks {differ} of {frame_reader.BLOCK} frames are read otherwise"


def test_micropython_reads_the_corpus_as_cpython_does(folder, digests, record_count):
    pytest.importorskip("micropython_unix", reason="there is no MicroPython wheel for this machine")
    start = "import sys; from micropython_unix import main; sys.exit(main())"
    command = [sys.executable, "-c", start, "-X", "heapsize=" + HEAP, "-c", RUN]
    found, largest = told(command, folder, MICROPYPATH=":.frozen")
    assert largest > 1 << 32
    same(found, digests)
    record_count(f"frames read alike by CPython and MicroPython of 64 bits, in {HEAP}", FRAMES)


def micropython_of_32_bits():
    """Path of its module for Node, installed once into the cache; skips where there is none."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("there is no node with npm on this machine")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "refund-agent" / "micropython-wasm"
    found = cache / "node_modules" / PACKAGE[: PACKAGE.rindex("@")] / "micropython.mjs"
    if not found.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(cache), PACKAGE]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            pytest.skip("npm does not reach its registry")
        if done.returncode or not found.is_file():
            pytest.skip("npm cannot install " + PACKAGE + ": " + (done.stderr.strip().splitlines() or ["?"])[-1])
    return found


def test_micropython_of_32_bits_reads_the_corpus_as_cpython_does(folder, digests, record_count):
    package = micropython_of_32_bits()
    (folder / "run.mjs").write_text(NODE)
    names = ["corpus", *(path.name for path in folder.glob("*.mpy"))]
    found, largest = told(["node", "run.mjs", str(package), EXCEPTIONS + RUN, *names], folder)
    assert largest < 1 << 32
    same(found, digests)
    record_count("frames read alike by CPython and MicroPython of 32 bits (WebAssembly)", FRAMES)
    record_count("digest of what is read of them", sha256("".join(digests).encode()).hexdigest()[:16])
