"""The link to an agent: one serial port or URL, SMP frames out, the answers to them back.

Sends only what is asked for and nothing on opening or closing. Lines that are no SMP frame are skipped: a console, a
log or noise may share the line. Every request may be repeated: reading changes nothing, a refund is idempotent by its
key, what is settled already is refused, and what was accepted twice was accepted.
"""

import errno
import os
import random
import stat
import time
import urllib.parse

import cbor2
import serial

from firmware_agent.wire import errors, messages, smp

from .failures import HELD, NO_AGENT, OTHER, REFUSED, WRONG_USAGE, Failure

try:
    import grp
    import termios
except ImportError:  # not on Windows
    grp = termios = None

BAUD = 115200  # what the agent's ports run at; a USB or pseudo port ignores it
# An agent answers within some 10 ms, or within a second while it writes its journal or frees memory; the longest
# answer (2 KiB) takes 250 ms at 115200 baud.
ANSWER_S = 2.5
READ_ALL_S = 20.0  # where the agent reads its whole journal first: a board takes seconds for a megabyte
REPEATS = 2  # a third silence is no accident of the line
POLL_S = 0.05  # how long one read of the port may block
REST_OF_ANSWER_S = 0.3  # the longest answer takes 250 ms: after a damaged line nothing more is worth waiting for
WRITE_S = 2.0  # a port whose other end does not read fills up: 2 kB take 0.2 s
REOPEN_S = 0.2  # a returned port is found well within the 2 s promised
LONGEST_LINE = 4096  # SMP lines have 127 bytes; console text without a line end must not grow for ever

OS_GROUP, ECHO = 0, 0  # SMP's own group and its echo
FILES_GROUP, DOWNLOAD, HASH, CLOSE = 8, 0, 2, 4  # SMP's file system management
JOURNAL_FILE = "/journal"
SMP_NOT_SUPPORTED = 8  # MGMT_ERR_ENOTSUP: speaks SMP, knows no group 82

_LINE_ERRORS = (serial.SerialException, OSError, ValueError) + ((termios.error,) if termios else ())


class NoSuchPort(Failure):
    key, exit_status = "no_such_port", NO_AGENT


class PortBusy(Failure):
    key, exit_status = "port_busy", NO_AGENT


class NoPermission(Failure):
    """Fields: port, and group if joining the group that owns the device would help."""

    key, exit_status = "no_permission", NO_AGENT


class CannotOpen(Failure):
    """Not a serial port, no listener, or whatever else the system says."""

    key, exit_status = "cannot_open", NO_AGENT


class BadAddress(Failure):
    key, exit_status = "bad_url", WRONG_USAGE


class NoAnswer(Failure):
    """Nobody answered; key only_text or damaged if something else came instead."""

    key, exit_status = "no_answer", NO_AGENT


class LinkLost(Failure):
    key, exit_status = "link_lost", NO_AGENT


class BadAnswer(Failure):
    """An answer that messages.py does not allow. Fields: port, field."""

    key, exit_status = "bad_answer", OTHER


class AgentError(Failure):
    """The agent refused the request: `name` as wire.errors lists it, `field` if it named one."""

    def __init__(self, rc, field):
        self.name = errors.error_name(rc)
        known = self.name in errors.CODES.split()
        super().__init__("agent_" + self.name if known else "agent_other", rc=rc, field=field or "?")
        self.exit_status = _EXIT_BY_ERROR.get(self.name, OTHER)


_EXIT_BY_ERROR = {
    "missing": WRONG_USAGE,
    "bad_field": WRONG_USAGE,
    "card_number": WRONG_USAGE,
    "currency": WRONG_USAGE,
    "busy": HELD,
    "journal_full": HELD,
    "key_reused": REFUSED,
    "no_refund": REFUSED,
    "not_in_doubt": REFUSED,
    "bad_signature": REFUSED,
    "policy_old": REFUSED,
    "policy_elsewhere": REFUSED,
    "policy_size": REFUSED,
    "bad_policy": REFUSED,
    "no_person": REFUSED,
    "not_allowed": REFUSED,
    "pin_wrong": REFUSED,
    "locked_out": REFUSED,
    "no_policy_room": REFUSED,
}

_READS_ALL = (messages.JOURNAL, messages.ACCEPT)


