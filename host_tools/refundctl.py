"""The command `refundctl`: asks a refund agent over a serial port, and says in plain words what it answers.

Exit status: 0 GO, WARN or done; 2 wrong usage; 3 HOLD; 4 BLOCK or refused; 5 no agent or link lost; 6 in doubt; 1
anything else. An error is one line on stderr.
"""

import json
import os
import sys
from typing import Annotated

import typer

from firmware_agent import causes
from firmware_agent.health import VERSION
from firmware_agent.wire import messages

from . import (
    arguments,
    deploy_commands,
    documents,
    explain_commands,
    gate_commands,
    health_documents,
    journal_commands,
    link_commands,
    people_commands,
    policy_commands,
    request,
    zvt_commands,
)
from .failures import Failure, WrongUsage
from .follow import follow
from .session import ReaderGone, Session
from .texts import LANGUAGES, Texts, language_of

# A terminal may take 180 s (T4 of its protocol) from the request to its completion; the rest is ours and the agent's.
TIMEOUT_S = 200
LONGEST_S = 86400  # nobody waits longer than a day at a till


def main():
    """The entry point; never returns."""
    sys.exit(run(sys.argv[1:], os.environ))


def run(words, environment):
    """Runs one command line and returns the exit status."""
    chosen = arguments.language(words) or language_of(environment)
    texts = Texts(chosen if chosen in LANGUAGES else "en")
    session = Session(texts, environment)
    try:
        status = build(session)(arguments.ordered(words), prog_name="refundctl", standalone_mode=False)
        return status or session.exit_status
    except Failure as failure:
        return _report(texts, failure)
    except ReaderGone:
        return session.exit_status
    except (KeyboardInterrupt, typer.Abort):
        return _report(texts, Failure("interrupted"))
    except Exception as error:
        if hasattr(error, "format_message"):  # of typer's own parser, whichever it brings
            return _report(texts, _usage(error, words))
        return _report(texts, Failure(kind=type(error).__name__))


def _report(texts, failure):
    print("refundctl: " + documents.error_line(texts, failure), file=sys.stderr, flush=True)
    return failure.exit_status


def _usage(error, words):
    """The parser's error in our words: its own would repeat what was typed."""
    command = arguments.command(words)
    kind = type(error).__name__
    if kind in ("NoSuchOption", "BadOptionUsage"):
        name = error.option_name if str(error.option_name).strip("-").replace("-", "").isalpha() else "?"
        return WrongUsage("no_such_option" if kind == "NoSuchOption" else "missing_value", option=name, command=command)
    return WrongUsage("bad_usage", command=command)


def _version(context: typer.Context, wanted: bool):
    if wanted:
        print(json.dumps({"version": VERSION}) if context.params.get("as_json") else f"refundctl {VERSION}")
        raise typer.Exit


