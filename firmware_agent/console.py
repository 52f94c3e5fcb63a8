"""The console: what a person with a terminal program reads. One line in, text out."""

from .wire.errors import WireError
from .wire.messages import PASS, STATUSES, VERDICTS
from .wire.pan import looks_like_pan

HELP = """\
help                              this text
status                            what the agent sees and knows
check                             is the hardware ready for a refund?
check RECEIPT AMOUNT [CURRENCY]   would this refund go through? AMOUNT like 12.34
"""


async def answer(agent, line):
    """The text for one line; it ends with a line end."""
    words = line.split()
    try:
        if not words:
            return ""
        if looks_like_pan(line):
            return "That looks like a full card number. It was not kept. Never type one here.\n"
        if words[0] == "help":
            return HELP
        if words[0] == "status":
            return _status(agent)
        if words[0] == "check":
            return await _check(agent, words[1:])
    except WireError as error:
        return "%s is not right: try help\n" % (error.field or "that")
    return "unknown command: try help\n"


def _status(agent):
    status = agent.status()
    lines = [
        "refund agent %s on %s, %s %s"
        % (status["agent_version"], status["board"], status["runtime"], status["runtime_version"]),
        "boot %d, up %d s, journal %d of %d bytes, refunds %d, in doubt %d"
        % (
            status["boot"],
            status["uptime_ms"] // 1000,
            status["journal_used"],
            status["journal_size"],
            status["refunds"],
            status["in_doubt"],
        ),
    ]
    if status.get("heap_free") is not None:
        lines.append("heap %d bytes free" % status["heap_free"])
    for name, (value, age) in sorted(status["values"].items()):
        if age is not None:
            lines.append("  %-18s %s (%d ms ago)" % (name, "absent" if value is None else value, age))
    return "\n".join(lines) + "\n" + _findings(status)


def _key(number):
    """Key of a cause, from the catalogue's rows (causes.py, which a board does not load for this)."""
    with open(__file__.replace("console.mpy", "causes.txt").replace("console.py", "causes.txt")) as rows:
        for line in rows:
            if line.startswith("%d " % number):
                return line.split()[1]
    return "cause_%d" % number


def _findings(verdict):
    lines = ["verdict: " + VERDICTS[verdict["verdict"]]]
    for finding in verdict["findings"]:
        if finding["status"] != PASS:
            evidence = " ".join("%s=%s" % item for item in sorted(finding["evidence"].items()))
            number = finding["cause"]
            lines.append("  %-7s %2d %s: %s" % (STATUSES[finding["status"]], number, _key(number), evidence))
    return "\n".join(lines) + "\n"


async def _check(agent, words):
    if not words:
        return _findings(agent.check(None).as_message())
    if len(words) < 2:
        raise WireError("bad_field", "amount")
    request = {
        "receipt": _number("receipt", words[0], 1, 9999),
        "amount": _cents(words[1]),
        "currency": words[2].upper() if len(words) > 2 else min(agent.terminal.currencies or ("EUR",)),
    }
    return _findings((await agent.preflight(request)).as_message())


def _number(field, text, low, high):
    if not text.isdigit() or len(text) > 14 or not low <= int(text) <= high:
        raise WireError("bad_field", field)
    return int(text)


def _cents(text):
    whole, _, cents = text.partition(".")
    if "." in text and len(cents) != 2:
        raise WireError("bad_field", "amount")
    return _number("amount", whole + (cents or "00"), 1, 999999999999)
