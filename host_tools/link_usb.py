"""USB devices by their vendor and product numbers: which may be an agent's port, and which never are.

Source: the vendors' own lists of product numbers, as usb.ids keeps them.
"""

# (vendor, product or None for all): (what it is, whether its port has a speed on the wire)
BOARDS = {
    (0x2E8A, 0x0005): ("Raspberry Pi board with MicroPython", False),
    (0x2E8A, 0x000C): ("Raspberry Pi Debug Probe", True),
    (0x2E8A, 0x0004): ("Raspberry Pi Picoprobe", True),
    (0x2E8A, None): ("Raspberry Pi board", False),
    (0x303A, 0x1001): ("Espressif USB serial and JTAG", False),
    (0x303A, None): ("Espressif board", False),
    (0xF055, 0x9800): ("pyboard", False),
    (0xF055, None): ("MicroPython board", False),
    (0x0483, 0x5740): ("STM32 USB port", False),
    (0x0483, 0x374B): ("ST-Link", True),
    (0x0483, 0x374E): ("ST-Link", True),
    (0x0483, 0x374F): ("ST-Link", True),
    (0x0483, 0x3752): ("ST-Link", True),
    (0x0483, 0x3754): ("ST-Link", True),
    (0x1366, None): ("SEGGER J-Link", True),
    (0x0D28, None): ("DAPLink", True),
    (0x1FC9, None): ("NXP board", False),
    (0x239A, None): ("Adafruit board", False),
    (0x2341, None): ("Arduino board", False),
    (0x2FE3, None): ("Zephyr board", False),
    (0x1A86, 0x55D3): ("WCH CH343", True),
    (0x1A86, 0x55D4): ("WCH CH9102", True),
    (0x1A86, None): ("WCH CH340", True),
    (0x0403, None): ("FTDI", True),
    (0x10C4, None): ("Silicon Labs CP210x", True),
    (0x067B, None): ("Prolific PL2303", True),
    (0x04D8, None): ("Microchip MCP2200", True),
    (0x04B4, None): ("Cypress USB serial", True),
}

# Modems and receivers: what is sent to them may cost money or do something. They are not opened by themselves.
OTHERS = {
    0x1199: "Sierra Wireless modem",
    0x12D1: "Huawei modem",
    0x19D2: "ZTE modem",
    0x2C7C: "Quectel modem",
    0x1BC7: "Telit modem",
    0x1E0E: "SIMCom modem",
    0x2CB7: "Fibocom modem",
    0x0BDB: "Ericsson modem",
    0x1546: "u-blox receiver",
    0x091E: "Garmin receiver",
    0x1410: "Novatel modem",
}


def known(vendor, product):
    """(what it is, whether it has a speed on the wire, whether it may be an agent's); (None, True, True) if unknown."""
    if vendor in OTHERS:
        return OTHERS[vendor], True, False
    what, speed = BOARDS.get((vendor, product)) or BOARDS.get((vendor, None)) or (None, True)
    return what, speed, True
