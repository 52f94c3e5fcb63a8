"""Numbers of the lists that a policy carries (their places in its payload), and of what their rows say."""

SALES, DISPUTES, CHARGEBACKS, PEOPLE = 1, 2, 3, 4

OPEN, AGREED, LEGAL = 1, 2, 3  # states of a dispute
