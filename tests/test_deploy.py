"""Deploying to a board: whenever it is cut, the board starts the agent it had or the new one, whole; and nothing of anybody
else's is touched."""

import builtins
import json
import os
import random
import re
import subprocess
import sys
import time
import types
from copy import deepcopy
from hashlib import sha256

import pytest
import serial

from boards import checked, used
from boards.compiled import ROOT
from boards.slots import Slots
from firmware_agent.wire import messages
from host_tools import deploy, deploy_check, deploy_repl, deploy_run, deploy_wait, documents, link, refundctl
from host_tools.deploy_board import Board
from host_tools.failures import Failure
from host_tools.texts import LANGUAGES, Texts

from .board_files import BLOCK, Cut, Files
from .fake_agent import STATUS, FakeAgent
from .fake_repl import FakeRepl
from .raw_repl_bridge import Board as Bridge

DEEP = bool(os.environ.get("DEEP"))
CUTS = 200 if DEEP else 20  # of each scenario and file system
STRIDE = 1 if DEEP else 3
NAME = "some_board"
DATA = {"NAME": NAME, "PLATFORM": "linux", "DRIVERS": {"flash": "sim", "link": "stdio"}}
THEIRS = {
    "/boot.py": b"import theirs\n",
    "/notes.txt": b"1234",
    "/lib/theirs.py": b"x = 1\n",
    "/state/journal.flash": bytes(range(256)) * 20,
    "/a.mpy": b"not a slot",
}


