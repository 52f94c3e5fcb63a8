"""Each of the sixty causes has scenarios that provoke it and nothing else, that just miss it, and that lack its data.

A file found*.toml provokes the cause of its folder, near*.toml must not, missing.toml must say UNKNOWN; [expect] says the
rest.
"""

import json
import subprocess
import sys

import pytest

from boards import command, scenario
from boards.scene import verdict
from firmware_agent.wire import cbor
from firmware_agent.wire.names import FACTS

from .running import ROOT, micropython_here
from .scenes import BASE, CAUSES, FILES, FOLDER, FOLDERS, base, played


def cause_of(path):
    return int(path.parent.name[:2])


def name_of(path):
    return path.relative_to(FOLDER).as_posix()[:-5]


def test_each_cause_has_its_folder_with_all_three_kinds():
    assert sorted(path.name for path in FOLDER.iterdir() if path.is_dir()) == sorted(
        path.name for path in FOLDERS.values()
    )
    for folder in FOLDERS.values():
        names = {path.stem for path in folder.iterdir()}
        assert {"found", "near", "missing"} <= names, folder
    assert len(FILES) >= 180


def test_every_title_is_said_once():
    titles = [scenario.parsed(path).get("title") for path in FILES]
    assert all(titles)
    shared = {title for title in titles if titles.count(title) > 1}
    assert shared <= {"A record of the journal cannot be read any more", "No policy was ever put on this device"}, (
        shared
    )


def test_in_the_base_every_check_passes():
    scene, about = scenario.read(BASE)
    answer = played(scene)
    assert (answer.verdict, answer.statuses, sorted(answer.passed)) == (about["expect"]["verdict"], {}, sorted(CAUSES))


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_scenario_ends_as_it_says(path):
    scene, about = scenario.read(path)
    expected = about["expect"]
    answer = played(scene)
    assert (answer.verdict, answer.found, answer.unknown) == (
        expected["verdict"],
        sorted(expected.get("found", [])),
        sorted(expected.get("unknown", [])),
    )
    cause = cause_of(path)
    kind = path.stem.partition("-")[0]
    if kind == "found":
        assert cause in answer.found
        if path.stem == "found":  # and nothing else, and as badly as the catalogue says
            assert answer.found == [cause] and answer.verdict == CAUSES[cause].found
        _check_evidence(answer.evidence[cause])
    elif kind == "near":
        assert cause not in answer.statuses
        if path.stem == "near":
            assert (answer.verdict, answer.found) == ("GO", [])
    elif kind == "missing":
        assert cause in answer.unknown and expected["missing"]
    if "missing" in expected:
        assert answer.evidence[cause]["missing"] == expected["missing"]


def _check_evidence(evidence):
    """Names that have a number on the wire, with numbers or a single word: a key, a version, a name."""
    assert evidence and "missing" not in evidence
    for name, value in evidence.items():
        assert name in FACTS.split()
        assert isinstance(value, int) or (isinstance(value, str) and len(value) <= 36 and not value.count(" ")), name


# Causes of the bits of TLV 1F55: byte 1, byte 2, bit 0 first (PA00P015).
LOCKS = (12, 47, 17, 1, 1, 13, 47, 33, 10, 10, 4, 21, 56, 1, 10, 14)


@pytest.mark.parametrize("bit", range(16))
def test_each_lock_of_the_terminal_leads_to_its_cause_alone(bit):
    scene = base()
    scene["terminal"]["locks"] = 1 << bit
    answer = played(scene)
    assert (answer.found, answer.unknown) == ([LOCKS[bit]], [])
    assert answer.evidence[LOCKS[bit]]["terminal_locks"] == 1 << bit


def test_micropython_gives_the_same_answers_byte_for_byte(monkeypatch, record_count):
    if not micropython_here():
        pytest.skip("there is no MicroPython for this machine")
    monkeypatch.setenv("REFUND_AGENT_HEAP", "256k")
    paths = [*FILES, *FOLDER.glob("*.toml")]
    scenes = [scenario.read(path)[0] for path in paths]
    ours = [cbor.encode(verdict(scene)) for scene in scenes]
    # what is decoded on the way has this one encoding
    theirs = [cbor.encode(answer) for answer in command.played(scenes, command.Runtime.micropython)]
    assert [name_of(path) for path, one, other in zip(paths, ours, theirs, strict=True) if one != other] == []
    record_count("scenarios played on both runtimes, with the same answers", len(scenes))


@pytest.mark.parametrize("runtime", ["cpython", "micropython"])
def test_the_command_plays_one(runtime):
    if runtime == "micropython" and not micropython_here():
        pytest.skip("there is no MicroPython for this machine")
    run = [sys.executable, "-m", "boards.command", "simulate", "--runtime", runtime]
    path = FOLDERS[4] / "found.toml"
    done = subprocess.run([*run, str(path), "--json", "--all"], cwd=ROOT, capture_output=True, text=True)
    document = json.loads(done.stdout)
    assert (done.returncode, done.stderr, document["verdict"]) == (3, "", "HOLD")
    assert [one["key"] for one in document["findings"] if one["status"] != "PASS"] == ["supply_unstable"]
    assert len(document["findings"]) == 60
    done = subprocess.run([*run, str(path), "--lang", "zh"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 3 and "电" in done.stdout
