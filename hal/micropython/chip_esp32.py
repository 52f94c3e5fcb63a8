"""What an ESP32 does its own way: why it booted, how warm it is, and its partitions."""

import esp32
import machine

# Why the first processor was reset, bits 0 to 5: 1 is the supply that came (ESP-IDF, soc/rtc_cntl_reg.h and rom/rtc.h),
# by the chip as sys.implementation._machine ends.
_STATES = (("ESP32S3", 0x60008038), ("ESP32", 0x3FF48034))
_POWER_ON = 1


def reset_reason(chip, registers=None):
    """As the Watchdog port has it. MicroPython calls a brown-out a power-on, and a panic a hard reset, as
    machine.reset() is one (ports/esp32/modmachine.c); the chip's own register tells the first two apart: after a
    brown-out the IDF resets by software.

    `chip`: how the firmware names it, sys.implementation._machine. `registers`: instead of machine.mem32."""
    cause = machine.reset_cause()
    if cause == machine.WDT_RESET:
        return "watchdog"
    if cause in (machine.SOFT_RESET, machine.HARD_RESET, machine.DEEPSLEEP_RESET):
        return "reset"
    if cause != machine.PWRON_RESET:
        return None
    registers = registers or machine.mem32
    for name, address in _STATES:
        if chip.endswith(name):
            return "power_on" if registers[address] & 63 == _POWER_ON else "brown_out"
    return "power_on"


class Thermometer:
    """The sensor in the chip. It tells the chip, which is some degrees warmer than the air. The first ESP32 has one
    that nobody calibrated, in Fahrenheit: it is left alone."""

    def degrees(self):
        try:
            return int(esp32.mcu_temperature())  # pyright: ignore[reportAttributeAccessIssue]  not on the first ESP32
        except AttributeError:
            return None


def device(label):
    """The partition of this label, as a block device. OSError: there is none."""
    found = esp32.Partition.find(esp32.Partition.TYPE_DATA, label=label)
    if not found:
        raise OSError(19, "the board has no partition %s" % label)
    return found[0]
