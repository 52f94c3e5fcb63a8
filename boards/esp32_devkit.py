"""Board "esp32_devkit": an ESP32-DevKitC or the like beside the terminal, with a WLAN. docs/boards/esp32_devkit.md has
its wiring."""

NAME = "esp32_devkit"
PLATFORM = "esp32"  # sys.platform of its firmware
CHIP = "ESP32"  # whose pins boards/checked.py knows

# port: driver of hal/micropython. "chip" is the kind of chip, "files" a journal in files; "region" one in
# a partition of its own, for who makes one: REGION = {"label": "journal"}.
DRIVERS = {
    "chip": "esp32",
    "power": "adc",  # or "ina226", "ina219": POWER is then {"i2c": 0, "sda": 21, "scl": 22, "address": 0x40}
    "network": "wlan",
    "clock": "rtc",
    "flash": "files",
    "light": "led",
    "thermometer": "chip",  # which the first ESP32 does not tell: nobody calibrated it
    "watchdog": "chip",
    "terminal": "zvt",
    "till": "none",  # "uart": the till is wired to us, and what it sends the terminal passes our gate
    "link": "stdio",  # the USB socket; or "uart"
}

# divider: ohms from the supply to the pin, and from the pin to ground. 5.5 V make 2.2 V: above 2.45 V this converter bends.
POWER = {"pin": 34, "divider": (15000, 10000), "adc_mv": 2450, "timer": 0, "hard": False}
LIGHT = {"pins": (25, 26, 27)}  # red, green, blue
UARTS = {
    "terminal": {"id": 2, "tx": 18, "rx": 19, "rxbuf": 1024, "txbuf": 1024},  # not 16 and 17, a WROVER's PSRAM is there
    "till": {"id": 1, "tx": 32, "rx": 33, "rxbuf": 1024, "txbuf": 1024},
}

FLASH = {"size": 131072, "sector": 4096, "unit": 4}
POLICY_FLASH = {"size": 65536, "sector": 4096, "unit": 4}  # two slots

TERMINAL_LINE = {"baud": 9600, "stop_bits": 2, "t1_ms": 200, "t2_ms": 5000}

# config 18: intermediate status wanted, and the terminal starts no payment by itself
TERMINAL = {"password": 0, "currencies": {"EUR": 978}, "config": 0x18, "t3_ms": 5000, "t4_ms": 180000}

SETTINGS = {
    "power": {"low_mv": 4600, "high_mv": 5500, "margin_mv": 50, "window": 60, "every_ms": 50},
    # host: the acquirer's, "name:port"; time: a time server's name or address. The WLAN's own name and key stand in
    # state/wlan
    "network": {"every_ms": 5000, "host": None, "time": "pool.ntp.org"},
    "terminal": {"every_ms": 10000},
    "gate": {"lang": "en"},  # of the till's display: en or zh
    "policy": {},  # a signed one has to be pushed: until then refunds are held (cause 57)
}
