"""The raw prompt of MicroPython on a serial port, over mpremote's transport; the agent that runs there is ended for it.

Stock firmware takes Ctrl-C on the line of its prompt, and the agent then ends. Any failure leaves the board as a pulled cable
does."""

import io
import re
import signal
import struct
import time
from contextlib import contextmanager, redirect_stdout, suppress

import serial
from mpremote.transport import TransportError
from mpremote.transport_serial import SerialTransport
from serial.tools import list_ports

from . import find, port_holder
from .failures import NO_AGENT, OTHER, REFUSED, Failure, WrongUsage
from .link import BAUD, Link
from .link_port import REPLAY, CannotOpen, PortBusy

try:
    import termios
except ImportError:  # not on Windows
    termios = None

_LINE_ERRORS = (TransportError, serial.SerialException, OSError, ValueError, struct.error) + (
    (termios.error,) if termios else ()
)
_PROMPT = b">>> "
_RAW = b"raw REPL; CTRL-B to exit\r\n>"
_PROMPT_S = (1, 1, 2, 4)  # a board that writes its flash, or only just starts, comes to its prompt late
_TRIES = 3
_BACK_S = 5  # until the USB port of a board that restarts is there again, and its boot.py has been interrupted
_RESET_S = 30  # somebody has to find the button
_BOOT_S = 20  # a boot.py that waits for a WLAN is given so long
WRITE_S = 2.0  # a pipe of USB takes what it is given within milliseconds
_ANSWER_S = 30  # the hashes of a whole slot take some seconds, and so does the erasing of flash
# What a boot.py that was not caught says at its end: MicroPython runs no main.py then.
_FAILED = re.compile(rb"Traceback \(most recent call last\):\n(?: .*\n)+(\S.*)\s*\Z")
# What is no prompt, by what it says by itself or to a line end.
_OTHERS = (
    (rb"\$G[A-Z]{4},", "deploy_gps"),
    (rb"login: ?\Z|[Pp]assword: ?\Z", "deploy_login"),
    (rb"waiting for download|invalid header: 0x", "deploy_loader"),
)
# Who makes boards that run MicroPython, or the USB chips on them: Raspberry Pi, Espressif, MicroPython, pid.codes, Adafruit,
# Arduino, SparkFun, Silicon Labs, WCH, FTDI. To nothing else a Ctrl-C is sent unasked.
_MAKERS = (0x2E8A, 0x303A, 0xF055, 0x1209, 0x239A, 0x2341, 0x1B4F, 0x10C4, 0x1A86, 0x0403)


class NoPrompt(Failure):
    """Nobody answered Ctrl-C as MicroPython does; the key says what is there instead. Fields: port."""

    key, exit_status = "deploy_no_prompt", NO_AGENT


class ReplLost(Failure):
    """The line failed in the midst, or somebody else speaks on it (deploy_garbled). Fields: port."""

    key, exit_status = "deploy_lost", NO_AGENT


class NeverStarts(Failure):
    """What is on the board keeps MicroPython from main.py. Fields: port, and error or seconds."""

    key, exit_status = "deploy_boot_fails", REFUSED


class Refused(Failure):
    """The board raised an error. Fields: port, error: its last line. `errno`: of an OSError."""

    key, exit_status = "deploy_refused", OTHER

    def __init__(self, port, text):
        last = (text.strip().splitlines() or ["?"])[-1]
        super().__init__(port=port, error=last[:120])
        number = re.match(r"OSError: (?:\[Errno )?(\d+)", last)
        self.errno = int(number[1]) if number else None


def the_port():
    """The one port that a board may be at. Failure if there is none, or several."""
    ports = [port for port in list_ports.comports() if port.vid in _MAKERS]
    if len(ports) == 1:
        return ports[0].device
    if ports:
        raise WrongUsage("deploy_several", ports=sorted(port.device for port in ports))
    raise NoPrompt("deploy_no_board")


