"""What our checks see of one case, as one flat dictionary of numbers, texts, booleans, None and lists of texts or numbers.

Libraries that know rules know no journal, no calendar and no lists of a policy: what our checks ask these for stands in it
already. `Facts` puts it together by the shortest code that was found: what only the policy says is put together once.
"""

from firmware_agent import dates
from firmware_agent.checks import bank
from firmware_agent.checks.software import parts
from firmware_agent.sums import periods
from firmware_agent.wire.lists import AGREED, CHARGEBACKS, LEGAL, OPEN
from firmware_agent.wire.messages import IN_DOUBT, PASS, SENT

_LOCKS = {  # bits of TLV 1F55 that speak of a cause
    "lock_1": 1 << 3 | 1 << 4 | 1 << 13,
    "lock_4": 1 << 10,
    "lock_10": 1 << 8 | 1 << 9 | 1 << 14,
    "lock_12": 1 << 0,
    "lock_13": 1 << 5,
    "lock_14": 1 << 15,
    "lock_17": 1 << 2,
    "lock_21": 1 << 11,
    "lock_33": 1 << 7,
    "lock_47": 1 << 1 | 1 << 6,
    "lock_56": 1 << 12,
}
_UNLOCKED = dict.fromkeys(_LOCKS, 0)
_RULES = {  # name of a fact: name of the policy's rule
    "home": "currency",
    "announced": "announced_version",
    "max_wear": "max_wear_percent",
    "max_drift": "max_supply_drift_mv",
    "max_ripple": "max_ripple_mv",
    "max_drift_s": "max_clock_drift_s",
    "tolerance": "rate_tolerance_bp",
}
_SAME = """
max_reboots min_battery max_age_days min_temperature max_temperature bad_versions max_crashes damage_days installed
max_host_ms balance account_days account_state details_days terminals legal_amount max_per_minute daily_limit monthly_limit
min_amount rules_version announced_from models pin_tries approval_from approval_s procedure procedure_days duplicate_window_s
expires valid_from support_until guided_from retention_days max_line_errors receipt_due
"""
_STATES = {OPEN: "open", AGREED: "agreed", LEGAL: "legal"}


