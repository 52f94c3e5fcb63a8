"""TCP over the loopback of this machine: the contract of the Serial port, and what a network does besides."""

import asyncio
import os

from hal.tcp import connect, listen
from hal.ticks import deadline, left

HOST = "127.0.0.1"


class Pair:
    """Two ends of one connection: `near`, which connected, and `far`, which was taken."""

    async def __aenter__(self):
        self.came = []
        self.server = await listening(self.came.append)
        self.near = await connect(HOST, self.server.port)
        while not self.came:
            await asyncio.sleep(0.001)
        self.far = self.came[0]
        return self

    async def __aexit__(self, *_):
        self.near.close()
        self.far.close()
        self.server.close()


async def listening(taken):
    """A server at a free port, found by trying: MicroPython cannot be told to take any."""
    for _ in range(50):
        high, low = os.urandom(2)
        try:
            return await listen(HOST, 10000 + (high << 8 | low) % 20000, taken)
        except OSError:
            pass
    raise AssertionError("no free port")


async def fails(coroutine):
    try:
        await coroutine
    except OSError as error:
        return error.errno or True
    return False


async def exactly(connection, size):
    data = b""
    while len(data) < size:
        data += await connection.read(2000)
    return data


async def test_what_one_end_writes_the_other_reads():
    async with Pair() as pair:
        for message in (b"\x06\x00\x00", b"\x00", bytes(range(256)) * 3):
            await pair.near.write(message)
            assert await exactly(pair.far, len(message)) == message
            await pair.far.write(message)
            assert await exactly(pair.near, len(message)) == message


async def test_a_read_takes_what_there_is_and_gives_up_after_its_time():
    async with Pair() as pair:
        assert await pair.near.read(0) == b""
        begun = deadline(1000)
        assert await pair.near.read(30) == b""
        assert 0 < left(begun) <= 975
        await pair.far.write(b"a")
        assert await pair.near.read(2000) == b"a"


async def test_a_read_that_waits_gets_each_byte_as_it_comes():
    async with Pair() as pair:
        got = []

        async def reads():
            while len(b"".join(got)) < 40:
                got.append(await pair.far.read(2000))

        reading = asyncio.create_task(reads())
        for byte in range(40):
            await pair.near.write(bytes((byte,)))
            await asyncio.sleep(0.001)
        await reading
        assert b"".join(got) == bytes(range(40)) and len(got) > 20


async def test_reads_with_changing_patience_end_in_their_time_and_lose_nothing():
    async with Pair() as pair:
        for wait in (300, 20, 120, 10, 40):
            until = deadline(wait)
            assert await pair.near.read(wait) == b""
            assert not left(until)
            await pair.far.write(b"x")
            assert await pair.near.read(1000) == b"x"
        until = deadline(200)
        assert await pair.near.read(100) == b""
        assert left(until)


async def test_what_comes_while_a_read_is_broken_off_is_for_the_next():
    async with Pair() as pair:
        for pause in (0, 0.001, 0.01):
            reader = asyncio.create_task(pair.near.read(2000))
            await asyncio.sleep(0.01)
            await pair.far.write(b"kept")
            await asyncio.sleep(pause)
            reader.cancel()
            try:
                got = await reader
            except asyncio.CancelledError:
                got = b""
            assert got + (b"" if got else await exactly(pair.near, 4)) == b"kept"


async def test_the_other_end_hung_up_is_an_error_behind_the_last_byte():
    async with Pair() as pair:
        await pair.near.write(b"last")
        pair.near.close()
        assert await exactly(pair.far, 4) == b"last"
        assert await fails(pair.far.read(2000))
        for _ in range(3):  # the first write may go to whoever is no longer there
            failed = await fails(pair.far.write(b"more"))
            await asyncio.sleep(0.01)
        assert failed


async def test_it_hangs_up_while_a_read_waits():
    async with Pair() as pair:
        reading = asyncio.create_task(fails(pair.far.read(20000)))
        await asyncio.sleep(0.01)
        pair.near.close()
        assert await reading


async def test_a_connection_closed_here_ends_its_read_and_takes_no_more():
    async with Pair() as pair:
        reading = asyncio.create_task(fails(pair.far.read(20000)))
        await asyncio.sleep(0.01)
        pair.far.close()
        pair.far.close()
        assert await reading
        assert await fails(pair.far.read(0)) and await fails(pair.far.write(b"x"))


