"""The command line before it is parsed: no full card number in it, general options in front, the command known."""

import difflib
import re
import unicodedata

from firmware_agent.wire.pan import looks_like_pan

from .failures import WrongUsage

COMMANDS = (
    *("ports", "status", "preflight", "refund", "attest", "approve", "guide", "settle", "explain"),
    *("watch", "link", "capture", "replay", "journal", "policy", "causes", "gate", "terminal", "decode", "deploy"),
)
JOURNAL = ("list", "show", "verify", "pull", "export", "accept")  # refundctl journal …
POLICY = ("new", "check", "build", "show", "diff", "push", "key", "pin")  # refundctl policy …
DECODE = ("zvt",)  # refundctl decode …
_TREES = {"journal": JOURNAL, "policy": POLICY, "decode": DECODE}
_GENERAL = ("--port", "--lang")  # with a value each; --json has none
_VALUES = ("--known", "--format", "--from", "--by", "--role", "--reason")  # of the journal's commands
_FILES = ("--key", "--out", "-o")  # of the policy's commands: names of files
_KNOWN = re.compile("[0-9]{1,10}:[0-9a-fA-F]{16}")


def ordered(arguments):
    """`arguments` with --port, --lang and --json in front, wherever they stood. WrongUsage for a card number or no
    command."""
    general, rest = [], []
    index = 0
    while index < len(arguments):
        word = arguments[index]
        if word in _GENERAL:
            index += 1
            if index == len(arguments):
                raise WrongUsage("missing_value", option=word, command="")
            # a device's name may hold a long serial number, but not be one
            if not re.search("[A-Za-z]", arguments[index]):
                _refuse_card_number([word, arguments[index]])
            general += [word, arguments[index]]
        elif word == "--json" or word.startswith(tuple(name + "=" for name in _GENERAL)):
            general.append(word)
        else:
            rest.append(word)
        index += 1
    _refuse_card_number(_without_names(rest))
    if "--help" not in rest and rest[:1] != ["--version"]:
        _check_command(rest)
    return general + rest


def command(arguments):
    """The command in a command line, "journal pull" for one of the journal's or the policy's; "" if there is none."""
    for index, word in enumerate(arguments):
        if word in COMMANDS:
            follows = arguments[index + 1] if index + 1 < len(arguments) else ""
            return f"{word} {follows}" if follows in _TREES.get(word, ()) else word
    return ""


def language(arguments):
    """What follows --lang, or None."""
    for index, word in enumerate(arguments):
        if word.startswith("--lang="):
            return word[7:]
        if word == "--lang":
            return arguments[index + 1] if index + 1 < len(arguments) else None
    return None


def _without_names(words):
    """`words` without the names of files, which may hold a date and a time, and without a record's digest: neither is a card
    number, and neither is sent; nor without a message to decode, which may hold one. A card's number alone is no message:
    none begins with a 0, and most of these do."""
    if words[:1] == ["policy"]:
        return _without_files(words)
    if words[:1] == ["decode"]:
        return words if re.fullmatch("[1-9][0-9 -]*", " ".join(words[2:])) else words[:2]
    if words[:1] == ["capture"] or words[:1] == ["replay"]:
        return [word for place, word in enumerate(words) if place != 1 or not _a_file(word)]
    if words[:1] == ["attest"] or words[:1] == ["explain"]:
        return _without_values(words, "--file" if words[0] == "attest" else "--from")
    if words[:1] != ["journal"]:
        return words
    kept, place, option = [], 0, None
    for word in words:
        if option:
            harmless = _a_file(word) if option == "--from" else option == "--known" and _KNOWN.fullmatch(word)
            option = None
        elif word.startswith("-"):
            harmless = word.startswith("--known=") and _KNOWN.fullmatch(word[8:])
            option = word if word in _VALUES else None
        else:
            harmless = place == (3 if words[1:2] == ["show"] else 2) and _a_file(word)
            place += 1
        if not harmless:
            kept.append(word)
    return kept


def _without_files(words):
    """All that a policy's command is given are names of files, but for --platform and --rounds."""
    kept, option = [], None
    for place, word in enumerate(words):
        name, _, value = word.partition("=")
        if word.startswith("-"):
            harmless = name in _FILES and value and _a_file(value)
            option = None if value else name
        else:
            harmless = place > 1 and (option is None or option in _FILES) and _a_file(word)
            option = None
        if not harmless:
            kept.append(word)
    return kept


def _without_values(words, option):
    """`words` without the names of files that follow `option`."""
    kept = []
    for place, word in enumerate(words):
        name, _, value = word.partition("=")
        follows = place and words[place - 1] == option and not word.startswith("-")
        if not (_a_file(word) and follows) and not (name == option and _a_file(value)):
            kept.append(word)
    return kept


def _a_file(word):
    return re.search("[A-Za-z]", word)


def _refuse_card_number(words):
    """A card number may stand in one word, or in several where its groups were typed with blanks."""
    words = [unicodedata.normalize("NFKC", word) for word in words]  # full-width digits are digits
    option = words[0] if words and re.fullmatch("[a-z]+", words[0]) else "refundctl"
    for word in words:
        named = re.match(r"(--?[a-z][a-z-]*)(?==|$)", word)
        option = named[1] if named else option
        if looks_like_pan(word):
            raise WrongUsage("card_number", option=option)
    digits, option = "", "refundctl"
    for word in [*words, "--"]:
        if re.fullmatch("[0-9 -]*[0-9][0-9 -]*", word):
            digits += word
            if looks_like_pan(digits):
                raise WrongUsage("card_number", option=option)
        else:
            named = re.match(r"(--?[a-z][a-z-]*)(?:=([0-9 -]*))?$", word)
            option, digits = (named[1], named[2] or "") if named else (option, "")


def _check_command(words):
    if not words:
        raise WrongUsage("no_command", commands=COMMANDS, command="")
    _check_word(words[0], COMMANDS)
    if words[0] in _TREES:
        if not words[1:]:
            raise WrongUsage("no_command", commands=_TREES[words[0]], command=f" {words[0]}")
        _check_word(words[1], _TREES[words[0]])


def _check_word(word, commands):
    if word not in commands and not word.startswith("-"):
        plain = word if re.fullmatch("[a-z]{1,20}", word) else ""
        nearest = next(iter(difflib.get_close_matches(plain, commands, n=1)), None)
        raise WrongUsage("no_such_command", nearest=nearest, commands=commands)
