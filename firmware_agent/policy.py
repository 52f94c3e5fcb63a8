"""Rules the checks go by. For now they come with the board's data; unsigned, so they can only be as strict as the board.

An UNKNOWN finding counts as WARN in the verdict, as HOLD where the rules say so or a refund could not succeed anyway.
"""

from .wire.messages import HOLD, WARN

_UNKNOWN = {1: "HOLD"}  # a terminal that does not answer can do no refund


class Policy:
    """`rules`: {"minimum_version": "2.10", "duplicate_window_s": 86400, "unknown": {cause: "HOLD"}, …}."""

    def __init__(self, rules):
        # None: no rule, and the check that needs it says UNKNOWN.
        minimum = rules.get("minimum_version")
        self.minimum_version = minimum if minimum is None else "%s" % minimum  # 3 is a version too
        # How long the same sale and amount counts as the same refund asked twice.
        self.duplicate_window_s = rules.get("duplicate_window_s", 86400)
        # Readings older than this are no readings: three polls of the terminal went unanswered.
        self.max_age_ms = rules.get("max_age_ms", 30000)
        self._unknown = rules.get("unknown", _UNKNOWN)

    def unknown_is(self, cause):
        """WARN or HOLD."""
        return HOLD if self._unknown.get(cause, "WARN") == "HOLD" else WARN
