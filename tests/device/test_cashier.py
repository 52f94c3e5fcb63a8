"""What a till asks a terminal for, against a terminal that follows a script: golden bytes, belief, and what is shown."""

import asyncio

from hal.said import TerminalSilent
from hal.terminals.zvt.cashier import PRINT, REFUSED, RESULT, WAIT, Cashier
from hal.terminals.zvt.line import SerialLine
from hal.terminals.zvt.shown import readable

from .zvt_peer import OK, Peer

SETTINGS = {"currencies": {"EUR": 978}, "password": 123456, "t3_ms": 60, "t4_ms": 90, "quiet_ms": 2}
DONE = b"\x06\x0f\x00"
WAITS = b"\x04\xff\x01\x0a"


def cashier(*plans, acks=()):
    """(Cashier, its peer, what it was told to show)."""
    peer = Peer(plans, acks)
    shown = []
    return Cashier(SerialLine(peer, 20, 40), SETTINGS, lambda *said: shown.append(said)), peer, shown


def message(kind, data):
    return kind + bytes((len(data),)) + data


def info(amount=1234, receipt=232, trace=4712, result=0, original=None, more=b""):
    """04 0F."""
    data = b"\x27" + bytes((result,)) + b"\x04" + packed(amount, 6) + b"\x49\x09\x78"
    data += b"\x87" + packed(receipt, 2) + b"\x0b" + packed(trace, 3)
    if original is not None:
        data += b"\x37" + packed(original, 3)
    return message(b"\x04\x0f", data + more)


def packed(number, size):
    text = "%0*d" % (2 * size, number)
    return bytes(int(text[i : i + 2], 16) for i in range(0, 2 * size, 2))


async def silent(coroutine):
    try:
        await coroutine
    except TerminalSilent:
        return True
    return False


# ---- golden bytes ----
async def test_every_command_goes_out_as_the_paper_says():
    one, peer, _ = cashier(
        [OK, info(), DONE],
        [OK, info(receipt=233, original=4712), DONE],
        [OK, info(receipt=234, original=4555), DONE],
        [OK, DONE],
        [OK, DONE],
        [OK, DONE],
        [OK],
        [OK],
    )
    await one.sale(1234, "EUR")
    await one.void(232)
    await one.void(77, 1234)
    await one.end_of_day()
    await one.diagnosis()
    await one.initialise()
    assert await one.log_off()
    await one.abort()
    assert peer.commands() == [
        b"\x06\x01\x0a\x04\x00\x00\x00\x00\x12\x34\x49\x09\x78",
        b"\x06\x30\x0d\x12\x34\x56\x87\x02\x32\x04\x00\x00\x00\x00\x12\x34",  # the amount of the sale it has just seen
        b"\x06\x30\x0d\x12\x34\x56\x87\x00\x77\x04\x00\x00\x00\x00\x12\x34",
        b"\x06\x50\x03\x12\x34\x56",
        b"\x06\x70\x00",
        b"\x06\x93\x03\x12\x34\x56",
        b"\x06\x02\x00",
        b"\x06\xb0\x00",
    ]


async def test_what_moves_money_or_ends_a_day_goes_out_once():
    for ask in (
        lambda one: one.sale(1234, "EUR"),
        lambda one: one.void(231),
        lambda one: one.refund(1234, "EUR"),
        lambda one: one.end_of_day(),
    ):
        for acks in (["nak"] * 9, ["none"] * 9):
            one, peer, _ = cashier(acks=acks)
            assert await silent(ask(one))
            assert len(peer.commands()) == 1


# ---- belief ----
async def test_a_sale_is_approved_only_by_its_status_and_the_completion():
    one, _, _ = cashier([OK, WAITS, info(), DONE])
    outcome = await one.sale(1234, "EUR")
    assert outcome.accepted and (outcome.code, outcome.receipt.receipt, outcome.receipt.trace) == (0, 232, 4712)
    for plan in (
        [OK, DONE],
        [OK, info()],
        [OK, info(amount=1233), DONE],
        [OK, info(result=5), DONE],
        [OK, info(), b"\x06\x1e\x01\x6c"],
        [OK],
        [],
    ):
        one, _, _ = cashier(plan)
        assert await silent(one.sale(1234, "EUR")), plan


