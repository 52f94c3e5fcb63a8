"""What can go wrong, as one line for people and one exit status: the base of every error refundctl reports."""

DONE, OTHER, WRONG_USAGE, HELD, REFUSED, NO_AGENT, IN_DOUBT = 0, 1, 2, 3, 4, 5, 6


class Failure(Exception):
    """`key` names the text in the tables' "error", `fields` fill it, `exit_status` is what refundctl ends with.

    No field may hold what somebody typed into a refund's options: it could be a card number.
    """

    key = "fault"
    exit_status = OTHER

    def __init__(self, key=None, /, **fields):
        super().__init__(key or self.key)
        self.key = key or self.key
        self.fields = fields


class WrongUsage(Failure):
    """The command line is wrong; nothing was sent."""

    exit_status = WRONG_USAGE


class OutcomeUnknown(Failure):
    """A refund may have reached the agent and its end is not known. Fields: the refund's key at least."""

    exit_status = IN_DOUBT
