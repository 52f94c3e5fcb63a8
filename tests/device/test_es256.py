"""ES256: known signatures are verified, on both runtimes alike, and whatever is no signature is refused without an exception.

Besides those published, vectors were made for the corners of the arithmetic, and each was laid before OpenSSL as well: it
accepts what is GOOD here and refuses what is BAD.
"""

from firmware_agent.wire.es256 import verify

from .chance import Chance

# The field and the order of the curve, FIPS 186-5 and SP 800-186.
P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

# what it is; x and y of the key; digest; r and s
GOOD = (
    (
        'RFC 6979, A.2.5: "sample"',
        "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6",
        "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
        "af2bdbe1aa9b6ec1e2ade1d694f41fc71a831d0268e9891562113d8a62add1bf",
        "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716",
        "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
    ),
    (
        'RFC 6979, A.2.5: "test"',
        "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6",
        "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367",
        "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083",
    ),
    (
        "NIST CAVP 186-4, SigGen, the first of P-256 with SHA-256",
        "1ccbe91c075fc7f4f033bfa248db8fccd3565de94bbfb12f3c59ff46c271bf83",
        "ce4014c68811f9a21a1fdb2c0e6113e06db7ca93b7404e78dc7ccd5ca89a4ca9",
        "44acf6b7e36c1342c2c5897204fe09504e1e2efb1a900377dbc4e7a6a133ec56",
        "f3ac8061b514795b8843e3d6629527ed2afd6b1f6a555a7acabb5e6f79c8c2ac",
        "8bf77819ca05a6b2786c76262bf7371cef97b218e96f175a3ccdda2acc058903",
    ),
    (
        "digest 0: nothing of the base point",
        "26abe153a1c57db42a9c2fe307216c832a4bdede50fe230b7917a22f4fb66d74",
        "fad850bbf9e99fa1a0e395432e1116b9ed7979e7448d03ba28d2c7d5e79db29b",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "f738260fcd835c350e081bdea5b3e62c0791a43fff555e50e8a6945ca32b26ab",
        "653133e4225603569526ffc640ccedea903cafc10497497b2ad2afe96babde8c",
    ),
    (
        "digest n, which is 0",
        "26abe153a1c57db42a9c2fe307216c832a4bdede50fe230b7917a22f4fb66d74",
        "fad850bbf9e99fa1a0e395432e1116b9ed7979e7448d03ba28d2c7d5e79db29b",
        "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
        "dbab150eec153b1e4ee944ab84709905501cca2d8e963287878775a6b7eb92cf",
        "bcd8912b4785586da105bc999e09cac5dfe45d85ca9f7ca2bd70b7273271cfbf",
    ),
    (
        "digest n + 1",
        "26abe153a1c57db42a9c2fe307216c832a4bdede50fe230b7917a22f4fb66d74",
        "fad850bbf9e99fa1a0e395432e1116b9ed7979e7448d03ba28d2c7d5e79db29b",
        "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632552",
        "dfd0c24a365dd6c4162ff2655f6a685730950c566497dd4c573db9a6a2f02243",
        "6abab1a019b3a8d68053cea8c87489f0de542b421631db530decc3e0de8e4e9e",
    ),
    (
        "digest of ones",
        "26abe153a1c57db42a9c2fe307216c832a4bdede50fe230b7917a22f4fb66d74",
        "fad850bbf9e99fa1a0e395432e1116b9ed7979e7448d03ba28d2c7d5e79db29b",
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "c3b1383523a3605641c0c6eae416c343e34e41483ae2239e3bdde4c030972042",
        "ec0d559e30744f3a314b052dbb98eb9cfb75016ed3dbb0cd35eeba06d860423d",
    ),
    (
        "the key is the base point",
        "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
        "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
        "2172f0926a4ada7454360bd38ed5b569c9abb30183c5cbebdc0c3e951e74740f",
        "888a58f3fa4fef718f7526b789b401ed6b55b74fb95a35434265d302052b7ae1",
    ),
    (
        "the key is its negative",
        "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
        "b01cbd1c01e58065711814b583f061e9d431cca994cea1313449bf97c840ae0a",
        "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
        "150992a0bc18e16f0fcfc5f0df90ed665160168f1c16e5acef52c2dcc84554bf",
        "2520c3b141bf8931cf365d731e2a1f944d79c2c2b47e9ac9feb51036f6d235b8",
    ),
    (
        "the same, with equal factors",
        "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
        "fc189649b033b3c0c9f528359bb47022ce218818e9c23433c0756e1753c136f7",
        "fc189649b033b3c0c9f528359bb47022ce218818e9c23433c0756e1753c136f7",
        "af78365e34af23da2d15e8ded8d93d9325e676d5642ff340ea53e1fcd447c36a",
    ),
    (
        "key 2G: the same point is added midway",
        "7cf27b188d034f7e8a52380304b51ac3c08969e277f21b35a60b48fc47669978",
        "07775510db8ed040293d9ac69f7430dbba7dade63ce982299e04b79d227873d1",
        "74cae6f1c6962c1f0fcd90c92db85c55e1e8584f152d57d65955adf41c5bae94",
        "7e59bbe0816a67544b6f128442462fe8987f2f813ddc17c0bb1932f341052abf",
        "5b15c9277100d1f78c61c2ed52d3207387896deb6eacad6515e7db44bf24ced9",
    ),
    (
        "key -2G: the sum is no point midway",
        "7cf27b188d034f7e8a52380304b51ac3c08969e277f21b35a60b48fc47669978",
        "f888aaee24712fc0d6c26539608bcf244582521ac3167dd661fb4862dd878c2e",
        "4e41e50541d8e0be7cfda72d454571cab7f6dc84469fdfffa9ad3ffcea572e41",
        "61aac8fc78ff92d408cf483ef2cd3c8d92a3fa19ea41b2c5b33be03b0eb78c79",
        "d165e0accd22daed095007cc480e16c12260b86a9d4faa522a2e755b3cf042f0",
    ),
    (
        "the nonce was 1",
        "26abe153a1c57db42a9c2fe307216c832a4bdede50fe230b7917a22f4fb66d74",
        "fad850bbf9e99fa1a0e395432e1116b9ed7979e7448d03ba28d2c7d5e79db29b",
        "2e7d2c03a9507ae265ecf5b5356885a53393a2029d241394997265a1a25aefc6",
        "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
        "bd81cd3a46fa457077fd03889cf629d3016f941486dbc578b82ed2b2605dc097",
    ),
    (
        "x of the point is n + 3: r is 3",
        "8e66baa2c8088e7216751559fc14460a34193d655d8e03a5a4f75a4fc06e2523",
        "47c8943adc6a5f73f4f480b5aa8610c927f101d650baeb99f32e64547cd3eb89",
        "d74c91a0a5f47e755d1b356d556b3900face4b3cc47e1f873734c617ffe1cf02",
        "0000000000000000000000000000000000000000000000000000000000000003",
        "9c66b7dd37d6ee7dae2cd1560a7016416a44a8758381c0290c61db8a112cf693",
    ),
    (
        "x of the point is p - 3, the largest of the curve",
        "748db327822fac0e2b299185ce21980230a7a2da8c5c1a4853dc6fe0b5f9bdf9",
        "9ea0c3a7d55b9d867f889efd4df6ac5e8e39c6db724b56203d8cb4cc772de141",
        "d74c91a0a5f47e755d1b356d556b3900face4b3cc47e1f873734c617ffe1cf02",
        "000000000000000000000000000000004319055358e8617b0c46353d039cdaab",
        "9c66b7dd37d6ee7dae2cd1560a7016416a44a8758381c0290c61db8a112cf693",
    ),
    (
        "s is 1",
        "26abe153a1c57db42a9c2fe307216c832a4bdede50fe230b7917a22f4fb66d74",
        "fad850bbf9e99fa1a0e395432e1116b9ed7979e7448d03ba28d2c7d5e79db29b",
        "33f830022576f6def53c6774a022e5561500809241626df8f31d25723f146b8b",
        "defec0c0aecb7df3e93623d6686c0f2e654fb1674fe2b0f66a815409f1bf78c2",
        "0000000000000000000000000000000000000000000000000000000000000001",
    ),
    (
        "s is n - 1",
        "26abe153a1c57db42a9c2fe307216c832a4bdede50fe230b7917a22f4fb66d74",
        "fad850bbf9e99fa1a0e395432e1116b9ed7979e7448d03ba28d2c7d5e79db29b",
        "33f830022576f6def53c6774a022e5561500809241626df8f31d25723f146b8b",
        "defec0c0aecb7df3e93623d6686c0f2e654fb1674fe2b0f66a815409f1bf78c2",
        "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550",
    ),
    (
        "x of the key is 0",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4",
        "2b3c62eebefcbc5e2ec981e0267c6a5d22f6955255ac22a7d0322457343941d7",
        "f0d422a574268b60ab41de5eb4f529354f4add07df142de8a4fbd98a266f3fff",
        "964e6decfe8cba735af548765241d60e2c1bdcbb54014de6d22280879d69ce00",
    ),
    (
        "y of the key is 5",
        "d7325d7646cd60d80a92738ceb345f844cffaf35841022cab176f692de8de1d7",
        "0000000000000000000000000000000000000000000000000000000000000005",
        "65a6bacbf0576abf70c18d9e90de578042ed546669462f3152720d0838d9e448",
        "b843e0b12cdd8a7a7b9b02b76e90dea3d124dac52da4b3e616d7ac0df3f1ae18",
        "513f9b1c7c96070f09614977f76c56a963ff89195c3b9eb556beed366140a825",
    ),
)
BAD = (
    (
        "the sum is no point, key is the base point",
        "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
        "166d8f3a05609159fb7937589c28ae646518e0630d0b30784ffb0378797f992d",
        "e99270c4fa9f6ea70486c8a763d7519b57ce1a4a9a0c6e0ca3bec74a82e38c24",
        "043a718774c572bd8a25adbeb1bfcd5c0256ae11cecf9f9c3f925d0e52beaf89",
    ),
    (
        "the sum is no point",
        "26abe153a1c57db42a9c2fe307216c832a4bdede50fe230b7917a22f4fb66d74",
        "fad850bbf9e99fa1a0e395432e1116b9ed7979e7448d03ba28d2c7d5e79db29b",
        "da42f116692de86686e45a6fdadd8b197051077c13f3966d5b95bc968dfed95e",
        "899b4472c59b973b822c4fab67b0ed5f0be5c28a306cb65e6183532f09695fcf",
        "ad328846aa18b32a335816374511cac1063c704b8c57999e51da9f908290a7a4",
    ),
    (
        "r + n is p, and x of the point is 0",
        "8ccd8d08758cb005421089f269b1e2ff99c669db02a5c59efb04a967624c3519",
        "70f28380466277dadb9db249471f69b4a46b4126ee2291d1887f66e2b8dd69e2",
        "d74c91a0a5f47e755d1b356d556b3900face4b3cc47e1f873734c617ffe1cf02",
        "000000000000000000000000000000004319055358e8617b0c46353d039cdaae",
        "9c66b7dd37d6ee7dae2cd1560a7016416a44a8758381c0290c61db8a112cf693",
    ),
    (
        "x of the key is p, which is 0",
        "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
        "66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4",
        "2b3c62eebefcbc5e2ec981e0267c6a5d22f6955255ac22a7d0322457343941d7",
        "f0d422a574268b60ab41de5eb4f529354f4add07df142de8a4fbd98a266f3fff",
        "964e6decfe8cba735af548765241d60e2c1bdcbb54014de6d22280879d69ce00",
    ),
    (
        "the key is a point of another curve, and nothing of the base point is added",
        "fe8da7407950075140c1cc155ef1e47c365f465e42974cdcdbf2beaaec223e2d",
        "eeb584717e1da89e745d5f943a110fb929c0fd5114f27da9cacfdff3fd9cf17d",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "d52e3abe1d9481ef6ac78a65f09fb70ea32643f9b8a33e368f9ada2a69fc3513",
        "9ce66b1531c91e4b8dacca6bb368df8e36198bcc8c681b3c17d1fd7365fc1690",
    ),
    (
        "y of the key is p + 5, which is 5",
        "d7325d7646cd60d80a92738ceb345f844cffaf35841022cab176f692de8de1d7",
        "ffffffff00000001000000000000000000000001000000000000000000000004",
        "65a6bacbf0576abf70c18d9e90de578042ed546669462f3152720d0838d9e448",
        "b843e0b12cdd8a7a7b9b02b76e90dea3d124dac52da4b3e616d7ac0df3f1ae18",
        "513f9b1c7c96070f09614977f76c56a963ff89195c3b9eb556beed366140a825",
    ),
)


