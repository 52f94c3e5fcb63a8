"""Stock SMP clients and the agent: what `smpclient` and `smpmgr` ask for is answered as their own parsers want it, also while
the stream runs on the same line."""

import asyncio
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import cbor2
import pytest
from smp import header as smp_header
from smpclient import SMPClient
from smpclient.generics import error_v1, error_v2, success
from smpclient.requests import enumeration_management as enumeration
from smpclient.requests import file_management as files
from smpclient.requests import image_management as images
from smpclient.requests import os_management as system
from smpclient.requests import settings_management as settings
from smpclient.requests import statistics_management as statistics
from smpclient.transport.serial import SMPSerialTransport

from firmware_agent.health import VERSION
from firmware_agent.wire import cbor, messages, smp, tool_messages

from . import running

BIN = Path(sys.executable).parent
V1, V2 = smp_header.Version.V1, smp_header.Version.V2


@pytest.fixture(params=running.RUNTIMES, scope="module")
def agent(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("groups")
    terminal = running.terminal(folder)
    with running.Agent(folder, request.param, terminal.link) as agent:
        agent.runtime = request.param
        yield agent.ready()
    terminal.stop()


class Streaming:
    """Keeps the line open and a stream running on it. Reads its answer and no more: whoever else has the line open does."""

    def __init__(self, agent):
        self.fd = os.open(agent.link, os.O_RDWR | os.O_NOCTTY)
        asked = {"lease_s": 60, "credit": 65535, "every_ms": 100, "full_s": 1}
        body = cbor.encode(messages.pack(tool_messages.SUBSCRIBE_REQUEST, asked))
        header = smp.Header(messages.WRITE, messages.GROUP, tool_messages.SUBSCRIBE)
        os.write(self.fd, smp.frame(smp.pack(header, body)))
        while os.read(self.fd, 1) != b"\n":
            pass

    def close(self):
        os.close(self.fd)


@pytest.fixture(params=["quiet", "streaming"])
def line(request, agent):
    stream = Streaming(agent) if request.param == "streaming" else None
    yield agent
    if stream:
        assert agent.ask(tool_messages.LINK)["stream"]
        stream.close()


def ask(agent, *requests):
    """Answers to stock requests, one after the other over one connection."""

    async def all_of_them():
        async with SMPClient(SMPSerialTransport(), str(agent.link), timeout_s=5) as client:
            return [await client.request(request) for request in requests]

    return asyncio.run(all_of_them())


def one(agent, request):
    (answer,) = ask(agent, request)
    assert success(answer), answer
    return answer


def refused(agent, request, number):
    """The answer is an error: of the group in version 2, one of SMP in version 1."""
    (answer,) = ask(agent, request)
    assert error_v2(answer) or error_v1(answer), answer
    assert (answer.err.rc if error_v2(answer) else answer.rc) == number, answer


def smpmgr(agent, *words, **options):
    command = [BIN / "smpmgr", "--port", agent.link, "--timeout", "5", *words]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=60, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_system_group(line):
    assert one(line, system.EchoWrite(d="hello")).r == "hello"
    assert one(line, system.MCUMgrParametersRead()).buf_size == smp.MAX_MESSAGE
    about = one(line, system.OSApplicationInfoRead(format="svi")).output
    assert about == f"refund-agent {VERSION} sim"
    tasks = one(line, system.TaskStatisticsRead()).tasks
    assert {"link", "power", "network", "terminal", "pulse"} <= set(tasks)


def test_the_time_is_that_of_this_computer_and_one_that_is_set_is_a_reference(line):
    told = datetime.fromisoformat(one(line, system.DateTimeRead()).datetime).replace(tzinfo=UTC)
    assert abs(datetime.now(UTC) - told) < timedelta(seconds=5)
    one(line, system.DateTimeWrite(datetime=datetime.now(UTC).isoformat(timespec="milliseconds")[:23]))
    refused(line, system.DateTimeWrite(datetime="yesterday"), 3)


def test_a_reset_is_denied(line):
    refused(line, system.ResetWrite(), 11)
    refused(line, system.ResetWrite(version=V1), 11)


def test_images_are_the_agent_and_the_terminal_and_stay_as_they_are(line):
    states = one(line, images.ImageStatesRead()).images
    assert [(state.slot, state.active, state.confirmed) for state in states] == [(0, True, True), (1, True, True)]
    assert states[0].version == VERSION and len(states[0].hash) == 32
    refused(line, images.ImageStatesWrite(hash=b"\x00" * 32, confirm=True), 32)
    refused(line, images.ImageErase(), 14)
    refused(line, images.ImageUploadWrite(off=0, data=b"x" * 32, len=32, image=0), 9)


def test_every_group_of_statistics_is_whole_numbers_by_name(line):
    names = one(line, statistics.ListOfGroups()).stat_list
    assert {"link", "watch", "heap", "journal"} <= set(names)
    for name in names:
        answer = one(line, statistics.GroupData(name=name))
        assert answer.name == name and all(isinstance(value, int) for value in answer.fields.values())
    assert one(line, statistics.GroupData(name="link")).fields["frames_in"] > 0
    refused(line, statistics.GroupData(name="moon"), 2)
    refused(line, statistics.GroupData(name="moon", version=V1), 5)


def test_settings_are_read_and_not_written(line):
    value = one(line, settings.ReadSetting(name="power/low_mv")).val
    assert cbor2.loads(value) == 4600
    assert cbor2.loads(one(line, settings.ReadSetting(name="policy/currency")).val) == "EUR"
    refused(line, settings.ReadSetting(name="power/moon"), 3)
    refused(line, settings.WriteSetting(name="power/low_mv", val=b"\x00"), 6)
    refused(line, settings.DeleteSetting(name="power/low_mv"), 7)
    refused(line, settings.CommitSettings(), 8)


def test_the_groups_are_enumerated(line):
    groups = one(line, enumeration.ListSupportedGroups()).groups
    assert set(groups) == {0, 1, 2, 3, 8, 10, 82}
    assert one(line, enumeration.CountSupportedGroups()).count == len(groups)
    singles = [one(line, enumeration.GroupId(index=index)) for index in range(len(groups))]
    assert [single.group for single in singles] == list(groups) and singles[-1].end
    assert [row.group for row in one(line, enumeration.GroupDetails()).groups] == list(groups)
    refused(line, enumeration.GroupId(index=len(groups)), 4)


def test_journal_and_log_are_downloaded_and_their_hashes_hold(line):
    async def download(name):
        async with SMPClient(SMPSerialTransport(), str(line.link), timeout_s=5) as client:
            data = await client.download_file(name)
            answer = await client.request(files.FileHashChecksum(name=name, type="sha256"))
            await client.request(files.FileClose())
            return data, answer.output

    log, digest = asyncio.run(download("/log"))
    assert sha256(log).digest() == digest
    events = []
    while log:
        event, size = cbor.item(log)
        events.append(messages.unpack(messages.EVENT, event))
        log = log[size:]
    numbers = [event["number"] for event in events]
    assert numbers and numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    size = one(line, files.FileStatus(name="/journal")).len
    journal, digest = asyncio.run(download("/journal"))
    assert len(journal) == size and len(digest) == 32
    assert set(one(line, files.SupportedFileHashChecksumTypes()).types) == {"sha256", "crc32"}
    refused(line, files.FileStatus(name="/etc/passwd"), 3)
    refused(line, files.FileUpload(name="/log", off=0, data=b"x", len=1), 15)


def test_smpmgr_has_its_commands_answered(line, tmp_path):
    assert "hello" in smpmgr(line, "os", "echo", "hello")
    assert VERSION in smpmgr(line, "image", "state-read")
    assert "link" in smpmgr(line, "statistics", "list")
    assert "frames_in" in smpmgr(line, "statistics", "get", "link")
    assert "frames_in" in smpmgr(line, "statistics", "fetch-all")
    smpmgr(line, "file", "download", "/log", "log.cbor", cwd=tmp_path)
    event, _ = cbor.item((tmp_path / "log.cbor").read_bytes())
    assert event[0] >= 1
