"""The commands `refundctl policy …`: written as TOML, checked line by line, signed, and put on an agent."""

import getpass
import os
import warnings
from typing import Annotated

import typer

from firmware_agent.wire import messages

from . import (
    policy_documents,
    policy_payload,
    policy_pin,
    policy_push,
    policy_sign,
    policy_source,
    policy_starter,
    request,
)
from .failures import DONE, REFUSED, WRONG_USAGE, Failure, WrongUsage
from .policy_platforms import PLATFORMS
from .policy_toml import Fault
from .policy_values import nearest

SOURCE, BUILT = ".toml", ".policy"
LARGEST = 16_777_216  # bytes of an envelope: what messages.py declares

Text = str | None


def add(app, session, option):
    """Adds the commands to the typer application `app`; `option(name, *flags, **more)` makes an option."""
    texts = session.texts

    def argument(name, metavar):
        return typer.Argument(help=texts("help", name), metavar=metavar, show_default=False)

    tree = typer.Typer(help=texts("help", "policy"), add_completion=False, rich_markup_mode=None)
    app.add_typer(tree, name="policy")

    Key = Annotated[Text, option("policy_key_file", "--key", metavar="KEY")]

    def source_in(file):
        """The Source in a file. Failure names its first fault."""
        try:
            return _source(file)
        except policy_source.Faults as faults:
            first = policy_documents.fault(texts, file, faults.faults[0])
            more = len(faults) - 1
            raise WrongUsage("policy_faults" if more else "policy_fault", fault=first["line_text"], file=file, n=more)

    def contents_in(file):
        """(Contents, payload, envelope or None, key id or None) of a source or a built policy."""
        data = _bytes(file)
        if not _is_envelope(data):
            source = source_in(file)
            return source.contents, source.payload, None, None
        signer, payload = policy_sign.opened(data, file)
        try:
            return policy_payload.read(payload), payload, data, signer
        except policy_payload.NoPayload as wrong:
            raise Failure("policy_no_payload", file=file, field=wrong.field)

    @tree.command(help=texts("help", "policy_new"))
    def new(
        file: Annotated[str, argument("policy_new_file", "FILE")],
        platform: Annotated[
            list[str] | None, option("policy_platform", "--platform", metavar="|".join(PLATFORMS))
        ] = None,
    ):
        chosen = [name for words in platform or () for name in words.split(",")]
        for name in chosen:
            if name not in PLATFORMS:
                near = nearest(name, PLATFORMS) if name.isalpha() else None
                raise WrongUsage("no_such_platform", nearest=near, platforms=list(PLATFORMS))
        _write_new(file, policy_starter.text(texts, dict.fromkeys(chosen)).encode())
        notes = [texts("policy", "new_note", file=file)]
        document = {"file": file, "platforms": chosen, "text": texts("policy", "made", file=file), "notes": notes}
        session.show(document, session.policy.made)

    @tree.command(help=texts("help", "policy_check"))
    def check(file: Annotated[str, argument("policy_source_file", "FILE")]):
        try:
            document = policy_documents.checked(texts, file, _source(file))
        except policy_source.Faults as faults:
            document = policy_documents.checked(texts, file, None, faults)
            session.exit_status = WRONG_USAGE
        session.show(document, session.policy.checked)

    @tree.command(help=texts("help", "policy_build"))
    def build(
        file: Annotated[str, argument("policy_source_file", "FILE")],
        key: Key = None,
        out: Annotated[Text, option("policy_out", "-o", "--out", metavar="FILE")] = None,
    ):
        source = source_in(file)
        pem, key_open = _key(key)
        out = out or os.path.splitext(file)[0] + BUILT
        envelope = _signed(source, pem)
        _replace(out, envelope)
        signer = policy_sign.opened(envelope)[0]
        document = policy_documents.built(texts, file, out, source, envelope, signer, key_open, key)
        session.show(document, session.policy.built)

    @tree.command(help=texts("help", "policy_show"))
    def show(file: Annotated[Text, argument("policy_any_file", "[FILE]")] = None):
        if file is not None:
            document = policy_documents.shown(texts, file, *contents_in(file))
            session.show(document, session.policy.shown)
            return
        with session.link() as link:
            document = policy_documents.there(texts, link.ask(messages.POLICY), link.port)
        session.show(document, session.policy.there)

    @tree.command(help=texts("help", "policy_diff"))
    def diff(
        before: Annotated[str, argument("policy_any_file", "A")],
        after: Annotated[str, argument("policy_any_file", "B")],
    ):
        sides = [(file, contents_in(file)[0]) for file in (before, after)]
        session.show(policy_documents.compared(texts, *sides), session.policy.compared)

    @tree.command(help=texts("help", "policy_push"))
    def push(file: Annotated[str, argument("policy_push_file", "FILE")], key: Key = None):
        envelope = _bytes(file)
        if _is_envelope(envelope):
            policy_sign.opened(envelope, file)
        else:
            envelope = _signed(source_in(file), _key(key)[0])
        with session.link() as link:
            with session.transfer("pushing") as tell:
                answer, sent = policy_push.push(link, envelope, tell)
            document = policy_documents.there(texts, answer, link.port)
        document.update(file=file, sent=sent, already=not sent)
        session.exit_status = DONE if document["state"] == "good" else REFUSED
        session.show(document, session.policy.pushed)

    @tree.command("key", help=texts("help", "policy_key"))
    def key_(file: Annotated[str, argument("policy_new_key_file", "FILE")]):
        line = policy_sign.write_key(file)
        notes = [texts("policy", "key_note", file=file), texts("policy", "public_note", file=file + ".pub")]
        text = texts("policy", "made", file=f"{file}, {file}.pub")
        document = {"file": file, "public": file + ".pub", "signer": line.split()[0], "line": line}
        session.show({**document, "text": text, "notes": notes}, session.policy.made)

    @tree.command(help=texts("help", "policy_pin"))
    def pin(rounds: Annotated[Text, option("policy_rounds", "--rounds", metavar="N")] = None):
        count = policy_pin.ROUNDS if rounds is None else request.whole_number(rounds, "--rounds", 1, 100_000)
        typed = [_typed(texts("policy", word)) for word in ("pin_once", "pin_again")]
        if not policy_pin.is_pin(typed[0]):
            raise WrongUsage("pin_form", low=policy_pin.DIGITS[0], high=policy_pin.DIGITS[1])
        if typed[0] != typed[1]:
            raise WrongUsage("pin_differs")
        salt, hashed = policy_pin.new(typed[0], count)
        if not session.json:
            session.note_aside(texts("policy", "pin_note", rounds=count))
        session.show({"salt": salt, "pin_hash": hashed, "rounds": count}, session.policy.pin)


