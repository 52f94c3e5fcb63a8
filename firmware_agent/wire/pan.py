"""What a full card number (PAN) looks like, so that none is ever stored, logged or sent."""


def luhn(digits):
    """True if the Luhn sum (ISO/IEC 7812-1) of a string of digits is right."""
    total = 0
    for index in range(len(digits)):
        value = ord(digits[len(digits) - 1 - index]) - 48
        if index & 1:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return total % 10 == 0


def looks_like_pan(text):
    """True if `text` holds 13 to 19 digits in a row (blanks and dashes between them count for nothing) with a right
    Luhn sum."""
    digits = ""
    for char in text + ".":
        if "0" <= char <= "9":
            digits += char
        elif char not in " -":
            if 13 <= len(digits) <= 19 and luhn(digits):
                return True
            digits = ""
    return False
