"""The Terminal port over ZVT, against a terminal that follows a script: golden bytes, and what may go wrong with a refund."""

from hal.said import TerminalSilent
from hal.terminals.zvt.frame import pack
from hal.terminals.zvt.line import SerialLine
from hal.terminals.zvt.terminal import Terminal

from .chance import Chance
from .zvt_peer import OK, Peer

SETTINGS = {"currencies": {"EUR": 978, "CHF": 756}, "t3_ms": 60, "t4_ms": 90, "quiet_ms": 2}

REFUND = b"\x06\x31\x0d\x00\x00\x00\x04\x00\x00\x00\x00\x12\x34\x49\x09\x78"
# 04 0F: result 00, amount 12.34, currency 978, trace 502, receipt 2, time, date, card
INFO = (
    b"\x04\x0f\x24\x27\x00\x04\x00\x00\x00\x00\x12\x34\x49\x09\x78\x0b\x00\x05\x02\x87\x00\x02\x0c\x12\x00\x00\x0d\x11\x22"
    b"\x22\xf0\xf5\xee\xee\xee\x47\x11"
)
INFO = INFO[:2] + bytes((len(INFO) - 3,)) + INFO[3:]
DONE = b"\x06\x0f\x00"
WAIT = b"\x04\xff\x01\x0e"


def terminal(*plans, acks=(), piece=1000, **changes):
    """(Terminal, its peer)."""
    settings = dict(SETTINGS)
    settings.update(changes)
    peer = Peer(plans, acks, piece)
    return Terminal(SerialLine(peer, 20, 40), settings), peer


async def silent(coroutine):
    try:
        await coroutine
    except TerminalSilent:
        return True
    return False


def info(**changes):
    """04 0F with bytes replaced: result, amount …"""
    data = INFO
    for old, new in changes.values():
        assert data.count(old) == 1
        data = data.replace(old, new)
    return data


# ---- golden bytes ----
async def test_every_command_goes_out_as_the_paper_says():
    one, peer = terminal([OK, DONE], [OK, b"\x06\x0f\x01\x00"], [OK, INFO, DONE], [OK, INFO, DONE])
    await one.register()
    await one.enquire()
    await one.last_receipt()
    await one.refund(1234, "EUR")
    await one.abort()
    assert peer.commands() == [
        b"\x06\x00\x06\x00\x00\x00\x18\x07\x56",
        b"\x05\x01\x05\x00\x00\x00\x03\x04",
        b"\x06\x20\x05\x00\x00\x00\x03\x03",
        REFUND,
        b"\x06\xb0\x00",
    ]
    assert b"\x10\x02" + REFUND + b"\x10\x03" in peer.raw


async def test_a_password_and_the_largest_amount_are_packed_decimals():
    one, peer = terminal([OK, INFO, DONE], password=123456)
    assert await silent(one.refund(999999999999, "CHF"))
    assert peer.commands() == [b"\x06\x31\x0d\x12\x34\x56\x04\x99\x99\x99\x99\x99\x99\x49\x07\x56"]


async def test_every_message_of_the_terminal_is_answered():
    one, peer = terminal([OK, WAIT, b"\x06\xd1\x03\x00hi", INFO, DONE])
    assert (await one.refund(1234, "EUR")).accepted
    assert [apdu for apdu in peer.heard if apdu[0] in (0x80, 0x84)] == [OK] * 4


# ---- status ----
async def test_a_status_tells_version_locks_and_state():
    version = b"\xf0\xf0\xf42.14"
    tlv = b"\x06\x0b\xe4\x04\x1f\x43\x01\x02\x1f\x55\x02\x00\x04"
    data = version + b"\x00" + tlv
    one, _ = terminal([OK, b"\x06\x0f" + bytes((len(data),)) + data])
    status = await one.enquire()
    assert (status.code, status.busy, status.version, status.locks, status.state) == (0, False, "2.14", 0x0400, 2)


def status(tlv, version=b"\xf0\xf0\xf42.14"):
    """06 0F of a status enquiry with these bytes as TLV."""
    data = version + b"\x00\x06" + bytes((len(tlv),)) + tlv
    return b"\x06\x0f" + bytes((len(data),)) + data


