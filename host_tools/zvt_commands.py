"""The command `refundctl decode zvt`: captured messages in words. Asks no agent."""

from typing import Annotated

import typer

from . import zvt_documents, zvt_input
from .failures import DONE, OTHER


def add(app, session, option):
    """Adds the commands to the typer application `app`."""
    texts = session.texts
    tree = typer.Typer(help=texts("help", "decode"), add_completion=False, rich_markup_mode=None)
    app.add_typer(tree, name="decode")

    @tree.callback()
    def decode():
        pass

    @tree.command("zvt", help=texts("help", "decode_zvt"))
    def zvt(
        given: Annotated[
            list[str], typer.Argument(help=texts("help", "decode_hex"), metavar="HEX|FILE", show_default=False)
        ],
    ):
        document = zvt_documents.decoded(texts, zvt_input.sources(given))
        session.exit_status = OTHER if document["damaged"] else DONE
        session.show(document, session.zvt.decoded)
