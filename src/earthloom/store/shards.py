"""Shards: the unit of work, of retry and of resume. A shard is done when its manifest exists."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import pyarrow as pa
import pyarrow.parquet as pq

from earthloom.core.ids import hash_json
from earthloom.core.records import Failed, Reason, Refused, Tile
from earthloom.store.atomic import open_atomic, write_json
from earthloom.store.layout import ShardFiles
from earthloom.store.tables import schema_of, to_batch

ROW_GROUP = 64
"""Rows held in memory and written together: 64 tiles of 512 x 512 are about 10 MB."""
ROW_GROUP_BYTES = 64 * 2**20
"""A row group ends earlier when its pixels reach this."""

BULKY = frozenset({"image", "valid_mask", "class_mask"})
"""Columns of bytes that are compressed already: stored as they are, without dictionary or statistics."""


DROPPED = "dropped: "
"""Before the name of a check in the tally of captions that failed it."""
ANSWERS = "answers"
"""In the tally of captions: hash of the models' answers that they stand on."""


@dataclass
class Counts:
    """What became of what was planned. `planned == written + sum(refused) + failed` or the run fails."""

    planned: int = 0
    written: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    """Reason to number of planned units."""
    failed: int = 0
    records: int = 0
    """Records written: one written item can give several scenes."""

    @property
    def adds_up(self) -> bool:
        """True when everything planned is accounted for."""
        return self.planned == self.written + sum(self.refused.values()) + self.failed

    def add(self, other: Counts) -> None:
        """Add another count to this one."""
        self.planned += other.planned
        self.written += other.written
        self.failed += other.failed
        self.records += other.records
        for reason, n in other.refused.items():
            self.refused[reason] = self.refused.get(reason, 0) + n

    def to_json(self) -> dict[str, Any]:
        """As `run.json` holds it: reasons in alphabetical order."""
        return dataclasses.asdict(self) | {"refused": dict(sorted(self.refused.items()))}


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a finished shard says of itself."""

    stage: str
    name: str
    key: str
    """Hash of everything that the shard's content depends on; another key makes it stale."""
    counts: Counts
    tally: dict[str, int]
    """Numbers that later planning needs, such as pairs by split and modality."""
    files: dict[str, int]
    """Path relative to the manifest's folder to size in bytes."""

    @property
    def n_unreachable(self) -> int:
        """Planned units, or captions of them, that could not be reached: asking again may bring them."""
        name = Reason.UNREACHABLE.value
        return self.counts.refused.get(name, 0) + self.tally.get(f"{DROPPED}{name}", 0)

    @property
    def identity(self) -> str:
        """What later stages depend on: the key, and where that does not settle it, also what this try brought."""
        if not self.n_unreachable and ANSWERS not in self.tally:
            return self.key
        return hash_json([self.key, dataclasses.asdict(self.counts), self.files, self.tally])

    def write(self, path: Path) -> None:
        """Write it, last of the shard's files."""
        write_json(path, dataclasses.asdict(self))


def read_manifest(path: Path, key: str) -> Manifest | None:
    """The manifest at `path` if it is whole, has this key and its files are there at full length; else None."""
    try:
        value = json.loads(path.read_bytes())
        manifest = Manifest(**(value | {"counts": Counts(**value["counts"])}))
    except (OSError, ValueError, TypeError, KeyError):
        return None
    if manifest.key != key:
        return None
    for name, size in manifest.files.items():
        try:
            if (path.parent / name).stat().st_size != size:
                return None
        except OSError:
            return None
    return manifest


class TableWriter:
    """Writes records of one type to a Parquet file in row groups of fixed size, in bounded memory."""

    def __init__(self, file: BinaryIO, record: type) -> None:
        self._record = record
        self._rows: list[object] = []
        self._n_bytes = 0
        schema = schema_of(record)
        self._writer = pq.ParquetWriter(file, schema, **parquet_options(schema))

    def add(self, record: object) -> None:
        """Append one record."""
        self._rows.append(record)
        if isinstance(record, Tile):
            self._n_bytes += len(record.image)
        if len(self._rows) >= ROW_GROUP or self._n_bytes >= ROW_GROUP_BYTES:
            self._flush()

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_batch(to_batch(self._rows, self._record))
            self._rows, self._n_bytes = [], 0

    def close(self) -> None:
        """Write what is left and the footer."""
        self._flush()
        self._writer.close()

    def abandon(self) -> None:
        """Give up: release the writer without a usable file."""
        with contextlib.suppress(OSError, ValueError, pa.ArrowInvalid):
            self._writer.close()


