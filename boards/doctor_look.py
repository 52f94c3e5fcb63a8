"""What this machine has for an agent of board linux, port by port, read and never changed: no serial port is opened, nothing
is sent but a connection to the hosts that are configured.
"""

import asyncio
import ctypes
import getpass
import glob
import grp
import os
import platform
import shutil
import socket
import stat
import sys
import time
from pathlib import Path

from hal.linux.kernel import number, read
from hal.linux.network import Network
from hal.linux.power import Power, power, voltages
from hal.linux.thermometer import Thermometer

from . import linux

# Causes that no check can see for want of a port: 3, 4 … as the agent says them (tests/test_doctor.py asks it).
UNKNOWN = {
    "terminal": (1, 2, 9, 10, 12, 13, 14, 17, 21, 33, 41, 42, 43, 47, 48, 55, 56),
    "power": (4,),
    "thermometer": (6,),
    "network": (15,),
    "policy": (3, 7, 8, 18, 19, 22, 23, 24, 25, 26, 27, 28, 29, 30, 37, 38, 44, 45, 46, 51, 52, 58, 59, 60),
}
_TIME_ERROR = 5  # of adjtimex(2): nobody keeps the clock right
_MEGABYTE = 1 << 20


class Row:
    """One port. status: "ready", "partly" or "absent" (an agent runs without it) or "missing" (it has to be there, or what is
    configured is not as it says). line, how: [(key, fields)] of doctor_en.TABLE; values: for scripts, {name: value};
    unknown: causes."""

    def __init__(self, port):
        self.port = port
        self.status = "ready"
        self.line = []
        self.how = []
        self.values = {}
        self.unknown = ()

    def say(self, key, **fields):
        self.line.append((key, fields))

    def lacks(self, status, key, *how, **fields):
        """`how`: keys of what to do, which have the same fields."""
        self.say(key, **fields)
        if self.status != "missing":
            self.status = status
        self.how += [(one, fields) for one in how]
        self.unknown = UNKNOWN.get(self.port, ())


