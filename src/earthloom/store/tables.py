"""Records as Parquet rows: schemas derived from the record types, rows to records and back."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

Record = TypeVar("Record")

_SCALARS: dict[type, pa.DataType] = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
    bytes: pa.binary(),
}


@cache
def schema_of(record: type) -> pa.Schema:
    """The Arrow schema of a record type: one column a field, optional fields nullable, tuples as lists."""
    return pa.schema(_fields(record))


def _fields(record: type) -> list[pa.Field]:
    hints = typing.get_type_hints(record)
    return [_field(f.name, hints[f.name]) for f in dataclasses.fields(record)]


def _field(name: str, hint: Any) -> pa.Field:
    inner, nullable = _strip_optional(hint)
    return pa.field(name, _arrow_type(inner), nullable=nullable)


def _strip_optional(hint: Any) -> tuple[Any, bool]:
    if typing.get_origin(hint) in {typing.Union, types.UnionType}:
        inner = [arg for arg in typing.get_args(hint) if arg is not types.NoneType]
        assert len(inner) == 1, f"a record field is one type or None, not {hint}"
        return inner[0], True
    return hint, False


def _arrow_type(hint: Any) -> pa.DataType:
    if typing.get_origin(hint) is tuple:
        return pa.list_(_field("element", typing.get_args(hint)[0]))
    if dataclasses.is_dataclass(hint):
        return pa.struct(_fields(typing.cast(type, hint)))
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return pa.string()
    return _SCALARS[hint]


@cache
def _encoder(hint: Any) -> Callable[[Any], Any] | None:
    """How a value of this type becomes what pyarrow takes; None where it is taken as it is."""
    inner, _ = _strip_optional(hint)
    if typing.get_origin(inner) is tuple:
        element = _encoder(typing.get_args(inner)[0])
        return list if element is None else lambda value: [element(v) for v in value]
    if dataclasses.is_dataclass(inner):
        return _record_encoder(typing.cast(type, inner))
    return None


@cache
def _record_encoder(record: type) -> Callable[[Any], dict[str, Any]]:
    hints = typing.get_type_hints(record)
    plan = [(f.name, _encoder(hints[f.name])) for f in dataclasses.fields(record)]

    def encode(value: Any) -> dict[str, Any]:
        row = {}
        for name, encoder in plan:
            field = getattr(value, name)
            row[name] = field if field is None or encoder is None else encoder(field)
        return row

    return encode


@cache
def _decoder(hint: Any) -> Callable[[Any], Any] | None:
    inner, _ = _strip_optional(hint)
    if typing.get_origin(inner) is tuple:
        element = _decoder(typing.get_args(inner)[0])
        return tuple if element is None else lambda value: tuple(element(v) for v in value)
    if dataclasses.is_dataclass(inner):
        return _record_decoder(typing.cast(type, inner))
    if isinstance(inner, type) and issubclass(inner, StrEnum):
        return inner
    return None


@cache
def _record_decoder(record: type) -> Callable[[dict[str, Any]], Any]:
    hints = typing.get_type_hints(record)
    plan = [(f.name, _decoder(hints[f.name])) for f in dataclasses.fields(record)]

    def decode(row: dict[str, Any]) -> Any:
        fields = {}
        for name, decoder in plan:
            if name in row:
                value = row[name]
                fields[name] = value if value is None or decoder is None else decoder(value)
        return record(**fields)

    return decode


def to_batch(records: Sequence[object], record: type) -> pa.RecordBatch:
    """Turn records of one type into an Arrow batch with that type's schema."""
    encode = _record_encoder(record)
    return pa.RecordBatch.from_pylist([encode(r) for r in records], schema=schema_of(record))


def from_rows(rows: Iterable[dict[str, Any]], record: type[Record]) -> Iterator[Record]:
    """Turn rows (as `to_pylist` gives them) into records; columns that the record lacks are ignored."""
    decode = _record_decoder(typing.cast("type", record))
    for row in rows:
        yield decode(row)


def read_records(path: Path, record: type[Record], start: int = 0, stop: int | None = None) -> list[Record]:
    """Read rows [start, stop) of a Parquet file as records."""
    table = pq.read_table(path, memory_map=False)
    rows = table.slice(start, None if stop is None else stop - start).to_pylist()
    return list(from_rows(rows, record))


def read_columns(path: Path, columns: Sequence[str]) -> pa.Table:
    """Read some columns of a Parquet file; pixels stay on disk unless asked for."""
    return pq.read_table(path, columns=list(columns))


def iter_row_groups(path: Path, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """Read a Parquet file one row group at a time, so that memory stays bounded."""
    with pq.ParquetFile(path) as file:
        for i in range(file.num_row_groups):
            yield file.read_row_group(i, columns=None if columns is None else list(columns))