def number(text):
    return int(text, 16)


def word(value):
    """32 bytes, as numbers are written in keys, digests and signatures."""
    return value.to_bytes(32, "big")


def ask(x, y, digest, r, s):
    return verify(word(x) + word(y), word(digest), word(r) + word(s))


def numbers(vector):
    return [number(text) for text in vector[1:]]


def test_known_signatures_are_verified():
    for vector in GOOD:
        assert ask(*numbers(vector)) is True, vector[0]


def test_signatures_that_must_not_be_believed():
    for vector in BAD:
        assert ask(*numbers(vector)) is False, vector[0]


def test_a_key_may_have_the_04_of_sec_1_before_it_and_nothing_else():
    x, y, digest, r, s = [word(value) for value in numbers(GOOD[0])]
    assert verify(b"\x04" + x + y, digest, r + s)
    for first in (0, 2, 3, 5, 6, 7, 255):
        assert not verify(bytes((first,)) + x + y, digest, r + s)
        assert not verify(bytes((first,)) + x, digest, r + s)


def test_bytes_of_any_kind_are_read():
    x, y, digest, r, s = [word(value) for value in numbers(GOOD[0])]
    for kind in (bytearray, memoryview):
        assert verify(kind(x + y), kind(digest), kind(r + s))
        assert verify(kind(b"\x04" + x + y), kind(digest), kind(r + s))


