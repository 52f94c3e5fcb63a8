"""What is said about the gate between till and terminal and about the terminal itself, in English. gate_texts_zh.py has the
same keys; a test holds both to it. texts_en.py takes them into its sections."""

GATE = {
    "at_rest": "The till has nothing under way.",
    "talking": "The till has something under way.",
    "failed": "The agent met a fault of its own with the till's last wish. What passes until the next one goes well, the "
    "policy says (gate_open); without it refunds are still checked. See refundctl watch.",
    "since": "since",
    "since_value": "the agent's start, {age} ago",
    "passed": "passed",
    "passed_value": "{commands} messages of the till, {answers} of the terminal",
    "sales": "sales",
    "sales_value": "{sales} seen to be approved",
    "wanted": "till wanted",
    "wanted_value": "{wishes} refunds or reversals",
    "lost": "lost",
    "lost_value": "{lost} bytes that nobody took",
    "last": "What the till wanted last",
    "nothing_asked": "The till has asked for no refund since.",
    "refund": "refund of {amount}",
    "reversal": "reversal of {amount}",
    "no_amount": "the whole sale",
    "untied": "tied to no sale",
    "fits": "sale receipt {receipts}?",
    "under_way": "under way",
    "held": "held",
    "done": "done",
    "not_done": "not done",
    "unknown": "unknown",
    "several": "More than one sale fits: receipts {receipts}.",
    "say_which": "Compare the buyer's receipt and say which sale it is. Then ask for the refund at the till again.",
    "no_sale": "No sale that passed here fits this amount.",
    "not_logged_on": "The till has not logged on to the terminal since the agent started or the terminal was away.",
    "log_on": "Have the till log on (most do when they start), or refund at the till.",
    "find_sale": "Compare the buyer's receipt. If the sale was made here, say which it is and ask at the till again.",
}

TERMINAL = {
    "till_logs_on": "not seen: the till does",
    "ready": "READY",
    "fault": "FAULT",
    "busy": "AT WORK",
    "silent": "SILENT",
    "unknown": "UNKNOWN",
    "says_ready": "The terminal is ready for refunds.",
    "says_fault": "The terminal reports what is listed here.",
    "says_busy": "The terminal is at work for somebody. Ask again in a moment.",
    "says_silent": "The terminal does not answer: {n} enquiries in a row. What is shown here is as old as it says.",
    "says_unknown": "The terminal has not been asked yet, or there is none.",
    "not_told": "not told",
    "no_locks": "none",
    "code": "{code} {text}",
    "yes": "yes",
    "no": "no",
    "no_fault": "no fault stands",
    "temperature": "{n} °C",
    "percent": "{n} %",
}

KEPT = {
    "void": "a reversal",
    "alone": "nobody but the till could start a payment",
    "card_token": "card token",
}

WORD = {"command": "type"}

EXPLAIN = {
    "asked_till": "A till asks at the gate for a refund of {amount}. It is tied to the sale with receipt {receipt}.",
    "asked_till_void": "A till asks at the gate to reverse the sale with receipt {receipt}, {amount}.",
    "asked_till_untied": "A till asks at the gate for a refund of {amount}. No sale is known that it could belong to.",
    "asked_till_several": "A till asks at the gate for a refund of {amount}. Sales that fit: {count}; two of them have "
    "receipts {receipt} and {other}.",
    "passed": "The till had a refund of {amount} made, of the sale with receipt {receipt}. It passed the gate unchecked.",
    "passed_void": "The till had the sale with receipt {receipt} reversed, {amount}. It passed the gate unchecked.",
    "passed_untied": "The till had {amount} given back. It passed the gate unchecked; no sale is known that it belongs to.",
}

ERROR = {
    "agent_reserved_key": "keys that begin with till- or passed- are the agent's own, for what a till asks for; ask at the "
    "till, or choose another key",
    "agent_no_gate": "this agent does not stand between a till and its terminal, so nothing passes it; start it with: "
    "refund-agent run --gate (docs/gate.md)",
}

HELP = {
    "gate": "Show what passed between till and terminal, and which refunds of the till were held, and why.",
    "terminal": "Show the terminal in words: its state, locks and version, and how old each reading is.",
}
