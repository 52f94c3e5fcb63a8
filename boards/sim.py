"""Board "sim": everything simulated, beside a simulated ZVT terminal on a pseudo-terminal. For laptops and tests."""

NAME = "sim"

# port: driver. "sim" is honest simulated hardware, "none" absent, "zvt" a terminal that speaks ZVT over serial.
DRIVERS = {
    "power": "sim",
    "network": "sim",
    "clock": "sim",
    "flash": "sim",
    "light": "sim",
    "thermometer": "sim",  # and the watchdog
    "terminal": "zvt",
}

FLASH = {"size": 262144, "sector": 4096, "unit": 4}
POLICY_FLASH = {"size": 65536, "sector": 4096, "unit": 4}  # two slots

TERMINAL_LINE = {"baud": 9600, "stop_bits": 2, "t1_ms": 200, "t2_ms": 5000}

# config 18: intermediate status wanted, and the terminal starts no payment by itself
TERMINAL = {"password": 0, "currencies": {"EUR": 978}, "config": 0x18, "t3_ms": 5000, "t4_ms": 180000}

SETTINGS = {
    "power": {"low_mv": 4600, "high_mv": 5500, "margin_mv": 50, "window": 60, "every_ms": 50},
    "network": {"every_ms": 2000},
    "terminal": {"every_ms": 10000},
    "gate": {"lang": "en"},  # of the till's display: en or zh
    # This board is simulated, so it brings rules of its own; a policy that is signed and pushed takes their place. What a
    # simulation cannot know is accepted (0), but for a terminal that does not answer (3: HOLD).
    "policy": {
        "id": "sim",
        "currency": "EUR",
        "minimum_version": "2.10",
        "procedure": "README.md",
        "procedure_days": 14,
        "unknown": {0: 0, 1: 3},
    },
}
