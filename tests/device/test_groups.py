"""SMP's own groups, as any client asks them: what can be read, and that nothing can be changed."""

from firmware_agent.service import Service
from firmware_agent.wire import cbor, smp
from firmware_agent.wire.messages import READ, WRITE

from .bench import WALL_S
from .chance import Chance
from .till import bench

HEAP = "256k"

SYSTEM, IMAGES, STATISTICS, SETTINGS, ENUMERATION = 0, 1, 2, 3, 10


async def asked(agent, op, group, command, body=None, version=1):
    data = body if isinstance(body, bytes) else cbor.encode(body or {})
    message = await Service(agent).answer(smp.pack(smp.Header(op, group, command, 9, version), data))
    assert len(message) <= smp.MAX_MESSAGE
    header, answer = smp.unpack(message)
    assert (header.op, header.group, header.command, header.sequence) == (op + 1, group, command, 9)
    return cbor.decode(answer)


async def refused(agent, op, group, command, body, its, smps):
    """With an error of the group for a client of version 2, one of SMP for one of version 1."""
    error = {"rc": smps} if its is None else {"err": {"group": group, "rc": its}}
    assert await asked(agent, op, group, command, body) == error, body
    assert await asked(agent, op, group, command, body, version=0) == {"rc": smps}, body


async def test_the_time_is_told_and_none_before_it_was_set():
    agent, _ = await bench()
    for wall, text in (
        (WALL_S, None),
        (0, "1970-01-01T00:00:00"),
        (951827696, "2000-02-29T12:34:56"),
        (1795514400, "2026-11-24T10:00:00"),
        (4294967295, "2106-02-07T06:28:15"),
    ):
        agent.clock.wall = wall
        answer = await asked(agent, READ, SYSTEM, 4)
        assert text is None or answer == {"datetime": text}
    agent.clock.wall = None
    await refused(agent, READ, SYSTEM, 4, {}, 4, 5)


async def test_whoever_sets_the_time_is_a_reference_and_no_clock_is_set():
    agent, _ = await bench()
    for text, wall in (
        ("2026-11-24T10:00:00", 1795514400),
        ("2026-11-24T10:00:00Z", 1795514400),
        ("2026-11-24T10:00:00.123456", 1795514400),
        ("2026-11-24T12:00:00+02:00", 1795514400),
        ("2026-11-24T02:00:00.5-0800", 1795514400),
        ("2000-02-29T12:34:56", None),
    ):
        agent.clock.wall = 1795514400 + 7
        answer = await asked(agent, WRITE, SYSTEM, 4, {"datetime": text})
        if wall is None:
            assert answer == {"rc": 3}  # before there were agents
        else:
            assert answer == {} and agent.snapshot.get("clock_drift_s") == 7, text
        assert agent.clock.wall_s() == 1795514400 + 7
    await asked(agent, WRITE, SYSTEM, 4, {"datetime": "2026-11-24T11:00:00"})
    assert agent.snapshot.get("clock_drift_s") == -3593


async def test_whoever_sets_the_time_puts_a_boards_clock_right():
    agent, _ = await bench()
    clock = agent.clock
    clock.set = lambda wall_s: setattr(clock, "wall", wall_s)
    for wall in (None, 1795514400 + 7):
        clock.wall = wall
        assert await asked(agent, WRITE, SYSTEM, 4, {"datetime": "2026-11-24T10:00:00"}) == {}
        assert clock.wall == 1795514400 and agent.snapshot.get("clock_drift_s") == 0


