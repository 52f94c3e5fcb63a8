"""The verdict of a simulated scenario, shown as refundctl shows one of a live agent."""

import os

from firmware_agent.wire import messages

from . import documents
from .session import Session
from .texts import LANGUAGES, Texts, language_of


def show(answer, request, as_json, everything, language):
    """Print it; the exit status. `answer`: {key: value} of PREFLIGHT_ANSWER, `request`: {name: value} of REFUND_REQUEST."""
    texts = Texts(language if language in LANGUAGES else language_of(os.environ))
    session = Session(texts, os.environ)
    session.json = as_json
    values = messages.unpack(messages.PREFLIGHT_ANSWER, answer)
    if not everything:
        values.pop("passed", None)
    document = documents.verdict(texts, values, {**request, "all": everything})
    session.show(document, session.screen.verdict)
    return documents.EXIT_BY_VERDICT[document["verdict"]]
