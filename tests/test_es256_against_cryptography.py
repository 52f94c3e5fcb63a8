"""ES256: our verification and that of `cryptography` (OpenSSL) agree, about true signatures and about altered ones."""

import os
import random
import subprocess
import sys
import time

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256

from boards.compiled import compile_to
from firmware_agent.wire.es256 import verify
from tests.device.test_es256 import BAD, GOOD, N, P
from tests.running import micropython_here

_KEYS = 200
_HEAP = "32k"  # all that MicroPython has for itself, es256 and one verification


def word(value):
    return value.to_bytes(32, "big")


def public(key):
    numbers = key.public_key().public_numbers()
    return word(numbers.x) + word(numbers.y)


def sign(key, digest):
    r, s = utils.decode_dss_signature(key.sign(digest, ec.ECDSA(utils.Prehashed(SHA256()))))
    return word(r) + word(s)


def theirs(key, digest, signature):
    """What `cryptography` says to the bytes that `verify` takes."""
    r, s = (int.from_bytes(part, "big") for part in (signature[:32], signature[32:]))
    try:
        point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + key)
        point.verify(utils.encode_dss_signature(r, s), digest, ec.ECDSA(utils.Prehashed(SHA256())))
    except (InvalidSignature, ValueError):  # ValueError: the key is no point of the curve
        return False
    return True


@pytest.fixture
def chance():
    seed = int(os.environ.get("SEED") or time.time())
    print(f"replay with SEED={seed}")
    return random.Random(seed)


def some_key(chance):
    return ec.derive_private_key(chance.randrange(1, N), ec.SECP256R1())


@pytest.mark.parametrize(("vectors", "accepted"), [(GOOD, True), (BAD, False)])
def test_the_vectors_of_the_device_tests_are_right(vectors, accepted):
    for name, *texts in vectors:
        x, y, digest, r, s = map(bytes.fromhex, texts)
        assert theirs(x + y, digest, r + s) is accepted, name


def altered(chance, number):
    """Another number of 256 bits, near or far."""
    return chance.choice(
        [
            number ^ 1 << chance.randrange(256),
            (number + chance.choice([1, -1, N, -N, P, -P, N - P])) % 2**256,
            (N - number) % 2**256,
            (P - number) % 2**256,
            chance.choice([0, 1, 2, N - 1, N, N + 1, P - 1, P, P + 1, 2**256 - 1]),
            chance.randrange(2**256),
        ]
    )


def test_random_keys_and_messages_and_what_was_altered_in_them(chance, record_count):
    accepted = refused = 0
    for _ in range(_KEYS):
        key = some_key(chance)
        digest = chance.randbytes(32)
        signature = sign(key, digest)
        true = [public(key)[:32], public(key)[32:], digest, signature[:32], signature[32:]]
        assert verify(public(key), digest, signature) is True
        assert verify(b"\x04" + public(key), digest, signature) is True
        for place in range(5):
            parts = list(true)
            parts[place] = word(altered(chance, int.from_bytes(parts[place], "big")))
            x, y, digest_, r, s = parts
            said = verify(x + y, digest_, r + s)
            assert said is theirs(x + y, digest_, r + s), [part.hex() for part in parts]
            accepted += said
            refused += not said
    assert accepted < refused  # accepted are the twins with n - s, and what was altered by nothing
    record_count(
        "ES256: random keys, and altered keys, digests and signatures",
        f"{_KEYS} and {accepted + refused:,}, judged as OpenSSL does",
    )


# Run by MicroPython: the time of one verification in microseconds, and what it said.
_MEASURE = """
import gc, time
from wire_es256 import verify
key, digest, signature = {!r}, {!r}, {!r}
gc.collect()
start = time.ticks_us()
said = [verify(key, digest, signature) for _ in range(10)]
print(time.ticks_diff(time.ticks_us(), start) // 10, said == [True] * 10, verify(key, signature[:32], signature))
"""


@pytest.mark.skipif(not micropython_here(), reason="there is no MicroPython wheel for this machine")
def test_a_verification_needs_little_heap_on_micropython(tmp_path, chance, record_count):
    compile_to(tmp_path, ["firmware_agent/wire/es256.py", "firmware_agent/wire/steps.py"])
    key, digest = some_key(chance), chance.randbytes(32)
    start = "import sys; from micropython_unix import main; sys.exit(main())"
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            start,
            "-X",
            f"heapsize={_HEAP}",
            "-c",
            _MEASURE.format(public(key), digest, sign(key, digest)),
        ],
        cwd=tmp_path,
        env={**os.environ, "MICROPYPATH": ":.frozen"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    micros, said, other = done.stdout.split()
    assert (said, other) == ("True", "False")
    record_count("one ES256 verification under MicroPython", f"{int(micros) / 1000:.1f} ms, in {_HEAP} of heap")