async def test_what_is_no_time_is_refused():
    agent, _ = await bench()
    for text in (
        "",
        "2026-11-24",
        "2026-11-24 10:00:00",
        "2026-11-24T10:00",
        "2026-02-30T10:00:00",
        "2026-13-01T10:00:00",
        "2026-11-24T24:00:00",
        "2026-11-24T10:60:00",
        "2026-11-24T10:00:00.",
        "2026-11-24T10:00:00+1",
        "2026-11-24T10:00:00+99:00",
        "2026-11-24T10:00:00Zulu",
        "2026-1a-24T10:00:00",
        "+026-11-24T10:00:00",
        "2026-11-24T10:00:00.1234567890123456",
        20261124,
        None,
    ):
        await refused(agent, WRITE, SYSTEM, 4, {"datetime": text}, None, 3)
    await refused(agent, WRITE, SYSTEM, 4, {}, None, 3)


async def test_a_reset_is_refused_unless_the_board_allows_it():
    agent, terminal = await bench()
    await refused(agent, WRITE, SYSTEM, 5, {}, None, 11)
    await refused(agent, WRITE, SYSTEM, 5, {"force": 1}, None, 11)
    agent.settings = {"link": {"reset": True}}
    terminal.busy = True
    await refused(agent, WRITE, SYSTEM, 5, {}, None, 10)  # a terminal at work is not left alone
    assert not hasattr(agent.link, "leaving")
    terminal.busy = False
    assert await asked(agent, WRITE, SYSTEM, 5) == {}
    agent.link.leaving.cancel()


async def test_parameters_info_and_parts_are_told():
    agent, _ = await bench()
    assert await asked(agent, READ, SYSTEM, 6) == {"buf_size": 2048, "buf_count": 1}
    assert await asked(agent, READ, SYSTEM, 7) == {"output": "refund-agent"}
    assert await asked(agent, READ, SYSTEM, 2) == {"tasks": {"link": {"prio": 0, "tid": 0, "state": 128}}}

    class Part:
        def __init__(self, done):
            self.done = lambda: done

    agent.tasks = [Part(False), Part(False), Part(True), Part(False)]
    tasks = (await asked(agent, READ, SYSTEM, 2))["tasks"]
    assert sorted(tasks) == ["link", "network", "power", "pulse", "terminal"]
    assert [tasks[name]["state"] for name in ("power", "terminal")] == [2, 8]


async def test_agent_and_terminal_are_told_as_images_and_cannot_be_changed():
    agent, _ = await bench()
    images = (await asked(agent, READ, IMAGES, 0))["images"]
    assert [(one["image"], one["slot"], one["version"], one["active"]) for one in images] == [
        (0, 0, "0.1.0", True),
        (1, 1, agent.snapshot.get("terminal_version"), True),
    ]
    assert len(images[0]["hash"]) == 32 and "hash" not in images[1]
    agent.snapshot.put("terminal_version", None)
    assert len((await asked(agent, READ, IMAGES, 0))["images"]) == 1
    for op, command, its in ((WRITE, 0, 32), (WRITE, 1, 9), (WRITE, 5, 14), (READ, 1, None), (WRITE, 6, None)):
        await refused(agent, op, IMAGES, command, {"confirm": True, "off": 0, "data": b"x"}, its, 8)


async def test_statistics_are_listed_and_shown():
    agent, _ = await bench()
    names = (await asked(agent, READ, STATISTICS, 1))["stat_list"]
    assert names == ["heap", "journal", "link", "watch"]
    agent.link.frames_in = 7
    for name in names:
        answer = await asked(agent, READ, STATISTICS, 0, {"name": name})
        assert answer["name"] == name
        assert all([type(value) is int for value in answer["fields"].values()])
        if name == "link":
            assert answer["fields"]["frames_in"] == 7 and {"bytes_out", "damaged", "resyncs"} <= set(answer["fields"])
        elif name == "watch":
            assert {"supply_sags", "network_failures", "terminal_silent"} <= set(answer["fields"])
        elif name == "journal":
            assert answer["fields"]["size"] == agent.journal.size
    await refused(agent, READ, STATISTICS, 0, {"name": "gate"}, 2, 5)
    await refused(agent, READ, STATISTICS, 0, {}, None, 3)
    await refused(agent, WRITE, STATISTICS, 0, {"name": "link"}, None, 8)


