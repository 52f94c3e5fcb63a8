"""The two lines of a till's display, drawn with plain characters."""

import unicodedata

WIDTH = 40  # places of a line, as tills have them; a letter of Chinese takes two
_LEAST = 2  # lines


def width(text):
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def wrapped(text):
    """Lines of at most WIDTH places, broken between words where there is a space."""
    lines = []
    for line in text.split("\n"):
        row = ""
        for word in line.split(" "):
            longer = row + " " + word if row else word
            if width(longer) <= WIDTH:
                row = longer
                continue
            if row:
                lines.append(row)
            while width(word) > WIDTH:
                size = next(size for size in range(len(word), 0, -1) if width(word[:size]) <= WIDTH)
                lines.append(word[:size])
                word = word[size:]
            row = word
        lines.append(row)
    return lines


def box(text):
    """The display as text of several lines."""
    lines = wrapped(text)
    lines += [""] * (_LEAST - len(lines))
    edge = "+" + "-" * (WIDTH + 2) + "+"
    rows = ["| " + line + " " * (WIDTH - width(line)) + " |" for line in lines]
    return "\n".join([edge, *rows, edge])


class Screen:
    """`draw(text)` draws each box. `shown`: what stood there since `clear()`, oldest first, lines parted by line feeds."""

    MOST = 100  # a terminal that talks for ever is shown for ever, and this many are told at the end

    def __init__(self, draw):
        self._draw = draw
        self.shown = []
        self._now = None

    def clear(self):
        self.shown = []
        self._now = None

    def show(self, text):
        if text == self._now:
            return  # a terminal that waits says so each second
        self._now = text
        self.shown = [*self.shown, text][-self.MOST :]
        self._draw(box(text))
