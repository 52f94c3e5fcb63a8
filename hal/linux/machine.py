"""Watchdog port of a Linux host that has none: it knows whether the machine started since the agent did last."""


class Watchdog:
    """`state`: directory that remembers the machine's last start. `root`: where proc is, for tests."""

    def __init__(self, state, root=""):
        self._state = state
        self._root = root

    def feed(self):
        pass

    def reset_reason(self):
        return "power_on" if started(self._state, self._root) else None


def started(state, root=""):
    """True once for each start of the machine: an agent that starts a second time did not start for it."""
    boot = read(root + "/proc/sys/kernel/random/boot_id")
    told = state + "/machine-start"
    if not boot or read(told) == boot:
        return False
    with open(told, "w") as file:
        file.write(boot + "\n")
    return True


def read(path):
    """The text of a small file; "" if there is none."""
    try:
        with open(path) as file:
            return file.read().strip()
    except (OSError, UnicodeError):
        return ""
