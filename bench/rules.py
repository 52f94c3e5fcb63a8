"""The conditions of the sixty checks, for libraries that know rules: one expression a cause, true where our check says PASS.

Written in what all of these libraries know: comparisons, `in`, and, or, not, sums and products, over the flat facts of
facts.py. What none or not all of them know is a fact already: dates and days, bits, versions as numbers, sums of the journal.
Where a fact may be None it is compared with None first, as our checks do, for some libraries refuse to compare it otherwise.
"""

_RULES = """
1: not silent and 0 not in coded and 1 not in coded and lock_1 == 0
2: 2 not in coded and frames != None and (errors < 3 or errors * 100 <= frames * max_line_errors)
3: (max_age_days != None or max_reboots != None or max_wear != None or max_drift != None or min_battery != None)
   and (max_reboots == None or reboots != None and reboots <= max_reboots)
   and (max_wear == None or wear != None and wear <= max_wear)
   and (max_drift == None or drift_mv != None and drift_mv <= max_drift)
   and (min_battery == None or battery != None and battery >= min_battery)
   and (max_age_days == None or age_s != None and age_s <= max_age_days * 86400)
4: lock_4 == 0 and 4 not in coded and supply_ok == 1 and (max_ripple == None or ripple == None or ripple <= max_ripple)
5: cut == 0 and lost == 0
6: temperature != None and temperature >= min_temperature and temperature <= max_temperature
7: version != None and bad_versions != None and version not in bad_versions
   and (max_crashes == None or crashes != None and crashes <= max_crashes)
8: minimum_number != None and version_number != None and version_number >= minimum_number
9: not silent and 9 not in coded
10: not silent and 10 not in coded and lock_10 == 0
11: (noise == None or noise != 0) and damage != None and damage != 0
    and damage_ago != None and damage_ago >= 0 and damage_ago <= damage_days * 86400
12: not silent and 12 not in coded and lock_12 == 0 and state != None and state != 2 and state != 3
13: not silent and (open > 0 or lock_13 == 0 and 13 not in coded and (fault_s == None or fault_s == 0))
14: works and lost == 0 and not silent and 14 not in coded and lock_14 == 0
15: 15 not in coded and network_ok == 1 and (max_host_ms == None or host_ms == None or host_ms <= max_host_ms)
16: wall != None and 16 not in coded and drift_s != None and drift_s >= 0 - max_drift_s and drift_s <= max_drift_s
17: not silent and 17 not in coded and lock_17 == 0
18: 18 not in coded and balance != None and currency == home and balance_ago != None and balance_ago >= 0 - 86400
    and balance_ago <= account_days * 86400 and amount <= balance - spent
19: 19 not in coded and account_state == "open" and account_ago != None and account_ago >= 0 - 86400
    and account_ago <= account_days * 86400
20: 20 not in coded and details != None and details != 0
    and details_ago != None and details_ago >= 0 and details_ago <= details_days * 86400
21: not silent and 21 not in coded and lock_21 == 0 and registered
    and terminal_id != None and terminals != None and terminal_id in terminals
22: dispute != "open" and (told_dispute == None and disputes_known or told_dispute != None and told_dispute != 0)
23: 23 not in coded and chargebacks_known and not charged_back
24: kept != None and kept != 0 or disputes_known and dispute == None and told_dispute == None
25: cleared != None and cleared != 0 or cleared == None and disputes_known and dispute != "legal"
    and legal_amount != None and currency == home and amount < legal_amount
26: 26 not in coded and cap != None and currency == home and amount <= cap
27: 27 not in coded and window_days != None and sale_days != None and sale_days <= window_days
28: (max_partial == None or earlier < max_partial) and (max_partial != None or spacing != None)
    and (spacing == None or earlier == 0 or last_ago != None and (last_ago < 0 or last_ago >= spacing))
    and lost == 0 and not forgotten
29: 29 not in coded and max_per_minute != None and requests != None and requests < max_per_minute
30: (daily_limit != None or monthly_limit != None) and wall != None and currency == home and lost == 0
    and (daily_limit == None or today + amount <= daily_limit)
    and (monthly_limit == None or this_month + amount <= monthly_limit)
31: 31 not in coded and sale_amount != None and amount <= sale_amount - approved - doubt and lost == 0
32: 32 not in coded and (sale_amount == None and approved == 0
    or sale_amount != None and approved < sale_amount and lost == 0)
33: 33 not in coded and lock_33 == 0 and settled == True
34: 34 not in coded and sale_amount != None
35: not wrong and lost == 0
36: 36 not in coded and sale_currency != None and sale_currency == currency
37: home != None and (currency == home or consent != None and consent != 0
    or consent == None and rate_then != None and rate_now != None and tolerance != None
    and (rate_now - rate_then) * 10000 < (tolerance + 1) * rate_then
    and (rate_then - rate_now) * 10000 < (tolerance + 1) * rate_then)
38: fee_bp != None
39: 39 not in coded and card != None and sale_card != None and card == sale_card
40: 40 not in coded and expiry != None and this_expiry != None and expiry >= this_expiry
41: not silent and 41 not in coded
42: not silent and 42 not in coded
43: not silent and 43 not in coded and (min_amount == None or currency == home and amount >= min_amount)
44: 44 not in coded and maintenance_known and wall != None and maintenance_until == None
45: rules_version != None and announced != None and (rules_version >= announced
    or announced_from != None and wall != None and wall < announced_from)
46: model != None and models != None and model in models
47: not silent and 47 not in coded and lock_47 == 0 and (state == None or state != 1)
48: not silent and 48 not in coded and refunds == True
49: trained_until != None and wall != None and trained_until > wall
50: role != None and tries < pin_tries and (role_limit == None or currency == home and amount <= role_limit)
51: approval_from != None and currency == home and (amount < approval_from
    or approved_amount == amount and approved_key == key and approved_by != operator
    and approved_ago != None and approved_ago >= 0 and approved_ago <= approval_s)
52: policy_state == 0 and procedure != None and procedure_days != None
53: 53 not in coded and not forgotten and (same_key == None and lost == 0
    or same_key != None and not same_open and same_ago != None and same_ago > duplicate_window_s)
54: 54 not in coded and doubtful == 0 and lost == 0
55: not silent and 55 not in coded and offline == 0
56: not silent and 56 not in coded and lock_56 == 0 and tls == 1
57: policy_state == 0 and (expires == None
    or wall != None and wall < expires and (valid_from == None or wall >= valid_from))
58: support_until != None and wall != None and wall <= support_until
59: step != None and step >= steps
    or step == None and guided_from != None and currency == home and amount < guided_from
60: retention_days != None and oldest_ago != None and (given_up == 0 or oldest_ago >= retention_days * 86400)
"""


def _read(text):
    rules = {}
    for line in text.strip().split("\n"):
        if line[0].isdigit():
            cause, _, line = line.partition(":")
            rules[int(cause)] = ""
        rules[int(cause)] += " " + line.strip()
    return {cause: rule.strip() for cause, rule in rules.items()}


RULES = _read(_RULES)
