"""A board's network: what its WLAN or LAN says of itself, the way to the host, names and the time over UDP."""

import asyncio
import os
import socket

from hal import tcp

from . import fake_machine, fake_network
from .fake_machine import bench
from .fake_network import air

fake_machine.install()
fake_network.install()

from hal.micropython import names  # noqa: E402
from hal.micropython.clock import Clock  # noqa: E402
from hal.micropython.lan import Lan  # noqa: E402
from hal.micropython.wlan import Wlan  # noqa: E402

HOST = "127.0.0.1"
SECRET = "board_wlan"


def secret(text):
    try:
        os.remove(SECRET)
    except OSError:
        pass
    if text is not None:
        with open(SECRET, "w") as file:
            file.write(text)
    return SECRET


def wlan(port, text="shop\nsecret key\n", clock=None, **settings):
    bench.begin(port)
    fake_network.network.port(port)
    air.begin()
    air.networks["shop"] = "secret key"
    one = Wlan(settings, secret(text), clock)
    secret(None)
    return one


def lan(port, **settings):
    bench.begin(port)
    fake_network.network.port(port)
    air.begin()
    settings["lan"] = {"phy_type": 1} if port == "esp32" else None
    return Lan(settings)


async def free_port(open_it):
    """A number that `open_it` takes."""
    for _ in range(50):
        high, low = os.urandom(2)
        number = 10000 + (high << 8 | low) % 20000
        try:
            return number, await open_it(number)
        except OSError:
            pass
    raise AssertionError("no free port")


async def host():
    return await free_port(lambda number: tcp.listen(HOST, number, lambda line: line.close()))


async def test_a_wlan_joins_and_reaches_the_host_on_every_port():
    port, server = await host()
    for board in ("rp2", "esp32", "stm32"):
        one = wlan(board, host="%s:%d" % (HOST, port))
        link, address, host_ms, dns, tls, signal = await one.probe()
        assert (link, address, dns, tls, signal) == (1, 1, 1, None, 80), board
        assert 0 <= host_ms < 500
        assert (await one.probe())[2] >= 0
        assert one._nic.tries == 1
    server.close()
    assert (await one.probe())[2:4] == (-1, 1)  # the host is gone


async def test_a_network_that_is_not_there_or_another_key_is_no_link_and_tried_again_now_and_then():
    for board in ("rp2", "esp32", "stm32"):
        for text in ("elsewhere\nsecret key\n", "shop\nwrong key\n"):
            one = wlan(board, text, host=HOST + ":443")
            for _ in range(3):
                assert await one.probe() == (0, 0, -1, 0, None, None), board
            assert one._nic.tries == 1  # within a quarter of a minute
            air.networks["elsewhere"] = "secret key"
            air.networks["shop"] = "wrong key"
            one._tried = None  # that quarter passes
            link, address, _, _, _, signal = await one.probe()
            assert (link, address, signal) == (1, 1, 80), board


async def test_joined_without_an_address_is_link_alone():
    for board, seen in (("rp2", 1), ("stm32", 1), ("esp32", 0)):  # an ESP32 says the same of both
        one = wlan(board, host=HOST + ":443")
        air.serves = False
        link, address = (await one.probe())[:2]
        assert (link, address) == (seen, 0), board


async def test_without_a_secret_the_radio_stays_off():
    for text in (None, "", "\n"):
        one = wlan("rp2", text, host=HOST + ":443")
        assert await one.probe() == (0, 0, -1, 0, None, None)
        assert not one._nic.up and one._nic.tries == 0


async def test_a_wlan_that_nobody_set_up_is_absent_and_not_down():
    for board in ("rp2", "esp32", "stm32"):
        one = wlan(board, None)
        assert await one.probe() is None
        assert not one._nic.up and one._nic.tries == 0


async def test_a_signal_that_is_not_known_is_none():
    one = wlan("rp2")
    for rssi, percent in ((-60, 80), (-101, 0), (-30, 100), (0, None)):
        air.rssi = rssi
        await one.probe()
        assert one._signal() == percent


async def test_a_lan_tells_cable_and_address_on_both_ports():
    for board in ("esp32", "stm32"):
        one = lan(board, host=HOST + ":1")
        assert (await one.probe())[:4] == (1, 1, -1, 1)
        air.serves = False
        assert await one.probe() == (1, 0, -1, 0, None, None)
        air.cable = False
        assert await one.probe() == (0, 0, -1, 0, None, None)


async def test_an_address_that_it_gave_itself_is_none():
    one = lan("stm32", host=HOST + ":1")
    air.own = "169.254.7.7"
    assert (await one.probe())[:4] == (1, 0, -1, 0)


async def test_without_a_host_only_what_is_down_is_told():
    one = lan("stm32")
    assert await one.probe() is None
    air.cable = False
    assert await one.probe() == (0, 0, -1, 0, None, None)


def test_a_host_without_a_port_or_an_interface_that_is_not_there_is_an_os_error():
    for wrong in ("acquirer.example", "acquirer.example:", ":443", "acquirer.example:https", "acquirer.example:70000"):
        try:
            wlan("rp2", host=wrong)
        except OSError:
            continue
        raise AssertionError(wrong)
    bench.begin("esp32")
    try:
        Lan({"lan": {}})
    except OSError:
        return
    raise AssertionError("an ESP32 must be told its part")


