"""What attest, approve and guide print with --json and show on the screen: plain dicts, in the reader's language."""

from . import measures
from .export import moment


def attested(texts, what, asked, answer, files):
    """`asked`: ATTEST_REQUEST, `answer`: ATTEST_ANSWER, `files`: [(path, digest)]."""
    good = bool(asked["value"])
    said = texts("attest_says", what)[0 if good else 1]
    return {
        "what": what,
        "value": asked["value"],
        "receipt": asked.get("receipt"),
        "by": asked["by"],
        "role": asked["role"],
        "words": asked.get("text"),
        "digest": asked["digest"].hex() if "digest" in asked else None,
        "files": [{"file": path, "digest": digest.hex()} for path, digest in files],
        **_recorded(answer),
        "text": said.format(code=measures.clean(asked.get("text", ""))),
    }


def approved(texts, asked, answer, currency):
    """`asked`: APPROVE_REQUEST without its PIN, `answer`: ATTEST_ANSWER."""
    amount = measures.amount(texts, asked["amount"], currency)
    return {
        "key": asked["key"],
        "sale_receipt": asked["receipt"],
        "amount": asked["amount"],
        "currency": currency,
        "amount_text": amount,
        "by": asked["by"],
        **_recorded(answer),
        "text": texts("people", "approved", amount=amount, by=measures.clean(asked["by"])),
    }


def guided(texts, cause, receipt, who, answers):
    """`who`: {"by", "role"}, `answers`: the ATTEST_ANSWER of each step that was done."""
    about = texts.cause(cause)
    steps = [
        {
            "step": at,
            "text": step,
            "done": at <= len(answers),
            **_recorded(answers[at - 1] if at <= len(answers) else {}),
        }
        for at, step in enumerate(about.steps, 1)
    ]
    complete = len(answers) == len(steps)
    return {
        "cause": cause,
        "cause_text": about.text,
        "not": about.avoid,
        "receipt": receipt,
        **who,
        "steps": steps,
        "done": len(answers),
        "of": len(steps),
        "complete": complete,
        "text": texts("people", "guide_done" if complete else "guide_stopped", n=len(answers), of=len(steps)),
    }


def _recorded(answer):
    """Where it stands in the journal; "time" is "" where the agent's clock was never set."""
    wall_s = answer.get("wall_s")
    return {"number": answer.get("number"), "wall_s": wall_s, "time": moment(wall_s)}