class Repl:
    """`port`: path or URL. `exec` runs code on the board; `restart` lets its main.py run again and closes the port.

    `press_reset`: called where only the board's reset button helps, before it is waited for; None: nobody is there who
    could press it."""

    def __init__(self, port, press_reset=None):
        self.port = port
        self._press_reset = press_reset
        self._transport = None
        self._at_prompt = False  # it has been there

    def open(self):
        """Opens the port, ends what runs and comes to the raw prompt. Failure says why not; then what was ended runs again,
        and the port is closed."""
        self._open_port()
        try:
            heard = self._interrupt()
            key = None if heard.endswith(_PROMPT) else self._what_else(heard)
            if key in (NoPrompt.key, "deploy_full", "deploy_other_text") and self._press_reset:
                self._press_reset()
                heard = self._catch(_RESET_S)
            if key == "deploy_garbled":
                self._at_prompt = True
                raise ReplLost(key, port=self.port)
            if not heard.endswith(_PROMPT):
                raise NoPrompt(key, port=self.port)
            self._at_prompt = True
            self._enter_raw()
        except NoPrompt:
            self.close()
            raise
        except _LINE_ERRORS:
            self._leave()
            raise ReplLost(port=self.port)
        except BaseException:
            self._leave()  # the agent was ended, and nothing stands in its place
            raise
        return self

    def _open_port(self):
        there = find.candidate(self.port)
        if there.usb and there.other:
            raise find.NotAsked(port=self.port, what=there.what)
        if self.port.startswith(REPLAY):
            raise CannotOpen("not_serial", port=self.port)
        try:
            Link(self.port).open().close()  # says clearly why it cannot be opened, which mpremote does not
        except PortBusy:
            raise port_holder.busy(self.port)
        try:
            with redirect_stdout(io.StringIO()):
                self._transport = SerialTransport(self.port, baudrate=BAUD, timeout=3)
        except _LINE_ERRORS:
            raise port_holder.busy(self.port)
        # without it whoever writes to a board whose input is full waits for ever
        self._transport.serial.write_timeout = WRITE_S

    def _interrupt(self):
        """What was heard after Ctrl-C, at its end the prompt if it came."""
        heard = b""
        self._full = False
        for number, seconds in enumerate(_PROMPT_S, 1):
            # one Ctrl-C: a second one while the first is acted upon could end more than the agent. At last several: a
            # program that catches one may not catch the next
            keys = b"\r\x03" if number < len(_PROMPT_S) else b"\r" + b"\x03" * 8
            try:
                self._type(keys)
                time.sleep(0.2)
                self._type(b"\x02")  # out of a raw prompt that somebody left
                heard = self._until(_PROMPT, seconds) or heard
            except serial.SerialTimeoutException:
                self._full = True
                heard = self._until(_PROMPT, seconds) or heard  # what it waits to be rid of
                self._forget()
            except _LINE_ERRORS:
                # a board that restarts by itself takes its USB port away and brings it back
                heard = self._catch(_BACK_S)
            if heard.endswith(_PROMPT):
                break
        return heard

    def _type(self, keys):
        """Key by key: a board that takes one byte and no more has got one."""
        for at in range(len(keys)):
            self._transport.serial.write(keys[at : at + 1])
            if at:
                time.sleep(0.03)

    def _forget(self):
        """Lets go what the system still holds for a board that takes nothing: closing would wait for it."""
        with suppress(*_LINE_ERRORS):
            self._transport.serial.reset_output_buffer()

    def _catch(self, seconds):
        """Comes to the prompt of a board that restarts meanwhile, whose port may go and come back. What was heard."""
        deadline = time.monotonic() + seconds
        heard = b""
        while time.monotonic() < deadline and not heard.endswith(_PROMPT):
            try:
                if self._transport is None:
                    self._open_port()
                self._transport.serial.write(b"\x03\x02")
                heard = self._until(_PROMPT, 0.3)
            except serial.SerialTimeoutException:
                self._forget()
            except (*_LINE_ERRORS, Failure):
                self.close()
                time.sleep(0.1)
        if self._transport is None:
            raise ReplLost(port=self.port)
        return heard

    def _until(self, ending, seconds, more=False):
        """What comes until `ending` has come and nothing follows (`more`: something may), or the time is over; the last
        kilobytes of it."""
        port = self._transport.serial
        deadline = time.monotonic() + seconds
        data = b""
        while time.monotonic() < deadline:
            waiting = port.in_waiting
            if waiting:
                data = (data + port.read(waiting))[-4000:]
            elif data.endswith(ending) or (more and ending in data):
                break
            else:
                time.sleep(0.01)
        return data

    def _what_else(self, heard):
        """The key of what answers here instead of a prompt."""
        if self._full:
            return "deploy_full"
        if _PROMPT in heard:
            return "deploy_garbled"
        for what, key in _OTHERS:
            if re.search(what, heard):
                return key
        self.close()
        link = Link(self.port)
        try:
            link.open().echo(0.5, repeats=2)  # the first may come behind our Ctrl-C and be lost with it
            return "deploy_only_agent"
        except Failure:
            if not heard.strip(b"\r\n"):
                return NoPrompt.key
            return "deploy_echo" if set(heard) <= set(b"\r\n\x02\x03") else "deploy_other_text"
        finally:
            link.close()

    def _enter_raw(self):
        """From the prompt to the raw one of a heap with nothing in it but what boot.py left. NeverStarts, NoPrompt."""
        line = self._transport.serial
        line.write(b"\r\x01")
        said = self._until(_RAW, 3)
        if _RAW not in said:
            self._leave()
            raise NoPrompt("deploy_other_text", port=self.port)
        line.write(b"\x04")
        said = self._until(_RAW, _BOOT_S, more=True)
        if _RAW not in said:
            if b"soft reboot" not in said:
                raise ReplLost(port=self.port)
            raise NeverStarts("deploy_boot_hangs", port=self.port, seconds=_BOOT_S)
        said += self._until(_RAW, 1)
        if not said.endswith(_RAW):
            raise ReplLost("deploy_garbled", port=self.port)
        failed = _FAILED.search(said[: -len(_RAW)].replace(b"\r", b""))
        if failed:
            raise NeverStarts(port=self.port, error=failed[1].decode("utf-8", "replace")[:120])
        # what it printed is read; mpremote begins with a prompt of which nothing but its end is to come
        line.write(b"\x01")
        if not self._transport.read_until(1, _RAW[:-1], timeout=3).endswith(_RAW[:-1]):
            raise ReplLost("deploy_garbled", port=self.port)
        self._transport.in_raw_repl = True

    def exec(self, code, seconds=_ANSWER_S):
        """Runs code and returns what it printed. Refused: it raised. ReplLost."""
        if self._transport is None:
            raise ReplLost(port=self.port)
        try:
            with redirect_stdout(io.StringIO()):
                out, error = self._transport.exec_raw(code, timeout=seconds)
        except TransportError as error:
            raise ReplLost(None if "timeout" in str(error) else "deploy_garbled", port=self.port)
        except _LINE_ERRORS:
            raise ReplLost(port=self.port)
        if error:
            raise Refused(self.port, error.decode("utf-8", "replace"))
        return out.decode("utf-8", "replace")

    def restart(self):
        """A soft reset, after which the board runs its main.py, and closes the port. Ctrl-C here waits until that is done.
        ReplLost."""
        if self._transport is None:
            raise ReplLost(port=self.port)
        try:
            with undisturbed():
                came = False
                for _ in range(_TRIES if self._at_prompt else 1):
                    self._transport.serial.write(b"\r\x03")  # what runs there may be half of what was sent
                    time.sleep(0.1)
                    self._transport.serial.write(b"\x02")
                    came = self._until(_PROMPT, 2).endswith(_PROMPT)
                    if came:
                        break
                self._transport.serial.write(b"\x04")
                self._until(b"soft reboot\r\n", 2 if came or self._at_prompt else 0, more=True)
        except _LINE_ERRORS:
            raise ReplLost(port=self.port)
        finally:
            self.close()

    def _leave(self):
        with suppress(ReplLost):
            self.restart()

    def close(self):
        transport, self._transport = self._transport, None
        if transport is not None:
            with suppress(*_LINE_ERRORS):
                transport.close()


@contextmanager
def undisturbed():
    """Ctrl-C waits until this is over."""
    pressed = []
    try:
        before = signal.signal(signal.SIGINT, lambda *_: pressed.append(True))
    except ValueError:  # not in the main thread, which alone hears it
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if pressed:
        raise KeyboardInterrupt
