"""The link to an agent: SMP requests out, the answers to them back, and beside them the frames of the stream.

Sends only what is asked for and nothing on opening or closing. Lines that are no SMP frame are skipped: a console, a
log or noise may share the line. Every request may be repeated: reading changes nothing, a refund is idempotent by its
key, what is settled already is refused, and what was accepted twice was accepted.
"""

import random
import time

import cbor2
import serial

from firmware_agent.wire import (
    errors,
    messages,
    refund_messages,
    report_messages,
    seldom_messages,
    smp,
    tool_messages,
)

from .failures import HELD, NO_AGENT, OTHER, REFUSED, WRONG_USAGE, Failure
from .link_port import LINE_ERRORS, device
from .link_reader import Reader

BAUD = 115200  # what the agent's ports run at; a USB or pseudo port ignores it
# An agent answers within some 10 ms, or within a second while it writes its journal or frees memory; the longest
# answer (2 KiB) takes 250 ms at 115200 baud. Where it takes longer it says several times a second that it is at work.
# Whoever waits is told of silence within 2 s; an answer to an earlier try counts.
ANSWER_S = 0.55
ECHO_S = 0.45  # for an echo, which is short
REPEATS = 2  # a third silence is no accident of the line
REST_OF_ANSWER_S = 0.3  # the longest answer takes 250 ms: after a damaged line nothing more is worth waiting for
REOPEN_S = 0.1  # a returned port is found well within the 2 s promised

_PAGES = (messages, report_messages, refund_messages, seldom_messages, tool_messages)
COMMANDS = {number: row for page in _PAGES for number, row in page.COMMANDS.items()}
OS_GROUP, ECHO = 0, 0  # SMP's own group and its echo
FILES_GROUP, DOWNLOAD, HASH, CLOSE = 8, 0, 2, 4  # SMP's file system management
JOURNAL_FILE = "/journal"
SMP_NOT_SUPPORTED = 8  # MGMT_ERR_ENOTSUP: speaks SMP, knows no group 82


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
    "reserved_key": WRONG_USAGE,
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
    "no_gate": REFUSED,
}

_ECHO = messages.WRITE, OS_GROUP, ECHO, {"d": "refundctl"}
_ECHOED = messages.WRITE | 1, OS_GROUP, ECHO
_PIN = 4  # key of the PIN in APPROVE_REQUEST