async def test_a_refusal_is_its_code():
    for plan, code in (
        ([OK, b"\x06\x1e\x01\x6c"], 0x6C),
        ([OK, info(result=0x51), b"\x06\x1e\x01\x51"], 0x51),
        ([b"\x84\x83\x00"], 0x83),
        ([OK, b"\x06\x1e\x00"], 0xFF),
    ):
        for ask in (lambda one: one.sale(1234, "EUR"), lambda one: one.void(231)):
            one, _, _ = cashier(plan)
            outcome = await ask(one)
            assert (outcome.accepted, outcome.code) == (False, code), plan


async def test_a_void_of_another_sale_is_unknown_and_never_approved():
    sold = [OK, info(receipt=231, trace=4711, amount=5000), DONE]
    last = [OK, info(receipt=232, trace=4712, amount=1234), DONE]
    for void, known in (
        (info(receipt=233, trace=4713, amount=5000, original=4711), True),
        (info(receipt=231, trace=4713, amount=5000), True),
        (info(receipt=233, trace=4713, amount=1234, original=4712), False),  # the last sale
        (info(receipt=233, trace=4713, amount=1234), False),
        (info(receipt=233, trace=4713, amount=5000, original=4712), False),
        (info(receipt=232, trace=4713, amount=5000), False),
    ):
        one, peer, _ = cashier(sold, last, [OK, void, DONE])
        await one.sale(5000, "EUR")
        await one.sale(1234, "EUR")
        if known:
            outcome = await one.void(231)
            assert outcome.accepted and outcome.receipt.amount == 5000
        else:
            assert await silent(one.void(231)), void
        assert len(peer.commands()) == 3


async def test_after_an_end_of_day_the_numbers_of_its_sales_say_nothing():
    one, _, _ = cashier([OK, info(receipt=1), DONE], [OK, DONE], [OK, info(receipt=1, original=4799), DONE])
    await one.sale(1234, "EUR")
    await one.end_of_day()
    assert (await one.void(77)).accepted


async def test_a_void_of_a_sale_it_has_not_seen_is_compared_with_what_is_given():
    void = [OK, info(receipt=233, trace=4713, amount=5000, original=4711), DONE]
    for given, known in (((), True), ((5000,), True), ((None, 4711), True), ((5001,), False), ((5000, 4710), False)):
        one, _, _ = cashier(void)
        if known:
            assert (await one.void(231, *given)).accepted
        else:
            assert await silent(one.void(231, *given)), given


# ---- day, host, doors ----
async def test_an_end_of_day_tells_its_totals():
    groups = b"\x02" + packed(6234, 6) + bytes(7) * 3 + b"\x01" + packed(99, 6) + bytes(7) * 2
    totals = b"\x60\xf0\xf5\xf3" + packed(231, 2) + packed(233, 2) + groups
    one, _, _ = cashier([OK, message(b"\x04\x0f", b"\x27\x00\x04" + packed(6333, 6) + b"\x49\x09\x78" + totals), DONE])
    day = await one.end_of_day()
    assert (day.accepted, day.total, day.currency, day.first, day.last) == (True, 6333, 978, 231, 233)
    assert (day.groups["girocard"], day.groups["VISA"], day.groups["Diners"]) == ((2, 6234), (1, 99), (0, 0))
    one, _, _ = cashier([OK, DONE])
    day = await one.end_of_day()
    assert (day.accepted, day.total, day.groups) == (True, None, {})
    one, _, _ = cashier([OK, b"\x06\x1e\x01\x77"])
    day = await one.end_of_day()
    assert (day.accepted, day.code) == (False, 0x77)
    one, _, _ = cashier([OK])
    assert await silent(one.end_of_day())


async def test_a_diagnosis_tells_the_clock_of_the_host():
    clock = message(b"\x04\x01", b"\xaa\x26\x03\x04\x0c\x23\x59\x58")
    one, peer, _ = cashier([OK, clock, DONE], [OK, DONE], [OK, b"\x06\x1e\x01\x9b"])
    assert await one.diagnosis() == (0, 260304, 235958)
    assert await one.diagnosis() == (0, None, None)
    assert await one.diagnosis() == (0x9B, None, None)
    assert peer.heard.count(OK) == 4  # it answered each message


async def test_initialisation_and_log_off_say_how_they_ended():
    one, _, _ = cashier([OK, DONE], [OK, b"\x06\x1e\x01\xa3"], [b"\x84\x83\x00"], [OK], [b"\x84\x9c\x00"])
    assert [await one.initialise(), await one.initialise(), await one.initialise()] == [0, 0xA3, 0x83]
    one.alone = True
    assert await one.log_off() and not one.alone
    assert not await one.log_off()


