"""The file by which a deployer adapts board linux: TOML, checked setting by setting before an agent starts.

docs/linux.md explains it; packaging/linux/refund-agent.toml is one to begin with. It stands for options of `refund-agent run`
and for changes of the board's data.
"""

import re
from pathlib import Path

from host_tools.policy_toml import Document, Fault
from host_tools.policy_values import nearest

from . import linux

SPEEDS = (9600, 19200, 57600, 115200)  # as hal/linux/tty.py has them
CURRENCIES = {
    "EUR": 978,
    "USD": 840,
    "GBP": 826,
    "CHF": 756,
    "CNY": 156,
    "HKD": 344,
    "PLN": 985,
    "SEK": 752,
    "DKK": 208,
}
_PLACE = re.compile(r"([^/:\s]*|\[[0-9A-Fa-f:]+\]):([0-9]{1,5})")

# section: {key: (kind, what bounds it)}; "" for what stands above all sections
KEYS = {
    "": {"state": ("path", None), "link": ("path", None), "trust": ("paths", None)},
    "power": {
        "supply": ("text", None),
        "ina": ("one_of", ("ina219", "ina226")),
        "i2c": ("path", None),
        "address": ("number", (0x08, 0x77)),
        "low_mv": ("number", (1, 60000)),
        "high_mv": ("number", (1, 60000)),
    },
    "network": {"host": ("place", None), "tls": ("truth", None), "ca": ("path", None), "interface": ("text", None)},
    "climate": {"sensor": ("text", None), "low_c": ("number", (-55, 150)), "high_c": ("number", (-55, 150))},
    "terminal": {
        "line": ("line", None),
        "baud": ("one_of", SPEEDS),
        "stop_bits": ("one_of", (1, 2)),
        "password": ("number", (0, 999999)),
        "currencies": ("currencies", None),
    },
    "gate": {"till": ("line", None), "lang": ("one_of", ("en", "zh"))},
    "watchdog": {"device": ("path", None), "timeout_s": ("number", (10, 600))},
}
_OPTIONS = {("", "state"), ("", "link"), ("", "trust"), ("terminal", "line"), ("gate", "till")}


class Adapted:
    """`options`: {"state", "link", "trust", "line", "till"} of what stands in the file, text; `changes`: of the board's data;
    `faults`: [Fault] by line. With faults nothing of it should be used."""

    def __init__(self):
        self.options = {}
        self.changes = {}
        self.faults = []


def read(path):
    """The Adapted of a file. OSError, UnicodeDecodeError: it cannot be read."""
    document = Document(Path(path).read_text(encoding="utf-8"))
    adapted = Adapted()
    adapted.faults = list(document.faults)
    for name, value in document.tables.items():
        if isinstance(value, dict) and name in KEYS:
            for key, one in value.items():
                _take(adapted, document, name, key, one)
        elif name in KEYS:
            _fault(adapted, document, (name,), "conf_section", name=name)
        elif isinstance(value, (dict, list)) and name not in KEYS[""]:
            _fault(adapted, document, (name,), "conf_no_section", name=name, near=nearest(name, filter(None, KEYS)))
        else:
            _take(adapted, document, "", name, value)
    if not adapted.faults and not document.doubtful:
        _together(adapted, document)
    adapted.faults.sort(key=lambda fault: fault.line)
    return adapted


def _fault(adapted, document, path, says, value=False, **fields):
    adapted.faults.append(Fault(*document.place(path, value), says, fields))


def _take(adapted, document, section, key, value):
    path = (section, key) if section else (key,)
    if key not in KEYS[section]:
        elsewhere = [other for other, keys in KEYS.items() if key in keys]
        if elsewhere:
            _fault(adapted, document, path, "conf_elsewhere", name=key, section=elsewhere[0] or "-")
        else:
            _fault(adapted, document, path, "conf_no_key", name=key, near=nearest(key, KEYS[section]))
        return
    kind, bounds = KEYS[section][key]
    says = _wrong(kind, bounds, value)
    if says:
        low, high = bounds if kind == "number" else (None, None)
        words = ", ".join(map(str, bounds)) if kind == "one_of" else ", ".join(CURRENCIES)
        _fault(adapted, document, path, says, True, name=key, low=low, high=high, words=words)
    elif (section, key) in _OPTIONS:
        adapted.options[key] = value
    elif kind == "currencies":
        adapted.changes[key] = value if isinstance(value, dict) else {one: CURRENCIES[one] for one in value}
    else:
        adapted.changes[key] = value


def _wrong(kind, bounds, value):
    """What is wrong with a value; None: nothing."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    text = isinstance(value, str) and value.strip() == value != "" and "\0" not in value
    place = _PLACE.fullmatch(value) if text else None
    good = {
        "text": text,
        "path": text and value.startswith("/"),
        "paths": isinstance(value, list) and all(isinstance(one, str) and one.startswith("/") for one in value),
        "truth": isinstance(value, bool),
        "number": whole and bounds and bounds[0] <= value <= bounds[1],
        "one_of": (whole or text) and bounds and value in bounds,
        "place": place and place[1] and 0 < int(place[2]) < 65536,
        "line": (text and value.startswith("/")) or (place and 0 < int(place[2]) < 65536),
        "currencies": value != [] and value != {} and _currencies(value),
    }[kind]
    return None if good else "conf_" + kind


def _currencies(value):
    if isinstance(value, list):
        return all(one in CURRENCIES for one in value if isinstance(one, str)) and all(
            isinstance(o, str) for o in value
        )
    return isinstance(value, dict) and all(
        re.fullmatch("[A-Z]{3}", name) and type(code) is int and 0 < code < 1000 for name, code in value.items()
    )


def _together(adapted, document):
    """What each setting says may be right, and all of it not."""
    changes = adapted.changes
    for low, high, section in (("low_mv", "high_mv", "power"), ("low_c", "high_c", "climate")):
        its = {**linux.SETTINGS[section], **changes}
        if its[low] >= its[high]:
            key = high if high in changes else low
            told = {"low": low, "high": high, "lowest": its[low], "highest": its[high]}
            _fault(adapted, document, (section, key), "conf_order", True, **told)
    if "till" in adapted.options and "line" not in adapted.options:
        _fault(adapted, document, ("gate", "till"), "conf_gate_alone")
    if "supply" in changes and "ina" in changes:
        _fault(adapted, document, ("power", "ina"), "conf_two_supplies")
    for key in ("i2c", "address"):
        if key in changes and "ina" not in changes:
            _fault(adapted, document, ("power", key), "conf_without_ina", name=key)
    if "ca" in changes and "host" not in changes:
        _fault(adapted, document, ("network", "ca"), "conf_ca_alone")
    if "timeout_s" in changes and "device" not in changes:
        _fault(adapted, document, ("watchdog", "timeout_s"), "conf_watchdog_alone")
