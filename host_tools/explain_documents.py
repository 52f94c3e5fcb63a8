"""The document of `refundctl explain`: a refund's story in words, in the reader's language."""

from firmware_agent import causes
from firmware_agent.wire import messages
from hal.terminals.zvt import codes

from . import documents, explain, gate_keys, health_documents, hints, journal_documents, measures
from .export import moment
from .lines import BETWEEN

WRONG_ORIGINAL = 35  # the cause that speaks of an answer about another sale
_NO_SALE = 34
_BARS = "▁▂▃▄▅▆▇█"
_SPAN_MV = 400  # a smaller range is drawn as if it were this: noise must not look like a sag
_DOUBTFUL = ("REQUESTED", "SENT", "IN_DOUBT")


def told(texts, copy, story, file):
    """The document of a Story that was found."""
    currency = story.asked.get("currency")
    amount = story.asked.get("amount")
    teller = _Teller(texts, story, currency)
    begin = next(at for at, step in enumerate(story.steps) if step.kind in ("refund", "verdict"))
    steps = list(teller.steps())
    steps.insert(begin, teller.asked(story.steps[begin]))
    return {
        "key": story.key,
        "file": file,
        "agent_id": copy.agent_id,
        "lost": copy.lost,
        "complete": story.complete,
        "state": story.state,
        "state_text": journal_documents.state(texts, story.state) if story.state != "NEW" else texts("explain", "held"),
        "sale_receipt": None if several(story) else story.asked.get("receipt") or None,
        "gate": "passed" if gate_keys.passed(story.key) else "asked" if _by_till(story) else None,
        "amount": amount,
        "currency": currency,
        "amount_text": journal_documents.amount(texts, amount, currency),
        "story": steps,
        "supply": _supply(texts, story.steps),
        "now": _now(texts, story),
        "notes": _notes(texts, story, file),
    }