async def test_a_status_tells_the_model_and_a_version_that_stands_in_the_tlv_alone():
    device = b"\x1f\x40\x04H5\x005\x1f\x41\x043.01\x1f\x42\x04\x00\x01\x02\x03\x1f\x43\x01\x00"
    for version, text in ((b"\xf0\xf0\xf42.14", "2.14"), (b"", "3.01")):
        one, _ = terminal([OK, status(b"\xe4" + bytes((len(device),)) + device, version)])
        told = await one.enquire()
        assert (told.version, told.state, told.more) == (text, 0, {"terminal_model": "H55"})
    one, _ = terminal([OK, status(b"\xe4\x37\x1f\x40\x34" + b"M" * 52)])
    assert len((await one.enquire()).more["terminal_model"]) == 32
    one, _ = terminal([OK, b"\x06\x0f\x01\x00"])
    told = await one.enquire()
    assert (told.version, told.more) == (None, {})


async def test_a_status_that_cannot_be_read_is_silence():
    for tlv in (b"\xe4\x04\x1f\x43", b"\x1f", b"\x1f\x55\x02\x00"):
        one, _ = terminal([OK, status(tlv)])
        assert await silent(one.enquire()), tlv


# ---- registration ----
async def test_a_registration_tells_the_terminals_number_and_whether_it_starts_payments_by_itself():
    done = b"\x06\x0f\x0a\x19\x00\x29\x52\x00\x12\x33\x49\x09\x78"
    one, _ = terminal([OK, done], [OK, b"\x06\x0f\x01\x00"])
    assert await one.register() is True and one.alone
    assert (await one.enquire()).more == {"terminal_id": "52001233"}
    one, _ = terminal([OK, DONE], config=0x08)
    assert await one.register() is True and not one.alone
    one, _ = terminal([OK, b"\x06\x0f\x02\xee\x00"])  # a bitmap nobody knows
    assert await one.register() is True


async def test_a_refused_registration_is_false_and_one_that_must_wait_is_neither():
    for plan, registered in (
        ([OK, b"\x06\x1e\x01\x83"], False),
        ([OK, b"\x06\x1e\x00"], False),
        ([b"\x84\x83\x00"], False),
        ([b"\x84\x9c\x00"], None),
        ([OK, b"\x06\x1e\x01\xa0"], None),
    ):
        one, _ = terminal(plan)
        assert await one.register() is registered and not one.alone, plan
    one, _ = terminal([])
    assert await silent(one.register())


async def test_a_busy_terminal_says_so_in_three_ways():
    for plan in ([OK, b"\x06\x0f\x01\x9c"], [OK, b"\x06\x1e\x01\xa0"], [b"\x84\x9c\x00"]):
        one, _ = terminal(plan)
        status = await one.enquire()
        assert status.busy and status.code in (0x9C, 0xA0)


async def test_a_refused_enquiry_is_its_code():
    one, _ = terminal([OK, b"\x06\x1e\x01\xdf"])
    status = await one.enquire()
    assert (status.code, status.busy) == (0xDF, False)


async def test_the_end_of_an_earlier_command_is_not_taken_for_the_status():
    one, peer = terminal([OK, DONE, b"\x06\x0f\x03\x06\x01\x00", b"\x06\x0f\x01\x00"])
    assert (await one.enquire()).code == 0
    assert peer.heard.count(OK) == 3


async def test_an_enquiry_nobody_answers_is_silence_within_its_time():
    for plan, acks in (([], ()), ([OK], ()), ([], ["none"] * 9)):
        one, peer = terminal(plan, acks=acks)
        assert await silent(one.enquire())
        assert len(peer.commands()) == 1 and not one.busy


# ---- last receipt ----
async def test_the_last_receipt_is_read_and_nothing_is_printed():
    one, peer = terminal([OK, INFO, DONE])
    receipt = await one.last_receipt()
    assert (receipt.receipt, receipt.trace, receipt.amount, receipt.currency) == (2, 502, 1234, 978)
    assert (receipt.date, receipt.time, receipt.code, receipt.reversal, receipt.last_four) == (
        1122,
        120000,
        0,
        False,
        "4711",
    )
    assert peer.commands()[0][-1] == 3


async def test_a_reversal_is_known_by_its_original_trace():
    data = INFO[3:] + b"\x37\x00\x05\x01"
    one, _ = terminal([OK, b"\x04\x0f" + bytes((len(data),)) + data, DONE])
    receipt = await one.last_receipt()
    assert receipt.reversal and receipt.original == 501


async def test_a_receipt_tells_card_name_and_terminal_where_it_has_them():
    one, _ = terminal([OK, INFO, DONE])
    receipt = await one.last_receipt()
    assert (receipt.original, receipt.card_name, receipt.terminal_id) == (None, None, None)
    data = INFO[3:] + b"\x29\x52\x00\x12\x33\x8b\xf2\xf0Girocard Debit with\x00"
    one, _ = terminal([OK, b"\x04\x0f" + bytes((len(data),)) + data, DONE])
    receipt = await one.last_receipt()
    assert (receipt.card_name, receipt.terminal_id) == ("Girocard Debit w", "52001233")