def test_r_and_s_are_within_1_to_n_less_1():
    x, y, digest, r, s = numbers(GOOD[0])
    for wrong in (0, N, N + 1, P, (1 << 256) - 1):
        assert not ask(x, y, digest, wrong, s)
        assert not ask(x, y, digest, r, wrong)
        assert not ask(x, y, digest, wrong, wrong)
    for name in ("x of the point is n + 3: r is 3", "s is 1"):  # small ones have room for another n
        x, y, digest, r, s = numbers(next(vector for vector in GOOD if vector[0] == name))
        for more_r, more_s in ((N, 0), (0, N), (N, N)):
            if r + more_r < 1 << 256 and s + more_s < 1 << 256:
                assert not ask(x, y, digest, r + more_r, s + more_s), name
    for e in (0, digest, N):
        assert not verify(word(x) + word(y), word(e), bytes(64))


def test_the_twin_with_n_less_s_is_a_signature_too():
    """ECDSA has it so, and OpenSSL too: nothing here takes a signature for a name of what it signs."""
    for vector in GOOD:
        x, y, digest, r, s = numbers(vector)
        assert ask(x, y, digest, r, N - s), vector[0]


def test_a_key_that_is_no_point_of_the_curve_is_refused():
    x, y, digest, r, s = numbers(GOOD[0])
    for other in (
        (x + 1, y),
        (x, y + 1),
        (y, x),
        (0, 0),
        (x, 0),
        (0, y),
        (1, 1),
        (P, y),
        (x, P),
        (P, P),
        (P - 1, P - 1),
    ):
        assert not ask(other[0], other[1], digest, r, s)


