"""A capture served as a pseudo-terminal, at the speed at which it was captured, for programs that know no captures."""

import os
import select
import tempfile
import time

import cbor2
import serial

from firmware_agent.wire import smp

from . import capture_file
from .capture_replay import CaptureOver, NotInCapture, Replay
from .capture_story import Requests
from .failures import Failure

_LOOK_S = 0.02
_AWAY_S = 1.0  # how long the port is gone where the cable was pulled
_NOT_SUPPORTED = 8  # MGMT_ERR_ENOTSUP


class Served:
    """port: path that leads to the capture in the file `path`; capture: it. Use as a context manager, then `run`."""

    def __init__(self, path, speed):
        self.capture = capture_file.read(path)
        self._replay = Replay(path, speed).open()
        self._folder = tempfile.mkdtemp(prefix="refundctl-replay-")
        self.port = os.path.join(self._folder, "port")
        self._ends = None

    def __enter__(self):
        self._plug()
        return self

    def __exit__(self, *_):
        self._pull()
        os.rmdir(self._folder)

    def run(self):
        """Serves until somebody presses Ctrl-C."""
        while True:
            try:
                self._serve()
            except serial.SerialException:
                self._pull()
                time.sleep(_AWAY_S)
                self._replay.open()
                self._plug()

    def _serve(self):
        master = self._ends[0]
        requests = Requests()
        while True:
            if select.select([master], [], [], _LOOK_S)[0]:
                data = os.read(master, 4096)
                try:
                    self._replay.write(data)
                except NotInCapture:
                    for header, _ in requests.feed(data):
                        os.write(master, smp.frame(smp.pack(header.answer(), cbor2.dumps({"rc": _NOT_SUPPORTED}))))
            try:
                data = self._replay.read(4096)
            except CaptureOver:
                continue  # what was asked is answered all the same
            if data:
                os.write(master, data)

    def _plug(self):
        try:
            import tty

            self._ends = os.openpty()
            tty.setraw(self._ends[1])
            os.symlink(os.ttyname(self._ends[1]), self.port)
        except (ImportError, AttributeError, OSError):
            raise Failure("no_pseudo_terminal")

    def _pull(self):
        if self._ends:
            os.unlink(self.port)
            for end in self._ends:
                os.close(end)
            self._ends = None
