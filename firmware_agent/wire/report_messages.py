"""The messages by which the agent says what it knows and what happened. Declared as in messages.py; a page of its own because
a board loads it when one of them comes, and lets it go.
"""

from .messages import EVENTS_SINCE, READ, STATUS

# ---- requests ----
STATUS_REQUEST = "0 wall_s? u 1000000000 4294967295;"  # the asking computer's clock
EVENTS_REQUEST = (
    "0 cursor u 0 4294967295;"  # number of the last event already read; 0 for all
    "1 max_bytes? u 64 2048;"
)

# ---- answers ----
STATUS_ANSWER = (
    "0 agent_version t 1 24;"
    "1 runtime t 1 24;"  # cpython or micropython
    "2 runtime_version t 1 40;"
    "3 board t 1 24;"
    "4 boot u 0 4294967295;"  # how often this journal was opened
    "5 uptime_ms u 0 281474976710656;"
    "6 wall_s? u 0 1099511627776;"  # Unix seconds; missing: the clock was never set
    "7 heap_free? u 0 1099511627776;"  # bytes, after a collection; missing where the runtime cannot tell
    "8 heap_peak? u 0 1099511627776;"  # highest use seen after a collection
    "9 verdict u 0 4;"  # of the hardware alone, without a request
    "10 findings l FINDING 60;"
    "11 values v 0 64;"
    "12 journal_used u 0 1099511627776;"  # bytes
    "13 journal_size u 0 1099511627776;"
    "14 refunds u 0 4294967296;"  # known to the journal
    "15 in_doubt u 0 4294967296;"
    "16 light t 0 8;"  # off, green, amber, red
    "17 last_event u 0 4294967295;"
    "18 heap_used? u 0 1099511627776;"
    "19 agent_id t 8 8;"  # random, made with the journal: tells one agent from another behind the same cable
)
EVENTS_ANSWER = (
    "0 events l EVENT 200;"
    "1 next u 0 4294967295;"  # cursor for the next call
    "2 dropped u 0 4294967295;"  # events after the cursor that the ring no longer has
    "3 boot u 0 4294967295;"  # event numbers start anew with it
    "4 uptime_ms u 0 281474976710656;"
)

COMMANDS = {
    STATUS: ("status", READ, STATUS_REQUEST, STATUS_ANSWER),
    EVENTS_SINCE: ("events_since", READ, EVENTS_REQUEST, EVENTS_ANSWER),
}
