"""What a full card number (PAN) looks like, so that none is ever stored, logged or sent."""


def looks_like_pan(text):
    """True if `text` holds 13 to 19 digits in a row (blanks and dashes between them count for nothing) whose Luhn sum
    (ISO/IEC 7812-1) is right."""
    run = b""
    for byte in text.encode() + b".":
        if 48 <= byte <= 57:
            run += bytes((byte,))
        elif byte != 32 and byte != 45:
            if 13 <= len(run) <= 19:
                total = 0
                for index in range(len(run)):
                    value = run[len(run) - 1 - index] - 48
                    if index & 1:
                        value = value * 2 - 9 if value > 4 else value * 2
                    total += value
                if total % 10 == 0:
                    return True
            run = b""
    return False
