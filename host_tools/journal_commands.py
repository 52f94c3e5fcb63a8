"""The commands `refundctl settle` and `refundctl journal …`."""

import time
from typing import Annotated

import typer

from firmware_agent.wire import messages, refund_messages, seldom_messages
from firmware_agent.wire.errors import WireError

from . import documents, export, journal, journal_documents, pull, request
from .failures import DONE, WrongUsage
from .link import AgentError

_BUSY_S = 10  # an agent that asks its terminal about a doubt is busy for some tenths of a second at a time
_AGAIN_S = 0.2

Text = str | None


def add(app, session, option):
    """Adds the commands to the typer application `app`; `option(name, *flags, **more)` makes an option."""
    texts = session.texts
    By = Annotated[Text, option("by", "--by", metavar="NAME")]
    Role = Annotated[Text, option("role", "--role", metavar="ROLE")]
    Reason = Annotated[Text, option("reason", "--reason", metavar="TEXT")]

    def argument(name, metavar):
        return typer.Argument(help=texts("help", name), metavar=metavar, show_default=False)

    File = Annotated[Text, argument("file", "[FILE]")]

    @app.command(help=texts("help", "settle"))
    def settle(
        key: Annotated[str, argument("settle_key", "KEY")],
        done: Annotated[bool, option("done", "--done")] = False,
        not_done: Annotated[bool, option("not_done", "--not-done")] = False,
        by: By = None,
        role: Role = None,
        reason: Reason = None,
    ):
        if done == not_done:
            raise WrongUsage("done_or_not")
        given = {"key": key, "done": done, "by": by, "role": role, "reason": reason}
        asked = request.attestation(refund_messages.SETTLE_REQUEST, given)
        with session.link() as link:
            answer = _when_free(link, messages.SETTLE, asked)
        document = documents.refund(texts, answer, {})
        session.exit_status = DONE
        session.show(document, session.screen.settled)

    tree = typer.Typer(help=texts("help", "journal"), add_completion=False, rich_markup_mode=None)
    app.add_typer(tree, name="journal")

    def copy_of(file):
        """The Copy in a file, or of the agent's journal as it is now."""
        if file is not None:
            return journal.read(file)
        with session.link() as link, session.transfer() as tell:
            return pull.to_memory(link, tell)[0]

    @tree.command("list", help=texts("help", "journal_list"))
    def list_(file: File = None):
        session.show(journal_documents.listed(texts, copy_of(file), file), session.journal.refunds)

    @tree.command(help=texts("help", "journal_show"))
    def show(key: Annotated[str, argument("show_key", "KEY")], file: File = None):
        key = request.key(key)
        document = journal_documents.story(texts, copy_of(file), file, key)
        if document is None:
            raise AgentError(WireError("no_refund").rc, None)
        session.show(document, session.journal.story)

    @tree.command(help=texts("help", "journal_verify"))
    def verify(
        file: File = None,
        known: Annotated[Text, option("known", "--known", metavar="NUMBER:DIGEST")] = None,
    ):
        noted = None if known is None else request.known(known)
        if file is not None:
            document = journal_documents.verified(texts, journal.read(file), file, noted)
        else:
            with session.link() as link:
                if noted is None:
                    answer = link.ask(messages.JOURNAL)
                    agent_id = link.ask(messages.STATUS)["agent_id"]
                    document = journal_documents.verified_there(texts, answer, link.port, agent_id)
                else:
                    with session.transfer() as tell:
                        copy, answer = pull.to_memory(link, tell)
                    document = journal_documents.verified(texts, copy, None, noted, answer)
        session.exit_status = journal_documents.verify_exit(document)
        session.show(document, session.journal.verified)

    @tree.command("pull", help=texts("help", "journal_pull"))
    def pull_(file: Annotated[str, argument("pull_file", "FILE")]):
        with session.link() as link, session.transfer() as tell:
            copy, answer, read = pull.to_file(link, file, tell)
        document = {**journal_documents.verified(texts, copy, file, None, answer), "read": read}
        session.exit_status = journal_documents.verify_exit(document)
        session.show(document, session.journal.pulled)

    @tree.command("export", help=texts("help", "journal_export"))
    def export_(
        file: Annotated[str, argument("export_file", "FILE|-")],
        form: Annotated[Text, option("format", "--format", metavar="|".join(export.FORMATS))] = None,
        source: Annotated[Text, option("from", "--from", metavar="FILE")] = None,
    ):
        form = form or next((name for name in export.FORMATS if file.endswith("." + name)), None)
        if form not in export.FORMATS:
            raise WrongUsage("bad_format", formats=export.FORMATS)
        if file == "-" and session.json:
            raise WrongUsage("two_documents")
        copy = copy_of(source)
        data = export.to_bytes(copy.entries, form)
        if file == "-":
            session.write(data)
            return
        export.to_file(data, file)
        document = {"file": file, "format": form, "records": copy.records, "lost": copy.lost, "agent_id": copy.agent_id}
        session.show(document, session.journal.exported)

    @tree.command(help=texts("help", "journal_accept"))
    def accept(by: By = None, role: Role = None, reason: Reason = None):
        asked = request.attestation(seldom_messages.ACCEPT_REQUEST, {"by": by, "role": role, "reason": reason})
        with session.link() as link:
            agent_id = link.ask(messages.STATUS)["agent_id"]
            answer = link.ask(messages.JOURNAL)
            nothing = not answer["lost"]
            if not nothing:
                answer = link.ask(messages.ACCEPT, asked)
        document = journal_documents.verified_there(texts, answer, link.port, agent_id)
        document["accepted"] = not nothing
        if not answer["lost"]:
            document["text"] = texts("journal", "nothing_to_accept" if nothing else "accepted")
        session.exit_status = journal_documents.verify_exit(document)
        session.show(document, session.journal.verified)


def _when_free(link, command, asked):
    """The answer, asked again while the agent is busy for a moment."""
    deadline = time.monotonic() + _BUSY_S
    while True:
        try:
            return link.ask(command, asked)
        except AgentError as error:
            if error.name != "busy" or time.monotonic() >= deadline:
                raise
            time.sleep(_AGAIN_S)
