"""Cause 8: the terminal's software is below the minimum version."""

from ..wire.messages import BLOCK, PASS, UNKNOWN


def parts(version):
    """A version as a list of its numbers: 2.9 is before 2.14. None if it has none."""
    numbers = []
    digits = ""
    for char in version + ".":
        if "0" <= char <= "9":
            digits += char
        elif digits:
            numbers.append(int(digits))
            digits = ""
    while numbers and numbers[-1] == 0:
        numbers.pop()  # 2.0 is 2
    return numbers or None


def software_outdated(case):
    minimum = case.policy.minimum_version
    least = minimum and parts(minimum)
    if not least:
        return UNKNOWN, {"missing": "policy: minimum_version"}
    version = case.snapshot.get("terminal_version")
    have = version and parts(version)
    if not have:
        return UNKNOWN, {"missing": "terminal_version", "minimum_version": minimum}
    evidence = {"terminal_version": version, "minimum_version": minimum}
    return PASS if have >= least else BLOCK, evidence


CHECKS = ((8, software_outdated),)
