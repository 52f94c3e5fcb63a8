"""The commands `refundctl attest`, `approve` and `guide`: a person's word, a second person's approval, a remedy's steps."""

import sys
from typing import Annotated

import typer

from firmware_agent.wire import messages, seldom_messages

from . import attestation, money, people_documents, pin, request
from .failures import DONE, HELD, WrongUsage

Text = str | None


def add(app, session, option):
    """Adds the commands to the typer application `app`; `option(name, *flags, **more)` makes an option."""
    texts = session.texts
    By = Annotated[Text, option("by", "--by", metavar="NAME")]
    Role = Annotated[Text, option("role", "--role", metavar="ROLE")]
    Receipt = Annotated[Text, option("about_receipt", "--receipt", metavar="N")]

    def argument(name, metavar):
        return typer.Argument(help=texts("help", name), metavar=metavar, show_default=False)

    @app.command(help=texts("help", "attest"))
    def attest(
        what: Annotated[str, argument("what", "WHAT")],
        receipt: Receipt = None,
        good: Annotated[bool | None, option("yes_no", "--yes/--no")] = None,
        by: By = None,
        role: Role = None,
        words: Annotated[Text, option("attest_text", "--text", metavar="TEXT")] = None,
        file: Annotated[list[str] | None, option("attest_file", "--file", metavar="PATH")] = None,
    ):
        number = attestation.number(what)
        attestation.check(what, receipt, good, words)
        given = {"what": number, "value": int(good is not False), "by": by, "role": role, "text": words}
        if receipt is not None:
            given["receipt"] = request.receipt(receipt)
        request.attestation(seldom_messages.ATTEST_REQUEST, given)  # wrong usage is told before files are read
        files = attestation.digests(file or ())
        asked = request.attestation(seldom_messages.ATTEST_REQUEST, {**given, "digest": attestation.joined(files)})
        with session.link() as link:
            answer = link.ask(messages.ATTEST, asked)
        session.exit_status = DONE
        session.show(people_documents.attested(texts, what, asked, answer, files), session.people.attested)

    @app.command(help=texts("help", "approve"))
    def approve(
        key: Annotated[str, argument("approve_key", "KEY")],
        receipt: Annotated[Text, option("receipt", "--receipt", metavar="N")] = None,
        amount: Annotated[Text, option("amount", "--amount", metavar="12.34")] = None,
        currency: Annotated[Text, option("currency", "--currency", metavar="EUR")] = None,
        by: Annotated[Text, option("approve_by", "--by", metavar="NAME")] = None,
    ):
        needed = {"receipt": receipt, "amount": amount, "currency": currency, "by": by}
        missing = ["--" + name for name, text in needed.items() if not text]
        if missing:
            raise WrongUsage("missing_options", options=missing)
        code = money.currency(currency)
        minor = money.parse(amount, code, "--amount")
        given = {"key": key, "receipt": request.receipt(receipt), "amount": minor, "by": by}
        asked = request.attestation(seldom_messages.APPROVE_REQUEST, {**given, "pin": "0000"})
        with session.link() as link:
            link.ask(messages.STATUS, request.clock())  # no PIN is typed where nobody answers
            asked["pin"] = pin.read(texts("people", "pin_prompt", by=asked["by"]))
            answer = link.ask(messages.APPROVE, asked)
        session.exit_status = DONE
        session.show(people_documents.approved(texts, asked, answer, code), session.people.approved)

    @app.command(help=texts("help", "guide"))
    def guide(
        cause: Annotated[str, argument("guide_cause", "CAUSE")],
        receipt: Receipt = None,
        by: By = None,
        role: Role = None,
        done: Annotated[Text, option("guide_done", "--done", metavar="N")] = None,
    ):
        number = request.cause(cause)
        steps = texts.cause(number).steps
        about = None if receipt is None else request.receipt(receipt)
        given = {"what": attestation.GUIDE, "value": 1, "by": by, "role": role, "text": f"{len(steps)} {number}"}
        if about is not None:
            given["receipt"] = about
        asked = request.attestation(seldom_messages.ATTEST_REQUEST, given)
        if done is None and session.json:
            raise WrongUsage("guide_needs_done", high=len(steps))
        upto = None if done is None else request.whole_number(done, "--done", 1, len(steps))
        who = {"by": asked["by"], "role": asked["role"]}
        answers = []
        with session.link() as link:
            if upto is None:
                session.show(people_documents.guided(texts, number, about, who, []), session.people.guide)
            for at, step in enumerate(steps, 1):
                if upto is None:
                    session.show({"step": at, "of": len(steps), "text": step}, session.people.step)
                    if not _yes(texts):
                        break
                elif at > upto:
                    break
                answers.append(link.ask(messages.ATTEST, {**asked, "value": at}))
        document = people_documents.guided(texts, number, about, who, answers)
        session.exit_status = DONE if document["complete"] else HELD
        session.show(document, session.people.guided)


def _yes(texts):
    """What somebody answers to "done?"; an end of the input or Ctrl-C is a no."""
    yes, no = (texts("people", answer).split() for answer in ("yes", "no"))
    try:
        while True:
            print(texts("people", "step_done"), end=" ", flush=True)
            line = sys.stdin.readline()
            if not line or not sys.stdin.isatty():
                print()  # nobody's return key ended the line
            if not line:
                return False
            told = line.strip().lower()
            if told in yes:
                return True
            if told in no:
                return False
    except KeyboardInterrupt:
        print()
        return False
