"""Both languages say everything, and the same things."""

import re
import string

import pytest
from rich.cells import cell_len

from firmware_agent import causes
from firmware_agent.wire import bodies, errors, messages
from host_tools import journal, link, pull, texts_en, texts_zh
from host_tools.lines import filled, folded
from host_tools.texts import LANGUAGES, Texts, language_of


def flat(value, path=()):
    """[(path, text)] of everything in a table."""
    if isinstance(value, str):
        return [(path, value)]
    items = value.items() if isinstance(value, dict) else enumerate(value)
    return [pair for key, item in items for pair in flat(item, (*path, key))]


def braces(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_tables_have_the_same_keys_and_the_same_braces():
    english, chinese = dict(flat(texts_en.TABLE)), dict(flat(texts_zh.TABLE))
    assert english.keys() == chinese.keys()
    assert {path for path in english if braces(english[path]) != braces(chinese[path])} == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_empty_or_left_in_the_other_language(language):
    for path, text in flat(LANGUAGES[language]):
        assert text.strip() or path == ("error", "nearest"), path
        han = re.search("[\u4e00-\u9fff]", text)
        if language == "en":
            assert not han, path
        elif path[0] in ("cause", "event", "state", "outcome", "error", "help", "who", "fact", "kept", "journal"):
            assert han, path


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_cause_fact_event_state_and_error_has_its_text(language):
    texts = Texts(language)
    table = LANGUAGES[language]
    assert set(table["cause"]) == {cause.number for cause in causes.every_cause()} == set(range(1, 61))
    assert set(table["who"]) == set(causes.PEOPLE)
    assert set(table["fact"]) == set(messages.FACTS.split())
    assert set(table["event"]) == {row.partition(":")[0] for row in messages.EVENTS.split()} | {"unknown"}
    assert set(table["state"]) == set(table["outcome"]) == set(messages.STATES)
    assert set(table["status"]) == set(messages.STATUSES)
    assert set(table["verdict"]) == set(messages.VERDICTS) - {"UNKNOWN"}
    assert set(bodies.FACTS.split()) | {"trace", "mmdd", "hhmmss"} == set(table["kept"])
    for name in errors.CODES.split():
        key = link.AgentError(errors.WireError(name).rc, None).key
        assert key == "agent_" + name and texts.has("error", key)
    for kind in [*vars(link).values(), *vars(pull).values(), *vars(journal).values()]:
        if isinstance(kind, type) and issubclass(kind, link.Failure):
            assert kind.key == "fault" or texts.has("error", kind.key)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_remedy_in_doubt_never_says_try_again(language):
    for number in (5, 35, 53, 54):
        remedy = Texts(language).cause(number)[2].lower()
        assert "try again" not in remedy and "再试" not in remedy and "重试" not in remedy


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_cause_is_short_enough_for_a_tired_cashier(language):
    for name, what, remedy in LANGUAGES[language]["cause"].values():
        assert len(name) <= 30 and len(what) <= 80 and len(remedy) <= 200


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8", "REFUNDCTL_LANG": "zh"}, "zh"),
    ],
)
def test_the_language_follows_the_locale(environment, language):
    assert language_of(environment) == language


@pytest.mark.parametrize("width", [20, 31, 64])
def test_lines_fit_and_no_line_begins_with_a_closing_mark(width):
    for language in LANGUAGES:
        for _, _, remedy in LANGUAGES[language]["cause"].values():
            lines = folded(remedy, width).split("\n")
            assert re.sub(r"\s", "", "".join(lines)) == re.sub(r"\s", "", remedy)
            assert all(cell_len(line) <= width and line[0] not in "，。、；：？！）" for line in lines)


def test_a_number_stays_beside_its_unit():
    assert filled(["supply 4,120 mV", "left 10.00 EUR"], 30) == "supply 4,120 mV\nleft 10.00 EUR"
    assert filled([], 30) == ""
