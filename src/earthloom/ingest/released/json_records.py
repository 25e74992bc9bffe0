r"""Records out of JSON files of any size and layout, one at a time.

    [{...}, {...}]                        a list of objects
    {"images": [{...}], "dataset": "x"}   lists of objects under names, and other values
    {"id": [...], "url": [...]}           columns, as lists
    {"id": {"0": ..., "1": ...}, ...}     columns by index, as pandas writes them
    {...}\n{...}\n                        JSON lines

Lists of objects and lines are streamed: what is held is one chunk of the file, not the file. Columns have to be held
whole, since their last record needs the end of each.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

_CHUNK = 2**20
_LONGEST = 64 * 2**20
"""Characters: a longer value is the sign of a quote or bracket that is never closed."""
_LINES = (".jsonl", ".ndjson")
_UNFINISHED = {"", ".", "e", "E", "e+", "e-", "E+", "E-"}
"""What may stand between a number and the end of what is held where the number goes on behind it."""
_BLANK = " \t\r\n"
_DECODER = json.JSONDecoder()


class JsonDamage(Exception):  # noqa: N818  a state of the file, which its reader turns into a refusal
    """The file is no JSON, or is none any more from some place on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One value of a file: an element of a list, or a field of the top object that is no list."""

    field: str
    """Name of the list or field; empty for a list at the top."""
    number: int | None
    """Place in the list, from 0; None for a field."""
    value: object
    fault: str = ""
    """Why there is no value: a line that is no JSON."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """One record."""

    number: int
    """Place in its list, from 0."""
    fields: dict[str, object]
    fault: str = ""
    """Why there are no fields."""
    group: str = ""
    """Name of the list that it stands in; empty for a list at the top, lines and columns."""


def iter_entries(path: Path) -> Iterator[Entry]:
    """Stream a file. Raises JsonDamage where it stops to be JSON, OSError where it cannot be read."""
    with path.open("rb") as file:
        text = _Text(file)
        opening = text.peek()
        if path.suffix.lower() in _LINES or (opening == "{" and text.is_in_lines()):
            yield from text.lines()
        elif opening == "[":
            yield from text.array("")
        elif opening == "{":
            yield from text.fields()
        else:
            raise JsonDamage(f"it starts with {opening!r}; wanted a list or an object")
        if text.peek():
            raise JsonDamage(f"something follows its end: {text.peek()!r}")


def iter_records(path: Path) -> Iterator[Record]:
    """Stream the records of a file in whatever layout. Raises JsonDamage, OSError."""
    columns: dict[str, list[object] | dict[str, object]] = {}
    for entry in iter_entries(path):
        if entry.number is None:
            if isinstance(entry.value, dict):
                columns[entry.field] = entry.value
        elif entry.field == "" or isinstance(entry.value, dict):
            yield _make_record(entry)
        else:
            column = columns.setdefault(entry.field, [])
            if isinstance(column, list):
                column.append(entry.value)
    yield from _turn(columns)


def _make_record(entry: Entry) -> Record:
    assert entry.number is not None
    if isinstance(entry.value, dict):
        return Record(number=entry.number, fields=entry.value, group=entry.field)
    fault = entry.fault or f"it is a {type(entry.value).__name__}; wanted an object"
    return Record(number=entry.number, fields={}, fault=fault, group=entry.field)


def _turn(columns: dict[str, list[object] | dict[str, object]]) -> Iterator[Record]:
    """Make rows of columns."""
    lists = {name: column for name, column in columns.items() if isinstance(column, list)}
    indexed = {name: column for name, column in columns.items() if isinstance(column, dict)}
    if lists:
        lengths = {name: len(column) for name, column in lists.items()}
        if len(set(lengths.values())) > 1:
            said = ", ".join(f"{name} {n}" for name, n in lengths.items())
            raise JsonDamage(f"its columns differ in length ({said[:200]}), so that no row is sure")
        for number in range(next(iter(lengths.values()))):
            yield Record(number=number, fields={name: column[number] for name, column in lists.items()})
    elif indexed:
        keys = dict.fromkeys(key for column in indexed.values() for key in column)
        for number, key in enumerate(keys):
            row = {name: column[key] for name, column in indexed.items() if key in column}
            yield Record(number=number, fields=row)


class _Text:
    """A file as text of which the part that is being parsed is held."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        self._held = ""
        self._at = 0
        self._is_whole = False

    def peek(self) -> str:
        """Give the next character that is not blank; empty at the end."""
        while True:
            while self._at < len(self._held):
                if self._held[self._at] not in _BLANK:
                    return self._held[self._at]
                self._at += 1
            if not self._read():
                return ""

    def is_in_lines(self) -> bool:
        """Whether the first line is a whole object and another one follows."""
        line, _, rest = self._held[self._at :].partition("\n")
        if not rest.lstrip(_BLANK).startswith("{"):
            return False
        try:
            return isinstance(json.loads(line), dict)
        except (ValueError, RecursionError):
            return False

    def fields(self) -> Iterator[Entry]:
        """The object that begins here: its lists element by element."""
        self._take("{")
        while self.peek() != "}":
            name = self.value()
            if not isinstance(name, str):
                raise JsonDamage(f"{name!r} stands where a field's name is wanted")
            self._take(":")
            if self.peek() == "[":
                yield from self.array(name)
            else:
                yield Entry(field=name, number=None, value=self.value())
            if self.peek() != "}":
                self._take(",")
        self._take("}")

    def array(self, field: str) -> Iterator[Entry]:
        """The list that begins here."""
        self._take("[")
        number = 0
        while self.peek() != "]":
            yield Entry(field=field, number=number, value=self.value())
            number += 1
            if self.peek() != "]":
                self._take(",")
        self._take("]")

    def lines(self) -> Iterator[Entry]:
        """One value a line; a line that is none is told and passed over."""
        number = 0
        while self.peek():
            line = self._line()
            try:
                yield Entry(field="", number=number, value=json.loads(line))
            except (ValueError, RecursionError) as error:
                yield Entry(field="", number=number, value=None, fault=f"it is no JSON: {error}")
            number += 1

    def value(self) -> object:
        """Parse the value that begins here."""
        self.peek()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._held, self._at)
            except RecursionError as error:
                raise JsonDamage("it is nested too deep") from error
            except ValueError as error:
                if len(self._held) - self._at > _LONGEST or not self._read():
                    raise JsonDamage(f"it is no JSON there: {error.args[0][:100]}") from error
                continue
            if self._held[end : end + 3] in _UNFINISHED and self._read():
                continue
            self._at = end
            return cast(object, value)

    def _line(self) -> str:
        while (end := self._held.find("\n", self._at)) < 0:
            if not self._read():
                end = len(self._held)
                break
            if len(self._held) - self._at > _LONGEST:
                raise JsonDamage("a line does not end")
        line = self._held[self._at : end]
        self._at = end
        return line

    def _take(self, wanted: str) -> None:
        got = self.peek()
        if got != wanted:
            raise JsonDamage(f"wanted {wanted!r}, got {got!r}" if got else "it is cut short")
        self._at += 1

    def _read(self) -> bool:
        """Hold more of the file; False at its end."""
        if self._is_whole:
            return False
        data = self._file.read(max(_CHUNK, len(self._held) - self._at))
        self._is_whole = not data
        try:
            more = self._decode(data, not data)
        except UnicodeDecodeError as error:
            raise JsonDamage(f"it is no UTF-8 text: {error.reason}") from error
        self._held = self._held[self._at :] + more
        self._at = 0
        return bool(data)