def build(session):
    """The typer application over a session, its help in the session's language."""
    texts = session.texts

    def option(name, *flags, **more):
        return typer.Option(*flags, help=texts("help", name), show_default=False, **more)

    app = typer.Typer(
        help=texts("help", "app"),
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )

    Text = str | None
    Receipt = Annotated[Text, option("receipt", "--receipt", metavar="N")]
    Amount = Annotated[Text, option("amount", "--amount", metavar="12.34")]
    Currency = Annotated[Text, option("currency", "--currency", metavar="EUR")]
    SaleAmount = Annotated[Text, option("sale_amount", "--sale-amount", metavar="12.34")]
    SaleDate = Annotated[Text, option("sale_date", "--sale-date", metavar="YYYY-MM-DD")]
    Card = Annotated[Text, option("card", "--card", metavar="LAST4")]
    Operator = Annotated[Text, option("operator", "--operator", metavar="NAME")]
    Scheme = Annotated[Text, option("scheme", "--scheme", metavar="NAME")]
    Settled = Annotated[bool | None, option("settled", "--settled/--not-settled")]
    Expiry = Annotated[Text, option("expiry", "--expiry", metavar="YYYY-MM")]
    All = Annotated[bool, option("all", "--all")]

    @app.callback()
    def choose(
        port: Annotated[Text, option("port", "--port", metavar="PATH|URL", envvar="REFUNDCTL_PORT")] = None,
        as_json: Annotated[bool, option("json", "--json")] = False,
        lang: Annotated[Text, option("lang", "--lang", metavar="en|zh")] = None,
        version: Annotated[bool, option("version", "--version", callback=_version)] = False,
    ):
        if lang is not None and lang not in LANGUAGES:
            raise WrongUsage("bad_lang")
        session.port = port or None
        session.json = as_json

    @app.command(help=texts("help", "ports"))
    def ports():
        rows = [documents.port(texts, *row) for row in session.ports()]
        session.show({"ports": rows} if session.json else rows, session.screen.ports)

    @app.command(help=texts("help", "status"))
    def status():
        with session.link() as link:
            answer = link.ask(messages.STATUS, request.clock())
            crash = health_documents.asked(link, answer)
        session.show(documents.status(texts, answer, link.port, crash), session.screen.status)

    @app.command(help=texts("help", "preflight"))
    def preflight(
        receipt: Receipt = None,
        amount: Amount = None,
        currency: Currency = None,
        sale_amount: SaleAmount = None,
        sale_date: SaleDate = None,
        card: Card = None,
        operator: Operator = None,
        scheme: Scheme = None,
        settled: Settled = None,
        expiry: Expiry = None,
        everything: All = False,
        key: Annotated[Text, option("preflight_key", "--key", metavar="KEY")] = None,
    ):
        asked = request.request(
            {
                "receipt": receipt,
                "amount": amount,
                "currency": currency,
                "sale_amount": sale_amount,
                "sale_date": sale_date,
                "card": card,
                "operator": operator,
                "scheme": scheme,
                "settled": settled,
                "expiry": expiry,
                "all": everything,
                "key": key,
            }
        )
        with session.link() as link:
            answer = link.ask(messages.PREFLIGHT, {**asked, **request.clock()})
        document = documents.verdict(texts, answer, asked)
        session.exit_status = documents.EXIT_BY_VERDICT[document["verdict"]]
        session.show(document, session.screen.verdict)

    @app.command(help=texts("help", "refund"))
    def refund(
        receipt: Receipt = None,
        amount: Amount = None,
        currency: Currency = None,
        sale_amount: SaleAmount = None,
        sale_date: SaleDate = None,
        card: Card = None,
        operator: Operator = None,
        scheme: Scheme = None,
        settled: Settled = None,
        expiry: Expiry = None,
        everything: All = False,
        key: Annotated[Text, option("key", "--key", metavar="KEY")] = None,
        timeout: Annotated[Text, option("timeout", "--timeout", metavar="SECONDS")] = None,
    ):
        asked = request.request(
            {
                "receipt": receipt,
                "amount": amount,
                "currency": currency,
                "sale_amount": sale_amount,
                "sale_date": sale_date,
                "card": card,
                "operator": operator,
                "scheme": scheme,
                "settled": settled,
                "expiry": expiry,
                "all": everything,
                "key": request.new_key() if key is None else key,
            }
        )
        seconds = TIMEOUT_S if timeout is None else request.seconds(timeout, "--timeout", 0, LONGEST_S)
        with session.link() as link:
            if not session.json:
                session.show(texts("word", "key_note", key=asked["key"]), session.screen.note)
            with session.progress() as tell:
                answer = follow(link, asked, seconds, tell)
        document = documents.refund(texts, answer, asked)
        session.exit_status = documents.refund_exit(document)
        session.show(document, session.screen.refund)

    @app.command("causes", help=texts("help", "causes"))
    def causes_(
        number: Annotated[Text, typer.Argument(help=texts("help", "cause"), metavar="[N]", show_default=False)] = None,
    ):
        if number is None:
            rows = [documents.cause(texts, row) for row in causes.every_cause()]
            session.show({"causes": rows} if session.json else rows, session.screen.causes)
            return
        try:
            row = causes.cause(int(number) if number.isascii() and number.isdigit() and len(number) < 3 else 0)
        except ValueError:
            raise WrongUsage("no_such_cause")
        session.show(documents.cause(texts, row), session.screen.cause)

    people_commands.add(app, session, option)
    explain_commands.add(app, session, option)
    journal_commands.add(app, session, option)
    link_commands.add(app, session, option)
    policy_commands.add(app, session, option)
    deploy_commands.add(app, session, option)
    gate_commands.add(app, session, option)
    zvt_commands.add(app, session, option)
    return app


if __name__ == "__main__":
    main()
