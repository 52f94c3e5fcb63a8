"""What must be right before anything is written: the board's data, its firmware, and where its journal would lie."""

from .failures import REFUSED, WRONG_USAGE, Failure

OLDEST = [1, 27]  # of the firmware: what the agent is tested with
ADC_MV = 3300  # what a pin may have at most, and what the converter tells apart
_FILES = ("sim", "none", "file")  # drivers of flash that need no region of their own


class BadBoard(Failure):
    """A board's data cannot be. Fields: board, and what the text needs."""

    key, exit_status = "deploy_bad_data", WRONG_USAGE


class Unfit(Failure):
    """The firmware that was found does not do. Fields: as the text needs."""

    exit_status = REFUSED


def data(name, board):
    """Looks at {name: value} of a board's module. BadBoard: what it says cannot be."""
    power = {**board.get("SETTINGS", {}).get("power", {}), **board.get("POWER", {})}
    if "divider" in power:
        _divider(name, power)
    for region in ("FLASH", "POLICY_FLASH"):
        flash = board.get(region)
        if flash and (flash["size"] <= 0 or flash["size"] % flash["sector"] or flash["sector"] % flash["unit"]):
            raise BadBoard("deploy_bad_region", board=name, region=region, **flash)


def _divider(name, power):
    """(upper, lower) ohms between the supply, the pin and ground."""
    try:
        upper, lower = power["divider"]
        good = isinstance(upper, int) and isinstance(lower, int) and upper >= 0 and lower > 0
    except (TypeError, ValueError):
        good = False
    if not good:
        raise BadBoard("deploy_bad_divider", board=name, divider=str(power["divider"]))
    highest = power.get("high_mv", 0)
    at_pin = highest * lower // (upper + lower)
    if at_pin > power.get("adc_mv", ADC_MV):
        raise BadBoard("deploy_divider_burns", board=name, supply=highest, pin=at_pin, most=ADC_MV)
    if at_pin < ADC_MV // 20:  # a twentieth of its range tells nothing apart
        raise BadBoard("deploy_divider_blind", board=name, supply=highest, pin=at_pin)


def firmware(about, board, files):
    """Unfit: no MicroPython, too old a one, of another kind of board, or one that takes other .mpy files."""
    if about.name != "micropython":
        raise Unfit("deploy_not_micropython", name=about.name)
    if about.version < OLDEST:
        raise Unfit("deploy_old_firmware", version=about.firmware, oldest=".".join(map(str, OLDEST)))
    if board.get("PLATFORM", about.platform) != about.platform:
        raise Unfit("deploy_other_board", board=board["NAME"], platform=board["PLATFORM"], found=about.platform)
    made = next(data[1] for name, data in sorted(files.items()) if name.endswith(".mpy"))
    if about.mpy != made:
        raise Unfit("deploy_other_mpy", made=made, found="-" if about.mpy is None else about.mpy)
    if not about.hashes:
        raise Unfit("deploy_no_hashes")


def region(about, board, device):
    """Unfit: the journal would lie where the file system is. `device`: bytes of the flash with both, None if unknown."""
    if board["DRIVERS"]["flash"] in _FILES or device is None:
        return
    wanted = board["FLASH"]["size"] + board["POLICY_FLASH"]["size"]
    if about.size + wanted > device:
        raise Unfit("deploy_overlap", wanted=wanted, behind=max(device - about.size, 0), size=about.size)
