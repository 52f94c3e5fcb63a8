"""The commands `refundctl gate` and `refundctl terminal`: what passed between both, and the terminal in words."""

from firmware_agent.wire import messages

from . import gate_documents, request, terminal_documents


def add(app, session, option):
    """Adds the commands to the typer application `app`; `option(name, *flags, **more)` makes an option."""
    texts = session.texts

    @app.command(help=texts("help", "gate"))
    def gate():
        with session.link() as link:
            answer = link.ask(messages.GATE)
            status = link.ask(messages.STATUS, request.clock())
        session.show(gate_documents.gate(texts, answer, link.port, status), session.gate.told)

    @app.command(help=texts("help", "terminal"))
    def terminal():
        with session.link() as link:
            answer = link.ask(messages.STATUS, request.clock())
        session.show(terminal_documents.terminal(texts, answer, link.port), session.terminal.told)
