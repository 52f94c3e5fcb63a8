"""Builds the drivers of a MicroPython board as its data names them. A board loads those it uses alone: deploying reads
here which (boards/used.py), so each import stands behind the condition on `drivers` that needs it."""

import sys


def watchdog(drivers):
    """The Watchdog of a board, which knows why this boot happened."""
    from .watchdog import Watchdog

    reason = None
    if drivers["chip"] == "rp2":
        from .chip_rp2 import bridge, reset_reason

        found = Watchdog(reset_reason())
        bridge(found)
        return found
    if drivers["chip"] == "esp32":
        from .chip_esp32 import reset_reason

        reason = reset_reason(getattr(sys.implementation, "_machine", ""))
    elif drivers["chip"] == "stm32":
        from .chip_stm32 import reset_reason

        reason = reset_reason()
    return Watchdog(reason)


def build(board, ports, settings, state, card_key):
    """Fills `ports` for a board, but for its watchdog. `state`: the folder of its files; `card_key(path)`: key of its
    card tokens, for a gate. OSError: hardware that must be there is not."""
    drivers = board.DRIVERS
    for name in getattr(board, "ON", ()):
        from machine import Pin

        Pin(name, Pin.OUT, value=1)
    if drivers["thermometer"] == "chip":
        if drivers["chip"] == "rp2":
            from .chip_rp2 import Thermometer
        elif drivers["chip"] == "esp32":
            from .chip_esp32 import Thermometer
        else:
            from .chip_stm32 import Thermometer
        ports.thermometer = Thermometer()
    else:
        ports.thermometer = _absent("Thermometer")
    from .clock import Clock

    ports.clock = Clock()
    _flash(board, drivers, ports, state)
    if drivers["power"] == "adc":
        from .adc import Power

        ports.power = Power(board.POWER, settings["power"])
    elif drivers["power"] == "ina226":
        from .ina import Ina226

        ports.power = Ina226(board.POWER, settings["power"])
    elif drivers["power"] == "ina219":
        from .ina import Ina219

        ports.power = Ina219(board.POWER, settings["power"])
    else:
        ports.power = _absent("Power")
    if drivers["network"] == "wlan":
        from .wlan import Wlan

        ports.network = Wlan(settings["network"], state + "/wlan", ports.clock)
    elif drivers["network"] == "lan":
        from .lan import Lan

        ports.network = Lan(settings["network"], ports.clock)
    else:
        ports.network = _absent("Network")
    if drivers["light"] == "led":
        from .light import Light

        ports.light = Light(board.LIGHT)
    else:
        ports.light = _absent("Light")
    ports.gate = None
    if drivers["terminal"] == "zvt":
        line = _uart(board, "terminal")
        if drivers["till"] == "uart":
            from ..terminals.zvt.gate import Gate

            of_gate = {}
            of_gate.update(board.TERMINAL_LINE)
            of_gate.update(board.TERMINAL)
            ports.gate = Gate(_uart(board, "till"), line, True, of_gate, card_key(state + "/card.key"))
            ports.terminal = ports.gate.driver
        else:
            from ..terminals.zvt.line import SerialLine
            from ..terminals.zvt.terminal import Terminal

            times = board.TERMINAL_LINE
            ports.terminal = Terminal(SerialLine(line, times["t1_ms"], times["t2_ms"]), board.TERMINAL)
    else:
        ports.terminal = _absent("Terminal")
    if drivers["link"] == "stdio":
        from .stdio import Serial

        ports.link = Serial()
    else:
        ports.link = _uart(board, "link")
    return ports


def _absent(port):
    from .. import none  # a board that has everything does not load it

    return getattr(none, port)()


def _uart(board, name):
    from .uart import Serial

    wiring = {}
    wiring.update(board.UARTS[name])
    if name != "link":
        wiring["baud"] = board.TERMINAL_LINE["baud"]
        wiring["stop_bits"] = board.TERMINAL_LINE["stop_bits"]
    registers = None
    if board.DRIVERS["chip"] == "rp2":
        from machine import mem32 as registers
    return Serial(wiring, registers=registers)


def _flash(board, drivers, ports, state):
    """Journal and policies: in files, or in a region of flash, the policies behind the journal."""
    if drivers["flash"] == "files":
        from .files import Flash

        ports.flash = Flash(state + "/journal", **board.FLASH)
        ports.policy_flash = Flash(state + "/policy", **board.POLICY_FLASH)
    elif drivers["flash"] == "region":
        from .region import Flash

        size = board.FLASH["size"] + board.POLICY_FLASH["size"]
        if drivers["chip"] == "stm32":
            from . import chip_stm32
            from .room import behind_files

            device = chip_stm32.device(behind_files(board.REGION["start"]), size)
        elif drivers["chip"] == "esp32":
            from . import chip_esp32

            device = chip_esp32.device(board.REGION["label"])
        else:
            raise OSError(19, "this firmware leaves no flash beside its file system")
        ports.flash = Flash(device, 0, **board.FLASH)
        ports.policy_flash = Flash(device, board.FLASH["size"] // board.FLASH["sector"], **board.POLICY_FLASH)
    else:
        ports.flash = _absent("Flash")
        ports.policy_flash = _absent("Flash")
