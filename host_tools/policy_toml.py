"""TOML read statement by statement, so that every fault of a file is found, and each with its place.

tomllib stops at the first fault and knows no places of what is right. Here the text is cut into headers and settings, tomllib
reads each by itself, and after a bad one the reading goes on with the next. Beyond TOML 1.0, hours may stand without seconds
(02:00), as TOML 1.1 allows.
"""

import re
import tomllib
from collections import namedtuple
from decimal import Decimal

# line and column count from 1, in characters; None where nothing is known. `says` names the text, `fields` fill it.
Fault = namedtuple("Fault", "line column says fields")

_KEY = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')"""
_PATH = re.compile(rf"{_KEY}(?:[ \t]*\.[ \t]*{_KEY})*")
_SETTING = re.compile(rf"({_PATH.pattern})[ \t]*=[ \t]*")
_HEADER = re.compile(rf"(\[\[?)[ \t]*({_PATH.pattern})[ \t]*(\]\]?)[ \t]*(?:#[^\n]*)?(?=\n|$)")
_BETWEEN = re.compile(r"(?:[ \t\n]+|#[^\n]*)*")
_NEXT = re.compile(rf"^[ \t]*(?:\[{{1,2}}[ \t]*{_PATH.pattern}[ \t]*\]|{_PATH.pattern}[ \t]*=)", re.MULTILINE)
_HOURS = re.compile(r"((?:\d{4}-\d\d-\d\d[Tt ])?\d\d:\d\d)(?=[ \t]*$|[Zz+-])")
_PLACE = re.compile(r"\(at (?:line (\d+), column (\d+)|end of document)\)$")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_CLOSES = {"[": "]", "{": "}"}

# what tomllib says, by its beginning, and what it is called here
_SAYINGS = (
    ("Invalid date", "toml_date"),
    ("Invalid value", "toml_value"),
    ("Expected newline", "toml_behind"),
    ("Unescaped", "toml_escape"),
    ("Invalid hex value", "toml_escape"),
    ("Escaped character", "toml_escape"),
    ("Unterminated string", "toml_string"),
    ("Unclosed array", "toml_list"),
    ("Unclosed inline table", "toml_list"),
    ("Duplicate inline table key", "toml_twice"),
)


# What people write for numbers, days and times, by its beginning, and what it is called here.
_NUMBERS = (
    (r"[0-9][0-9.]*,[0-9]", "toml_comma"),  # 500,00
    (r"[0-9]{1,4}[./-][0-9]{1,2}[./-][0-9]{1,4}", "toml_day"),  # 31.12.2026
    (r"[0-9]{1,2}:[0-9]", "toml_time"),  # 2:00
    (r"0[0-9]", "toml_zero"),  # 07
    (r"[0-9][0-9_.]*[ \t]*[^\s0-9_.#]", "toml_unit"),  # 500.00 EUR
)


def _of_number(text):
    return next((says for form, says in _NUMBERS if re.match(form, text)), "toml_number")