class _Teller:
    def __init__(self, texts, story, currency):
        self._texts = texts
        self._story = story
        self._currency = currency
        self._state = None  # of the refund, so far

    def asked(self, first):
        """What was asked, by whom; `first`: the Step with its first record."""
        asked = self._story.asked
        fields = {
            "who": measures.clean(asked.get("operator") or self._say("somebody")),
            "amount": self._amount(asked.get("amount")) or self._say("an_amount"),
            "receipt": asked.get("receipt") or "?",
        }
        details = []
        sale = None if several(self._story) else self._story.sale
        if sale:
            seen = BETWEEN.join(
                self._fact(name, sale[name])
                for name in ("amount", "mmdd", "hhmmss", "card", "trace")
                if sale[name] is not None
            )
            details.append(self._say("sale_seen", facts=seen))
        attested = BETWEEN.join(
            self._fact(name, asked[name]) for name in ("sale_amount", "sale_date", "card", "scheme") if name in asked
        )
        if attested:
            details.append(self._say("sale_attested", facts=attested))
        if not sale and "sale_amount" not in asked and not several(self._story):
            details.append(self._say("sale_unseen"))
        return self._step(first, "asked", self._who_asked(fields), details, asked=asked)

    def _who_asked(self, fields):
        """Who asked for what: somebody with refundctl, or a till at the gate, which names no sale."""
        story = self._story
        passed = gate_keys.passed(story.key)
        if not passed and not _by_till(story):
            return self._say("asked", **fields)
        key = "passed" if passed else "asked_till"
        fits = several(story)
        if fits:
            return self._say("asked_till_several", amount=fields["amount"], **fits)
        if not _tied(story):
            return self._say(key + "_untied", amount=fields["amount"])
        names = {name: fields[name] for name in ("amount", "receipt")}
        return self._say(key + "_void" if story.asked.get("void") else key, **names)

    def steps(self):
        for step in self._story.steps:
            yield getattr(self, "_" + step.kind)(step)

    def _verdict(self, step):
        verdict = step.entry["verdict"]
        answer = {
            "findings": [{**one, "status": messages.STATUSES.index(one["status"])} for one in step.entry["findings"]]
        }
        findings = documents.findings(self._texts, answer)
        for one in findings:
            evidence = measures.pairs(self._texts, one["evidence"], self._currency)
            one["evidence_text"] = BETWEEN.join(evidence)
        word = measures.verdict(messages.VERDICTS.index(verdict)) if verdict in messages.VERDICTS else verdict
        text = self._say("checked", verdict=self._texts("verdict", word) if self._texts.has("verdict", word) else word)
        return self._step(step, "checked", text, [], verdict=word, findings=findings)

    def _refund(self, step):
        state, facts = step.entry["state"], step.entry["facts"]
        before, self._state = self._state, state
        settled = facts.get("attested_by") is not None
        details = []
        more = {"state": state, "facts": facts}
        if state in ("APPROVED", "DECLINED") and not settled:
            kind = "terminal"
            numbers = [
                self._fact(name, facts[name]) for name in ("its_receipt", "its_trace") if facts.get(name) is not None
            ]
            key = {"APPROVED": "executed", "DECLINED": "refused"}[state] + ("_asked" if before == "IN_DOUBT" else "")
            if facts.get("code"):
                more["cause"] = codes.cause(facts["code"]) or None
                details.append(self._code(facts["code"], more["cause"]))
            details += [BETWEEN.join(numbers)] if numbers else []
            if facts.get("wrong"):
                details.append(self._texts.cause(WRONG_ORIGINAL).text)
        elif state in ("APPROVED", "NOT_EXECUTED") and settled:
            kind = "settled"
            key = "settled_done" if state == "APPROVED" else "settled_not"
            fields = {name: measures.clean(facts.get(name) or "?") for name in ("attested_by", "role", "reason")}
            details.append(self._say("settled_by", **fields))
        elif state == "NOT_EXECUTED":
            kind = "terminal"
            key = "not_sent" if before in (None, "REQUESTED") else "not_executed"
        else:
            key = {"REQUESTED": "recorded", "SENT": "sent", "IN_DOUBT": "in_doubt"}.get(state)
            kind = key or "state"
            last = facts.get("before")
            if state == "SENT" and isinstance(last, dict) and last.get("receipt") is not None:
                details.append(self._say("last_receipt", receipt=last["receipt"]))
        text = self._say(key) if key else journal_documents.state(self._texts, state)
        return self._step(step, kind, text, details, **more)

    def _code(self, code, cause):
        shown = f"{code:02X}" if isinstance(code, int) else measures.clean(code)
        if cause:
            return self._say("code", code=shown, cause=cause, text=self._texts.cause(cause).text)
        return self._say("code_unknown", code=shown)

    def _attested(self, step):
        entry = step.entry
        who = {"by": measures.clean(entry["by"]), "role": measures.clean(entry["role"])}
        details = []
        what = entry["what"]
        if what == "approval":
            text = self._say("approved", amount=self._amount(entry["value"]), **who)
        elif what == "guide":
            of, _, cause = str(entry["text"]).partition(" ")
            name = self._texts.cause(int(cause)).name if cause.isdecimal() and 1 <= int(cause) <= 60 else "?"
            text = self._say("step", n=entry["value"], of=of or "?", cause=cause or "?", name=name, **who)
        else:
            if self._texts.has("attest_says", what):
                said = self._texts("attest_says", what)[0 if entry["value"] else 1]
                said = said.format(code=measures.clean(entry["text"] or ""))
            else:
                said = what
            text = self._say("attested", said=said, **who)
            if entry["text"] and what != "host_code":
                details.append(measures.clean(entry["text"]))
            if entry["digest"]:
                details.append(self._say("digest", digest=entry["digest"]))
        return self._step(
            step, "approved" if what == "approval" else "attested", text, details, what=what, value=entry["value"]
        )

    def _boot(self, step):
        boot, reason = step.entry["boot"], step.entry["reason"]
        if reason is None:
            text = self._say("boot", boot=boot)
        else:
            text = self._texts("health", "boot", boot=boot, reason=health_documents.reason_text(self._texts, reason))
        return self._step(step, "boot", text, [])

    def _crash(self, step):
        told = health_documents.crash(self._texts, step.entry)
        return self._step(step, "crash", told["text"], told["details"])

    def _event(self, step):
        told = documents.watched(self._texts, "event", step.boot, step.entry, None)
        details = measures.pairs(self._texts, told["numbers"], self._currency)
        more = {name: told[name] for name in ("event", "severity", "numbers")}
        return self._step(step, "event", told["text"], [BETWEEN.join(details)] if details else [], **more)

    def _step(self, step, kind, text, details, **more):
        when = {"time": moment(step.wall_s) or None, "uptime_ms": step.uptime_ms, "boot": step.boot}
        return {"when": when, "kind": kind, "record": step.number, "text": text, "details": details, **more}

    def _amount(self, minor):
        return None if minor is None else measures.amount(self._texts, minor, self._currency)

    def _fact(self, name, value):
        label = self._texts("kept", name) if self._texts.has("kept", name) else name
        if name in ("amount", "sale_amount"):
            value = self._amount(value)
        elif name == "sale_date":
            value = measures.value(self._texts, name, value)
        elif name in ("mmdd", "hhmmss") and isinstance(value, int):
            digits = f"{value:0{len(name)}}"
            value = ("-" if name == "mmdd" else ":").join(digits[at : at + 2] for at in range(0, len(name), 2))
        return self._texts("word", "pair", label=label, value=measures.clean(value))

    def _say(self, key, **fields):
        return self._texts("explain", key, **fields)


