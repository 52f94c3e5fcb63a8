"""The agent's own health: its heap, whether it runs well, and what fell of it."""

import gc
import sys

VERSION = "0.1.0"


class Health:
    """heap_peak: highest use seen after a collection, bytes; None where the runtime cannot tell. faults: how often a part of
    the agent fell since boot. place: what Starts is made with, None where nobody counts starts; healthy: called after 10 s
    without a fault."""

    heap_peak = None
    heap_used = None
    heap_free = None
    place = healthy = None
    faults = 0
    _good_s = 0

    def look(self):
        """Collect and measure."""
        if not hasattr(gc, "mem_alloc"):
            return
        gc.collect()
        self.heap_used = gc.mem_alloc()
        self.heap_free = gc.mem_free()
        self.heap_peak = max(self.heap_used, self.heap_peak or 0)

    def turned(self):
        """A second of the loop has passed."""
        self._good_s += 1
        if self._good_s == 10 and self.healthy:
            self.healthy()
        if self._good_s == 60 and self.place:
            from . import starts

            starts.Starts(*self.place).good()  # pyright: ignore[reportGeneralTypeIssues]
            sys.modules.pop(starts.__name__, None)

    def fell(self, agent, error):
        """A part of the agent fell and starts anew: the first time of a boot is journaled."""
        self._good_s = 0
        self.faults += 1
        agent.events.add("fault", {"missing": repr(error)[:60]})
        if self.faults == 1:
            try:
                from . import crash

                crash.of_part(agent.history, error, agent.clock)
                crash.let_go()
            except MemoryError:
                pass  # short of heap for a moment: the event tells of it
            agent.device.sample()

    def at(self, agent):
        """(boot, wall_s, uptime_ms) now."""
        return agent.history.boot, agent.clock.wall_s(), agent.clock.uptime_ms()
