"""Linux drivers that read the host: the way to the acquirer's host over a real loopback, sensors from files as the kernel has
them."""

import asyncio
import datetime
import errno
import os
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hal.linux.ina import Ina219, Ina226
from hal.linux.network import Network
from hal.linux.power import Power, voltages
from hal.linux.thermometer import Thermometer
from hal.linux.watchdog import Watchdog


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    """name -> (certificate file, key file) of self-signed ones: good for localhost, expired, for another host."""
    folder = tmp_path_factory.mktemp("certificates")
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    made = {}
    for name, host, begin, end in (
        ("good", "localhost", now - day, now + day),
        ("expired", "localhost", now - 3 * day, now - day),
        ("elsewhere", "acquirer.example", now - day, now + day),
    ):
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(end)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        files = folder / f"{name}.pem", folder / f"{name}.key"
        files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        files[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        made[name] = tuple(map(str, files))
    return made


class Host:
    """A host on a free port of the loopback. `certificate`: (file, key) it shows; None: it takes connections and says
    nothing; "talks": it answers with a line of text. `met`: connections; `greeted`: handshakes that ended well."""

    def __init__(self, certificate=None):
        self.certificate = certificate
        self.met = self.greeted = 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.held = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                line, _ = self.socket.accept()
            except OSError:
                return
            self.met += 1
            line.settimeout(5)
            try:
                if self.certificate == "talks":
                    line.sendall(b"220 welcome\r\n")
                elif self.certificate:
                    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                    context.load_cert_chain(*self.certificate)
                    line = context.wrap_socket(line, server_side=True)
                    self.greeted += 1
            except OSError:
                pass
            self.held.append(line)

    def close(self):
        self.socket.close()
        for line in self.held:
            line.close()

    def network(self, name="localhost", **settings):
        return Network({"interface": "lo", "host": f"{name}:{self.port}", **settings})


@pytest.fixture
def host():
    hosts = []

    def host(certificate=None):
        hosts.append(Host(certificate))
        return hosts[-1]

    yield host
    for one in hosts:
        one.close()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as one:
        return one.getsockname()[1]


# ---- the way to the host ----


async def test_a_host_that_answers_is_reached_by_name_and_by_number(host):
    for name in ("localhost", "127.0.0.1"):
        link, address, host_ms, dns, tls, signal = await host().network(name).probe()
        assert (link, address, dns, tls, signal) == (1, 1, 1, None, None)
        assert 0 <= host_ms < 1000


async def test_a_host_that_refuses_or_has_no_name_is_not_reached():
    network = Network({"interface": "lo", "host": f"localhost:{free_port()}", "tls": True})
    assert await network.probe() == (1, 1, -1, 1, None, None)
    network = Network({"interface": "lo", "host": "no-such-host.invalid:443"})
    assert await network.probe() == (1, 1, -1, 0, None, None)


async def test_a_name_that_cannot_be_one_is_not_resolved():
    network = Network({"interface": "lo", "host": "x" * 80 + ".example:443"})
    assert (await network.probe())[2:4] == (-1, 0)


async def test_a_certificate_nobody_trusts_is_not_valid_and_one_that_is_trusted_is(host, certificates):
    good = host(certificates["good"])
    assert (await good.network(tls=True).probe())[4] == 0
    trusted = good.network(tls=True, ca=certificates["good"][0])
    assert (await trusted.probe())[4] == 1
    for name in ("expired", "elsewhere"):
        one = host(certificates[name])
        assert (await one.network(tls=True, ca=certificates[name][0]).probe())[4] == 0, name
    assert (await good.network(tls=True, ca=certificates["expired"][0]).probe())[4] == 0
    assert (await good.network().probe())[4] is None  # not looked at


async def test_a_valid_certificate_is_looked_at_now_and_then_and_another_each_time(host, certificates):
    good = host(certificates["good"])
    network = good.network(tls=True, ca=certificates["good"][0], tls_every=4)
    for _ in range(9):
        assert (await network.probe())[4] == 1
    await asyncio.sleep(0.05)
    assert (good.met, good.greeted) == (9, 3)
    good.certificate = certificates["expired"]
    seen = [(await network.probe())[4] for _ in range(5)]
    assert seen == [1, 1, 1, 0, 0]
    good.certificate = certificates["good"]
    assert (await network.probe())[4] == 1


async def test_a_host_that_speaks_no_tls_is_not_valid_and_one_that_says_nothing_is_unknown_in_time(host):
    talks = host("talks")
    assert (await talks.network(tls=True).probe())[4] == 0
    quiet = host()
    began = time.monotonic()
    link, address, host_ms, dns, tls, _ = await quiet.network(tls=True).probe()
    assert time.monotonic() - began < 3
    assert (link, address, dns, tls) == (1, 1, 1, None) and host_ms >= 0  # it is there, whatever it says


async def test_a_name_server_that_hangs_keeps_nobody_waiting_and_is_asked_once(host, mocker):
    released = threading.Event()
    asked = []

    def hang(*arguments, **more):
        asked.append(arguments)
        released.wait(10)
        return []

    mocker.patch("hal.linux.network.socket.getaddrinfo", hang)
    network = host().network()
    turns = 0

    async def live():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.01)

    living = asyncio.create_task(live())
    began = time.monotonic()
    assert await network.probe() == (1, 1, -1, 0, None, None)
    assert time.monotonic() - began < 3
    assert turns > 50  # the loop went on
    began = time.monotonic()
    assert await network.probe() == (1, 1, -1, 0, None, None)
    assert time.monotonic() - began < 0.5 and len(asked) == 1
    released.set()
    living.cancel()


