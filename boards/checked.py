"""What a MicroPython board's data cannot be: pins that its chip does not have or that two things use, a UART whose pins
do not fit, a divider that would burn the converter or tell it nothing, a journal's region that is none.

Sources: RP2040 datasheet 1.4.3 and Pico datasheet 2.1; ESP32 datasheet 2.2 and ESP-IDF's ADC pages (its ADC2 does not
work beside the WLAN); ESP32-S3 datasheet 2.3; MicroPython, ports/stm32/boards/PYBD_SF6."""

from . import shaped

_RP2_UARTS = {0: (((0, 1), (12, 13), (16, 17))), 1: (((4, 5), (8, 9), (20, 21)))}


class Chip:
    """`pins` that a board brings out; `inputs`: those of them that cannot drive anything; `adc`: those that the
    converter reads; `uarts`: {id: pairs of (tx, rx)}, None for a pair any pins may make, of `uart_ids`; `fixed`: a
    UART's pins belong to its id; `taken`: {pin: what the board itself has there}."""

    def __init__(self, pins, adc, uarts=None, uart_ids=(), inputs=(), fixed=False, taken=None):
        self.pins = frozenset(pins)
        self.adc = frozenset(adc)
        self.uarts = uarts
        self.uart_ids = tuple(uarts or uart_ids)
        self.inputs = frozenset(inputs)
        self.fixed = fixed
        self.taken = taken or {}


CHIPS = {
    "RP2040": Chip([*range(23), 26, 27, 28, "LED"], [26, 27, 28], _RP2_UARTS),
    "ESP32": Chip(
        [0, 2, 4, 5, *range(12, 20), 21, 22, 23, 25, 26, 27, *range(32, 37), 39],
        [32, 33, 34, 35, 36, 39],
        uart_ids=(1, 2),
        inputs=[34, 35, 36, 39],
        taken={1: "the USB bridge", 3: "the USB bridge", **{pin: "the flash" for pin in range(6, 12)}},
    ),
    "ESP32-S3": Chip(
        [*range(19), 21, *range(38, 43), 45, 46, 47, 48],
        range(1, 11),
        uart_ids=(1, 2),
        taken={
            **dict.fromkeys((19, 20), "the USB socket"),
            **dict.fromkeys((43, 44), "the USB bridge"),
            **dict.fromkeys(range(26, 38), "flash and PSRAM"),
        },
    ),
    "PYBD": Chip(
        [*(f"X{n}" for n in range(1, 13)), *(f"Y{n}" for n in range(1, 13)), "LED_RED", "LED_GREEN", "LED_BLUE"],
        [*(f"X{n}" for n in range(1, 9)), "X11", "X12", "Y7", "Y8", "Y11", "Y12"],
        {1: (("Y1", "Y2"),), 2: (("X3", "X4"),), 3: (("Y9", "Y10"),), 4: (("X1", "X2"),)},
        fixed=True,
        taken={},
    ),
}
_ADC_LEAST = 20  # a supply at its highest must use a twentieth of the converter's range


def faults(data):
    """[(key, {field: value})] of all that cannot be in a board, {name: value} as its module has them; [] for boards of
    other kinds.

    Keys: bad_chip, bad_divider, divider_burns, divider_blind, bad_region, no_such_pin, pin_taken, pin_no_adc, pin_no_output,
    pin_twice, bad_uart, uart_pins, region_nowhere, region_outside, no_table, no_number, no_driver."""
    found = shaped.faults(data) or list(_regions(data))
    if found:
        return found
    if data["DRIVERS"].get("clock") != "rtc":
        return found
    chip = CHIPS.get(data["CHIP"]) if isinstance(data.get("CHIP"), str) else None
    if chip is None:
        return [("bad_chip", {"chip": data.get("CHIP"), "chips": ", ".join(CHIPS)})]
    used = {}  # pin: what uses it
    for what, pin, kind in _pins(data, chip):
        if pin in chip.taken:
            found.append(("pin_taken", {"what": what, "pin": pin, "by": chip.taken[pin]}))
        elif pin not in chip.pins:
            found.append(("no_such_pin", {"what": what, "pin": pin, "chip": data["CHIP"]}))
        elif kind == "adc" and pin not in chip.adc:
            found.append(("pin_no_adc", {"what": what, "pin": pin, "pins": _listed(chip.adc)}))
        elif kind == "out" and pin in chip.inputs:
            found.append(("pin_no_output", {"what": what, "pin": pin}))
        if pin in used:
            found.append(("pin_twice", {"pin": pin, "first": used[pin], "second": what}))
        used.setdefault(pin, what)
    found += _uarts(data, chip)
    if data["DRIVERS"]["power"] == "adc":
        found += _divider({**data["SETTINGS"]["power"], **data["POWER"]})
    return found


