"""A capture: a file with all that went over a link, both ways, with times.

A CBOR sequence (RFC 8742). The first item is [MAGIC, VERSION, {"port": text, "baud": integer, "began": Unix nanoseconds}],
each other one [t, kind, what]: t nanoseconds since the beginning, never less than the one before; kind CAME (what: bytes
from the agent), SENT (bytes to it) or NOTE (a text: opened, closed, lost). Every record is written at once: a file that was
cut, or is still being written, can be read to its last whole record.
"""

import io
import time

import cbor2

from .failures import Failure, WrongUsage

MAGIC, VERSION = "refund-agent capture", 1
CAME, SENT, NOTE = 0, 1, 2
OPENED, CLOSED, LOST = "opened", "closed", "lost"
_KINDS = {CAME: bytes, SENT: bytes, NOTE: str}


class NoCapture(Failure):
    """The file is no capture, or cannot be read. Fields: file."""

    key = "no_capture"


class Recorder:
    """Writes a new capture into the file `path`. As what a Link tells all that goes over its line."""

    def __init__(self, path, port, baud):
        self.path = path
        self.bytes = 0  # written into the file
        try:
            self._file = open(path, "xb", buffering=0)  # noqa: SIM115  it is open as long as the line is
        except FileExistsError:
            raise WrongUsage("capture_exists", file=path)
        except OSError as error:
            raise Failure("cannot_write", file=path, reason=error.strerror)
        self._begun = time.monotonic_ns()
        self._write([MAGIC, VERSION, {"port": port, "baud": baud, "began": time.time_ns()}])

    def came(self, data):
        self._record(CAME, data)

    def sent(self, data):
        self._record(SENT, data)

    def note(self, text):
        self._record(NOTE, text)

    def close(self):
        self._file.close()

    def _record(self, kind, what):
        self._write([time.monotonic_ns() - self._begun, kind, what])

    def _write(self, item):
        data = cbor2.dumps(item)
        try:
            self._file.write(data)
        except OSError as error:
            raise Failure("cannot_write", file=self.path, reason=error.strerror)
        self.bytes += len(data)


class Capture:
    """about: what the file says of itself; records: [(t, kind, what)]; unread: bytes behind the last whole record."""

    def __init__(self, about, records, unread):
        self.about = about
        self.records = records
        self.unread = unread


def read(path):
    """The Capture in the file `path`; NoCapture."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError:
        raise NoCapture("capture_unreadable", file=path)
    file = io.BytesIO(data)
    head = _item(file)
    if not isinstance(head, list) or len(head) != 3 or head[0] != MAGIC or not isinstance(head[2], dict):
        raise NoCapture(file=path)
    if head[1] != VERSION:
        raise NoCapture("capture_newer", file=path)
    records, end, last = [], file.tell(), 0
    while end < len(data):
        record = _item(file)
        if not _is_record(record) or record[0] < last:
            break
        records.append(tuple(record))
        last, end = record[0], file.tell()
    return Capture(head[2], records, len(data) - end)


def _item(file):
    try:
        return cbor2.load(file)
    except Exception:  # cbor2 raises its own errors, and others from what it calls
        return None


def _is_record(item):
    if not isinstance(item, list) or len(item) != 3 or type(item[0]) is not int or type(item[1]) is not int:
        return False
    return item[1] in _KINDS and isinstance(item[2], _KINDS[item[1]])
