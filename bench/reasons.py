"""Why a cause does not pass, for libraries that know rules: asked of a cause whose rule (rules.py) is not true.

The lines of a cause in their order; the first whose condition is true, or that has none, tells: what is missing (UNKNOWN), or
that it is found, with the catalogue's status or another one. If none is true it is found. "in" at the end of what is missing:
the currency of the request belongs behind it. The conditions are written as in rules.py, over the facts of facts.py.
"""

FOUND = "found"
STATUSES = ("WARN", "HOLD", "BLOCK")

_REASONS = """
1: silent or 0 in coded -> terminal
2: 2 not in coded and frames == None -> terminal_line
3: max_reboots != None and reboots != None and reboots > max_reboots
   or max_wear != None and wear != None and wear > max_wear
   or max_drift != None and drift_mv != None and drift_mv > max_drift
   or min_battery != None and battery != None and battery < min_battery
   or max_age_days != None and age_s != None and age_s > max_age_days * 86400 -> found
3: max_reboots != None and reboots == None -> reboots
3: max_wear != None and wear == None -> wear_percent
3: max_drift != None and drift_mv == None -> supply_drift_mv
3: min_battery != None and battery == None -> battery_percent
3: max_age_days != None and installed == None -> policy: installed
3: max_age_days != None -> clock
3: -> policy: max_age_days
4: lock_4 == 0 and 4 not in coded and supply_ok == None -> supply
5: cut == 0 -> journal
6: temperature == None -> temperature
7: crashes != None and max_crashes != None and crashes > max_crashes -> found
7: bad_versions == None -> policy: bad_versions
7: version == None -> terminal_version
7: version not in bad_versions -> crashes
8: minimum_number == None -> policy: minimum_version
8: version_number == None -> terminal_version
9: 9 not in coded -> terminal
10: lock_10 == 0 and 10 not in coded -> terminal
11: (damage == None or damage != 0) and (noise == None or noise != 0) -> attest: damage
12: state == 2 or state == 3 or lock_12 != 0 or 12 in coded -> found
12: silent -> terminal
12: -> terminal_state
13: silent and lock_13 == 0 and 13 not in coded -> terminal
14: works and lost == 0 and lock_14 == 0 and 14 not in coded -> terminal
15: 15 not in coded and network_ok == None -> network
16: wall != None and 16 not in coded and drift_s == None -> reference clock
17: lock_17 == 0 and 17 not in coded -> terminal
17: receipt_due == False -> WARN
18: 18 in coded -> found
18: wall == None -> clock
18: balance == None or home == None or balance_ago == None or balance_ago < 0 - 86400
    or balance_ago > account_days * 86400 -> policy: balance
18: currency != home -> policy: balance in
19: 19 in coded or account_state != None and account_state != "open" -> found
19: account_state != None and wall == None -> clock
19: -> policy: account_state
20: 20 not in coded and (details == None or details != 0) -> attest: account_details
21: lock_21 != 0 or 21 in coded or not registered -> found
21: silent -> terminal
21: terminals == None -> policy: terminals
21: terminal_id == None -> terminal_id
22: told_dispute == None and not disputes_known -> policy: disputes
23: 23 not in coded and not chargebacks_known -> policy: chargebacks
24: not disputes_known and told_dispute == None -> policy: disputes
25: cleared != None or dispute == "legal" or legal_amount != None and currency == home and amount >= legal_amount -> found
25: legal_amount == None -> policy: legal_amount
25: not disputes_known -> policy: disputes
25: -> policy: legal_amount in
26: 26 in coded -> found
26: cap == None -> policy: cap
26: currency != home -> policy: cap in
27: 27 in coded -> found
27: window_days == None -> policy: window_days
27: wall == None -> clock
27: sale_days == None -> sale_date
28: max_partial != None and earlier >= max_partial -> found
28: spacing != None and earlier > 0 and last_ago == None -> clock
28: spacing != None and earlier > 0 and last_ago >= 0 and last_ago < spacing -> found
28: lost > 0 or forgotten -> journal
28: -> policy: max_partial
29: 29 not in coded and (max_per_minute == None or requests == None) -> policy: max_per_minute
30: daily_limit == None and monthly_limit == None -> policy: daily_limit
30: wall == None -> clock
30: currency != home -> policy: daily_limit in
30: (daily_limit == None or today + amount <= daily_limit)
    and (monthly_limit == None or this_month + amount <= monthly_limit) -> journal
31: 31 in coded -> found
31: sale_amount == None -> sale_amount
31: amount <= sale_amount - approved - doubt -> journal
32: 32 in coded -> found
32: sale_amount == None -> sale_amount
32: approved < sale_amount -> journal
33: lock_33 != 0 or 33 in coded or settled == False -> found
33: silent -> terminal
33: -> settled
34: unnamed -> HOLD
34: 34 not in coded and (ahead == None or ahead == 0 or ahead >= 5000) -> sale
35: not wrong -> journal
36: 36 in coded -> found
36: sale_currency == None -> sale_currency
36: uncounted -> terminal
37: home == None -> policy: currency
37: consent != None -> found
37: wall == None -> clock
37: sale_date == None -> sale_date
37: rate_then == None or rate_now == None or tolerance == None -> policy: rates
38: not fees_known -> policy: fee_bp
38: not scheme_known -> scheme
39: 39 in coded -> found
39: card == None -> card
39: sale_card == None -> sale_card
40: 40 in coded -> found
40: expiry == None -> expiry
40: wall == None -> clock
41: 41 not in coded -> terminal
42: 42 not in coded -> terminal
43: 43 in coded or min_amount != None and currency == home and amount < min_amount -> found
43: silent -> terminal
43: -> policy: min_amount in
44: 44 in coded -> found
44: not maintenance_known -> policy: maintenance
44: wall == None -> clock
45: rules_version == None or announced == None -> policy: rules_version
45: announced_from != None and wall == None -> clock
46: models == None -> policy: models
46: model == None -> terminal_model
47: state == 1 or lock_47 != 0 or 47 in coded -> found
47: -> terminal
48: 48 in coded or refunds == False -> found
48: silent -> terminal
48: -> policy: refunds
49: operator == None -> operator
49: not roles_known -> policy: roles
49: trained_until == None -> policy: person
49: wall == None -> clock
50: operator == None -> operator
50: not roles_known -> policy: roles
50: role != None and tries < pin_tries and role_limit != None and currency != home -> policy: roles in
51: approval_from == None -> policy: approval_from
51: currency != home -> policy: approval_from in
52: policy_state != 0 -> policy: procedure
53: not forgotten and 53 not in coded and same_key == None -> journal
54: doubtful == 0 and 54 not in coded -> journal
54: doubtful > 0 and doubtful_here == 0 -> WARN
55: 55 in coded -> found
55: silent -> terminal
55: offline == None -> terminal_offline
56: lock_56 != 0 or 56 in coded or tls == 0 -> found
56: silent -> terminal
56: -> network_tls
57: policy_state == 0 and wall == None -> clock
58: support_until == None -> policy: support_until
58: wall == None -> clock
59: step != None -> found
59: guided_from == None -> policy: guided_from
59: currency != home -> policy: guided_from in
60: retention_days == None -> policy: retention_days
60: oldest_ago == None -> clock
"""


def _lines(text):
    """Yields (cause, condition, outcome)."""
    whole = []
    for line in text.strip().split("\n"):
        if line[0].isdigit():
            whole.append("")
        whole[-1] += " " + line.strip()
    for line in whole:
        cause, _, rest = line.partition(":")
        condition, _, outcome = rest.partition("->")
        yield int(cause), condition.strip(), outcome.strip()


def _grouped(text):
    reasons = {}
    for cause, condition, outcome in _lines(text):
        reasons.setdefault(cause, []).append((condition, outcome))
    return reasons


REASONS = _grouped(_REASONS)
