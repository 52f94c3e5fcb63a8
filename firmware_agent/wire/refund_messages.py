"""The messages by which a refund is asked for, settled by a person, and found again. Declared as in messages.py; a page of
its own because a board loads it when one of them comes, and lets it go.
"""

from .messages import FIND, READ, REFUND, REFUND_REQUEST, SETTLE, WRITE

# ---- requests ----
SETTLE_REQUEST = (
    "0 key t 1 36;"
    "1 done f 0 1;"  # true: it was executed; false: it was not
    "2 by t 1 24;"  # who attests it
    "3 role t 1 24;"
    "4 reason t 1 80;"  # what shows it: the receipt, the host's list …
)
FIND_REQUEST = "0 key t 1 36;"  # of a refund

# ---- answers ----
REFUND_ANSWER = (
    "0 key t 1 36;"
    "1 state u 0 6;"  # NEW: held by the verdict, nothing was journaled
    "2 final f 0 1;"  # false: under way, ask again with the same key
    "3 earlier f 0 1;"  # true: the answer to an earlier request with this key
    "4 verdict? u 0 4;"
    "5 findings? l FINDING 60;"
    "6 receipt? u 0 9999;"  # of the refund itself
    "7 trace? u 0 999999;"
    "8 result_code? u 0 255;"  # of 04 0F or 06 1E
    "9 cause? u 1 60;"  # what the result code speaks of
    "10 amount u 1 999999999999;"
    "11 currency t 3 3;"
    "12 sale_receipt u 0 9999;"  # 0: of a till's refund that could not be tied to a sale
    "13 attested_by? t 1 24;"  # the person who settled it
    "14 role? t 1 24;"
    "15 reason? t 1 80;"
    "16 passed? b 0 60;"
)

COMMANDS = {
    REFUND: ("refund", WRITE, REFUND_REQUEST, REFUND_ANSWER),
    SETTLE: ("settle", WRITE, SETTLE_REQUEST, REFUND_ANSWER),
    FIND: ("find", READ, FIND_REQUEST, REFUND_ANSWER),
}
