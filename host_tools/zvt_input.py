"""What `refundctl decode zvt` is given -> bytes: hexadecimal digits as people write them, a capture, or a log whose lines
have such digits."""

import re
import sys
from collections import namedtuple
from pathlib import Path

from . import zvt_stream
from .failures import OTHER, Failure, WrongUsage

LONGEST = 4 << 20  # bytes of a file: more than an hour of a busy line at 9600 baud, and some seconds of reading

_BETWEEN = r"[\s:;,._\-{}\[\]()\"'|]"
_BYTE = r"(?:(?:0[xX]|\\x)?[0-9A-Fa-f]{2})"
_RUN = re.compile(rf"(?<![0-9A-Za-z.]){_BYTE}(?:[ :,\-]{{0,2}}{_BYTE})*(?![0-9A-Za-z])")
_WHEN = re.compile(r"^\W*(?:\d{4}[-/.]\d\d[-/.]\d\d[T ]?)?(?:\d\d:\d\d(?::\d\d)?)?(?:[.,]\d+)?Z?[\s\]|]+|^\d+\.\d+\s+")
_ARROW = re.compile(r"<[-=<]+|[-=>]+>")
# a row as hexdump and xxd print it: offset, bytes, and what they are as text
_DUMP = re.compile(r"^\s*([0-9A-Fa-f]{4,8}):?(?:\s+((?:[0-9A-Fa-f]{2,4}\s{1,2})+).*)?\s*$")
_ROW = 16  # bytes
_BRACKETS = re.compile(r"\[((?:\s|\.\.|[0-9A-Fa-f]{2}\b)+)\]")
_STRUCK = ".."

# line: number of the line in a log, None for one stream; data: bytes, None where they are struck out in the log
Source = namedtuple("Source", "line data")


class NoHex(Failure):
    key, exit_status = "no_hex", OTHER


class TooMuch(Failure):
    key, exit_status = "too_much", OTHER


def sources(words):
    """[Source] of the words of the command line: one that names a file, "-" for stdin, or hexadecimal digits."""
    if words == ["-"]:
        return of_file(sys.stdin.buffer.read(LONGEST + 1), "stdin")
    if len(words) == 1 and _is_file(words[0]):
        return of_file(_bytes(words[0]), words[0])
    data = digits(" ".join(words))
    if data is None:
        raise WrongUsage("neither_hex_nor_file")
    if data == b"":
        raise WrongUsage("odd_hex")
    return [Source(None, data)]


def _is_file(word):
    try:
        return bool(word) and Path(word).exists()
    except (OSError, ValueError):
        return False


def _bytes(name):
    try:
        with open(name, "rb") as file:
            return file.read(LONGEST + 1)
    except OSError as error:
        raise Failure("cannot_read", file=name, reason=error.strerror)


def of_file(data, name):
    """[Source] of what a file holds."""
    if len(data) > LONGEST:
        raise TooMuch(file=name, have=f"{len(data):,}", most=f"{LONGEST:,}")
    text = _text(data)
    if text is None:
        return [Source(None, data)]
    found = _of_text(text)
    if not found:
        raise NoHex(file=name)
    return found


def _text(data):
    """The file as text; None if it is a capture."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    return text if all(sign.isprintable() or sign in "\t\r\n" for sign in text) else None


def _of_text(text):
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    dumped = _dumped([line + " " for _, line in lines])
    if dumped:
        return [Source(None, dumped)]
    plain = [Source(number, data) for number, line in lines if (data := digits(line))]
    if lines and len(plain) == len(lines):
        whole = Source(None, b"".join(source.data for source in plain))
        return [whole] if _unread([whole]) <= _unread(plain) else plain
    whole = digits(text)
    if whole:
        return [Source(None, whole)]
    return [Source(number, data) for number, line in lines if (data := of_line(line)) != b""]


def _dumped(lines):
    """The bytes of a dump; b"" if it is none: the offsets tell."""
    data = b""
    for line in lines:
        row = _DUMP.match(line)
        if not row or int(row[1], 16) != len(data):
            return b""
        data += bytes.fromhex("".join((row[2] or "").split()))[:_ROW]
    return data


def _unread(sources):
    return sum(piece.size for source in sources for piece in zvt_stream.split(source.data) if piece.kind == "damaged")


def digits(text):
    """The bytes of hexadecimal digits, with or without blanks, colons, commas, 0x, \\x or brackets between them; None if
    `text` is something else, b"" if a digit is left over."""
    tokens = [re.sub(r"^(?:0[xX]|\\x)", "", token) for token in re.split(rf"{_BETWEEN}+|(?=\\x)", text) if token]
    joined = "".join(f"0{token}" if len(token) == 1 else token for token in tokens)
    if not joined or re.search("[^0-9A-Fa-f]", joined):
        return None
    return b"" if len(joined) % 2 else bytes.fromhex(joined)


def of_line(line):
    """The bytes in a line of a log: in square brackets, behind an arrow, or the longest run; None where the log has struck
    some out, b"" where there are none."""
    bracket = _BRACKETS.search(line)
    if bracket:
        return None if _STRUCK in bracket[1] else bytes.fromhex("".join(bracket[1].split()))
    line = _WHEN.sub(" ", line)
    arrow = _ARROW.search(line)
    behind = _longest(line[arrow.end() :]) if arrow else ""
    return bytes.fromhex(behind or _longest(line, 6))


def _longest(line, least=2):
    """The longest run of hexadecimal digits, "" if none has so many; a word like "facade" is none."""
    runs = [re.sub(r"0[xX]|\\x|[ :,\-]", "", found[0]) for found in _RUN.finditer(line)]
    return max((run for run in runs if len(run) >= least and re.search("[0-9]", run)), key=len, default="")
