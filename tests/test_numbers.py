"""What becomes of numbers on the way to a board (boards/numbers.py)."""

import pytest

from boards.numbers import Numbers

SOURCES = {
    "firmware_agent.wire.words": "HOLD, BLOCK = 3, 4\nNAMES = ('HOLD',)\n_BIT = 1 << 3 | HOLD\nLOW = -BLOCK\nTRUE = True\n",
    "firmware_agent.case": "from .wire.words import BLOCK, NAMES\nWAIT = 60 * BLOCK\n",
}


def placed(source, keep=False):
    return Numbers(SOURCES.get).placed("firmware_agent.checks.one", source, keep)


@pytest.mark.parametrize(
    "source, becomes",
    [
        ("from ..wire.words import HOLD\nx = [HOLD, 'HOLD', one.HOLD]", "x = [3, 'HOLD', one.HOLD]"),
        ("from ..case import BLOCK\nx = BLOCK", "x = 4"),  # handed on by whoever imports it
        ("from ..wire import words\nx = words.LOW + words.NAMES", "x = (-4) + words.NAMES"),
        ("from .. import case\nx = case.WAIT", "x = 240"),
        ("from ..wire.words import TRUE\nx = TRUE", "x = TRUE"),
        ("from somewhere import HOLD\nx = HOLD", "x = HOLD"),
    ],
)
def test_a_number_stands_where_its_name_was(source, becomes):
    assert placed(source).split("\n")[1:] == [becomes]


def test_what_defines_a_number_goes_and_every_line_stays_where_it_was():
    source = "_ONE = (\n    1\n)\nA, B = 1, 'b'\nx = _ONE\n"
    assert placed(source) == "\n\n\nA, B = 1, 'b'\nx = 1\n"
    assert placed(source, keep=True) == source.replace("x = _ONE", "x = 1")


@pytest.mark.parametrize(
    "source",
    [
        "SIZE = 1\ndef f(SIZE):\n    return SIZE",
        "SIZE = 1\nSIZE = 2\nx = SIZE",
        "SIZE = 1\ndef f():\n    global SIZE\n    SIZE += 1",
        "if x:\n    SIZE = 1\nelse:\n    SIZE = 2",
        "size = 1\nx = size",
    ],
)
def test_a_name_that_stands_for_more_than_one_number_stays(source):
    assert placed(source) == source
