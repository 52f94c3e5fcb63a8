"""The journal as a file of Linux: made whole or not at all, one process at a time, and a full disk costs no refund."""

import errno
import os
import signal
import subprocess
import sys
import threading
from hashlib import sha256

import pytest

from boards.compiled import ROOT
from firmware_agent.history import History, Refund
from firmware_agent.wire import messages
from firmware_agent.wire.errors import WireError
from firmware_agent.wire.messages import APPROVED, BLOCK, HOLD, IN_DOUBT, NEW, NOT_EXECUTED, REQUESTED, SENT
from hal.linux.clock import Clock
from hal.linux.flash import Flash, Refused
from hal.sim.flash import Flash as Memory

from . import running
from .device.card_terminal import CardTerminal
from .device.till import boot, wants

SIZE, SECTOR = 16384, 4096


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal"


@pytest.fixture
def opened(path):
    """opened() is a Flash over `path`; all are closed at the end."""
    flashes = []

    def open_it(size=SIZE, unit=1):
        flashes.append(Flash(path, size, SECTOR, unit))
        return flashes[-1]

    yield open_it
    for flash in flashes:
        try:
            flash.close()
        except OSError:
            pass  # the test did


def refusal(path, size=SIZE):
    with pytest.raises(Refused) as found:
        Flash(path, size, SECTOR)
    text = found.value.args[-1]
    assert str(path) in text and "\n" not in text
    return text


# ---- the port ----
def test_a_new_one_is_erased_whole_and_has_all_its_blocks(path, opened):
    flash = opened()
    assert flash.read(0, SIZE) == b"\xff" * SIZE == path.read_bytes()
    status = path.stat()
    assert status.st_blocks * 512 >= SIZE and status.st_mode & 0o777 == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["journal"]
    assert (flash.size, flash.sector, flash.unit) == (SIZE, SECTOR, 1)


def test_what_was_programmed_is_there_after_it_was_opened_again(path, opened):
    flash = opened()
    flash.program(SECTOR - 4, b"kept")
    flash.program(2 * SECTOR, b"\x00" * SECTOR)
    flash.erase(2 * SECTOR)
    flash.program(2 * SECTOR + 1, b"x")
    flash.sync()
    flash.close()
    wanted = bytearray(b"\xff" * SIZE)
    wanted[SECTOR - 4 : SECTOR] = b"kept"
    wanted[2 * SECTOR + 1] = ord("x")
    assert opened().read(0, SIZE) == wanted and path.stat().st_size == SIZE


@pytest.mark.parametrize("address, size", [(SIZE, 1), (SIZE - 1, 2), (-1, 1), (0, SIZE + 1)])
def test_reading_beyond_the_end_is_refused(opened, address, size):
    with pytest.raises(OSError):
        opened().read(address, size)


@pytest.mark.parametrize(
    "address, size",
    [(1, 4), (0, 3), (SECTOR - 4, 8), (0, SECTOR + 4), (SIZE, 4), (SIZE - 4, 8), (-4, 4)],
)
def test_programming_off_its_units_its_sector_or_the_end_is_refused(opened, address, size):
    flash = opened(unit=4)
    with pytest.raises(OSError):
        flash.program(address, bytes(size))
    assert flash.read(0, SIZE) == b"\xff" * SIZE


@pytest.mark.parametrize("address", [4, SECTOR + 1, SIZE, -SECTOR])
def test_erasing_begins_on_a_sector(opened, address):
    flash = opened()
    flash.program(0, bytes(SECTOR))
    with pytest.raises(OSError):
        flash.erase(address)
    assert flash.read(0, SECTOR) == bytes(SECTOR)


def test_sync_is_an_fdatasync_after_what_was_written(opened, mocker):
    flash = opened()
    order = mocker.Mock()
    for name in ("pwrite", "fdatasync"):
        order.attach_mock(mocker.patch.object(os, name, wraps=getattr(os, name)), name)
    flash.program(4, b"data")
    flash.sync()
    assert order.mock_calls == [mocker.call.pwrite(flash._fd, b"data", 4), mocker.call.fdatasync(flash._fd)]


def test_a_write_that_the_kernel_takes_in_pieces_is_whole(opened, mocker):
    flash = opened()
    real = os.pwrite
    mocker.patch.object(os, "pwrite", lambda fd, data, at: real(fd, data[:3], at))
    flash.program(10, b"ten letters")
    assert flash.read(9, 13) == b"\xfften letters\xff"


