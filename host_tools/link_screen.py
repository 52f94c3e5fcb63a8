"""A link and captures as people read them."""

from rich.text import Text

from . import measures
from .lines import filled
from .screen import Screen

_OURS = ("messages_in", "messages_out", "frames_in", "bytes_in", "bytes_out")
_OUR_TROUBLES = ("damaged", "resyncs", "dropped", "text_lines", "silences", "cuts")
_AGENT = ("frames_in", "frames_out", "bytes_in", "bytes_out")
_AGENT_TROUBLES = ("damaged", "resyncs", "dropped", "cuts", "lost")


class LinkScreen(Screen):
    def link(self, document):
        """How good a link is."""
        self._rows(
            [
                (self._say("port"), filled(self._port(document), self._wide)),
                (self._say("agent"), filled(self._agent(document), self._wide)),
                (self._say("round_trip"), filled(self._round_trip(document["round_trip"]), self._wide)),
                (self._say("pull"), filled(self._pull(document["pull"]), self._wide)),
                (self._say("clock"), filled(self._clock(document["clock"]), self._wide)),
                (self._say("here"), self._counts(document["ours"], _OURS, _OUR_TROUBLES)),
                (self._say("there"), self._there(document["agent"])),
            ]
        )

    def replaying(self, document):
        """Where a capture is served."""
        self._console.print(Text(document["text"]), soft_wrap=True)
        about = [
            self._say("from", port=measures.clean(document["captured_from"])),
            document["began"],
            measures.duration(self._texts, document["seconds"]),
        ]
        self.note(filled(about, self._width))
        if document["unread"]:
            self.note(self._say("cut", bytes=f"{document['unread']:,}"))

    @property
    def _wide(self):
        return self._width - 15

    def _say(self, key, **fields):
        return self._texts("link", key, **fields)

    def _port(self, document):
        known = [document["description"], document["usb"]]
        baud = [self._say("baud", n=document["baud"])] if document["baud"] else []
        return [document["port"], *[measures.clean(text) for text in known if text], *baud]

    def _agent(self, document):
        return [measures.clean(document[name]) for name in ("agent_id", "agent_version", "board", "runtime")]

    def _round_trip(self, times):
        if times["min_ms"] is None:
            return [self._say("no_echo", n=times["lost"])]
        told = [self._say(name, ms=f"{times[name]:.1f}") for name in ("min_ms", "median_ms", "p99_ms")]
        return [*told, self._say("echoes", n=times["echoes"], lost=times["lost"])]

    def _pull(self, pull):
        if not pull["bytes"]:
            return [self._say("no_pull")]
        told = [self._say("bytes_a_second", n=f"{pull['bytes_a_second']:,}")]
        if pull["of_line"] is not None:
            told.append(self._say("of_line", percent=f"{pull['of_line'] * 100:.0f}"))
        return told

    def _clock(self, clock):
        uptime = measures.duration(self._texts, clock["uptime_ms"] / 1000)
        told = [self._say("uptime", uptime=uptime, at=clock["at"]), self._say("error", ms=f"{clock['error_ms']:.1f}")]
        if clock["drift_s"] is None:
            return [*told, self._say("never_set")]
        return [*told, self._say("drift", s=f"{clock['drift_s']:+.1f}", error=f"{clock['drift_error_s']:.1f}")]

    def _counts(self, counters, always, troubles):
        told = [self._say("n_" + name, n=f"{counters[name]:,}") for name in always]
        bad = [self._say("n_" + name, n=f"{counters[name]:,}") for name in troubles if counters[name]]
        return Text(filled(told, self._wide) + "\n" + (filled(bad, self._wide) if bad else self._say("no_trouble")))

    def _there(self, counters):
        if counters is None:
            return self._say("not_counted")
        told = self._counts(counters, _AGENT, _AGENT_TROUBLES)
        if counters["stream"]:
            lease = measures.duration(self._texts, (counters["lease_ms"] or 0) / 1000)
            told.append("\n" + self._say("stream", frames=f"{counters['frames'] or 0:,}", lease=lease))
        return told
