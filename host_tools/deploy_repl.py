"""The raw prompt of MicroPython on a serial port, over mpremote's transport; the agent that runs there is ended for it.

Stock firmware takes Ctrl-C on the line of its prompt, and the agent then ends. Any failure leaves the board as a pulled cable
does."""

import io
import os
import re
import struct
import time
from contextlib import redirect_stdout, suppress

import serial
from mpremote.transport import TransportError
from mpremote.transport_serial import SerialTransport
from serial.tools import list_ports

from .failures import NO_AGENT, OTHER, Failure, WrongUsage
from .link import BAUD, Link
from .link_port import PortBusy

try:
    import termios
except ImportError:  # not on Windows
    termios = None

_LINE_ERRORS = (TransportError, serial.SerialException, OSError, ValueError, struct.error) + (
    (termios.error,) if termios else ()
)
_PROMPT = b">>> "
_PROMPT_S = (1, 1, 2, 4)  # a board that writes its flash, or only just starts, comes to its prompt late
_ANSWER_S = 30  # the hashes of a whole slot take some seconds, and so does the erasing of flash
# Who makes boards that run MicroPython, or the USB chips on them: Raspberry Pi, Espressif, MicroPython, pid.codes, Adafruit,
# Arduino, SparkFun, Silicon Labs, WCH, FTDI. To nothing else a Ctrl-C is sent unasked.
_MAKERS = (0x2E8A, 0x303A, 0xF055, 0x1209, 0x239A, 0x2341, 0x1B4F, 0x10C4, 0x1A86, 0x0403)


class NoPrompt(Failure):
    """Nobody answered Ctrl-C as MicroPython does; the key says what is there instead. Fields: port."""

    key, exit_status = "deploy_no_prompt", NO_AGENT


class ReplLost(Failure):
    """The line failed in the midst. Fields: port."""

    key, exit_status = "deploy_lost", NO_AGENT


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
    """`port`: path or URL. `exec` runs code on the board; `restart` lets its main.py run again and closes the port."""

    def __init__(self, port):
        self.port = port
        self._transport = None

    def open(self):
        """Opens the port, ends what runs and comes to the raw prompt. Failure says why not, and the port is closed."""
        try:
            Link(self.port).open().close()  # says clearly why it cannot be opened, which mpremote does not
        except PortBusy:
            raise PortBusy("deploy_modem_manager" if modem_manager_runs() else None, port=self.port)
        try:
            with redirect_stdout(io.StringIO()):
                self._transport = SerialTransport(self.port, baudrate=BAUD, timeout=3)
        except _LINE_ERRORS:
            raise PortBusy(port=self.port)
        try:
            heard = self._interrupt()
            if not heard.endswith(_PROMPT):
                raise NoPrompt(self._what_else(heard), port=self.port)
            with redirect_stdout(io.StringIO()):  # where it prints what it did not expect
                self._transport.enter_raw_repl(soft_reset=True)
        except _LINE_ERRORS:
            self.close()
            raise ReplLost(port=self.port)
        except BaseException:
            self.close()
            raise
        return self

    def _interrupt(self):
        heard = b""
        for seconds in _PROMPT_S:
            # one Ctrl-C: a second one while the first is acted upon could end more than the agent
            self._transport.serial.write(b"\r\x03")
            time.sleep(0.2)
            self._transport.serial.write(b"\x02")  # out of a raw prompt that somebody left
            heard = self._until(_PROMPT, seconds) or heard
            if heard.endswith(_PROMPT):
                break
        return heard

    def _until(self, ending, seconds):
        """What comes until `ending` has come and nothing follows, or the time is over; the last kilobytes of it."""
        port = self._transport.serial
        deadline = time.monotonic() + seconds
        data = b""
        while time.monotonic() < deadline:
            waiting = port.in_waiting
            if waiting:
                data = (data + port.read(waiting))[-4000:]
            elif data.endswith(ending):
                break
            else:
                time.sleep(0.01)
        return data

    def _what_else(self, heard):
        """The key of what answers here instead of a prompt."""
        self.close()
        link = Link(self.port)
        try:
            link.open().echo(0.5, repeats=2)  # the first may come behind our Ctrl-C and be lost with it
            return "deploy_only_agent"
        except Failure:
            return "deploy_other_text" if heard.strip() else None
        finally:
            link.close()

    def exec(self, code, seconds=_ANSWER_S):
        """Runs code and returns what it printed. Refused: it raised. ReplLost."""
        if self._transport is None:
            raise ReplLost(port=self.port)
        try:
            with redirect_stdout(io.StringIO()):
                out, error = self._transport.exec_raw(code, timeout=seconds)
        except _LINE_ERRORS:
            raise ReplLost(port=self.port)
        if error:
            raise Refused(self.port, error.decode("utf-8", "replace"))
        return out.decode("utf-8", "replace")

    def restart(self):
        """A soft reset, after which the board runs its main.py, and closes the port. ReplLost."""
        if self._transport is None:
            raise ReplLost(port=self.port)
        try:
            self._transport.exit_raw_repl()
            self._until(_PROMPT, 2)
            self._transport.serial.write(b"\x04")
            self._until(b"soft reboot\r\n", 2)
        except _LINE_ERRORS:
            raise ReplLost(port=self.port)
        finally:
            self.close()

    def close(self):
        transport, self._transport = self._transport, None
        if transport is not None:
            with suppress(*_LINE_ERRORS):
                transport.close()


def modem_manager_runs(processes="/proc"):
    """True where ModemManager runs, which takes new serial ports and looks for a modem behind them."""
    try:
        numbers = [name for name in os.listdir(processes) if name.isdecimal()]
    except OSError:
        return False
    for number in numbers:
        with suppress(OSError), open(os.path.join(processes, number, "comm")) as file:
            if file.read().strip() == "ModemManager":
                return True
    return False
