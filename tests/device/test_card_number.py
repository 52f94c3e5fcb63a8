"""What a full card number looks like, and what only resembles one."""

from firmware_agent.wire.pan import looks_like_pan


def test_card_numbers_of_every_scheme_and_spelling_are_seen():
    for text in (
        "4111111111111111",
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "check 4111111111111111 5.00",
        "x5555555555554444y",
        "378282246310005",  # 15 digits
        "4222222222222",  # 13
        "6304000000000000000"[:18] + "0",  # 19
        "231 4111 1111 1111 1111 5.00",
        "\u00fc4111111111111111",
    ):
        assert looks_like_pan(text), text


def test_other_numbers_are_not():
    for text in (
        "",
        "4111111111111112",  # the sum is wrong
        "411111111111",  # 12 digits
        "41111111111111111111111",  # in one piece, and too long
        "4111.1111.1111.1111",
        "check 231 12.34 EUR",
        "2024-11-22 12:00:00",
        "411111111111111",
    ):
        assert not looks_like_pan(text), text
