"""What a policy carries, declared once; the device unpacks it, the laptop checks and packs it.

The payload of the signed envelope (wire/cose.py) is a CBOR array, deterministic as wire/cbor.py writes it:
  [RULES as {key: value}, [SALE row, …], [DISPUTE row, …], [CHARGEBACK row, …], [PERSON row, …]]
Rules are held in the heap of a board and take at most RULES_MAX bytes; rows stay in flash and are read one by one, each an
array of all the fields in their order (null for what is not known), sorted by the first of them. A board reads this page only
while it looks at a policy. Fields are declared as in wire/messages.py. Numbers are for ever. Times are Unix seconds, dates
YYYYMMDD, money minor units of `currency`; a rule that is missing is UNKNOWN to its check.
"""

from .lists import AGREED, CHARGEBACKS, DISPUTES, LEGAL, OPEN, PEOPLE, SALES  # noqa: F401  a policy is one page to the laptop
from .messages import ITEMS

RULES_MAX = 2048

SCHEME = (
    "0 name t 1 16;"  # as the sale names it; "*": every other one
    "1 cap? u 1 999999999999;"  # most of one refund
    "2 window_days? u 1 3650;"  # from the sale on
    "3 max_partial? u 1 1000;"  # refunds of one sale
    "4 spacing_s? u 0 86400;"  # between two of one sale
    "5 refunds? f 0 1;"  # whether bank, terminal and card do refunds at all
    "6 fee_bp? u 0 10000;"  # basis points that the acquirer keeps
)
RATE = "0 currency t 3 3;1 date u 19700101 99991231;2 rate u 1 999999999999;"  # millionths of `currency` a unit
# Times of the bank's maintenance: minutes of each of these days (bit 0 Monday), or from one moment to another. UTC.
WINDOW = "0 days? u 1 127;1 begin_min? u 0 1439;2 end_min? u 1 1440;3 begin? u 0 4294967295;4 end? u 0 4294967295;"
CODE = "0 code t 1 24;1 cause u 1 60;"  # what a response code means at this acquirer
ROLE = "0 name t 1 24;1 limit? u 0 999999999999;2 approves? f 0 1;"  # most of one refund; may be the second person

ITEMS.update({"SCHEME": SCHEME, "RATE": RATE, "WINDOW": WINDOW, "CODE": CODE, "ROLE": ROLE})

RULES = (
    "0 id t 1 24;"
    "1 version u 1 4294967295;"  # rises with every policy; an older one is refused
    "2 valid_from u 0 4294967295;"
    "3 expires u 0 4294967295;"
    "4 terminals? T 1 64;"  # terminal ids it is for
    "5 agents? T 1 64;"  # agent ids it is for
    "6 currency? t 3 3;"  # of all money in it
    # the device
    "10 installed? u 0 4294967295;"
    "11 max_age_days? u 1 36500;"
    "12 max_reboots? u 1 31;"  # within seven days; so many are dated
    "13 max_wear_percent? u 1 100;"
    "14 min_battery? u 1 100;"  # percent
    "15 min_temperature? i -60 100;"  # degrees Celsius
    "16 max_temperature? i -60 100;"
    "17 minimum_version? t 1 24;"
    "18 bad_versions? T 1 32;"
    "19 max_crashes? u 1 10000;"
    "20 models? T 1 32;"
    "21 max_line_errors? u 1 100;"  # percent of the frames
    "22 damage_days? u 1 3650;"  # how long a look at the device counts
    "23 receipt_due? f 0 1;"
    "24 max_ripple_mv? u 1 60000;"
    "25 max_clock_drift_s? u 1 86400;"
    "26 max_host_ms? u 1 60000;"
    "27 max_supply_drift_mv? u 1 60000;"
    # the merchant's account
    "30 account_state? t 1 12;"  # open, frozen, restricted, closed
    "31 account_at? u 0 4294967295;"
    "32 balance? u 0 999999999999;"
    "33 balance_at? u 0 4294967295;"
    "34 account_days? u 1 3650;"  # how long both count
    "35 details_days? u 1 3650;"  # how long a look at number, holder and branch counts
    # disputes
    "40 disputes_at? u 0 4294967295;"
    "41 chargebacks_at? u 0 4294967295;"
    "42 lists_days? u 1 3650;"
    "43 legal_amount? u 1 999999999999;"  # from this on counsel is needed
    # limits
    "50 schemes? l SCHEME 16;"
    "51 max_per_minute? u 1 10000;"
    "52 daily_limit? u 1 999999999999;"
    "53 monthly_limit? u 1 999999999999;"
    "54 min_amount? u 1 999999999999;"
    "55 duplicate_window_s? u 0 31622400;"
    "56 rates? l RATE 32;"
    "57 rate_tolerance_bp? u 0 10000;"
    # the bank
    "70 maintenance? l WINDOW 32;"
    "71 rules_version? u 0 4294967295;"
    "72 announced_version? u 0 4294967295;"
    "73 announced_from? u 0 4294967295;"
    "74 codes? l CODE 64;"
    "75 code_window_s? u 1 86400;"  # how long a host's code speaks against refunds
    # people
    "80 approval_from? u 0 999999999999;"  # amount from which a second person is needed
    "81 approval_s? u 60 31622400;"  # how long an approval counts
    "82 roles? l ROLE 8;"
    "83 pin_tries? u 1 20;"  # wrong ones in a row, then the person is locked out
    "84 guided_from? u 0 999999999999;"  # amount from which the steps of `guide` must be acknowledged
    "85 procedure? t 1 80;"  # where the shop's refund process is written down
    "86 procedure_days? u 1 365;"  # its deadline
    "87 support_until? u 0 4294967295;"
    "88 support? t 1 80;"  # whom to call
    "89 retention_days? u 1 36500;"
    "90 pin_rounds? u 1 100000;"  # of SHA-256 over a PIN
    # how findings count
    "100 unknown? m 0 60;"  # {cause: 0 accepted, 1 WARN, 3 HOLD}; cause 0: every other one
    "101 found? m 1 60;"  # {cause: 1 WARN, 3 HOLD, 4 BLOCK}: stricter than the catalogue, weaker only where that allows it
    "102 max_age_ms? u 100 3600000;"  # a reading older than this is none
    # the gate between till and terminal
    "110 gate_open? f 0 1;"  # whether the line stays open if the agent fails
    "111 gate_reversals? f 0 1;"  # whether 06 30 is checked like a refund
    "112 gate_repeat_s? u 0 86400;"  # a refund of the same amount within so many seconds is taken for the same one
)

# Rows of the lists.
SALE = (
    "0 receipt u 1 9999;1 date u 19700101 99991231;2 amount u 1 999999999999;3 currency t 3 3;"
    "4 card? t 4 4;5 scheme? t 1 16;6 settled? f 0 1;"
)
DISPUTE = "0 receipt u 1 9999;1 date u 19700101 99991231;2 state u 1 3;"
CHARGEBACK = "0 receipt u 1 9999;1 date u 19700101 99991231;"
# trained_until: Unix seconds, 0 never; pin: SHA-256 over salt and PIN, then `pin_rounds` - 1 times over salt and that
PERSON = "0 name t 1 24;1 role t 1 24;2 trained_until u 0 4294967295;3 salt b 8 8;4 pin b 32 32;"
LISTS = (None, SALE, DISPUTE, CHARGEBACK, PERSON)
