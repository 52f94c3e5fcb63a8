"""SMP group 8: the journal read as a file, and nothing else read or written."""

from binascii import crc32
from hashlib import sha256

from firmware_agent.service import Service
from firmware_agent.wire import cbor, smp
from firmware_agent.wire.messages import READ, WRITE

from .chance import Chance
from .till import bench, wants

HEAP = "256k"

FILES = 8
DOWNLOAD, STATUS, HASH, HASHES, CLOSE = range(5)


async def asked(agent, op, command, body, version=1):
    data = body if isinstance(body, bytes) else cbor.encode(body)
    message = await Service(agent).answer(smp.pack(smp.Header(op, FILES, command, 9, version), data))
    assert len(message) <= smp.MAX_MESSAGE
    header, answer = smp.unpack(message)
    assert (header.op, header.group, header.command, header.sequence) == (op + 1, FILES, command, 9)
    return cbor.decode(answer)


async def filled():
    """An agent whose journal holds a refund, and the bytes of its region."""
    agent, _ = await bench()
    await agent.refund(wants())
    flash = agent.journal.flash
    return agent, flash.read(0, flash.size)


def refused(answer, rc):
    assert answer == {"err": {"group": FILES, "rc": rc}}, answer
    return True


async def test_the_file_is_the_region_byte_for_byte():
    agent, region = await filled()
    assert await asked(agent, READ, STATUS, {"name": "/journal"}) == {"len": len(region)}
    got = b""
    while len(got) < len(region):
        answer = await asked(agent, READ, DOWNLOAD, {"name": "/journal", "off": len(got)})
        assert answer["off"] == len(got) and 0 < len(answer["data"]) <= 1024
        assert answer.get("len") == (None if got else len(region))
        got += answer["data"]
    assert got == region and b"k1" in got


async def test_any_offset_may_be_read_and_at_the_end_there_is_nothing():
    agent, region = await filled()
    for begin in (1, 7, 1000, len(region) - 1025, len(region) - 1):
        answer = await asked(agent, READ, DOWNLOAD, {"name": "/journal", "off": begin})
        assert answer == {"off": begin, "data": region[begin : begin + 1024]}
    answer = await asked(agent, READ, DOWNLOAD, {"name": "/journal", "off": len(region)})
    assert answer == {"off": len(region), "data": b""}


async def test_hashes_are_those_of_the_bytes_asked_for():
    agent, region = await filled()
    whole = await asked(agent, READ, HASH, {"name": "/journal"})
    assert whole == {"type": "sha256", "len": len(region), "output": sha256(region).digest()}
    crc = await asked(agent, READ, HASH, {"name": "/journal", "type": "crc32"})
    assert crc == {"type": "crc32", "len": len(region), "output": crc32(region)}
    for begin, size in ((0, 1), (2048, 2048), (100, 1500), (len(region) - 3, 100)):
        part = region[begin : begin + size]
        answer = await asked(agent, READ, HASH, {"name": "/journal", "type": "sha256", "off": begin, "len": size})
        assert answer["output"] == sha256(part).digest() and answer["len"] == len(part)
        assert answer.get("off", 0) == begin
    types = (await asked(agent, READ, HASHES, {}))["types"]
    assert types == {"sha256": {"format": 1, "size": 32}, "crc32": {"format": 0, "size": 4}}


async def test_the_log_is_the_ring_of_events_and_does_not_change_under_whoever_reads_it():
    agent, _ = await filled()
    for _ in range(60):
        agent.events.add("fault", {"missing": "x" * 40})
    kept = b"".join([event.data for event in agent.events.since(0, 1 << 20)[0]])
    got = b""
    while len(got) < len(kept):
        answer = await asked(agent, READ, DOWNLOAD, {"name": "/log", "off": len(got)})
        assert answer.get("len") == (None if got else len(kept))
        got += answer["data"]
        agent.events.add("refund")
    assert got == kept
    assert await asked(agent, READ, STATUS, {"name": "/log"}) == {"len": len(kept)}
    answer = await asked(agent, READ, HASH, {"name": "/log"})
    assert answer["output"] == sha256(kept).digest()
    event, size = cbor.item(got)
    assert event[2] == 17 and cbor.item(got, size)[0][0] == event[0] + 1
    await asked(agent, WRITE, CLOSE, {})
    assert (await asked(agent, READ, HASH, {"name": "/log"}))["output"] != sha256(kept).digest()
    assert refused(await asked(agent, WRITE, DOWNLOAD, {"name": "/log", "off": 0, "data": b"x"}), 15)