class Link:
    """One port, a device path or a URL of pyserial's (socket://host:port). Closed until `open`."""

    def __init__(self, port):
        self.port = port
        self._serial = None
        self._buffer = bytearray()
        self._assembler = smp.Assembler()
        self._sequence = random.randrange(256)  # so that the answer to somebody earlier is not taken for ours
        self._owed = False  # an answer may still come

    def open(self):
        """Opens the port for ourselves alone, leaving its control lines as opening leaves them. Failure says why not."""
        try:
            port = serial.serial_for_url(
                self.port, do_not_open=True, baudrate=BAUD, timeout=POLL_S, write_timeout=WRITE_S, exclusive=True
            )
            port.open()
        except _LINE_ERRORS as error:
            raise _why_closed(self.port, error)
        self._serial = port
        self._buffer.clear()
        self._assembler.reset()
        self._owed = False
        _keep_control_lines(port)
        return self

    def close(self):
        """Lets the rest of an answer arrive, so that it is not left to whoever opens next; sends nothing."""
        port, self._serial = self._serial, None
        if port is None:
            return
        try:
            deadline = time.monotonic() + REST_OF_ANSWER_S
            while self._owed and time.monotonic() < deadline and b"\n" not in port.read(max(1, port.in_waiting)):
                pass
            port.close()
        except _LINE_ERRORS:
            pass  # it is gone already

    def reopen(self, deadline):
        """Opens the port anew as soon as it is there again; False if it was not before `deadline` (monotonic)."""
        self._owed = False
        self.close()
        while True:
            try:
                self.open()
                return True
            except Failure:  # also busy or forbidden: the system hands a returned port to others first
                if time.monotonic() >= deadline:
                    return False
                time.sleep(REOPEN_S)

    def ask(self, command, values=None, seconds=None):
        """Asks a command of our group and returns {name: value} as messages.py declares its answer. `seconds`: how long one
        answer may take, where that is not what this command usually takes."""
        _, op, request, answer = messages.COMMANDS[command]
        seconds = seconds or (READ_ALL_S if command in _READS_ALL else ANSWER_S)
        body = self._exchange(op, messages.GROUP, command, messages.pack(request, values or {}), seconds, REPEATS)
        try:
            values = messages.unpack(answer, body)
            _check_numbers(values)
        except errors.WireError as error:
            raise BadAnswer(port=self.port, field=error.field or "message")
        except TypeError:  # a fact numbered by something that is no number
            raise BadAnswer(port=self.port, field="message")
        return values

    def echo(self, seconds):
        """Returns if an SMP agent answers an echo within `seconds`; Failure says why not."""
        body = self._exchange(messages.WRITE, OS_GROUP, ECHO, {"d": "refundctl"}, seconds, 0)
        if body.get("r") != "refundctl":
            raise BadAnswer(port=self.port, field="echo")

    def journal_bytes(self, offset):
        """Some bytes of the journal's region, from `offset` on: one at least."""
        asked = {"name": JOURNAL_FILE, "off": offset}
        body = self._exchange(messages.READ, FILES_GROUP, DOWNLOAD, asked, ANSWER_S, REPEATS)
        data = body.get("data")
        if not isinstance(data, bytes) or not data or body.get("off") != offset:
            raise BadAnswer(port=self.port, field="data")
        return data

    def journal_hash(self, offset, size):
        """SHA-256 of bytes of the journal's region."""
        asked = {"name": JOURNAL_FILE, "type": "sha256", "off": offset, "len": size}
        body = self._exchange(messages.READ, FILES_GROUP, HASH, asked, READ_ALL_S, REPEATS)
        if body.get("len") != size or not isinstance(body.get("output"), bytes):
            raise BadAnswer(port=self.port, field="hash")
        return body["output"]

    def journal_done(self):
        """Tells the agent that no more will be read."""
        self._exchange(messages.WRITE, FILES_GROUP, CLOSE, {}, ANSWER_S, REPEATS)

    def _exchange(self, op, group, command, body, seconds, repeats):
        if self._serial is None:
            raise LinkLost(port=self.port)
        body = cbor2.dumps(body, canonical=True)
        sequences = set()  # an answer to an earlier try is as good: the requests are the same
        heard = None
        for _ in range(repeats + 1):
            self._sequence = self._sequence + 1 & 0xFF
            sequences.add(self._sequence)
            self._owed = True
            self._write(smp.frame(smp.pack(smp.Header(op, group, command, self._sequence), body)))
            answer, without = self._wait(op | 1, group, command, sequences, seconds)
            if answer is not None:
                self._owed = False
                return self._read_body(answer, group)
            heard = without or heard
        raise NoAnswer(heard, port=self.port)

    def _write(self, data):
        try:
            self._serial.write(data)
        except serial.SerialTimeoutException:
            raise NoAnswer(port=self.port)
        except _LINE_ERRORS:
            raise LinkLost(port=self.port)

    def _wait(self, op, group, command, sequences, seconds):
        """(body, None) of the answer, or (None, what came instead: "damaged", "only_text" or None)."""
        deadline = time.monotonic() + seconds
        heard = None
        while time.monotonic() < deadline:
            for line in self._lines():
                start = max(line.rfind(smp.START), line.rfind(smp.GOES_ON))  # a prompt may stand before the frame
                if start < 0:
                    heard = heard or "only_text"
                    continue
                try:
                    message = self._assembler.add(line[start:].rstrip(b"\r"))
                    if message is None:
                        continue
                    header, body = smp.unpack(message)
                except ValueError:
                    heard = "damaged"
                    deadline = min(deadline, time.monotonic() + REST_OF_ANSWER_S)
                    continue
                if (header.op, header.group, header.command) == (op, group, command) and header.sequence in sequences:
                    return body, None
        return None, heard

    def _lines(self):
        try:
            self._buffer += self._serial.read(max(1, self._serial.in_waiting))
        except _LINE_ERRORS:
            raise LinkLost(port=self.port)
        *lines, rest = bytes(self._buffer).split(b"\n")
        self._buffer[:] = rest[-LONGEST_LINE:]
        return lines

    def _read_body(self, body, group):
        try:
            body = cbor2.loads(body)
        except Exception:  # cbor2 raises its own errors, and others from what it calls
            raise BadAnswer(port=self.port, field="cbor")
        if not isinstance(body, dict):
            raise BadAnswer(port=self.port, field="cbor")
        error = body.get("err")
        if (
            isinstance(error, dict)
            and isinstance(error.get("rc"), int)
            and error.get("group") == group == messages.GROUP
        ):
            raise AgentError(error["rc"], _name_of(error.get("field") or body.get("field") or body.get("rsn")))
        if error is not None or body.get("rc"):
            rc = error.get("rc") if isinstance(error, dict) else body.get("rc")
            if rc == SMP_NOT_SUPPORTED and group == FILES_GROUP:
                raise AgentError(errors.WireError("no_command").rc, None)
            if rc == SMP_NOT_SUPPORTED:
                raise NoAnswer("not_an_agent", port=self.port)
            raise BadAnswer(port=self.port, field="error")
        return body