async def test_no_receipt_is_none_and_not_now_is_silence():
    one, _ = terminal([OK, b"\x06\x1e\x01\x83"])
    assert await one.last_receipt() is None
    for plan in ([OK, b"\x06\x1e\x01\x9c"], [b"\x84\x9c\x00"], [OK, DONE], [OK, b"\x06\x1e\x00"]):
        one, _ = terminal(plan)
        assert await silent(one.last_receipt()), plan


async def test_a_question_is_repeated_after_nak_or_t2_and_the_answer_counts():
    for acks in (["nak", "ack"], ["none", "ack"], ["noise", "nak", "ack"]):
        one, peer = terminal([OK, INFO, DONE], acks=acks)
        assert (await one.last_receipt()).receipt == 2
        assert len(peer.commands()) == len(acks)


# ---- refund: approved ----
async def test_a_refund_with_proof_is_accepted():
    for plan in ([OK, INFO, DONE], [OK, WAIT, WAIT, INFO, DONE], [OK, INFO, INFO, DONE]):
        for piece in (1, 3, 1000):
            one, peer = terminal(plan, piece=piece)
            outcome = await one.refund(1234, "EUR")
            assert (outcome.accepted, outcome.code, outcome.receipt.receipt) == (True, 0, 2)
            assert peer.commands() == [REFUND]


async def test_intermediate_status_begins_the_wait_anew():
    late = [("late", WAIT, 100)] * 2 + [("late", INFO, 100), ("late", DONE, 100)]
    one, _ = terminal([OK] + late, t4_ms=200)
    assert (await one.refund(1234, "EUR")).accepted
    one, peer = terminal([OK, ("late", INFO, 500)], t4_ms=100)
    assert await silent(one.refund(1234, "EUR")) and peer.commands() == [REFUND]


async def test_intermediate_status_may_set_the_wait_in_minutes():
    minutes = b"\x04\xff\x02\x0e\x01"
    one, _ = terminal([OK, minutes, ("late", WAIT, 250), ("late", INFO, 250), DONE], t4_ms=100)
    assert (await one.refund(1234, "EUR")).accepted


# ---- refund: refused ----
async def test_an_abort_is_a_refusal_with_its_code():
    one, peer = terminal([OK, b"\x06\x1e\x01\x6c"])
    outcome = await one.refund(1234, "EUR")
    assert (outcome.accepted, outcome.code, outcome.receipt) == (False, 0x6C, None)
    assert peer.commands() == [REFUND] and one.cause(0x6C) == 43


async def test_a_wrong_currency_is_refused_with_6f_and_the_one_it_does():
    one, peer = terminal([OK, b"\x06\x1e\x03\x6f\x09\x78"])
    outcome = await one.refund(1234, "CHF")
    assert (outcome.accepted, outcome.code, one.cause(outcome.code)) == (False, 0x6F, 36)
    assert peer.commands()[0].endswith(b"\x49\x07\x56")


async def test_a_negative_answer_is_a_refusal_and_nothing_more_is_waited_for():
    for code in (0x83, 0x9C, 0x66):
        one, _ = terminal([bytes((0x84, code, 0))])
        outcome = await one.refund(1234, "EUR")
        assert (outcome.accepted, outcome.code) == (False, code)


async def test_a_refusal_with_a_receipt_shows_it():
    refused = info(result=(b"\x27\x00", b"\x27\x6c"))
    one, _ = terminal([OK, refused, b"\x06\x1e\x01\x6c"])
    outcome = await one.refund(1234, "EUR")
    assert (outcome.accepted, outcome.code, outcome.receipt.code) == (False, 0x6C, 0x6C)


async def test_an_abort_without_a_code_is_a_refusal_for_no_known_reason():
    one, _ = terminal([OK, b"\x06\x1e\x00"])
    assert (await one.refund(1234, "EUR")).code == 0xFF


