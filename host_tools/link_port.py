"""The ports that a link may lead through: serial ports, addresses of pyserial's, captures. Opening one, or saying why not."""

import errno
import os
import stat
import urllib.parse

import serial
from serial.tools import list_ports

from .capture_replay import Replay
from .failures import NO_AGENT, WRONG_USAGE, Failure

try:
    import grp
    import termios
except ImportError:  # not on Windows
    grp = termios = None

POLL_S = 0.05  # how long one read of a port may block
WRITE_S = 2.0  # a port whose other end does not read fills up: 2 kB take 0.2 s
REPLAY = "replay:"

LINE_ERRORS = (serial.SerialException, OSError, ValueError) + ((termios.error,) if termios else ())


class NoSuchPort(Failure):
    key, exit_status = "no_such_port", NO_AGENT


class PortBusy(Failure):
    key, exit_status = "port_busy", NO_AGENT


class NoPermission(Failure):
    """Fields: port, and group if joining the group that owns the device would help."""

    key, exit_status = "no_permission", NO_AGENT


class CannotOpen(Failure):
    """Not a serial port, no listener, or whatever else the system says."""

    key, exit_status = "cannot_open", NO_AGENT


class BadAddress(Failure):
    key, exit_status = "bad_url", WRONG_USAGE


class Device:
    """A serial port or an address like socket://host:port."""

    def __init__(self, port):
        self.port = self.name = port
        self._usb = None  # which device it is, for all that its name may change

    def open(self, baud):
        """pyserial's port, for ourselves alone, its control lines left as opening leaves them. Failure says why not."""
        if self._usb and not os.path.exists(self.port):
            self.port = _port_of(self._usb) or self.port  # plugged in again, it got another name
        line = self._open(baud)
        if self._usb is None and "://" not in self.port and not is_pseudo(self.port):
            self._usb = _usb_of(self.port)
        return line

    def _open(self, baud):
        try:
            line = serial.serial_for_url(
                self.port, do_not_open=True, baudrate=baud, timeout=POLL_S, write_timeout=WRITE_S, exclusive=True
            )
            line.open()
        except LINE_ERRORS as error:
            raise _why_closed(self.port, error)
        _keep_control_lines(line)
        return line


def device(port):
    """What `port` names: the Replay of a capture where it begins with "replay:", else a Device. Either has open(baud)."""
    return Replay(port.removeprefix(REPLAY)) if port.startswith(REPLAY) else Device(port)


def is_pseudo(port):
    """True for a pseudo-terminal, as agents on this machine make them: it has no speed."""
    try:
        return os.path.realpath(port).startswith("/dev/pts/")
    except OSError:
        return False


def _usb_of(port):
    """(vendor, product, serial number) of the USB device behind a port; False where it has none that tells it from others."""
    device = os.path.realpath(port)
    for listed in list_ports.comports():
        if os.path.realpath(listed.device) == device and listed.serial_number:
            return listed.vid, listed.pid, listed.serial_number
    return False


def _port_of(usb):
    return next((one.device for one in list_ports.comports() if (one.vid, one.pid, one.serial_number) == usb), None)


def _keep_control_lines(line):
    """Clears HUPCL, so that closing does not drop DTR and RTS: some boards reset on the edge."""
    if termios is None or not isinstance(getattr(line, "fd", None), int):
        return
    try:
        settings = termios.tcgetattr(line.fd)
        settings[2] &= ~termios.HUPCL
        termios.tcsetattr(line.fd, termios.TCSANOW, settings)
    except termios.error:
        pass  # a port without control lines


def _why_closed(port, error):
    """The Failure for what pyserial raised on opening `port`."""
    if "://" in port:
        try:
            address = urllib.parse.urlsplit(port)
            complete = bool(address.hostname and address.port)
        except ValueError:
            complete = False
        unknown = isinstance(error, ValueError)  # pyserial has no such kind of address
        return BadAddress(port=port) if unknown or not complete else CannotOpen("nobody_listens", port=port)
    try:
        mode = os.stat(port).st_mode
    except OSError as missing:
        return (
            NoPermission("no_permission_plain", port=port) if missing.errno == errno.EACCES else NoSuchPort(port=port)
        )
    if os.name == "posix" and not stat.S_ISCHR(mode):
        return CannotOpen("not_serial", port=port)
    number = getattr(error, "errno", None)
    if number is None and error.__context__ is not None and error.__context__.args:
        number = error.__context__.args[0]  # pyserial wraps termios errors and keeps no number
    if number in (errno.EACCES, errno.EPERM):
        return _no_permission(port)
    if number in (errno.EBUSY, errno.EAGAIN):
        return PortBusy(port=port)
    if number == errno.ENOTTY:
        return CannotOpen("not_serial", port=port)
    if number in (errno.ENOENT, errno.ENXIO, errno.ENODEV):
        return NoSuchPort(port=port)
    return CannotOpen(port=port, reason=os.strerror(number) if isinstance(number, int) else type(error).__name__)


def _no_permission(port):
    status = os.stat(port)
    group_may = status.st_mode & 0o060 == 0o060
    try:
        group = grp.getgrgid(status.st_gid).gr_name if grp and group_may and status.st_gid else None
    except KeyError:
        group = None
    return NoPermission(port=port, group=group) if group else NoPermission("no_permission_plain", port=port)
