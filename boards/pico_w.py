"""Board "pico_w": a Raspberry Pi Pico W beside the terminal, with a WLAN. docs/boards/pico_w.md has its wiring."""

NAME = "pico_w"
PLATFORM = "rp2"  # sys.platform of its firmware
CHIP = "RP2040"  # whose pins boards/checked.py knows

# port: driver of hal/micropython. "chip" is the kind of chip, "files" a journal in files, for this firmware leaves no
# flash beside its file system.
DRIVERS = {
    "chip": "rp2",
    "power": "adc",  # or "ina226", "ina219": POWER is then {"i2c": 0, "sda": 8, "scl": 9, "address": 0x40}
    "network": "wlan",
    "clock": "rtc",
    "flash": "files",
    "light": "led",
    "thermometer": "chip",
    "watchdog": "chip",
    "terminal": "zvt",
    "till": "none",  # "uart": the till is wired to us, and what it sends the terminal passes our gate
    "link": "stdio",  # the USB socket; or "uart"
}

# divider: ohms from the supply to the pin, and from the pin to ground. 5.5 V make 2.75 V.
POWER = {"pin": 26, "divider": (10000, 10000), "adc_mv": 3300, "timer": -1, "hard": True}
LIGHT = {"pins": ("LED",)}
UARTS = {
    "terminal": {"id": 0, "tx": 0, "rx": 1, "rxbuf": 1024, "txbuf": 1024},
    "till": {"id": 1, "tx": 4, "rx": 5, "rxbuf": 1024, "txbuf": 1024},
}

FLASH = {"size": 65536, "sector": 4096, "unit": 4}  # its file system has 848 KB, of which two slots take 520
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
