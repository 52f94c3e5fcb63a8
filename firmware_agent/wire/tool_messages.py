"""The messages that tools exchange with the agent now and then: the stream, the link's counters, one cause, what is
installed. Declared as in messages.py; a page of its own because a board loads it when one of them is asked for.

The frames of the stream, which are no SMP messages, are declared here too. Each is a CBOR array, packed as wire/hdlc.py does:
  [EVENTS,  number, dropped, [EVENT, …]]        what happened since the last batch; `dropped` events between the two are lost
  [CHANGES, number, uptime_ms, {fact: value}]   values that changed since the last CHANGES or FULL; null: absent now
  [FULL,    number, uptime_ms, {fact: value}]   every value: a reader can join at any time
  [END,     number, reason]                     no frame follows
  [AT_WORK, 0]                                  of no stream: what was asked takes long, and whoever waits shall know that the
                                                line is not dead
`number` counts the frames of one stream from 1: a gap is a lost frame. An EVENT is that of messages.py, facts are those of
names.py. A FULL or CHANGES that is too long for one frame goes on in CHANGES of the same uptime_ms.
"""

from .messages import ITEMS, NOTHING, READ, WRITE

SUBSCRIBE, LINK, CAUSES, MANIFEST, CRASH = 12, 13, 15, 16, 17

EVENTS, CHANGES, FULL, END, AT_WORK = 0, 1, 2, 3, 4  # kinds of frames
RAN_OUT, UNSUBSCRIBED, TAKEN_OVER = 1, 2, 3  # reasons of END: the lease was not renewed; asked for; another subscribed

# ---- requests ----
# Without `stream` another stream begins, and ends the one that runs. With it that one is renewed: no FULL, numbers go on; it
# goes on behind `cursor` where that is given, so that lost events come again, and else where it is. Error no_stream: it is
# not the one that runs.
SUBSCRIBE_REQUEST = (
    # It ends unless renewed within; 0 ends it now. At most ten minutes: nobody may be left who reads it.
    "0 lease_s u 0 600;"
    "1 credit u 1 65535;"  # frames that may be sent until the next request, which sets it anew
    "2 cursor? u 0 4294967295;"  # number of the last event read; missing: 0, of a renewal: where it is
    "3 boot? u 0 4294967295;"  # that the cursor is of; with another boot than ours all events are sent
    "4 every_ms? u 100 60000;"  # least time between two CHANGES; missing: 1000
    "5 full_s? u 1 600;"  # between two FULL; missing: 10
    "6 stream? u 1 4294967295;"
)
CAUSE_REQUEST = "0 number u 1 60;1 lang? t 2 2;"  # en, which it is without, or zh

# ---- answers ----
SUBSCRIBE_ANSWER = (
    "0 stream u 0 4294967295;"  # 0: there was none to end
    "1 boot u 0 4294967295;"
    "2 uptime_ms u 0 281474976710656;"
    "3 lease_s u 0 600;"
    "4 cursor u 0 4294967295;"  # the first event sent is the one behind it
    "5 dropped u 0 4294967295;"  # events behind the cursor asked for that the ring no longer has
)
# All counters since boot. SMP frames: messages, of one or more lines.
LINK_ANSWER = (
    "0 uptime_ms u 0 281474976710656;"  # when the request had come whole
    "1 wall_s? u 0 1099511627776;"
    "2 boot u 0 4294967295;"
    "3 frames_in u 0 4294967296;"  # SMP frames that came whole
    "4 frames_out u 0 4294967296;"  # SMP frames and those of the stream, before this answer
    "5 bytes_in u 0 1099511627776;"
    "6 bytes_out u 0 1099511627776;"
    "7 damaged u 0 4294967296;"  # SMP lines that are no base64, belong to no frame, or end one with a wrong checksum
    "8 dropped u 0 4294967296;"  # bytes of noise, of lines too long and of commands cut by a frame
    "9 resyncs u 0 4294967296;"  # beginnings of a frame found behind something that was neither frame nor line
    "10 cuts u 0 4294967296;"  # times the line was gone, or nobody took what was written
    "11 oldest u 0 4294967295;"  # number of the oldest event that the ring has, 0: of none
    "12 last u 0 4294967295;"  # of the last event
    "13 lost u 0 4294967296;"  # events that the ring dropped before the stream could send them
    "14 stream? u 1 4294967295;"  # that runs
    "15 lease_ms? u 0 600000;"  # left of it
    "16 credit? u 0 65535;"  # left of it
    "17 frames? u 0 4294967295;"  # of it
)
CAUSE_ANSWER = (
    "0 number u 1 60;"
    "1 key t 1 40;"
    "2 family t 1 24;"
    "3 found u 0 4;"  # status where it is present
    "4 weaker f 0 1;"  # the policy may make it weaker
    "5 sources t 1 4;"  # letters, as in causes.py
    "6 who t 1 60;"  # mends it: words of causes.py, joined by +
    "7 text t 1 255;"  # the cause and its remedy, in the language asked for
)
MANIFEST_ANSWER = (
    "0 agent_version t 1 24;"
    "1 runtime t 1 24;"
    "2 runtime_version t 1 40;"
    "3 board t 1 24;"
    "4 agent_id t 8 8;"
    "5 command u 0 255;"  # the highest of this group
    "6 files? u 0 65535;"  # of the agent's code; these three are missing where it is part of the firmware
    "7 bytes? u 0 4294967295;"
    "8 digest? b 32 32;"  # SHA-256 over name, NUL, SHA-256 of the content of each, in the order of their names
    "9 terminal_model? t 0 80;"
    "10 terminal_version? t 0 80;"
    "11 terminal_id? t 0 80;"
    "12 policy_state u 0 4;"  # as fact policy_state
    "13 policy_id? t 0 24;"
    "14 policy_version? u 0 4294967295;"
    "15 policy_size? u 0 16777216;"  # bytes of its envelope
    "16 policy_digest? b 32 32;"  # SHA-256 of it
    "17 journal_size u 0 4294967295;"  # bytes of its region
    "18 journal_last u 0 4294967295;"  # number of its last record
    "19 journal_digest h 16 16;"  # digest of that record: it proves every record before it
)
# Where a crash came from, outermost first. Names are those of the agent's files and functions; line 0: not known.
SPOT = "0 module t 1 24;1 line u 0 65535;2 function t 1 24;"
# The last crash that the journal has; only the first two fields where it has none.
CRASH_ANSWER = (
    "0 faults u 0 4294967295;"  # of parts of the agent that started anew, since boot
    "1 crashes? u 0 4294967295;"  # as fact crashes
    "2 boot? u 0 4294967295;"  # the number of the boot that it ended; 0: its journal was not open yet
    "3 wall_s? u 0 1099511627776;"
    "4 uptime_ms? u 0 281474976710656;"
    "5 reason? u 0 15;"  # its place in wire.bodies.REASONS
    "6 text? t 0 120;"
    "7 places? l SPOT 6;"
)

ITEMS["SPOT"] = SPOT

# As in messages.py.
COMMANDS = {
    SUBSCRIBE: ("subscribe", WRITE, SUBSCRIBE_REQUEST, SUBSCRIBE_ANSWER),
    LINK: ("link", READ, NOTHING, LINK_ANSWER),
    CAUSES: ("causes", READ, CAUSE_REQUEST, CAUSE_ANSWER),
    MANIFEST: ("manifest", READ, NOTHING, MANIFEST_ANSWER),
    CRASH: ("crash", READ, NOTHING, CRASH_ANSWER),
}
