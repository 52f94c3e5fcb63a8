"""One run of `refundctl deploy`: compile, look, copy, switch, restart, and wait until the new agent is healthy."""

import re
from contextlib import suppress
from difflib import get_close_matches

from boards import used
from boards.compiled import CannotCompile, CannotKeep, NoCompiler
from firmware_agent import trusted

from . import deploy_check, deploy_documents, deploy_wait
from .deploy import Deployment, NoRoom, go_back, why
from .deploy_board import Board
from .deploy_repl import NoPrompt, Repl, ReplLost, the_port
from .failures import DONE, REFUSED, Failure, WrongUsage

_PUBLIC = "[0-9a-f]{16} [0-9a-f]{128}( .*)?"
TRUSTED = "state/trusted"  # where boot.py looks


def deploy(session, name, dry_run, replace_main, trust):
    """Deploys board `name` and shows what was done. `trust`: files with public keys."""
    deployment = _deployment(name)
    keys = [_public_key(file) for file in trust]
    port = session.port or the_port()

    def act(board):
        return _deploy(session, deployment, board, keys, dry_run, replace_main)

    (plan, count), about = _on_the_board(session, deployment, port, act)
    state = "planned" if dry_run else "nothing" if plan.nothing else "running"
    answer = None if dry_run else _wait(session, deployment, port, plan)
    document = deploy_documents.deployed(session.texts, deployment, plan, about, port, state, answer, count)
    session.exit_status = DONE if document["fits"] else REFUSED
    session.show(document, session.deploy.deployed)


def back(session, name):
    """Lets the agent in the other slot run again, and shows which that is."""
    deployment = _deployment(name)
    port = session.port or the_port()
    (number, slot), _ = _on_the_board(session, deployment, port, go_back)
    if _answers_here(deployment):
        with session.deploying() as tell:
            if deploy_wait.until_healthy(port, number, tell) is None:
                raise Failure("deploy_not_back", number=number)
    session.show(deploy_documents.back(session.texts, deployment, number, slot, port), session.deploy.back)


def _answers_here(deployment):
    """True where the agent's link is the line of the prompt."""
    return deployment.data["DRIVERS"].get("link") == "stdio"


def _deployment(name):
    try:
        data = used.board(name)
        deploy_check.data(name, data)
        files, slots = used.files(name)
    except used.NoSuchBoard as error:
        if not name:
            raise WrongUsage("deploy_which_board", names=error.names)
        nearest = next(iter(get_close_matches(name, error.names, n=1)), None)
        raise WrongUsage("deploy_no_such_board", nearest=nearest, names=error.names)
    except used.CannotLoad as error:
        raise deploy_check.BadBoard("deploy_cannot_load", board=name, line=error.line, reason=error.reason)
    except NoCompiler:
        raise Failure("deploy_no_compiler")
    except CannotKeep as error:
        raise Failure("deploy_cannot_keep", folder=error.folder, reason=str(error))
    except CannotCompile as error:
        raise Failure("deploy_cannot_compile", reason=str(error))
    return Deployment(name, data, files, slots)


def _on_the_board(session, deployment, port, act):
    """(what `act(Board)` returns, its About); then, come what may, the board's main.py runs again."""
    repl = Repl(port, session.press_reset).open()
    try:
        board = Board(repl, watched=deployment.data["DRIVERS"].get("watchdog", "none") != "none")
        found = act(board), board.about
    except BaseException:
        with suppress(ReplLost):
            repl.restart()
        raise
    repl.restart()
    return found


def _deploy(session, deployment, board, keys, dry_run, replace_main):
    """(the Plan, how many public keys the board's agent trusts)."""
    plan = deployment.plan(board, replace_main)
    if not dry_run:
        if plan.needed > plan.free:
            raise NoRoom(needed=plan.needed, free=plan.free)
        count = _trust(board, keys)
        with session.transfer("deploying") as tell:
            deployment.carry_out(board, plan, tell)
    else:
        count = len(_trusted(board, keys))
    return plan, count


def _wait(session, deployment, port, plan):
    """The new agent's STATUS_ANSWER, None where it does not answer on this port. Failure: it went back, and why."""
    if not _answers_here(deployment):
        return None  # it answers on another port, and says on that one how it is
    with session.deploying() as tell:
        try:
            answer = deploy_wait.until_healthy(port, plan.number, tell)
            if answer is not None:
                return answer
        except deploy_wait.Silent:
            pass  # the prompt may know more
    try:
        (said, traceback), _ = _on_the_board(session, deployment, port, why)
    except NoPrompt:
        raise deploy_wait.Silent(port=port)
    reason = " | ".join(line.strip() for line in traceback.splitlines()[-3:])
    if said and said[2] == "back":
        raise deploy_wait.WentBack(number=plan.number, now=said[1], why=reason or session.texts("deploy", "no_why"))
    if reason:
        raise Failure("deploy_crashed", number=plan.number, why=reason)
    raise deploy_wait.Silent(port=port)


def _public_key(file):
    try:
        line = file.read_text().strip()
    except OSError as error:
        raise WrongUsage("deploy_unread_key", file=str(file), reason=error.strerror or type(error).__name__)
    except UnicodeDecodeError:
        line = ""
    try:
        if re.fullmatch(_PUBLIC, line) and trusted.keys(str(file)):
            return line
    except OSError:
        pass  # a digit is another: with such a line the agent would not start
    raise WrongUsage("deploy_no_key", file=str(file))


def _trusted(board, keys=()):
    """Public keys of those whose policies the board's agent takes, and `keys`."""
    known = (board.read(TRUSTED) or b"").decode("utf-8", "replace").splitlines()
    return [*known, *(key for key in keys if key not in known)]


def _trust(board, keys):
    """Adds public keys to those; how many there are."""
    wanted = _trusted(board, keys)
    if wanted != _trusted(board):
        board.make_folder("state")
        board.put(TRUSTED, "\n".join(wanted) + "\n")
    return len(wanted)
