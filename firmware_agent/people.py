"""What people attest and approve. Loaded when somebody does, and let go: few ever do, and a board's heap is small.

A PIN is kept as SHA-256 over salt and PIN, hashed `pin_rounds` times in all; it comes over the cable that the person has
plugged in, and is neither stored nor logged.
"""

from hashlib import sha256

from .journal import Full
from .wire.bodies import APPROVAL
from .wire.errors import WireError
from .wire.steps import finished

_AT_ONCE = 100  # rounds, which take a board 0.1 s


def hashed(salt, pin, rounds):
    """The digest, in steps (wire/steps.py)."""
    digest = sha256(salt + pin.encode()).digest()
    for round in range(1, rounds):
        if round % _AT_ONCE == 0:
            yield
        digest = sha256(salt + digest).digest()
    return digest


def _known(agent, name, pin):
    """In steps, the row of the roster of a person who proved to be it. WireError: why not."""
    policy = agent.policy
    history = agent.history
    person = policy.person(name)
    if person is None:
        raise WireError("no_person", "by")
    if not any(person[4]):  # this person has none
        raise WireError("not_allowed", "by")
    if history.tries.get(name, 0) >= policy.get("pin_tries"):
        raise WireError("locked_out", "by")
    # counted before it is looked at: a power cut is no way to try again for nothing
    history.count_try(name, False)
    if (yield from hashed(person[3], pin, policy.get("pin_rounds"))) != person[4]:
        agent.events.add("pin_wrong", {"person": name, "tries": history.tries.get(name, 0)})
        raise WireError("pin_wrong", "pin")
    history.count_try(name, True)
    return person


def approve(agent, asked):
    """{name: value} of ATTEST_ANSWER for APPROVE_REQUEST: somebody with the right role approves one refund."""
    return finished(approving(agent, asked))


def approving(agent, asked):
    """As `approve`, in steps: a board hashes a PIN for seconds."""
    try:
        person = yield from _known(agent, asked["by"], asked["pin"])
        role = agent.policy.role(person[1])
        limit = role.get("limit")
        if not role.get("approves") or (limit is not None and asked["amount"] > limit):
            raise WireError("not_allowed", "by")
        agent.history.attest(APPROVAL, asked["receipt"], asked["amount"], person[0], person[1], asked["key"], None)
    except (Full, OSError):
        raise WireError("journal_full")
    agent.events.add("approved", {"person": person[0], "receipt": asked["receipt"], "amount": asked["amount"]})
    return _answer(agent)


def attest(agent, asked):
    """{name: value} of ATTEST_ANSWER for ATTEST_REQUEST: a person's word, dated, with what it refers to hashed."""
    what = asked["what"]
    if what == APPROVAL:  # only with a PIN
        raise WireError("not_allowed", "what")
    words = asked["by"], asked["role"], asked.get("text") or "", asked.get("digest")
    try:
        agent.history.attest(what, asked.get("receipt") or 0, asked["value"], *words)
    except (Full, OSError):
        raise WireError("journal_full")
    agent.events.add("attested", {"person": asked["by"], "receipt": asked.get("receipt"), "value": asked["value"]})
    return _answer(agent)


def _answer(agent):
    return {"number": agent.journal.sequence, "wall_s": agent.clock.wall_s()}
