"""Board "stm32_pybd": a Pyboard D with STM32F767 (PYBD-SF6) beside the terminal, with a WLAN. docs/boards/stm32_pybd.md
has its wiring."""

NAME = "stm32_pybd"
PLATFORM = "pyboard"  # sys.platform of its firmware
CHIP = "PYBD"  # whose pins boards/checked.py knows

# port: driver of hal/micropython. "chip" is the kind of chip, "region" a journal in the flash behind the
# file system, which must be made smaller for it once.
DRIVERS = {
    "chip": "stm32",
    "power": "adc",  # or "ina226", "ina219": POWER is then {"i2c": 1, "address": 0x40}
    "network": "wlan",
    "clock": "rtc",
    "flash": "region",
    "light": "led",
    "thermometer": "chip",
    "watchdog": "chip",
    "terminal": "zvt",
    "till": "none",  # "uart": the till is wired to us, and what it sends the terminal passes our gate
    "link": "stdio",  # the USB socket; or "uart"
}

ON = ("EN_3V3",)  # pins switched on first: its 3V3, which feeds the level converter, is off until then

# divider: ohms from the supply to the pin, and from the pin to ground. 5.5 V make 2.75 V.
POWER = {"pin": "X5", "divider": (10000, 10000), "adc_mv": 3300, "timer": -1, "hard": True}
LIGHT = {"pins": ("LED_RED", "LED_GREEN", "LED_BLUE"), "low": True}  # on the board
# pins belong to the number: 4 sends on X1 and receives on X2, 1 on Y1 and Y2
UARTS = {
    "terminal": {"id": 4, "rxbuf": 1024},
    "till": {"id": 1, "rxbuf": 1024},
}

# the file system has what is before it
REGION = {"start": 1835008, "device": 2097152}
FLASH = {"size": 196608, "sector": 4096, "unit": 4}
POLICY_FLASH = {"size": 65536, "sector": 4096, "unit": 4}  # two slots

TERMINAL_LINE = {"baud": 9600, "stop_bits": 2, "t1_ms": 200, "t2_ms": 5000}

# config 18: intermediate status wanted, and the terminal starts no payment by itself
TERMINAL = {"password": 0, "currencies": {"EUR": 978}, "config": 0x18, "t3_ms": 5000, "t4_ms": 180000}

SETTINGS = {
    "power": {"low_mv": 4600, "high_mv": 5500, "margin_mv": 50, "window": 60, "every_ms": 50},
    # host: the acquirer's, "name:port"; time: a time server's name or address. The WLAN's own name and key stand in
    # state/wlan
    "network": {"every_ms": 5000, "host": None, "time": "pool.ntp.org"},
    "climate": {"low_c": 0, "high_c": 60},  # the chip is some ten degrees warmer than the shop
    "terminal": {"every_ms": 10000},
    "gate": {"lang": "en"},  # of the till's display: en or zh
    "policy": {},  # a signed one has to be pushed: until then refunds are held (cause 57)
}
