"""Shards of a release: planned by split and modality, written as Parquet and as WebDataset tar."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

import pyarrow as pa

from earthloom.core.records import Modality
from earthloom.export.config import ExportSettings
from earthloom.export.join import Segment, join_segments, pair_schema
from earthloom.export.parquet import ParquetSink
from earthloom.export.webdataset import TarSink
from earthloom.store.atomic import open_atomic

SPLITS = ("train", "val", "test")
"""In the order of the release; the same names as verdicts carry."""
SUFFIXES = {"parquet": ".parquet", "webdataset": ".tar"}

ROWS = 100
"""Pairs of a row group: with 130 KB a picture, 13 MB are in memory, and the Hub's viewer can page."""
_BYTES = 64 * 2**20
"""A row group ends earlier when its pixels reach this."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TileShard:
    """A finished tile shard, with what the stages after it wrote for it, and how many pairs it gives."""

    tiles: str
    captions: str
    verdicts: str
    scenes: tuple[str, ...]
    pairs: Mapping[tuple[str, str], int]
    """(split, modality) to number of pairs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReleaseShard:
    """One shard of the release: pairs of one split and one modality."""

    split: str
    modality: str
    index: int
    """From 0 within the split and modality."""
    segments: tuple[Segment, ...]

    @property
    def stem(self) -> str:
        """File name without suffix, such as `train-rgb-00000`."""
        return f"{self.split}-{self.modality}-{self.index:05d}"

    @property
    def n_pairs(self) -> int:
        """How many pairs the shard will hold."""
        return sum(segment.take for segment in self.segments)


def split_plan(inputs: Sequence[TileShard], settings: ExportSettings) -> list[ReleaseShard]:
    """Divide the pairs of all tile shards into release shards of `settings.shard_pairs`; opens no file.

    Shards are by split and modality, so that all samples of a tar have the same members and a loader can ask for
    one kind alone; within, pairs keep the order of the tile shards.
    """
    return [
        ReleaseShard(split=split, modality=modality, index=index, segments=segments)
        for split in SPLITS
        for modality in Modality
        for index, segments in enumerate(_cut(inputs, split, modality.value, settings.shard_pairs))
    ]


def _cut(inputs: Sequence[TileShard], split: str, modality: str, size: int) -> Iterator[tuple[Segment, ...]]:
    segments: list[Segment] = []
    room = size
    for shard in inputs:
        n, skip = shard.pairs.get((split, modality), 0), 0
        while skip < n:
            take = min(room, n - skip)
            segments.append(_segment(shard, split, modality, skip, take))
            skip, room = skip + take, room - take
            if room == 0:
                yield tuple(segments)
                segments, room = [], size
    if segments:
        yield tuple(segments)


def _segment(shard: TileShard, split: str, modality: str, skip: int, take: int) -> Segment:
    return Segment(
        tiles=shard.tiles,
        captions=shard.captions,
        verdicts=shard.verdicts,
        scenes=shard.scenes,
        split=split,
        modality=modality,
        skip=skip,
        take=take,
    )


class Sink(Protocol):
    """One form of the release that pairs are written to. A new form is a new sink."""

    def write(self, pairs: pa.Table) -> None:
        """Append some pairs, with the columns of `pair_schema()`."""

    def close(self) -> None:
        """Write what belongs at the end; the file itself is closed by its owner."""

    def abandon(self) -> None:
        """Give up: let go of the file, which its owner removes."""


def write_release_shard(shard: ReleaseShard, folder: Path, settings: ExportSettings) -> int:
    """Write a shard in every form asked for, in one pass over its tiles; return the number of pairs.

    The files are `folder/STEM.parquet` and `folder/STEM.tar`; each appears whole or not at all. Equal tiles,
    captions, verdicts and scenes give equal bytes. Raises `WriteError` when the disk does not take it.
    """
    with contextlib.ExitStack() as files:
        sinks = [
            _open_sink(form, files.enter_context(open_atomic(folder / (shard.stem + SUFFIXES[form]))))
            for form in settings.formats
        ]
        try:
            return _pour(shard, sinks)
        except BaseException:
            for sink in sinks:
                sink.abandon()
            raise


def _pour(shard: ReleaseShard, sinks: Sequence[Sink]) -> int:
    n = 0
    for pairs in _regroup(join_segments(shard.segments)):
        n += pairs.num_rows
        for sink in sinks:
            sink.write(pairs)
    for sink in sinks:
        sink.close()
    return n


def _open_sink(form: str, file: BinaryIO) -> Sink:
    return ParquetSink(file, pair_schema()) if form == "parquet" else TarSink(file)


def _regroup(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Cut a stream of batches anew into row groups of `ROWS` pairs or of `_BYTES` of pixels."""
    waiting: list[pa.RecordBatch] = []
    n = size = 0
    for batch in batches:
        rest = batch
        while rest.num_rows:
            part = rest.slice(0, ROWS - n)
            rest = rest.slice(part.num_rows)
            waiting.append(part)
            n, size = n + part.num_rows, size + part.nbytes
            if n == ROWS or size >= _BYTES:
                yield pa.Table.from_batches(waiting)
                waiting, n, size = [], 0, 0
    if waiting:
        yield pa.Table.from_batches(waiting)