# ---- names and the time ----

NUMBER = 0x1234
ASKED = names.question("acquirer.example", NUMBER)
ADDRESS = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\7"
ALIAS = b"\xc0\x0c\0\5\0\1\0\0\0\x3c\0\6\3www\xc0\x15"


def answer(records, count, flags=b"\x81\x80", question=ASKED):
    return question[:2] + flags + b"\0\1" + bytes((0, count)) + b"\0\0\0\0" + question[12:] + records


def test_a_question_is_as_rfc_1035_has_it():
    assert ASKED == b"\x124\1\0\0\1\0\0\0\0\0\0\x08acquirer\x07example\0\0\1\0\1"
    for wrong in ("", "a..b", "x" * 64 + ".example"):
        try:
            names.question(wrong, 1)
        except OSError:
            continue
        raise AssertionError(wrong)


def test_an_address_is_found_behind_aliases_and_nothing_else_is():
    assert names.answered(answer(ADDRESS, 1), ASKED) == "192.0.2.7"
    assert names.answered(answer(ALIAS + ADDRESS, 2), ASKED) == "192.0.2.7"
    assert names.answered(answer(ALIAS + b"\3www\7example\0" + ADDRESS[2:], 2), ASKED) == "192.0.2.7"
    for wrong in (
        b"",
        answer(b"", 0),
        answer(ALIAS, 1),
        answer(ADDRESS, 1, b"\x81\x83"),  # no such name
        answer(ADDRESS, 1, b"\x01\x00"),  # a question
        answer(ADDRESS, 1, question=names.question("acquirer.example", 7)),  # not ours
        answer(ADDRESS, 1, question=names.question("elsewhere.exampl", NUMBER)),
    ):
        assert names.answered(wrong, ASKED) is None, wrong


def test_no_answer_that_is_cut_or_damaged_does_more_than_say_nothing():
    whole = answer(ALIAS + ADDRESS, 2)
    for size in range(len(whole)):
        assert names.answered(whole[:size], ASKED) is None, size
    for at in range(len(whole)):
        for bit in range(8):
            damaged = whole[:at] + bytes((whole[at] ^ 1 << bit,)) + whole[at + 1 :]
            names.answered(damaged, ASKED)


class Server:
    """Answers datagrams by `answer(question)`; None: it is silent."""

    def __init__(self, answer):
        self.answer = answer
        self.asked = 0

    async def open(self, number):
        kind, address = (await tcp.addresses(HOST, number))[0]
        self.socket = socket.socket(kind, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.bind(address)
        self.waiter = tcp.Waiter(self.socket)
        self.task = asyncio.create_task(self._run())
        return self

    async def _run(self):
        while True:
            if await self.waiter.readable(5000):
                question, sender = self.socket.recvfrom(512)
                self.asked += 1
                said = self.answer(question)
                if said is not None:
                    self.socket.sendto(said, sender)

    def close(self):
        self.task.cancel()
        self.waiter.close()
        self.socket.close()


async def serving(answer):
    server = Server(answer)
    return (await free_port(server.open))[0], server


async def test_a_name_is_asked_of_the_server_and_an_address_of_nobody():
    port, server = await serving(lambda question: question[:2] + answer(ADDRESS, 1)[2:])
    assert await names.resolve("acquirer.example", HOST, 1000, port) == "192.0.2.7"
    assert await names.resolve("192.0.2.8", HOST, 1000, port) == "192.0.2.8"
    assert server.asked == 1
    server.close()


async def test_a_server_that_hangs_keeps_nobody_waiting():
    port, server = await serving(lambda question: None)
    turns = [0]

    async def live():
        while True:
            turns[0] += 1
            await asyncio.sleep(0.005)

    task = asyncio.create_task(live())
    assert await names.resolve("acquirer.example", HOST, 200, port) is None
    assert turns[0] > 5
    task.cancel()
    server.close()
    assert await names.resolve("acquirer.example", HOST, 100, port) is None  # nobody there


async def test_the_time_is_that_of_a_server_that_knows_it():
    good = b"\x1c\1" + bytes(38) + b"\xec\xae\x1d\x80" + bytes(4)
    for said, seconds in (
        (good, 0xECAE1D80 - 2208988800),
        (b"\x1c\0" + good[2:], None),
        (good[:40], None),
        (b"\x1b" + good[1:], None),
    ):
        port, server = await serving(lambda question, said=said: said)
        assert await names.time_of(HOST, 1000, port) == seconds
        server.close()


async def test_the_clock_is_set_by_a_server_and_again_a_day_later():
    port, server = await serving(lambda question: b"\x1c\1" + bytes(38) + b"\xec\xae\x1d\x80" + bytes(4))
    bench.begin("rp2")
    clock = Clock(lambda: 0)
    one = wlan("rp2", clock=clock, time=HOST, time_port=port)
    await one.probe()
    await one.probe()
    assert server.asked == 1 and bench.rtc == (2025, 10, 30, 3, 17, 23, 12, 0), bench.rtc
    server.close()