def _by_till(story):
    """True if a till asked for it at the gate: nobody signs there."""
    return gate_keys.asked(story.key) and not story.asked.get("operator")


def _tied(story):
    return story.asked.get("receipt")


def several(story):
    """{"receipt", "other", "count"} of the sales that a till's held refund fits, None where that is one at most."""
    for one in story.verdict["findings"] if story.verdict and story.state == "NEW" else ():
        evidence = one["evidence"]
        if one["cause"] == _NO_SALE and {"receipt", "earlier_receipt", "count"} <= evidence.keys():
            return {"receipt": evidence["receipt"], "other": evidence["earlier_receipt"], "count": evidence["count"]}
    return None


def _now(texts, story):
    """What to do now: {"text", "cause", "remedy", "steps", "not", "who", "call", "command"}, null where nothing needs mending
    or nothing is to be typed."""
    cause = None
    if story.state in _DOUBTFUL:
        cause = documents.OUTCOME_UNKNOWN
    elif story.facts.get("wrong"):
        cause = WRONG_ORIGINAL
    elif story.state == "DECLINED":
        cause = (codes.cause(story.facts["code"]) if story.facts.get("code") else 0) or 1
    elif story.state == "NEW":
        findings = story.verdict["findings"] if story.verdict else []
        holding = [one for one in findings if one["status"] in ("HOLD", "BLOCK")] or findings
        cause = holding[0]["cause"] if holding else None
    key = "now_doubt" if story.state in _DOUBTFUL else "now_" + story.state.lower()
    text = texts("explain", key) if texts.has("explain", key) else None
    if cause is None:
        return {"text": text, "cause": None, **dict.fromkeys(("remedy", "steps", "not", "who", "call", "command"))}
    about = texts.cause(cause)
    words = {"remedy": about.remedy, "steps": list(about.steps), "not": about.avoid, "command": None}
    if cause == _NO_SALE and story.state == "NEW" and _by_till(story) and (several(story) or not _tied(story)):
        words["remedy"] = texts("gate", "say_which" if several(story) else "find_sale")
        words["command"] = " ".join(hints.TILL_SALE)
    return {"text": text, "cause": cause, **words, "who": texts.people(causes.cause(cause).who), "call": about.call}


def _supply(texts, steps):
    """{"points", "low", "high", "plot", "text"} of the supply around the refund, None where nothing was measured."""
    told = explain.supply(steps)
    points = told["points"]
    if not points:
        return None
    low, high = min(points), max(points)
    span = max(high - low, _SPAN_MV)
    middle = (low + high) / 2
    places = [(point - middle) / span + 0.5 for point in points]
    plot = "".join(_BARS[min(len(_BARS) - 1, int(place * len(_BARS)))] for place in places)
    fields = {"plot": plot, "low": f"{low:,}", "high": f"{high:,}"}
    limit = f"{told['low']:,}" if isinstance(told["low"], int) else None
    text = texts("explain", "supply_limit", limit=limit, **fields) if limit else texts("explain", "supply", **fields)
    return {**told, "plot": plot if len(points) > 1 else None, "text": text}


def _notes(texts, story, file):
    """What this story lacks."""
    notes = []
    if not story.complete:
        notes.append(texts("journal", "begins_later"))
    if file is not None:
        notes.append(texts("explain", "no_events_in_file"))
    elif story.eventless:
        notes.append(texts("explain", "events_gone"))
    elif story.dropped:
        notes.append(texts("word", "dropped", n=story.dropped))
    return notes
