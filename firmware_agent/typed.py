"""The line that a person types: what it comes to, and what the terminal program must be sent so that it shows that. Loaded
while somebody types, and let go.
"""

_KEYS = bytes(range(32, 127)) + b"\b\x7f\x15"  # what a person types; backspace, delete, Ctrl-U clears the line
_LONGEST = 80  # characters of a line: the longest command has 45
_DIGITS = 10  # of a number that are shown


def typed(line, shown):
    """(text, what is shown of it, what to send for that), each bytes; `line`: the bytes that came, `shown`: what is shown
    now. None: nobody types so."""
    if line.strip(_KEYS):
        return None
    parts = line.rpartition(b"\x15")[2].replace(b"\x7f", b"\b").split(b"\b")
    text = parts[0]
    for part in parts[1:]:
        text = text[:-1] + part
    if len(text) > _LONGEST:
        return None
    wanted = _masked(text) if len(text) > _DIGITS else text
    kept = min(len(wanted), len(shown))
    while wanted[:kept] != shown[:kept]:
        kept -= 1
    return text, wanted, b"\b \b" * (len(shown) - kept) + wanted[kept:]


def _masked(text):
    """A full card number is never sent, not even to whoever typed it: of a long number the first digits alone."""
    masked = b""
    digits = 0
    for at in range(len(text)):
        one = text[at : at + 1]
        if one.isdigit():
            digits += 1
            if digits > _DIGITS:
                one = b"*"
        elif one != b" " and one != b"-":
            digits = 0
        masked += one
    return masked
