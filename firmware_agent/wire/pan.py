"""What a full card number (PAN) looks like, so that none is ever stored, logged or sent."""


def looks_like_pan(text):
    """True if `text` holds 13 to 19 digits in a row, in one piece or in groups (4111 1111 …, 4111-1111-…), whose Luhn sum
    (ISO/IEC 7812-1) is right."""
    groups = [b""]
    for byte in text.encode() + b".":
        if 48 <= byte <= 57:
            groups[-1] += bytes((byte,))
        elif byte == 32 or byte == 45:
            groups.append(b"")
        else:
            for first in range(len(groups)):
                run = b""
                for group in groups[first:]:
                    run += group
                    if 13 <= len(run) <= 19 and _luhn(run):
                        return True
            groups = [b""]
    return False


def _luhn(run):
    total = 0
    for index in range(len(run)):
        value = run[len(run) - 1 - index] - 48
        if index & 1:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return total % 10 == 0
