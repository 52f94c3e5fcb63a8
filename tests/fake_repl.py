"""A board's raw prompt in memory: it runs what deploying sends, over a file system in memory (board_files.py)."""

import binascii
import builtins
import hashlib
import io
import types
from contextlib import redirect_stdout

from host_tools.deploy_repl import Refused, ReplLost

STOCK = {"name": "micropython", "version": (1, 28, 0, ""), "_machine": "Some board with RP2040", "_mpy": 0x1306}


class FakeRepl:
    """`files`: Files. `implementation`: what its sys.implementation says. `lost_after`: characters after which the cable is
    pulled."""

    port = "/dev/fake"

    def __init__(self, files, platform="linux", lost_after=None, **implementation):
        self.files = files
        self.lost_after = lost_after
        self.sent = 0
        self.timers = []
        system = types.SimpleNamespace(
            implementation=types.SimpleNamespace(**{**STOCK, **implementation}), platform=platform, argv=[]
        )
        timers = self.timers

        class Timer:
            ONE_SHOT = 0

            def __init__(self, number):
                pass

            def init(self, mode, period, callback):
                timers.append(period)

        machine = types.SimpleNamespace(Timer=Timer, reset=lambda: None)
        there = {"os": files, "sys": system, "hashlib": hashlib, "binascii": binascii, "machine": machine, "gc": None}
        built_in = {**vars(builtins), "open": files.open, "__import__": lambda name, *_: there[name]}
        self._names = {"__builtins__": built_in}

    def exec(self, code, seconds=0):
        self.sent += len(code)
        if self.lost_after is not None and self.sent > self.lost_after:
            raise ReplLost(port=self.port)
        said = io.StringIO()
        try:
            with redirect_stdout(said):
                exec(code, self._names)
        except Exception as error:
            raise Refused(self.port, f"Traceback (most recent call last):\n{type(error).__name__}: {error}")
        return said.getvalue()