class Link:
    """One port: a device path, a URL of pyserial's (socket://host:port) or replay:FILE. Closed until `open`.

    `recorder`: None, or what is told all that goes over the line: came(bytes), sent(bytes), note(text). `baud` may be set
    while closed. Counters since it was made: `reader`'s, and sent_bytes, sent_messages, silences (requests to which nobody
    answered), cuts (times the port went away).
    """

    def __init__(self, port, recorder=None):
        self.port = port
        self.baud = BAUD
        self.recorder = recorder
        self.reader = Reader()
        self.sent_bytes = self.sent_messages = self.silences = self.cuts = 0
        self.round_trip_s = None  # of the last answer, if it was to the first try
        self._device = device(port)
        self._serial = None
        self._sequence = random.randrange(256)  # so that the answer to somebody earlier is not taken for ours
        self._owed = False  # an answer may still come
        self._frames_before = 0  # the last message read

    def open(self):
        """Opens the port for ourselves alone, leaving its control lines as opening leaves them. Failure says why not."""
        self._serial = self._device.open(self.baud)
        self._owed = False
        self._note("opened")
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
        except (*LINE_ERRORS, Failure):
            pass  # it is gone already
        self._note("closed")

    def reopen(self, deadline):
        """Opens the port anew as soon as it is there again; False if it was not before `deadline` (monotonic)."""
        self._owed = False
        self.close()
        while True:
            try:
                self.open()
                return True
            except Failure as failure:  # also busy or forbidden: the system hands a returned port to others first
                if failure.exit_status != NO_AGENT:
                    raise
                if time.monotonic() >= deadline:
                    return False
                time.sleep(REOPEN_S)

    @property
    def name(self):
        """The port; of a capture the one that was captured."""
        return self._device.name

    def set_baud(self, baud):
        """Changes the speed of the open port; what came at another one is forgotten."""
        self.baud = baud
        try:
            self._serial.baudrate = baud
            self._serial.reset_input_buffer()
        except LINE_ERRORS:
            raise self._lost()
        self._owed = False

    def ask(self, command, values=None, seconds=None):
        """Asks a command of our group and returns {name: value} as a page of messages declares its answer, however long the
        agent is at work. `seconds`: how long a silence is no answer, if not ANSWER_S."""
        _, op, request, answer = COMMANDS[command]
        body = messages.pack(request, values or {})
        body = self._exchange(op, messages.GROUP, command, body, seconds or ANSWER_S, REPEATS)
        try:
            values = messages.unpack(answer, body)
            _check_numbers(values)
        except errors.WireError as error:
            raise BadAnswer(port=self.port, field=error.field or "message")
        except TypeError:  # a fact numbered by something that is no number
            raise BadAnswer(port=self.port, field="message")
        return values

    def echo(self, seconds, repeats=0):
        """Returns if an SMP agent answers an echo within `seconds`; Failure says why not."""
        body = self._exchange(*_ECHO, seconds, repeats)
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
        body = self._exchange(messages.READ, FILES_GROUP, HASH, asked, ANSWER_S, REPEATS)
        if body.get("len") != size or not isinstance(body.get("output"), bytes):
            raise BadAnswer(port=self.port, field="hash")
        return body["output"]

    def journal_done(self):
        """Tells the agent that no more will be read."""
        self._exchange(messages.WRITE, FILES_GROUP, CLOSE, {}, ANSWER_S, REPEATS)

    def receive(self, seconds):
        """Bodies of the stream's frames that have come, waiting for the first at most `seconds`. LinkLost."""
        if self._serial is None:
            raise LinkLost(port=self.port)
        deadline = time.monotonic() + seconds
        while not self.reader.bodies and time.monotonic() < deadline:
            self._read()
            self.reader.messages.clear()  # answers that nobody waits for any more
        bodies = list(self.reader.bodies)
        self.reader.bodies.clear()
        return bodies

    def forget_before_answer(self):
        """Drops the bodies of frames that came before the last answer."""
        bodies = self.reader.bodies
        while bodies and self.reader.frames_read - len(bodies) < self._frames_before:
            bodies.popleft()

    def _exchange(self, op, group, command, body, seconds, repeats):
        if self._serial is None:
            raise LinkLost(port=self.port)
        # a repeated request is the same to the last byte: the agent takes a person's word once, however often it comes
        sequence = self._next_sequence()
        heard = None
        for number in range(repeats + 1):
            self._owed = True
            self.reader.messages.clear()
            begun = time.perf_counter()
            self._write(smp.Header(op, group, command, sequence), body)
            answer, without, gone = self._wait((op | 1, group, command, sequence), seconds)
            if answer is not None:
                self.round_trip_s = None if number else time.perf_counter() - begun
                self._owed = False
                return self._read_body(answer, group)
            self.silences += 1
            heard = without or heard
            if gone:
                break
        self._owed = heard is not None  # of nobody there is nothing to come
        raise NoAnswer(heard, port=self.port)

    def _next_sequence(self):
        self._sequence = self._sequence + 1 & 0xFF
        return self._sequence

    def _write(self, header, body):
        data = smp.frame(smp.pack(header, cbor2.dumps(body, canonical=True)))
        try:
            self._serial.write(data)
        except serial.SerialTimeoutException:
            raise NoAnswer(port=self.port)
        except LINE_ERRORS:
            raise self._lost()
        self.sent_bytes += len(data)
        self.sent_messages += 1
        if self.recorder:
            if (header.group, header.command) == (messages.GROUP, messages.APPROVE):
                struck = {**body, _PIN: "*" * len(body[_PIN])}  # a capture goes to people who must not know it
                data = smp.frame(smp.pack(header, cbor2.dumps(struck, canonical=True)))
            self.recorder.sent(data)

    def _wait(self, wanted, seconds):
        """(body, None, False) of the answer that begins with `wanted`, or (None, what came instead: "damaged", "only_text" or
        None, whether it is certain that nobody is there any more)."""
        reader = self.reader
        deadline = time.monotonic() + seconds
        echoes, asked = set(), 0  # to an agent that was at work
        worked, at_work = reader.at_work, False
        damaged, text, noise = reader.damaged, reader.text, reader.dropped
        heard = None
        while True:
            self._read()
            while reader.messages:
                message, self._frames_before = reader.messages.popleft()
                header, body = _unpack(message)
                if header is None:
                    heard = "damaged"
                elif header.sequence in echoes and (header.op, header.group, header.command) == _ECHOED:
                    return None, heard or "damaged", False
                elif (header.op, header.group, header.command, header.sequence) == wanted:
                    return body, None, False
            if reader.at_work > worked:
                worked, at_work, asked = reader.at_work, True, 0
                deadline = time.monotonic() + seconds
            elif reader.damaged > damaged:
                damaged, heard = reader.damaged, "damaged"
                deadline = min(deadline, time.monotonic() + REST_OF_ANSWER_S)
            elif reader.text > text:
                heard = heard or "only_text"
            elif reader.dropped > noise:
                heard = heard or "damaged"
            if time.monotonic() >= deadline:
                if not at_work or asked == REPEATS:
                    return None, heard, at_work
                # requests are answered in their order: an echo's answer without the other's means that one was lost
                sequence = self._next_sequence()
                echoes.add(sequence)
                asked += 1
                op, group, command, body = _ECHO
                self._write(smp.Header(op, group, command, sequence), body)
                deadline = time.monotonic() + min(seconds, ANSWER_S)

    def _read(self):
        try:
            data = self._serial.read(max(1, self._serial.in_waiting))
        except LINE_ERRORS:
            raise self._lost()
        if data:
            if self.recorder:
                self.recorder.came(data)
            self.reader.feed(data)

    def _lost(self):
        self.cuts += 1
        self._note("lost")
        return LinkLost(port=self.port)

    def _note(self, text):
        if self.recorder:
            self.recorder.note(text)

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


def _unpack(message):
    try:
        return smp.unpack(message)
    except ValueError:
        return None, None


def _name_of(field):
    """A field's name as the agent gave it, if it is one that messages.py declares; a value never passes."""
    names = {row[1] for _, _, request, _ in COMMANDS.values() for row in messages.fields(request)}
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