def parquet_options(schema: pa.Schema) -> dict[str, Any]:
    """Options for `ParquetWriter`: zstd for facts; pixels as they are, since they are compressed already."""
    leaves = [leaf for column in schema for leaf in _leaves(column.name, column.type)]
    facts = [leaf for leaf in leaves if leaf.split(".")[0] not in BULKY]
    return {
        "compression": {leaf: "zstd" if leaf in set(facts) else "none" for leaf in leaves},
        "use_dictionary": facts,
        "write_statistics": facts,
    }


def _leaves(path: str, kind: pa.DataType) -> list[str]:
    """Parquet's dotted paths of the primitive columns below an Arrow column."""
    if pa.types.is_struct(kind):
        return [leaf for child in kind for leaf in _leaves(f"{path}.{child.name}", child.type)]
    if pa.types.is_list(kind):
        return _leaves(f"{path}.list.element", kind.value_type)
    return [path]


class ShardWriter:
    """Collects what a shard's units became and writes rows, refusals and, last, the manifest.

    Used as a context manager: on an error nothing of the shard remains.
    """

    def __init__(self, files: ShardFiles, record: type, *, stage: str, key: str) -> None:
        self._files = files
        self._stage = stage
        self._key = key
        self._record = record
        self._refused: list[Refused] = []
        self._failed: list[Failed] = []
        self._exits = contextlib.ExitStack()
        self.counts = Counts()
        self.tally: dict[str, int] = {}

    def __enter__(self) -> Self:
        self._files.manifest.unlink(missing_ok=True)
        file = self._exits.enter_context(open_atomic(self._files.rows))
        self._table = TableWriter(file, self._record)
        return self

    def write(self, record: object) -> None:
        """Keep a record; the caller counts the unit it came from."""
        self._table.add(record)
        self.counts.records += 1

    def refuse(self, refused: Refused) -> None:
        """Keep and count a refusal."""
        self._refused.append(refused)
        reason = refused.reason.value
        self.counts.refused[reason] = self.counts.refused.get(reason, 0) + refused.n

    def fail(self, failed: Failed) -> None:
        """Keep and count a failure."""
        self._failed.append(failed)
        self.counts.failed += failed.n

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._table.abandon()
            self._exits.__exit__(kind, error, trace)
            return
        try:
            self._table.close()
        except BaseException as failure:
            if not self._exits.__exit__(type(failure), failure, failure.__traceback__):
                raise
            return
        self._exits.close()

    def finish(self) -> Manifest:
        """Write refusals and the manifest; call after the block has ended without an error."""
        files = [self._files.rows]
        files += _write_side(self._files.refused, Refused, self._refused)
        files += _write_side(self._files.failed, Failed, self._failed)
        manifest = Manifest(
            stage=self._stage,
            name=self._files.name,
            key=self._key,
            counts=self.counts,
            tally=dict(sorted(self.tally.items())),
            files=file_sizes(files, self._files.folder),
        )
        manifest.write(self._files.manifest)
        return manifest


def file_sizes(files: list[Path], folder: Path) -> dict[str, int]:
    """Sizes by path relative to `folder`, for a manifest."""
    return {Path(os.path.relpath(path, folder)).as_posix(): path.stat().st_size for path in files}


def _write_side(path: Path, record: type, rows: list[Any]) -> list[Path]:
    if not rows:
        path.unlink(missing_ok=True)
        return []
    with open_atomic(path) as file:
        table = TableWriter(file, record)
        for row in rows:
            table.add(row)
        table.close()
    return [path]
