"""An agent for the tests of the laptop's tools: speaks SMP on a real pseudo-terminal reached through a symlink.

It has no hardware; its journal is the flash that a test gives it. What it answers, and how badly its line behaves, each test
says.
"""

import asyncio
import contextlib
import os
import select
import threading
import time
import tty
from types import SimpleNamespace

import cbor2

from firmware_agent import files
from firmware_agent.link import Link
from firmware_agent.wire import errors, hdlc, messages, smp, tool_messages
from host_tools.link import COMMANDS as _COMMANDS

_AT_WORK = hdlc.pack(cbor2.dumps([tool_messages.AT_WORK, 0]))
_LONG = ((messages.GROUP, messages.JOURNAL), (8, 2))  # and the hash of a file
PULL = object()  # as an answer: the cable is pulled, and plugged in again after `away_s`

STATUS = {
    "agent_version": "0.1.0",
    "runtime": "micropython",
    "runtime_version": "1.28.0",
    "board": "sim",
    "boot": 4,
    "uptime_ms": 11_520_000,
    "heap_free": 63_000,
    "heap_peak": 140_000,
    "verdict": messages.PASS,
    "findings": [],
    "values": {"supply_mv": [4982, 100], "network_host_ms": [-1, 1200], "terminal_version": [None, 0]},
    "journal_used": 8192,
    "journal_size": 65536,
    "refunds": 17,
    "in_doubt": 0,
    "light": "green",
    "last_event": 3,
    "agent_id": "5eed1234",
}


class FakeAgent:
    """`answers`: {command: function(request) -> {name: value}, bytes for a raw body, None for silence, or PULL}; it may
    raise a WireError; a command that is not there is unknown to it. `asked` collects (command, request). `flash`: what SMP's
    group 8 reads, None for an agent without it; `reading`(command, request) is called first and may answer in its place. Use
    as a context manager."""

    def __init__(self, folder, name="agent"):
        self.port = str(folder / name)
        self.asked = []
        self.answers = {messages.STATUS: lambda request: self.status()}
        self.line = lambda frame: frame  # what the line makes of the bytes the agent sends
        self.flash = None
        self.reading = lambda command, request: False
        self.echoes = True
        self.away_s = 0.1
        self.boot = STATUS["boot"]
        self.agent_id = STATUS["agent_id"]
        self.uptime_ms = STATUS["uptime_ms"]
        self._begun = time.monotonic()
        self._wake = os.pipe()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._master = self._slave = None

    def __enter__(self):
        self.plug()
        self._thread.start()
        return self

    def __exit__(self, *_):
        os.write(self._wake[1], b"x")
        self._thread.join(5)
        self.pull()
        for end in self._wake:
            os.close(end)

    def status(self):
        now = self.uptime_ms + int((time.monotonic() - self._begun) * 1000)
        return {**STATUS, "boot": self.boot, "agent_id": self.agent_id, "uptime_ms": now}

    def restart(self):
        self.boot, self.uptime_ms, self._begun = self.boot + 1, 0, time.monotonic()

    def plug(self):
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.symlink(os.ttyname(self._slave), self.port)

    def pull(self):
        if self._master is not None:
            os.unlink(self.port)
            os.close(self._master)
            os.close(self._slave)
            self._master = self._slave = None

    def say(self, data):
        """Bytes out of the line that nobody asked for."""
        os.write(self._master, data)

    def requests(self, command):
        return [request for asked, request in self.asked if asked == command]

    def _run(self):
        buffer, assembler = b"", smp.Assembler()
        while True:
            ready, _, _ = select.select([self._master, self._wake[0]], [], [])
            if self._wake[0] in ready:
                return
            buffer += os.read(self._master, 4096)
            while b"\n" in buffer:
                line, buffer = buffer.split(b"\n", 1)
                try:
                    message = assembler.add(line)
                except ValueError:
                    continue
                if message is None:
                    continue
                header, body = smp.unpack(message)
                with self._at_work(header):
                    answer = self._answer(header, cbor2.loads(body))
                if answer is PULL:
                    self.pull()
                    time.sleep(self.away_s)
                    self.plug()
                    buffer = b""
                elif answer is not None:
                    body = answer if isinstance(answer, bytes) else cbor2.dumps(answer)
                    os.write(self._master, self.line(smp.frame(smp.pack(header.answer(), body))))

    @contextlib.contextmanager
    def _at_work(self, header):
        """Says so meanwhile, as an agent does that reads its whole journal."""
        if (header.group, header.command) not in _LONG:
            yield
            return
        done = threading.Event()

        def say():
            while not done.wait(0.1):
                os.write(self._master, _AT_WORK)

        saying = threading.Thread(target=say)
        saying.start()
        try:
            yield
        finally:
            done.set()
            saying.join()

    def _answer(self, header, body):
        if header.group == 0:
            return {"r": body["d"]} if self.echoes else None
        if header.group == 8 and self.flash:
            answer = self.reading(header.command, body)
            if answer is not False:
                return answer
            # all that its files are read from
            agent = SimpleNamespace(journal=SimpleNamespace(flash=self.flash), link=Link(None, None, None))
            return asyncio.run(files.answer(agent, header, body))
        if header.group != messages.GROUP:
            return {"rc": 8}
        try:
            if header.command not in _COMMANDS or header.command not in self.answers:
                raise errors.WireError("no_command")
            _, op, request, answer = _COMMANDS[header.command]
            assert header.op == op
            asked = messages.unpack(request, body)
            self.asked.append((header.command, asked))
            values = self.answers[header.command](asked)
        except errors.WireError as error:
            return {"err": {"group": messages.GROUP, "rc": error.rc}, "field": error.field}
        return messages.pack(answer, values) if isinstance(values, dict) else values
