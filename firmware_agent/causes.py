"""The sixty causes that keep a refund from working: number, key, family, sources, status when found, who mends it.

Numbers and keys are for ever. Sources: T terminal or board, P policy, H a host's or terminal's response code, O a person.
Found: the status when the cause is present; `?` behind it means that the policy may weaken it. Who: one or more of PEOPLE,
joined by `+`. The rows stand in causes.txt beside this module, so that a board reads them line by line.
"""

PEOPLE = (
    "merchant",
    "operator",
    "supervisor",
    "technician",
    "deployer",
    "acquirer",
    "bank",
    "cardholder",
    "issuer",
    "agent",
    "wait",
)

PATH = __file__.rsplit(".", 1)[0] + ".txt"


class Cause:
    """One row: number, key, family, sources (letters), found (status name), weakenable (bool), who (tuple of PEOPLE)."""

    def __init__(self, line):
        number, self.key, self.family, self.sources, found, who = line.split()
        self.number = int(number)
        self.weakenable = found[-1] == "?"
        self.found = found[:-1] if self.weakenable else found
        self.who = tuple(who.split("+"))


def every_cause():
    """All of them, by number."""
    with open(PATH) as rows:
        return [Cause(line) for line in rows]


def cause(number):
    """The Cause of a number; ValueError if there is none."""
    with open(PATH) as rows:
        for line in rows:
            if line.startswith("%d " % number):
                return Cause(line)
    raise ValueError("no cause %d" % number)
