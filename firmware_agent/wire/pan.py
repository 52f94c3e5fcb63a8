"""What a full card number (PAN) looks like, so that none is ever stored, logged or sent."""


def looks_like_pan(text):
    """True if `text` holds 13 to 19 digits whose Luhn sum (ISO/IEC 7812-1) is right: in one piece anywhere, or as people
    group them (4111 1111 1111 1111, 3782-822463-10005), where no letter may touch them: a UUID is no card."""
    groups = [b""]
    after_letter = False
    for byte in text.encode() + b".":
        if 48 <= byte <= 57:
            groups[-1] += bytes((byte,))
        elif byte == 32 or byte == 45:
            if groups[-1]:
                groups.append(b"")
            elif len(groups) == 1:
                after_letter = False
        else:
            letter = 97 <= byte | 32 <= 122
            for first in range(len(groups)):
                run = groups[first]
                at = first
                while True:
                    if 13 <= len(run) <= 19 and _luhn(run):
                        return True
                    alone = (at == 0 and after_letter) or not 3 <= len(groups[at]) <= 6
                    at += 1
                    if alone or at == len(groups) or len(groups[at]) > 9:
                        break
                    if letter and at == len(groups) - 1:
                        break
                    run += groups[at]
            groups = [b""]
            after_letter = letter
    return False


def _luhn(run):
    total = 0
    for index in range(len(run)):
        value = run[len(run) - 1 - index] - 48
        if index & 1:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return total % 10 == 0
