"""SMP group 8, file system management, for reading only: the journal's region is the one file, byte for byte as it stands in
the flash. Source of commands and errors: Zephyr's page on the group, and its fs_mgmt."""

import asyncio
from binascii import crc32
from hashlib import sha256

NAME = "/journal"
CHUNK = 1024  # bytes of the file in an answer; with its frame it stays below SMP's buf_size

CLOSE = 4
_FILE, _STATUS, _HASH, _HASHES = 0, 1, 2, 3
_EINVAL, _NOT_SUPPORTED = 3, 8  # SMP's own error codes

# Errors of the group, and what each is called in version 1: unknown 1, no such entry 5, wrong value 3.
_NOT_FOUND, _READ_FAILED, _BEYOND, _NO_SUCH_HASH, _READ_ONLY = 3, 7, 12, 13, 15
_OLD = {_NOT_FOUND: 5, _NO_SUCH_HASH: 3}


async def answer(flash, header, body):
    """The answer's body to a request of group 8; `header`: smp.Header, `body`: as decoded, `flash`: Flash port."""
    command = header.command
    if command == CLOSE and header.op == 2:
        return {}  # nothing is held open
    if command > _HASHES or (header.op == 2 and command != _FILE):
        return {"rc": _NOT_SUPPORTED}
    if command == _HASHES:
        return {"types": {"sha256": {"format": 1, "size": 32}, "crc32": {"format": 0, "size": 4}}}
    if not isinstance(body, dict):
        return {"rc": _EINVAL}
    name = body.get("name")
    begin = body.get("off", None if command == _FILE else 0)
    size = body.get("len", flash.size)
    kind = body.get("type", "sha256")
    for value in (begin, size):
        if not isinstance(value, int) or isinstance(value, bool):
            return {"rc": _EINVAL}
    if not isinstance(name, str) or not name or begin < 0 or size < 1:
        return {"rc": _EINVAL}
    rc = 0
    if header.op == 2:
        rc = _READ_ONLY
    elif name != NAME:
        rc = _NOT_FOUND
    elif command == _HASH and kind not in ("sha256", "crc32"):
        rc = _NO_SUCH_HASH
    elif begin > flash.size or (command == _HASH and begin == flash.size):
        rc = _BEYOND
    else:
        try:
            if command == _STATUS:
                return {"len": flash.size}
            if command == _HASH:
                return await _hash(flash, kind, begin, min(size, flash.size - begin))
            found = {"off": begin, "data": flash.read(begin, min(CHUNK, flash.size - begin))}
            if not begin:
                found["len"] = flash.size
            return found
        except OSError:
            rc = _READ_FAILED
    return {"err": {"group": header.group, "rc": rc}} if header.version else {"rc": _OLD.get(rc, 1)}


async def _hash(flash, kind, begin, size):
    crc = 0
    sha = sha256()
    for at in range(begin, begin + size, CHUNK):
        data = flash.read(at, min(CHUNK, begin + size - at))
        if kind == "crc32":
            crc = crc32(data, crc)
        else:
            sha.update(data)
        await asyncio.sleep(0)  # a megabyte takes a board a second, and the terminal does not wait
    found = {"type": kind, "len": size, "output": crc if kind == "crc32" else sha.digest()}
    if begin:
        found["off"] = begin
    return found
