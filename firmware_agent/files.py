"""SMP group 8, file system management, for reading only. /journal is the journal's region, byte for byte as it stands in the
flash; /log the events of the ring, oldest first, a sequence of CBOR maps (message EVENT). Source of commands and errors:
Zephyr's page on the group, and its fs_mgmt."""

from binascii import crc32
from hashlib import sha256

CHUNK = 1024  # bytes of the file in an answer; with its frame it stays below SMP's buf_size

CLOSE = 4
_FILE, _STATUS, _HASH, _HASHES = 0, 1, 2, 3
_EINVAL, _NOT_SUPPORTED = 3, 8  # SMP's own error codes

# Errors of the group, and what each is called in version 1: unknown 1, no such entry 5, wrong value 3.
_NOT_FOUND, _READ_FAILED, _BEYOND, _NO_SUCH_HASH, _READ_ONLY = 3, 7, 12, 13, 15
_OLD = {_NOT_FOUND: 5, _NO_SUCH_HASH: 3}


class _Log:
    """The events as they are now. Looks like a Flash port."""

    def __init__(self, events):
        self._data = b"".join([event.data for event in events.since(0, 1 << 20)[0]])
        self.size = len(self._data)

    def read(self, address, size):
        return self._data[address : address + size]


_logs = []  # the one that is being read: it must not change under whoever reads it piece by piece


def _opened(agent, name, anew):
    """What holds the bytes of a file; None: there is no such file."""
    if name == "/journal":
        return agent.journal.flash
    if name != "/log":
        return None
    if anew or not _logs:
        _logs[:] = [_Log(agent.events)]
    return _logs[0]


async def answer(agent, header, body):
    """The answer's body to a request of group 8; `header`: smp.Header, `body`: as decoded."""
    command = header.command
    if command == CLOSE and header.op == 2:
        _logs.clear()
        return {}
    if command > _HASHES or (header.op == 2 and command != _FILE):
        return {"rc": _NOT_SUPPORTED}
    if command == _HASHES:
        return {"types": {"sha256": {"format": 1, "size": 32}, "crc32": {"format": 0, "size": 4}}}
    if not isinstance(body, dict):
        return {"rc": _EINVAL}
    name = body.get("name")
    begin = body.get("off", None if command == _FILE else 0)
    size = body.get("len", 1)
    kind = body.get("type", "sha256")
    for value in (begin, size):
        if not isinstance(value, int) or isinstance(value, bool):
            return {"rc": _EINVAL}
    if not isinstance(name, str) or not name or begin < 0 or size < 1:
        return {"rc": _EINVAL}
    rc = 0
    file = _opened(agent, name, command == _FILE and not begin)
    if header.op == 2:
        rc = _READ_ONLY
    elif file is None:
        rc = _NOT_FOUND
    elif command == _HASH and kind not in ("sha256", "crc32"):
        rc = _NO_SUCH_HASH
    elif begin > file.size or (command == _HASH and begin == file.size):
        rc = _BEYOND
    else:
        try:
            if command == _STATUS:
                return {"len": file.size}
            if command == _HASH:
                return await _hash(agent.link, file, kind, begin, min(body.get("len", file.size), file.size - begin))
            found = {"off": begin, "data": file.read(begin, min(CHUNK, file.size - begin))}
            if not begin:
                found["len"] = file.size
            return found
        except OSError:
            rc = _READ_FAILED
    return {"err": {"group": header.group, "rc": rc}} if header.version else {"rc": _OLD.get(rc, 1)}


async def _hash(link, file, kind, begin, size):
    crc = 0
    sha = sha256()
    for at in range(begin, begin + size, CHUNK):
        data = file.read(at, min(CHUNK, begin + size - at))
        if kind == "crc32":
            crc = crc32(data, crc)
        else:
            sha.update(data)
        await link.at_work()  # a megabyte takes a board a second, and the terminal does not wait
    found = {"type": kind, "len": size, "output": crc if kind == "crc32" else sha.digest()}
    if begin:
        found["off"] = begin
    return found
