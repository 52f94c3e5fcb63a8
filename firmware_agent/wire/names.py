"""The names behind the numbers in messages: what the agent knows or measured, and what happened."""

# What the agent knows or measured, by number: the keys of evidence, of the snapshot and of events. The unit is in the
# name (mv millivolts, ms milliseconds, s seconds); amounts are minor units (cents). Numbers never change.
WAITS_FOR_TILL = 2  # of terminal_registered

FACTS = (
    " supply_mv"  # last sample
    " supply_min_mv"  # lowest sample of the window
    " supply_max_mv"  # highest sample of the window
    " supply_low_mv"  # limit below which it is too low
    " supply_high_mv"  # limit above which it is too high
    " supply_sags"  # falls below the limit within the window
    " supply_ok"  # 0 unstable, 1 stable, after hysteresis
    " window_ms"  # length of the window
    " network_ok"  # 0 down, 1 up, after hysteresis
    " network_link"  # 1 the interface has a carrier
    " network_address"  # 1 it has an address
    " network_host_ms"  # round trip to the acquirer's host, -1 unreachable
    " network_failures"  # tries in a row that failed
    " terminal_ok"  # 0 fault or silent, 1 ready, after hysteresis
    " terminal_code"  # status byte of 05 01
    " terminal_locks"  # TLV 1F55, byte 1 low, byte 2 high
    " terminal_state"  # TLV 1F43
    " terminal_version"  # text
    " terminal_silent"  # enquiries in a row without an answer
    " terminal_receipt"  # number of the terminal's last receipt
    " agent_version"  # text
    " minimum_version"  # text
    " sale_amount"  # of the original sale
    " approved_amount"  # refunds of this sale, approved
    " doubt_amount"  # refunds of this sale, in doubt
    " remaining_amount"  # sale - approved - in doubt
    " amount"  # asked for
    " receipt"  # of the original sale
    " source"  # where sale facts come from: 1 seen at the terminal, 2 the request, 3 the policy
    " earlier_state"  # state of the earlier refund
    " earlier_receipt"  # its receipt
    " earlier_ago_s"  # how long ago
    " earlier_key"  # text
    " in_doubt"  # refunds in doubt
    " age_ms"  # age of the value the check read
    " missing"  # text: the source that could not be read
    " result_code"  # result code of 04 0F or 06 1E
    " cause"  # number in CAUSES.md
    " verdict"
    " state"  # of a refund
    " dropped"
    " heap_free"  # bytes
    " damaged"  # damaged journal records or frames
    " retries"
    " journal_lost"  # records that counted, and are missing or altered
    " journal_failing"  # 1 the medium refuses what is written
    " open_refunds"  # refunds that have not ended
    " forgotten"  # 1 refunds of this sale were made, and the journal had no room to keep them
    " address"  # in the journal's region
    " bytes"
    " supply_ripple_mv"  # highest less lowest sample of the window
    " supply_drift_mv"  # how far the supply's mean fell below what it was when it was new
    " battery_percent"
    " temperature_c"  # whole degrees
    " network_dns"  # 1 the host's name was resolved
    " network_tls"  # 1 its certificate is valid, 0 it is not
    " network_signal"  # percent
    " network_loss"  # percent of the last probes that failed
    " line_frames"  # frames to and from the terminal within the window
    " line_errors"  # those of them that were damaged, refused or late
    " clock_drift_s"  # our clock less the reference's
    " crashes"  # of the agent or its board, since the journal was begun
    " reboots"  # within seven days
    " wear_percent"  # erases of the journal's sectors, of what they stand
    " terminal_model"  # text
    " terminal_id"  # text, eight digits
    " terminal_registered"  # 1 it let us log on, 2 the till does, and has not since we started or the terminal was away
    " terminal_offline"  # transactions it has not handed in yet
    " terminal_fault_s"  # how long it has reported a fault
    " batch_closed"  # Unix seconds of the last end of day seen
    " host_code"  # text: response code of the acquirer's host
    " policy_id"  # text
    " policy_state"  # 0 good, 1 absent, 2 damaged or forged, 3 older than one before, 4 for another terminal
    " policy_version"
    " limit"  # what the policy allows, in the unit of what it is held against
    " value"  # what it was held against
    " at"  # Unix seconds of a fact
    " until"  # Unix seconds
    " count"
    " total"  # minor units
    " scheme"  # text
    " sale_currency"  # text, or number
    " sale_date"  # YYYYMMDD
    " sale_card"  # text, last four digits
    " card"  # text, last four digits of the card presented
    " expiry"  # YYMM
    " operator"  # text
    " role"  # text
    " tries"  # wrong PINs in a row
    " person"  # text: who attested it
    " step"  # of a remedy, last one done
    " steps"  # of a remedy
    " requests"  # for refunds, within the last minute
    " reset_reason"  # why the agent booted, its place in wire.bodies.REASONS
    " safe_mode"  # 1 it crashed too often in a row: nothing runs but its link and its journal
    " "
)

# What happened, by number: (name, severity 0 note, 1 warning, 2 severe).
EVENTS = (
    " boot:0"
    " supply_unstable:1"
    " supply_stable:0"
    " network_down:1"
    " network_up:0"
    " terminal_fault:1"
    " terminal_ready:0"
    " terminal_silent:1"
    " terminal_version:0"
    " terminal_receipt:0"
    " verdict:0"
    " refund:0"
    " doubt_asked:0"
    " journal_damaged:2"
    " journal_full:2"
    " link_error:1"
    " fault:2"
    " journal_cut:0"
    " policy_loaded:0"
    " policy_refused:1"
    " wrong_original:2"
    " attested:0"
    " approved:0"
    " pin_wrong:1"
    " clock_wrong:1"
    " temperature_bad:1"
    " temperature_good:0"
    " line_bad:1"
    " line_good:0"
    " "
)


_numbers = {}  # of the facts that were asked for: counting them takes a Pico 2 ms each time


def fact(name):
    """The number of a fact; ValueError if FACTS has no such name."""
    number = _numbers.get(name)
    if not number:
        at = FACTS.find(" " + name + " ")
        if at < 0:
            raise ValueError(name)
        number = _numbers[name] = FACTS[:at].count(" ") + 1
    return number


def fact_name(number):
    """The name of a fact; fact_N for a number this page does not list (a newer agent)."""
    names = FACTS.split()
    return names[number - 1] if 0 < number <= len(names) else "fact_%d" % number


def event(name):
    """The number of an event; ValueError if EVENTS has no such name."""
    at = EVENTS.find(" " + name + ":")
    if at < 0:
        raise ValueError(name)
    return EVENTS[:at].count(" ") + 1


def event_name(number):
    """(name, severity) of an event; (event_N, 0) for a number this page does not list."""
    names = EVENTS.split()
    if not 0 < number <= len(names):
        return "event_%d" % number, 0
    name, _, severity = names[number - 1].partition(":")
    return name, int(severity)
