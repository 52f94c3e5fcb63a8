"""What is said about one cause, in one language."""

from collections import namedtuple

# name: what is checked, a few words · text: what is wrong, one sentence · remedy: one or two sentences for a tired cashier ·
# why: why it matters for this refund, one sentence for a shop owner · steps: 2 to 5 short sentences, in order ·
# avoid: what not to do · call: whom to call, and what to have at hand.
CauseText = namedtuple("CauseText", "name text remedy why steps avoid call")
