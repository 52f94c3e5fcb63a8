"""Causes 1 to 3, 6, 10 to 13 and 17: the terminal, its parts, its cable, its age, what a person saw of it.

Bits of TLV 1F55 (terminal_locks): PA00P015, as wire facts have them; 1 << 3 out of order, 4 service, 13 card still inserted.
"""

from ..case import FINE, lacks
from ..wire.messages import BLOCK, HOLD, UNKNOWN, WARN

_FAULT = 1 << 3 | 1 << 4 | 1 << 13
_PART = 1 << 8 | 1 << 9 | 1 << 14  # MDB, contactless reader, reader not found
_MODULE = 1 << 0
_PRINTER = 1 << 2
_DIAGNOSIS = 1 << 5
_FEW = 3  # damaged frames: fewer say nothing of a cable


def terminal_fault(case):
    if case.silent:
        evidence = {"terminal_silent": case.seen("terminal_silent") or 0}
        age = case.snapshot.age_ms("terminal_code")
        if age is not None:
            evidence["age_ms"] = age
        return lacks("terminal", evidence)
    code = case.codes.get(0)
    if code:  # in no table: nobody knows what it means
        return lacks("terminal", {"host_code" if isinstance(code, str) else "result_code": code})
    return case.locked(1, _FAULT, BLOCK)


def link_errors(case):
    if case.codes.get(2):
        return case.coded(2, HOLD)
    frames = case.fact("line_frames")
    if frames is None:
        return lacks("terminal_line")
    errors = case.fact("line_errors") or 0
    limit = case.rule("max_line_errors")
    if errors >= _FEW and errors * 100 > frames * limit:
        return HOLD, {"line_frames": frames, "line_errors": errors, "limit": limit}
    return FINE


def device_ageing(case):
    rule = case.rule
    evidence = {}
    missing = None
    worn = False
    for name, limit, falls in (
        ("reboots", "max_reboots", 0),
        ("wear_percent", "max_wear_percent", 0),
        ("supply_drift_mv", "max_supply_drift_mv", 0),
        ("battery_percent", "min_battery", 1),
    ):
        most = rule(limit)
        if most is None:
            continue
        value = case.seen(name)
        if value is None:
            missing = missing or name
            continue
        evidence[name] = value
        if value < most if falls else value > most:
            worn = True
            evidence["limit"] = most
    days = rule("max_age_days")
    installed = rule("installed")
    if days is not None:
        if installed is None or case.wall_s is None:
            missing = missing or ("policy: installed" if installed is None else "clock")
        elif case.wall_s - installed > days * 86400:
            worn = True
            evidence["at"] = installed
            evidence["limit"] = days
    if worn:
        return WARN, evidence
    if missing or (days is None and not evidence):
        return lacks(missing or "policy: max_age_days", evidence)
    return FINE


def temperature(case):
    degrees = case.fact("temperature_c")
    if degrees is None:
        return lacks("temperature")
    low, high = case.rule("min_temperature"), case.rule("max_temperature")
    if low <= degrees <= high:
        return FINE
    return HOLD, {"temperature_c": degrees, "limit": low if degrees < low else high}


def part_defective(case):
    return case.locked(10, _PART, BLOCK)


def visible_damage(case):
    damage = case.attested("damage")
    for told in (damage, case.attested("noise")):
        if told and not told[3]:  # until somebody says it is mended
            return HOLD, {"at": told[4], "person": told[5]}
    return FINE if case.within(damage, case.rule("damage_days")) else lacks("attest: damage")


def tampered(case):
    state = case.fact("terminal_state")
    if state in (2, 3):
        return BLOCK, {"terminal_state": state}
    found = case.locked(12, _MODULE, BLOCK)
    if found == FINE and state is None:  # no code speaks of it
        return lacks("terminal_state")
    return found


def restart_not_tried(case):
    fault = case.seen("terminal_fault_s")
    found, evidence = case.locked(13, _DIAGNOSIS, WARN)
    if found == UNKNOWN:
        return lacks("terminal")
    # a restart while a refund is in doubt takes away what could be asked
    if case.history.open or not (fault or found == WARN):
        return FINE
    evidence = evidence or {}
    evidence["terminal_fault_s"] = fault
    evidence["in_doubt"] = 0
    return WARN, evidence


def printer_not_ready(case):
    found, evidence = case.locked(17, _PRINTER, HOLD)
    if found == HOLD and case.rule("receipt_due") is False:
        found = WARN
    return found, evidence


CHECKS = (
    (1, terminal_fault),
    (2, link_errors),
    (3, device_ageing),
    (6, temperature),
    (10, part_defective),
    (11, visible_damage),
    (12, tampered),
    (13, restart_not_tried),
    (17, printer_not_ready),
)
ASKED = ()
