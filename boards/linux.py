"""Board "linux": the payment terminal itself, or a small computer beside it. The journal is a file; CPython alone.

A deployer adapts it by a file, see linux_file.py."""

NAME = "linux"

# port: driver. "file" is a file of fixed size, "linux" the host's own, "none" absent, "zvt" a terminal that speaks ZVT over
# serial.
DRIVERS = {
    "power": "linux",
    "network": "linux",
    "clock": "linux",
    "flash": "file",
    "light": "none",
    "thermometer": "linux",
    "watchdog": "linux",
    "terminal": "zvt",
}

FLASH = {"size": 1048576, "sector": 4096, "unit": 1}
POLICY_FLASH = {"size": 1048576, "sector": 4096, "unit": 1}  # two slots

TERMINAL_LINE = {"baud": 9600, "stop_bits": 2, "t1_ms": 200, "t2_ms": 5000}

# config 18: intermediate status wanted, and the terminal starts no payment by itself
TERMINAL = {"password": 0, "currencies": {"EUR": 978}, "config": 0x18, "t3_ms": 5000, "t4_ms": 180000}

SETTINGS = {
    # supply: name in /sys/class/power_supply of the one whose voltage is meant, or "DEVICE/in1" of hwmon; ina: "ina226" or
    # "ina219" where such a part at `address` of the bus `i2c` measures it
    "power": {
        "low_mv": 4600,
        "high_mv": 5500,
        "margin_mv": 50,
        "window": 60,
        "every_ms": 50,
        "supply": None,
        "ina": None,
        "i2c": "/dev/i2c-1",
        "address": 0x40,
    },
    # interface: None for that of the default route; host: the acquirer's, "name:port"; ca: certificates trusted in its TLS
    "network": {"every_ms": 5000, "interface": None, "host": None, "tls": True, "ca": None},
    # sensor: type of a thermal zone or name of an hwmon device; None: the coolest
    "climate": {"sensor": None, "low_c": 0, "high_c": 50},
    "terminal": {"every_ms": 10000},
    # device: None for none; else the machine starts anew when the agent is silent for timeout_s
    "watchdog": {"device": None, "timeout_s": 30},
    "gate": {"lang": "en"},  # of the till's display: en or zh
    "policy": {},  # a signed one has to be pushed: until then refunds are held (cause 57)
}