class Document:
    """`tables`: what the text holds, as tomllib gives it. `faults`: what is wrong with it. `doubtful`: true if a header or a
    setting could not be read, so that what is missing may stand there."""

    def __init__(self, text):
        self.tables = {}
        self.faults = []
        self.doubtful = False
        self._text = text.replace("\r\n", "\n").removeprefix("\ufeff")
        self._lines = [0] + [found.end() for found in re.finditer("\n", self._text)]
        self._where = {}  # path: (offset of its key, offset of its value)
        self._headers = set()
        self._repeated = set()
        self._read()

    def place(self, path, value=True):
        """(line, column) of a setting's value or key; of the nearest that holds it if it has no place of its own; (1, 1)."""
        path = tuple(path)
        while path and path not in self._where:
            path, value = path[:-1], False
        return self.at(self._where[path][value]) if path else (1, 1)

    def at(self, offset):
        """(line, column) of an offset."""
        low, high = 0, len(self._lines)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._lines[middle] <= offset else (low, middle)
        return low + 1, offset - self._lines[low] + 1

    def _fault(self, offset, says, **fields):
        self.faults.append(Fault(*self.at(offset), says, fields))

    def _read(self):
        for found in _CONTROL.finditer(self._text):
            self._fault(found.start(), "toml_control")
        text, at, table, path = self._text, 0, self.tables, ()
        while True:
            at = _BETWEEN.match(text, at).end()
            if at == len(text):
                return
            if text[at] == "[":
                at, table, path = self._header(at)
            else:
                at = self._setting(at, table, path)

    def _header(self, at):
        """(where it ends, the table it opens or None, its path)."""
        found = _HEADER.match(self._text, at)
        if not found or len(found[1]) != len(found[3]):
            self._fault(at, "toml_header")
            self.doubtful = True
            return self._line_end(at), None, ()
        keys = _keys(found[2])
        if keys is None:
            self._fault(at, "toml_escape")
            self.doubtful = True
            return found.end(), None, ()
        table, path = self.tables, ()
        for key in keys[:-1]:
            path += (key,)
            table = table.setdefault(key, {})
            self._where.setdefault(path, (at, at))
            if isinstance(table, list) and table:
                path += (len(table) - 1,)
                table = table[-1]
            if not isinstance(table, dict):
                self._fault(at, "toml_no_section", name=".".join(keys[: len(path)]))
                return found.end(), None, ()
        path += (keys[-1],)
        if len(found[1]) == 2:
            rows = table.setdefault(keys[-1], [])
            if not isinstance(rows, list):
                self._fault(at, "toml_one_and_many", name=".".join(keys), line=self.place(path, False)[0])
                return found.end(), None, ()
            self._where.setdefault(path, (at, at))
            rows.append({})
            path += (len(rows) - 1,)
            self._where[path] = (at, at)
            return found.end(), rows[-1], path
        there = table.setdefault(keys[-1], {})
        if not isinstance(there, dict):
            says = "toml_one_and_many" if isinstance(there, list) else "toml_no_section"
            self._fault(at, says, name=".".join(keys), line=self.place(path, False)[0])
            return found.end(), None, ()
        if path in self._headers:
            self._fault(at, "toml_section_twice", name=".".join(keys), line=self.place(path, False)[0])
            self._repeated.add(path)
        else:
            self._headers.add(path)
            self._where[path] = (at, at)
        return found.end(), there, path

    def _setting(self, at, table, path):
        """Where it ends. `table`: that of the header before it, None if that could not be read."""
        found = _SETTING.match(self._text, at)
        if not found:
            self._fault(at, "toml_line")
            self.doubtful = True
            return self._line_end(at)
        begin = found.end()
        end = self._value_end(begin)
        if end is None:
            self.doubtful = True
            after = _NEXT.search(self._text, self._line_end(at))
            return after.start() if after else len(self._text)
        keys, value = _keys(found[1]), self._value(begin, end)
        if keys is None:
            self._fault(at, "toml_escape")
        if keys is None or value is None:
            self.doubtful = True
            return end
        if table is None:
            return end
        for key in keys[:-1]:
            path += (key,)
            table = table.setdefault(key, {})
            self._where.setdefault(path, (at, begin))
            if not isinstance(table, dict):
                self._fault(at, "toml_no_section", name=key)
                return end
        path += (keys[-1],)
        if keys[-1] in table and path[:-1] in self._repeated:
            return end  # its header was reported
        if keys[-1] in table:
            self._fault(at, "toml_twice_at", name=keys[-1], line=self.place(path, False)[0])
            return end
        table[keys[-1]] = value[0]
        self._where[path] = (at, begin)
        return end

    def _value(self, begin, end):
        """(value,) of the text of a value, or None after a fault."""
        text = self._text[begin:end].rstrip()
        hours = _HOURS.match(text.partition("#")[0].rstrip())
        if hours:
            text = hours[1] + ":00" + text[len(hours[1]) :]
        try:
            return (tomllib.loads("x=" + text, parse_float=Decimal)["x"],)
        except tomllib.TOMLDecodeError as error:
            says = next((says for saying, says in _SAYINGS if str(error).startswith(saying)), "toml_value")
            place = _PLACE.search(str(error))
            offset = begin
            if place and place[1] and not hours:
                line, column = int(place[1]), int(place[2])
                offset = self._lines[self.at(begin)[0] - 2 + line] + column - 1 if line > 1 else begin + column - 3
            if says == "toml_escape" and str(error).startswith("Unescaped"):
                offset -= 2
            if says == "toml_value" and re.match("[^\\W\\d]|[“”‘’「『]", text):
                says = "toml_quotes"
            if says in ("toml_behind", "toml_value") and re.match(r"[0-9+.-]", text):
                says, offset = _of_number(text), begin
            self._fault(min(offset, len(self._text)), says)
        except (ValueError, RecursionError, ArithmeticError):
            # a number of thousands of digits, brackets a thousand deep
            self._fault(begin, "toml_number" if text[0].isdigit() else "toml_value")
        return None

    def _value_end(self, at):
        """The offset behind the value that begins at `at`; None, after a fault, if it has no end."""
        text, open_ = self._text, []
        while at < len(text):
            char = text[at]
            if char == "\n" and not open_:
                return at
            if char == "#":
                at = self._line_end(at)
            elif char in "\"'":
                end = self._string_end(at)
                if end is None:
                    self._fault(at, "toml_string")
                    return None
                at = end
            else:
                if char in "[{":
                    open_.append((char, at))
                elif char in "]}" and open_ and _CLOSES[open_[-1][0]] == char:
                    open_.pop()
                at += 1
                continue
        if open_:
            self._fault(open_[-1][1], "toml_unclosed")
            return None
        return at

    def _string_end(self, at):
        text, quote = self._text, self._text[at]
        if text.startswith(quote * 3, at):
            form = r'"""(?:[^\\]|\\.)*?"""' if quote == '"' else r"'''.*?'''"
            found = re.compile(form + quote + "{0,2}", re.DOTALL).match(text, at)
        else:
            found = re.compile(r'"(?:[^"\\\n]|\\[^\n])*"' if quote == '"' else r"'[^'\n]*'").match(text, at)
        return found.end() if found else None

    def _line_end(self, at):
        end = self._text.find("\n", at)
        return len(self._text) if end < 0 else end


def _keys(text):
    """The parts of a dotted key, None if an escape in it is wrong."""
    try:
        table, keys = tomllib.loads(text + "=0"), []
    except (ValueError, RecursionError):
        return None
    while table:
        ((key, table),) = table.items()
        keys.append(key)
    return keys
