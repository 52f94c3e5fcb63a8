"""The cable between a laptop and an agent: a pseudo-terminal that leads to the agent's, to be pulled, plugged, harmed."""

import contextlib
import os
import select
import threading
import tty


class Cable:
    """port: where the laptop finds it; from then on bytes pass both ways. `to_laptop`, `to_agent`: what the line makes of the
    bytes (functions of bytes). Use as a context manager."""

    def __init__(self, folder, agent, name="cable"):
        self.port = str(folder / name)
        self.to_laptop = self.to_agent = lambda data: data
        self.carried = 0  # bytes to the laptop
        self._agent = os.open(agent, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self._agent)
        self._wake = os.pipe()
        self._lock = threading.Lock()
        self._ends = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.plug()
        self._thread.start()
        return self

    def __exit__(self, *_):
        os.write(self._wake[1], b"end")
        self._thread.join(5)
        self.pull()
        for end in (self._agent, *self._wake):
            os.close(end)

    def plug(self):
        with self._lock:
            self._ends = os.openpty()
            os.set_blocking(self._ends[0], False)
            tty.setraw(self._ends[1])
            os.symlink(os.ttyname(self._ends[1]), self.port)
        os.write(self._wake[1], b".")

    def pull(self):
        """What is on its way is lost, as is all that the agent says meanwhile."""
        with self._lock:
            if self._ends:
                os.unlink(self.port)
                for end in self._ends:
                    os.close(end)
                self._ends = None

    def say(self, data):
        """Bytes to the agent, as if the laptop had sent them."""
        os.write(self._agent, data)

    def _run(self):
        while True:
            with self._lock:
                laptop = self._ends and self._ends[0]
            waited = [self._agent, self._wake[0]] + ([laptop] if laptop else [])
            ready, _, _ = select.select(waited, [], [], 0.05)
            if self._wake[0] in ready and os.read(self._wake[0], 8).endswith(b"end"):
                return
            with self._lock:
                self._carry(ready)

    def _carry(self, ready):
        laptop = self._ends and self._ends[0]
        if self._agent in ready:
            data = os.read(self._agent, 4096)
            self.carried += len(data)
            if laptop:
                data = self.to_laptop(data)
                if data:
                    with contextlib.suppress(BlockingIOError):  # nobody has read for 4 KB: it is lost
                        os.write(laptop, data)
        if laptop in ready:
            with contextlib.suppress(BlockingIOError):  # it was another cable's end that was ready
                data = self.to_agent(os.read(laptop, 4096))
                if data:
                    os.write(self._agent, data)