async def test_the_number_of_a_closed_connection_may_be_that_of_another_at_once():
    async with Pair() as pair:
        reading = asyncio.create_task(fails(pair.far.read(20000)))
        await asyncio.sleep(0.01)
        pair.far.close()
        async with Pair() as other:
            waiting = asyncio.create_task(other.far.read(2000))
            await asyncio.sleep(0.01)
            assert await reading
            await other.near.write(b"here")
            assert await waiting == b"here"


async def test_nobody_listens():
    server = await listening(print)
    port = server.port
    server.close()
    assert await fails(connect(HOST, port)) == 111  # ECONNREFUSED


async def test_a_port_in_use_is_an_error():
    server = await listening(print)
    assert await fails(listen(HOST, server.port, print)) == 98  # EADDRINUSE
    server.close()


async def test_what_a_server_took_stays_when_it_closes_and_its_port_is_free():
    async with Pair() as pair:
        pair.server.close()
        pair.server.close()
        await asyncio.sleep(0.01)
        await pair.near.write(b"still")
        assert await exactly(pair.far, 5) == b"still"
        assert await fails(connect(HOST, pair.server.port))
        pair.server = await listen(HOST, pair.server.port, print)


async def test_many_come_to_one_server():
    came = []
    server = await listening(came.append)
    ends = []
    for number in range(12):
        ends.append(await connect(HOST, server.port))
        await ends[-1].write(bytes((number,)))
    heard = []
    while len(heard) < 12:
        await asyncio.sleep(0.001)
        while len(heard) < len(came):
            heard.append(await came[len(heard)].read(2000))
    assert sorted(heard) == [bytes((number,)) for number in range(12)]
    for end in ends + came:
        end.close()
    server.close()


SIZE = 4096
PIECES = 512  # two megabytes: more than sockets keep between two processes


async def test_much_is_written_to_a_slow_reader_and_all_of_it_arrives_in_order():
    async with Pair() as pair:
        piece = bytes(range(256)) * (SIZE // 256)

        async def writes():
            for _ in range(PIECES):
                await pair.near.write(piece)

        writing = asyncio.create_task(writes())
        at = 0
        slow = 40
        while at < SIZE * PIECES:
            if slow:
                slow -= 1
                await asyncio.sleep(0.005)
            data = await pair.far.read(2000)
            assert data == (piece[at % 256 :] + piece)[: len(data)], at
            at += len(data)
        await writing


async def test_nobody_takes_what_is_written_for_a_second():
    async with Pair() as pair:

        async def floods():
            while True:
                await pair.near.write(bytes(SIZE))

        begun = deadline(10000)
        assert await fails(floods()) == 110  # ETIMEDOUT
        assert 5000 < left(begun) < 9100


async def test_a_read_that_runs_out_of_time_does_not_stop_a_write():
    async with Pair() as pair:
        written = []

        async def writes():
            for _ in range(PIECES):
                await pair.near.write(bytes(SIZE))
            written.append(True)

        writing = asyncio.create_task(writes())
        for _ in range(10):
            assert await pair.near.read(20) == b""
        await exactly_drop(pair.far, SIZE * PIECES)
        await writing
        assert written


async def exactly_drop(connection, size):
    while size:
        size -= len(await connection.read(2000))


async def test_a_flood_leaves_the_others_their_turn():
    async with Pair() as pair:
        turns = []

        async def others():
            while True:
                turns.append(None)
                await asyncio.sleep(0)

        async def writes():
            for _ in range(64):
                await pair.near.write(bytes(SIZE))

        writing = asyncio.create_task(writes())
        await asyncio.sleep(0.01)
        another = asyncio.create_task(others())
        await exactly_drop(pair.far, 64 * SIZE)
        another.cancel()
        await writing
        assert len(turns) >= 64 * SIZE // 1024 // 32


async def test_a_read_that_finds_data_returns_without_waiting_for_anything():
    async with Pair() as pair:
        await pair.near.write(b"there")
        await asyncio.sleep(0.01)
        read = pair.far.read(2000)
        try:
            read.send(None)
            assert False, "it waited"
        except StopIteration as end:
            assert end.value == b"there"