async def test_every_address_of_a_name_gets_its_turn(host, mocker):
    one = host()
    places = [("127.0.0.1", free_port()), ("127.0.0.1", one.port)]
    answer = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", place) for place in places]
    mocker.patch(
        "hal.linux.network.socket.getaddrinfo", lambda *a, **k: [(socket.AF_INET6 + 99, 1, 6, "", ()), *answer]
    )
    assert (await one.network().probe())[2] >= 0


async def test_an_address_that_swallows_everything_leaves_time_for_the_next(host, mocker):
    # a listener whose queue is full answers no connection any more
    full = socket.socket()
    full.bind(("127.0.0.1", 0))
    full.listen(0)
    crowd = []
    for _ in range(4):
        crowd.append(socket.socket())
        crowd[-1].setblocking(False)
        crowd[-1].connect_ex(full.getsockname())
    one = host()
    answer = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", p)) for p in (full.getsockname()[1], one.port)]
    mocker.patch("hal.linux.network.socket.getaddrinfo", lambda *a, **k: answer)
    began = time.monotonic()
    assert (await one.network().probe())[2] >= 0
    assert time.monotonic() - began < 3
    mocker.patch("hal.linux.network.socket.getaddrinfo", lambda *a, **k: answer[:1])
    began = time.monotonic()
    assert (await one.network().probe())[2] == -1
    assert time.monotonic() - began < 3
    for line in [full, *crowd]:
        line.close()


async def test_probes_leave_no_file_open(host, certificates):
    one = host(certificates["good"])
    trusted, other = one.network(tls=True, ca=certificates["good"][0], tls_every=1), one.network(tls=True)
    for network in (trusted, other):
        await network.probe()
    before = len(os.listdir("/proc/self/fd"))
    for network in (trusted, other):
        for _ in range(5):
            await network.probe()
    held = len(one.held)
    assert len(os.listdir("/proc/self/fd")) - before <= 10 and held <= 12  # the host's own ends


def test_a_host_without_a_port_is_refused_when_it_is_set():
    for wrong in ("acquirer.example", "acquirer.example:", ":443", "acquirer.example:https", "acquirer.example:70000"):
        with pytest.raises(OSError, match="host:port"):
            Network({"host": wrong})
    with pytest.raises(OSError):
        Network({"host": "acquirer.example:443", "tls": True, "ca": "no/such/file"})
    assert Network({"host": "[::1]:443"})._host == "::1"


