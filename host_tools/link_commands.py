"""The commands `refundctl watch`, `link`, `capture` and `replay`: what comes over the link, and how good it is."""

import math
import time
from contextlib import closing, suppress
from typing import Annotated

import typer

from firmware_agent.wire import messages, tool_messages

from . import (
    capture_file,
    capture_serve,
    documents,
    explain_commands,
    find,
    link_documents,
    link_probe,
    pull,
    request,
    watching,
)
from .link import AgentError, BadAnswer
from .link_port import REPLAY

LONGEST_S = 86400  # nobody watches for longer than a day without looking
LONGEST_PULL_S = 600
FASTEST = 1000

Text = str | None


def add(app, session, option):
    """Adds the commands to the typer application `app`; `option(name, *flags, **more)` makes an option."""
    texts = session.texts
    Values = Annotated[bool, option("values", "--values")]

    def argument(name, metavar):
        return typer.Argument(help=texts("help", name), metavar=metavar, show_default=False)

    def show(link, deadline, values):
        """Shows what is watched until the deadline or Ctrl-C."""
        with suppress(KeyboardInterrupt), closing(watching.watch(link, deadline, values)) as things:
            for kind, boot, what in things:
                session.show(documents.watched(texts, kind, boot, what, link.name), session.screen.watched)

    @app.command(help=texts("help", "watch"))
    def watch(
        for_seconds: Annotated[Text, option("for", "--for", metavar="SECONDS")] = None,
        values: Values = False,
    ):
        deadline = _deadline(for_seconds, "--for")
        with suppress(KeyboardInterrupt), session.link() as link:
            show(link, deadline(), values)

    @app.command("link", help=texts("help", "link"))
    def link_(seconds: Annotated[Text, option("link_seconds", "--seconds", metavar="SECONDS")] = None):
        long = link_probe.PULL_S if seconds is None else request.seconds(seconds, "--seconds", 0, LONGEST_PULL_S)
        with session.link() as link:
            there = find.candidate(link.port)
            status = link.ask(messages.STATUS)
            replayed = link.port.startswith(REPLAY)
            probe = link_probe.captured(link.port.removeprefix(REPLAY)) if replayed else link_probe.measure(link, long)
        session.show(link_documents.link(texts, there, link, probe, status), session.about_link.link)

    @app.command(help=texts("help", "capture"))
    def capture(
        file: Annotated[str, argument("capture_file", "FILE")],
        seconds: Annotated[Text, option("capture_seconds", "--seconds", metavar="SECONDS")] = None,
        values: Values = False,
    ):
        deadline = _deadline(seconds, "--seconds")
        with session.link() as link:
            recorder = link.recorder = capture_file.Recorder(file, link.port, link.baud)
            try:
                recorder.note(capture_file.OPENED)
                with suppress(KeyboardInterrupt):
                    with session.transfer("capturing") as tell:
                        _take_stock(link, tell)
                    show(link, deadline(), values)
            finally:
                link.recorder = None
                recorder.note(capture_file.CLOSED)
                recorder.close()
        if not session.json:
            text = texts("link", "captured", file=file, bytes=f"{recorder.bytes:,}")
            session.note_aside(text)

    @app.command(help=texts("help", "replay"))
    def replay(
        file: Annotated[str, argument("replay_file", "FILE")],
        speed: Annotated[Text, option("replay_speed", "--speed", metavar="N")] = None,
    ):
        times = 1.0 if speed is None else request.seconds(speed, "--speed", 0.001, FASTEST)
        with suppress(KeyboardInterrupt), capture_serve.Served(file, times) as served:
            document = link_documents.replaying(texts, file, served.port, served.capture)
            session.show(document, session.about_link.replaying)
            served.run()


def _deadline(text, option):
    """What gives the deadline (monotonic) once watching begins. WrongUsage at once."""
    seconds = math.inf if text is None else request.seconds(text, option, 0, LONGEST_S)
    return lambda: time.monotonic() + seconds


def _take_stock(link, tell):
    """Asks what commands that read an agent may ask of the capture: the journal too."""
    for command in (messages.STATUS, messages.POLICY, messages.GATE, tool_messages.LINK, tool_messages.MANIFEST):
        with suppress(AgentError, BadAnswer):
            link.ask(command)
    with suppress(AgentError, BadAnswer):
        explain_commands.beside_journal(link)
    with suppress(AgentError, BadAnswer):
        pull.to_memory(link, tell)
    link_probe.measure(link, 0)
