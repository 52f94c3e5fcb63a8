"""ES256 signatures verified: ECDSA over P-256 with SHA-256 (FIPS 186-5, section 6.4.2; SEC 1, 4.1.4).

Only verification, so only public data: key, digest and signature are no secrets, and the time taken may depend on them.
Plain integers, because MicroPython has no elliptic curves. Its pow(x, -1, n) answers 0: the inverse is x to the n - 2.
"""

from .steps import finished

_P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF  # the field; the curve is y² = x³ - 3x + b
_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # the order of the base point, a prime
_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
_X = 0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296  # the base point
_Y = 0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5


def verify(key, digest, signature):
    """Whether `signature`, r and s of 32 bytes each, is one of `digest`, 32 bytes of SHA-256, by the owner of `key`: x and y
    of 32 bytes each, with or without the 04 of SEC 1 before them. False for anything else, whatever its bytes. The twin
    (r, n - s) of a signature is one as well, as ECDSA has it: a signature identifies nothing."""
    return finished(verifying(key, digest, signature))


def verifying(key, digest, signature):
    """As `verify`, in steps (steps.py): a board takes seconds."""
    if len(key) == 65 and key[0] == 4:
        key = key[1:]
    if len(key) != 64 or len(digest) != 32 or len(signature) != 64:
        return False
    x, y = _pair(key)
    r, s = _pair(signature)
    if x >= _P or y >= _P or (x * x * x - 3 * x + _B - y * y) % _P or not 0 < r < _N or not 0 < s < _N:
        return False
    w = pow(s, _N - 2, _N)
    terms = ((int.from_bytes(digest, "big") * w % _N, _X, _Y), (r * w % _N, x, y))
    # both products at once, from the highest bit, in Jacobian coordinates: the point is (x / z², y / z³), none where z is 0
    point = 1, 1, 0
    for bit in range(255, -1, -1):
        if bit % 8 == 7:
            yield
        point = _double(*point)
        for factor, x, y in terms:
            if factor >> bit & 1:
                point = _add(x, y, *point)
    x, _, z = point
    z = z * z % _P
    # x of the point modulo n must be r. x is below p, so it is r or, seldom, r + n: compared without dividing by z²
    return z > 0 and ((r * z - x) % _P == 0 or (r + _N < _P and ((r + _N) * z - x) % _P == 0))


def _pair(data):
    return int.from_bytes(data[:32], "big"), int.from_bytes(data[32:], "big")


def _double(x, y, z):
    """dbl-2001-b of the Explicit-Formulas Database."""
    zz = z * z % _P
    yy = y * y % _P
    xyy = 4 * x * yy % _P
    slope = 3 * (x - zz) * (x + zz) % _P
    x = (slope * slope - 2 * xyy) % _P
    return x, (slope * (xyy - x) - 8 * yy * yy) % _P, 2 * y * z % _P


def _add(x2, y2, x, y, z):
    """The point (x, y, z) and another one with z = 1; the same point twice, its negative and none included."""
    if not z:
        return x2, y2, 1
    zz = z * z % _P
    h = (x2 * zz - x) % _P
    r = (y2 * z * zz - y) % _P
    if not h:
        return (1, 1, 0) if r else _double(x, y, z)
    hh = h * h % _P
    hhh = h * hh % _P
    x = x * hh % _P
    sum_x = (r * r - hhh - 2 * x) % _P
    return sum_x, (r * (x - sum_x) - y * hhh) % _P, z * h % _P