def _name_of(field):
    """A field's name as the agent gave it, if it is one that messages.py declares; a value never passes."""
    names = {row[1] for _, _, request, _ in messages.COMMANDS.values() for row in messages.fields(request)}
    return field if isinstance(field, str) and field in names else None


def _check_numbers(values):
    """messages.unpack leaves what stands in evidence and values unread. WireError unless integers, texts and pairs."""
    for name, value in values.items():
        if isinstance(value, list):
            for item in value:
                if isinstance(item, dict):
                    _check_numbers(item)
        elif name == "values":
            for pair in value.values():
                if not isinstance(pair, list) or len(pair) != 2 or not isinstance(pair[1], int):
                    raise errors.WireError("bad_field", name)
                if not isinstance(pair[0], (int, str, type(None))):
                    raise errors.WireError("bad_field", name)
        elif isinstance(value, dict) and not all(isinstance(item, (int, str)) for item in value.values()):
            raise errors.WireError("bad_field", name)


def _keep_control_lines(port):
    """Clears HUPCL, so that closing does not drop DTR and RTS: some boards reset on the edge."""
    if termios is None or not isinstance(getattr(port, "fd", None), int):
        return
    try:
        settings = termios.tcgetattr(port.fd)
        settings[2] &= ~termios.HUPCL
        termios.tcsetattr(port.fd, termios.TCSANOW, settings)
    except termios.error:
        pass  # a port without control lines


def _why_closed(port, error):
    """The Failure for what pyserial raised on opening `port`."""
    if "://" in port:
        try:
            address = urllib.parse.urlsplit(port)
            complete = bool(address.hostname and address.port)
        except ValueError:
            complete = False
        unknown = isinstance(error, ValueError)  # pyserial has no such kind of address
        return BadAddress(port=port) if unknown or not complete else CannotOpen("nobody_listens", port=port)
    try:
        mode = os.stat(port).st_mode
    except OSError as missing:
        return (
            NoPermission("no_permission_plain", port=port) if missing.errno == errno.EACCES else NoSuchPort(port=port)
        )
    if os.name == "posix" and not stat.S_ISCHR(mode):
        return CannotOpen("not_serial", port=port)
    number = getattr(error, "errno", None)
    if number is None and error.__context__ is not None and error.__context__.args:
        number = error.__context__.args[0]  # pyserial wraps termios errors and keeps no number
    if number in (errno.EACCES, errno.EPERM):
        return _no_permission(port)
    if number in (errno.EBUSY, errno.EAGAIN):
        return PortBusy(port=port)
    if number == errno.ENOTTY:
        return CannotOpen("not_serial", port=port)
    if number in (errno.ENOENT, errno.ENXIO, errno.ENODEV):
        return NoSuchPort(port=port)
    return CannotOpen(port=port, reason=os.strerror(number) if isinstance(number, int) else type(error).__name__)


def _no_permission(port):
    status = os.stat(port)
    group_may = status.st_mode & 0o060 == 0o060
    try:
        group = grp.getgrgid(status.st_gid).gr_name if grp and group_may and status.st_gid else None
    except KeyError:
        group = None
    return NoPermission(port=port, group=group) if group else NoPermission("no_permission_plain", port=port)