class Machine:
    """`state`: directory; `told`: linux_file.Adapted; `root`: where sys, dev, proc are, for tests; `connect`: what takes a
    (host, port) and raises OSError."""

    def __init__(self, state, told, root="", connect=None):
        self.state = Path(state)
        self.told = told
        self.root = root
        self.connect = connect or _connect
        self.user = _user()
        self.settings = {
            name: {key: told.changes.get(key, value) for key, value in settings.items()}
            for name, settings in linux.SETTINGS.items()
        }
        self.baud = told.changes.get("baud", linux.TERMINAL_LINE["baud"])

    def rows(self):
        return [
            *(self.permissions(), self.journal(), self.keys(), self.policy(), self.terminal()),
            *([self.till()] if "till" in self.told.options else []),
            *(self.link(), self.power(), self.thermometer(), self.network(), self.clock(), self.watchdog()),
        ]

    # ---- what the agent itself needs ----
    def permissions(self):
        row = Row("permissions")
        groups = sorted({_group(number) for number in os.getgroups()})
        row.values = {"user": self.user, "groups": groups, "python": platform.python_version()}
        row.say("user", user=self.user, groups=", ".join(groups) or "-", python=platform.python_version())
        if sys.version_info < (3, 11):
            row.status = "missing"
            row.how.append(("python", {}))
        return row

    def journal(self):
        row = Row("journal")
        folder = self.state
        while not os.path.lexists(folder) and folder != folder.parent:
            folder = folder.parent
        path, must = self.state / "journal", linux.FLASH["size"]
        row.values = {"path": str(path), "state": str(self.state)}
        if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
            why = os.strerror(13 if folder.is_dir() else 20).lower()
            how = "sudo" if self._closed() else "state"
            row.lacks("missing", "state_not", how, path=str(self.state), why=why, user=self.user)
            return row
        free = shutil.disk_usage(folder).free
        row.values["free_bytes"] = free
        row.say("state", path=str(self.state), free=f"{free // _MEGABYTE:,}")
        if not path.exists():
            need = (must + linux.POLICY_FLASH["size"]) // _MEGABYTE + 1
            row.say("journal_new", path=str(path))
            if free < need * _MEGABYTE:
                row.status = "missing"
                row.how.append(("space", {"need": need}))
            return row
        size = path.stat().st_size
        row.values["size"] = size
        if size != must:
            row.lacks("missing", "journal_size", "journal_size", path=str(path), size=f"{size:,}", must=f"{must:,}")
        elif not os.access(path, os.R_OK | os.W_OK):
            why = os.strerror(13).lower()
            row.lacks("missing", "journal_unread", "journal_unread", path=str(path), why=why, user=self.user)
        else:
            holder = self._locked(path)
            row.values["process"] = holder
            row.say(
                "journal_used" if holder else "journal_good", path=str(path), size=f"{size // 1024:,}", process=holder
            )
        return row

    def _closed(self):
        """True where another user keeps his state from us, as the service does."""
        return os.path.isdir(self.state) and not os.access(self.state, os.R_OK | os.X_OK)

    def _locked(self, path):
        status = path.stat()
        wanted = "%02x:%02x:%d" % (os.major(status.st_dev), os.minor(status.st_dev), status.st_ino)
        for line in self._read("/proc/locks").splitlines():
            fields = line.split()
            if len(fields) > 5 and fields[1] == "FLOCK" and fields[5] == wanted:
                return int(fields[4])
        return None

    def keys(self):
        row = Row("keys")
        path = self.state / "trusted"
        known = set()  # the same key stands in a file of the deployer's and, once it was started, among the trusted
        for file in [*self.told.options.get("trust", []), str(path)]:
            try:
                text = Path(file).read_text()
            except FileNotFoundError as error:
                if file != str(path):
                    row.lacks("missing", "key_file", "key_gone", path=file, why=_why(error))
                continue
            except (OSError, UnicodeDecodeError) as error:
                how = "sudo" if isinstance(error, PermissionError) else "key_bad"
                row.lacks("missing", "key_file", how, path=file, why=_why(error))
                continue
            lines = [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]
            if any(len(words) < 2 or (len(words[0]), len(words[1])) != (16, 128) for words in lines):
                row.lacks("missing", "key_bad", "key_bad", path=file)
            else:
                known |= {tuple(words[:2]) for words in lines}
        count = len(known)
        row.values = {"path": str(path), "keys": count}
        if count:
            row.say("keys", count=count, path=", ".join([*self.told.options.get("trust", []), str(path)]))
        elif row.status == "ready":
            row.lacks("absent", "keys_none", "keys", path=str(path))
        return row

    def policy(self):
        row = Row("policy")
        row.values = {"stored": None}
        if self._closed():
            row.lacks("missing", "policy_unread", "sudo", path=str(self.state / "policy"))
            return row
        try:
            with open(self.state / "policy", "rb") as file:
                stored = any(part.strip(b"\xff") for part in iter(lambda: file.read(65536), b""))
        except OSError:
            stored = False
        row.values = {"stored": stored}
        if stored:
            row.say("policy")
        else:
            row.lacks("absent", "policy_none", "policy")
        return row

    # ---- lines ----
    def terminal(self):
        row = Row("terminal")
        where = self.told.options.get("line")
        if where is None:
            row.lacks("absent", "not_told", "terminal")
            names = self._ttys()
            row.values = {"serial_ports": names}
            row.say("seen" if names else "seen_none", names=", ".join(names))
        elif where.startswith("/"):
            self._tty(row, where)
        else:
            self._tcp(row, where)
        return row

    def till(self):
        row = Row("till")
        where = self.told.options["till"]
        if not where.startswith("/"):
            host, _, port = where.rpartition(":")
            row.say("tcp_listen", host=host.strip("[]") or "0.0.0.0", port=port)
        elif os.path.exists(self.root + where) or where.startswith("/dev/"):
            self._tty(row, where)
        else:
            row.say("till_made", path=where)
        row.values = {"till": where}
        return row

    def link(self):
        row = Row("link")
        where = self.told.options.get("link")
        if where and where.startswith("/dev/"):
            self._tty(row, where, 115200)
        else:
            row.lacks("partly", "link_pty" if where else "link_pty_found", "link", path=where)
        return row

    def _ttys(self):
        """Serial ports that have hardware, by the name that stays where there is one."""
        stable = {os.path.realpath(path): path for path in sorted(glob.glob(self.root + "/dev/serial/by-id/*"))}
        found = []
        for folder in sorted(glob.glob(self.root + "/sys/class/tty/*")):
            path = self.root + "/dev/" + os.path.basename(folder)
            uart = os.path.exists(folder + "/device")
            if uart and self._read(folder[len(self.root) :] + "/type") != "0" and os.path.exists(path):
                found.append(stable.get(os.path.realpath(path), path)[len(self.root) :])
        return found

    def _tty(self, row, where, baud=None):
        path = self.root + where
        row.values = {"path": where}
        try:
            status = os.stat(path)
        except OSError:
            row.lacks("missing", "tty_gone", "tty_gone", path=where)
            names = self._ttys()
            row.say("seen" if names else "seen_none", names=", ".join(names))
            return
        if not stat.S_ISCHR(status.st_mode):
            row.lacks("missing", "tty_other", "tty_gone", path=where)
        elif not os.access(path, os.R_OK | os.W_OK):
            fields = {"path": where, "user": self.user, "group": _group(status.st_gid)}
            row.lacks("missing", "tty_denied", "dialout", **fields)
        else:
            real = os.path.realpath(path)
            target = "" if real == path else " -> " + real[len(self.root) :]
            row.say("tty_good", path=where, target=target, baud=f"{baud or self.baud}")
            holder = self._holder(real)
            if holder and holder[1] not in ("refund-agent", "python3", "python"):
                row.lacks("missing", "tty_held", "tty_held", path=where, process=holder[0], name=holder[1])
        if self._runs("ModemManager") and not self._left_alone(status):
            row.say("modem")
            row.how.append(("modem", {}))

    def _left_alone(self, status):
        """True for a device whose rules keep ModemManager away, as udev notes it."""
        noted = "/run/udev/data/c%d:%d" % (os.major(status.st_rdev), os.minor(status.st_rdev))
        return "E:ID_MM_DEVICE_IGNORE=1" in self._read(noted).splitlines()

    def _processes(self):
        for folder in glob.glob(self.root + "/proc/[0-9]*"):
            yield folder, int(os.path.basename(folder)), self._read(folder[len(self.root) :] + "/comm")

    def _runs(self, name):
        return any(its == name for _, _, its in self._processes())

    def _holder(self, path):
        """(process, name) of who has a file open, as far as we may see; None."""
        for folder, process, name in self._processes():
            for fd in glob.glob(folder + "/fd/*"):
                try:
                    if process != os.getpid() and os.readlink(fd) == path:
                        return process, name
                except OSError:
                    pass
        return None

    def _tcp(self, row, where):
        host, _, port = where.rpartition(":")
        host = host.strip("[]") or "127.0.0.1"
        row.values = {"host": host, "port": int(port)}
        try:
            self.connect((host, int(port)))
        except OSError as error:
            row.lacks("missing", "tcp_bad", "tcp", host=host, port=port, why=_why(error))
        else:
            row.say("tcp_good", host=host, port=port)

    # ---- sensors ----
    def power(self):
        row = Row("power")
        settings = self.settings["power"]
        sysfs = self.root + "/sys/class/"
        names = self._supplies()
        name = settings["ina"] or settings["supply"]
        if name:
            port = power(settings) if settings["ina"] else Power(name, sysfs + "power_supply", sysfs + "hwmon")
            try:
                value = port.millivolts()
                row.say("supply", name=name, value=f"{value:,}")
                row.values = {"name": name, "supply_mv": value}
            except OSError as error:
                row.lacks("missing", "supply_not", "supply_not", name=name, why=_why(error))
        else:
            row.lacks("absent", "not_told")
            row.how += [("supply", {"name": one.partition(" ")[0]}) for one in names[:1]] + [("ina", {})]
        if not name or row.status == "missing":
            row.say("seen" if names else "seen_none", names=", ".join(names))
        percent = Power(None, sysfs + "power_supply").battery_percent()
        if percent is not None:
            row.say("battery", value=percent)
        row.values |= {"supplies": names, "battery_percent": percent}
        return row

    def _supplies(self):
        found = []
        for folder in sorted(glob.glob(self.root + "/sys/class/power_supply/*")):
            microvolts = number(folder + "/voltage_now")
            name = os.path.basename(folder)
            found.append(f"{name} (-)" if microvolts is None else f"{name} ({microvolts // 1000:,} mV)")
        return found + [f"{name} ({value:,} mV)" for name, value in voltages(self.root + "/sys/class/hwmon")]

    def thermometer(self):
        row = Row("thermometer")
        name = self.settings["climate"]["sensor"]
        names = sorted(
            {
                self._read(path[len(self.root) :])
                for pattern in ("thermal/thermal_zone*/type", "hwmon/hwmon*/name")
                for path in glob.glob(self.root + "/sys/class/" + pattern)
            }
            - {""}
        )
        try:
            degrees = Thermometer(name, self.root + "/sys/class").degrees()
        except OSError:
            row.lacks("missing", "sensor_not", "sensor_not", name=name, names=", ".join(names) or "-")
            return row
        row.values = {"sensors": names, "temperature_c": degrees}
        if degrees is None:
            row.lacks("absent", "seen_none", "thermometer")
        else:
            row.say("degrees", value=degrees, name=name or "{coolest}")
        return row

    def network(self):
        row = Row("network")
        settings = self.settings["network"]
        row.values = {"interfaces": {}}
        try:
            driver = Network(settings, self.root or "/")
        except OSError as error:
            row.lacks("missing", "ca_not", "ca", path=settings["ca"], why=_why(error), user=self.user)
            driver = Network({})
        chosen = settings["interface"] or driver._default_interface()
        names = sorted(os.path.basename(one) for one in glob.glob(self.root + "/sys/class/net/*"))
        for name in names:
            if self._read(f"/sys/class/net/{name}/type") == "772" and name != chosen:
                continue  # its loopback
            carrier, address = driver._carrier(name), driver._address(name)
            row.values["interfaces"][name] = {"carrier": carrier, "address": address, "used": name == chosen}
            word = {1: "{yes}", 0: "{no}"}
            key = "interface_used" if name == chosen else "interface"
            row.say(key, name=name, carrier=word[carrier], address=word[address])
        if chosen is None:
            row.lacks("absent", "no_route", "interface")
        elif chosen not in names:
            row.lacks("missing" if settings["interface"] else "absent", "tty_gone", "interface", path=chosen)
        if not settings["host"]:
            row.lacks("partly" if row.status == "ready" else "absent", "no_host", "host")
        elif row.status != "missing":
            self._host(row, driver, settings["host"])
        return row

    def _host(self, row, driver, host):
        link, address, ms, dns, tls, _ = asyncio.run(driver.probe())
        if not (link and address):
            answer = "no_link"
        elif not dns or ms < 0:
            answer = "silent" if dns else "no_name"
        else:
            answer = {1: "reached_tls", 0: "reached_bad", None: "reached"}[tls]
        row.values |= {"host": host, "answer": answer, "host_ms": ms}
        row.say("host", host=host, answer="{" + answer + "}", ms=ms)
        if answer not in ("reached", "reached_tls"):
            row.status = "missing"
            row.how.append(("interface" if answer == "no_link" else "reach", {}))

    # ---- the rest ----
    def clock(self):
        row = Row("clock")
        kept = _kept()
        now = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
        row.values = {"wall_s": int(time.time()), "kept": kept}
        if kept:
            row.say("time", time=now)
        else:
            row.say("time_loose", time=now)
            row.how.append(("clock", {}))
        return row

    def watchdog(self):
        row = Row("watchdog")
        path = self.settings["watchdog"]["device"]
        if path is None:
            seen = sorted(one[len(self.root) :] for one in glob.glob(self.root + "/dev/watchdog[0-9]*"))
            row.lacks(
                "absent",
                "dog_free" if seen else "seen_none",
                *(["dog"] if seen else ["dog_none"]),
                path="".join(seen[:1]),
            )
            row.values = {"devices": seen}
            return row
        row.values = {"device": path}
        if not os.path.exists(self.root + path):
            row.lacks("missing", "dog_gone", "dog_none", path=path)
        elif not os.access(self.root + path, os.W_OK):
            row.lacks("missing", "dog_denied", "dog_denied", path=path, user=self.user)
        else:
            name = os.path.basename(path)
            sysfs = "/sys/class/watchdog/" + ("watchdog0" if name == "watchdog" else name)
            identity = self._read(sysfs + "/identity") or "?"
            row.say("dog", path=path, name=identity, seconds=self.settings["watchdog"]["timeout_s"])
        return row

    def _read(self, path):
        return read(self.root + path)


def _connect(where):
    socket.create_connection(where, 3).close()


def _why(error):
    if isinstance(error, UnicodeDecodeError):
        return "it is no text"
    return (
        (os.strerror(error.errno).lower() if error.errno else str(error)) if isinstance(error, OSError) else str(error)
    )


def _user():
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def _group(number):
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def _kept():
    """Whether the kernel's clock is kept right by somebody, as adjtimex(2) tells; it is asked, not set."""
    try:
        return ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512)) not in (_TIME_ERROR, -1)
    except (OSError, AttributeError):
        return False