async def test_settings_are_read_by_name_and_never_written():
    agent, _ = await bench()
    settings = agent.settings
    for name in settings["power"]:
        answer = await asked(agent, READ, SETTINGS, 0, {"name": "power/" + name})
        assert cbor.decode(answer["val"]) == settings["power"][name]
    answer = await asked(agent, READ, SETTINGS, 0, {"name": "policy/unknown"})
    assert cbor.decode(answer["val"]) == agent.policy.rules["unknown"]
    await refused(agent, READ, SETTINGS, 0, {"name": "power/none"}, 3, 5)
    for name in ("none/low_mv", "power", "keys/x", "keys", "/"):
        its = 3 if name == "power" else 5
        await refused(agent, READ, SETTINGS, 0, {"name": name}, its, 5)
    await refused(agent, READ, SETTINGS, 0, {"name": "x" * 65}, 2, 3)
    await refused(agent, READ, SETTINGS, 0, {"name": "policy/unknown", "max_size": 1}, None, 7)
    await refused(agent, READ, SETTINGS, 0, {"name": 5}, None, 3)
    before = dict(settings["power"])
    await refused(agent, WRITE, SETTINGS, 0, {"name": "power/low_mv", "val": b"\x01"}, 6, 8)
    await refused(agent, WRITE, SETTINGS, 1, {"name": "power/low_mv"}, 7, 8)
    for op, command in ((READ, 3), (WRITE, 2), (WRITE, 3), (READ, 1)):
        await refused(agent, op, SETTINGS, command, {}, None, 8)
    assert settings["power"] == before


async def test_the_groups_are_enumerated_one_by_one_and_together():
    agent, _ = await bench()
    groups = (await asked(agent, READ, ENUMERATION, 1))["groups"]
    assert groups == [0, 1, 2, 3, 8, 10, 82]
    assert await asked(agent, READ, ENUMERATION, 0) == {"count": len(groups)}
    found = []
    for at in range(len(groups)):
        found.append(await asked(agent, READ, ENUMERATION, 2, {"index": at}))
    assert [one["group"] for one in found] == groups
    assert [one.get("end") for one in found] == [None] * (len(groups) - 1) + [True]
    assert (await asked(agent, READ, ENUMERATION, 2))["group"] == 0
    await refused(agent, READ, ENUMERATION, 2, {"index": len(groups)}, 4, 3)
    for index in (-1, "0", True):
        await refused(agent, READ, ENUMERATION, 2, {"index": index}, None, 3)
    details = (await asked(agent, READ, ENUMERATION, 3))["groups"]
    assert [one["group"] for one in details] == groups and all([one["handlers"] for one in details])
    details = (await asked(agent, READ, ENUMERATION, 3, {"groups": [82, 99, 0]}))["groups"]
    assert [one["group"] for one in details] == [0, 82]
    await refused(agent, READ, ENUMERATION, 4, {}, None, 8)


async def test_600_random_requests_are_answered_without_a_fault():
    agent, _ = await bench()
    chance = Chance()
    names = ("name", "index", "groups", "datetime", "format", "force", "val", "max_size")
    values = (0, 1, -1, 1 << 40, "", "link", "power/low_mv", "a", None, True, b"x", [0], {}, "2026-11-24T10:00:00")
    last = agent.events.last
    for _ in range(600):
        body = {chance.one_of(names): chance.one_of(values) for _ in range(chance.below(3))}
        group = chance.one_of((0, 1, 2, 3, 10))
        answer = await asked(agent, chance.one_of((READ, WRITE)), group, chance.below(8), body, chance.below(2))
        assert isinstance(answer, dict)
    faults = [event.data for event in agent.events.since(last, 1 << 20)[0] if cbor.decode(event.data)[2] == 17]
    assert faults == []
