"""A refund that somebody asks for over the link, and a doubt that a person settles. Loaded when asked for, and let go."""

from .journal import Full
from .refund import step
from .wire.errors import WireError
from .wire.messages import APPROVED, DECLINED, IN_DOUBT, NEW, SENT

_ANSWER_MS = 1200  # how long a request for a refund is kept waiting; clients ask again after 2 s
_TURN_MS = 200  # and how often whoever waits is told of it


async def refund(agent, request):
    """{name: value} of REFUND_ANSWER, see Agent.refund. WireError: refused, nothing was done."""
    conductor = agent.conductor
    key = request["key"]
    refund = agent.history.find(key)
    if refund is None and (key[:5] == "till-" or key[:7] == "passed-"):  # the gate makes such keys
        raise WireError("reserved_key", "key")
    if refund is not None:
        for name in ("receipt", "amount", "currency"):
            if getattr(refund, name) != request[name]:
                raise WireError("key_reused", name)
        if refund.state in (APPROVED, DECLINED) and conductor.active != key:
            return answer_of(agent, request, refund, True)
    if conductor.active != key:
        if conductor.busy:
            if refund is not None and refund.state == IN_DOUBT:  # being asked after just now
                return answer_of(agent, request, refund, False, final=False)
            raise WireError("busy")
        held = conductor.held(key)
        if held is None:
            conductor.begin(request)
    else:
        held = None
    for _ in range(_ANSWER_MS // _TURN_MS):
        await agent.link.at_work()
        if conductor.active is None:
            break
        await conductor.settled(_TURN_MS)
    if held is None:
        held = conductor.held(key)
    if isinstance(held, WireError):
        raise held
    answer = answer_of(agent, request, agent.history.find(key), False, final=conductor.active != key)
    if held is not None:
        answer.update(held.as_message(request.get("all")))
    return answer


def answer_of(agent, request, refund, earlier, final=True):
    """{name: value} of REFUND_ANSWER about a Refund, None for one that was never begun."""
    answer = {
        "key": request["key"],
        # without a task under way SENT is as good as a doubt: it will be asked after
        "state": NEW if not refund else IN_DOUBT if final and refund.state == SENT else refund.state,
        "final": final,
        "earlier": earlier,
    }
    for name, fact in (("amount", "amount"), ("currency", "currency"), ("sale_receipt", "receipt")):
        answer[name] = getattr(refund, fact) if refund else request[fact]
    if refund and refund.state in (APPROVED, DECLINED):
        answer["receipt"] = refund.its_receipt
        answer["trace"] = refund.its_trace
        answer["result_code"] = refund.code
        if refund.code:
            answer["cause"] = agent.policy.cause_of(refund.code, agent.terminal) or 1
    if refund and not refund.open:
        answer["attested_by"] = refund.attested_by
        answer["role"] = refund.role
        answer["reason"] = refund.reason
    return answer


async def settle(agent, asked):
    """{name: value} of REFUND_ANSWER after a person settled a doubt ({name: value} of SETTLE_REQUEST). WireError: it is none,
    or cannot be settled now."""
    key = asked["key"]
    facts = {"attested_by": asked["by"], "role": asked["role"], "reason": asked["reason"]}
    await attest(agent.conductor, key, asked["done"], facts)
    return answer_of(agent, {"key": key}, agent.history.find(key), False)


async def attest(conductor, key, done, facts):
    """A person attests what became of a refund in doubt; `facts`: attested_by, role, reason. WireError as `settle`."""
    if conductor.busy:
        raise WireError("busy")
    async with conductor.lock:
        refund = conductor.history.find(key)
        if refund is None:
            raise WireError("no_refund", "key")
        if refund.state != IN_DOUBT:
            raise WireError("not_in_doubt", "key")
        try:
            conductor.enter(refund, step(refund.state, "attest_done" if done else "attest_not_done")[0], facts)
        except (Full, OSError):
            raise WireError("journal_full")
