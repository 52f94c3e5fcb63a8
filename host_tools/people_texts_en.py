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
    "till_sale": "sale of the till's next refund",
}

# The same as a sentence, good and bad.
ATTEST_SAYS = {
    "damage": ("The device shows no damage.", "The device is damaged."),
    "noise": ("The device makes no odd noise.", "The device makes an odd noise."),
    "account_details": ("Number, holder and branch of the account are right.", "The account details are wrong."),
    "dispute": ("The dispute about this sale is settled.", "There is a dispute about this sale."),
    "evidence": ("The evidence of this sale is kept.", "Evidence of this sale is missing."),
    "legal": ("Counsel has cleared this refund.", "Counsel has not cleared this refund."),
    "fx_consent": ("The payer consents to the sum at today's rate.", "The payer does not consent to today's rate."),
    "host_code": ("The acquirer's host answered {code}.", "What the acquirer's host answered before stands no longer."),
    "till_sale": ("The next refund at the till is of this sale.", "The next refund at the till is not of this sale."),
}

PEOPLE = {
    "yes": "y yes",
    "no": "n no",
    "approved": "{by} approves the refund of {amount}.",
    "approved_then": "Now ask for the refund again, with the same options as before and its key:",
    "approved_then_till": "Now ask for the same refund at the till again: it has the same key until the agent starts anew.",
    "pin_prompt": "PIN of {by} (not shown): ",
    "step_done": "done? [y/n]",
    "guide_done": "All {of} steps are done and recorded.",
    "guide_stopped": "Stopped: {n} of {of} steps are done and recorded.",
    "digest_note": "The files stay here; the journal has this digest of them. Note it down with them.",
    "digest_of_several": "Of {n} files: the SHA-256 over their digests one after the other, sorted by the files' names.",
    "undated": "The agent's clock was never set, so this has no date and counts for nothing that must be recent. Ask for "
    "refundctl status first: it tells the agent the time.",
}

EXPLAIN = {
    "held": "held by the checks, never sent",
    "somebody": "Somebody",
    "an_amount": "an amount that is not known",
    "asked": "{who} asks for a refund of {amount}, of the sale with receipt {receipt}.",
    "sale_seen": "The sale as the terminal showed it: {facts}",
    "sale_attested": "As whoever asked said: {facts}",
    "sale_unseen": "The terminal never showed this sale to the agent.",
    "unseen": "Checks that could not see what they need: {n}.",
    "checked": "The checks say {verdict}.",
    "recorded": "The checks let it pass; it is recorded.",
    "sent": "It is sent to the terminal, once.",
    "last_receipt": "The terminal's last receipt was {receipt} then.",
    "in_doubt": "No final answer came: the outcome is unknown.",
    "executed": "The terminal executed it.",
    "executed_asked": "The terminal was asked, and had executed it.",
    "refused": "The terminal refused it. No money moved.",
    "refused_asked": "The terminal was asked, and had refused it. No money moved.",
    "not_sent": "The terminal did not tell its last receipt, so nothing was sent.",
    "not_executed": "The terminal was asked, and had not executed it.",
    "settled_done": "A person says that it was executed.",
    "settled_not": "A person says that it was not executed.",
    "settled_by": "{attested_by} ({role}): {reason}",
    "code": "Result code {code}, cause {cause}: {text}",
    "code_unknown": "Result code {code}, which no table lists.",
    "approved": "{by} ({role}) approves {amount}.",
    "attested": "{by} ({role}): {said}",
    "step": "{by} ({role}) did step {n} of {of} of cause {cause}: {name}.",
    "digest": "shown by: {digest}",
    "boot": "The agent starts anew (start number {boot}).",
    "supply": "supply  {plot}  {low} to {high} mV",
    "supply_limit": "supply  {plot}  {low} to {high} mV, lower limit {limit} mV",
    "no_events_in_file": "A copy of the journal holds no events: what the hardware did around it is missing here.",
    "events_gone": "The agent has started anew since: what the hardware did around it is no longer kept.",
    "now": "now",
    "cause": "cause",
    "now_approved": "Nothing: it is made. Do not ask for it again.",
    "now_doubt": "Nobody knows yet whether the buyer was paid. Do not repeat it, and pay out no cash.",
    "now_not_executed": "It was not executed. It may be asked for anew, with the same key.",
}

WORD = {
    "by": "by",
    "words": "words",
    "digest": "digest",
    "record": "record",
    "when": "when",
    "missing_policy": "{name} in the policy",
    "missing_untold": "not said",
    "missing_attest": "a person's word: {name}",
    "lacks": "{source}: {check}",
    "and_more": "and {number}",
    "unseen": "Cannot be seen: what is missing, and the checks that need it.",
    "then": "Then:",
    "approve_by_key": "A second person approves a refund by its key. Ask for it with refundctl refund: the answer says what "
    "to type.",
}

ERROR = {
    "nothing_to_explain": "there is no refund in this journal yet, so there is nothing to explain",
    "bad_what": "say what is attested, one of: {whats}",
    "what_needs_receipt": "{what} is about one sale: give its --receipt",
    "what_has_no_receipt": "{what} is about the shop, not about one sale: leave --receipt out",
    "yes_or_no": "say --yes or --no to {what}; refundctl attest --help explains it",
    "host_code_needs_text": "host_code needs either --text and the code that the host answered, or --no if its earlier "
    "answer stands no longer",
    "guide_no_cause": "CAUSE must be the number of a cause, 1 to 60; refundctl causes lists them",
    "guide_needs_done": "with --json nobody can be asked: give --done and the number of the last step that is done, 1 to "
    "{high}",
    "bad_expiry": "--expiry must be year and month like 2027-09",
}

HELP = {
    "explain": "Tell the story of one refund in order: what was asked, what the checks saw, what the hardware did, what the "
    "terminal said, and what to do now.",
    "explain_key": "Key of the refund; last for the one with the latest record.",
    "attest": "Record a person's word, for the checks that need one. WHAT: damage (is the device undamaged?), noise (does it "
    "sound as usual?), account_details (are number, holder and branch right?), dispute (is it settled?), evidence (is it "
    "kept?), legal (did counsel clear it?), fx_consent (does the payer consent to today's rate?), host_code (what the host "
    "answered: --text CODE), till_sale (the next refund at the till is of this sale; --no takes that back).",
    "what": "What is attested.",
    "about_receipt": "Receipt number of the sale it is about, if it is about one.",
    "yes_no": "Whether it is so.",
    "attest_text": "A few words on it; of host_code the code.",
    "attest_file": "A file that shows it: its SHA-256 is recorded, the file stays here. May be given several times: then it "
    "is the SHA-256 over theirs, sorted by the files' names.",
    "approve": "Approve one refund as the second person. Asks for the PIN without showing it, or takes it from stdin where "
    "that is no terminal.",
    "approve_key": "Key of the refund.",
    "approve_by": "Who approves it: a name on the policy's roster (needed).",
    "guide": "Go through the steps of a cause's remedy, one by one; each that is done is recorded.",
    "guide_cause": "Number of the cause.",
    "guide_done": "Ask nothing: record the steps up to N as done.",
    "scheme": "Card scheme of the sale, as the policy names it, if known.",
    "settled": "Whether the batch of the sale is closed, if known.",
    "expiry": "Month in which the card expires, YYYY-MM.",
    "preflight_key": "Key of the refund, if it has one already: an approval counts for its key alone.",
}
