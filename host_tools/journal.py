"""A copy of a journal, as `refundctl journal pull` made it: its records by name, its refunds, and what is missing from it."""

import struct
from binascii import crc32, hexlify

from firmware_agent.wire import bodies, cbor, errors, messages, pan, region, survey

from .failures import OTHER, Failure

_IDENTITY = ("receipt", "trace", "amount", "currency", "date", "time", "code", "reversal")
_SALE = ("receipt", "trace", "amount", "currency", "mmdd", "hhmmss", "card")
_TOKEN = len(_SALE)  # place of the card's token, where the terminal told the number
_MAGIC = b"RFJ"
PLACES = 16  # damaged places that an agent keeps one by one; what lies beyond is accepted up to a number


class NoJournal(Failure):
    """The file is no journal this refundctl can read. Fields: file, and what else its key needs."""

    key, exit_status = "no_journal", OTHER


class _Flash:
    """The bytes of a region behind the reading half of the Flash port."""

    def __init__(self, data, sector, unit):
        self._data = data
        self.size = len(data)
        self.sector = sector
        self.unit = unit

    def read(self, address, size):
        return self._data[address : address + size]


class Copy:
    """`data`: the bytes of a journal's region; `file`: what to call it. NoJournal says what is wrong with it.

    `entries`: a document for each record that counts and each damaged place, oldest first. `damage`: [(address, bytes,
    records lost, number of the first, whether somebody accepted it)]. `digests`: {number: digest, hexadecimal}.
    """

    def __init__(self, data, file):
        self.size = len(data)
        self.sector, self.unit = _shape(data, file)
        flash = _Flash(data, self.sector, self.unit)
        try:
            self._region = survey.Survey(flash)
        except region.JournalError:
            raise NoJournal(file=file)
        if self._region.newest < 0:
            raise NoJournal("empty_journal", file=file)
        self.oldest, self.newest = self._region.oldest, self._region.newest
        self.entries = []
        self.digests = {}
        self.agent_id = None
        damage, accepted, up_to = [], set(), 0
        self.gone = 0  # records lost in sectors that were given up since, and that nobody accepted

        def note(*place):
            damage.append(place)
            self.entries.append(
                dict(zip(("kind", "address", "bytes", "lost", "number"), ("damage", *place), strict=True))
            )

        for address, flags, number, body in self._region.walk(note):
            end = (address // self.sector + 1) * self.sector
            self.digests[number] = hexlify(self._region.at(address, end)[3]).decode()
            carried = bool(flags & region.CARRIED)
            entry = {"number": number, "address": address, "carried": carried, **_named(body)}
            self.entries.append(entry)
            self.agent_id = entry.get("agent_id", self.agent_id)
            if entry["kind"] == "accepted":
                accepted.update(entry["numbers"])
                up_to = max(up_to, entry["up_to"])
                self.gone = 0
            elif entry["kind"] == "counts":
                self.gone = entry["lost"]
        self.last, digest, self.end = self._region.tip
        self.digest = hexlify(digest).decode()
        self.damage = [
            (*place, bool(place[2]) and (place[3] in accepted or (at >= PLACES and place[3] <= up_to)))
            for at, place in enumerate(damage)
        ]

    @property
    def lost(self):
        """Records that counted, are missing or altered, and were accepted by nobody."""
        return max(self.gone, sum(lost for _, _, lost, _, accepted in self.damage if not accepted))

    @property
    def records(self):
        return len(self.digests)

    def refunds(self):
        """A row for each refund, the one that changed last at the end."""
        rows = {}
        for entry in self.entries:
            if entry["kind"] == "refund":
                row = rows.pop(entry["key"], None) or {"key": entry["key"], "carried": entry["carried"], **_ROW}
                rows[entry["key"]] = _followed(row, entry)
        # What was carried along is older than all the rest, and stands behind it: in its own order, if its clock was set.
        old = [row for row in rows.values() if row["carried"]]
        if all(row["wall_s"] is not None for row in old):
            old.sort(key=lambda row: row["wall_s"])
        return old + [row for row in rows.values() if not row["carried"]]

    def story(self, key):
        """The entries of one refund, what the checks saw of it, and who approved it, oldest first, the sale it refers to in
        front."""
        told = [
            entry
            for entry in self.entries
            if (entry["kind"] in ("refund", "verdict") and entry["key"] == key)
            or (entry["kind"] == "attested" and (entry["what"], entry["text"]) == ("approval", key))
        ]
        ids = {entry["facts"].get("sale_id") for entry in told if entry["kind"] == "refund"}
        sales = [entry for entry in self.entries if entry["kind"] == "sale" and entry["sale_id"] in ids]
        return sales[-1:] + told


def held(key, verdict):
    """The row of a refund that the checks never let begin, from what they saw last."""
    asked = verdict["asked"]
    row = {"key": key, "carried": False, **_ROW, "state": "NEW", "wall_s": verdict["wall_s"]}
    named = {_COLUMN.get(name, name): asked[name] for name in asked}
    return {**row, **{name: named[name] for name in named if name in _ROW}}


_OF_THE_END = ("receipt", "trace", "result_code", "attested_by", "role", "reason")
_ROW = dict.fromkeys(
    ("state", "wall_s", "sale_receipt", "amount", "currency", "card", "operator", "void", *_OF_THE_END)
)
_COLUMN = {"receipt": "sale_receipt", "its_receipt": "receipt", "its_trace": "trace", "code": "result_code"}


def _followed(row, entry):
    """`row` after one more record of its refund."""
    if entry["state"] == "REQUESTED":  # asked for anew: how it ended before is no part of how it ends now
        row.update(dict.fromkeys(_OF_THE_END))
    row.update(state=entry["state"], wall_s=entry["wall_s"], carried=entry["carried"])
    for name, value in entry["facts"].items():
        name = _COLUMN.get(name, name)
        if name in _ROW:
            row[name] = value
    return row


def read(path):
    """The Copy in a file. Failure: it cannot be read, or is no journal."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise Failure("cannot_read", file=path, reason=error.strerror)
    return Copy(data, path)


def _shape(data, file):
    """(sector size, unit) of the region in `data`, which its headers tell. NoJournal if there is none, or more or less than
    all of it."""
    version = None
    at = data.find(_MAGIC)
    while at >= 0:
        head = data[at : at + region.HEADER]
        if len(head) == region.HEADER and struct.unpack(">I", head[28:])[0] == crc32(head[:28]):
            version, sector, sectors, unit = struct.unpack(">BHHB", head[3:9])
            sector *= 16
            if version == region.VERSION and sector and unit and at % sector == 0:
                if len(data) < sector * sectors:
                    raise NoJournal("journal_file_cut", file=file, have=len(data), size=sector * sectors)
                if len(data) > sector * sectors:
                    raise NoJournal("journal_file_long", file=file, have=len(data), size=sector * sectors)
                return sector, unit
        at = data.find(_MAGIC, at + 1)
    if version is None and data[:3] == _MAGIC and len(data) > 3:
        version = data[3] - 48 if 48 <= data[3] < 58 else data[3]  # the first kind wrote its version as a digit
    if version not in (None, region.VERSION):
        raise NoJournal("journal_version", file=file, version=version, known=region.VERSION)
    raise NoJournal(file=file)


def _named(body):
    """The document of a record's body."""
    if not body:
        return {"kind": "seal"}
    try:
        kind, *items = cbor.decode(body)
        names = bodies.KINDS.split()
        return {"kind": names[kind], **_READERS[names[kind]](*items)} if kind < len(names) else {"kind": f"kind_{kind}"}
    except (errors.WireError, TypeError, ValueError, AttributeError, LookupError):
        return {"kind": "unreadable"}


def _text(value):
    """No journal of an agent holds a full card number; a file that somebody made might."""
    return "****" if isinstance(value, str) and pan.looks_like_pan(value) else value


def _boot(boot, wall_s, agent_id, reason=None, *_):
    return {"boot": boot, "wall_s": wall_s, "agent_id": _text(agent_id), "reason": _reason(reason)}


def _crash(boot, wall_s, uptime_ms, reason, text, places):
    spots = [dict(zip(("module", "line", "function"), map(_text, place), strict=True)) for place in places]
    told = {"boot": boot, "wall_s": wall_s, "uptime_ms": uptime_ms, "reason": _reason(reason)}
    return {**told, "text": _text(text), "places": spots}


def _reason(number):
    """The word for a place in REASONS; None where nobody noted one."""
    names = bodies.REASONS.split()
    return None if number is None else names[number] if number < len(names) else f"reason_{number}"


def _sale(*items):
    record = [bodies.SALE, *items]
    token = {"card_token": hexlify(items[_TOKEN]).decode() if len(items) > _TOKEN else None}
    named = dict(zip(_SALE, map(_text, items[:_TOKEN]), strict=True))
    return {**named, **token, "sale_id": crc32(cbor.encode(record))}


def _refund(key, state, wall_s, facts):
    names = bodies.FACTS.split()
    named = {names[at] if at < len(names) else f"fact_{at}": _text(value) for at, value in facts.items()}
    if isinstance(named.get("before"), list):
        named["before"] = dict(zip(_IDENTITY, map(_text, named["before"]), strict=False))
    state = messages.STATES[state] if state < len(messages.STATES) else f"state_{state}"
    return {"key": _text(key), "state": state, "wall_s": wall_s, "facts": named}


def _counts(boots, agent_id, refunds, sums, counters, lost):
    rows = [dict(zip(("currency", "period", "count", "sum"), row, strict=True)) for row in sums]
    counted = {"refunds": refunds, "approved": rows, "counters": counters, "lost": lost}
    return {"boots": boots, "agent_id": _text(agent_id), **counted}


def _forgotten(page, bits):
    receipts = [page * len(bits) * 8 + bit for bit in range(len(bits) * 8) if bits[bit >> 3] >> (bit & 7) & 1]
    return {"page": page, "receipts": receipts}


def _counter(counter, value):
    return {"counter": counter, "value": value}


def _accepted(numbers, up_to, wall_s, by, role, reason):
    who = {"by": _text(by), "role": _text(role), "reason": _text(reason)}
    return {"numbers": numbers, "up_to": up_to, "wall_s": wall_s, **who}


def _attested(what, receipt, value, wall_s, who, role, text, digest):
    name = bodies.ATTESTATIONS[what] if 0 < what < len(bodies.ATTESTATIONS) else f"what_{what}"
    told = {"what": name, "receipt": receipt or None, "value": value, "wall_s": wall_s}
    words = {"by": _text(who), "role": _text(role), "text": _text(text)}
    return {**told, **words, "digest": hexlify(digest).decode() if digest else None}


def _tries(who, count, wall_s):
    return {"by": _text(who), "count": count, "wall_s": wall_s}


def _verdict(key, worst, wall_s, uptime_ms, rows, asked=None):
    findings = [
        {
            "cause": cause,
            "status": messages.STATUSES[status],
            "evidence": {messages.fact_name(number): _text(value) for number, value in evidence.items()},
        }
        for cause, status, evidence in rows
        if 0 < cause <= 60 and 0 <= status < len(messages.STATUSES)
    ]
    worst = messages.VERDICTS[worst] if worst < len(messages.VERDICTS) else f"verdict_{worst}"
    names = bodies.FACTS.split()
    facts = {names[number]: _text(value) for number, value in (asked or {}).items() if number < len(names)}
    told = {"key": _text(key), "verdict": worst, "wall_s": wall_s, "uptime_ms": uptime_ms}
    return {**told, "findings": findings, "asked": facts}


_READERS = {
    "boot": _boot,
    "sale": _sale,
    "refund": _refund,
    "counts": _counts,
    "forgotten": _forgotten,
    "counter": _counter,
    "accepted": _accepted,
    "attested": _attested,
    "tries": _tries,
    "verdict": _verdict,
    "crash": _crash,
}
