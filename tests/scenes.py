"""Scenarios for tests: which files there are, and what a played one answered."""

from pathlib import Path

from boards import scenario
from boards.scene import verdict
from firmware_agent import causes
from firmware_agent.wire import messages
from firmware_agent.wire.messages import PASS, UNKNOWN

FOLDER = Path(__file__).parent / "scenarios"
BASE = FOLDER / "base.toml"
CAUSES = {row.number: row for row in causes.every_cause()}
FOLDERS = {number: FOLDER / f"{number:02}_{row.key}" for number, row in CAUSES.items()}
FILES = sorted(FOLDER.glob("[0-9]*/*.toml"))


class Answer:
    """worst: the verdict's number; statuses {cause: status}; evidence {cause: {name: value}}, of causes that do not pass."""

    def __init__(self, packed):
        values = messages.unpack(messages.PREFLIGHT_ANSWER, packed)
        self.worst = values["verdict"]
        self.statuses = {row["cause"]: row["status"] for row in values["findings"]}
        self.evidence = {row["cause"]: row["evidence"] for row in values["findings"]}
        self.passed = list(values["passed"])

    @property
    def verdict(self):
        return messages.VERDICTS[self.worst]

    @property
    def found(self):
        return sorted(cause for cause, status in self.statuses.items() if status not in (PASS, UNKNOWN))

    @property
    def unknown(self):
        return sorted(cause for cause, status in self.statuses.items() if status == UNKNOWN)


def played(scene):
    return Answer(verdict(scene))


def base():
    """The scene in which everything passes; a new one each time, to be changed."""
    scene, _ = scenario.read(BASE)
    return scene
