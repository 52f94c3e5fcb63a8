"""What is said about people's words, approvals and guidance, in English. people_texts_zh.py has the same keys; a test holds
both to it. texts_en.py takes them into its sections."""

# What checks may lack, besides what stands in "fact".
SOURCES = {
    "clock": "the clock",
    "clock: nothing to hold it against": "another clock to hold its own against",
    "journal": "the journal",
    "policy": "the policy",
    "attest": "a person's word",
    "temperature": "a thermometer",
    "terminal_line": "counts of the terminal's cable",
    "network_tls": "the host's certificate",
    "operator": "who asks (--operator)",
    "scheme": "the card scheme (--scheme)",
    "settled": "whether the batch is closed (--settled)",
    "sale_amount": "the sale's amount (--sale-amount)",
    "sale_date": "the sale's day (--sale-date)",
    "sale_currency": "the sale's currency",
    "sale_card": "the card of the sale",
    "card": "the card presented (--card)",
    "expiry": "the card's expiry (--expiry)",
}

POLICY_STATE = ("in force", "absent", "damaged or forged", "older than one before", "for another terminal")

# What a person may attest, by its name in bodies.ATTESTATIONS.
ATTEST = {
    "damage": "no visible damage",
    "account_details": "account details",
    "dispute": "dispute settled",
    "evidence": "evidence kept",
    "legal": "cleared by counsel",
    "fx_consent": "payer's consent to the rate",
    "approval": "approval",
    "guide": "steps done",
    "noise": "no odd noise",
    "host_code": "the host's answer",
}

WORD = {
    "missing_policy": "{name} in the policy",
    "missing_attest": "a person's word: {name}",
    "lacks": "{source}: {check}",
    "and_more": "and {number}",
    "unseen": "Cannot be seen: what is missing, and the checks that need it.",
    "then": "Then:",
    "approve_by_key": "A second person approves a refund by its key. Ask for it with refundctl refund: the answer says what "
    "to type.",
}

ERROR = {
    "bad_expiry": "--expiry must be year and month like 2027-09",
}

HELP = {
    "scheme": "Card scheme of the sale, as the policy names it, if known.",
    "settled": "Whether the batch of the sale is closed, if known.",
    "expiry": "Month in which the card expires, YYYY-MM.",
    "preflight_key": "Key of the refund, if it has one already: an approval counts for its key alone.",
}