def _source(file):
    """The Source in a file; Faults."""
    data = _bytes(file)
    if _is_envelope(data):
        raise WrongUsage("policy_is_built", file=file)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig")
        line = before.count("\n") + 1
        raise policy_source.Faults(file, [Fault(line, len(before.rpartition("\n")[2]) + 1, "not_utf8", {})])
    return policy_source.read(text, file)


def _signed(source, pem):
    envelope = policy_sign.sign(source.payload, pem)
    if len(envelope) > LARGEST:
        raise WrongUsage("policy_too_large", size=len(envelope), high=LARGEST)
    return envelope


def _is_envelope(data):
    return data[:1] in (b"\xd2", b"\x84")  # neither begins a text


def _bytes(file):
    try:
        with open(file, "rb") as opened:
            return opened.read()
    except OSError as error:
        raise WrongUsage("cannot_read", file=file, reason=error.strerror)


def _key(file):
    if not file:
        raise WrongUsage("policy_needs_key")
    return policy_sign.read_key(file)


def _write_new(file, data):
    try:
        with open(file, "xb") as made:
            made.write(data)
    except FileExistsError:
        raise WrongUsage("policy_exists", file=file)
    except OSError as error:
        raise Failure("cannot_write", file=file, reason=error.strerror)


def _replace(file, envelope):
    """Writes a built policy; what is there is replaced only if it is one."""
    if os.path.lexists(file) and (not os.path.isfile(file) or not _is_envelope(_bytes(file) or b"\x84")):
        raise WrongUsage("not_replaced_by_policy", file=file)
    part = file + ".part"
    try:
        with open(part, "wb") as made:
            made.write(envelope)
        os.replace(part, file)
    except OSError as error:
        raise Failure("cannot_write", file=file, reason=error.strerror)


def _typed(prompt):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # without a terminal it is read from stdin, as a script gives it
        try:
            return getpass.getpass(prompt)
        except EOFError:
            return ""