async def test_a_key_of_the_till_breaks_off_what_runs():
    one, peer, _ = cashier([OK], [], [OK, info(), DONE])
    selling = asyncio.create_task(one.sale(1234, "EUR"))
    while not one.busy:
        await asyncio.sleep(0)
    await one.abort()
    assert await silent(selling)
    # it goes out between two looks of half a second, or not at all where the command has ended by then
    assert [command[:2] for command in peer.commands()][:1] == [b"\x06\x01"]
    await one.sale(1234, "EUR")
    assert b"\x06\xb0\x00" not in peer.commands()[-1:]


# ---- what is shown ----
TEXTS = b"\x24\x0d\x07\x06INSERT\x07\x03NOW"


async def test_what_the_terminal_says_is_shown_with_its_code():
    texts = b"\x06" + bytes((len(TEXTS),)) + TEXTS
    extended = b"\x06\x0c\x1f\x16\x01\x07\x1f\x17\x05again"
    one, _, shown = cashier(
        [OK, WAITS, message(b"\x04\xff", b"\xff\x01" + texts), message(b"\x04\xff", b"\xff" + texts), info(), DONE],
        [OK, info(result=5, more=b"\x3c\xf0\xf0\xf2no"), message(b"\x06\x1e", b"\x6c" + extended)],
        [OK, message(b"\x06\x1e", b"\x83" + texts)],
        [OK, b"\x06\x1e\x03\x6f\x09\x78"],
        [b"\x84\x9a\x00"],
    )
    assert (await one.sale(1234, "EUR")).accepted
    assert shown == [(WAIT, 0x0A, ""), (WAIT, 0xFF, "INSERT\nNOW"), (WAIT, 0xFF, "INSERT\nNOW"), (RESULT, 0, "")]
    for expected in (
        [(RESULT, 5, "no"), (REFUSED, 0x6C, "again")],
        [(REFUSED, 0x83, "INSERT\nNOW")],
        [(REFUSED, 0x6F, "")],
        [(REFUSED, 0x9A, "")],
    ):
        del shown[0 : len(shown)]
        assert not (await one.sale(1234, "EUR")).accepted
        assert shown == expected


async def test_what_the_terminal_prints_on_the_till_is_collected_and_answered():
    block = b"\x1f\x07\x01\x01\x25\x0e\x07\x05TOTAL\x07\x0512.34"
    long = b"\x25\x82\x01\x40" + (b"\x07\x0e" + b"x" * 14) * 20  # more than 254 bytes
    size = len(long) + 4
    one, peer, shown = cashier(
        [
            OK,
            info(),
            b"\x06\xd1\x08\x00RECEIPT",
            message(b"\x06\xd3", b"\x06" + bytes((len(block),)) + block),
            b"\x06\xd3\xff"
            + bytes((size & 255, size >> 8))
            + b"\x06\x82"
            + bytes((len(long) >> 8, len(long) & 255))
            + long,
            b"\x06\xd1\x01\x81",
            DONE,
        ]
    )
    assert (await one.sale(1234, "EUR")).accepted
    printed = [text for kind, _, text in shown if kind == PRINT]
    assert printed == ["RECEIPT", "TOTAL", "12.34"] + ["x" * 14] * 20 + [""]
    assert len([apdu for apdu in peer.heard if apdu == OK]) == 6


async def test_a_text_that_cannot_be_read_does_not_end_the_sale():
    one, _, shown = cashier(
        [OK, message(b"\x06\xd3", b"\x06\x7f\x25"), b"\x06\xd1\x00", message(b"\x04\xff", b""), info(), DONE]
    )
    assert (await one.sale(1234, "EUR")).accepted and shown == [(RESULT, 0, "")]


def test_a_card_number_is_never_shown():
    for clear, hidden in (
        (b"4111110000001111", "************1111"),
        (b"card 4111 1100 0000 1111 ok", "card **** **** **** 1111 ok"),
        (b"4111-1100-0000-1111", "****-****-****-1111"),
        (b"123456789012", "********9012"),
        (b"12345678901", "12345678901"),
        (b"2026-03-04 12:34 0232", "2026-03-04 12:34 0232"),
    ):
        assert readable(clear) == hidden, clear


def test_umlauts_are_read_in_both_ways_they_come():
    assert readable(b"Bitte w\x84hlen: \x99l, gro\xe1\x07") == "Bitte wählen: Öl, groß"
    assert readable("zurückgehalten 退款".encode()) == "zurückgehalten 退款"
    assert readable(b"\xf7\x7f") == "??"
