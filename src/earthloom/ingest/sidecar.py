"""Facts and captions by file name, from a CSV, TSV or JSONL file beside the images.

A row names its image in the column `file` (or `filename`, `file_name`): by its key, or by its bare file name. The
other columns are `caption`, `captions`, `title`, `alt`, `article`, `lon`, `lat`, `date`, `gsd_m`, `platform`, `sensor`,
`place`, `label`, `labels`, `licence` and `credit`; more are ignored, an empty cell or null is unknown. Several rows of
one image are one record: texts and labels add up, facts must agree. In a CSV, `captions` and `labels` may be a JSON
list.

Only 24 bytes a row are held in memory; rows themselves are read when asked for.
"""

from __future__ import annotations

import csv
import io
import json
import logging
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt

from earthloom.core.errors import RecordError, UsageError
from earthloom.core.records import Origin, Reason, Text
from earthloom.core.text import find_half
from earthloom.ingest.names import check_degrees, parse_date
from earthloom.ingest.scenes import Facts

Row = dict[str, object]
"""One parsed row: column to JSON value, or to text in a CSV."""

_NAME_COLUMNS = ("file", "filename", "file_name")
_TEXT_FACTS = ("platform", "sensor", "place", "licence", "credit")
_TEXT_ROLES = ("title", "alt", "article")
_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_JSON_LINES = {".jsonl", ".ndjson"}
_SALVAGE = re.compile(rb'"(?:file|filename|file_name)"\s*:\s*("(?:[^"\\]|\\.)+")')
_BOM = b"\xef\xbb\xbf"
_LONGEST_ROW = 64 * 2**20
"""Bytes: a longer row is the sign of a quote that is never closed."""

_log = logging.getLogger(__name__)


_UNKNOWN = Facts(origin=Origin.SIDECAR)


@dataclass(frozen=True, kw_only=True, slots=True)
class Notes:
    """What a sidecar says of one image."""

    facts: Facts = _UNKNOWN
    captions: tuple[str, ...] = ()
    """Exactly as published, in the order of the rows, duplicates too."""
    texts: tuple[Text, ...] = ()
    """What else was published with the image: titles, alternative texts, articles."""
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Stray:
    """A row from which not even the name of its image can be read."""

    line: int
    detail: str