def _named(data):
    """(name, wiring) of the UARTs that the board's drivers use."""
    drivers = data["DRIVERS"]
    if drivers["terminal"] != "none":
        yield "terminal", data["UARTS"].get("terminal")
    if drivers["till"] == "uart":
        yield "till", data["UARTS"].get("till")
    if drivers["link"] == "uart":
        yield "link", data["UARTS"].get("link")


def _pins(data, chip):
    power = data.get("POWER", {})
    if data["DRIVERS"]["power"] == "adc":
        yield "power", power["pin"], "adc"
    elif data["DRIVERS"]["power"] != "none" and "sda" in power:
        yield "power sda", power["sda"], "out"
        yield "power scl", power["scl"], "out"
    if data["DRIVERS"]["light"] == "led":
        for pin in data["LIGHT"]["pins"]:
            yield "light", pin, "out"
    for name, wiring in _named(data):
        pair = _pair(wiring, chip) if wiring else None
        if pair:
            yield f"{name} tx", pair[0], "out"
            yield f"{name} rx", pair[1], "in"


def _pair(wiring, chip):
    """(tx, rx) of a UART; None where its pins cannot be told."""
    if chip.fixed:
        return chip.uarts[wiring["id"]][0] if wiring.get("id") in chip.uarts else None
    return (wiring["tx"], wiring["rx"]) if "tx" in wiring and "rx" in wiring else None


def _uarts(data, chip):
    ids = {}
    for name, wiring in _named(data):
        if not wiring or wiring.get("id") not in chip.uart_ids:
            yield "bad_uart", {"what": name, "id": wiring and wiring.get("id"), "ids": _listed(chip.uart_ids)}
            continue
        if wiring["id"] in ids:
            yield "pin_twice", {"pin": f"UART {wiring['id']}", "first": ids[wiring["id"]], "second": name}
        ids[wiring["id"]] = name
        pair = _pair(wiring, chip)
        fits = chip.uarts and chip.uarts[wiring["id"]]
        if pair is None or (fits and pair not in fits):
            pairs = ", ".join("%s/%s" % one for one in fits or ())
            yield (
                "uart_pins",
                {"what": name, "id": wiring["id"], "tx": wiring.get("tx"), "rx": wiring.get("rx"), "pairs": pairs},
            )


def _divider(power):
    """(upper, lower) ohms between the supply, the pin and ground."""
    try:
        upper, lower = power["divider"]
        good = all(type(ohms) is int for ohms in (upper, lower)) and upper >= 0 and lower > 0
    except (KeyError, TypeError, ValueError):
        good = False
    if not good:
        return [("bad_divider", {"divider": power.get("divider")})]
    highest = power["high_mv"]
    pin = highest * lower // (upper + lower)
    numbers = {"supply": highest, "pin": pin, "most": power["adc_mv"]}
    if pin > power["adc_mv"]:
        return [("divider_burns", numbers)]
    return [("divider_blind", numbers)] if pin * _ADC_LEAST < power["adc_mv"] else []


def _regions(data):
    sizes = 0
    for name in ("FLASH", "POLICY_FLASH"):
        flash = data.get(name)
        if flash is None:
            continue
        sizes += flash["size"]
        if (
            flash["size"] <= 0
            or flash["sector"] <= 0
            or flash["size"] % flash["sector"]
            or flash["sector"] % flash["unit"]
        ):
            yield "bad_region", {"region": name, **flash}
            return
    if data["DRIVERS"].get("flash") == "region":
        place = data.get("REGION", {})
        start, device = place.get("start"), place.get("device")
        if start is None:
            if "label" not in place:
                yield "region_nowhere", {}
        elif start <= 0 or start % data["FLASH"]["sector"] or start + sizes > (device or start + sizes):
            yield "region_outside", {"start": start, "size": sizes, "device": device}


def _listed(pins):
    return ", ".join(str(pin) for pin in sorted(pins, key=lambda pin: (len(str(pin)), str(pin))))
