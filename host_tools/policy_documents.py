"""What the policy commands print with --json and show on the screen: plain dicts, in the reader's language."""

import time
from binascii import hexlify
from hashlib import sha256

from firmware_agent.wire import messages, rules

from . import measures, policy_parts, policy_payload, policy_values
from .export import moment

STATES = ("good", "absent", "damaged", "old", "elsewhere")  # as fact policy_state
_WIRE_LISTS = dict(zip(policy_payload.LISTS, rules.LISTS[1:], strict=True))
_SECRET = ("salt", "pin")


def fault(texts, file, found):
    """One Fault of a source. `line_text`: all of it, as one line."""
    text = fault_text(texts, found)
    where = found.fields.get("where", "")
    if found.line is None:
        line_text = texts("policy", "place_unknown", file=file, where=where, text=text)
    else:
        line_text = texts("policy", "place", file=file, line=found.line, column=found.column, text=text)
    told = {"line": found.line, "column": found.column, "fault": found.says}
    return {**told, "text": text, "line_text": line_text}


def fault_text(texts, found):
    fields = {}
    for name, value in found.fields.items():
        if name == "nearest":
            value = texts("policy", "nearest", nearest=value) if value else ""
        elif isinstance(value, (list, tuple)):
            value = texts.join(value)
        elif isinstance(value, int) and name != "line":
            value = f"{value:,}"
        fields[name] = value
    return texts("fault", found.says, **fields)


def checked(texts, file, source, faults=()):
    """What checking a source found. `source`: a Source, or None if there are faults."""
    document = {"file": file, "good": source is not None, "faults": [fault(texts, file, found) for found in faults]}
    document["warnings"] = warnings(texts, file, source)
    document.update(_about(source.contents, source.payload) if source else {})
    if source:
        document["text"] = texts("policy", "good", file=file, **_named(source.rules))
    else:
        document["text"] = texts("policy", "one_fault" if len(faults) == 1 else "faults", file=file, n=len(faults))
    return document


def warnings(texts, file, source):
    """Those of a source; and that it has expired, by this machine's clock."""
    found = [fault(texts, file, warning) for warning in source.warnings] if source else []
    if source and source.rules["expires"] <= time.time():
        at = policy_parts.moment(source.rules["expires"])
        found.append(_warning_of_all("expired", texts("policy", "expired", at=at)))
    return found


def _warning_of_all(name, text):
    return {"line": None, "column": None, "fault": name, "text": text, "line_text": text}


def built(texts, file, made, source, envelope, signer, key_open, key):
    """What building a policy from `file` into the file `made` gave. `key`: its file, `key_open`: others may read that."""
    document = {"file": made, **_about(source.contents, source.payload), **_envelope(envelope, signer)}
    document["warnings"] = warnings(texts, file, source)
    if key_open:
        document["warnings"].append(_warning_of_all("key_open", texts("policy", "key_open", file=key)))
    document["text"] = texts("policy", "built", file=made, **_named(source.rules))
    return document


def shown(texts, file, contents, payload, envelope=None, signer=None):
    """All that a policy says."""
    document = {"file": file, "port": None, **_about(contents, payload)}
    document.update(_envelope(envelope, signer) if envelope else dict.fromkeys(("size", "digest", "signer")))
    document["rules"] = {name: _plain(value) for name, value in contents.rules.items()}
    for name, table in _WIRE_LISTS.items():
        fields = [field[1] for field in messages.fields(table)]
        rows = [dict(zip(fields, row, strict=True)) for row in getattr(contents, name)]
        document[name] = [{key: value for key, value in row.items() if key not in _SECRET} for row in rows]
    document["parts"] = [_part(texts, part) for part in policy_parts.parts(contents)]
    return document


def _part(texts, part):
    said = f"{part.section}.{part.key}"
    if part.section in ("unknown", "found"):
        text = _cause_text(texts, part.key)
    elif part.section == "codes":
        text = _cause_text(texts, policy_parts.text(part))
    else:
        text = texts("rule", said) if texts.has("rule", said) else ""
    told = {"section": part.section, "header": policy_parts.header(part.section, part.row), "row": part.row}
    return {**told, "key": part.key, "value": policy_parts.text(part), "text": text}


