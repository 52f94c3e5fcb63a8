"""Whether the agent that answers after a lost link is the one that has the refund.

A cable may be plugged into another terminal. The same key asked there would be a second refund, so this is answered
before a refund is asked for again. Told apart by start number, running time and what the journal holds.
"""

# Clocks of boards run wrong by up to 1 % (an RC oscillator); the answer itself may be a few seconds late.
SLACK_MS = 5000
DRIFT = 100


def same_agent(before, after, elapsed_ms):
    """`before`, `after`: STATUS answers of `elapsed_ms` apart. True if one agent can have given both."""
    if (before["board"], before["runtime"]) != (after["board"], after["runtime"]):
        return False
    if after["boot"] < before["boot"] or after["refunds"] < before["refunds"]:
        return False
    slack = SLACK_MS + elapsed_ms // DRIFT
    went_on = abs(after["uptime_ms"] - before["uptime_ms"] - elapsed_ms) <= slack
    if after["boot"] == before["boot"]:
        return went_on
    # started anew since; a soft restart may leave its clock running
    return went_on or after["uptime_ms"] <= elapsed_ms + slack