# ---- the interface, from files as the kernel has them ----


class Kernel:
    def __init__(self, root):
        self.root = root

    def put(self, path, text):
        path = self.root / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def network(self, mocker, ipv4="", **settings):
        network = Network(settings, str(self.root))
        mocker.patch.object(network, "_ipv4", lambda name: ipv4)
        return network


@pytest.fixture
def kernel(tmp_path):
    return Kernel(tmp_path)


ROUTES = """\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
wlan0\t00000000\t0102A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0
eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
eth1\t00000000\t0101A8C0\t0002\t0\t0\t1\t00000000\t0\t0\t0
eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0
"""
NO = "0" * 32
ROUTES_6 = f"""\
{NO} 00 {NO} 00 {NO} ffffffff 1 0 00200200 lo
{NO} 00 {NO} 00 fe800000000000000000000000000001 00000400 1 0 00450003 usb0
"""


async def test_the_interface_is_that_of_the_default_route_with_the_lowest_metric(kernel, mocker):
    network = kernel.network(mocker, "192.168.1.5", host="127.0.0.1:1")
    assert await network.probe() == (0, 0, -1, 0, None, None)  # no route at all
    kernel.put("proc/net/ipv6_route", ROUTES_6)
    assert network._default_interface() == "usb0"
    kernel.put("proc/net/route", ROUTES)
    assert network._default_interface() == "eth0"
    kernel.put("sys/class/net/eth0/carrier", "0\n")
    assert await network.probe() == (0, 0, -1, 0, None, None)
    kernel.put("sys/class/net/eth0/carrier", "1\n")
    assert (await network.probe())[:2] == (1, 1)


async def test_an_address_that_it_gave_itself_is_none(kernel, mocker):
    kernel.put("sys/class/net/eth0/carrier", "1\n")
    for ipv4, ipv6, address in (
        ("", None, 0),
        ("169.254.3.4", None, 0),
        ("10.0.0.1", None, 1),
        ("", "fe800000000000000000000000000001 02 40 20 80", 0),
        ("", "20010db8000000000000000000000001 02 40 00 80", 1),
        ("", "20010db8000000000000000000000001 02 40 00 40", 0),  # tentative
        ("", "20010db8000000000000000000000001 02 40 00 08", 0),  # somebody else has it
    ):
        kernel.put("proc/net/if_inet6", f"{ipv6}     eth0\n" if ipv6 else "")
        network = kernel.network(mocker, ipv4, interface="eth0", host="127.0.0.1:1")
        assert (await network.probe())[:2] == (1, address), (ipv4, ipv6)


async def test_without_a_host_carrier_and_address_are_told_and_what_is_surely_down(kernel, mocker):
    network = kernel.network(mocker, "10.0.0.1", interface="eth0")
    assert await network.probe() == (0, 0, -1, 0, None, None)
    kernel.put("sys/class/net/eth0/carrier", "1\n")
    assert await network.probe() == (1, 1, None, None, None, None)
    # no interface is named, and none has the default route
    assert await kernel.network(mocker, "10.0.0.1").probe() is None
    kernel.put("proc/net/route", ROUTES.splitlines()[0] + "\neth0 00000000 0100000A 0003 0 0 100 00000000 0 0 0\n")
    assert await kernel.network(mocker, "10.0.0.1").probe() == (1, 1, None, None, None, None)
    assert await kernel.network(mocker, "").probe() == (1, 0, None, None, None, None)  # another may be the one


WIRELESS = """\
Inter-| sta-|   Quality        |   Discarded packets               | Missed | WE
 face | tus | link level noise |  nwid  crypt   frag  retry   misc | beacon | 22
{}
"""


