"""The whole job of a pre-flight, done with a library that knows rules: from the agent's state to the verdict.

It begins where ours does, with the same Case, which looks into the journal and the policy's lists; puts the facts together;
asks the library sixty times whether there is something to find, and of what does not pass, why; and ranks by our Verdict.
"""

from firmware_agent.causes import every_cause
from firmware_agent.preflight import Verdict
from firmware_agent.wire import messages
from firmware_agent.wire.messages import PASS, UNKNOWN

from .reasons import FOUND, STATUSES
from .rules import RULES

CAUSES = tuple(RULES)
_AS_FOUND = {cause.number: getattr(messages, cause.found) for cause in every_cause()}
_STATUSES = {name: getattr(messages, name) for name in STATUSES}


def verdict(peer, facts, case):
    """The Verdict of a Case as a peer has it, by Facts; of the evidence of a finding there is only what is missing."""
    policy = case.policy
    known = facts(case)
    findings = []
    passed = bytearray()
    failed = []
    for place, good in enumerate(peer.decide(known)):
        if good:
            passed.append(CAUSES[place])
        else:
            failed.append(place)
    if failed:
        for place, reason in zip(failed, peer.why(known, failed), strict=True):
            cause = CAUSES[place]
            status = _AS_FOUND[cause] if reason == FOUND else _STATUSES.get(reason, UNKNOWN)
            evidence = {}
            if status == UNKNOWN:
                evidence["missing"] = f"{reason} {known['currency']}" if reason.endswith(" in") else reason
            else:
                status = policy.found(cause, status)
            if status == PASS:
                passed.append(cause)
            else:
                findings.append({"cause": cause, "status": status, "evidence": evidence})
    return Verdict(findings, passed, policy)


def told(made):
    """What both sides must say alike: the worst, the causes in their order with what is missing, and what passes."""
    rows = []
    for one in made.findings:
        missing = one["evidence"].get("missing") if one["status"] == UNKNOWN else None
        rows.append((one["cause"], one["status"], missing))
    return made.worst, made.counting, rows, made.passed
