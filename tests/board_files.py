"""A board's file system in memory, whose power can be cut: at every call, and at every byte written.

littlefs: what is written to a file is there once it is closed, and a rename replaces at once; a file that was only begun is
there and empty. FAT: every byte is there at once, and MicroPython's rename over a file removes that first (extmod/vfs_fat.c,
fat_vfs_rename).
"""

import errno
import io
import posixpath

BLOCK = 4096


class Cut(BaseException):
    """The power is gone. No Exception: nothing on a board can catch it."""


class Files:
    """Takes the place of os and, by `open`, of that function. `kind`: "littlefs" or "fat"; `blocks`: its size.
    `cut_at`: the power is cut at that step from now on, None for never. `steps`: taken so far."""

    def __init__(self, kind="littlefs", blocks=256):
        self.kind = kind
        self.blocks = blocks
        self.files = {}
        self.folders = {"/"}
        self.steps = 0
        self.cut_at = None
        self.broken = {}  # {path: how often its writing turns out wrong}, as worn-out flash or a bad line has it

    def step(self):
        if self.cut_at is not None and self.steps >= self.cut_at:
            raise Cut
        self.steps += 1

    def power_on(self):
        self.cut_at = None

    def open(self, path, mode="r", **_):
        self.step()
        path = self._path(path)
        if "w" in mode:
            self._room(1 if path not in self.files else 0)
            if posixpath.dirname(path) not in self.folders:
                raise OSError(errno.ENOENT, path)
            if path in self.folders:
                raise OSError(errno.EISDIR, path)
            if self.kind == "fat":
                self.files[path] = b""
            self.files.setdefault(path, b"")
            return _Writing(self, path, "b" in mode)
        if path not in self.files:
            raise OSError(errno.ENOENT, path)
        return io.BytesIO(self.files[path]) if "b" in mode else io.StringIO(self.files[path].decode())

    def rename(self, old, new):
        self.step()
        old, new = self._path(old), self._path(new)
        if old not in self.files:
            raise OSError(errno.ENOENT, old)
        if self.kind == "fat" and new in self.files:
            del self.files[new]
            self.step()
        self.files[new] = self.files.pop(old)

    def remove(self, path):
        self.step()
        if self._path(path) not in self.files:
            raise OSError(errno.ENOENT, path)
        del self.files[self._path(path)]

    def mkdir(self, path):
        self.step()
        if self._path(path) in self.folders:
            raise OSError(errno.EEXIST, path)
        self._room(2)
        self.folders.add(self._path(path))

    def ilistdir(self, path):
        folder = self._path(path)
        if folder not in self.folders:
            raise OSError(errno.ENOENT, path)
        for name, data in sorted(self.files.items()):
            if posixpath.dirname(name) == folder:
                yield posixpath.basename(name), 0x8000, 0, len(data)
        for name in sorted(self.folders):
            if name != "/" and posixpath.dirname(name) == folder:
                yield posixpath.basename(name), 0x4000, 0, 0

    def statvfs(self, path):
        return (BLOCK, BLOCK, self.blocks, self.blocks - self.used(), self.blocks - self.used(), 0, 0, 0, 0, 255)

    def used(self):
        return 2 * len(self.folders) + sum(-(-len(data) // BLOCK) for data in self.files.values())

    def getcwd(self):
        return "/"

    def folder(self, path):
        """{name: bytes} of the files in a folder."""
        return {posixpath.basename(name): data for name, data in self.files.items() if posixpath.dirname(name) == path}

    def _path(self, path):
        return posixpath.normpath(posixpath.join("/", path))

    def _room(self, blocks):
        if self.used() + blocks > self.blocks:
            raise OSError(errno.ENOSPC, "no room")


class _Writing:
    def __init__(self, files, path, binary):
        self._files = files
        self._path = path
        self._binary = binary
        self._data = bytearray()

    def write(self, data):
        data = bytes(data) if self._binary else data.encode()
        for byte in data:
            self._files.step()
            self._data.append(byte)
            if self._files.kind == "fat":
                self._files.files[self._path] = bytes(self._data)
        self._files._room(-(-len(self._data) // BLOCK) + 1)
        return len(data)

    def close(self):
        self._files.step()
        if self._files.broken.get(self._path, 0) > 0:
            self._files.broken[self._path] -= 1
            self._data[-1:] = b"\xff"
        self._files.files[self._path] = bytes(self._data)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None or not issubclass(kind, Cut):
            self.close()
