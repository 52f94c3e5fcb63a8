"""Network port of a board: the state of its interface, and the way to the acquirer's host step by step: address, name,
connection.

The certificate is not looked at: a TLS handshake needs 40 kB of heap and keeps the loop waiting.
"""

from ..dial import dial
from ..ticks import deadline, kept, left, ticks_diff, ticks_ms
from .names import is_address, resolve, time_of

_MOST_MS = 2800  # of a whole probe, below the 3 s of the contract
_NAME_MS = 1500
_KEEP_MS = 60000  # how long an address is used again: the name server need not be asked at each probe
_DAY_MS = 86400000  # between two looks at the time; a minute while nobody tells it
_LEAST_MS = 500  # left of a probe in which the time is asked


class Network:
    """What a LAN and a WLAN have in common. `nic`: of MicroPython's network module; `settings`: {"host": "host:port" or
    None, "time": name or address of a time server or None}; `clock`: that is set by it. OSError: the host is none."""

    def __init__(self, nic, settings, clock=None):
        place = settings.get("host") or ""
        self._host, _, port = place.rpartition(":")
        if place and not (self._host and port.isdigit() and 0 < int(port) < 65536):
            raise OSError(22, "the acquirer's host must be given as host:port, not " + place)
        self._port = int(port or 0)
        self._nic = nic
        self._known = None  # its address
        self._asked = 0
        self._time = settings.get("time") if clock else None
        self._clock = clock
        self._time_port = settings.get("time_port", 123)
        self._time_at = deadline(0)

    def _link(self):
        """Carrier 0/1."""
        raise NotImplementedError

    def _signal(self) -> int | None:
        """Percent, None of a cable."""
        return None

    def _keep_up(self):
        """Does what the interface does not do by itself."""

    async def probe(self):
        self._keep_up()
        link = self._link()
        own = self._nic.ifconfig() if link else ("0.0.0.0",) * 4
        # 169.254 is what an interface gives itself when nobody gives it one
        address = 1 if link and own[0] != "0.0.0.0" and not own[0].startswith("169.254.") else 0
        signal = self._signal() if link else None
        until = deadline(_MOST_MS)
        self._time_at = kept(self._time_at)
        dns, host_ms = 0, -1
        if address and self._host:
            place = await self._address(own[3])
            if place:
                dns = 1
                host_ms = await self._connect(place, left(until))
        if address and self._time and not left(self._time_at):
            await self._look_at_time(own[3], until)
        if address and not self._host:
            return None
        return link, address, host_ms, dns, None, signal

    async def _look_at_time(self, server, until):
        if left(until) < _LEAST_MS:
            return  # a host that does not answer leaves the probe no time
        self._time_at = deadline(_KEEP_MS)
        place = await resolve(self._time, server, left(until) // 2)
        seconds = place and await time_of(place, left(until), self._time_port)
        if seconds and self._clock:
            self._clock.set(seconds)
            self._time_at = deadline(_DAY_MS)

    async def _address(self, server):
        now = ticks_ms()
        if self._known is None or ticks_diff(now, self._asked) >= _KEEP_MS:
            self._known = self._host if is_address(self._host) else await resolve(self._host, server, _NAME_MS)
            self._asked = now
        return self._known

    async def _connect(self, place, timeout_ms):
        began = ticks_ms()
        try:
            line = await dial(place, self._port, timeout_ms)
        except OSError:
            if not is_address(self._host):
                self._known = None  # it may have moved
            return -1
        line.close()
        return ticks_diff(ticks_ms(), began)
