"""Flash port over a file of fixed size, under CPython. One process at a time has it.

Every byte of it is written when it is made, so that a disk which fills up later cannot touch it (where a file system writes
into the place it has; on one that copies at each write, a full disk is an OSError in use, which the journal stands).
"""

import errno
import fcntl
import os


class Refused(OSError):
    """The file cannot be used, and is left as it is; the text says why and what to do."""


class Flash:
    """`path` is made if it is not there, erased and whole, or not at all. Refused: no room for it, a file of another size, or
    another process has it."""

    def __init__(self, path, size=1048576, sector=4096, unit=1):
        if size % sector or sector % unit:
            raise Refused(errno.EINVAL, "a journal of %d bytes: it must be whole sectors of %d" % (size, sector))
        self.size = size
        self.sector = sector
        self.unit = unit
        path = os.path.realpath(path)
        fd = None
        try:
            while fd is None:
                fd = _opened(path)
                if fd is None:
                    fd = _made(path, size)
            have = os.fstat(fd).st_size
        except Refused:
            raise
        except OSError as error:
            raise Refused(error.errno, "the journal %s cannot be opened: %s" % (path, _why(error))) from None
        self._fd = fd
        if have != size:
            self.close()
            what = "is cut" if have < size else "is too long"
            raise Refused(
                errno.EINVAL,
                "the journal %s %s, it has %d bytes and must have %d; it was left as it is: verify it with `refundctl "
                "journal verify %s`, and put back a copy or move it away" % (path, what, have, size, path),
            )

    def _check(self, address, size):
        if address < 0 or size < 0 or address + size > self.size:
            raise OSError(errno.EINVAL, "beyond the end of the journal's file")

    def read(self, address, size):
        self._check(address, size)
        data = os.pread(self._fd, size, address)
        if len(data) != size:
            raise OSError(errno.EIO, "the journal's file was cut while it was in use")
        return data

    def program(self, address, data):
        size = len(data)
        self._check(address, size)
        if address % self.unit or size % self.unit:
            raise OSError(errno.EINVAL, "programming must begin and end on whole units")
        if address % self.sector + size > self.sector:
            raise OSError(errno.EINVAL, "programming must stay within a sector")
        _write(self._fd, address, data)

    def erase(self, address):
        self._check(address, self.sector)
        if address % self.sector:
            raise OSError(errno.EINVAL, "erasing must begin on a sector")
        _write(self._fd, address, b"\xff" * self.sector)

    def sync(self):
        os.fdatasync(self._fd)

    def close(self):
        """Let another process have it."""
        fd, self._fd = self._fd, -1  # a closed one says EBADF
        os.close(fd)


def _write(fd, address, data):
    done = os.pwrite(fd, data, address)
    while done < len(data):
        data = data[done:]
        address += done
        done = os.pwrite(fd, data, address)


def _why(error):
    return os.strerror(error.errno).lower()


def _opened(path):
    """The number of the file at `path`, locked; None if there is none."""
    try:
        fd = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return None
    _lock(fd, path)
    return fd


def _lock(fd, path):
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = _holder(fd)
        os.close(fd)
        if not isinstance(error, BlockingIOError):
            raise
        raise Refused(
            errno.EBUSY,
            "the journal %s is in use by %s: two agents on one journal would overwrite each other's records; end that one, "
            "or give this one a journal of its own" % (path, holder),
        ) from None


def _holder(fd):
    """Who has the file locked, as /proc/locks says: "process 123"."""
    status = os.fstat(fd)
    wanted = "%02x:%02x:%d" % (os.major(status.st_dev), os.minor(status.st_dev), status.st_ino)
    try:
        with open("/proc/locks") as locks:
            for line in locks:
                fields = line.split()  # "1: FLOCK ADVISORY WRITE 123 fe:00:4711 0 EOF"
                if fields[1] == "FLOCK" and fields[5] == wanted and int(fields[4]) > 0:
                    return "process " + fields[4]
    except (OSError, ValueError, IndexError):
        pass
    return "another process"


def _made(path, size):
    """The number of a new file at `path`, erased, locked and on the disk; None if somebody else made one meanwhile."""
    fresh = path + ".new"
    try:
        fd = os.open(fresh, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise Refused(error.errno, "the journal %s cannot be made: %s" % (path, _why(error))) from None
    _lock(fd, path)
    # Whoever makes it holds the lock of what stands at `fresh`. What we opened there may have been somebody else's, who is
    # done with it; or he was done before we opened ours.
    if not _stands(fd, fresh):
        os.close(fd)
        return None
    try:
        if os.path.exists(path):
            os.unlink(fresh)
            os.close(fd)
            return None
        os.ftruncate(fd, 0)  # what a cut left of an earlier try
        for address in range(0, size, 65536):
            _write(fd, address, b"\xff" * min(65536, size - address))
        os.fsync(fd)
        os.rename(fresh, path)
        folder = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        if _stands(fd, fresh):
            os.unlink(fresh)
        os.close(fd)
        raise Refused(
            error.errno, "the journal %s cannot be made: %s; it needs %d bytes" % (path, _why(error), size)
        ) from None
    return fd


def _stands(fd, path):
    """True if the open file is the one at `path`."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(fd))
    except FileNotFoundError:
        return False
