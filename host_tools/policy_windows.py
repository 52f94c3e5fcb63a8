"""Times of maintenance: a shop writes its own hours, the wire carries UTC."""

from datetime import datetime, time

from . import policy_values
from .policy_values import Wrong

_DAY = 24 * 60
_WEEK = 7 * _DAY


def windows(fields, frame):
    """[WINDOW, …] of one `[[maintenance]]`: {days, begin, end, utc} as they were read. Wrong if they do not go together."""
    begin, end, days = fields.get("begin"), fields.get("end"), fields.get("days")
    offset = fields.get("utc", frame.offset)
    if days is not None and isinstance(begin, time) and isinstance(end, time):
        found = _weekly(days, begin, end, int(offset.utcoffset(None).total_seconds()) // 60)
    elif days is None and isinstance(begin, datetime) and isinstance(end, datetime):
        first, last = (policy_values.moment(moment, frame._replace(offset=offset)) for moment in (begin, end))
        found = [{"begin": first, "end": last}] if first < last else []
    else:
        raise Wrong("window_form")
    if not found:
        raise Wrong("window_order")
    return found


def _weekly(days, begin, end, shift):
    """The same hours of some days of the week, `shift` minutes east of UTC. Those that pass midnight in UTC become two.
    00:00 to 00:00 is the whole day."""
    first, last = (moment.hour * 60 + moment.minute for moment in (begin, end))
    length = (last - first) % _DAY or (_DAY if first == last == 0 else 0)
    bits = {}
    for number in days:
        at, left = (number * _DAY + first - shift) % _WEEK, length
        while left:
            size = min(left, _DAY - at % _DAY)
            hours = at % _DAY, at % _DAY + size
            bits[hours] = bits.get(hours, 0) | 1 << at // _DAY
            at, left = (at + size) % _WEEK, left - size
    return [{"days": days, "begin_min": first, "end_min": last} for (first, last), days in sorted(bits.items())]
