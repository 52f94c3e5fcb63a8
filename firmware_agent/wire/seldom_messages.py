"""The messages by which people attest and approve, a policy is put, and journal and gate are looked at. Declared as
in messages.py; a page of its own because a board loads it when one of them comes, and lets it go.
"""

from .messages import (
    ACCEPT,
    APPROVE,
    ATTEST,
    GATE,
    ITEMS,
    JOURNAL,
    NOTHING,
    POLICY,
    POLICY_PUT,
    READ,
    WRITE,
)

# ---- requests ----
ACCEPT_REQUEST = (
    "0 by t 1 24;"  # who looked into what is missing from the journal
    "1 role t 1 24;"
    "2 reason t 1 80;"
)
ATTEST_REQUEST = (
    "0 what u 1 16;"  # ATTESTATIONS
    "1 value u 0 999999999999;"  # 0 no or bad, 1 yes or good; of guide the step done
    "2 by t 1 24;"
    "3 role t 1 24;"
    "4 receipt? u 1 9999;"  # of the sale it is about; without: of the shop
    "5 text? t 1 80;"
    "6 digest? b 32 32;"  # SHA-256 of what is referred to
)
APPROVE_REQUEST = (
    "0 key t 1 36;"  # of the refund that is approved
    "1 receipt u 1 9999;"
    "2 amount u 1 999999999999;"
    "3 by t 1 24;"  # on the policy's roster
    "4 pin t 4 12;"
)
# A policy is put in pieces. The first piece has no data and says what comes; every answer says how much is there, so that
# whoever lost the link goes on with that.
POLICY_PUT_REQUEST = (
    "0 size u 1 16777216;"  # bytes of the envelope
    "1 digest b 32 32;"  # its SHA-256
    "2 offset u 0 16777216;"
    "3 data? b 1 1024;"
    "4 anew? f 0 1;"  # forget what is there of it
)

# ---- answers ----
ATTEST_ANSWER = "0 number u 1 4294967295;1 wall_s? u 0 1099511627776;"  # of its record in the journal
POLICY_ANSWER = (
    "0 state u 0 4;"  # as fact policy_state
    "1 id? t 1 24;"
    "2 version? u 0 4294967295;"
    "3 valid_from? u 0 4294967295;"
    "4 expires? u 0 4294967295;"
    "5 size? u 0 16777216;"  # bytes of the envelope
    "6 digest? b 32 32;"
    "7 room u 0 16777216;"  # most bytes of an envelope
    "8 counter u 0 4294967295;"  # versions below are refused
    "9 signer? b 0 32;"  # key id
    "10 have? u 0 16777216;"  # bytes of the one that is being put
    "11 rows? a 0 4;"  # of the lists
    "12 crc? u 0 4294967295;"  # CRC-32 of the bytes that are there
)
# A place in the journal that is not as it was written; lost 0: of a record that was cut, a header, or bytes nobody needs.
PLACE = "0 address u 0 4294967295;1 bytes u 0 4294967295;2 lost u 0 4294967295;3 number u 0 4294967295;"
JOURNAL_ANSWER = (
    "0 size u 0 4294967295;"  # bytes of the region
    "1 sector u 1 16777216;"
    "2 unit u 1 4096;"
    "3 oldest u 0 4294967295;"  # generation of the oldest sector that counts; generation g is sector g % (size / sector)
    "4 newest u 0 4294967295;"
    "5 end u 0 4294967295;"  # address behind the last record
    "6 last u 0 4294967295;"  # number of the last record
    "7 digest h 16 16;"  # its digest, hexadecimal
    "8 damaged u 0 4294967295;"  # places
    "9 lost u 0 4294967295;"  # records that counted, are missing or altered, and were not accepted
    "10 places l PLACE 16;"  # the first of them
)
# What a till wanted of its terminal: a refund (kind 1) or the reversal of a sale (2); became: 0 under way, 1 held, 2 done, 3
# declined or never done, 4 nobody knows.
WISH = (
    "0 ago_ms u 0 281474976710656;"
    "1 kind u 1 2;"
    "2 amount u 0 999999999999;"
    "3 currency t 0 3;"
    "4 receipt u 0 9999;"  # of the sale that it was tied to, 0 for none
    "5 became u 0 4;"
    "6 cause u 0 60;"  # that speaks against it
    "7 key t 0 36;"
    "8 fits? a 0 4;"  # receipts of the sales that fit, where that is more than one
)
GATE_ANSWER = (
    "0 commands u 0 4294967296;"  # messages of the till that passed
    "1 answers u 0 4294967296;"  # of the terminal
    "2 lost u 0 4294967296;"  # bytes that nobody took
    "3 sales u 0 4294967296;"  # seen to be approved
    "4 wishes u 0 4294967296;"
    "5 held u 0 4294967296;"
    "6 done u 0 4294967296;"
    "7 not_done u 0 4294967296;"
    "8 unknown u 0 4294967296;"
    "9 failed f 0 1;"  # the agent met a fault of its own with the last wish
    "10 talking f 0 1;"  # the till has something under way
    "11 rows l WISH 12;"  # the last wishes, oldest first
)

ITEMS.update({"PLACE": PLACE, "WISH": WISH})

# As in messages.py.
COMMANDS = {
    JOURNAL: ("journal", READ, NOTHING, JOURNAL_ANSWER),
    ACCEPT: ("accept", WRITE, ACCEPT_REQUEST, JOURNAL_ANSWER),
    ATTEST: ("attest", WRITE, ATTEST_REQUEST, ATTEST_ANSWER),
    APPROVE: ("approve", WRITE, APPROVE_REQUEST, ATTEST_ANSWER),
    POLICY: ("policy", READ, NOTHING, POLICY_ANSWER),
    POLICY_PUT: ("policy_put", WRITE, POLICY_PUT_REQUEST, POLICY_ANSWER),
    GATE: ("gate", READ, NOTHING, GATE_ANSWER),
}
