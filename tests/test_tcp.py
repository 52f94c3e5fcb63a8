"""TCP under CPython, where the system lets us look closer; the contract itself is in tests/device/test_tcp.py."""

import asyncio
import contextlib
import errno
import os
import resource
import socket
import time

import pytest

from hal import tcp

HOST = "127.0.0.1"


@contextlib.asynccontextmanager
async def pair():
    """Two ends of one connection."""
    came = asyncio.Queue()
    server = await tcp.listen(HOST, 0, came.put_nowait)
    near = await tcp.connect(HOST, server.port)
    far = await came.get()
    yield near, far
    near.close()
    far.close()
    server.close()


def open_files():
    return len(os.listdir("/proc/self/fd"))


async def test_the_system_chooses_a_port_and_a_name_is_looked_up():
    came = asyncio.Queue()
    server = await tcp.listen("localhost", 0, came.put_nowait)
    assert 1024 < server.port < 65536
    near = await tcp.connect("localhost", server.port)
    far = await came.get()
    await near.write(b"by name")
    assert await far.read(2000) == b"by name"
    for one in (near, far, server):
        one.close()


async def test_a_name_nobody_has_is_an_error():
    with pytest.raises(OSError):
        await tcp.connect("no-such-name.invalid", 1)


async def test_whoever_does_not_answer_is_given_up_in_time():
    with socket.create_server((HOST, 0), backlog=0) as full:
        port = full.getsockname()[1]
        waiting = [await tcp.connect(HOST, port)]  # fills the queue: the system leaves the next ones without an answer
        before = open_files()
        begun = time.monotonic()
        with pytest.raises(OSError) as silence:
            for _ in range(4):
                waiting.append(await tcp.connect(HOST, port, 300))
        assert silence.value.errno == errno.ETIMEDOUT and time.monotonic() - begun < 5
        assert open_files() == before + len(waiting) - 1
        for one in waiting:
            one.close()


async def test_nothing_stays_open():
    async with pair() as (near, far):
        before = open_files()
        for _ in range(5):
            with pytest.raises(OSError):
                await tcp.connect(HOST, 1)
            connecting = asyncio.create_task(tcp.connect(HOST, 1))
            await asyncio.sleep(0)
            connecting.cancel()
            with pytest.raises((asyncio.CancelledError, OSError)):
                await connecting
        with pytest.raises(OSError):
            await tcp.listen("192.0.2.1", 0, print)  # not ours
        assert open_files() == before
        reading = asyncio.create_task(far.read(5000))
        await asyncio.sleep(0)
        reading.cancel()  # leaves no watch behind
        await near.write(b"later")
        assert await far.read(2000) == b"later"


async def test_a_server_without_a_free_file_goes_on_when_there_is_one():
    came = asyncio.Queue()
    server = await tcp.listen(HOST, 0, came.put_nowait)
    near = socket.create_connection((HOST, server.port))
    (await came.get()).close()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    later = socket.socket()
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(int(fd) for fd in os.listdir("/proc/self/fd")), hard))
    taken = []
    try:
        while True:  # what is free below the highest
            try:
                taken.append(os.dup(0))
            except OSError:
                break
        later.setblocking(False)
        later.connect_ex((HOST, server.port))
        await asyncio.sleep(0.3)
        assert came.empty()
    finally:
        for fd in taken:
            os.close(fd)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    far = await asyncio.wait_for(came.get(), 5)
    for one in (near, later, far, server):
        one.close()


async def test_a_write_that_waits_ends_when_the_connection_is_closed():
    async with pair() as (near, _):

        async def floods():
            while True:
                await near.write(bytes(1 << 16))

        flooding = asyncio.create_task(floods())
        await asyncio.sleep(0.2)
        begun = time.monotonic()
        near.close()
        with pytest.raises(OSError):
            await flooding
        assert time.monotonic() - begun < 0.5


async def test_nothing_is_collected_before_it_is_sent(record_count):
    async with pair() as (near, far):

        async def echoes():
            while True:
                await far.write(await far.read(5000))

        echoing = asyncio.create_task(echoes())
        spans = []
        for _ in range(
            300
        ):  # two writes in a row: with Nagle's algorithm the second one waits 40 ms for an acknowledgement
            begun = time.perf_counter()
            await near.write(b"\x10")
            await near.write(b"\x02")
            got = b""
            while len(got) < 2:
                got += await near.read(5000)
            spans.append(time.perf_counter() - begun)
        echoing.cancel()
        record_count("TCP there and back, median", f"{sorted(spans)[150] * 1e6:.0f} microseconds")
        assert sorted(spans)[150] < 0.02
