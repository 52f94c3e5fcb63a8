"""`run --scenario`: the same file that `simulate` plays sets up an agent that runs."""

import json

import pytest

from boards import scenario, staged
from firmware_agent.wire import messages
from hal.sim.hardware import Hardware

from . import running
from .scenes import BASE, FILES, FOLDER

ASKED = {"receipt": 231, "amount": 1234, "currency": "EUR", "key": "till1-0001", "operator": "ben", "card": "1111"}


def test_every_scenario_can_be_staged(tmp_path):
    for path in FILES:
        scene, _ = scenario.read(path)
        (tmp_path / "hardware.json").write_text(json.dumps(staged.hardware(scene)))
        Hardware(str(tmp_path / "hardware.json"))  # refuses a state it cannot be
        options = staged.terminal_options(scene["terminal"])
        assert all(isinstance(word, str) for word in options) and options[::2] == ["--set"] * (len(options) // 2)


@pytest.mark.parametrize(
    ("name", "verdict", "cause"),
    [
        (BASE, messages.PASS, None),
        (FOLDER / "51_approval_missing/found.toml", messages.HOLD, 51),
        (FOLDER / "10_part_defective/found.toml", messages.BLOCK, 10),
        (FOLDER / "30_period_limit/found.toml", messages.HOLD, 30),
        (FOLDER / "54_outcome_unknown/found.toml", messages.BLOCK, None),
    ],
)
def test_an_agent_begins_where_the_scenario_says(name, verdict, cause, tmp_path):
    with running.Agent(tmp_path, options=["--scenario", str(name), "--change", "every_ms=200"]) as agent:
        found = {}
        for _ in range(100):  # until it has seen its hardware
            answer = agent.ask(messages.PREFLIGHT, {**ASKED, "settled": True, "expiry": 2812})
            found = {row["cause"] for row in answer["findings"] if row["status"] != messages.UNKNOWN}
            seen = {row["cause"] for row in answer["findings"]}
            if not {1, 4, 15} & seen and (cause is None or cause in found):
                break
        # the terminal beside it cannot tell what is not in its protocol: offline transactions
        assert answer["verdict"] == max(verdict, messages.WARN), answer
        assert cause is None or cause in found


def test_a_scenario_is_not_put_over_a_journal_that_is_there(tmp_path):
    with running.Agent(tmp_path) as agent:
        agent.ready()
    with pytest.raises(RuntimeError, match="has a journal already"):
        running.Agent(tmp_path, options=["--scenario", str(BASE)])
