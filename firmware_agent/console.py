"""The console: what a person with a terminal program reads. One line in, lines out, none of them held longer than needed."""

import sys

from .wire import cbor
from .wire.errors import WireError
from .wire.messages import EVENT, IN_DOUBT, PASS, STATES, STATUSES, UNKNOWN, VERDICTS, event_name, unpack
from .wire.pan import looks_like_pan

HELP = """\
help                              this text
status                            what the agent sees and knows
check                             is the hardware ready for a refund?
check RECEIPT AMOUNT [CURRENCY]   would this refund go through? AMOUNT: 12.34
causes [N]                        what is wrong and what to do; all, or one
explain [KEY]                     what became of a refund; or of the last ones
log [N]                           what happened last, N lines of it
lang en|zh                        language of the causes: English or Chinese
"""
_COLUMNS = 78  # a terminal of 80 would break a longer line in the midst of a word; a comma may follow
_SELDOM = "restart                           in safe mode: start the whole agent anew\n"


async def answer(agent, line):
    """The texts for one line, to be written one after the other; the last ends with a line end."""
    return _folded(await _answer(agent, line))


def _folded(parts):
    """The texts in lines of at most _COLUMNS, broken between words."""
    column = 0
    for part in parts:
        text = ""
        for at, line in enumerate(part.split("\n")):
            if at:
                text += "\n"
                column = 0
            for number, word in enumerate(line.split(" ")):
                wide = len(word)
                # a Chinese text has no blanks: its one long word may be broken anywhere
                if number and column and column + 1 + wide > _COLUMNS and wide == len(word.encode()):
                    text += "\n      "
                    column = 6
                elif number:
                    text += " "
                    column += 1
                text += word
                column += wide
        yield text


async def _answer(agent, line):
    words = line.split()
    try:
        if not words:
            return ()
        if looks_like_pan(line):
            return ("That looks like a full card number. It was not kept. Never type one here.\n",)
        if words[0] == "help":
            return HELP, _SELDOM
        if words[0] == "status":
            return _status(agent)
        if words[0] == "check":
            return await _check(agent, words[1:])
        if words[0] == "causes":
            return _rows("causes_" + agent.link.language, _number("cause", words[1], 1, 60) if len(words) > 1 else 0)
        if words[0] == "explain":
            return _explained(agent, words[1:])
        if words[0] == "log":
            return _log(agent, _number("number", words[1], 1, 9999) if len(words) > 1 else 10)
        if words[0] == "lang":
            name = {"lang en": "English\n", "lang zh": "中文\n"}.get(" ".join(words))
            if not name:
                raise WireError("bad_field", "language")
            agent.link.language = words[1]
            return (name,)
        if words[0] == "restart":
            return await _restart(agent)
    except WireError as error:
        if error.name == "safe_mode":
            return ("not in safe mode: pull the journal, it has what became of it\n",)
        return ("%s is not right: try help\n" % (error.field or "that"),)
    return ("unknown command: try help\n",)


def _status(agent):
    status = agent.status()
    yield "refund agent %s on %s, %s %s\n" % (
        status["agent_version"],
        status["board"],
        status["runtime"],
        status["runtime_version"],
    )
    yield "boot %d, up %d s, journal %d of %d bytes, refunds %d, in doubt %d\n" % (
        status["boot"],
        status["uptime_ms"] // 1000,
        status["journal_used"],
        status["journal_size"],
        status["refunds"],
        status["in_doubt"],
    )
    if agent.snapshot.get("safe_mode"):
        yield "SAFE MODE: it crashed five times in a row. Pull its journal, then type restart.\n"
    if agent.snapshot.get("crashes"):
        from . import crash

        for line in crash.told(agent.journal):
            yield line
        crash.let_go()
    if status.get("heap_free") is not None:
        yield "heap %d bytes free\n" % status["heap_free"]
    for name, (value, age) in sorted(status["values"].items()):
        if age is not None:
            yield "  %-19s %s (%d ms ago)\n" % (name, "absent" if value is None else value, age)
    for line in _findings(agent, status):
        yield line


async def _restart(agent):
    """As SMP's reset, where that is allowed."""
    from . import groups

    header = groups.smp.Header(2, 0, 5, 0, 1)
    refused = await groups.answer(agent, header, {})
    sys.modules.pop(groups.__name__, None)
    return ("it does not end here: it is at work, or its board does not allow it\n" if refused else "it starts anew\n",)