async def test_what_cannot_be_read_is_said_in_the_codes_of_the_group():
    agent, region = await filled()
    for command in (DOWNLOAD, STATUS, HASH):
        for name in ("/", "journal", "/journal/", "/journal\0", "../journal", "/JOURNAL", "x" * 300):
            assert refused(await asked(agent, READ, command, {"name": name, "off": 0}), 3), name
    for begin in (len(region) + 1, (1 << 64) - 1):
        assert refused(await asked(agent, READ, DOWNLOAD, {"name": "/journal", "off": begin}), 12)
    assert refused(await asked(agent, READ, HASH, {"name": "/journal", "off": len(region)}), 12)
    for kind in ("md5", "", 5, None):
        assert refused(await asked(agent, READ, HASH, {"name": "/journal", "type": kind}), 13)


async def test_what_makes_no_sense_is_said_in_the_codes_of_smp():
    agent, _ = await filled()
    for body in ([], 5, {}, {"name": "/journal"}, {"name": 5, "off": 0}, {"name": "", "off": 0}, {"off": 0}):
        assert await asked(agent, READ, DOWNLOAD, body) == {"rc": 3}, body
    for begin in (-1, "0", True, False, None, b"", [0]):
        assert await asked(agent, READ, DOWNLOAD, {"name": "/journal", "off": begin}) == {"rc": 3}, begin
    for size in (0, -1, "1", True):
        assert await asked(agent, READ, HASH, {"name": "/journal", "len": size}) == {"rc": 3}, size
    for op, command in ((WRITE, STATUS), (WRITE, HASH), (WRITE, HASHES), (READ, CLOSE), (READ, 5), (WRITE, 255)):
        assert await asked(agent, op, command, {"name": "/journal", "off": 0}) == {"rc": 8}, (op, command)
    assert await asked(agent, READ, DOWNLOAD, b"\xff") == {"rc": 3}


async def test_nothing_can_be_written():
    agent, region = await filled()
    for name in ("/journal", "/other"):
        answer = await asked(agent, WRITE, DOWNLOAD, {"name": name, "off": 0, "data": b"\0" * 32, "len": 32})
        assert refused(answer, 15)
    assert await asked(agent, WRITE, CLOSE, {}) == {}
    assert agent.journal.flash.read(0, len(region)) == region


async def test_an_old_client_gets_the_codes_of_version_1():
    agent, _ = await filled()
    for op, command, body, rc in (
        (READ, DOWNLOAD, {"name": "/other", "off": 0}, 5),
        (READ, DOWNLOAD, {"name": "/journal", "off": 1 << 40}, 1),
        (READ, HASH, {"name": "/journal", "type": "md5"}, 3),
        (WRITE, DOWNLOAD, {"name": "/journal", "off": 0}, 1),
        (READ, DOWNLOAD, {"name": "/journal"}, 3),
    ):
        assert await asked(agent, op, command, body, 0) == {"rc": rc}


async def test_a_flash_that_cannot_be_read_is_an_error_and_no_fault():
    agent, _ = await filled()

    def broken(address, size):
        raise OSError(5)

    agent.journal.flash.read = broken
    for command in (DOWNLOAD, HASH):
        assert refused(await asked(agent, READ, command, {"name": "/journal", "off": 0}), 7)


async def test_600_random_requests_are_answered_and_change_nothing():
    agent, region = await filled()
    chance = Chance()
    data = 0
    for _ in range(600):
        body = {"name": "/journal", "off": chance.below(5000)}
        for key in ("name", "off", "len", "type", "data"):
            if not chance.below(6):
                body[key] = chance.one_of(
                    (
                        "/journal",
                        "/journal",
                        "sha256",
                        "crc32",
                        "",
                        0,
                        1,
                        4095,
                        4096,
                        1 << 32,
                        -1,
                        None,
                        True,
                        b"x",
                        [1],
                    )
                )
        answer = await asked(agent, chance.one_of((READ, READ, WRITE)), chance.below(6), body, chance.below(2))
        data += len(answer.get("data", b""))
    assert data > 1024
    assert agent.journal.flash.read(0, len(region)) == region