@pytest.mark.parametrize(
    "line, signal",
    [
        (" wlan0: 0000   54.  -56.  -256        0      0      0      0      0        0", 88),
        (" wlan0: 0000   10.  -100.  -256        0      0      0      0      0        0", 0),
        (" wlan0: 0000   70.  -30.  -256        0      0      0      0      0        0", 100),
        (" wlan0: 0000   35.  42.  0        0      0      0      0      0        0", 50),
        (" wlan1: 0000   35.  -42.  0        0      0      0      0      0        0", None),
        ("", None),
    ],
)
async def test_the_signal_of_a_radio_is_told_in_percent(kernel, mocker, line, signal):
    kernel.put("proc/net/wireless", WIRELESS.format(line))
    network = kernel.network(mocker, interface="wlan0", host="127.0.0.1:1")
    assert (await network.probe())[5] == signal


# ---- thermometer ----


def test_the_coolest_sensor_is_nearest_to_how_warm_it_is(kernel):
    thermometer = Thermometer(root=str(kernel.root / "sys/class"))
    assert thermometer.degrees() is None
    kernel.put("sys/class/thermal/thermal_zone0/temp", "61499\n")
    kernel.put("sys/class/thermal/thermal_zone0/type", "cpu-thermal\n")
    assert thermometer.degrees() == 61
    kernel.put("sys/class/hwmon/hwmon0/temp1_input", "38501\n")
    kernel.put("sys/class/hwmon/hwmon0/name", "nvme\n")
    assert thermometer.degrees() == 39
    kernel.put("sys/class/hwmon/hwmon1/device/temp1_input", "-5000\n")
    assert thermometer.degrees() == -5


def test_a_sensor_that_fails_is_left_out(kernel):
    root = str(kernel.root / "sys/class")
    kernel.put("sys/class/thermal/thermal_zone0/temp", "45000\n")
    kernel.put("sys/class/thermal/thermal_zone0/type", "cpu-thermal\n")
    for number, text in enumerate(("0", "-273200", "-55600", "150600", "", "N/A", "--5")):
        kernel.put(f"sys/class/hwmon/hwmon{number}/temp1_input", text)
    (kernel.root / "sys/class/hwmon/hwmon8/temp1_input").mkdir(parents=True)
    assert Thermometer(root=root).degrees() == 45


# of files as a driver that is broken, or none, has them
GARBAGE = (
    b"",
    b"\xff\xfe\x00",
    "\u00b2".encode(),
    "\u0665000".encode(),
    b"9" * 5000,
    b"1e3",
    b"--5",
    b"12 34",
    b"0x1f",
    b"nan",
)


@pytest.mark.parametrize("text", GARBAGE)
def test_what_is_no_number_is_no_reading_and_ends_nobody(kernel, text):
    for path in ("power/AC/voltage_now", "power/BAT/capacity", "hwmon/hwmon0/in1_input", "thermal/thermal_zone0/temp"):
        kernel.put("sys/class/" + path, "")
        (kernel.root / "sys/class" / path).write_bytes(text)
    kernel.put("sys/class/power/BAT/type", "Battery\n")
    kernel.put("sys/class/hwmon/hwmon0/name", "board\n")
    kernel.put("sys/class/thermal/thermal_zone0/type", "cpu\n")
    root = str(kernel.root / "sys/class")
    power, hwmon = root + "/power", root + "/hwmon"
    for supply in ("AC", "board/in1"):
        with pytest.raises(OSError):
            Power(supply, power, hwmon).millivolts()
    assert voltages(hwmon) == [] and Power(None, power, hwmon).battery_percent() is None
    assert Thermometer(root=root).degrees() is None
    with pytest.raises(OSError):
        Thermometer("cpu", root).degrees()