def test_the_negative_of_the_key_is_another_key():
    x, y, digest, r, s = numbers(GOOD[0])
    assert not ask(x, P - y, digest, r, s)


def test_other_lengths_are_refused():
    x, y, digest, r, s = [word(value) for value in numbers(GOOD[0])]
    for size in (0, 1, 32, 63, 65, 66, 128):
        assert not verify((x + y + x + y)[:size], digest, r + s), size
        assert not verify(x + y, digest, (r + s + r + s)[:size]), size
    for size in (0, 1, 20, 31, 33, 48, 64):
        assert not verify(x + y, (digest + digest)[:size], r + s), size
    zero = b"\x00"  # a number keeps its value with zeros before it
    assert not verify(zero + x + y, digest, r + s) and not verify(x + zero + y, digest, r + s)
    assert not verify(x + y, zero + digest, r + s)
    assert not verify(x + y, digest, zero + r + s) and not verify(x + y, digest, r + zero + s)
    assert not verify(x + y, digest, b"\x30\x44\x02\x20" + r + b"\x02\x20" + s)  # as ASN.1 has it


def test_a_single_bit_turned_over_is_seen():
    """Some of the bits; tests/test_es256_against_cryptography.py turns every one, under CPython."""
    key_digest_signature = b"".join([word(value) for value in numbers(GOOD[0])])
    for bit in range(0, 8 * 160, 11):
        data = bytearray(key_digest_signature)
        data[bit >> 3] ^= 1 << (bit & 7)
        assert not verify(bytes(data[:64]), bytes(data[64:96]), bytes(data[96:])), bit


def test_random_bytes_are_refused():
    chance = Chance()
    x, y, _, _, _ = [word(value) for value in numbers(GOOD[0])]
    for _ in range(30):
        assert not verify(x + y, chance.bytes(32), chance.bytes(64))
        assert not verify(chance.bytes(64), chance.bytes(32), chance.bytes(64))
