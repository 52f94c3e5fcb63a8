"""A board for the tests: a real MicroPython interpreter behind a serial line, as stock firmware is.

The unix build's own prompt speaks what stock firmware speaks: Ctrl-A, B, C, D, raw mode and raw paste. What makes a board of
it: its file system is a littlefs at /, whose flash is a file; a soft reset is a new interpreter that says "MPY: soft reboot"
and runs boot.py, and main.py unless the prompt was raw or boot.py failed; Ctrl-C interrupts; the line is a pseudo-terminal
that stays when the interpreter goes. Killing it is a power cut: each write of the flash is one write(2).
"""

import contextlib
import fcntl
import os
import select
import subprocess
import sys
import termios
import threading
import tty
from pathlib import Path

_INTERPRETER = "import sys; from micropython_unix import main; sys.exit(main())"
_FLASH = """
import os, vfs, sys
class _Flash:
    def __init__(self, path):
        self.file = open(path, "r+b")
    def readblocks(self, block, data, at=0):
        self.file.seek(block * 4096 + at)
        self.file.readinto(data)
    def writeblocks(self, block, data, at=None):
        self.file.seek(block * 4096 + (at or 0))
        self.file.write(data)
    def ioctl(self, what, _):
        return {{4: {blocks}, 5: 4096, 6: 0}}.get(what)
_flash = _Flash({image!r})
{make}
_top = vfs.VfsLfs2(_flash, progsize=256)
vfs.umount("/")
vfs.mount(_top, "/")
os.chdir("/")
sys.path[:] = ["", ".frozen", "/lib"]
del vfs, os, sys
"""
_BOOT = """
_boots = True
try:
    _file = open("boot.py")
except OSError:
    pass
else:
    _text = _file.read()
    _file.close()
    try:
        exec(_text)
    except BaseException as _error:
        __import__("sys").print_exception(_error)
        _boots = False
"""
_MAIN = """
try:
    if not _boots:  # stock firmware comes to its prompt then
        raise OSError
    _file = open("main.py")
except OSError:
    pass
else:
    _text = _file.read()
    _file.close()
    try:
        exec(_text)
    except SystemExit:
        print("\x1e main.py exits \x1e")
"""
_EXITS = b"\x1e main.py exits \x1e"  # stock firmware resets softly then (its main.c: PYEXEC_FORCED_EXIT)
_BANNER = b"MicroPython "
_RAW, _FRIENDLY = b"raw REPL; CTRL-B to exit\r\n>", b"\r\n>>> "


_SHOW = """
import os, binascii
for folder in {folders!r}:
    try:
        names = [row[0] for row in os.ilistdir(folder) if row[1] == 0x8000]
    except OSError:
        continue
    for name in names:
        with open(folder + "/" + name, "rb") as file:
            print(folder, name, binascii.hexlify(file.read()).decode() or "-")
"""


class Board:
    """`image`: file of its flash, made if it is not there; `blocks`: of 4096 bytes, its size. `port`: path of its serial
    line. `starts`: how often it was started. `deaf`: it hears no Ctrl-C. Use it as a context."""

    def __init__(self, image, blocks=352, heap="256k", deaf=False):
        image = Path(image).absolute()
        self._flash = _FLASH.format(image=str(image), blocks=blocks, make="")
        if not image.exists():
            image.write_bytes(b"\xff" * 4096 * blocks)
            self._run(_FLASH.format(image=str(image), blocks=blocks, make="vfs.VfsLfs2.mkfs(_flash, progsize=256)"))
        self.starts = 0
        self.sent = 0  # bytes that came to it
        self.cut_after = None  # so many of them
        self._heap = heap
        self._deaf = deaf
        self._outer, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        self._wake, self._waker = os.pipe()
        self._ends = False
        self._child = None
        self._start(raw=False)
        self._thread = threading.Thread(target=self._pump, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._ends = True
        os.write(self._waker, b"x")
        self._thread.join()
        self._stop()
        for number in (self._outer, self._slave, self._wake, self._waker):
            os.close(number)

    def folder(self, *folders):
        """{name: bytes} of the files in folders, "" for the top, while nothing runs that writes there."""
        code = self._flash + _SHOW.format(folders=folders)
        found = {}
        for line in self._run(code).splitlines():
            folder, name, data = line.rsplit(" ", 2)
            found[f"{folder}/{name}" if folder else name] = b"" if data == "-" else bytes.fromhex(data)
        return found

    @staticmethod
    def _run(code):
        command = [sys.executable, "-c", _INTERPRETER, "-c", code]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def power_cut(self):
        """Takes its power away, and gives it back."""
        with contextlib.suppress(ProcessLookupError):
            self._child.kill()

    def _start(self, raw):
        self._raw = raw
        self._tail = b""  # of what it said
        self._exits = False
        self._boots = raw
        self._hidden = b"" if raw else None  # what the friendly prompt says before it is made raw
        master, slave = os.openpty()
        tty.setraw(slave)
        settings = termios.tcgetattr(slave)
        settings[3] |= termios.ISIG
        settings[6][termios.VINTR] = b"\0" if self._deaf else b"\x03"
        settings[6][termios.VQUIT] = settings[6][termios.VSUSP] = b"\0"
        termios.tcsetattr(slave, termios.TCSANOW, settings)
        code = self._flash + _BOOT + ("" if raw else _MAIN)
        self._child = subprocess.Popen(
            [sys.executable, "-c", _INTERPRETER, "-X", "heapsize=" + self._heap, "-i", "-c", code],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            env={**os.environ, "MICROPYPATH": ":.frozen"},
        )
        os.close(slave)
        self._inner = master
        self.starts += 1

    def _stop(self):
        with contextlib.suppress(ProcessLookupError):
            self._child.kill()
        self._child.wait()
        os.close(self._inner)

    def _pump(self):
        while not self._ends:
            ready, _, _ = select.select([self._outer, self._inner, self._wake], [], [])
            if self._inner in ready:
                try:
                    data = os.read(self._inner, 4096)
                except OSError:  # EIO: it has ended
                    data = b""
                if data:
                    self._said(data)
                else:
                    killed = self._child.wait() < 0 and not self._exits
                    self._stop()
                    if not killed:
                        os.write(self._outer, b"MPY: soft reboot\r\n")
                    self._start(raw=self._raw and not killed)
                    continue
            if self._outer in ready:
                data = os.read(self._outer, 4096)
                if self.cut_after is not None and self.sent + len(data) >= self.cut_after:
                    data = data[: self.cut_after - self.sent]
                    self.cut_after = None
                    with contextlib.suppress(OSError):
                        os.write(self._inner, data)
                    self._child.kill()
                    continue
                self.sent += len(data)
                with contextlib.suppress(OSError):
                    os.write(self._inner, data)

    def _said(self, data):
        if self._hidden is not None:
            self._hidden += data
            if self._boots and _BANNER in self._hidden:  # before it boot.py spoke
                os.write(self._outer, self._hidden.partition(_BANNER)[0])
                self._boots = False
            if _FRIENDLY[2:] in self._hidden:
                os.write(self._inner, b"\x01")
                data = self._hidden.rpartition(_FRIENDLY[2:])[2]
                self._hidden = None
            else:
                return
        self._tail += data
        if max(self._tail.rfind(_RAW), self._tail.rfind(_FRIENDLY)) >= 0:
            self._raw = self._tail.rfind(_RAW) > self._tail.rfind(_FRIENDLY)
        if _EXITS in self._tail:
            self._exits = True
            self._child.kill()
        self._tail = self._tail[-200:]
        os.write(self._outer, data)