def agent(seed, largest=1500):
    """({name: bytes} of an agent, its slots.mpy). Some files are the same whatever the seed."""
    chance, same = random.Random(seed), random.Random(0)
    files = {f"same{n}.mpy": b"M\x06" + same.randbytes(same.randrange(largest)) for n in range(3)}
    files |= {f"other{n}.mpy": b"M\x06" + chance.randbytes(chance.randrange(largest)) for n in range(3)}
    files |= {f"only{seed}.mpy": b"M\x06", "causes.txt": chance.randbytes(largest), "empty.txt": b""}
    return files, b"M\x06" + random.Random(seed // 2).randbytes(min(largest, 900))


def deployment(seed, largest=1500):
    return deploy.Deployment(NAME, DATA, *agent(seed, largest))


EVERY = [deployment(seed, largest) for seed in (1, 2, 3) for largest in (3, 1500)]


def run(files, one, replace_main=False, repl=None):
    """Deploys to Files; the Plan."""
    board = Board(repl or FakeRepl(files))
    plan = one.plan(board, replace_main)
    one.carry_out(board, plan, lambda done, total: None)
    return plan


def starts(files):
    """Slot that the board starts now."""
    return Slots("/", files, files.open).choose()


def boots(files, slots):
    """What main.py starts once the power is back, by one of the whole slots.mpy given; None if there is no main.py yet."""
    started = []

    def find(name, *_):
        if name == "os":
            return files
        if "/slots.mpy" not in files.files:
            raise ImportError
        assert files.files["/slots.mpy"] in slots
        return types.SimpleNamespace(run=lambda: started.append(starts(files)))

    if "/main.py" in files.files:
        exec(files.files["/main.py"], {"__builtins__": {**vars(builtins), "__import__": find}})
    return started[0] if started else None


def confirm(files):
    Slots("/", files, files.open).confirm()


def holds(files, slot, one):
    """True if all files of a Deployment are in a slot as they should be, and none of another."""
    there = files.folder("/" + slot)
    return {name: there.get(name) for name in one.files} == one.files and set(there) == {*one.files, "files", "release"}


def board_with(kind, *seeds, confirmed=True, largest=1500, blocks=256):
    """Files of a board where agents were deployed one after the other."""
    files = Files(kind, blocks)
    files.folders |= {"/lib", "/state"}
    files.files |= THEIRS
    for seed in seeds:
        run(files, deployment(seed, largest))
        starts(files)
        if confirmed:
            confirm(files)
    return files


def their_main(files):
    files.files["/main.py"] = b"print('theirs')\n"


# A board before, and which agent is deployed then.
SCENARIOS = {
    "a new board": (lambda kind, largest: board_with(kind, largest=largest), [], 2),
    "a second agent": (lambda kind, largest: board_with(kind, 1, largest=largest), [1], 2),
    "a third agent": (lambda kind, largest: board_with(kind, 1, 2, largest=largest), [2], 3),
    "one on trial gives way": (
        lambda kind, largest: on_trial(board_with(kind, 1, largest=largest), 2, largest),
        [1, 2],
        3,
    ),
    "one that went back gives way": (
        lambda kind, largest: went_back(board_with(kind, 1, largest=largest), 2, largest),
        [1],
        3,
    ),
    "one that went back is tried again": (
        lambda kind, largest: went_back(board_with(kind, 1, largest=largest), 2, largest),
        [1],
        2,
    ),
    "a first one on trial": (
        lambda kind, largest: board_with(kind, 1, confirmed=False, largest=largest),
        [1],
        2,
    ),
}


def on_trial(files, seed, largest):
    run(files, deployment(seed, largest))
    starts(files)
    return files


def went_back(files, seed, largest):
    run(files, deployment(seed, largest))
    for _ in range(4):
        starts(files)
    return files


def after_a_cut(files, olds, new):
    """What must hold whenever the power was cut."""
    files.power_on()
    assert {path: files.files.get(path) for path in THEIRS} == THEIRS
    for slot in "ab":
        if Slots("/", files, files.open).release(slot):
            assert any(holds_all(files, slot, one) for one in EVERY), "what is called whole is whole"
    slot = boots(files, [one.slots for one in [*olds, new]])
    if olds:
        assert slot is not None, "an agent starts"
    if slot is not None:
        assert any(holds_all(files, slot, one) for one in [*olds, new]), "the agent that starts is whole"


def holds_all(files, slot, one):
    there = files.folder("/" + slot)
    return all(there.get(name) == data for name, data in one.files.items())


def cut_once(make, olds, new, step, chance):
    """One deployment cut at a step, perhaps the next one too; then one that is not. False: it was over before that step."""
    files = make()
    began = files.steps
    files.cut_at = began + step
    try:
        run(files, new)
    except Cut:
        pass
    else:
        return False
    after_a_cut(files, olds, new)
    if chance.random() < 0.3:
        files.cut_at = files.steps + chance.randrange(step + 1)
        try:
            run(files, new)
        except Cut:
            pass
        after_a_cut(files, olds, new)
    whole = {name for name in files.folder("/a") if files.folder("/a")[name] == new.files.get(name)}
    whole_b = {name for name in files.folder("/b") if files.folder("/b")[name] == new.files.get(name)}
    plan = run(files, new)
    there = whole if plan.target == "a" else whole_b
    assert not there & set(plan.copy), "what is there is not copied again"
    assert starts(files) == plan.target and holds(files, plan.target, new)
    assert files.files["/slots.mpy"] == new.slots
    confirm(files)
    assert run(files, new).nothing
    return True


@pytest.fixture(scope="module")
def cut_count(record_count):
    counted = []
    yield counted
    record_count("deployments cut", len(counted))


@pytest.mark.parametrize("kind", ["littlefs", "fat"])
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_deployment_cut_at_random_bytes_leaves_a_whole_agent_and_goes_on(kind, name, cut_count):
    make, olds, seed = SCENARIOS[name]
    chance = random.Random(name + kind)
    start = make(kind, 1500)
    done = deepcopy(start)
    run(done, deployment(seed))
    steps = done.steps - start.steps
    for _ in range(CUTS):
        step = chance.randrange(steps)
        assert cut_once(lambda: deepcopy(start), [deployment(old) for old in olds], deployment(seed), step, chance)
        cut_count.append(step)


@pytest.mark.parametrize("kind", ["littlefs", "fat"])
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_deployment_cut_at_every_step_leaves_a_whole_agent(kind, name, cut_count):
    """Of an agent of tiny files, so that the steps are those that are not the bytes of files."""
    make, olds, seed = SCENARIOS[name]
    chance = random.Random(name + kind)
    start = make(kind, 3)
    step = 0
    while cut_once(lambda: deepcopy(start), [deployment(old, 3) for old in olds], deployment(seed, 3), step, chance):
        cut_count.append(step)
        step += STRIDE
    assert step > 100


@pytest.mark.parametrize("seed", range(40))
def test_a_pulled_cable_leaves_the_old_agent_and_the_next_run_goes_on(seed, cut_count):
    chance = random.Random(seed)
    files = board_with("littlefs", 1)
    old, new = deployment(1), deployment(2)
    repl = FakeRepl(deepcopy(files))
    run(repl.files, new, repl=repl)
    with pytest.raises(deploy_repl.ReplLost):
        run(files, new, repl=FakeRepl(files, lost_after=chance.randrange(repl.sent)))
    after_a_cut(files, [old], new)
    plan = run(files, new)
    assert starts(files) == plan.target and holds(files, plan.target, new)
    cut_count.append(seed)


def test_only_what_differs_is_copied_and_what_is_not_needed_goes():
    files = board_with("littlefs", 1, 2)
    plan = run(files, deployment(3))
    assert plan.target == "a" and not [name for name in plan.copy if name.startswith("same")]
    assert plan.stale == ["only1.mpy"]
    assert holds(files, "a", deployment(3)) and holds(files, "b", deployment(2))


def test_what_somebody_put_into_a_slot_stays():
    files = board_with("littlefs", 1, 2)
    files.files["/a/theirs.py"] = b"x"
    run(files, deployment(3))
    assert files.files["/a/theirs.py"] == b"x"


def test_a_file_that_turns_out_wrong_is_sent_again_and_then_given_up():
    files = board_with("littlefs", 1)
    files.broken = {"/b/other1.mpy.new": 2}
    run(files, deployment(2))
    assert holds(files, "b", deployment(2))
    files = board_with("littlefs", 1)
    files.broken = {"/b/other1.mpy.new": 3}
    with pytest.raises(Failure) as failed:
        run(files, deployment(2))
    assert failed.value.key == "deploy_not_whole" and failed.value.fields == {"file": "b/other1.mpy"}
    assert starts(files) == "a"


def test_a_board_that_hears_nothing_restarts_by_itself():
    files = board_with("littlefs", 1)
    repl = FakeRepl(files)
    run(files, deployment(2), repl=repl)
    assert set(repl.timers) == {60000} and len(repl.timers) > 10


def refused(files, one=None, replace_main=False, **implementation):
    """The Failure of a deployment, with its line in both languages; nothing was changed."""
    before = dict(files.files)
    with pytest.raises(Failure) as failed:
        run(files, one or deployment(2), replace_main, FakeRepl(files, **implementation))
    for language in LANGUAGES:
        assert documents.error_line(Texts(language), failed.value)
    assert files.files == before
    return failed.value


@pytest.mark.parametrize(
    ("implementation", "key"),
    [
        ({"name": "circuitpython"}, "deploy_not_micropython"),
        ({"version": (1, 26, 1)}, "deploy_old_firmware"),
        ({"version": (0, 99)}, "deploy_old_firmware"),
        ({"_mpy": 0x1305}, "deploy_other_mpy"),
        ({"_mpy": None}, "deploy_other_mpy"),
        ({"platform": "esp32"}, "deploy_other_board"),
    ],
)
def test_firmware_that_does_not_do_is_refused(implementation, key):
    assert refused(board_with("littlefs", 1), **implementation).key == key


@pytest.mark.parametrize(
    ("theirs", "key"),
    [
        ({"/main.py": b"print(1)\n"}, "deploy_foreign_main"),
        ({"/slots.mpy": b"theirs"}, "deploy_foreign"),
        ({"/slot": b"theirs"}, "deploy_foreign"),
        ({"/slot": b"a 1\n"}, "deploy_foreign"),
        ({"/a/theirs.py": b""}, "deploy_foreign"),
        ({"/b/theirs.py": b""}, "deploy_foreign"),
    ],
)
def test_somebody_elses_files_are_not_overwritten(theirs, key):
    files = Files()
    files.folders |= {"/a", "/b"}
    files.files |= theirs
    assert refused(files).key == key


def test_somebody_elses_main_is_kept_where_it_may_be_replaced():
    files = Files()
    their_main(files)
    files.files["/main.py.before"] = b"older\n"
    plan = run(files, deployment(1), replace_main=True)
    assert plan.keep_main == "main.py.before2"
    assert files.files["/main.py.before2"] == b"print('theirs')\n" and files.files["/main.py.before"] == b"older\n"
    assert files.files["/main.py"] == deploy.MAIN.encode()


def test_a_main_of_comments_is_nobodys_and_kept_all_the_same():
    files = Files()
    files.files["/main.py"] = b"# main.py -- put your code here!\r\n\r\n"
    run(files, deployment(1))
    assert files.files["/main.py.before"] == b"# main.py -- put your code here!\r\n\r\n"


def test_a_board_without_room_says_how_much_is_needed_and_is_left_as_it_was():
    files = board_with("littlefs", 1)
    files.blocks = files.used() + 6
    failure = refused(files)
    assert failure.key == "deploy_no_room" and failure.fields["free"] == 6 * BLOCK
    files.blocks = files.used() + failure.fields["needed"] // BLOCK
    run(files, deployment(2))


def test_room_that_goes_in_the_midst_is_said_and_the_old_agent_starts():
    files = board_with("littlefs", 1)
    board = Board(FakeRepl(files))
    plan = deployment(2).plan(board)
    files.blocks = files.used() + 5  # somebody's log grows meanwhile
    with pytest.raises(deploy.NoRoom):
        deployment(2).carry_out(board, plan, lambda done, total: None)
    assert starts(files) == "a" and holds(files, "a", deployment(1))


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"POWER": {"pin": 26, "divider": (0, 0), "adc_mv": 3300}}, "deploy_bad_divider"),
        ({"POWER": {"pin": 26, "divider": (1000, 10000), "adc_mv": 3300}}, "deploy_divider_burns"),
        ({"POWER": {"pin": 26, "divider": (1000000, 100), "adc_mv": 3300}}, "deploy_divider_blind"),
        ({"POWER": {"pin": 23, "divider": (10000, 10000), "adc_mv": 3300}}, "deploy_no_such_pin"),
        ({"POWER": {"pin": 0, "divider": (10000, 10000), "adc_mv": 3300}}, "deploy_pin_no_adc"),
        ({"FLASH": {"size": 10000, "sector": 4096, "unit": 4}}, "deploy_bad_region"),
        ({"CHIP": "Z80"}, "deploy_bad_chip"),
        ({}, None),
    ],
)
def test_a_board_whose_data_cannot_be_is_one_line_before_anything_is_opened(changes, key):
    data = {**used.board("rp2040_pico"), **changes}
    if key is None:
        return deploy_check.data(NAME, data)
    with pytest.raises(Failure) as failed:
        deploy_check.data(NAME, data)
    assert failed.value.key == key
    assert all(documents.error_line(Texts(language), failed.value) for language in LANGUAGES)


