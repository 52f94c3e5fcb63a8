"""What our checks see of one case, as one flat dictionary of numbers, texts, booleans, None and lists of texts or numbers.

Libraries that know rules get it ready-made: what our pre-flight asks the journal, the lists of the policy, the versions and
the calendar for stands in it already.
"""

from firmware_agent import dates
from firmware_agent.checks import bank
from firmware_agent.checks.software import parts
from firmware_agent.sums import periods
from firmware_agent.wire.bodies import APPROVAL
from firmware_agent.wire.lists import AGREED, CHARGEBACKS, DISPUTES, LEGAL, OPEN
from firmware_agent.wire.messages import IN_DOUBT, SENT

_LOCKS = {  # bits of TLV 1F55 that speak of a cause
    1: 1 << 3 | 1 << 4 | 1 << 13,
    4: 1 << 10,
    10: 1 << 8 | 1 << 9 | 1 << 14,
    12: 1 << 0,
    13: 1 << 5,
    14: 1 << 15,
    17: 1 << 2,
    21: 1 << 11,
    33: 1 << 7,
    47: 1 << 1 | 1 << 6,
    56: 1 << 12,
}
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
max_reboots min_battery max_age_days min_temperature max_temperature bad_versions max_crashes damage_days
max_host_ms balance account_days account_state details_days terminals legal_amount max_per_minute daily_limit monthly_limit
min_amount rules_version announced_from models pin_tries approval_from approval_s procedure procedure_days duplicate_window_s
expires valid_from support_until guided_from retention_days max_line_errors
"""
_SCHEME = ("cap", "window_days", "max_partial", "spacing_s", "refunds", "fee_bp")
_SNAPSHOT = {
    "reboots": "reboots",
    "wear": "wear_percent",
    "drift_mv": "supply_drift_mv",
    "battery": "battery_percent",
    "ripple": "supply_ripple_mv",
    "version": "terminal_version",
    "crashes": "crashes",
    "fault_s": "terminal_fault_s",
    "host_ms": "network_host_ms",
    "drift_s": "clock_drift_s",
    "terminal_id": "terminal_id",
    "model": "terminal_model",
    "requests": "requests",
    "tls": "network_tls",
}
_FRESH = {
    "frames": "line_frames",
    "temperature": "temperature_c",
    "state": "terminal_state",
    "network_ok": "network_ok",
    "offline": "terminal_offline",
}
_WORDS = {"noise": "noise", "damage": "damage", "details": "account_details"}  # of the shop
_WORDS_OF_SALE = {"told_dispute": "dispute", "kept": "evidence", "cleared": "legal", "consent": "fx_consent"}
_STATES = {OPEN: "open", AGREED: "agreed", LEGAL: "legal"}


def facts(case):
    """The facts of a Case with a request."""
    request, policy, wall_s = case.request, case.policy, case.wall_s
    sale, earlier, rule = case.sale, case.earlier, case.rule
    day = None if wall_s is None else wall_s // dates.DAY_S

    def ago(at):
        return None if at is None or wall_s is None else wall_s - at

    found = {name: rule(name) for name in _SAME.split()}
    found.update({name: rule(its) for name, its in _RULES.items()})
    found.update({name: case.snapshot.get(its) for name, its in _SNAPSHOT.items()})
    found.update({name: case.fact(its) for name, its in _FRESH.items()})
    found.update({name: case.scheme.get(name) for name in _SCHEME})
    found["spacing"] = found.pop("spacing_s") or None
    for name in ("amount", "currency", "key", "operator", "card", "expiry"):
        found[name] = request.get(name)
    locks = case.fact("terminal_locks") or 0
    found.update({f"lock_{cause}": locks & bits for cause, bits in _LOCKS.items()})
    for name, its in _WORDS.items():
        told = case.attested(its)
        found[name] = told and told[3]
        found[name + "_ago"] = told and ago(told[4])
    for name, its in _WORDS_OF_SALE.items():
        told = case.told(its)
        found[name] = told and told[3]
    found.update(
        silent=bool(case.silent),
        registered=case.fact("terminal_registered") != 0,
        coded=sorted(case.codes),
        wall=wall_s,
        errors=case.fact("line_errors") or 0,
        supply_ok=case.snapshot.get("supply_ok", 2000),
        age_s=ago(rule("installed")),
        version_number=_number(found["version"]),
        minimum_number=_number(rule("minimum_version")),
        balance_ago=ago(rule("balance_at")),
        account_ago=ago(rule("account_at")),
        maintenance_known=rule("maintenance") is not None,
        maintenance_until=dict(bank.bank_maintenance(case)[1]).get("until"),
        policy_state=policy.state,
    )
    found.update(_journal(case, ago))
    found.update(_people(case, ago))
    for name, which in (("dispute", DISPUTES), ("chargeback", CHARGEBACKS)):
        rows = [row for row in policy.rows(which, request["receipt"]) if sale.date in (None, row[1])]
        found[name + "s_known"] = case.recent(rule(name + "s_at"), rule("lists_days"))
        known = found[name + "s_known"] and rows
        if which == DISPUTES:
            found[name] = _STATES[rows[0][2]] if known else None
        else:
            found["charged_back"] = bool(known)
    rates = [row for row in rule("rates") or () if row["currency"] == request["currency"]]
    for name, at in (("rate_then", sale.date), ("rate_now", None if day is None else dates.date_of(day))):
        fitting = [row["rate"] for row in rates if at is not None and row["date"] <= at]
        found[name] = fitting[-1] if fitting else None
    letters = {number: name for name, number in case.terminal.currencies.items()}
    found.update(
        sale_amount=sale.amount,
        sale_currency=letters.get(sale.currency, sale.currency),
        sale_card=sale.card,
        sale_days=sale.days(wall_s),
        settled=sale.settled,
        approved=earlier.approved,
        doubt=earlier.doubt,
        earlier=earlier.count,
        last_ago=ago(earlier.last_wall_s),
        wrong=bool(earlier.wrong),
        forgotten=bool(earlier.forgotten),
        same_key=earlier.same and earlier.same.key,
        same_open=bool(earlier.same and earlier.same.open),
        same_ago=earlier.same and ago(earlier.same.wall_s),
        this_expiry=None if day is None else dates.date_of(day) // 100 % 10000,
    )
    return found


def _journal(case, ago):
    history, wall_s = case.history, case.wall_s
    sums, currency = history.sums, case.request["currency"]
    doubtful = [one for one in history.open.values() if one.state in (SENT, IN_DOUBT)]
    today, month = periods(wall_s) if wall_s is not None else (0, 0)
    spent = 0
    at = case.rule("balance_at")
    if at is not None and wall_s is not None:
        spent = sum(sums.of(currency, day)[1] for day in range(at // dates.DAY_S, today + 1))
    return {
        "open": len(history.open),
        "works": bool(history.works()),
        "lost": history.lost,
        "cut": len(history.cut),
        "doubtful": sum(one.key != case.request.get("key") and one not in history.cut for one in doubtful),
        "today": sums.of(currency, today)[1],
        "this_month": sums.of(currency, month)[1],
        "spent": spent,
        "oldest_ago": ago(history.oldest_wall_s()),
        "given_up": history.journal.oldest,
    }


def _people(case, ago):
    request, policy = case.request, case.policy
    name = request.get("operator")
    person = policy.person(name) if name and case.rule("roles") else None
    role = policy.role(person[1]) if person else {}
    approvals = [one for one in case.history.attestations(request["receipt"]) if one[1] == APPROVAL]
    _, _, _, value, at, who, _, key, _ = approvals[-1] if approvals else [None] * 9
    guide = case.told("guide")
    return {
        "trained_until": person[2] if person else None,
        "role": person[1] if role else None,
        "role_limit": role.get("limit"),
        "tries": case.history.tries.get(name, 0),
        "approved_amount": value,
        "approved_key": key,
        "approved_by": who,
        "approved_ago": ago(at),
        "step": guide and guide[3],
        "steps": guide and int(guide[7].split()[0]),
    }


def _number(version):
    """A version of up to three parts as a number that compares as it does."""
    have = version and parts(version)
    return sum(part * 10000 ** (2 - place) for place, part in enumerate(have)) if have and len(have) < 4 else None
