"""The document of `refundctl decode zvt`: messages in words, in the reader's language, with every card number struck out."""

import re

from hal.terminals.zvt import messages
from hal.terminals.zvt.apdu import ApduError

from . import zvt_hide, zvt_stream
from .zvt_values import Reader

_OF_THE_TERMINAL = ("set_clock", "input_request", "menu_request", "status_information", "intermediate_status")
_OF_THE_TERMINAL += ("completion", "abort", "print_line", "print_block")
_ANSWERS = ("accepted", "refused")
_OFFSET = re.compile(r"offset (\d+): (.*)")


def decoded(texts, sources):
    """{"messages", "read", "damaged", "text"} of zvt_input.Sources. An entry of "messages" is read or has an "error"."""
    teller = _Teller(texts)
    for source in sources:
        teller.source(source)
    entries = teller.entries
    damaged = sum(entry["error"] is not None for entry in entries)
    read = len(entries) - damaged
    text = texts("zvt", "read_damaged" if damaged else "read", n=read, damaged=damaged)
    return zvt_hide.document({"messages": entries, "read": read, "damaged": damaged, "text": text})


class _Teller:
    def __init__(self, texts):
        self._texts = texts
        self._ended = None  # the command that the next completion ends
        self.entries = []

    def source(self, source):
        """Takes one stream, or one line of a log."""
        if source.data is None:
            self.entries.append(
                self._entry(source.line, 0, 0, error=self._wrong(source.line, 0, None, "struck_out", {}))
            )
            return
        for piece in zvt_stream.split(source.data):
            if piece.kind in ("ack", "nak"):
                self._answered(piece.kind)
            elif piece.kind == "damaged":
                wrong = self._wrong(source.line, piece.at, None, piece.key, piece.fields)
                self.entries.append(self._entry(source.line, piece.at, piece.size, error=wrong))
            else:
                self._message(source.line, piece)

    def _answered(self, kind):
        """ACK and NAK belong to the frame before them."""
        if self.entries and self.entries[-1]["error"] is None:
            self.entries[-1]["answered"] = kind.upper()

    def _entry(self, line, at, size, **more):
        empty = dict.fromkeys(("command", "key", "name", "from", "framed", "answered", "fields", "or", "error"))
        return {"line": line, "at": at, "size": size, **empty, **more}

    def _message(self, line, piece):
        try:
            found = self._readings(piece.apdu)
        except ApduError as error:
            offset, words = _OFFSET.match(str(error)).groups()
            more = {"error": self._wrong(line, piece.at, int(offset), *self._key(words))}
            command = piece.apdu[:2]
            if len(command) == 2:
                more["command"] = command.hex(" ").upper()
                more.update(self._named(messages.Message(command[0] << 8 | command[1])))
            self.entries.append(self._entry(line, piece.at, piece.size, framed=piece.framed, **more))
            return
        message = found[0]
        named = self._named(message)
        told = [self._fields(each) for each in found]
        entry = self._entry(line, piece.at, piece.size, command=piece.apdu[:2].hex(" ").upper(), framed=piece.framed)
        entry.update(**named, fields=told[0])
        entry["or"] = told[1] if len(told) > 1 else None
        rest = message.get("data")
        if rest is not None:
            offset = len(piece.apdu) - len(rest)
            entry["error"] = self._wrong(line, piece.at, offset, "opaque", {"n": len(rest)})
        self.entries.append(entry)
        if named["from"] == "till":
            self._ended = message.command

    def _readings(self, apdu):
        if self._ended is not None:
            try:
                return [messages.read(apdu, self._ended)]
            except ApduError:
                pass  # it ends another command than the one before it
        return messages.readings(apdu)

    def _named(self, message):
        name = self._texts("zvt_command", message.name)
        if message.name == "refused":
            name = f"{name}: {Reader(self._texts, message).code(message.command & 0xFF)}"
        who = None
        if message.name not in _ANSWERS and message.name != "unknown":
            who = "terminal" if message.name in _OF_THE_TERMINAL else "till"
        return {"key": message.name, "name": name, "from": who}

    def _fields(self, message):
        ended = None if self._ended is None else messages.Message(self._ended).name
        reader = Reader(self._texts, message, ended)
        told = []
        for name, value in message.fields:
            if name == "data":
                continue
            field = {"field": name, "label": self._label(name)}
            if name == "tlv":
                field["items"] = self._items(reader, value)
            else:
                field["value"], field["text"] = reader.field(name, value)
            told.append(field)
        return told

    def _items(self, reader, items):
        told = []
        for tag, value in items:
            item = {"tag": f"{tag:02X}", "label": reader.tag_name(tag)}
            if isinstance(value, list):
                item["items"] = self._items(reader, value)
            else:
                item["value"], item["text"] = reader.tag(tag, value)
            told.append(item)
        return told

    def _label(self, name):
        if self._texts.has("zvt_field", name):
            return self._texts("zvt_field", name)
        kind, _, number = name.rpartition("_")  # line_3, second_line_3
        return self._texts("zvt_field", kind + "_n", n=number)

    # -- what is wrong --

    def _key(self, words):
        """(key of the text, what fills it) of the codec's own words."""
        for key in self._texts.table("zvt_error"):
            pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>\\w+)", re.escape(key))
            found = re.fullmatch(pattern, words)
            if found:
                fields = found.groupdict()
                if "name" in fields:
                    fields["name"] = self._label(fields["name"])
                return key, fields
        return "opaque", {"n": "?"}

    def _wrong(self, line, at, offset, key, fields):
        """{"offset", "text"}: one line that says where and what."""
        text = self._texts("zvt_error", key, **fields) if fields else self._texts("zvt_error", key)
        place = self.place(line, at)
        if offset is None:
            return {"offset": None, "text": self._texts("zvt", "damaged_here", place=place, text=text)}
        return {"offset": offset, "text": self._texts("zvt", "damaged", place=place, offset=offset, text=text)}

    def place(self, line, at):
        if line is None:
            return self._texts("zvt", "at", at=at)
        return self._texts("zvt", "at_line_byte", line=line, at=at) if at else self._texts("zvt", "at_line", line=line)
