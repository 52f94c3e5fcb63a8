"""The sixty causes that keep a refund from working: number, key, family, sources, status when found, who mends it.

Numbers and keys are for ever. Sources: T terminal or board, P policy, H a host's or terminal's response code, O a person.
Found: the status when the cause is present; `?` behind it means that the policy may weaken it. Who: one of WHO, several
joined by `+`. The table is one text so that a board keeps 3 kB of it and no objects; texts for people are on the laptop.
"""

PEOPLE = (
    "merchant",
    "operator",
    "supervisor",
    "technician",
    "deployer",
    "acquirer",
    "bank",
    "cardholder",
    "issuer",
    "agent",
    "wait",
)

TABLE = """\
1 terminal_fault device T BLOCK technician
2 link_errors device T HOLD technician
3 device_ageing device TP WARN deployer
4 supply_unstable power T HOLD merchant
5 power_lost_mid_refund power T BLOCK agent+operator
6 temperature device T HOLD merchant
7 software_defect software TP BLOCK deployer
8 software_outdated software TP BLOCK? deployer
9 update_running software T HOLD wait
10 part_defective device T BLOCK technician
11 visible_damage device O HOLD technician
12 tampered device T BLOCK acquirer
13 restart_not_tried device T WARN operator
14 log_full storage T HOLD operator
15 network_down network T HOLD merchant
16 clock_wrong network T HOLD agent
17 printer_not_ready device T HOLD? operator
18 settlement_balance_low account PHO HOLD merchant
19 account_frozen account PHO BLOCK merchant+bank
20 account_details_wrong account OP HOLD merchant+bank
21 not_registered account TPH BLOCK deployer
22 dispute_open dispute PO HOLD merchant
23 chargeback_paid dispute PH BLOCK merchant
24 evidence_missing dispute O WARN operator
25 legal_review dispute P HOLD merchant
26 amount_over_cap limit TPH BLOCK merchant+acquirer
27 window_expired limit TPH BLOCK merchant
28 partial_refund_limit limit TP BLOCK wait+merchant
29 rate_limited limit TPH HOLD wait
30 period_limit limit TP HOLD merchant
31 amount_over_remaining sale T BLOCK operator
32 already_refunded sale T BLOCK operator
33 not_settled sale TH BLOCK operator
34 original_not_found sale TH BLOCK operator
35 wrong_original sale T BLOCK operator+acquirer
36 currency_mismatch sale TH BLOCK operator
37 fx_changed sale PO HOLD operator
38 fee_rate_unsupported sale P HOLD merchant+acquirer
39 card_mismatch card TH BLOCK operator
40 card_expired card TH HOLD operator+issuer
41 card_status card TH BLOCK cardholder+issuer
42 card_limit card TH HOLD cardholder+issuer
43 invalid_transaction card TH BLOCK operator
44 bank_maintenance bank PH HOLD wait
45 bank_rules_changed bank P HOLD deployer
46 model_not_approved bank TP WARN deployer
47 setup_incomplete bank TP BLOCK technician
48 refund_not_supported bank TPH BLOCK merchant
49 operator_untrained people P HOLD merchant
50 operator_not_allowed people TP BLOCK supervisor
51 approval_missing people PO HOLD supervisor
52 no_refund_procedure people P HOLD merchant
53 duplicate_request doubt TH BLOCK operator
54 outcome_unknown doubt THO BLOCK agent+operator+acquirer
55 offline_backlog doubt T HOLD agent+operator
56 link_insecure security TH BLOCK deployer
57 policy_invalid security P HOLD deployer
58 support_expired people P WARN deployer
59 guidance_not_followed people O HOLD operator
60 compliance people PT WARN merchant
"""


class Cause:
    """One row: number, key, family, sources (letters), found (status name), weakenable (bool), who (tuple of PEOPLE)."""

    def __init__(self, line):
        number, self.key, self.family, self.sources, found, who = line.split(" ")
        self.number = int(number)
        self.weakenable = found[-1] == "?"
        self.found = found[:-1] if self.weakenable else found
        self.who = tuple(who.split("+"))


def cause(number):
    """The Cause of a number; ValueError if there is none."""
    start = TABLE.find("\n%d " % number) + 1  # 0 where not found: the first row has no line end before it
    if start == 0 and number != 1:
        raise ValueError("no cause %d" % number)
    return Cause(TABLE[start : TABLE.find("\n", start)])


def every_cause():
    """All of them, by number."""
    return [Cause(line) for line in TABLE.split("\n") if line]
