"""A fact's value as people read it: 4,982 mV, 12.34 EUR, "unreachable"."""

from datetime import UTC, datetime

from firmware_agent.wire import bodies, messages

from . import money

_AMOUNTS = {"sale_amount", "approved_amount", "doubt_amount", "remaining_amount", "amount"}
_BESIDE_AMOUNT = {"limit", "total", "value"}  # money too where an amount was held against them
_MOMENTS = {"at", "until", "batch_closed"}
_UNITS = {
    "temperature_c": "°C",
    "battery_percent": "%",
    "wear_percent": "%",
    "network_signal": "%",
    "network_loss": "%",
    "clock_drift_s": "s",
}
_HEX = {"terminal_code", "result_code"}  # the terminal's papers list them so


def clean(text):
    """Text from the agent without what a screen would act upon."""
    return "".join(char if char.isprintable() else "?" for char in str(text))


def amount(texts, minor, currency):
    """12.34 EUR; minor units, and said so, where the currency is not known."""
    try:
        return money.show(minor, currency)
    except (ValueError, ArithmeticError):
        return texts("word", "minor", value=clean(f"{minor} {currency}" if currency else minor))


def duration(texts, seconds):
    """0.1 s, 12 s, 5 min, 3 h 12 min, 2 d 4 h."""
    if seconds < 10:
        return texts("word", "seconds", n=f"{seconds:.1f}")
    seconds = int(seconds)
    if seconds < 120:
        return texts("word", "seconds", n=seconds)
    if seconds < 7200:
        return texts("word", "minutes", n=seconds // 60)
    if seconds < 172800:
        return texts("word", "hours", n=seconds // 3600, m=seconds % 3600 // 60)
    return texts("word", "days", n=seconds // 86400, h=seconds % 86400 // 3600)


def ago(texts, seconds):
    return texts("word", "ago", age=duration(texts, seconds))


def moment(seconds):
    """2026-11-22 14:03 UTC."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (OverflowError, ValueError, OSError):
        return str(seconds)  # beyond the year 9999


def label(texts, fact):
    """The fact's name; the wire's own for one this refundctl is too old for."""
    return texts("fact", fact) if texts.has("fact", fact) else fact


def value(texts, fact, number, currency=None):
    """The value of a fact, an integer or a text, as text with its unit."""
    if number is None:
        return texts("word", "absent")
    if fact == "missing":
        return source(texts, number)
    if not isinstance(number, int):
        section = {"state": "state", "earlier_state": "state", "verdict": "verdict"}.get(fact)
        return texts(section, number) if section and texts.has(section, number) else clean(number)
    if fact == "receipt" and number == 0:
        return texts("word", "unknown")
    if fact in _AMOUNTS:
        return amount(texts, number, currency)
    if texts.has("flag", fact) and number in (0, 1):
        return texts("flag", fact)[number]
    if fact == "terminal_registered" and number in (0, 1, 2):
        return texts("terminal", ("no", "yes", "till_logs_on")[number])
    if fact in _MOMENTS:
        return moment(number)
    if fact == "sale_date" and 0 < number < 10**8:
        return f"{number // 10000:04}-{number // 100 % 100:02}-{number % 100:02}"
    if fact == "expiry" and 0 < number < 10**4:
        return f"20{number // 100:02}-{number % 100:02}"
    if fact in _HEX:
        return f"{number:02X}"
    if fact == "terminal_locks":
        return f"{number:04X}"
    if fact == "network_host_ms" and number < 0:
        return texts("word", "unreachable")
    if fact == "cause" and 1 <= number <= 60:
        return f"{number} ({texts.cause(number).name})"
    if fact == "verdict":
        return texts("verdict", verdict(number))
    if fact in ("state", "earlier_state") and 0 <= number < len(messages.STATES):
        return texts("state", messages.STATES[number])
    for names in ("source", "terminal_state", "policy_state"):
        if fact == names and 0 <= number < len(texts.table(names)):
            return texts.table(names)[number]
    if fact == "reset_reason" and 0 <= number < len(bodies.REASONS.split()):
        return texts("health", bodies.REASONS.split()[number])
    if fact in ("age_ms", "earlier_ago_s"):
        return ago(texts, number / 1000 if fact == "age_ms" else number)
    if fact == "window_ms":
        return duration(texts, number / 1000)
    if fact.endswith("_mv"):
        return f"{number:,} mV"
    if fact.endswith("_ms"):
        return f"{number:,} ms"
    if fact in _UNITS:
        return f"{number:,} {_UNITS[fact]}"
    if fact == "heap_free":
        return f"{number // 1024:,} KB"
    return str(number)


def source(texts, name):
    """What a check lacked: a port, a fact, a rule of the policy, a person's word, or whatever else the agent calls it."""
    if texts.has("port", name):
        return texts("port", name)
    kind, _, rest = clean(name).partition(": ")
    if not kind:
        return texts("word", "missing_untold")
    if rest and kind in ("policy", "attest"):
        told = texts("attest", rest) if kind == "attest" and texts.has("attest", rest) else rest
        return texts("word", "missing_" + kind, name=told)
    for section in ("port", "fact"):
        if texts.has(section, kind):
            return texts(section, kind)
    return clean(name)


def pairs(texts, numbers, currency=None):
    """{fact: value} as a list of "supply 4,120 mV"."""
    told = []
    for fact, number in numbers.items():
        if fact in _BESIDE_AMOUNT and "amount" in numbers and isinstance(number, int):
            text = amount(texts, number, currency)
        else:
            text = value(texts, fact, number, currency)
        told.append(texts("word", "pair", label=label(texts, fact), value=text))
    return told


def verdict(number):
    """GO, WARN, HOLD or BLOCK. UNKNOWN is no verdict; should an agent ever say it, it must not look like GO."""
    return "HOLD" if number == messages.UNKNOWN else messages.VERDICTS[number]
