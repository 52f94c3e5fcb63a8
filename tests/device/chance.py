"""Random numbers that are the same under every runtime, from a seed that is printed: SEED=… replays a run."""

import os
import time


class Chance:
    """Numbers from a 32-bit xorshift (Marsaglia 2003, triple 13, 17, 5). `seed`: None takes SEED from the environment, or
    the clock."""

    def __init__(self, seed=None):
        if seed is None:
            seed = int(os.getenv("SEED") or int(time.time()))
        self._state = seed & 0xFFFFFFFF or 1
        print("replay with SEED=%d" % seed)

    def below(self, bound):
        """0..bound-1."""
        state = self._state
        state ^= state << 13 & 0xFFFFFFFF
        state ^= state >> 17
        state ^= state << 5 & 0xFFFFFFFF
        self._state = state
        return (state >> 3) % bound

    def bytes(self, size):
        return bytes(self.below(256) for _ in range(size))

    def one_of(self, items):
        return items[self.below(len(items))]
