"""Who has a serial port that is in use: the program's name, and ModemManager, which most people do not know of."""

import os
from contextlib import suppress

from .link_port import PortBusy

_PROCESSES = "/proc"
_MODEM_MANAGER = "ModemManager"


def busy(port):
    """The PortBusy of a port that is in use, with who has it as far as this user may see."""
    found = holder(port)
    # of a process of root's nobody else sees what it holds
    if (found and found[1] == _MODEM_MANAGER) or (not found and modem_manager_runs()):
        return PortBusy("port_modem_manager", port=port)
    return PortBusy("port_busy_by", port=port, number=found[0], program=found[1]) if found else PortBusy(port=port)


def holder(port):
    """(number, name) of another process that has a port open; None if none is seen."""
    wanted = os.path.realpath(port)
    for number in _numbers():
        folder = os.path.join(_PROCESSES, number, "fd")
        with suppress(OSError):
            for file in os.listdir(folder):
                with suppress(OSError):
                    if number != str(os.getpid()) and os.readlink(os.path.join(folder, file)) == wanted:
                        return int(number), _name(number)
    return None


def modem_manager_runs():
    """True where ModemManager runs, which takes new serial ports and looks for a modem behind them."""
    return any(_name(number) == _MODEM_MANAGER for number in _numbers())


def _numbers():
    try:
        return sorted((name for name in os.listdir(_PROCESSES) if name.isdecimal()), key=int)
    except OSError:
        return []  # not on Linux


def _name(number):
    with suppress(OSError), open(os.path.join(_PROCESSES, number, "comm"), errors="replace") as file:
        return file.read().strip()
    return "?"
