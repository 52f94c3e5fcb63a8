"""The agent's own health: its heap."""

import gc


class Health:
    """heap_peak: highest use seen after a collection, bytes; None where the runtime cannot tell."""

    heap_peak = None
    heap_used = None
    heap_free = None

    def look(self):
        """Collect and measure."""
        if not hasattr(gc, "mem_alloc"):
            return
        gc.collect()
        self.heap_used = gc.mem_alloc()
        self.heap_free = gc.mem_free()
        self.heap_peak = max(self.heap_used, self.heap_peak or 0)
