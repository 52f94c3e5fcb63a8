"""What an RP2040 does its own way: why it booted, and how warm it is."""

import machine

from .watchdog import LONGEST_MS

# Registers of the RP2040 (datasheet, 4.7.6): what a watchdog's reset was, and what the SDK leaves in scratch register 4.
_CONTROL = 0x40058000
_RUNS = 1 << 30
_LOADS_S = 30
_REASON = 0x40058008  # bit 0: it ran out, bit 1: it was forced
_SCRATCH_4 = 0x4005801C
_RAN_OUT = 0x6AB73121  # pico-sdk, watchdog.c: there while a watchdog that somebody enabled runs, 0 after a wanted reset
_HALF_MV_0 = 2 * 706  # of the sensor at 27 degrees, in halves of a millivolt
_UV_A_DEGREE = 1721
_FULL_MV = 3300
_NO_SENSOR = 16  # a reading below it: the converter was not connected to the sensor


def reset_reason(registers=None):
    """As the Watchdog port has it. MicroPython tells a power-on from a watchdog, and calls machine.reset(), which uses
    the watchdog, one too (ports/rp2/modmachine.c): the SDK's mark tells them apart. A brown-out looks like a power-on.
    A soft reset changes nothing: it shows the reset before it.

    `registers`: instead of machine.mem32."""
    if machine.reset_cause() != machine.WDT_RESET:
        return "power_on"
    registers = registers or machine.mem32
    return "watchdog" if registers[_REASON] and registers[_SCRATCH_4] == _RAN_OUT else "reset"


def bridge(watchdog, registers=None):
    """Where an interpreter only starts anew (a deployment, an error) the watchdog runs on, and a timer feeds it for half a
    minute, while the next agent loads. No longer: who hangs there is bitten. The other chips load within its time."""
    if not (registers or machine.mem32)[_CONTROL] & _RUNS:
        return
    watchdog.feed()
    feeds = [machine.WDT(timeout=LONGEST_MS).feed] * _LOADS_S

    def loads(_):
        if feeds:
            feeds.pop()()

    watchdog.timer = machine.Timer(-1)
    watchdog.timer.init(freq=1, mode=machine.Timer.PERIODIC, callback=loads)


class Thermometer:
    """The sensor in the chip (datasheet, 4.9.5): 706 mV at 27 degrees, 1.721 mV less for each more. It tells the chip,
    which is some degrees warmer than the air."""

    def __init__(self):
        self._adc = machine.ADC(machine.ADC.CORE_TEMP)

    def degrees(self):
        state = machine.disable_irq()  # who samples the supply in an interrupt turns the converter to another input
        value = self._adc.read_u16()
        machine.enable_irq(state)
        if value < _NO_SENSOR:
            raise OSError(5, "the chip's thermometer cannot be read")
        microvolts = value * _FULL_MV // 65535 * 1000
        return 27 - (microvolts - 706000) // _UV_A_DEGREE