def test_a_supply_that_comes_and_goes_is_told_as_it_is(kernel):
    power = Power("AC", str(kernel.root / "power"))
    for _ in range(2):
        with pytest.raises(OSError) as error:
            power.millivolts()
        assert error.value.errno == errno.ENODEV
        kernel.put("power/AC/voltage_now", "-12\n")
        with pytest.raises(OSError) as error:
            power.millivolts()
        assert error.value.errno == errno.EIO
        kernel.put("power/AC/voltage_now", "4999999\n")
        assert power.millivolts() == 4999
        kernel.put("power/AC/voltage_now", "999999999999999999\n")
        assert power.millivolts() == 60000  # the most that the snapshot has
        shutil.rmtree(kernel.root / "power/AC")


def test_the_sensor_that_is_meant_is_read_or_an_error(kernel):
    root = str(kernel.root / "sys/class")
    for number, (kind, text) in enumerate((("cpu-thermal", "61000"), ("battery", "31000"))):
        kernel.put(f"sys/class/thermal/thermal_zone{number}/temp", text)
        kernel.put(f"sys/class/thermal/thermal_zone{number}/type", kind)
    kernel.put("sys/class/hwmon/hwmon0/temp1_input", "28000")
    kernel.put("sys/class/hwmon/hwmon0/name", "board")
    for sensor, degrees in (("cpu-thermal", 61), ("battery", 31), ("board", 28), (None, 28)):
        assert Thermometer(sensor, root).degrees() == degrees
    with pytest.raises(OSError, match="attic"):
        Thermometer("attic", root).degrees()


# ---- power ----


def test_the_supply_that_is_meant_tells_its_voltage(kernel):
    root = str(kernel.root)
    assert Power(root=root).millivolts() is None
    kernel.put("mains/voltage_now", "5012345\n")
    assert Power("mains", root).millivolts() == 5012
    kernel.put("mains/voltage_now", "N/A\n")
    for name in ("mains", "other"):
        with pytest.raises(OSError):
            Power(name, root).millivolts()


def test_the_battery_is_the_emptiest_of_the_device_itself(kernel):
    power = Power(root=str(kernel.root))
    assert power.battery_percent() is None
    kernel.put("mouse/type", "Battery\n")
    kernel.put("mouse/scope", "Device\n")
    kernel.put("mouse/capacity", "3\n")
    kernel.put("AC/type", "Mains\n")
    kernel.put("AC/capacity", "1\n")
    assert power.battery_percent() is None
    for name, percent in (("BAT0", "80"), ("BAT1", "75"), ("BAT2", "255"), ("BAT3", "")):
        kernel.put(f"{name}/type", "Battery\n")
        kernel.put(f"{name}/capacity", percent)
    assert power.battery_percent() == 75


def test_a_sensor_of_hwmon_is_meant_by_its_number_or_its_label(kernel):
    hwmon = kernel.root / "hwmon"
    kernel.put("hwmon/hwmon0/name", "nct6775\n")
    kernel.put("hwmon/hwmon0/in0_input", "1104\n")
    kernel.put("hwmon/hwmon0/in7_input", "5031\n")
    kernel.put("hwmon/hwmon0/in7_label", "+5V\n")
    kernel.put("hwmon/hwmon1/in1_input", "N/A\n")
    for supply in ("nct6775/in7", "nct6775/+5V"):
        assert Power(supply, str(kernel.root), str(hwmon)).millivolts() == 5031
    assert Power(None, str(kernel.root), str(hwmon)).millivolts() is None  # the voltage of a core is nobody's supply
    for wrong in ("nct6775/in9", "hwmon1/in1", "other/in7"):
        with pytest.raises(OSError):
            Power(wrong, str(kernel.root), str(hwmon)).millivolts()


