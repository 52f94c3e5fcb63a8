"""What must be right before anything is written: the board's data, its firmware, and where its journal would lie."""

from boards import checked

from .failures import REFUSED, WRONG_USAGE, Failure

OLDEST = [1, 27]  # of the firmware: what the agent is tested with


class BadBoard(Failure):
    """A board's data cannot be. Fields: board, and what the text needs."""

    key, exit_status = "deploy_bad_data", WRONG_USAGE


class Unfit(Failure):
    """The firmware that was found does not do. Fields: as the text needs."""

    exit_status = REFUSED


def data(name, board):
    """Looks at {name: value} of a board's module. BadBoard: something in it cannot be."""
    for key, fields in checked.faults(board):
        raise BadBoard("deploy_" + key, board=name, **{field: str(value) for field, value in fields.items()})


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


def region(about, board, partition):
    """Unfit: the journal would lie where the file system is, or nowhere. `partition(label)`: bytes of a partition, None if
    there is none of that name."""
    if board["DRIVERS"]["flash"] != "region":
        return
    place = board["REGION"]
    wanted = board["FLASH"]["size"] + board["POLICY_FLASH"]["size"]
    if "label" in place:
        found = partition(place["label"])
        if found is None or found < wanted:
            raise Unfit("deploy_no_partition", label=place["label"], wanted=wanted)
    elif about.size > place["start"]:
        raise Unfit("deploy_overlap", start=place["start"], size=about.size)
