"""The command `refundctl explain`: a refund's story, from an agent or from a copy of its journal."""

from typing import Annotated

import typer

from firmware_agent.wire import messages
from firmware_agent.wire.errors import WireError

from . import explain, explain_documents, journal, pull, request
from .failures import REFUSED, Failure
from .link import AgentError

LAST = "last"
_ROUNDS = 100  # the ring of an agent has some dozens of events; one that gives them without end is not well

Text = str | None


class NothingToExplain(Failure):
    key, exit_status = "nothing_to_explain", REFUSED


def add(app, session, option):
    """Adds the command to the typer application `app`; `option(name, *flags, **more)` makes an option."""
    texts = session.texts

    @app.command("explain", help=texts("help", "explain"))
    def explain_(
        key: Annotated[str, typer.Argument(help=texts("help", "explain_key"), metavar="KEY|last", show_default=False)],
        source: Annotated[Text, option("from", "--from", metavar="FILE")] = None,
    ):
        key = request.key(key)
        if source is not None:
            copy, now = journal.read(source), None
        else:
            with session.link() as link:
                now = beside_journal(link)  # before the journal, which takes long to read while the ring turns
                with session.transfer() as tell:
                    copy = pull.to_memory(link, tell)[0]
        if key == LAST:
            key = explain.latest(copy)
            if key is None:
                raise NothingToExplain()
        story = explain.Story(copy, key, now)
        if not story.found:
            raise AgentError(WireError("no_refund").rc, None)
        session.show(explain_documents.told(texts, copy, story, source), session.explain.told)


def beside_journal(link):
    """What the agent says beside its journal."""
    status = link.ask(messages.STATUS, request.clock())
    events, cursor, dropped, boot = [], 0, 0, None
    for _ in range(_ROUNDS):
        answer = link.ask(messages.EVENTS_SINCE, {"cursor": cursor})
        if answer["boot"] != boot:
            events, boot, dropped = [], answer["boot"], answer["dropped"]
        events += [{**event, "name": messages.event_name(event["code"])[0]} for event in answer["events"]]
        if not answer["events"] or answer["next"] <= cursor:
            break
        cursor = answer["next"]
    if status["boot"] != boot:
        status = {**status, "wall_s": None}
    return explain.Now(events, dropped, boot, status)
