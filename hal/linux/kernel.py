"""What Linux tells in small files under /sys and /proc."""


def read(path):
    """The text of one, without blanks around it; "" if there is none, or none to be had."""
    try:
        with open(path) as file:
            return file.read().strip()
    except (OSError, UnicodeError):  # EINVAL of an interface that is down, too
        return ""
