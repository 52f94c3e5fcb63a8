"""One ZVT line: acknowledgements, repeats and timers."""

from hal.said import TerminalSilent
from hal.terminals.zvt.frame import pack
from hal.terminals.zvt.line import SerialLine

from .zvt_peer import OK, Peer

ENQUIRY = b"\x05\x01\x05\x00\x00\x00\x03\x04"
READY = b"\x06\x0f\x01\x00"


def line(peer):
    return SerialLine(peer, t1_ms=20, t2_ms=40)


async def silent(coroutine):
    try:
        await coroutine
    except TerminalSilent:
        return True
    return False


async def test_a_frame_goes_out_once_and_its_answer_is_acknowledged():
    peer = Peer([[OK]])
    one = line(peer)
    await one.send(ENQUIRY)
    assert await one.receive(100) == OK
    assert peer.raw == pack(ENQUIRY) + b"\x06"


async def test_a_nak_is_answered_by_a_repeat_at_most_twice():
    peer = Peer([[OK]], ["nak", "nak", "ack"])
    await line(peer).send(ENQUIRY)
    assert peer.heard == [ENQUIRY] * 3
    peer = Peer([], ["nak"] * 9)
    assert await silent(line(peer).send(ENQUIRY))
    assert peer.heard == [ENQUIRY] * 3


async def test_no_answer_within_t2_is_answered_by_a_repeat_at_most_twice():
    peer = Peer([[OK]], ["none", "noise", "ack"])
    await line(peer).send(ENQUIRY)
    assert peer.heard == [ENQUIRY] * 3
    peer = Peer([], ["none"] * 9)
    assert await silent(line(peer).send(ENQUIRY))
    assert peer.heard == [ENQUIRY] * 3


async def test_what_must_not_arrive_twice_goes_out_once():
    for how in ("nak", "none", "noise"):
        peer = Peer([], [how] * 9)
        assert await silent(line(peer).send(ENQUIRY, 0))
        assert peer.heard == [ENQUIRY] and peer.raw.count(pack(ENQUIRY)) == 1


async def test_a_frame_that_stops_is_refused_after_t1_and_comes_again():
    for size in (1, 2, 5, 8):
        peer = Peer([[("cut", READY, size)]])
        one = line(peer)
        await one.send(ENQUIRY)
        if size == 1:  # one byte is no frame yet: nothing to refuse, and nothing to wait for
            assert await silent(one.receive(60)) and peer.naks == 0
        else:
            assert await one.receive(200) == READY and peer.naks == 1, size


async def test_a_damaged_frame_is_refused_and_comes_again():
    damaged = pack(READY)[:-1] + b"\x00"
    peer = Peer([[("raw", damaged)]])
    one = line(peer)
    await one.send(ENQUIRY)
    peer._last = READY
    assert await one.receive(100) == READY and peer.naks == 1
    assert peer.raw.endswith(b"\x15\x06")


async def test_a_frame_with_less_than_an_apdu_is_refused():
    for short in (b"", b"\x06", b"\x84\x83"):
        peer = Peer([[("raw", pack(short)), OK]])
        one = line(peer)
        await one.send(ENQUIRY)
        assert await one.receive(100) == OK and peer.naks == 1


async def test_bytes_one_by_one_are_the_same_conversation():
    peer = Peer([[OK, READY]], piece=1)
    one = line(peer)
    await one.send(ENQUIRY)
    assert await one.receive(100) == OK
    assert await one.receive(100) == READY


async def test_a_message_that_overtakes_the_acknowledgement_is_kept():
    peer = Peer([], ["none"])
    one = line(peer)
    peer.send(READY)
    peer.send(("raw", b"\x06"))
    await one.send(ENQUIRY)
    assert await one.receive(0) == READY


async def test_nothing_within_the_time_is_silence():
    assert await silent(line(Peer()).receive(30))


async def test_draining_takes_and_acknowledges_what_is_left_and_no_more():
    peer = Peer()
    one = line(peer)
    peer.send(OK)
    peer.send(READY)
    assert await one.drain(5) == [OK, READY]
    assert peer.raw == b"\x06\x06"
    assert await one.drain(5) == []


# ---- what is counted ----
def counted(one):
    return one.frames, one.errors


async def test_a_good_conversation_counts_its_frames_and_no_error():
    peer = Peer([[OK, READY]])
    one = line(peer)
    await one.send(ENQUIRY)
    assert counted(one) == (1, 0)
    await one.receive(100)
    await one.receive(100)
    await one.send(OK)
    assert counted(one) == (4, 0)
    assert await silent(one.receive(30))
    assert counted(one) == (4, 0)  # a terminal that has nothing to say


async def test_frames_that_are_damaged_cut_or_refused_are_errors():
    peer = Peer([[("raw", pack(READY)[:-1] + b"\x00")]], ["nak", "nak", "ack"])
    one = line(peer)
    await one.send(ENQUIRY)
    assert counted(one) == (3, 2)
    peer._last = READY
    await one.receive(100)
    assert counted(one) == (5, 3)
    peer = Peer([[("cut", READY, 5)]])
    one = line(peer)
    await one.send(ENQUIRY)
    await one.receive(200)
    assert counted(one) == (3, 1)
    peer = Peer([[("raw", pack(b"\x06")), OK]])
    one = line(peer)
    await one.send(ENQUIRY)
    await one.receive(100)
    assert counted(one) == (3, 1)


async def test_a_terminal_that_is_switched_off_counts_once_and_noise_each_time():
    peer = Peer([], ["none"] * 9)
    one = line(peer)
    for _ in range(3):
        assert await silent(one.send(ENQUIRY))
    assert counted(one) == (9, 1)
    await one.send(ENQUIRY)  # it is back
    assert counted(one) == (10, 1)
    peer.acks = ["none", "ack"]
    await one.send(ENQUIRY)
    assert counted(one) == (12, 2)  # one frame was lost
    peer = Peer([], ["noise"] * 9)
    one = line(peer)
    assert await silent(one.send(ENQUIRY))
    assert counted(one) == (3, 3)


async def test_a_broken_line_is_an_oserror():
    peer = Peer()
    peer.broken = OSError(5)
    for coroutine in (line(peer).send(ENQUIRY), line(peer).receive(10), line(peer).drain(5)):
        try:
            await coroutine
            assert False
        except OSError:
            pass
