"""A capture in an agent's place: whoever asks what was asked gets what was answered, whoever subscribes what was streamed.

Requests count as the same whatever the asking computer's clock said. Answers to the same request come in their order, the
last one again and again; polls for events end with the capture. Where the cable was pulled, it is pulled again.
"""

import time

import cbor2
import serial

from firmware_agent.wire import errors, messages, smp

from . import capture_file
from .capture_story import LEASE, STREAM, Requests, Story, is_poll, is_subscribe, read_map, same
from .failures import Failure

_ECHO = 0, 0  # group and command
_IDLE_S = 0.02  # how long a read waits where nothing is due
_AHEAD = 4096  # bytes of frames that may wait to be read


class CaptureOver(Failure):
    """All that was captured has been played. Fields: file."""

    key = "capture_over"


class NotInCapture(Failure):
    """Nobody asked this while the capture was made. Fields: file."""

    key = "not_in_capture"


class Replay:
    """The capture in the file `path` as a port: open, then read, write, in_waiting and close as pyserial has them.

    name: the port that was captured. `speed`: times as fast as it was; 0: as fast as it is read. Besides pyserial's error,
    where the cable was pulled: CaptureOver, NotInCapture, NoCapture.
    """

    def __init__(self, path, speed=0):
        self.path = self.name = path
        self.speed = speed
        self._story = None
        self._session = -1
        self._reset()

    def open(self, baud=None):
        """Begins the next session of the capture."""
        if self._story is None:
            capture = capture_file.read(self.path)
            self.name = str(capture.about.get("port", self.path))
            self._story = Story(capture)
            if not self._story.sessions:
                raise CaptureOver(file=self.path)
        if self._session + 1 == len(self._story.sessions) and self._pulled:
            raise CaptureOver(file=self.path)  # it was pulled, and never came back
        self._session = min(self._session + 1, len(self._story.sessions) - 1)
        self._reset()
        return self

    def close(self):
        pass

    @property
    def in_waiting(self):
        return len(self._out)

    def read(self, size=1):
        self._play()
        if not self._out:
            if self._pulled:
                raise serial.SerialException("the cable was pulled")
            if self._over:
                raise CaptureOver(file=self.path)
            time.sleep(_IDLE_S)
        data = bytes(self._out[:size])
        del self._out[:size]
        return data

    def write(self, data):
        for header, body in self._requests.feed(data):
            if (header.group, header.command) == _ECHO:
                self._say(header, cbor2.dumps({"r": read_map(body).get("d", "")}))
            elif is_subscribe(header):
                self._subscribe(header, read_map(body))
            else:
                self._answer(header, same(header, body))
        return len(data)

    def _reset(self):
        self._requests = Requests()
        self._out = bytearray()
        self._playing = -1  # number of the stream in this session
        self._played = 0  # frames of it
        self._begun = 0.0
        self._pulled = self._over = False

    def _answer(self, header, request):
        answers = self._story.answers.get(request)
        if answers is None:
            raise NotInCapture(file=self.path)
        if not answers or (is_poll(header) and answers[0].session > self._session):
            self._end()
            return
        asked = answers.popleft() if is_poll(header) or len(answers) > 1 else answers[0]
        if asked.answer is None:
            self._end()
        else:
            self._say(header, asked.answer)

    def _subscribe(self, header, asked):
        streams = self._story.sessions[self._session]
        running = 0 <= self._playing < len(streams)
        if asked.get(LEASE) == 0:
            self._say(header, streams[self._playing].answer if running else _refused("no_stream"))
            self._playing = len(streams)
        elif asked.get(STREAM):
            # a stream that ended unsaid is found out by its renewal
            more = running and (self._played < len(streams[self._playing].frames) or self._playing + 1 == len(streams))
            self._say(header, streams[self._playing].answer if more else _refused("no_stream"))
        elif not self._story.streamed:
            self._say(header, _refused("no_command"))
        elif self._playing + 1 < len(streams):
            self._playing += 1
            self._played = 0
            self._begun = time.monotonic_ns()
            self._say(header, streams[self._playing].answer)
        else:
            self._end()

    def _play(self):
        streams = self._story.sessions[self._session]
        if not 0 <= self._playing < len(streams):
            return
        frames = streams[self._playing].frames
        now = (time.monotonic_ns() - self._begun) * self.speed
        while self._played < len(frames) and len(self._out) < _AHEAD:
            at, frame = frames[self._played]
            if self.speed and at > now:
                break
            self._out += frame
            self._played += 1
        if self._played == len(frames) and not self._out and self._playing + 1 == len(streams):
            self._end()

    def _end(self):
        self._pulled = self._session + 1 < len(self._story.sessions) or self._story.lost
        self._over = not self._pulled

    def _say(self, header, body):
        self._out += smp.frame(smp.pack(header.answer(), body))


def _refused(name):
    return cbor2.dumps({"err": {"group": messages.GROUP, "rc": errors.WireError(name).rc}})
