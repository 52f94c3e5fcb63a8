"""What is said about the agent's own health, its starts and crashes, in English. health_texts_zh.py has the same keys; a test
holds both to it. texts_en.py takes them into its sections."""

HEALTH = {
    "unknown": "nobody knows why",
    "power_on": "its supply came",
    "reset": "somebody wanted it",
    "brown_out": "its supply fell",
    "watchdog": "its watchdog bit, for it hung",
    "out_of_memory": "its memory was too small",
    "fault": "an error of its own",
    "crash": "Crash in start number {boot}: {reason}.",
    "crash_after": "Crash in start number {boot}, after {time}: {reason}.",
    "crash_before": "Crash before the journal was open: {reason}.",
    "said": "It said: {text}",
    "spots": "in {spots}",
    "boot": "The agent starts anew (start number {boot}): {reason}.",
    "safe_mode": "Safe mode: the agent crashed five times in a row. Its journal can be read, and no refund is begun. "
    "Pull the journal, then start it anew: type restart at its console, switch it off and on after a minute, or deploy.",
}

WORD = {"last_crash": "last crash"}

ERROR = {
    "agent_safe_mode": "the agent is in safe mode, it crashed five times in a row: only its status and its journal can be "
    "asked for; see refundctl status",
}
