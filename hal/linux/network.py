"""Network port of a Linux host: carrier and address of an interface, and the way to the acquirer's host, step by step: name,
connection, certificate.

It never keeps the loop waiting: what the system can only answer slowly, names, is asked for in a thread of its own.
"""

import asyncio
import errno
import fcntl
import socket
import ssl
import struct
import threading
import time

from .kernel import read

_MOST_S = 2.8  # of a whole probe, below the 3 s of the contract
_NAME_S = 1.5  # of that for the name, so that a connection can still be tried
_TLS_EVERY = 30  # probes: a handshake costs the acquirer's host more than a connection
_SIOCGIFADDR = 0x8915


class Network:
    """`settings`: {"interface": name or None (the one of the default route), "host": "host:port" or None, "tls": whether to
    look at its certificate, "ca": path of certificates to trust instead of the system's, "tls_every": probes}.

    Without a host only carrier and address are told, and that the way is down where an interface that is named lacks one.
    `root`: where sys and proc are, for tests. OSError: host or ca cannot be what they are.
    """

    def __init__(self, settings, root="/"):
        self._interface = settings.get("interface")
        place = settings.get("host") or ""
        self._host, _, port = place.rpartition(":")
        self._host = self._host.strip("[]")
        if place and not (self._host and port.isdecimal() and 0 < int(port) < 65536):
            raise OSError(errno.EINVAL, "the acquirer's host must be given as host:port, not " + place)
        self._port = int(port or 0)
        self._ssl = None
        if self._host and settings.get("tls"):
            self._ssl = ssl.create_default_context(cafile=settings.get("ca"))
        self._tls_every = settings.get("tls_every", _TLS_EVERY)
        self._tls = None
        self._probes = 0  # with a connection, since the certificate was looked at
        self._root = root.rstrip("/")
        self._asking = False  # a thread asks for the name

    async def probe(self):
        name = self._interface or self._default_interface()
        link = self._carrier(name)
        address = self._address(name) if link else 0
        signal = self._signal(name)
        dns, host_ms = 0, -1
        if not self._host:
            if name is None:
                return None
            if not self._interface or (link and address):
                return link, address, None, None, None, signal
        elif link and address:
            end = time.monotonic() + _MOST_S
            places = await self._names()
            dns = 1 if places else 0
            host_ms = await self._connect(places, end)
        return link, address, host_ms, dns, self._tls if host_ms >= 0 else None, signal

    # ---- the interface ----
    def _read(self, path):
        return read(self._root + path)

    def _default_interface(self):
        """The interface of the default route with the lowest metric, None without one."""
        routes = []
        for line in self._read("/proc/net/route").splitlines()[1:]:
            words = line.split()  # Iface Destination Gateway Flags RefCnt Use Metric Mask
            if len(words) > 7 and words[1] == words[7] == "00000000" and int(words[3], 16) & 1:
                routes.append((int(words[6]), words[0]))
        if not routes:
            for line in self._read("/proc/net/ipv6_route").splitlines():
                words = (
                    line.split()
                )  # destination, its length, source, its length, gateway, metric, …, flags, interface
                if len(words) > 9 and words[1] == "00" and int(words[8], 16) & 0x201 == 1:  # up, and no reject route
                    routes.append((int(words[5], 16), words[9]))
        return min(routes)[1] if routes else None

    def _carrier(self, name):
        return 1 if name and self._read("/sys/class/net/%s/carrier" % name) == "1" else 0

    def _address(self, name):
        """1 if the interface has an address that reaches further than its own cable."""
        ipv4 = self._ipv4(name)
        if ipv4 and not ipv4.startswith("169.254."):  # what it gives itself when nobody gives it one
            return 1
        for line in self._read("/proc/net/if_inet6").splitlines():
            words = line.split()  # address, index, prefix, scope, flags, interface
            if len(words) > 5 and words[5] == name and words[3] != "20" and not int(words[4], 16) & 0x48:
                return 1  # neither link-local, nor tentative, nor a duplicate
        return 0

    def _ipv4(self, name):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            try:
                answer = fcntl.ioctl(any_socket, _SIOCGIFADDR, struct.pack("16s240x", name.encode()[:15]))
            except OSError:
                return ""
        return socket.inet_ntoa(answer[20:24])

    def _signal(self, name):
        """Percent, None of an interface that is no radio."""
        for line in self._read("/proc/net/wireless").splitlines():
            words = line.replace(":", " ").split()  # wlan0: 0000 54. -56. -256 …: status, quality of 70, level in dBm
            if len(words) > 3 and words[0] == name:
                quality, level = float(words[2]), float(words[3])
                percent = (level + 100) * 2 if level < 0 else quality * 100 / 70
                return max(0, min(100, int(percent)))
        return None

    # ---- the host ----
    async def _names(self):
        """Addresses of the host as getaddrinfo has them, [] if it is not resolved in time."""
        if self._asking:
            return []  # a name server that hangs is not asked a second time
        loop = asyncio.get_running_loop()
        answer = loop.create_future()

        def tell(places):
            self._asking = False
            if not answer.done():
                answer.set_result(places)

        def ask():
            try:
                places = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
            except (OSError, UnicodeError):
                places = []
            try:
                loop.call_soon_threadsafe(tell, places)
            except RuntimeError:
                self._asking = False  # the loop has ended meanwhile

        try:
            threading.Thread(target=ask, daemon=True).start()
            self._asking = True
        except RuntimeError as error:
            raise OSError(errno.EAGAIN, str(error)) from None
        try:
            return await asyncio.wait_for(answer, _NAME_S)
        except asyncio.TimeoutError:
            return []

    async def _connect(self, places, end):
        """Round trip in ms of the first address that answers, -1 if none does before `end`."""
        loop = asyncio.get_running_loop()
        for number, (family, kind, protocol, _, place) in enumerate(places):
            began = time.monotonic()
            share = (end - began) / (len(places) - number)
            try:
                line = socket.socket(family, kind, protocol)
            except OSError:
                continue  # no such family here
            try:
                line.setblocking(False)
                await asyncio.wait_for(loop.sock_connect(line, place), max(0, share))
                host_ms = int((time.monotonic() - began) * 1000)
                await self._look_at_certificate(line, end)
                return host_ms
            except (OSError, asyncio.TimeoutError):
                pass
            finally:
                line.close()
        return -1

    async def _look_at_certificate(self, line, end):
        """Now and then, and whenever it was not valid."""
        if not self._ssl:
            return
        self._probes += 1
        if self._tls == 1 and self._probes < self._tls_every:
            return
        self._probes = 0
        self._tls = await self._handshake(line, end)

    async def _handshake(self, line, end):
        """1 the certificate is valid, 0 it is not, or the host speaks no TLS, None if the host fell silent."""
        loop = asyncio.get_running_loop()
        coming, going = ssl.MemoryBIO(), ssl.MemoryBIO()
        session = self._ssl.wrap_bio(coming, going, server_hostname=self._host)
        valid = None
        try:
            while True:
                try:
                    session.do_handshake()
                    valid = 1
                except ssl.SSLWantReadError:
                    pass
                except ssl.SSLError:
                    valid = 0
                said = going.read()
                if said:
                    await asyncio.wait_for(loop.sock_sendall(line, said), max(0, end - time.monotonic()))
                if valid is not None:
                    return valid
                heard = await asyncio.wait_for(loop.sock_recv(line, 16384), max(0, end - time.monotonic()))
                if not heard:
                    return None
                coming.write(heard)
        except (OSError, asyncio.TimeoutError):
            return valid
