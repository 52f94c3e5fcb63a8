"""Board "unix_raw": MicroPython's unix build behind a serial line, as a board is; for the tests of deploying. No hardware at
all; its journal lies in a file."""

NAME = "unix_raw"
PLATFORM = "linux"  # sys.platform of the firmware that this board has

# port: driver. "sim" is honest simulated hardware, "none" absent, "stdio" the line that MicroPython's prompt uses.
DRIVERS = {
    "power": "none",
    "network": "none",
    "clock": "sim",
    "flash": "sim",
    "light": "none",
    "terminal": "none",
    "link": "stdio",
}

FLASH = {"size": 65536, "sector": 4096, "unit": 4}
POLICY_FLASH = {"size": 65536, "sector": 4096, "unit": 4}  # two slots

SETTINGS = {
    "power": {"low_mv": 4600, "high_mv": 5500, "margin_mv": 50, "window": 60, "every_ms": 50},
    "network": {"every_ms": 2000},
    "terminal": {"every_ms": 10000},
    "policy": {},
}
