"""Text in lines of a width in terminal cells, a Chinese character taking two."""

import re

from rich.cells import cell_len

BETWEEN = " · "
# A piece is never broken: a Chinese character with the marks that may not end or begin a line, a word with its marks, blanks.
_CHINESE = "\u2e80-\uffef"
_OPENING = "（［【《“‘"
_CLOSING = "，。、；：？！）］】》”’"
_PIECE = re.compile(rf"[{_OPENING}]*(?:[{_CHINESE}]|[^\s{_CHINESE}]+)[{_CLOSING}]*|\s+")


def folded(text, width):
    """`text` broken into lines, joined by line ends; lines it has already stay apart."""
    return "\n".join(line for part in text.split("\n") for line in _fold(part, width))


def _fold(text, width):
    lines, room = [""], width
    for piece in _PIECE.findall(text):
        size = cell_len(piece)
        if size > room and lines[-1]:
            lines[-1] = lines[-1].rstrip()
            lines.append("")
            room = width
            if piece.isspace():
                continue
        lines[-1] += piece
        room -= size
    return lines


def filled(parts, width):
    """Short parts in lines of at most `width`, none broken: a number stays beside its unit."""
    lines = []
    for part in parts:
        if lines and cell_len(lines[-1] + BETWEEN + part) <= width:
            lines[-1] += BETWEEN + part
        else:
            lines.append(part)
    return "\n".join(lines)


def typed(parts, width):
    """The parts of a command in lines of at most `width`, each but the last with the sign by which a shell goes on."""
    lines = []
    for part in parts:
        if lines and cell_len(lines[-1] + " " + part) <= width - 2:
            lines[-1] += " " + part
        else:
            lines.append(part if not lines else "  " + part)
    return " \\\n".join(lines)