# ---- refund: unknown ----
async def test_whatever_proves_nothing_is_silence_and_the_refund_went_out_once():
    for plan in (
        [],  # acknowledged, and no more
        [OK],
        [OK, WAIT],
        [OK, INFO],  # no completion
        [OK, DONE],  # no status information
        [INFO, DONE],  # without its 80 00 00 this belongs to something else
        [OK, info(result=(b"\x27\x00", b"\x27\x6c")), DONE],
        [OK, info(amount=(b"\x12\x34\x49", b"\x12\x35\x49")), DONE],
        [OK, INFO, b"\x06\x1e\x01\x6c"],  # approved, then aborted
        [OK, b"\x04\x0f\x03\x27\x00\x99", DONE],  # malformed
        [("raw", pack(b""))],  # less than an APDU
        [("raw", pack(b"\x84"))],
        [b"\x80\x00"],
    ):
        one, peer = terminal(plan)
        assert await silent(one.refund(1234, "EUR")), plan
        assert peer.commands().count(REFUND) == 1 and peer.raw.count(pack(REFUND)) == 1, plan
        assert not one.busy


async def test_a_refund_is_never_repeated_whatever_the_line_does():
    for acks in (["nak"] * 5, ["none"] * 5, ["noise"] * 5):
        one, peer = terminal([OK, INFO, DONE], acks=acks)
        assert await silent(one.refund(1234, "EUR"))
        assert peer.raw.count(pack(REFUND)) == 1


async def test_a_line_that_breaks_is_an_oserror_and_the_next_refund_can_be_asked_for():
    one, peer = terminal([OK, INFO, DONE])
    peer.broken = OSError(5)
    try:
        await one.refund(1234, "EUR")
        assert False
    except OSError:
        assert not one.busy
    peer.broken = None
    assert (await one.refund(1234, "EUR")).accepted


async def test_the_frames_of_its_line_are_counted():
    one, _ = terminal([OK, INFO, DONE], acks=["nak", "ack"])
    await one.last_receipt()
    # the command twice, three answers and what we say to two of them; one was refused
    assert one.counters() == (7, 1)


async def test_a_malformed_message_is_answered_and_the_line_lives_on():
    for bad in (b"\x04\x0f\x05\x27", b"\x04\x0f\x02\xfe\x00", b"\x04\x0f\x03\x27\x00\x04", b"\x04\xff\x02\x00\xff"):
        one, peer = terminal([OK, bad], [OK, b"\x06\x0f\x01\x00"])
        assert await silent(one.refund(1234, "EUR")), bad
        assert b"\x84\x83\x00" in peer.heard, bad
        assert (await one.enquire()).code == 0


async def test_late_messages_of_an_earlier_command_are_answered_and_never_taken_for_ours():
    one, peer = terminal([OK, INFO, DONE])
    late = info(receipt=(b"\x87\x00\x02", b"\x87\x00\x01"))
    peer.send(late)
    peer.send(DONE)
    outcome = await one.refund(1234, "EUR")
    assert outcome.accepted and outcome.receipt.receipt == 2
    assert peer.heard[:2] == [OK, OK] and peer.commands() == [REFUND]
    # one that comes between the command and its 80 00 00 is answered and dropped too
    one, peer = terminal([late, OK, b"\x06\x1e\x01\x6c"])
    outcome = await one.refund(1234, "EUR")
    assert (outcome.accepted, outcome.receipt) == (False, None)


async def test_two_callers_take_turns():
    import asyncio

    one, peer = terminal([OK, INFO, DONE], [OK, b"\x06\x0f\x01\x00"])
    outcome, status = await asyncio.gather(one.refund(1234, "EUR"), one.enquire())
    assert outcome.accepted and status.code == 0
    assert [apdu[:2] for apdu in peer.commands()] == [b"\x06\x31", b"\x05\x01"]


async def test_random_answers_are_an_outcome_or_silence_and_never_a_second_refund():
    chance = Chance()
    parts = [OK, INFO, DONE, WAIT, b"\x06\x1e\x01\x6c", b"\x84\x83\x00", b"\x04\x0f\x00", b"\x06\x0f\x01\x00"]
    for turn in range(60):
        plan = []
        for _ in range(chance.below(6)):
            message = chance.one_of(parts)
            if chance.below(3) == 0:
                at = chance.below(len(message))
                message = message[:at] + chance.bytes(1 + chance.below(2)) + message[at + 1 :]
            plan.append(message if chance.below(5) else ("raw", chance.bytes(chance.below(9))))
        one, peer = terminal(plan, t3_ms=5, t4_ms=5)
        one.line._t1 = one.line._t2 = 5
        try:
            outcome = await one.refund(1234, "EUR")
        except TerminalSilent:
            outcome = None
        if outcome and outcome.accepted:
            assert INFO in plan or outcome.receipt.amount in (None, 1234), (turn, plan)
        assert peer.raw.count(pack(REFUND)) <= 1, (turn, plan)
        assert not one.busy
