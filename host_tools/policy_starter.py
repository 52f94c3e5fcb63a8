"""A starting policy: every setting there is, explained in the reader's language; what a shop has to decide is switched off.

A line that begins with # and a blank explains, one that begins with # and no blank is a setting that is switched off.
"""

from datetime import date

from rich.cells import cell_len

from .policy_layout import KEYS, ONE, SECTIONS
from .policy_platforms import PLATFORMS

CURRENCY = "EUR"  # where no platform is chosen
_COMMENT = 38  # column of the comments
# Of the PIN 2580, so that the example can be switched on and tried.
_SALT = "00112233445566aa"
_HASH = "33f37b5a9ea1aa042e62313256876ec48c58da3eb9a153bfd8a52ae7d438d4f9"

# Settings of each section, as examples; those with + are switched on. {} are filled in.
_EXAMPLES = """
[policy]
+id = "shop-1"
+version = 1
+valid_from = {today}
+expires = {year}
+currency = "{currency}"
+utc = "{utc}"
terminals = ["52500041"]
agents = ["5eed1234"]
[device]
installed = {today}
max_age_days = 1825
max_reboots = 20
max_wear_percent = 80
min_battery = 20
min_temperature = 0
max_temperature = 45
minimum_version = "2.10"
bad_versions = ["2.11", "2.11.1"]
max_crashes = 5
models = ["H5000"]
max_line_errors = 5
damage_days = 30
receipt_due = true
max_ripple_mv = 200
max_clock_drift_s = 120
max_host_ms = 5000
max_supply_drift_mv = 300
max_age_ms = 30000
[account]
account_state = "open"
account_at = {today}
balance = 5000.00
balance_at = {today}
account_days = 3
details_days = 90
[disputes]
disputes_at = {today}
chargebacks_at = {today}
lists_days = 3
legal_amount = 10000.00
[limits]
max_per_minute = 10
daily_limit = 2000.00
monthly_limit = 20000.00
min_amount = 0.01
+duplicate_window_s = 86400
rate_tolerance_bp = 100
[scheme.any]
+cap = 500.00
+window_days = 180
+max_partial = 20
+spacing_s = 60
+refunds = true
fee_bp = 0
[[rate]]
currency = "{foreign}"
date = {today}
rate = 1.0875
[bank]
rules_version = 1
announced_version = 1
announced_from = {today}
code_window_s = 900
[[maintenance]]
days = ["sat", "sun"]
begin = 02:00
end = 04:30
[codes]
"N7" = "card_status"
[people]
approval_from = 200.00
approval_s = 3600
guided_from = 100.00
+procedure = "{procedure}"
+procedure_days = 7
support = "{support}"
support_until = {year}
retention_days = 365
pin_tries = 5
pin_rounds = 1000
[role.cashier]
limit = 100.00
[role.supervisor]
approves = true
[[person]]
name = "Ann"
role = "supervisor"
trained_until = {year}
salt = "{salt}"
pin_hash = "{pin_hash}"
[unknown]
+default = "warn"
terminal_fault = "hold"
temperature = "accept"
[found]
network_down = "block"
software_outdated = "warn"
[gate]
gate_open = false
gate_reversals = true
gate_repeat_s = 900
[[sale]]
receipt = 231
date = {today}
amount = 50.00
card = "1234"
scheme = "visa"
settled = true
[[dispute]]
receipt = 231
date = {today}
state = "open"
[[chargeback]]
receipt = 232
date = {today}
"""


def text(texts, platforms=(), today=None):
    """The text of a policy that `policy check` finds good. `platforms`: names of PLATFORMS; their rules are switched on."""
    today = today or date.today()
    currency = next((PLATFORMS[name].currency for name in platforms), CURRENCY)
    fields = {
        "today": today.isoformat(),
        "year": _in_a_year(today).isoformat(),
        "currency": currency,
        "foreign": "USD" if currency != "USD" else "EUR",
        "utc": "+08:00" if currency == "CNY" else "+00:00",
        "procedure": texts("policy", "example_procedure"),
        "support": texts("policy", "example_support"),
        "salt": _SALT,
        "pin_hash": _HASH,
    }
    limits = {}
    codes = {}
    for name in platforms:
        limits.update(PLATFORMS[name].limits)
        codes.update(PLATFORMS[name].codes)
    lines = ["# " + line for line in texts("policy", "head").split("\n")]
    said = set()
    for header, settings in _sections():
        section = header.strip("[]").partition(".")[0]
        # an empty section does no harm, and what is switched on below it is in its place; a row needs its settings
        on = SECTIONS[section][0] in (ONE, KEYS) or any(switched for switched, _, _ in settings)
        if section not in said:
            lines += ["", "# " + texts("section", section)]
            if section == "scheme":
                lines += ["", *_schemes(texts, platforms)]
            said.add(section)
        elif lines[-1]:
            lines.append("")
        lines.append(_line(header, on, ""))
        for code, cause in (codes if section == "codes" else {}).items():
            lines.append(_line(f'"{code}" = "{cause}"', True, ""))
        for switched, key, value in settings:
            if section == "limits" and key in limits:
                switched, value = True, limits[key]
            name = f"{section}.{key}"
            comment = texts("rule", name) if texts.has("rule", name) else ""
            lines.append(_line(f"{key} = {str(value).format(**fields)}", switched, comment))
    return "\n".join(lines) + "\n"


def _sections():
    """[(header, [(switched on, key, value), …]), …] of the examples."""
    found = []
    for line in _EXAMPLES.strip().split("\n"):
        if line.startswith("["):
            found.append((line, []))
        else:
            key, _, value = line.removeprefix("+").partition(" = ")
            found[-1][1].append((line.startswith("+"), key, value))
    return found


def _schemes(texts, chosen):
    """The platforms' sections: the chosen ones first, the others switched off."""
    lines = []
    for name in [*chosen, *(name for name in PLATFORMS if name not in chosen)]:
        on = name in chosen
        lines += ["# " + line for line in texts("platform", name).split("\n")]
        lines.append(_line(f"[scheme.{name}]", on, ""))
        for key, value in PLATFORMS[name].scheme.items():
            said = str(value).lower() if isinstance(value, bool) else value
            lines.append(_line(f"{key} = {said}", on, texts("rule", f"scheme.{key}")))
        lines.append("")
    return lines


def _line(setting, on, comment):
    setting = setting if on else "#" + setting
    if not comment:
        return setting
    return setting + " " * max(2, _COMMENT - cell_len(setting)) + "# " + comment


def _in_a_year(today):
    try:
        return today.replace(year=today.year + 1)
    except ValueError:  # the 29th of February
        return today.replace(year=today.year + 1, day=28)
