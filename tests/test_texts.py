"""Both languages say everything, and the same things."""

import re
import string
from pathlib import Path

import pytest
from rich.cells import cell_len

from firmware_agent import causes
from firmware_agent.wire import bodies, errors, messages
from host_tools import documents, journal, link, measures, pull, texts_en, texts_zh
from host_tools.lines import filled, folded
from host_tools.texts import LANGUAGES, Texts, language_of

# The lines that a board shows: {language: {number: text}}.
DEVICE = {
    language: {
        number: line.partition(" ")[2]
        for number, line in enumerate(
            (Path(causes.PATH).parent / f"causes_{language}.txt").read_text("utf-8").splitlines(), 1
        )
    }
    for language in LANGUAGES
}


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
    assert set(bodies.FACTS.split()) | {"trace", "mmdd", "hhmmss", "card_token"} == set(table["kept"])
    for name in errors.CODES.split():
        key = link.AgentError(errors.WireError(name).rc, None).key
        assert key == "agent_" + name and texts.has("error", key)
    for kind in [*vars(link).values(), *vars(pull).values(), *vars(journal).values()]:
        if isinstance(kind, type) and issubclass(kind, link.Failure):
            assert kind.key == "fault" or texts.has("error", kind.key)


IN_DOUBT = (5, 35, 53, 54)  # causes where the buyer may have been paid already
REPEATING = {"en": ("try again", "retry", "once more", "repeat it"), "zh": ("再试", "重试", "再退一次", "重做")}
# What stands in Latin letters in Chinese as well: commands, and the words a Chinese technician writes so.
LATIN = r"refundctl( [a-z]+)*|journal verify|--(not-)?done|POS|PIN|USB|SIM|Wi-Fi"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_remedy_in_doubt_never_says_try_again(language):
    for number in IN_DOUBT:
        about = Texts(language).cause(number)
        for text in (about.remedy, *about.steps, about.avoid, about.call, DEVICE[language][number]):
            assert not [word for word in REPEATING[language] if word in text.lower()], text


def test_in_doubt_the_first_thing_not_to_do_is_to_pay_again():
    for number in IN_DOUBT:
        for text in (Texts("en").cause(number).avoid, DEVICE["en"][number]):
            assert re.search("[Dd]o not repeat the refund", text) and re.search("pay (out )?(no )?cash", text), text
        for text in (Texts("zh").cause(number).avoid, DEVICE["zh"][number]):
            assert re.search("(不要|勿)重复退款", text) and "付现金" in text, text


def test_a_restart_is_advised_once_and_never_in_doubt():
    """Only cause 13 has the terminal restarted, and its first step looks for refunds in doubt."""
    for language, restart, doubt in (("en", "restart the", "in doubt"), ("zh", "重启一次", "结果未明")):
        for number, about in LANGUAGES[language]["cause"].items():
            advised = [restart in step.lower() for step in about.steps]
            assert any(advised) == (number == 13), number
        steps = Texts(language).cause(13).steps
        assert "refundctl status" in steps[0] and doubt in steps[0] and restart not in steps[0].lower()
        assert doubt in DEVICE[language][13] and doubt in Texts(language).cause(13).avoid


def test_another_terminal_is_advised_only_without_a_doubt_here():
    for language, other, doubt in (("en", "refund on a", "in doubt"), ("zh", "可换一台", "结果未明")):
        steps = [
            step for about in LANGUAGES[language]["cause"].values() for step in about.steps if other in step.lower()
        ]
        assert len(steps) == 3 and all(doubt in step for step in steps)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_cause_is_short_enough_for_a_tired_cashier(language):
    longest = {"en": 110, "zh": 60}[language]
    for name, what, remedy, *_ in LANGUAGES[language]["cause"].values():
        assert len(name) <= 30 and len(what) <= 80 and len(remedy) <= 200
    for about in LANGUAGES[language]["cause"].values():
        assert 2 <= len(about.steps) <= 5 and max(len(step) for step in about.steps) <= longest, about.name
        assert max(len(about.why), len(about.avoid), len(about.call)) <= longest + 20, about.name
        for text in about[1:4] + about.steps + about[5:]:
            assert text[-1] in {"en": ".", "zh": "。"}[language], text


def test_both_languages_take_the_same_steps():
    for number in range(1, 61):
        assert len(Texts("en").cause(number).steps) == len(Texts("zh").cause(number).steps), number


def test_no_english_is_left_in_chinese_but_standard_terms():
    for number, about in LANGUAGES["zh"]["cause"].items():
        for _, text in [*flat(about), ((), DEVICE["zh"][number])]:
            assert not re.search("[A-Za-z]", re.sub(LATIN, "", text)), text
            assert not re.search("[,;:?!()]", text), text  # Chinese has marks of its own


def test_every_command_in_a_step_exists():
    known = {"status", "journal list", "journal verify", "journal pull", "settle", "causes"}
    for language in LANGUAGES:
        for _, text in flat(LANGUAGES[language]["cause"]):
            for found in re.findall(r"refundctl ((?:journal )?[a-z]+)", text):
                assert found in known, text


def test_the_texts_on_the_device_are_sixty_lines_within_their_bounds():
    for language, longest in (("en", 150), ("zh", 180)):
        lines = (Path(causes.PATH).parent / f"causes_{language}.txt").read_bytes().decode().split("\n")
        assert lines.pop() == "" and len(lines) == 60
        for number, line in enumerate(lines, 1):
            begin, _, text = line.partition(" ")
            assert begin == str(number) and text == text.strip() and len(line.encode()) <= longest, line
            assert text[-1] == {"en": ".", "zh": "。"}[language]
            assert bool(re.search("[\u4e00-\u9fff]", text)) == (language == "zh") == (not text.isascii())


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
        for _, text in flat(LANGUAGES[language]["cause"]):
            lines = folded(text, width).split("\n")
            assert re.sub(r"\s", "", "".join(lines)) == re.sub(r"\s", "", text)
            assert all(cell_len(line) <= width and line[0] not in "，。、；：？！）" for line in lines)


def test_a_terminal_that_does_not_answer_is_said_so_and_not_that_data_is_missing():
    for language in LANGUAGES:
        texts = Texts(language)
        answer = {"cause": 1, "status": messages.UNKNOWN, "evidence": {"terminal_silent": 3, "missing": "terminal"}}
        found = documents.finding(texts, answer)
        assert found["text"] == texts("word", "silent_text") and "ZVT" in found["remedy"]
        answer["evidence"]["terminal_silent"] = 0  # not asked yet
        assert documents.finding(texts, answer)["remedy"] == texts("word", "unknown_remedy")


def test_what_is_measured_has_its_unit_and_what_is_so_or_not_is_said_in_words():
    texts = Texts("en")
    for fact, number, text in (
        ("supply_mv", 4120, "4,120 mV"),
        ("temperature_c", -3, "-3 °C"),
        ("network_signal", 80, "80 %"),
        ("network_loss", 5, "5 %"),
        ("wear_percent", 0, "0 %"),
        ("battery_percent", 20, "20 %"),
        ("clock_drift_s", -3593, "-3,593 s"),
        ("network_dns", 1, "yes"),
        ("network_tls", 0, "no"),
        ("safe_mode", 1, "yes"),
        ("crashes", 2, "2"),
    ):
        assert measures.value(texts, fact, number) == text


def test_a_number_stays_beside_its_unit():
    assert filled(["supply 4,120 mV", "left 10.00 EUR"], 30) == "supply 4,120 mV\nleft 10.00 EUR"
    assert filled([], 30) == ""