def test_every_fault_of_a_board_has_its_text():
    keys = re.findall(r"[a-z_]+", checked.faults.__doc__.partition("Keys:")[2])
    assert len(keys) > 10
    for key in keys:
        assert all(Texts(language).has("error", "deploy_" + key) for language in LANGUAGES), key


@pytest.mark.parametrize(("start", "fits"), [(-1, False), (0, True), (1, True)])
def test_a_journal_that_would_overlap_the_file_system_is_refused(start, fits):
    about = Board(FakeRepl(Files())).about
    data = {
        **DATA,
        "DRIVERS": {"flash": "region"},
        "REGION": {"start": about.size + start * BLOCK},
        "FLASH": {"size": 49152},
        "POLICY_FLASH": {"size": 16384},
    }
    if fits:
        return deploy_check.region(about, data, None)
    with pytest.raises(Failure) as failed:
        deploy_check.region(about, data, None)
    assert all(documents.error_line(Texts(language), failed.value) for language in LANGUAGES)


@pytest.mark.parametrize(("size", "fits"), [(None, False), (65535, False), (65536, True)])
def test_a_journal_without_its_partition_is_refused(size, fits):
    data = {"DRIVERS": {"flash": "region"}, "REGION": {"label": "journal"}}
    data |= {"FLASH": {"size": 49152}, "POLICY_FLASH": {"size": 16384}}
    if fits:
        return deploy_check.region(None, data, lambda label: size)
    with pytest.raises(Failure) as failed:
        deploy_check.region(None, data, lambda label: size)
    assert all(documents.error_line(Texts(language), failed.value) for language in LANGUAGES)


