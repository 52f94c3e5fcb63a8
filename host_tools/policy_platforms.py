"""What payment platforms allow, as far as they publish it: a starting policy offers it as [scheme.NAME], [codes] and limits.

Only what a platform says of itself; the texts in policy_texts_en.py and _zh.py (PLATFORMS) say what no rule can hold. A
contract may differ: whoever uses one of these compares.
"""

from collections import namedtuple

# scheme: settings of [scheme.NAME]; limits: settings of [limits]; codes: {response code: key of a cause}.
Platform = namedtuple("Platform", "currency scheme limits codes")

PLATFORMS = {
    "wechat": Platform(
        "CNY",
        # a year, fifty part refunds of one order, a minute between two
        {"window_days": 365, "max_partial": 50, "spacing_s": 60, "refunds": True},
        {"max_per_minute": 5000},
        {"NOTENOUGH": "settlement_balance_low"},
    ),
    "alipay": Platform("CNY", {"refunds": True}, {}, {}),  # the window is in the contract
    "adyen": Platform("EUR", {"refunds": True}, {}, {}),
    "stripe": Platform("USD", {"refunds": True}, {}, {}),
    "square": Platform("USD", {"window_days": 365, "max_partial": 20, "refunds": True}, {}, {}),
    "clover": Platform("USD", {"refunds": True}, {}, {}),
    "vipps": Platform("NOK", {"window_days": 365, "refunds": True}, {}, {}),
    "india": Platform("INR", {"window_days": 180, "refunds": True}, {}, {}),  # most banks: six months
    "payu": Platform("INR", {"refunds": True}, {}, {"113": "chargeback_paid"}),
}