class Bus:
    """An I²C bus as /dev/i2c-1 has it, with one part at 0x40. `fails`: errno of the next transfers, None where it is well;
    `short`: bytes of an answer."""

    def __init__(self, registers):
        self.registers = registers
        self.fails = self.refused = None
        self.short = 2
        self.opened = self.closed = self.fell = 0
        self.low = 0

    def open(self, path, flags):
        if path != "/dev/i2c-1":
            raise FileNotFoundError(errno.ENOENT, "no such bus")
        self.opened += 1
        return 7

    def close(self, fd):
        self.closed += 1

    def ioctl(self, fd, request, address):
        assert (fd, request, address) == (7, 0x0703, 0x40)
        if self.refused:
            raise OSError(self.refused, "refused")

    def write(self, fd, data):
        if self.fails:
            raise OSError(self.fails, "no answer")
        self.pointer = data[0]
        if len(data) == 3:
            self.registers[data[0]] = data[1] << 8 | data[2]
        return len(data)

    def read(self, fd, size):
        if self.fails:
            raise OSError(self.fails, "no answer")
        value = self.registers.get(self.pointer, 0)
        if self.pointer == 6 and self.fell:
            value |= 0x10
            self.fell = 0
        return value.to_bytes(2, "big")[: self.short]


INA = {"i2c": "/dev/i2c-1", "address": 0x40, "low_mv": 4600}


def ready(chip):
    chip._again = 0  # a second has passed
    return chip


def test_an_ina226_tells_the_supply_and_that_it_fell_meanwhile():
    bus = Bus({0xFF: 0x2260, 2: 4000})
    chip = Ina226(INA, None, bus)
    assert chip.millivolts() == 5000
    assert bus.registers[7] == 3680  # 4.6 V
    assert chip.window() == (5000, 5000, 5000, 0, 0)
    bus.fell = 1
    assert chip.window() == (5000, 4599, 5000, 1, None)
    assert chip.window() == (5000, 5000, 5000, 0, 0)
    bus.registers[0] = 0x4127  # its own supply was away
    assert chip.millivolts() == 5000 and bus.registers[0] == 0x4007
    assert bus.opened == 1 and chip.battery_percent() is None


def test_an_ina219_counts_in_four_millivolts_and_says_when_it_cannot():
    bus = Bus({2: 1250 << 3 | 2})
    chip = Ina219(INA, None, bus)
    assert chip.millivolts() == 5000 and not hasattr(chip, "window")
    bus.registers[2] |= 1
    with pytest.raises(OSError):
        chip.millivolts()


@pytest.mark.parametrize("fault", [errno.ENXIO, errno.EREMOTEIO, errno.ETIMEDOUT])
def test_a_part_that_falls_silent_is_looked_for_once_a_second_and_found_again(fault):
    bus = Bus({0xFF: 0x2260, 2: 4000})
    chip = Ina226(INA, None, bus)
    assert chip.millivolts() == 5000
    bus.fails = fault
    for _ in range(20):
        with pytest.raises(OSError):
            chip.window()
    assert bus.opened == 1 == bus.closed
    bus.fails = None
    assert ready(chip).millivolts() == 5000
    bus.short = 1
    with pytest.raises(OSError, match="half"):
        chip.millivolts()
    bus.short = 2
    bus.registers[0xFF] = 0
    with pytest.raises(OSError, match="no INA226"):
        ready(chip).millivolts()
    assert bus.opened == 3 == bus.closed


def test_a_bus_that_is_not_there_or_a_part_that_the_kernel_has_is_an_error_and_leaves_no_file_open():
    bus = Bus({})
    bus.refused = errno.EBUSY
    chip = Ina226(INA, None, bus)
    with pytest.raises(OSError):
        chip.millivolts()
    assert bus.opened == bus.closed == 1
    with pytest.raises(OSError):
        Ina226({**INA, "i2c": "/dev/i2c-9"}, None, bus).millivolts()


# ---- watchdog ----