def test_an_error_of_the_medium_is_an_oserror_and_passes(opened, mocker):
    flash = opened()
    for name, use in (
        ("pread", lambda: flash.read(0, 1)),
        ("pwrite", lambda: flash.program(0, b"x")),
        ("pwrite", lambda: flash.erase(0)),
        ("fdatasync", flash.sync),
    ):
        broken = mocker.patch.object(os, name, side_effect=OSError(errno.EIO, "Input/output error"))
        with pytest.raises(OSError) as found:
            use()
        assert found.value.errno == errno.EIO
        mocker.stop(broken)
        use()


def test_a_file_that_is_cut_while_it_is_in_use_fails(path, opened):
    flash = opened()
    os.truncate(path, 100)
    with pytest.raises(OSError):
        flash.read(99, 2)


# ---- making it ----
def test_it_is_made_beside_and_is_on_the_disk_before_it_has_its_name_and_its_name_too(path, opened, mocker):
    order = []

    def traced(name):
        real = getattr(os, name)

        def call(*args):
            target = os.readlink(f"/proc/self/fd/{args[0]}") if isinstance(args[0], int) else str(args[0])
            order.append((name, target))
            if name == "rename":
                with open(target, "rb") as file:
                    assert file.read() == b"\xff" * SIZE
            return real(*args)

        mocker.patch.object(os, name, call)

    for name in ("pwrite", "fsync", "rename"):
        traced(name)
    opened()
    fresh = f"{path}.new"
    assert [step for step in order if step[0] != "pwrite"] == [
        ("fsync", fresh),
        ("rename", fresh),
        ("fsync", str(path.parent)),
    ]
    assert order[0] == ("pwrite", fresh) and order[-1][0] == "fsync"
    assert "pwrite" not in [name for name, _ in order[order.index(("fsync", fresh)) :]]


@pytest.mark.parametrize("step", ["ftruncate", "pwrite", "fsync", "rename"])
def test_making_it_may_be_cut_at_any_step(path, opened, mocker, step):
    (path.parent / "journal.new").write_bytes(b"\0" * (SIZE + 1))  # of a cut before

    class Killed(BaseException):
        pass

    cut = mocker.patch.object(os, step, side_effect=Killed)
    with pytest.raises(Killed):
        opened()
    mocker.stop(cut)
    assert not path.exists()
    for fd in os.listdir("/proc/self/fd"):  # a dead process holds no lock
        if os.path.realpath(f"/proc/self/fd/{fd}") == f"{path}.new":
            os.close(int(fd))
    assert opened().read(0, SIZE) == b"\xff" * SIZE
    assert [entry.name for entry in path.parent.iterdir()] == ["journal"]


SMALL_DISK = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (10000, 10000))
from hal.linux.flash import Flash
try:
    Flash(sys.argv[1], 16384, 4096)
except OSError as error:
    print(error.args[-1])
