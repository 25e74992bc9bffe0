"""What a stream asks of a shard, whatever its format; the rows of one that a selection lets pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from earthloom.core.errors import RecordError
from earthloom.store.selection import Selection, lot_of, passes
from earthloom.store.stream.facts import find_split, read_own_name
from earthloom.store.stream.remote import RemoteFile
from earthloom.store.stream.sample import Sample

Rows = tuple[Sequence[int], ...]
"""Some rows of each chunk of a shard, in their order."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows that are read together: all of a tar, one row group of a Parquet file."""

    n: int
    n_bytes: int
    """What is held in memory while its rows are read in random order; 0 where each is read by itself."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shard:
    """A file of samples that has not been opened."""

    stem: str
    """Path below the place without its suffix, such as `train-rgb-00000`."""
    suffix: str
    """`.tar`, `.parquet`, or empty for a folder of pictures."""
    size: int
    """Bytes."""
    find: Callable[[], Path]
    """Where the file lies on this machine; brings it there first if need be. Raises `RunError` where that fails."""
    remote: RemoteFile | None = None
    """Where it comes from, for what is copied."""


class OpenShard(Protocol):
    """A shard whose samples are known by place, and can be read in any order, by several threads."""

    def chunks(self) -> Sequence[Chunk]:
        """All of its samples; broken ones, too."""
        ...

    def facts(self, chunk: int) -> Sequence[Mapping[str, Any] | RecordError]:
        """Unified facts of a chunk's rows, `id` among them; what cannot be read as its error."""
        ...

    def narrow(self, rows: Rows) -> Rows:
        """Forget all samples but some, by chunk, and give the rows that these are now."""
        ...

    def key(self, chunk: int, row: int) -> str:
        """Name of a row for a person, found without reading it."""
        ...

    def read(self, chunk: int, row: int) -> Sample:
        """Read a sample. Raises `RecordError`."""
        ...


@dataclass(frozen=True, slots=True)
class BrokenShard:
    """Stands for a shard that cannot be opened: one sample, which cannot be read and says why."""

    name: str
    error: RecordError

    def chunks(self) -> Sequence[Chunk]:
        """One, of one row."""
        return (Chunk(1, 0),)

    def facts(self, chunk: int) -> Sequence[RecordError]:
        """Its error."""
        return (self.error,)

    def narrow(self, rows: Rows) -> Rows:
        """There is nothing to forget."""
        return rows

    def key(self, chunk: int, row: int) -> str:
        """Name of the file."""
        return self.name

    def read(self, chunk: int, row: int) -> Sample:
        """Raises the error."""
        raise RecordError(self.error.reason, self.error.detail)


@dataclass(frozen=True, slots=True)
class Listed:
    """The samples of a shard that were asked for."""

    shard: OpenShard
    rows: Rows
    sizes: tuple[int, ...]
    """By chunk, bytes that are held while it is read."""

    @property
    def chunks(self) -> tuple[Chunk, ...]:
        """How many samples of each chunk."""
        return tuple(Chunk(len(rows), size) for rows, size in zip(self.rows, self.sizes, strict=True))

    @property
    def n(self) -> int:
        """How many samples."""
        return sum(map(len, self.rows))

    def key(self, chunk: int, row: int) -> str:
        """Name of a row for a person."""
        return self.shard.key(chunk, self.rows[chunk][row])

    def read(self, chunk: int, row: int) -> Sample:
        """Read a sample. Raises `RecordError`."""
        return self.shard.read(chunk, self.rows[chunk][row])


def is_of_interest(stem: str, selection: Selection) -> bool:
    """False where a shard's name alone says that nothing in it is asked for."""
    own = read_own_name(stem)
    if own is not None and own[1] != selection.modality.value:
        return False
    split = find_split(stem)
    return not selection.split or split is None or split in selection.split


def list_rows(shard: OpenShard, stem: str, selection: Selection, below: int | None) -> Listed:
    """Find the rows of a shard that a selection lets pass. Rows that cannot be read do, so that they are noticed.

    below: of the lots of `limit`, the first that is not taken; None without a limit.
    """
    chunks = shard.chunks()
    sizes = tuple(chunk.n_bytes for chunk in chunks)
    if below is None and _is_settled(stem, selection):
        return Listed(shard, tuple(range(chunk.n) for chunk in chunks), sizes)
    rows = []
    for number in range(len(chunks)):
        facts = shard.facts(number)
        rows.append([row for row, each in enumerate(facts) if _is_chosen(each, selection, below)])
    return Listed(shard, shard.narrow(tuple(rows)), sizes)


def find_lots(shard: OpenShard, selection: Selection) -> list[int]:
    """The lots of all rows that every filter lets pass, for `limit`."""
    return [
        lot_of(facts["id"], selection)
        for number in range(len(shard.chunks()))
        for facts in shard.facts(number)
        if not isinstance(facts, RecordError) and _passes(facts, selection)
    ]


def _is_settled(stem: str, selection: Selection) -> bool:
    """Whether the name of a shard settles all filters: one of ours holds one split and one modality."""
    if selection.folder is not None:
        return True
    others = (selection.effects, selection.severity, selection.labels, selection.source)
    return read_own_name(stem) is not None and not any(others) and selection.gsd_m is None


def _is_chosen(facts: Mapping[str, Any] | RecordError, selection: Selection, below: int | None) -> bool:
    if isinstance(facts, RecordError):
        return True
    is_let_pass = _passes(facts, selection)
    if is_let_pass is None:
        return True
    return is_let_pass and (below is None or lot_of(facts["id"], selection) < below)


def _passes(facts: Mapping[str, Any], selection: Selection) -> bool | None:
    """Whether every filter lets facts pass; None where they do not have the form of a release."""
    try:
        return selection.folder is not None or passes(facts, selection)
    except (TypeError, KeyError, AttributeError):
        return None
