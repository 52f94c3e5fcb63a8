"""Boot: picks a board, builds its drivers, starts the agent. The only place where hal, firmware_agent and a board meet."""

import gc
import sys
from os import urandom

if hasattr(gc, "threshold"):
    # MicroPython: collect often while modules load, or what stays lies between the gaps of what was thrown away, and
    # the heap must be 20 kB larger (measured on the 64-bit build). A Pico's watchdog bites before it has done that.
    gc.threshold(1024 if sys.platform == "linux" else 8192)

from firmware_agent import starts
from firmware_agent.health import VERSION


class Ports:
    """One driver for each."""

    power: object
    network: object
    clock: object
    flash: object
    policy_flash: object
    link: object
    terminal: object
    light: object
    thermometer: object
    watchdog: object
    gate: object  # None: no till behind us
    hardware: object  # of a simulated board


def about(board):
    """What this agent runs on: {"version", "runtime", "runtime_version", "board"}."""
    implementation = sys.implementation
    version = ".".join("%d" % part for part in implementation.version[:3])
    if len(implementation.version) > 3 and implementation.version[3] in ("preview", "candidate", "beta", "alpha"):
        version += "-" + implementation.version[3]
    return {"version": VERSION, "runtime": implementation.name, "runtime_version": version, "board": board.NAME}


def _serial():
    """The class of a Serial port over a path or the number of an open file, on whichever runtime this is."""
    if sys.implementation.name == "micropython":
        from hal.micropython.posix_serial import Serial
    else:
        from hal.linux.tty import Serial
    return Serial


def _line(board, where, listens=False):
    """Serial port of a till or terminal. `where`: path or file number, or ("127.0.0.1", 20007)."""
    if isinstance(where, tuple):
        from hal import tcp_ports

        return (tcp_ports.Answering if listens else tcp_ports.Dialling)(where[0], where[1])
    from hal.reopen import Reopening

    settings = board.TERMINAL_LINE
    # no function of this module, which could not be let go then
    return Reopening(_serial(), where, baud=settings["baud"], stop_bits=settings["stop_bits"])


def _terminal(board, where):
    from hal.terminals.zvt.terminal import Terminal

    line = _line(board, where)
    if isinstance(where, tuple):
        from hal.terminals.zvt.tcp_line import TcpLine

        return Terminal(TcpLine(line), board.TERMINAL)
    from hal.terminals.zvt.line import SerialLine

    settings = board.TERMINAL_LINE
    return Terminal(SerialLine(line, settings["t1_ms"], settings["t2_ms"]), board.TERMINAL)


def _gate(board, till, where, state):
    """A Gate between the lines of till and terminal."""
    from hal.terminals.zvt.gate import Gate

    ends = [_line(board, till, True), _line(board, where)]
    bare = [isinstance(end, tuple) for end in (till, where)]
    if bare[0] != bare[1]:
        from hal.terminals.zvt.framing import Framing

        ends = [Framing(end) if is_bare else end for end, is_bare in zip(ends, bare)]
    settings = {}
    settings.update(board.TERMINAL_LINE)
    settings.update(board.TERMINAL)
    return Gate(ends[0], ends[1], not all(bare), settings, _card_key(state + "/card.key"))


def _card_key(path):
    """Key of this agent's card tokens, made with the first use: 32 random bytes that never leave it."""
    try:
        with open(path, "rb") as file:
            key = file.read()
        if len(key) == 32:
            return key
    except OSError:
        pass
    key = urandom(32)
    with open(path, "wb") as file:
        file.write(key)
    return key


def _absent(port):
    from hal import none

    return getattr(none, port)()


def _watchdog(board, options, settings, ports):
    """Builds the watchdog, which says why this boot happened, and of a simulated board the hardware."""
    drivers = board.DRIVERS
    if drivers["clock"] == "rtc":
        from hal.micropython.build import watchdog

        ports.watchdog = watchdog(drivers)
        return
    if drivers["flash"] == "file" and sys.implementation.name == "micropython":
        raise OSError(19, "board %s keeps its journal in a file of Linux: run it with --runtime cpython" % board.NAME)
    ports.hardware = None
    if "sim" in drivers.values():
        from hal.sim.hardware import Hardware

        ports.hardware = Hardware(options["state"] + "/hardware.json")
    if drivers.get("thermometer") == "sim":
        from hal.sim.readings import Watchdog

        ports.watchdog = Watchdog(ports.hardware)
    elif drivers.get("watchdog") == "linux":
        from hal.linux.watchdog import Watchdog

        ports.watchdog = Watchdog(settings["watchdog"], options["state"])
    else:
        ports.watchdog = _absent("Watchdog")


def build(board, options, settings, ports, safe=False):
    """The Ports of a board, whose watchdog is there. `options`, `settings`: as for _of_host, of which a board takes "state"
    alone. `safe`: link, flash and clock, and the rest absent."""
    drivers = board.DRIVERS
    if safe:
        board.DRIVERS = drivers = drivers.copy()
        for port in ("power", "network", "light", "thermometer", "terminal"):
            drivers[port] = "none"
    if drivers["clock"] == "rtc":
        from hal.micropython.build import build as of_board

        of_board(board, ports, settings, options["state"], _card_key)
        sys.modules.pop("micropython_build", None)  # on a board: it has done its work
    else:
        _of_host(board, options, settings, ports)
    return ports