def test_every_board_that_can_be_deployed_has_data_that_can_be():
    with pytest.raises(used.NoSuchBoard) as names:
        used.board("")
    assert "pico_w" in names.value.names and not {"unix_raw", "sim"} & set(names.value.names)
    for name in names.value.names:
        deploy_check.data(name, used.board(name))


def test_a_board_gets_only_what_its_drivers_need():
    names = used.modules("unix_raw")
    assert {"firmware_agent/agent.py", "firmware_agent/console.py", "hal/micropython/stdio.py"} <= set(names)
    assert not [name for name in names if "zvt" in name or "linux" in name or "posix" in name or "scene" in name]
    files, slots = used.files("unix_raw")
    assert {"agent.mpy", "causes.txt", "causes_zh.txt", "boards_unix_raw.mpy"} <= set(files) and slots[:2] == b"M\x06"


def public_line(digit):
    """What refundctl policy key writes for the point of this digit."""
    point = digit * 128
    return sha256(bytes.fromhex(point)).hexdigest()[:16] + " " + point + " shop"


def test_keys_are_added_to_those_the_board_trusts(tmp_path):
    files = Files()
    lines = [public_line("1"), public_line("2")]
    for line in (lines[0], lines[0], lines[1]):
        (tmp_path / "key.pub").write_text(line + "\n")
        deploy_run._trust(Board(FakeRepl(files)), [deploy_run._public_key(tmp_path / "key.pub")])
    assert files.files["/state/trusted"].decode() == "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("words", "key"),
    [
        (["deploy"], "--board NAME; there are: esp32_devkit"),
        (["deploy", "--board", "sim"], "rp2040_pico"),
        (["deploy", "--board", "unix_raw", "--trust", "/none.pub"], "/none.pub cannot be read (No such file"),
        (["deploy", "--board", "unix_raw", "--trust", __file__], "public key"),
        (["deploy", "--board", "unix_raw", "--port", "/dev/none"], "/dev/none"),
        (["deploy", "--board", "unix_raw", "--port", __file__], "serial port"),
    ],
)
def test_what_is_wrong_is_one_line(words, key, capsys):
    assert refundctl.run(words, {}) in (2, 5)
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and key in err


