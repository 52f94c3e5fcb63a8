"""What Linux tells in small files under /sys and /proc."""


def read(path):
    """The text of one, without blanks around it; "" if there is none, or none to be had."""
    try:
        with open(path) as file:
            return file.read().strip()
    except (OSError, UnicodeError):  # EINVAL of an interface that is down, too
        return ""


def number(path):
    """The whole number in one; None if there is none, or none that a sensor could mean."""
    text = read(path)
    digits = text[1:] if text[:1] == "-" else text
    # eighteen digits are more than 64 bits of any unit hold; more would take a float or int() itself beyond its bounds
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) < 19 else None
