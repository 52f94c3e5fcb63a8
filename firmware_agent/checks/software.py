"""Causes 7 to 9: the terminal's software is bad, too old, or just being changed; the agent keeps crashing."""

from ..case import FINE, lacks
from ..wire.messages import BLOCK, HOLD


def parts(version):
    """A version as a list of its numbers: 2.9 is before 2.14. None if it has none."""
    numbers = []
    number = None
    for char in version.encode() + b".":
        if 48 <= char <= 57:  # a digit
            number = (number or 0) * 10 + char - 48
        elif number is not None:
            numbers.append(number)
            number = None
    while numbers and numbers[-1] == 0:
        numbers.pop()  # 2.0 is 2
    return numbers or None


def software_defect(case):
    crashes = case.seen("crashes")
    most = case.rule("max_crashes")
    bad = case.rule("bad_versions")
    version = case.seen("terminal_version")
    if crashes is not None and most is not None and crashes > most:
        return BLOCK, {"crashes": crashes, "limit": most}
    if version is None or bad is None:
        return lacks("policy: bad_versions" if bad is None else "terminal_version")
    have = parts(version)
    for one in bad:
        if one == version or (have and parts(one) == have):
            return BLOCK, {"terminal_version": version}
    if most is not None and crashes is None:
        return lacks("crashes")
    return FINE


def software_outdated(case):
    minimum = case.rule("minimum_version")
    least = minimum and parts(minimum)
    if not least:
        return lacks("policy: minimum_version")
    version = case.seen("terminal_version")
    have = version and parts(version)
    if not have:
        return lacks("terminal_version", {"minimum_version": minimum})
    return FINE if have >= least else (BLOCK, {"terminal_version": version, "minimum_version": minimum})


def update_running(case):
    return case.coded(9, HOLD)


CHECKS = ((7, software_defect), (8, software_outdated), (9, update_running))
ASKED = ()