# ---- against a real MicroPython behind a serial line ----


@pytest.fixture
def board(tmp_path):
    with Bridge(tmp_path / "flash") as there:
        yield there


def ctl(board, *words, lang="en"):
    """(exit status, document or None, what was said on stderr) of a command line, as a process."""
    command = [sys.executable, "-m", "host_tools.refundctl", "--port", board.port, "--lang", lang, "--json", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr


def status(board, seconds=20):
    """The agent's STATUS_ANSWER, waited for."""
    end = time.monotonic() + seconds
    while True:
        there = link.Link(board.port)
        try:
            return there.open().ask(messages.STATUS)
        except Failure:
            if time.monotonic() > end:
                raise
        finally:
            there.close()


def changed(files):
    """An agent that works and is another one: its board has another sentence."""
    files, slots = files
    return {**files, "causes_en.txt": files["causes_en.txt"] + b"\n"}, slots


def broken(files):
    """An agent that cannot start."""
    files, slots = files
    return {**files, "agent.mpy": files["seen.mpy"]}, slots


def deployed(board, monkeypatch, capsys, change=None):
    """(exit status, document, stderr) of a deployment in this process, of a changed agent."""
    files = used.files
    if change:
        monkeypatch.setattr(used, "files", lambda name: change(files(name)))
    found = refundctl.run(["--port", board.port, "--json", "deploy", "--board", "unix_raw"], {})
    monkeypatch.undo()
    out, err = capsys.readouterr()
    return found, json.loads(out) if out else None, err


def test_a_real_interpreter_is_deployed_to_boots_and_answers(board, monkeypatch, capsys, tmp_path):
    code, planned, _ = ctl(board, "deploy", "--board", "unix_raw", "--dry-run")
    assert (code, planned["state"], planned["fits"]) == (0, "planned", True)
    assert board.folder("", "a") == {}
    code, done, said = ctl(board, "deploy", "--board", "unix_raw")
    assert code == 0, said
    assert (done["state"], done["release"], done["slot"]) == ("running", 1, "a") and done["copied"] == done["bytes"]
    code, answer, _ = ctl(board, "status")
    assert code == 0 and answer["agent_version"].endswith("+1") and answer["board"] == "unix_raw"
    assert done["trusted"] == 0
    key = tmp_path / "shop.key.pub"
    line = public_line("1")
    key.write_text(line.replace("11", "12", 1))
    assert "is no public key" in ctl(board, "deploy", "--board", "unix_raw", "--trust", str(key))[2]
    key.write_text(line)
    code, again, said = ctl(board, "deploy", "--board", "unix_raw", "--trust", str(key))
    assert code == 0, (again, said)
    assert (code, again["state"], again["copied"], again["trusted"]) == (0, "nothing", 0, 1)
    # a second one, into the other slot
    code, second, said = deployed(board, monkeypatch, capsys, changed)
    assert (code, second["slot"], second["release"]) == (0, "b", 2), said
    assert status(board)["agent_version"].endswith("+2")
    code, back, said = ctl(board, "deploy", "--board", "unix_raw", "--back")
    assert (code, back["release"], back["slot"]) == (0, 1, "a"), said
    assert status(board)["agent_version"].endswith("+1")
    # one that does not start goes back by itself, and says why
    code, _, said = deployed(board, monkeypatch, capsys, broken)
    assert code == 1 and "release 3 was not healthy" in said and "Agent" in said
    assert status(board)["agent_version"].endswith("+1")


def test_a_power_cut_at_random_bytes_over_a_real_line_leaves_an_agent_that_starts(board, monkeypatch, cut_count):
    files, slots = used.files("unix_raw")
    first = deploy.Deployment("unix_raw", used.board("unix_raw"), files, slots)
    second = deploy.Deployment("unix_raw", used.board("unix_raw"), *changed((files, slots)))

    def run_on(one):
        repl = deploy_repl.Repl(board.port).open()
        try:
            there = Board(repl)
            plan = one.plan(there)
            one.carry_out(there, plan, lambda done, total: None)
        finally:
            repl.restart()
        return plan

    began = board.sent
    run_on(first)
    sent = board.sent - began
    assert status(board)["agent_version"].endswith("+1.trial")
    chance = random.Random(1)
    for number in range(12 if DEEP else 3):
        board.cut_after = board.sent + chance.randrange(2000, sent // 10)  # what differs is a tenth of it
        try:
            plan = run_on(second)
        except Failure:
            pass
        else:
            assert board.cut_after is not None
            board.cut_after = None
        assert deploy_wait.release(status(board)["agent_version"])[0] in (1, 2), number
        cut_count.append(number)
    plan = run_on(second)
    assert deploy_wait.release(status(board)["agent_version"])[0] == plan.number
    there = board.folder(plan.target)
    assert {name: there.get(f"{plan.target}/{name}") for name in second.files} == second.files


def waited(monkeypatch, port, silence_s=0.7, ask_s=0.3):
    """What `until_healthy` says of release 8 there, waiting less long."""
    for name, seconds in (("SILENCE_S", silence_s), ("ASK_S", ask_s), ("AGAIN_S", 0.05)):
        monkeypatch.setattr(deploy_wait, name, seconds)
    return deploy_wait.until_healthy(port, 8, lambda on_trial: None)


def test_a_slow_board_is_waited_for_as_long_as_it_shows_signs_of_life(tmp_path, monkeypatch):
    with FakeAgent(tmp_path) as fake:
        turns = iter(range(99))

        def starts(request):
            """Lines of a board that starts; then the agent on trial, and at last the agent."""
            turn = next(turns)
            if turn < 6:
                fake.say(b"refund-agent: a line\r\n")
                return None
            return {**STATUS, "uptime_ms": 5000, "agent_version": "0.1.0+8" + (".trial" if turn < 8 else "")}

        fake.answers[messages.STATUS] = starts
        assert waited(monkeypatch, fake.port)["agent_version"] == "0.1.0+8"
        assert next(turns) == 9


@pytest.mark.parametrize("says", [b"", b"MPY: soft reboot\r\n"])
def test_a_board_that_is_dead_or_begins_again_and_again_is_not_waited_for(tmp_path, monkeypatch, says):
    with FakeAgent(tmp_path) as fake:
        fake.answers[messages.STATUS] = lambda request: fake.say(says) if says else None
        begun = time.monotonic()
        with pytest.raises(deploy_wait.Silent):
            waited(monkeypatch, fake.port)
        assert time.monotonic() - begun < 5


def test_an_agent_that_stays_on_trial_is_said(tmp_path, monkeypatch):
    with FakeAgent(tmp_path) as fake:
        late = {**STATUS, "agent_version": "0.1.0+8.trial", "uptime_ms": deploy_wait.TRIAL_MS + 1}
        fake.answers[messages.STATUS] = lambda request: late
        with pytest.raises(deploy_wait.Unwell):
            waited(monkeypatch, fake.port)


def test_an_agent_that_is_on_no_board_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(deploy_repl, "_PROMPT_S", (0.3,))
    with FakeAgent(tmp_path) as fake, pytest.raises(deploy_repl.NoPrompt) as failed:
        deploy_repl.Repl(fake.port).open()
    assert failed.value.key == "deploy_only_agent"


def test_a_board_that_hears_no_ctrl_c_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(deploy_repl, "_PROMPT_S", (0.3,))
    with Bridge(tmp_path / "flash", deaf=True) as there:
        with serial.Serial(there.port, timeout=2) as line:
            line.read_until(b">>> ")
            line.write(b"import time\rwhile 1: time.sleep(1)\r\r\r")
            time.sleep(0.5)
        with pytest.raises(deploy_repl.NoPrompt) as failed:
            deploy_repl.Repl(there.port).open()
    assert failed.value.key == "deploy_no_prompt"
