"""The names behind the numbers in messages: what the agent knows or measured, and what happened."""

# What the agent knows or measured, by number: the keys of evidence, of the snapshot and of events. The unit is in the
# name (mv millivolts, ms milliseconds, s seconds); amounts are minor units (cents). Numbers never change.
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
    " "
)


def fact(name):
    """The number of a fact; ValueError if FACTS has no such name."""
    at = FACTS.find(" " + name + " ")
    if at < 0:
        raise ValueError(name)
    return FACTS[:at].count(" ") + 1


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
