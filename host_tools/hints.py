"""The command that a person runs about a finding, ready to be typed."""

# Causes that a person's word clears: what of bodies.ATTESTATIONS, and whether it is about a sale.
_ATTEST = {
    11: ("damage", False),
    20: ("account_details", False),
    22: ("dispute", True),
    24: ("evidence", True),
    25: ("legal", True),
    37: ("fx_consent", True),
}
_ONLY_ATTESTED = (20, 22)  # found by other ways too, and then a person's word does not clear them
APPROVAL, GUIDANCE = 51, 59
TILL_SALE = ("refundctl attest till_sale", "--receipt N", "--by NAME", "--role ROLE")  # for a till, which names no sale


def command(finding, document):
    """The words of the command, () if there is none. `document`: of a verdict or a refund."""
    cause = finding["cause"]
    if finding["status"] not in ("WARN", "HOLD", "BLOCK"):
        return ()
    receipt = f"--receipt {document.get('sale_receipt') or 'N'}"
    who = ("--by NAME", "--role ROLE")
    if cause == APPROVAL and document.get("key"):
        amount, _, currency = document["amount_text"].replace(",", "").rpartition(" ")
        return (
            "refundctl approve " + document["key"],
            receipt,
            "--amount " + amount,
            "--currency " + currency,
            "--by NAME",
        )
    if cause == GUIDANCE:
        return ("refundctl guide " + str(cause), receipt, *who)
    if cause not in _ATTEST or (cause in _ONLY_ATTESTED and "person" not in finding["evidence"]):
        return ()
    what, of_a_sale = _ATTEST[cause]
    return ("refundctl attest " + what, *([receipt] if of_a_sale else []), "--yes", *who)