class Dog:
    """/dev/watchdog as the kernel has it. `longest`: what it can wait; `fixed`: its time cannot be set; `busy`: in use."""

    def __init__(self, longest=60, fixed=False):
        self.longest, self.fixed, self.busy, self.opened, self.written = longest, fixed, False, 0, b""

    def open(self, path, flags):
        if self.busy:
            raise OSError(errno.EBUSY, "in use")
        self.opened += 1
        return 9

    def close(self, fd):
        self.closed_well = self.written.endswith(b"V")

    def write(self, fd, data):
        self.written += data
        return len(data)

    def ioctl(self, fd, request, data):
        if request == 0xC0045706:
            if self.fixed:
                raise OSError(errno.EOPNOTSUPP, "fixed")
            return struct.pack("i", min(self.longest, struct.unpack("i", data)[0]))
        return struct.pack("i", self.longest)


DOG = {"device": "/dev/watchdog", "timeout_s": 30}


@pytest.fixture
def quiet_term():
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def test_the_watchdog_is_opened_with_the_first_feed_and_released_with_the_magic_letter(tmp_path, quiet_term):
    dog = Dog()
    watchdog = Watchdog(DOG, str(tmp_path), dog)
    assert dog.opened == 0
    for _ in range(3):
        watchdog.feed()
    assert (dog.opened, dog.written) == (1, b"\0\0\0")
    watchdog.release()
    assert dog.closed_well


@pytest.mark.parametrize("dog", [Dog(5), Dog(5, True)])
def test_a_watchdog_that_bites_before_the_agent_can_feed_it_is_let_go(tmp_path, quiet_term, dog):
    watchdog = Watchdog(DOG, str(tmp_path), dog)
    for _ in range(5):
        watchdog.feed()
    assert dog.opened == 1 and dog.closed_well and dog.written == b"V"


def test_a_watchdog_that_another_has_does_not_end_the_agent_and_is_tried_again(tmp_path, quiet_term):
    dog = Dog()
    dog.busy = True
    watchdog = Watchdog(DOG, str(tmp_path), dog)
    watchdog.feed()
    dog.busy = False
    watchdog.feed()
    assert dog.opened == 0  # not before ten seconds
    watchdog._again = 0
    watchdog.feed()
    assert dog.written == b"\0"


STOPPED = """
import sys, time
from hal.linux.watchdog import Watchdog
watchdog = Watchdog({"device": sys.argv[1], "timeout_s": 30}, ".")
watchdog.feed()
print("fed", flush=True)
time.sleep(20)
"""


@pytest.mark.parametrize("how, last", [(signal.SIGTERM, b"V"), (signal.SIGKILL, b"\0")])
def test_an_agent_told_to_end_leaves_the_machine_up_and_one_that_dies_does_not(tmp_path, how, last):
    device = tmp_path / "watchdog"
    device.write_bytes(b"")
    child = subprocess.Popen([sys.executable, "-c", STOPPED, str(device)], stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "fed\n"
    child.send_signal(how)
    assert child.wait() == -how
    child.stdout.close()
    assert device.read_bytes()[-1:] == last


@pytest.mark.parametrize(
    "status, reason", [("32", "watchdog"), ("16", "brown_out"), ("0", "power_on"), ("x", "power_on")]
)
def test_why_the_machine_started_is_told_once_for_each_of_its_starts(kernel, status, reason):
    kernel.put("sys/class/watchdog/watchdog0/bootstatus", status + "\n")
    kernel.put("proc/sys/kernel/random/boot_id", "one\n")

    def told():
        return Watchdog(DOG, str(kernel.root), Dog(), str(kernel.root)).reset_reason()

    assert [told(), told()] == [reason, None]
    kernel.put("proc/sys/kernel/random/boot_id", "two\n")
    assert [told(), told()] == [reason, None]


def test_without_a_watchdog_a_start_of_the_machine_is_told_from_one_of_the_agent(kernel):
    state = str(kernel.root)

    def told():
        one = Watchdog({**DOG, "device": None}, state, Dog(), state)
        one.feed()
        return one.reset_reason()

    assert told() is None  # nobody knows
    for boot in ("one", "two"):
        kernel.put("proc/sys/kernel/random/boot_id", boot + "\n")
        assert [told() for _ in range(3)] == ["power_on", None, None]
