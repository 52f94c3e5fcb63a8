"""The command `refundctl deploy`: an agent onto a board with MicroPython, and back."""

import signal
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated

from . import deploy_documents
from .failures import Failure


def add(app, session, option):
    """Adds the command to the typer application `app`."""
    texts = session.texts

    @app.command(help=texts("help", "deploy"))
    def deploy(
        board: Annotated[str | None, option("deploy_board", "--board", metavar="NAME")] = None,
        dry_run: Annotated[bool, option("dry_run", "--dry-run")] = False,
        replace_main: Annotated[bool, option("replace_main", "--replace-main")] = False,
        back: Annotated[bool, option("back", "--back")] = False,
        trust: Annotated[list[Path] | None, option("trust", "--trust", metavar="FILE")] = None,
    ):
        with _said_in_full(session, board):
            from . import deploy_run  # compiler and transport: no other command waits for them

            if back:
                deploy_run.back(session, board or "")
            else:
                deploy_run.deploy(session, board or "", dry_run, replace_main, trust or [])


@contextmanager
def _said_in_full(session, board):
    """Whoever ends the command ends it as Ctrl-C does; with --json a Failure has its document too."""
    with _ended_as_by_ctrl_c():
        try:
            yield
        except Failure as failure:
            error = failure
        except KeyboardInterrupt:
            error = Failure("deploy_interrupted")
        else:
            return
    if session.json:
        session.exit_status = error.exit_status
        session.show(deploy_documents.failed(session.texts, board, session.port, error), None)
    raise error


@contextmanager
def _ended_as_by_ctrl_c():
    """A board would stand without an agent if a closed window or a kill ended us at once."""

    def end(number, frame):
        raise KeyboardInterrupt

    before = {}
    for name in ("SIGTERM", "SIGHUP"):
        with suppress(AttributeError, ValueError):  # not on Windows; not in the main thread
            before[name] = signal.signal(getattr(signal, name), end)
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)
