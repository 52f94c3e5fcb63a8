"""Board "bare": nothing but a clock and a journal. What every check says when its hardware is absent."""

NAME = "bare"

# port: driver. "sim" is honest simulated hardware, "none" absent, "zvt" a terminal that speaks ZVT over serial.
DRIVERS = {
    "power": "none",
    "network": "none",
    "clock": "sim",
    "flash": "sim",
    "light": "none",
    "terminal": "none",
}

FLASH = {"size": 262144, "sector": 4096, "unit": 4}
POLICY_FLASH = {"size": 65536, "sector": 4096, "unit": 4}  # two slots

SETTINGS = {
    "power": {"low_mv": 4600, "high_mv": 5500, "margin_mv": 50, "window": 60, "every_ms": 50},
    "network": {"every_ms": 2000},
    "terminal": {"every_ms": 10000},
    "policy": {},
}
