"""A scenario file that is wrong gets one clear line that says where and what; the page on the format knows every key."""

import copy
import datetime
import os
import random
import subprocess
import sys
from decimal import Decimal

import pytest

from boards import scenario, scenario_keys

from .running import ROOT
from .scenes import BASE

WRONG = {
    "the base is not there": ('base = "nothing.toml"', "nothing.toml: cannot be read: No such file or directory"),
    "it is its own base": ('base = "scenario.toml"', "more than 8 files stand on each other, or one on itself"),
    "the base is no text": ("base = 3", "base: a text of at most 200 bytes is needed"),
    "it is no TOML": ("now =", "Invalid value (at end of document)"),
    "remove is no list": ('base = "BASE"\nremove = "attest"', "remove: a list of texts is needed"),
    "remove without a base": ('remove = ["attest"]', "remove: there is no base to take it from"),
    "remove what is not there": ('base = "BASE"\nremove = ["hardware.pwer"]', "remove: there is no hardware.pwer in"),
    "remove a row that is not there": (
        'base = "BASE"\nremove = ["attest.noise"]',
        "remove: there is no attest.noise in",
    ),
    "an unknown section": ("[terminl]\ncode = 0", "terminl: there is no such key; did you mean terminal?"),
    "an unknown key": ("[terminal]\nlock = 0", "terminal.lock: there is no such key; did you mean locks?"),
    "an unknown key, near to none": ("[since]\nzzz = 0", "there are requests, reference_ahead_s, facts"),
    "an unknown key of the network": ("[hardware.network]\nhost = 3", "hardware.network.host: there is no such key"),
    "a key is missing": ("[[sale]]\nreceipt = 3", "sale 1: amount is missing"),
    "a key of the second row is missing": (
        '[[try]]\nwho = "ben"\n[[try]]\ncount = 3',
        "try 2: who is missing",
    ),
    "the request has no receipt": ("[request]\namount = 3", "request: receipt is missing"),
    "a table for a list": ("[refund]\nreceipt = 3", "refund: a list of tables is needed, [[refund]]"),
    "a list for a table": ("[[terminal]]\ncode = 3", "terminal: a table is needed"),
    "a word for a number": ('[hardware]\npower = "5 V"', "hardware.power: a whole number from 0 to 65535 is needed"),
    "a flag for a number": ("[terminal]\ncode = true", "terminal.code: a whole number from 0 to 255 is needed"),
    "a number too large": ("[terminal]\ncode = 256", "terminal.code: a whole number from 0 to 255 is needed"),
    "a number for a flag": ("[terminal]\nsilent = 1", "terminal.silent: true or false is needed"),
    "a trace that begins late": ("[hardware]\npower = [[5, 5000]]", "hardware.power: a trace must begin at 0 ms"),
    "a trace that goes back": ("[hardware]\npower = [[0, 1], [0, 2]]", "hardware.power: a trace must rise in time"),
    "a trace of words": (
        '[hardware]\npower = [[0, "5 V"]]',
        "hardware.power: a whole number from 0 to 65535 is needed",
    ),
    "an empty trace": ("[hardware]\npower = []", "hardware.power: a trace must begin at 0 ms"),
    "a trace of what": ("[hardware]\npower = [5000, 4000]", "hardware.power: a trace is [[from_ms, value], …]"),
    "a bad ago": ('[[try]]\nwho = "ben"\nago = "3 days"', 'try 1.ago: a number and s, m, h or d is needed, like "90s"'),
    "an ago of numbers": ('[[try]]\nwho = "ben"\nago = 3', "try 1.ago: a number and s, m, h or d is needed"),
    "a moment without an offset": ('[[try]]\nwho = "ben"\nat = 2026-11-24T10:00:00', "try 1.at: a moment like"),
    "a now of another kind": ('now = "noon"', "now: a moment like 2026-11-24T10:00:00Z is needed"),
    "a date as a moment": ("now = 2026-11-24", "now: a moment like 2026-11-24T10:00:00Z is needed"),
    "a date that is a text": (
        '[request]\nreceipt = 1\namount = 1\nsale_date = "today"',
        "request.sale_date: a date like",
    ),
    "a third decimal": ("[request]\nreceipt = 1\namount = 1.234", "request.amount: 1.234 is no amount in EUR"),
    "an amount in quotes": (
        '[request]\nreceipt = 1\namount = "1.00"',
        "request.amount: an amount like 12.34 is needed",
    ),
    "an amount below zero": ("[request]\nreceipt = 1\namount = -1", "request.amount: -1 is no amount in EUR"),
    "an infinite amount": ("[request]\nreceipt = 1\namount = inf", "request.amount: Infinity is no amount in EUR"),
    "no such currency": (
        '[request]\nreceipt = 1\namount = 1\ncurrency = "EUX"',
        "request.currency: there is no such currency, did you mean EUR?",
    ),
    "a currency the terminal does not know": (
        '[[sale]]\nreceipt = 1\namount = 1\ncurrency = "JPY"',
        "sale 1.currency: the terminal knows EUR, USD, CNY",
    ),
    "an approval of no amount": (
        '[[attest]]\nwhat = "approval"\namount = 1.5\ncurrency = "JPY"',
        "attest 1.amount: 1.5 is no amount in JPY",
    ),
    "a sale without a time": ('[[sale]]\nreceipt = 1\namount = 1\nago = "never"', "sale 1.ago: a sale has a time"),
    "no such state": ('[[refund]]\nreceipt = 1\namount = 1\nstate = "GONE"', "refund 1.state: one of REQUESTED, SENT"),
    "more in doubt than may be": (
        '[[refund]]\nreceipt = 1\namount = 1\nstate = "IN_DOUBT"\n' * 7,
        "refund: at most 6 are REQUESTED, SENT or IN_DOUBT at once",
    ),
    "a name too long": (f'[[try]]\nwho = "{"x" * 25}"', "try 1.who: a text of at most 24 bytes is needed"),
    "no such word": ('[[attest]]\nwhat = "weather"', "attest 1.what: one of damage, account_details, dispute"),
    "a card number": (
        '[request]\nreceipt = 1\namount = 1\noperator = "4111 1111 1111 1111"',
        "request.operator: card_number",
    ),
    "a card of five digits": ('[request]\nreceipt = 1\namount = 1\ncard = "11111"', "request.card: a text of 4 digits"),
    "no such fact": ("[since.facts]\nweather = 3", "since.facts.weather: there is no such fact"),
    "a fact of another kind": (
        "[since.facts]\nrequests = 1.5",
        "since.facts.requests: a whole number, a text or a moment",
    ),
    "facts are no table": ("[since]\nfacts = 3", "since.facts: a table is needed"),
    "rules are no table": ("rules = 3", "rules: a table is needed"),
    "a wrong rule": (
        'base = "BASE"\n[rules.device]\nmax_reboot = 3',
        "rules.device.max_reboot: [device] has no setting max_reboot (did you mean max_reboots?)",
    ),
    "rules and none": ('base = "BASE"\npolicy_state = 1', "policy_state: a policy that is not in force has no rules"),
    "an expectation": ('[expect]\nverdict = "FINE"', "expect.verdict: one of GO, WARN, HOLD, BLOCK is needed"),
    "a cause too many": ("[expect]\nfound = [61]", "expect.found: a list of causes, 1 to 60, is needed"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_file_gets_one_clear_line(name, tmp_path):
    text, says = WRONG[name]
    path = tmp_path / "scenario.toml"
    path.write_text(text.replace("BASE", str(BASE)))
    with pytest.raises(scenario.Wrong) as wrong:
        scenario.read(path)
    line = str(wrong.value)
    assert line.startswith(f"{tmp_path}/") and says in line and "\n" not in line, line


def test_bytes_that_are_no_text(tmp_path):
    path = tmp_path / "scenario.toml"
    path.write_bytes(b"title = '\xff'")
    with pytest.raises(scenario.Wrong):
        scenario.read(path)


def test_the_command_says_it_on_one_line(tmp_path):
    path = tmp_path / "scenario.toml"
    path.write_text("[terminal]\nlock = 0")
    for text, says in (("[terminal]\nlock = 0", "did you mean locks?"), ("title = 'x'", "[request] is missing")):
        path.write_text(text)
        run = [sys.executable, "-m", "boards.command", "simulate", str(path)]
        done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.count("\n") == 1 and says in done.stderr


def test_no_value_of_another_kind_escapes_as_a_traceback():
    """Every place of the base, and of a file that uses every section, with what does not belong there."""
    seed = int(os.environ.get("SEED") or random.randrange(1 << 32))
    print(f"SEED={seed}")
    chance = random.Random(seed)
    told = scenario.over(scenario.merged(BASE), _every_section())
    scenario.built(told, "every section")
    odd = (
        None,
        True,
        -1,
        3,
        10**20,
        Decimal("1.5"),
        Decimal("NaN"),
        "",
        "x" * 300,
        "4111111111111111",
        "\x00",
        [],
        [[]],
    )
    odd += ([3], [{}], [[0, None]], {}, {"a": 1}, [{"a": []}], datetime.date(2026, 1, 1), datetime.time(3))
    odd += (datetime.datetime(2026, 1, 1), datetime.datetime(1, 1, 1, tzinfo=datetime.UTC))
    wrong = 0
    for where in _places(told, ()):
        for value in chance.sample(odd, 5):
            changed = copy.deepcopy(told)
            inner = changed
            for step in where[:-1]:
                inner = inner[step]
            inner[where[-1]] = value
            try:
                scenario.built(changed, "scenario")
            except scenario.Wrong as error:
                wrong += 1
                assert "\n" not in str(error), (where, value, f"SEED={seed}")
            except Exception as error:
                raise AssertionError(f"{where} = {value!r} (SEED={seed})") from error
    assert wrong > 300


def _every_section():
    at = datetime.datetime(2026, 11, 20, tzinfo=datetime.UTC)
    return {
        "title": "every section",
        "now": datetime.datetime(2026, 11, 24, tzinfo=datetime.UTC),
        "for": 2,
        "terminal": {"currencies": {"EUR": 978}, "outcome": {"accepted": False, "code": 5}},
        "sale": [{"receipt": 1, "amount": 1, "trace": 1, "currency": "EUR", "card": "1111", "ago": "4d"}],
        "refund": [
            {
                "receipt": 1,
                "amount": 1,
                "currency": "EUR",
                "state": "sent",
                "key": "k",
                "code": 1,
                "wrong": 1,
                "at": at,
            },
            {"receipt": 1, "amount": 1, "code": "91", "scheme": "visa"},
        ],
        "attest": [
            {"what": "approval", "receipt": 1, "amount": 1, "by": "ben", "role": "cashier", "key": "k", "ago": "1s"}
        ],
        "try": [{"who": "ben", "count": 2, "ago": "never"}],
        "journal": {"boots": 1, "crashes": 1, "filled": 1, "damaged": True, "ago": "3d"},
        "since": {"requests": 1, "facts": {"batch_closed": at}},
        "request": {"sale_amount": 50, "settled": True},
        "expect": {"found": [3], "unknown": [4], "missing": "x"},
    }


def _places(told, where):
    for key, value in told.items() if isinstance(told, dict) else enumerate(told):
        yield (*where, key)
        if isinstance(value, dict | list):
            yield from _places(value, (*where, key))


def test_the_page_knows_every_key():
    page = (ROOT / "docs/scenarios.md").read_text()
    for section, keys in scenario_keys.SECTIONS.items():
        for key in keys:
            assert f"`{key}`" in page or f"`[{key}]`" in page or f"`[[{key}]]`" in page, (section, key)


def test_what_is_put_on_top(tmp_path):
    """Tables are put together, rows behind one another, everything else is replaced; what is removed goes first."""
    below = {"a": {"b": 1, "c": [1]}, "rows": [{"n": 1}], "gone": 1}
    above = {"a": {"c": [2]}, "rows": [{"n": 2}]}
    assert scenario.over(scenario.without(below, ["gone"]), above) == {
        "a": {"b": 1, "c": [2]},
        "rows": [{"n": 1}, {"n": 2}],
    }
    assert scenario.without(below, ["rows", "1"])["rows"] == []
    assert scenario.without(below, ["rows", "1", "n"])["rows"] == [{}]
    assert below["rows"] == [{"n": 1}]
    for names in (["a", "x"], ["x"], ["rows", "2"], ["gone", "x"]):
        with pytest.raises(LookupError):
            scenario.without(below, names)