def _explained(agent, keys):
    """The lines about one refund, about all open ones, or where there are none about the last ones that were approved."""
    history = agent.history
    if keys:
        if history.find(keys[0]) is None:
            yield "no refund has this key\n"
    else:
        keys = sorted(history.open)
        if not keys:
            yield "no refund is open%s\n" % ("; the last ones approved:" if history.latest else "")
            for receipt, amount, currency, _ in history.latest:
                yield "  sale %s, %d.%02d %s\n" % (receipt, amount // 100, amount % 100, currency)
    for key in keys:
        refund = history.find(key)
        if refund is None:
            continue
        told = agent.answer_of({"key": key}, refund, True, final=agent.conductor.active != key)
        yield "%s: %s, sale %d, %d.%02d %s\n" % (
            key,
            STATES[told["state"]],
            told["sale_receipt"],
            told["amount"] // 100,
            told["amount"] % 100,
            told["currency"],
        )
        for name in ("receipt", "trace", "result_code", "attested_by", "role", "reason"):
            if told.get(name) is not None:
                yield "  %s %s\n" % (name, told[name])
        if told.get("cause"):
            yield "  " + "".join(_rows("causes_" + agent.link.language, told["cause"]))
        if told["state"] == IN_DOUBT:
            yield "  Nobody knows whether it was done. Do not repeat it: the terminal is asked again.\n"


def _log(agent, count):
    """The last events in words, oldest first."""
    for encoded in agent.events.since(agent.events.last - count, 1 << 20)[0]:
        event = unpack(EVENT, cbor.decode(encoded.data))
        numbers = " ".join(["%s=%s" % item for item in sorted(event["numbers"].items())])
        seconds = event["uptime_ms"] // 1000
        yield "%5d %5d:%02d %s %s\n" % (
            event["number"],
            seconds // 60,
            seconds % 60,
            event_name(event["code"])[0],
            numbers,
        )


def _rows(name, number):
    """The lines of a file of the catalogue, which lies beside this module: of one cause; of all if `number` is 0."""
    with open(__file__.rsplit("console", 1)[0] + name + ".txt", encoding="utf-8") as rows:
        for row in rows:
            if not number or row.startswith("%d " % number):
                yield row


def _findings(agent, verdict):
    yield "verdict: %s\n" % VERDICTS[verdict["verdict"]]
    unseen = []
    for finding in verdict["findings"]:
        status, number, evidence = finding["status"], finding["cause"], finding["evidence"]
        if status == UNKNOWN and not agent.policy.unknown_is(number):  # accepted: told, in few words
            unseen.append("%d %s" % (number, evidence["missing"]))
        elif status != PASS:
            evidence = " ".join("%s=%s" % item for item in sorted(evidence.items()) if item[1] is not None)
            key = "".join(_rows("causes", number)).split()[1]
            yield "  %-7s %2d %s: %s\n" % (STATUSES[status], number, key, evidence)
            if status != UNKNOWN:  # of which nobody knows whether it is so
                row = "".join(_rows("causes_" + agent.link.language, number))
                yield "             " + row[row.find(" ") + 1 :]
    before = "  UNKNOWN for want of: "
    for one in unseen:
        yield before + one
        before = ", "
    if unseen:
        yield "\n"


async def _check(agent, words):
    if not words:
        return _findings(agent, agent.check(None).as_message())
    if len(words) < 2:
        raise WireError("bad_field", "amount")
    request = {
        "receipt": _number("receipt", words[0], 1, 9999),
        "amount": _cents(words[1]),
        "currency": words[2].upper() if len(words) > 2 else agent.policy.get("currency") or "EUR",
    }
    return _findings(agent, (await agent.preflight(request)).as_message())


def _number(field, text, low, high):
    if not text.isdigit() or len(text) > 14 or not low <= int(text) <= high:
        raise WireError("bad_field", field)
    return int(text)


def _cents(text):
    whole, _, cents = text.partition(".")
    if "." in text and len(cents) != 2:
        raise WireError("bad_field", "amount")
    return _number("amount", whole + (cents or "00"), 1, 999999999999)