"""


def test_no_room_for_it_is_one_clear_line_and_leaves_nothing(path):
    done = subprocess.run(
        [sys.executable, "-c", SMALL_DISK, path], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"the journal {path} cannot be made: file too large; it needs 16384 bytes\n"
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("step", ["pwrite", "fsync"])
def test_a_full_disk_is_one_clear_line_and_leaves_nothing(path, mocker, step):
    mocker.patch.object(os, step, side_effect=OSError(errno.ENOSPC, "No space left on device"))
    assert refusal(path) == f"the journal {path} cannot be made: no space left on device; it needs 16384 bytes"
    assert list(path.parent.iterdir()) == []


def test_a_folder_that_is_not_there_and_a_folder_in_its_place_are_one_clear_line(tmp_path):
    assert refusal(tmp_path / "none" / "journal").endswith("cannot be made: no such file or directory")
    assert refusal(tmp_path).endswith("cannot be opened: is a directory")


def test_a_link_leads_to_where_it_is_made(tmp_path, path):
    elsewhere = tmp_path / "elsewhere"
    path.symlink_to(elsewhere)
    Flash(path, SIZE, SECTOR).close()
    assert path.is_symlink() and elsewhere.stat().st_size == SIZE


@pytest.mark.parametrize("size, sector, unit", [(SIZE + 1, SECTOR, 1), (SIZE, SECTOR, 3)])
def test_a_shape_that_does_not_exist_is_refused_and_made_nowhere(path, size, sector, unit):
    with pytest.raises(OSError):
        Flash(path, size, sector, unit)
    assert not path.exists()


# ---- a file of another size ----
@pytest.mark.parametrize("have, what", [(SIZE - 1, "is cut"), (0, "is cut"), (SIZE + SECTOR, "is too long")])
def test_a_file_of_another_size_is_left_as_it_is_and_the_text_says_what_to_do(path, have, what):
    before = os.urandom(have)
    path.write_bytes(before)
    for _ in range(2):  # the first one keeps no lock
        text = refusal(path)
        assert f"{what}, it has {have} bytes and must have {SIZE}" in text
        for said in ("left as it is", f"`refundctl journal verify {path}`", "put back a copy", "move it away"):
            assert said in text
    assert path.read_bytes() == before


# ---- one at a time ----
HOLDER = """
import sys
from hal.linux.flash import Flash
flash = Flash(sys.argv[1], 16384, 4096)
print("open", flush=True)
sys.stdin.read()
"""


def test_a_second_process_is_told_who_has_it_and_gets_it_when_that_one_was_killed(path, opened):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, path], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout.readline() == "open\n"
        text = refusal(path)
        assert f"is in use by process {holder.pid}: two agents on one journal would overwrite" in text
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.communicate()
    assert opened().size == SIZE


def test_who_has_it_may_be_unknown(opened, path, mocker):
    opened()
    mocker.patch("builtins.open", side_effect=OSError(errno.EACCES, "Permission denied"))  # of /proc/locks
    assert "is in use by another process: " in refusal(path)


def test_many_that_make_it_at_once_are_one_that_has_it(tmp_path):
    for number in range(20):
        path = tmp_path / str(number)
        start = threading.Barrier(4)
        got = []

        def open_it(path=path, start=start, got=got):
            start.wait()
            try:
                got.append(Flash(path, SIZE, SECTOR))
            except Refused as error:
                got.append(error.errno)

        threads = [threading.Thread(target=open_it) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        winners = [flash for flash in got if isinstance(flash, Flash)]
        assert len(winners) == 1 and got.count(errno.EBUSY) == 3
        winners[0].program(0, b"mine")
        assert path.read_bytes()[:4] == b"mine"  # it stands where it has its name
        winners[0].close()


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("alive", [True, False])
def test_another_that_makes_it_in_between_keeps_what_it_made(path, opened, mocker, when, alive):
    """Another process makes the journal just before or after we open the file it is made in; it runs on, or dies."""
    real = os.open
    others = []

    def other():
        mocker.patch.object(os, "open", real)
        others.append(Flash(path, SIZE, SECTOR))
        others[0].program(0, b"acknowledged")
        if not alive:
            others[0].close()

    def in_between(name, *args):
        if when == "before" and str(name).endswith(".new"):
            other()
        fd = real(name, *args)
        if when == "after" and str(name).endswith(".new"):
            other()
        return fd

    mocker.patch.object(os, "open", in_between)
    if alive:
        assert "in use" in refusal(path)
        others[0].close()
    else:
        assert opened().read(0, 12) == b"acknowledged"
    assert others and path.read_bytes()[:12] == b"acknowledged"
    assert [entry.name for entry in path.parent.iterdir()] == ["journal"]


# ---- a journal on it ----
def test_the_clock_is_the_hosts(mocker):
    mocker.patch("time.time", lambda: 1_790_000_000.999)
    assert Clock().wall_s() == 1_790_000_000 and Clock().uptime_ms() < 1000


def test_a_journal_on_it_goes_round_many_times_and_is_whole_when_opened_again(opened, mocker):
    mocker.patch.object(os, "fdatasync")  # what is kept is looked at here, not when
    history = History(opened(), Clock())
    last = []
    number = 0
    while history.journal.newest < 20 * SIZE // SECTOR:
        number += 1
        refund = Refund("key %d" % number)
        asked = {"receipt": number % 9999 + 1, "amount": number, "currency": "EUR", "operator": "anna"}
        history.record(refund, REQUESTED, asked)
        history.record(refund, SENT, {"before": [1, 2, 3]})
        history.record(refund, APPROVED, {"its_receipt": 1, "its_trace": number, "code": 0})
        last = [*last[-9:], (refund.key, number)]
        if number % 50 == 0:
            history.journal.flash.close()
            history = History(opened(), Clock())
    history.journal.flash.close()
    again = History(opened(), Clock())
    assert (again.journal.damage.count, again.lost, again.refunds) == (0, 0, number) and not again.open
    assert [(key, again.find(key).state, again.find(key).its_trace) for key, _ in last] == [
        (key, APPROVED, trace) for key, trace in last
    ]
    assert sum(row[3] for row in again.sums.rows if row[1] < 0) == number * (number + 1) // 2


class FullDisk(Flash):
    """`room`: how many more times something is written until the disk is full; None: there is room. `fails`: "program", with
    nothing written; "half", with half of it; "sync", when it is to be kept."""

    room = None
    fails = "program"

    def _take(self):
        if self.room is not None:
            if self.room < 1:
                raise OSError(errno.ENOSPC, "No space left on device")
            self.room -= 1

    def program(self, address, data):
        try:
            if self.fails != "sync":
                self._take()
        except OSError:
            if self.fails == "half":
                super().program(address, data[: len(data) // 2])
            raise
        super().program(address, data)

    def erase(self, address):
        if self.fails != "sync":
            self._take()
        super().erase(address)

    def sync(self):
        if self.fails == "sync":
            self._take()
        super().sync()


def on_the_disk(flash):
    """A History of what a boot would find."""
    twin = Memory(None, flash.size, flash.sector, flash.unit)
    for address in range(0, flash.size, flash.sector):
        twin.program(address, flash.read(address, flash.sector))
    return History(twin, Clock())


class Witness(CardTerminal):
    """A terminal that looks into the journal whenever it is asked for a refund."""

    flash = None

    async def refund(self, amount, currency, wish=None):
        found = on_the_disk(self.flash).open.values()
        assert [one.state for one in found if one.amount == amount] == [SENT]
        return await super().refund(amount, currency, wish)


async def life_on_a_disk_that_fills_up(path, fails, room):
    """One refund, with the disk full after `room` writes; True if it did not notice."""
    terminal = Witness()
    terminal.does(5000)
    terminal.flash = flash = FullDisk(path, SIZE, SECTOR)
    flash.fails = fails
    try:
        agent = await boot(terminal, flash)
        flash.room = room
        try:
            first = (await agent.refund(wants()))["state"]
        except WireError as error:
            assert error.name == "journal_full"
            first = NEW
        if first == APPROVED:
            return True
        assert first in (NEW, REQUESTED, IN_DOUBT, NOT_EXECUTED)
        sent = terminal.asked
        # Others are refused, and the same one is not sent. They wait for no terminal: the doubt before them is asked after.
        for key, receipt in (("k2", 7), ("k3", 1)):
            try:
                answer = await agent.refund(wants(key, receipt=receipt, amount=5))
                assert answer["state"] == NEW and answer["verdict"] in (HOLD, BLOCK)
                assert 14 in [one["cause"] for one in answer["findings"] if one["status"] == HOLD], answer
            except WireError as error:
                assert error.name == "journal_full"
        assert terminal.asked == sent and len(terminal.executed) == sent
        flash.room = None
        assert await agent.watch.sample() and await agent.conductor.resolve()
        state = (await agent.refund(wants()))["state"]
        assert state == APPROVED
        assert (await agent.refund(wants("k2", receipt=7, amount=5)))["state"] == APPROVED
        assert terminal.executed == [(1234, "EUR"), (5, "EUR")] and terminal.asked == 2
        found = on_the_disk(flash)
        assert not found.open and found.find("k1").state == found.find("k2").state == APPROVED
        assert found.lost == 0
        return False
    finally:
        flash.close()


@pytest.mark.parametrize("fails", ["program", "half", "sync"])
async def test_a_disk_that_fills_up_in_the_midst_of_a_refund_costs_none(tmp_path, fails):
    room = 0
    while not await life_on_a_disk_that_fills_up(tmp_path / str(room), fails, room):
        room += 1
    assert room == 3  # REQUESTED, SENT and APPROVED, each once


# ---- the board ----
def run_linux(folder, *options):
    """An agent that is expected to end by itself: (exit status, what it said on standard error)."""
    command = [sys.executable, "-m", "boards.command", "run", "--board", "linux", "--state", folder / "state"]
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(folder)}
    done = subprocess.run(
        [*command, "--link", folder / "link", *options],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=running.START_S,
    )
    return done.returncode, done.stderr


@pytest.fixture
def agent(tmp_path):
    """An agent on board linux, whose journal is of 64 KB."""
    with running.Agent(tmp_path / "first", changes=("size=65536",), board="linux") as agent:
        agent.ask(messages.STATUS)
        yield agent


def test_a_refund_goes_through_on_a_board_that_has_a_terminal_and_no_sensors(tmp_path):
    terminal = running.terminal(tmp_path)
    try:
        with running.Agent(tmp_path, terminal=terminal.link, board="linux") as agent:
            agent.ready()
            request = {"key": "a", "receipt": 231, "amount": 1234, "currency": "EUR"}
            found = agent.ask(messages.PREFLIGHT, request)
            assert (found["verdict"], agent.ask(messages.STATUS)["board"]) == (messages.WARN, "linux")
            assert agent.refund(request)["state"] == APPROVED
            assert abs(agent.ask(messages.STATUS)["wall_s"] - Clock().wall_s()) <= 2
    finally:
        terminal.stop()
    assert (tmp_path / "state" / "journal").stat().st_size == 1 << 20
    assert [row["amount"] for row in running.turnovers(tmp_path) if row["kind"] == "refund"] == [1234]


@pytest.mark.parametrize("linked", ["journal", "state"])
def test_two_agents_on_one_journal_are_refused_with_the_reason(agent, tmp_path, linked):
    journal = agent.folder / "state" / "journal"
    before = journal.read_bytes()
    second = tmp_path / "second"
    second.mkdir()
    if linked == "journal":
        (second / "state").mkdir()
        (second / "state" / "journal").symlink_to(journal)
    else:
        (second / "state").symlink_to(agent.folder / "state")
    status, said = run_linux(second, "--change", "size=65536")
    assert status == 1 and said.count("\n") == 1
    if linked == "journal":
        assert f"the journal {journal} is in use by process {agent.pid}: two agents on one journal" in said
    else:
        assert f"another agent (process {agent.process.pid}) uses {second / 'state'}" in said
    assert agent.ask(messages.STATUS)["boot"] == 1 and journal.read_bytes() == before


def test_what_keeps_a_journal_from_being_opened_is_one_line(tmp_path):
    state = tmp_path / "state"
    state.mkdir()
    (state / "journal").write_bytes(b"x" * 100)
    status, said = run_linux(tmp_path)
    assert status == 1 and said.startswith("refund-agent: the agent cannot start: the journal ") and "is cut" in said
    assert said.count("\n") == 1 and (state / "journal").read_bytes() == b"x" * 100


def test_an_agent_starts_where_the_disk_takes_neither_its_number_nor_that_of_its_till(tmp_path):
    state = tmp_path / "state"
    state.mkdir()
    (state / "lock").symlink_to("/dev/full")
    (state / "till.made").symlink_to("nowhere/at/all")
    options = ("--gate", "--till", str(tmp_path / "till"))
    with running.Agent(tmp_path, board="linux", terminal=tmp_path / "none", options=options) as agent:
        assert agent.ask(messages.STATUS)["boot"] == 1 and (tmp_path / "till").is_symlink()


def test_a_new_key_on_a_full_disk_takes_none_that_was_trusted_before(tmp_path):
    state = tmp_path / "state"
    state.mkdir()
    before = "a" * 16 + " " + "b" * 128 + " anna\n"
    (state / "trusted").write_text(before)
    (state / "trusted.new").symlink_to("/dev/full")
    point = "d" * 128
    (tmp_path / "new.pub").write_text(sha256(bytes.fromhex(point)).hexdigest()[:16] + " " + point + " bob\n")
    status, said = run_linux(tmp_path, "--trust", tmp_path / "new.pub")
    assert status == 1 and said.count("\n") == 1 and "No space left" in said
    assert [path.name for path in state.glob("trusted*")] == ["trusted"] and (state / "trusted").read_text() == before


def test_a_key_with_a_wrong_digit_is_refused_and_trusted_by_nobody(tmp_path):
    (tmp_path / "new.pub").write_text("c" * 16 + " " + "d" * 128 + " bob\n")
    status, said = run_linux(tmp_path, "--trust", tmp_path / "new.pub")
    assert status == 2 and said.count("\n") == 1 and "is no public key" in said
    assert not list(tmp_path.glob("state/trusted*"))


@pytest.mark.skipif("micropython" not in running.RUNTIMES, reason="there is no MicroPython for this machine")
def test_micropython_is_refused_in_one_line(tmp_path):
    status, said = run_linux(tmp_path, "--runtime", "micropython")
    assert status == 1 and said.count("\n") == 1 and "--runtime cpython" in said
    assert not (tmp_path / "state" / "journal").exists()