def _of_host(board, options, settings, ports):
    """The Ports of what has an operating system. `options`: {"state": directory, "link": file number or path,
    "terminal": path, (host, port) or None, "till": the same or a file number, for a gate}; `settings`: the board's
    SETTINGS, adjusted."""
    drivers = board.DRIVERS
    hardware = ports.hardware
    state = options["state"]
    if drivers["power"] == "sim":
        from hal.sim.readings import Power

        ports.power = Power(hardware)
    elif drivers["power"] == "linux":
        from hal.linux.power import power

        ports.power = power(settings["power"])
    else:
        ports.power = _absent("Power")
    if drivers["network"] == "sim":
        from hal.sim.readings import Network

        ports.network = Network(hardware)
    elif drivers["network"] == "linux":
        from hal.linux.network import Network

        ports.network = Network(settings["network"])
    else:
        ports.network = _absent("Network")
    if drivers["clock"] == "sim":
        from hal.sim.clock import Clock

        ports.clock = Clock(hardware)
    elif drivers["clock"] == "linux":
        from hal.linux.clock import Clock

        ports.clock = Clock()
    else:
        ports.clock = _absent("Clock")
    if drivers["light"] == "sim":
        from hal.sim.readings import Light

        ports.light = Light()
    else:
        ports.light = _absent("Light")
    ports.thermometer = _absent("Thermometer")
    if drivers.get("thermometer") == "sim":
        from hal.sim.readings import Thermometer

        ports.thermometer = Thermometer(hardware)
    elif drivers.get("thermometer") == "linux":
        from hal.linux.thermometer import Thermometer

        ports.thermometer = Thermometer(settings["climate"].get("sensor"))
    if drivers["flash"] == "sim":
        from hal.sim.flash import Flash

        ports.flash = Flash(state + "/journal.flash", **board.FLASH)
        ports.policy_flash = Flash(state + "/policy.flash", **board.POLICY_FLASH)
    elif drivers["flash"] == "file":
        from hal.linux.flash import Flash

        ports.flash = Flash(state + "/journal", **board.FLASH)
        ports.policy_flash = Flash(state + "/policy", **board.POLICY_FLASH)
    else:
        ports.flash = _absent("Flash")
        ports.policy_flash = _absent("Flash")
    ports.gate = None
    if drivers["terminal"] == "zvt" and options.get("terminal") and options.get("till"):
        ports.gate = _gate(board, options["till"], options["terminal"], state)
        ports.terminal = ports.gate.driver
    elif drivers["terminal"] == "zvt" and options.get("terminal"):
        ports.terminal = _terminal(board, options["terminal"])
    else:
        ports.terminal = _absent("Terminal")
    if drivers.get("link") == "stdio":
        from hal.micropython.stdio import Serial

        ports.link = Serial()
    elif isinstance(options["link"], int):
        ports.link = _serial()(options["link"])
    else:
        from hal.reopen import Reopening

        ports.link = Reopening(_serial(), options["link"])  # a technician's cable comes and goes
    return ports


def _adjust(settings, changes):
    """Board data with values replaced, for tests and adaptations: {"t2_ms": 500} changes that key where it stands."""
    return {name: changes.get(name, value) for name, value in settings.items()}


def _rules_of_a_scenario(agent, path):
    """Rules that `run --scenario` put there for a simulated board, unsigned."""
    try:
        with open(path, "rb") as file:
            payload = file.read()
    except OSError:
        return
    from firmware_agent import policy_store

    agent.policy = policy_store.parsed(lambda at, size: payload[at : at + size], 0, len(payload))
    policy_store.let_go()


def start(board, options):
    """The Agent of a board (its module), ready to run; in safe mode a Safe. `options` as for build, and "changes": {key:
    value}; "release": what is started, a word; "healthy": called once the agent has run well for 10 s, by whoever starts it
    and is to be told of errors."""
    changes = options.get("changes") or {}
    for part in ("TERMINAL_LINE", "TERMINAL", "FLASH"):
        if hasattr(board, part):
            setattr(board, part, _adjust(getattr(board, part), changes))
    settings = {key: _adjust(value, changes) for key, value in board.SETTINGS.items()}
    begun = starts.Starts(options["state"], options.get("release", VERSION))
    ports = Ports()
    try:
        _watchdog(board, options, settings, ports)
        from firmware_agent import trusted

        settings["keys"] = trusted.keys(options["state"] + "/trusted")
        sys.modules.pop(trusted.__name__, None)
        reason = starts.told(ports.watchdog)
        agent = starts.stand(
            begun, reason, lambda safe: build(board, options, settings, ports, safe), settings, about(board)
        )
        agent.health.healthy = options.get("healthy")
        if board.NAME == "sim" and begun.count < starts.MOST:
            _rules_of_a_scenario(agent, options["state"] + "/scenario.policy")
        starts.let_go()
        if hasattr(gc, "threshold"):
            # each takes a Pico 23 ms: with 4096 always, its status took 2 s instead of 0.7
            gc.threshold(max(4096, gc.mem_free() // 4))
        return agent
    except Exception as error:
        from firmware_agent.journal import JournalError

        if "healthy" in options or not isinstance(error, (JournalError, OSError)):
            raise
        begun.ended()  # whoever started it is told, and can mend it
        sys.stderr.write("refund-agent: the agent cannot start: %s\n" % (error.args[-1] if error.args else error))
        sys.exit(1)