@dataclass(slots=True)
class Sidecar:
    """An open sidecar: where each row lies and which image it names."""

    path: Path
    columns: tuple[str, ...]
    """Of a CSV; empty for JSONL."""
    hashes: npt.NDArray[np.int64]
    """Hash of the name in each row, ascending."""
    starts: npt.NDArray[np.int64]
    """Byte at which the row begins."""
    lines: npt.NDArray[np.int64]
    """Line at which it begins, from 1."""
    strays: tuple[Stray, ...]
    used: npt.NDArray[np.bool_] = field(init=False)
    """Rows that `mark` has found an image for."""

    def __post_init__(self) -> None:
        self.used = np.zeros(len(self.hashes), np.bool_)

    def find(self, key: str) -> Notes:
        """Read the rows that name an image by its key, else by its file name; empty notes where none does.

        Raises RecordError BAD_FACTS, with the line, where a row of it is malformed or two contradict each other.
        """
        rows = self.find_rows(key)
        return _merge([_read_notes(row) for row in rows], rows) if rows else Notes()

    def find_rows(self, key: str) -> list[Located]:
        """Read the rows that name an image by its key, else by its file name, as they stand."""
        for name in _names_of(key):
            rows = [self._read(place) for place in self._places(name)]
            rows = [row for row in rows if _name_in(row.value) == name]
            if rows:
                return rows
        return []

    def unmark(self) -> None:
        """Forget every image: a new listing begins."""
        self.used[:] = False

    def mark(self, key: str) -> None:
        """Note that there is an image of this key, so that rows of none can be counted."""
        for name in _names_of(key):
            places = self._places(name)
            if len(places):
                self.used[places.start : places.stop] = True
                return

    def report_unused(self) -> int:
        """Count the rows for which no image was marked, and log how many there are."""
        n_unused = int((~self.used).sum())
        if n_unused:
            _log.warning("%s: %d of %d rows name no image here", self.path.name, n_unused, len(self.used))
        return n_unused

    def _places(self, name: str) -> range:
        mark = hash(name)
        low, high = np.searchsorted(self.hashes, mark, "left"), np.searchsorted(self.hashes, mark, "right")
        return range(int(low), int(high))

    def _read(self, place: int) -> Located:
        line = int(self.lines[place])
        with self.path.open("rb") as file:
            file.seek(int(self.starts[place]))
            data = file.readline() if not self.columns else next(_records(file))
        where = f"{self.path.name}, line {line}"
        try:
            return Located(
                value=_parse(data, self.path, self.columns), where=where, textual=bool(self.columns)
            )
        except _BadRowError as error:
            return Located(
                value={"file": _salvage(data, self.columns, self.path)}, where=where, fault=str(error)
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class Located:
    """A row and where it stands."""

    value: Row
    where: str
    """File and line, for messages."""
    textual: bool = False
    """True for a CSV, where numbers are written as text."""
    fault: str | None = None
    """Why it cannot be parsed; only the name of its image was made out."""


class _BadRowError(Exception):
    """A row that cannot be parsed."""


def open_sidecar(path: Path) -> Sidecar:
    """Index a sidecar; kept for as long as the file stays the same. Raises UsageError when it cannot be read."""
    try:
        status = path.stat()
        return _index(path, status.st_size, status.st_mtime_ns)
    except OSError as error:
        raise UsageError(f"facts: {path.name} cannot be read: {error.strerror}. Check the path.") from error


@lru_cache(maxsize=8)
def _index(path: Path, size: int, mtime_ns: int) -> Sidecar:
    del size, mtime_ns  # they are here to make a changed file another one
    suffix = path.suffix.lower()
    if suffix not in _DELIMITERS and suffix not in _JSON_LINES:
        raise UsageError(f"facts: {path.name} is no table that is read here; wanted .csv, .tsv or .jsonl.")
    columns: tuple[str, ...] = ()
    hashes, starts, lines, strays = [], [], [], []
    with path.open("rb") as file:
        for start, line, data in _scan(file, is_csv=suffix in _DELIMITERS):
            if suffix in _DELIMITERS and not columns:
                columns = _read_columns(data, path)
                continue
            name, fault = _read_name(data, columns, path)
            if name is None:
                strays.append(Stray(line=line, detail=fault))
                continue
            hashes.append(hash(name))
            starts.append(start)
            lines.append(line)
    order = np.argsort(np.array(hashes, np.int64), kind="stable")
    sorted_hashes, sorted_starts, sorted_lines = (
        np.array(values, np.int64)[order] for values in (hashes, starts, lines)
    )
    return Sidecar(path, columns, sorted_hashes, sorted_starts, sorted_lines, tuple(strays))


def _scan(file: io.BufferedReader, *, is_csv: bool) -> Iterator[tuple[int, int, bytes]]:
    """Yield start, line and bytes of every row that is not blank."""
    start, line = 0, 1
    for data in _records(file) if is_csv else file:
        if data.strip():
            yield start, line, data
        start += len(data)
        line += data.count(b"\n") if is_csv else 1


def _records(file: io.BufferedReader) -> Iterator[bytes]:
    """Yield the records of a CSV as they are: a line break within quotes ends none."""
    record: list[bytes] = []
    n_quotes = n_bytes = 0
    for line in file:
        record.append(line)
        n_quotes += line.count(b'"')
        n_bytes += len(line)
        if n_quotes % 2 == 0 or n_bytes > _LONGEST_ROW:
            yield b"".join(record)
            record, n_quotes, n_bytes = [], 0, 0
    if record:
        yield b"".join(record)


def _read_columns(data: bytes, path: Path) -> tuple[str, ...]:
    try:
        columns = tuple(cell.strip() for cell in _split_csv(data, path))
    except _BadRowError as error:
        raise UsageError(f"facts: {path.name}: {error}.") from error
    if not set(columns) & set(_NAME_COLUMNS):
        named = ", ".join(columns)[:200]
        raise UsageError(f"facts: {path.name} has no column `file`; its first line names {named}.")
    return columns


def _read_name(data: bytes, columns: tuple[str, ...], path: Path) -> tuple[str | None, str]:
    """Give the image that a row names, or None and what is wrong."""
    try:
        row = _parse(data, path, columns)
    except _BadRowError as error:
        return _name_in({"file": _salvage(data, columns, path)}), str(error)
    return _name_in(row), "it has no `file`"


def _parse(data: bytes, path: Path, columns: tuple[str, ...]) -> Row:
    if columns:
        cells = _split_csv(data, path)
        if len(cells) != len(columns):
            raise _BadRowError(f"it has {len(cells)} cells, the first line names {len(columns)}")
        return {name: cell for name, cell in zip(columns, cells, strict=True) if cell.strip()}
    try:
        value = json.loads(data.removeprefix(_BOM))
    except (ValueError, RecursionError) as error:
        raise _BadRowError(f"it is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise _BadRowError(f"it is a {type(value).__name__}, wanted an object")
    return cast(Row, value)


def _split_csv(data: bytes, path: Path) -> list[str]:
    try:
        text = data.removeprefix(_BOM).decode("utf-8")
        rows = list(csv.reader([text], delimiter=_DELIMITERS[path.suffix.lower()], strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise _BadRowError(f"it is no CSV in UTF-8: {error}") from error
    return rows[0] if rows else []


def _salvage(data: bytes, columns: tuple[str, ...], path: Path) -> str | None:
    """Make out the image that a malformed row means, so that the fault can be laid at its door."""
    if not columns:
        match = _SALVAGE.search(data)
        try:
            return None if match is None else str(json.loads(match[1]))
        except ValueError:
            return None
    cells = data.decode("utf-8", "replace").split(_DELIMITERS[path.suffix.lower()])
    place = next(i for i, name in enumerate(columns) if name in _NAME_COLUMNS)
    return cells[place].strip().strip('"') or None if place < len(cells) else None


def _names_of(key: str) -> tuple[str, ...]:
    base = key.rpartition("/")[2]
    return (key,) if base == key else (key, base)


def _name_in(row: Row) -> str | None:
    for column in _NAME_COLUMNS:
        name = row.get(column)
        if isinstance(name, str) and name.strip():
            return re.sub(r"^(\./+)+", "", name.strip())
    return None


def _read_notes(row: Located) -> Notes:
    try:
        if row.fault is not None:
            raise RecordError(Reason.BAD_FACTS, row.fault)
        return Notes(
            facts=_read_facts(row),
            captions=(*_texts(row, "caption"), *_texts(row, "captions")),
            texts=tuple(Text(text=text, role=role) for role in _TEXT_ROLES for text in _texts(row, role)),
            labels=(*_texts(row, "label"), *_texts(row, "labels")),
        )
    except RecordError as error:
        raise RecordError(Reason.BAD_FACTS, f"{row.where}: {error.detail}") from error


def _read_facts(row: Located) -> Facts:
    lon, lat, gsd_m = (_number(row, name) for name in ("lon", "lat", "gsd_m"))
    if (lon is None) != (lat is None):
        raise RecordError(Reason.BAD_FACTS, f"lon {lon}, lat {lat}; wanted both or none")
    if gsd_m is not None and not 0 < gsd_m <= 100_000:
        raise RecordError(Reason.BAD_FACTS, f"gsd_m {gsd_m:g}; wanted metres, above 0 and up to 100,000")
    day = _text(row, "date")
    return Facts(
        origin=Origin.SIDECAR,
        acquired=None if day is None else parse_date(day),
        lon=None if lon is None else check_degrees("lon", lon, 180),
        lat=None if lat is None else check_degrees("lat", lat, 90),
        gsd_x_m=gsd_m,
        gsd_y_m=gsd_m,
        **{name: _text(row, name) for name in _TEXT_FACTS},  # type: ignore[arg-type]
    )


def _number(row: Located, name: str) -> float | None:
    value = row.value.get(name)
    if value is None:
        return None
    if isinstance(value, str) and row.textual:
        try:
            value = float(value)
        except ValueError:
            value = math.nan
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise RecordError(Reason.BAD_FACTS, f"{name} is {row.value[name]!r}; wanted a number")
    return float(value)


def _text(row: Located, name: str) -> str | None:
    value = row.value.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, int) and not isinstance(value, bool) and name == "date":
        return str(value)
    if not isinstance(value, str):
        raise RecordError(Reason.BAD_FACTS, f"{name} is {value!r}; wanted text")
    _check_letters(value, name)
    return value.strip() or None


def _texts(row: Located, name: str) -> tuple[str, ...]:
    """Give one text or a list of them as they stand; blank ones are none."""
    value = row.value.get(name)
    if isinstance(value, str) and row.textual and name.endswith("s") and value.lstrip().startswith("["):
        value = _parse_list(value, name)
    if value is None:
        return ()
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise RecordError(Reason.BAD_FACTS, f"{name} is {str(value)[:80]!r}; wanted text or a list of texts")
    for text in texts:
        _check_letters(text, name)
    return tuple(text for text in texts if text.strip())


def _check_letters(text: str, name: str) -> None:
    half = find_half(text)
    if half is not None:
        raise RecordError(
            Reason.BAD_FACTS, f"{name} holds half of a letter, {half!r}; write it anew in UTF-8"
        )


def _parse_list(text: str, name: str) -> object:
    try:
        return cast(object, json.loads(text))
    except (ValueError, RecursionError) as error:
        raise RecordError(Reason.BAD_FACTS, f"{name} is no JSON list: {error}") from error


def _merge(notes: list[Notes], rows: list[Located]) -> Notes:
    """Join the rows of one image: captions and labels add up, facts must agree."""
    if len(notes) == 1:
        return notes[0]
    merged: dict[str, object] = {}
    for note, row in zip(notes, rows, strict=True):
        for name in Facts.__dataclass_fields__:
            value = getattr(note.facts, name)
            if value is not None and merged.setdefault(name, value) != value:
                detail = (
                    f"{row.where}: {name} is {value!r}, an earlier row of this image says {merged[name]!r}"
                )
                raise RecordError(Reason.BAD_FACTS, detail)
    return Notes(
        facts=Facts(**merged),  # type: ignore[arg-type]
        captions=tuple(text for note in notes for text in note.captions),
        texts=tuple(dict.fromkeys(text for note in notes for text in note.texts)),
        labels=tuple(dict.fromkeys(text for note in notes for text in note.labels)),
    )


def resolve_facts(facts: str, root: Path) -> Path:
    """Give the path of a recipe's `facts`."""
    return root.absolute() / facts
