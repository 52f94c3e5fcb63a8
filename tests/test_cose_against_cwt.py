"""Envelopes made by `cwt` are verified, and an envelope with a single bit turned over never is."""

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cwt import COSE, COSEKey

from firmware_agent.wire import cose
from firmware_agent.wire.errors import WireError

KID = b"policies-2026"
PAYLOAD = cbor2.dumps({number: f"rule number {number}" for number in range(14)})


@pytest.fixture(scope="module")
def private():
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture(scope="module")
def keys(private):
    numbers = private.public_key().public_numbers()
    return {KID: numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")}


@pytest.fixture(scope="module")
def signer(private):
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return COSEKey.from_pem(pem, alg="ES256", kid=KID)


def verified(data, keys):
    return cose.verified(lambda address, size: data[address : address + size], len(data), keys)


def refusal(data, keys):
    """The name of the error; "" if the envelope is believed."""
    try:
        verified(data, keys)
    except WireError as error:
        return error.name
    return ""


# How each envelope is made: what COSE.new takes, and what encode takes.
ENVELOPES = {
    "kid unprotected": ({"alg_auto_inclusion": True, "kid_auto_inclusion": True}, {}),
    "kid unprotected, given": ({}, {"protected": {1: -7}, "unprotected": {4: KID}}),
    "kid protected": ({}, {"protected": {1: -7, 4: KID}}),
    "kid protected, by names": ({}, {"protected": {"alg": "ES256", "kid": KID}}),
    "kid protected, put in order": (
        {"alg_auto_inclusion": True, "deterministic_header": True},
        {"protected": {4: KID}},
    ),
}


@pytest.mark.parametrize("name", ENVELOPES)
@pytest.mark.parametrize("payload", [b"", b"x", PAYLOAD, bytes(100_000)], ids=len)
def test_an_envelope_made_by_cwt_is_verified(name, payload, signer, keys):
    made, given = ENVELOPES[name]
    data = COSE.new(**made).encode(payload, signer, **given)
    kid, address, size = verified(data, keys)
    assert kid == KID and data[address : address + size] == payload
    assert refusal(data, {KID: keys[KID][::-1]}) == "bad_signature"


def test_what_cwt_signs_otherwise_is_refused(signer, keys):
    def made(*args, **given):
        return refusal(COSE.new().encode(PAYLOAD, signer, *args, **given), keys)

    assert made(protected={1: -7}, unprotected={4: KID}) == ""
    assert made(protected={1: -7, 4: KID}, external_aad=b"something we do not know of") == "bad_signature"
    assert made(protected={1: -7}) == "bad_signature"  # whose, it does not say
    assert made(protected={1: -7}, unprotected={4: b"another"}) == "bad_signature"
    assert made(protected={1: -7, 3: 60, 4: KID}) == "bad_message"
    assert made(protected={4: KID, 1: -7}) == "bad_message"  # not in order


@pytest.mark.parametrize("where", ["unprotected", "protected"])
def test_every_single_bit_turned_over_is_refused(where, signer, keys, record_count):
    given = (
        {"protected": {1: -7}, "unprotected": {4: KID}} if where == "unprotected" else {"protected": {1: -7, 4: KID}}
    )
    data = COSE.new().encode(PAYLOAD, signer, **given)
    assert refusal(data, keys) == ""
    believed = 0
    for bit in range(len(data) * 8):
        turned = bytearray(data)
        turned[bit >> 3] ^= 1 << (bit & 7)
        believed += refusal(bytes(turned), keys) == ""
    record_count(f"single bits of a signed policy turned over, kid {where}", f"{len(data) * 8:,}, {believed} accepted")
    assert believed == 0
