"""Card numbers in what is shown: struck out but for the last four digits, whatever field they came in."""

import re

_SHORTEST, _LONGEST = 12, 19  # digits, ISO/IEC 7812
_USUAL = 13  # digits that cards have at least, but for a few
_ENDLESS = 200  # digits: no text has so many in a row
_RUN = re.compile(r"[0-9]+")
_BETWEEN = (" ", "-")  # people group the digits so


def text(shown):
    """`shown` with every run of 12 to 19 digits whose Luhn sum is right struck out, in one piece or in groups."""
    runs = [(found.start(), found.end()) for found in _RUN.finditer(shown)]
    signs = list(shown)
    for first, (begin, end) in enumerate(runs):
        if end - begin > _LONGEST:
            _windows(shown, begin, end, signs)
            continue
        last = first
        while True:
            places = [at for at in range(begin, runs[last][1]) if shown[at].isdigit()]
            if len(places) > _LONGEST:
                break
            if len(places) >= _SHORTEST and luhn("".join(shown[at] for at in places)):
                _strike(signs, places)
            if last + 1 == len(runs) or shown[runs[last][1] : runs[last + 1][0]] not in _BETWEEN:
                break
            last += 1
    return "".join(signs)


def data(value):
    """True if bytes hold a card number: as text, or as packed decimals, with whatever decimals around them."""
    plain, packed = value.decode("latin-1"), value.hex()
    if text(plain) != plain or text(packed) != packed:
        return True
    signs = list(packed)
    for found in _RUN.finditer(packed):
        _windows(packed, found.start(), found.end(), signs, _USUAL)
    return signs != list(packed)


def document(value):
    """A document with every text in it struck out so, and a number that is one left out."""
    if isinstance(value, dict):
        return {key: document(item) for key, item in value.items()}
    if isinstance(value, list):
        return [document(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return None if text(str(value)) != str(value) else value
    return text(value) if isinstance(value, str) else value


def luhn(digits):
    """True if the sum of ISO/IEC 7812-1 is right."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        number = int(digit) * (1 + place % 2)
        total += number - 9 if number > 9 else number
    return total % 10 == 0


def _windows(shown, begin, end, signs, shortest=_SHORTEST):
    """In more digits than a card has: wherever one may begin, which is never with a 0; all of them where they have no end."""
    if end - begin > _ENDLESS:
        _strike(signs, range(begin, end))
        return
    for start in range(begin, end - shortest + 1):
        for size in range(shortest, min(_LONGEST, end - start) + 1):
            if shown[start] != "0" and luhn(shown[start : start + size]):
                _strike(signs, range(start, start + size))


def _strike(signs, places):
    for at in list(places)[:-4]:
        signs[at] = "*"
