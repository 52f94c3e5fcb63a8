"""What a MicroPython board's data must have before anybody can look at what it says: its tables, its drivers' names, its
numbers. checked.py then looks at pins, dividers and regions."""

# port: drivers that hal/micropython/build.py has, of a board whose clock is "rtc"
CHOICES = {
    "chip": ("rp2", "esp32", "stm32"),
    "power": ("adc", "ina226", "ina219", "none"),
    "network": ("wlan", "lan", "none"),
    "clock": ("rtc",),
    "flash": ("files", "region"),
    "light": ("led", "none"),
    "thermometer": ("chip", "none"),
    "watchdog": ("chip", "none"),
    "terminal": ("zvt", "none"),
    "till": ("uart", "none"),
    "link": ("stdio", "uart"),
}
_MANY = 1 << 32  # no number of a board is as large
_FLASH = {"size": 0, "sector": 0, "unit": 1}
_SETTINGS = {
    "power": {"low_mv": 0, "high_mv": 1, "margin_mv": 0, "window": 1, "every_ms": 1},
    "network": {"every_ms": 1},
    "terminal": {"every_ms": 1},
    "policy": {},
}


def faults(data):
    """[(key, {field: value})] of all that is missing in a board, {name: value}, or of another kind than it must be.

    Keys: no_table, no_number, no_driver, no_such_pin."""
    drivers = data.get("DRIVERS")
    if not isinstance(drivers, dict):
        return [("no_table", {"what": "DRIVERS"})]
    found = []
    if drivers.get("clock") != "rtc" and "CHIP" not in data:
        for name in ("FLASH", "POLICY_FLASH"):
            if name in data:
                found += _numbers(data, name, _FLASH)
        return found
    for port, choices in CHOICES.items():
        if drivers.get(port) not in choices:
            found.append(("no_driver", {"what": port, "value": drivers.get(port), "choices": ", ".join(choices)}))
    if found:
        return found
    for name in ("FLASH", "POLICY_FLASH"):
        found += _numbers(data, name, _FLASH)
    if drivers["flash"] == "region":
        found += _numbers(data, "REGION", _given(data, "REGION", {"start": 1, "device": 1}))
    found += _settings(data)
    found += _wiring(data, drivers)
    return found


def _settings(data):
    settings = data.get("SETTINGS")
    if not isinstance(settings, dict):
        return [("no_table", {"what": "SETTINGS"})]
    return [fault for name, wanted in _SETTINGS.items() for fault in _numbers(settings, name, wanted, "SETTINGS.")]


def _wiring(data, drivers):
    if drivers["power"] == "adc":
        yield from _numbers(data, "POWER", {"adc_mv": 1})
        yield from _pins(data, "POWER", ("pin",))
    elif drivers["power"] != "none":
        yield from _numbers(data, "POWER", {"i2c": 0, **_given(data, "POWER", {"address": 1})})
        yield from _pins(data, "POWER", ("sda", "scl"))
    if drivers["light"] == "led":
        light = data.get("LIGHT")
        pins = light.get("pins") if isinstance(light, dict) else None
        if not isinstance(pins, (tuple, list)) or not pins:
            yield "no_table", {"what": "LIGHT.pins"}
        else:
            for pin in pins:
                yield from _pin("LIGHT.pins", pin, data)
    if drivers["terminal"] == "zvt":
        yield from _numbers(data, "TERMINAL_LINE", {"baud": 1, "stop_bits": 1, "t1_ms": 1, "t2_ms": 1})
        yield from _numbers(data, "TERMINAL", {"password": 0, "config": 0, "t3_ms": 1, "t4_ms": 1})
    uarts = data.get("UARTS")
    for name in ("terminal", "till", "link"):
        if drivers[name] in ("zvt", "uart"):
            if not isinstance(uarts, dict):
                yield "no_table", {"what": "UARTS"}
                return
            if uarts.get(name) is not None:  # else there is no such UART
                wanted = {"id": 0, **_given(uarts, name, {"rxbuf": 1, "txbuf": 1})}
                yield from _numbers(uarts, name, wanted, "UARTS.")
                yield from _pins(uarts, name, _given(uarts, name, {"tx": 0, "rx": 0}), "UARTS.")


def _numbers(data, name, wanted, above=""):
    """Faults of data[name], which must be a table with whole numbers. `wanted`: {key: the least it may be}."""
    table = data.get(name)
    if not isinstance(table, dict):
        return [("no_table", {"what": above + name})]
    return [
        ("no_number", {"what": f"{above}{name}.{key}", "value": table.get(key), "least": least})
        for key, least in wanted.items()
        if type(table.get(key)) is not int or not least <= table[key] < _MANY
    ]


def _given(data, name, wanted):
    """Those of `wanted` that data[name] has."""
    table = data.get(name)
    return {key: least for key, least in wanted.items() if isinstance(table, dict) and table.get(key) is not None}


def _pins(data, name, keys, above=""):
    if isinstance(data.get(name), dict):
        for key in keys:
            yield from _pin(f"{above}{name}.{key}", data[name].get(key), data)


def _pin(what, pin, data):
    if type(pin) is not int and not isinstance(pin, str):
        yield "no_such_pin", {"what": what, "pin": pin, "chip": data.get("CHIP")}