def _cause_text(texts, key):
    numbers = [row.number for row in policy_values.catalogue().values() if row.key == key]
    return texts.cause(numbers[0]).name if numbers else ""


def compared(texts, before, after):
    """What differs between two policies. Each: (file, Contents)."""
    files = before[0], after[0]
    told = [_by_row(contents) for _, contents in (before, after)]
    changes = []
    for place in [*told[0], *(place for place in told[1] if place not in told[0])]:
        old, new = (side.get(place, {}) for side in told)
        section, row = place
        header = policy_parts.header(section, row)
        if row and not (old and new):
            values = [f"{key} {policy_parts.text(part)}" for key, part in (new or old).items() if key]
            changes.append(_change(texts, header, section, row, "", "", values, bool(old), bool(new)))
            continue
        for key in [*old, *(key for key in new if key not in old)]:
            pair = old.get(key), new.get(key)
            said = [policy_parts.text(part) if part else "" for part in pair]
            if None in pair or pair[0].value != pair[1].value or said[0] != said[1]:
                changes.append(_change(texts, header, section, row, key, *said, bool(pair[0]), bool(pair[1])))
    order = list(policy_parts.SECTIONS)
    changes.sort(key=lambda change: order.index(change["section"]))
    document = {"before": files[0], "after": files[1], "same": not changes, "changes": changes}
    document["text"] = texts("policy", "differs" if changes else "no_difference", n=len(changes))
    return document


def _change(texts, header, section, row, key, before, after, was, is_there):
    kind = "changed" if was and is_there else "removed" if was else "added"
    if isinstance(after, list):  # a whole row
        before, after = ("", ", ".join(after)) if is_there else (", ".join(after), "")
    name = " ".join(filter(None, (header, "" if policy_parts.has_name(section) else row, key)))
    same_text = before == after  # a PIN is not shown
    text = texts("policy", "other" if kind == "changed" and same_text else kind, name=name, before=before, after=after)
    change = {"change": kind, "section": section, "row": row, "key": key}
    return {**change, "before": before or None, "after": after or None, "text": text.rstrip(" :：")}


def _by_row(contents):
    """{(section, row): {key: Part}}."""
    found = {}
    for part in policy_parts.parts(contents):
        found.setdefault((part.section, part.row), {})[part.key] = part
    return found


def there(texts, answer, port):
    """What policy an agent has (POLICY_ANSWER)."""
    state = answer["state"]
    name = STATES[state] if state < len(STATES) else f"state_{state}"
    document = {"port": port, "file": None, "state": name}
    for field in ("id", "version"):
        document[field] = answer.get(field)
    for field in ("valid_from", "expires"):
        document[field] = moment(answer.get(field))
    for field in ("size", "room", "counter", "have"):
        document[field] = answer.get(field)
    for field in ("digest", "signer"):
        document[field] = hexlify(answer[field]).decode() if answer.get(field) is not None else None
    rows = answer.get("rows") or []
    document["rows"] = dict(zip(policy_payload.LISTS, rows, strict=False))
    key = f"state_{name}" if texts.has("policy", f"state_{name}") else "state_other"
    # a board's own rules, which nobody signed, are in force where it was given no policy
    if name == "good" and answer.get("digest") is None:
        key = "state_own"
    elif name == "good" and (answer.get("expires") or time.time()) < time.time():
        key = "state_expired"
    elif name == "good" and (answer.get("valid_from") or 0) > time.time():
        key = "state_early"
    document["text"] = texts("policy", key, n=state)
    return document


def _about(contents, payload):
    rule = contents.rules
    return {
        "id": rule["id"],
        "version": rule["version"],
        "valid_from": moment(rule["valid_from"]),
        "expires": moment(rule["expires"]),
        "payload_bytes": len(payload),
        "rules_bytes": policy_payload.rules_size(rule),
        "rules_room": rules.RULES_MAX,
        "rows": {name: len(getattr(contents, name)) for name in policy_payload.LISTS},
    }


def _envelope(envelope, signer):
    digest = sha256(envelope).hexdigest()
    return {"size": len(envelope), "digest": digest, "signer": hexlify(signer).decode() if signer else None}


def _named(rule):
    return {"id": measures.clean(rule["id"]), "version": rule["version"]}


def _plain(value):
    if isinstance(value, bytes):
        return hexlify(value).decode()
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return value
