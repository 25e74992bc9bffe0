"""Rows of a Parquet file by number, read as a stream.

What is held is some rows and, twice over while it is decoded, the page that they lie in. pyarrow ends a page after
1,024 rows at the latest or with its row group: 100 rows as `datasets` writes pictures.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from earthloom.core.blobs import translate_read_errors
from earthloom.core.errors import RecordError
from earthloom.core.records import Part, Reason

_ROWS = 16
"""Rows that are decoded at a time: pictures of a megabyte make 16 MB."""
_BUFFER = 2**20


class Table:
    """One open file."""

    def __init__(self, uri: str) -> None:
        """Raises OSError, pyarrow.ArrowException."""
        self._file: Any = pq.ParquetFile(uri, buffer_size=_BUFFER, pre_buffer=False)
        counts = (
            self._file.metadata.row_group(i).num_rows for i in range(self._file.metadata.num_row_groups)
        )
        self._starts = [0, *accumulate(counts)]
        self._batches: Iterator[Any] = iter(())
        self._held: Any = None
        self._group, self._first = -1, 0

    @property
    def schema(self) -> pa.Schema:
        """Columns with their types and the metadata of who wrote them."""
        return self._file.schema_arrow

    def iter_rows(self, columns: list[str]) -> Iterator[dict[str, object]]:
        """Give some columns of all rows, in order."""
        if not columns:
            yield from ({} for _ in range(self._starts[-1]))
            return
        for batch in self._file.iter_batches(batch_size=4096, columns=columns, use_threads=False):
            yield from batch.to_pylist()

    def read_row(self, number: int) -> dict[str, Any]:
        """Give one row; fast where rows are asked for in order. Raises IndexError beyond the last."""
        if not 0 <= number < self._starts[-1]:
            raise IndexError(f"row {number} of {self._starts[-1]}")
        group = bisect_right(self._starts, number) - 1
        if group != self._group or number < self._first:
            options = {"batch_size": _ROWS, "row_groups": [group], "use_threads": False}
            self._batches = self._file.iter_batches(**options)
            self._group, self._first, self._held = group, self._starts[group], next(self._batches)
        while number >= self._first + self._held.num_rows:
            self._first += self._held.num_rows
            self._held = next(self._batches)
        (row,) = self._held.slice(number - self._first, 1).to_pylist()
        return dict(row)

    def find_images(self) -> list[str]:
        """The columns that hold pictures, as Hugging Face `datasets` says it, or by their type: bytes and a path."""
        said = [name for name, kind in self._features().items() if kind.get("_type") == "Image"]
        typed = [
            field.name
            for field in self.schema
            if pa.types.is_struct(field.type) and {"bytes", "path"} <= {child.name for child in field.type}
        ]
        return said or typed

    def find_class_names(self, column: str) -> tuple[str, ...]:
        """The names of the numbers in a column, where Hugging Face `datasets` says them."""
        names = self._features().get(column, {}).get("names")
        return tuple(map(str, names)) if isinstance(names, list) else ()

    def _features(self) -> dict[str, dict[str, Any]]:
        try:
            said = json.loads((self.schema.metadata or {}).get(b"huggingface", b"{}"))
            features = said.get("info", {}).get("features") or {}
        except (ValueError, AttributeError):
            return {}
        return {name: kind for name, kind in features.items() if isinstance(kind, dict)}


@lru_cache(maxsize=4)
def _open(uri: str, size: int, mtime_ns: int) -> Table:
    del size, mtime_ns  # they are here to make a changed file another one
    return Table(uri)


def open_table(part: Part) -> Table:
    """Open a file; kept open for the rows to come. Raises RecordError."""
    try:
        with translate_read_errors(part.uri):
            return _open(part.uri, part.size, part.mtime_ns)
    except pa.ArrowException as error:
        raise RecordError(Reason.UNREADABLE, f"no Parquet, or cut short: {_first_line(error)}") from error


def read_row(part: Part, number: int) -> dict[str, Any]:
    """Read a row of a file. Raises RecordError UNREADABLE where the file is damaged there."""
    table = open_table(part)
    try:
        with translate_read_errors(part.uri):
            return table.read_row(number)
    except (pa.ArrowException, IndexError, StopIteration, ValueError) as error:
        _open.cache_clear()
        raise RecordError(Reason.UNREADABLE, f"row {number} cannot be read: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
