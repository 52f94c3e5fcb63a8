"""The payload of a policy, written and read: rules by name, and the rows of its lists."""

from collections import namedtuple

from firmware_agent.wire import cbor, errors, messages, rules

# rules: {name: value} as messages.unpack gives them; the others: rows as tuples in the order of wire/rules.py.
Contents = namedtuple("Contents", "rules sales disputes chargebacks people")
LISTS = Contents._fields[1:]


class NoPayload(Exception):
    """These bytes are no policy's payload. field: what of it is wrong."""

    def __init__(self, field):
        super().__init__(field)
        self.field = field


def write(contents):
    """The bytes, deterministic. Rows stand in the order of their first field already."""
    return cbor.encode([messages.pack(rules.RULES, contents.rules), *contents[1:]])


def rules_size(values):
    """Bytes of the rules alone, which a board holds in its heap."""
    return len(cbor.encode(messages.pack(rules.RULES, values)))


def read(payload):
    """The Contents of a payload; NoPayload if it is none."""
    try:
        packed, *lists = cbor.decode(payload)
        values = messages.unpack(rules.RULES, packed)
        if len(lists) != len(LISTS):
            raise NoPayload("lists")
        rows = [[_row(table, row) for row in there] for table, there in zip(rules.LISTS[1:], lists, strict=True)]
    except errors.WireError as error:
        raise NoPayload(error.field or error.name)
    except (TypeError, ValueError, RecursionError):
        raise NoPayload("form")
    return Contents(values, *rows)


def _row(table, row):
    named = messages.unpack(table, dict(enumerate(row)))
    return tuple(named.get(field[1]) for field in messages.fields(table))
