"""The diagnostic ring: numbered, bounded, and honest about what it dropped."""

from firmware_agent.events import Ring
from firmware_agent.wire import cbor
from firmware_agent.wire.messages import EVENT, event_name, fact, unpack

from .bench import Clock


def ring(count=0):
    made = Ring(Clock(), 7)
    for number in range(count):
        made.add("verdict", {"amount": number})
    return made


def read(made, cursor=0, max_bytes=2048):
    """([numbers of events], next cursor, dropped)."""
    events, following, dropped = made.since(cursor, max_bytes)
    decoded = [unpack(EVENT, cbor.decode(one.data)) for one in events]
    return [one["number"] for one in decoded], following, dropped


def test_an_event_carries_its_number_time_code_and_facts():
    made = ring()
    made.clock.now = 123456
    made.add("supply_unstable", {"supply_mv": 4100})
    events, following, dropped = made.since(0, 2048)
    one = cbor.decode(events[0].data)
    assert one == {0: 1, 1: 123456, 2: 2, 3: {fact("supply_mv"): 4100}}
    assert event_name(one[2]) == ("supply_unstable", 1)
    assert (following, dropped, made.last) == (1, 0, 1)


def test_events_are_numbered_without_a_gap_and_read_once_by_cursor():
    made = ring(5)
    assert read(made) == ([1, 2, 3, 4, 5], 5, 0)
    assert read(made, 3) == ([4, 5], 5, 0)
    assert read(made, 5) == ([], 5, 0)
    made.add("boot")
    assert read(made, 5) == ([6], 6, 0)


def test_what_the_ring_lost_is_counted_exactly():
    made = ring(100)
    numbers, following, dropped = read(made)
    assert numbers == list(range(dropped + 1, 101)) and following == 100
    assert dropped > 50
    assert read(made, dropped)[2] == 0
    assert read(made, dropped - 1)[2] == 1
    assert read(made, 99) == ([100], 100, 0)


def test_an_answer_stays_within_its_bytes_and_the_rest_comes_next():
    made = ring(20)
    seen = []
    cursor = 0
    for _ in range(40):
        events, following, dropped = made.since(cursor, 64)
        assert sum(len(one.data) for one in events) <= 64 and dropped == 0
        seen += [cbor.decode(one.data)[0] for one in events]
        if following == cursor:
            break
        assert following == cursor + len(events)
        cursor = following
    assert seen == list(range(1, 21))


def test_an_event_longer_than_what_was_asked_for_does_not_stop_the_reader():
    made = ring()
    made.clock.now = 281474976710655
    made.last = 4294967290
    made.add("fault", {"missing": "x" * 60})
    events, following, _ = made.since(made.last - 1, 64)
    assert len(events) == 1 and following == made.last


def test_a_cursor_from_another_boot_finds_nothing_and_harms_nothing():
    assert read(ring(3), 900) == ([], 900, 0)
    assert read(ring(), 0) == ([], 0, 0)


def test_an_event_nobody_declared_is_a_fault_of_ours():
    try:
        ring().add("no_such_event")
    except ValueError:
        return
    assert False
