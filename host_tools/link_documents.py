"""What is told of a link and of captures, as documents: plain dicts, in the reader's language. Their shape is a contract."""

from datetime import UTC, datetime

from firmware_agent.wire import messages, tool_messages

from . import link_port, link_probe

BITS_A_BYTE = 10  # of a serial line: start, eight, stop


def link(texts, candidate, link, probe, status):
    """How good a link is. Times in milliseconds; "agent" is null where it does not count."""
    return {
        "port": link.port,
        "description": texts("link", "pseudo") if link_port.is_pseudo(link.port) else candidate.what,
        "usb": candidate.usb,
        "baud": link.baud if candidate.speed else None,
        "agent_id": status["agent_id"],
        "agent_version": status["agent_version"],
        "board": status["board"],
        "runtime": status["runtime"],
        "round_trip": _round_trip(probe),
        "pull": _pull(link, probe, candidate.speed),
        "clock": _clock(probe.clock),
        "ours": {
            "messages_in": link.reader.messages_read,
            "messages_out": link.sent_messages,
            "frames_in": link.reader.frames_read,
            "bytes_in": link.reader.bytes,
            "bytes_out": link.sent_bytes,
            "damaged": link.reader.damaged,
            "resyncs": link.reader.resyncs,
            "dropped": link.reader.dropped,
            "text_lines": link.reader.text,
            "silences": link.silences,
            "cuts": link.cuts,
        },
        "agent": probe.agent
        and {row[1]: probe.agent.get(row[1]) for row in messages.fields(tool_messages.LINK_ANSWER)},
    }


def _round_trip(probe):
    names = ("min_ms", "median_ms", "p99_ms")
    told = {
        name: None if value is None else round(value * 1000, 3)
        for name, value in zip(names, link_probe.times(probe.round_trips), strict=True)
    }
    return {**told, "echoes": len(probe.round_trips), "lost": probe.lost}


def _pull(link, probe, speed):
    a_second = probe.line_bytes / probe.seconds if probe.seconds else 0
    return {
        "bytes": probe.bytes,
        "seconds": round(probe.seconds, 3),
        "bytes_a_second": round(probe.bytes / probe.seconds) if probe.seconds else 0,
        "line_bytes_a_second": round(a_second),
        "of_line": round(a_second * BITS_A_BYTE / link.baud, 3) if speed else None,
    }


def _clock(clock):
    return {
        "uptime_ms": int(clock.uptime_s * 1000),
        "at": datetime.fromtimestamp(clock.at_s, UTC).isoformat(timespec="milliseconds"),
        "started": datetime.fromtimestamp(clock.booted_s, UTC).isoformat(timespec="milliseconds"),
        "error_ms": round(clock.error_s * 1000, 3),
        "drift_s": None if clock.drift_s is None else round(clock.drift_s, 1),
        "drift_error_s": None if clock.drift_s is None else round(clock.drift_error_s, 1),
    }


def replaying(texts, path, port, capture):
    """A capture that is served as a port."""
    began = capture.about.get("began")
    began = began if isinstance(began, int) else 0
    return {
        "file": path,
        "port": port,
        "captured_from": str(capture.about.get("port", "?")),
        "began": datetime.fromtimestamp(began / 1e9, UTC).isoformat(timespec="seconds"),
        "seconds": round(capture.records[-1][0] / 1e9, 1) if capture.records else 0,
        "records": len(capture.records),
        "unread": capture.unread,
        "text": texts("link", "replaying", file=path, port=port),
    }
