"""What an STM32 does its own way: why it booted, how warm it is, and its flash."""

import machine
import pyb

_CORE_CHANNELS = 0x70000  # of ADCAll: sensor, reference and battery alone; the pins stay what they are


def reset_reason():
    """As the Watchdog port has it. A brown-out looks like a power-on: the firmware reads both flags as one, and clears them
    (ports/stm32/modmachine.c)."""
    cause = machine.reset_cause()
    if cause == machine.WDT_RESET:
        return "watchdog"
    if cause == machine.PWRON_RESET:
        return "power_on"
    return "reset" if cause in (machine.SOFT_RESET, machine.HARD_RESET, machine.DEEPSLEEP_RESET) else None


class Thermometer:
    """The sensor in the chip, with the maker's calibration. It tells the chip, which is some degrees warmer than the air."""

    def __init__(self):
        self._adc = pyb.ADCAll(12, _CORE_CHANNELS)

    def degrees(self):
        state = machine.disable_irq()  # who samples the supply in an interrupt uses the same converter
        value = self._adc.read_core_temp()
        machine.enable_irq(state)
        return int(value)


def device(start, size):
    """Part of the flash that holds the file system, as a block device of its own: the whole one has no extended protocol."""
    return pyb.Flash(start=start, len=size)
