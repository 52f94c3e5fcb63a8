"""The command `refundctl deploy`: an agent onto a board with MicroPython, and back."""

from pathlib import Path
from typing import Annotated

from .failures import WrongUsage


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
        if board is None:
            raise WrongUsage("missing_options", options=["--board"])
        from . import deploy_run  # compiler and transport: no other command waits for them

        if back:
            deploy_run.back(session, board)
        else:
            deploy_run.deploy(session, board, dry_run, replace_main, trust or [])