class Facts:
    """Of cases with a request, under one policy and with one terminal."""

    def __init__(self, policy, terminal):
        rule = policy.get
        self.letters = {number: name for name, number in terminal.currencies.items()}
        self.numbers = terminal.currencies
        self.of_policy = {name: rule(name) for name in _SAME.split()}
        self.of_policy.update({name: rule(its) for name, its in _RULES.items()})
        self.of_policy.update(
            minimum_number=_number(rule("minimum_version")),
            maintenance_known=rule("maintenance") is not None,
            policy_state=policy.state,
            fees_known=any("fee_bp" in row for row in rule("schemes") or ()),
            roles_known=bool(rule("roles")),
        )
        self.accepts_unknown_sales = (rule("unknown") or {}).get(34) == PASS

    def __call__(self, case):
        request, policy, wall_s, history = case.request, case.policy, case.wall_s, case.history
        sale, earlier, rule, seen, fact = case.sale, case.earlier, case.rule, case.seen, case.fact
        asked, scheme, told = request.get, case.scheme.get, case.told
        receipt, amount, currency = request["receipt"], request["amount"], request["currency"]
        if wall_s is None:
            day = today = month = date = None
        else:
            today, month = periods(wall_s)
            day = today
            date = dates.date_of(day)
        found = dict(self.of_policy)
        if case.locks:
            for name, bits in _LOCKS.items():
                found[name] = case.locks & bits
        else:
            found.update(_UNLOCKED)

        # the terminal and the board
        found["silent"] = case.silent
        found["coded"] = list(case.codes)
        found["wall"] = wall_s
        found["frames"] = fact("line_frames")
        found["errors"] = fact("line_errors") or 0
        found["temperature"] = fact("temperature_c")
        found["state"] = fact("terminal_state")
        found["network_ok"] = fact("network_ok")
        found["offline"] = fact("terminal_offline")
        found["registered"] = fact("terminal_registered") != 0
        found["supply_ok"] = case.snapshot.get("supply_ok", 2000)
        found["reboots"] = seen("reboots")
        found["wear"] = seen("wear_percent")
        found["drift_mv"] = seen("supply_drift_mv")
        found["battery"] = seen("battery_percent")
        found["ripple"] = seen("supply_ripple_mv")
        found["version"] = version = seen("terminal_version")
        found["version_number"] = _number(version)
        found["crashes"] = seen("crashes")
        found["fault_s"] = seen("terminal_fault_s")
        found["host_ms"] = seen("network_host_ms")
        found["drift_s"] = seen("clock_drift_s")
        found["terminal_id"] = seen("terminal_id")
        found["model"] = seen("terminal_model")
        found["requests"] = seen("requests")
        found["tls"] = seen("network_tls")

        # the request
        found["amount"] = amount
        found["currency"] = currency
        found["key"] = asked("key")
        found["operator"] = name = asked("operator")
        found["card"] = asked("card")
        found["expiry"] = asked("expiry")
        found["unnamed"] = bool(asked("fits")) or not (receipt or self.accepts_unknown_sales)

        # the scheme
        for name_ in ("cap", "window_days", "max_partial", "refunds", "fee_bp"):
            found[name_] = scheme(name_)
        found["spacing"] = scheme("spacing_s") or None
        found["scheme_known"] = bool(sale.scheme is not None or case.scheme)

        # what people said
        for name_, word in (("damage", case.attested("damage")), ("details", case.attested("account_details"))):
            found[name_] = word and word[3]
            found[name_ + "_ago"] = None if not word or word[4] is None or wall_s is None else wall_s - word[4]
        word = case.attested("noise")
        found["noise"] = word and word[3]
        word = told("dispute")
        found["told_dispute"] = word and word[3]
        word = told("evidence")
        found["kept"] = word and word[3]
        word = told("legal")
        found["cleared"] = word and word[3]
        word = told("fx_consent")
        found["consent"] = word and word[3]
        word = told("guide")
        found["step"] = word and word[3]
        found["steps"] = word and int(word[7].split()[0])
        word = told("approval") or [None] * 9
        found["approved_amount"], found["approved_by"], found["approved_key"] = word[3], word[5], word[7]
        found["approved_ago"] = None if word[4] is None or wall_s is None else wall_s - word[4]

        # the operator
        person = policy.person(name) if name and found["roles_known"] else None
        role = policy.role(person[1]) if person else {}
        found["trained_until"] = person[2] if person else None
        found["role"] = person[1] if role else None
        found["role_limit"] = role.get("limit")
        found["tries"] = history.tries.get(name, 0)

        # the policy's dates and lists
        for name_, its in (("age_s", "installed"), ("balance_ago", "balance_at"), ("account_ago", "account_at")):
            at = rule(its)
            found[name_] = None if at is None or wall_s is None else wall_s - at
        found["maintenance_until"] = dict(bank.bank_maintenance(case)[1]).get("until")
        found["disputes_known"] = case.disputed is not None
        found["dispute"] = _STATES[case.disputed[2]] if case.disputed else None
        charged_back = case.listed(CHARGEBACKS, "chargebacks_at")
        found["chargebacks_known"] = charged_back is not None
        found["charged_back"] = bool(charged_back)
        found["rate_then"] = found["rate_now"] = None
        for row in rule("rates") or ():  # in the order of their dates
            if row["currency"] == currency:
                if sale.date is not None and row["date"] <= sale.date:
                    found["rate_then"] = row["rate"]
                if date is not None and row["date"] <= date:
                    found["rate_now"] = row["rate"]

        # the sale, and what was refunded of it
        found["sale_amount"] = sale.amount
        found["sale_currency"] = self.letters.get(sale.currency, sale.currency)
        found["uncounted"] = isinstance(sale.currency, int) and currency not in self.numbers
        found["sale_card"] = sale.card
        found["sale_date"] = sale.date
        found["sale_days"] = sale.days(wall_s)
        # a void stands for itself, before the day is closed
        found["settled"] = True if asked("void") else sale.settled
        last = seen("terminal_receipt")
        found["ahead"] = None if last is None else (receipt - last) % 9999
        found["approved"] = earlier.approved
        found["doubt"] = earlier.doubt
        found["earlier"] = earlier.count
        at = earlier.last_wall_s
        found["last_ago"] = None if at is None or wall_s is None else wall_s - at
        found["wrong"] = earlier.wrong
        found["forgotten"] = earlier.forgotten
        same = earlier.same
        found["same_key"] = same and same.key
        found["same_open"] = bool(same and same.open)
        at = same and same.wall_s
        found["same_ago"] = None if at is None or wall_s is None else wall_s - at
        found["this_expiry"] = None if date is None else date // 100 % 10000

        # the journal
        found["open"] = len(history.open)
        found["works"] = history.works()
        found["lost"] = case.lost
        found["cut"] = len(history.cut)
        found["doubtful"] = found["doubtful_here"] = 0
        for one in history.open.values():
            if one.state in (SENT, IN_DOUBT) and one.key != asked("key") and one not in history.cut:
                found["doubtful"] += 1
                found["doubtful_here"] += one.receipt == receipt
        of = history.sums.of
        found["today"] = of(currency, today)[1]
        found["this_month"] = of(currency, month)[1]
        at = rule("balance_at")
        found["spent"] = 0
        if at is not None and day is not None:
            for one in range(at // dates.DAY_S, day + 1):
                found["spent"] += of(currency, one)[1]
        at = history.oldest_wall_s()
        found["oldest_ago"] = None if at is None or wall_s is None else wall_s - at
        found["given_up"] = history.journal.oldest
        return found


def _number(version):
    """A version of up to three parts as a number that compares as it does."""
    have = version and parts(version)
    return sum(part * 10000 ** (2 - place) for place, part in enumerate(have)) if have and len(have) < 4 else None
