"""Parquet with a column of pictures: row groups read whole, kept while their rows are being drawn."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from earthloom.core.blobs import reason_of
from earthloom.core.errors import RecordError
from earthloom.core.records import Reason
from earthloom.store.stream.facts import FILTERED, WANTED, make_sample, unify
from earthloom.store.stream.kept import Kept
from earthloom.store.stream.sample import Sample
from earthloom.store.stream.shard import Chunk, Rows

_IMAGES = ("image", "jpg", "jpeg", "png", "webp", "img", "picture", "pixels", "image_bytes")
"""Names under which pictures are looked for, before any other column of pictures."""


class Layout(NamedTuple):
    """What the footer of a file says."""

    chunks: tuple[Chunk, ...]
    image: str
    """Column of the encoded pictures; `NAME.bytes` where that is a field of a struct."""
    columns: frozenset[str]
    class_names: Mapping[str, tuple[str, ...]]
    """Of columns that hold numbers of classes (`ClassLabel` of Hugging Face `datasets`)."""


class RowGroup(NamedTuple):
    """A row group in memory."""

    images: pa.ChunkedArray
    facts: list[dict[str, Any]]


class GroupId(NamedTuple):
    """A row group on disk."""

    path: Path
    number: int
    image: str
    columns: tuple[str, ...]


Groups = Kept[GroupId, RowGroup]


def keep_groups(room: int) -> Groups:
    """A cache of row groups of at most `room` bytes, or of one where that is larger."""
    return Kept(_read_group, room=room, weigh=lambda rows: int(rows.images.nbytes))


class ParquetShard:
    """A Parquet file whose footer is known."""

    def __init__(self, path: Path, stem: str, groups: Groups) -> None:
        """Read the footer. Raises `RecordError` where there is none, or no column of pictures."""
        self._path = path
        self._stem = stem
        self._groups = groups
        self._layout = _read_layout(path)
        self._first = [0]
        for chunk in self._layout.chunks:
            self._first.append(self._first[-1] + chunk.n)

    def chunks(self) -> Sequence[Chunk]:
        """Row groups."""
        return self._layout.chunks

    def facts(self, chunk: int) -> Sequence[Mapping[str, Any] | RecordError]:
        """Unified facts of a row group without captions, `id` among them."""
        columns = sorted(FILTERED & self._layout.columns)
        try:
            with _open(self._path) as file:
                table = file.read_row_group(chunk, columns=columns, use_threads=False)
        except RecordError as error:
            return [error] * self._layout.chunks[chunk].n
        rows = table.to_pylist() if columns else [{}] * self._layout.chunks[chunk].n
        return [self._unify(row, chunk, number) for number, row in enumerate(rows)]

    def narrow(self, rows: Rows) -> Rows:
        """There is nothing to forget: rows are not held."""
        return rows

    def key(self, chunk: int, row: int) -> str:
        """`STEM/ROW`."""
        return f"{self._stem}/{self._first[chunk] + row}"

    def read(self, chunk: int, row: int) -> Sample:
        """Read a sample. Raises `RecordError` UNREADABLE (the row group), MISSING (no bytes in the row), BAD_FACTS."""
        columns = tuple(sorted(WANTED & self._layout.columns))
        rows = self._groups.get(GroupId(self._path, chunk, self._layout.image, columns))
        data = rows.images[row].as_py()
        if data is None:
            raise RecordError(Reason.MISSING, "wanted the bytes of a picture in the row, got none")
        facts = self._unify(rows.facts[row], chunk, row)
        return make_sample(facts, key=facts["id"], image=data)

    def _unify(self, row: Mapping[str, Any], chunk: int, number: int) -> Mapping[str, Any]:
        named = {
            name: _name_classes(row.get(name), names) for name, names in self._layout.class_names.items()
        }
        facts = unify({**row, **named}, self._stem)
        return facts if "base_id" in row else {**facts, "id": self.key(chunk, number)}


def _name_classes(value: Any, names: tuple[str, ...]) -> Any:
    if isinstance(value, list):
        return [_name_classes(each, names) for each in value]
    return names[value] if isinstance(value, int) and 0 <= value < len(names) else value


def _read_group(group: GroupId) -> RowGroup:
    with _open(group.path) as file:
        table = file.read_row_group(group.number, columns=[group.image, *group.columns], use_threads=False)
    name, _, field = group.image.partition(".")
    images = table.column(name)
    facts = table.select(group.columns)
    return RowGroup(
        images=pc.struct_field(images, field) if field else images,
        facts=facts.to_pylist() if group.columns else [{}] * table.num_rows,
    )


@contextlib.contextmanager
def _open(path: Path) -> Iterator[pq.ParquetFile]:
    """Open a Parquet file; errors of the system and of the format leave as `RecordError`."""
    try:
        with pq.ParquetFile(path) as file:
            yield file
    except OSError as error:
        raise RecordError(reason_of(error), f"{path.name} cannot be read: {error}") from error
    except (pa.ArrowException, ValueError) as error:
        raise RecordError(Reason.UNREADABLE, f"{path.name} cannot be read: {error}") from error


def _read_layout(path: Path) -> Layout:
    with _open(path) as file:
        schema: pa.Schema = file.schema_arrow
        groups = [file.metadata.row_group(i) for i in range(file.num_row_groups)]
    image = _find_image(schema)
    if image is None:
        raise RecordError(
            Reason.MISSING, f"{path.name} has no column of encoded pictures; it has {', '.join(schema.names)}"
        )
    return Layout(
        chunks=tuple(Chunk(group.num_rows, group.total_byte_size) for group in groups),
        image=image,
        columns=frozenset(schema.names) - {image.partition(".")[0]},
        class_names=_read_class_names(schema),
    )


def _find_image(schema: pa.Schema) -> str | None:
    others = [name for name in schema.names if pa.types.is_struct(schema.field(name).type)]
    for name in dict.fromkeys([*_IMAGES, *others]):
        index = schema.get_field_index(name)
        if index < 0:
            continue
        kind = schema.field(index).type
        if _is_binary(kind):
            return str(name)
        if (
            pa.types.is_struct(kind)
            and (at := kind.get_field_index("bytes")) >= 0
            and _is_binary(kind[at].type)
        ):
            return f"{name}.bytes"
    return None


def _is_binary(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _read_class_names(schema: pa.Schema) -> dict[str, tuple[str, ...]]:
    """Names of classes that Hugging Face `datasets` keeps in the schema; none where they cannot be made out."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        found = {
            name: each.get("names") or each.get("feature", {}).get("names") for name, each in features.items()
        }
    except (KeyError, ValueError, TypeError, AttributeError):
        return {}
    return {name: tuple(map(str, names)) for name, names in found.items() if names and name in WANTED}
